"""The moves of a Rollout's story: templates, Gates, words of people; and waiting for what must come of it."""

import json
from collections.abc import Callable
from typing import Any, Final

from controlplane import wait_until
from tests.e2e.rights import until_allowed
from tests.e2e.stage import GROUP, PATIENCE, Body, Stage, condition, connection
from tests.wall.api import Api, Call, path

TWENTY: Final = ({"setWeight": 20},)


class Shop(Stage):
    """One namespace with its people and its Rollouts."""

    # ---- objects

    def promotes(self, name: str = "", **spec: Any) -> str:
        """A policy for promotions: two of sre, unless it is said otherwise."""
        return self.policy(name, **{"effects": ["Promote"], **spec})

    def rollout(self, name: str = "web", image: str = "1", *, user: str = "ci", **spec: Any) -> Body:
        """Apply a Rollout of five replicas as `rollout_body` has it. Answers it as stored."""
        body = self.rollout_body(name, image, **spec)
        return dict(json.loads(self.kubectl("apply", "-o", "json", "-f", "-", user=user, stdin=json.dumps(body))))

    def rollout_body(
        self, name: str = "web", image: str = "1", *, fake: str = "", steps: tuple[Body, ...] = TWENTY, **spec: Any
    ) -> Body:
        """The manifest; `fake` says how its pods behave."""
        labels = {"app": name, **({"example.org/fake": fake} if fake else {})}
        template = {
            "metadata": {"labels": labels},
            "spec": {"containers": [{"name": "web", "image": f"example.org/{name}:{image}"}]},
        }
        full = {
            "replicas": 5,
            "selector": {"matchLabels": {"app": name}},
            "strategy": {"canary": {"steps": list(steps)}},
            "template": template,
            **spec,
        }
        full = {key: value for key, value in full.items() if value is not None}
        meta = {"name": name, "namespace": self.namespace}
        return {"apiVersion": GROUP, "kind": "Rollout", "metadata": meta, "spec": full}

    def running(self, name: str = "web", **spec: Any) -> Body:
        """A Rollout whose first version runs, all of it; answers it as it stands."""
        self.rollout(name, **spec)
        return self.until_healthy(name)

    def gate(self, policy: str, *, label: bool = True, **rollouts: Any) -> str:
        """A Gate of this namespace's own, on its label unless it is said otherwise."""
        name = f"gate-{self.namespace}"
        spec: Body = {"type": "Rollouts", "policyRef": {"name": policy}}
        spec |= {"rollouts": rollouts} if rollouts else {}
        self.cluster.kubectl(
            "apply",
            "-f",
            "-",
            stdin=json.dumps({"apiVersion": GROUP, "kind": "Gate", "metadata": {"name": name}, "spec": spec}),
        )
        if label:
            self.gated(name)
        return name

    def gated(self, gate: str | None) -> None:
        """Put the namespace behind a Gate, or take it from there."""
        change = {"metadata": {"labels": {"gatehold.dev/rollouts": gate}}}
        self.api().must(Call(path("v1", "namespaces", None, self.namespace), change))

    def until_may(self, user: str, verb: str, resource: str, group: str = "gatehold.dev", **more: str) -> None:
        """Wait until the right that this person was just given counts."""
        until_allowed(self.api(), user, verb=verb, group=group, resource=resource, namespace=self.namespace, **more)

    def until_seen(self, gate: str) -> None:
        """Wait until the operator goes by a Gate as it is now."""
        until_seen(self.api(), gate)

    # ---- looking

    def child(self, track: str, name: str = "web") -> Body:
        """One of the two Deployments."""
        return self.get("deploy", f"{name}-{track}")

    def image(self, track: str, name: str = "web") -> str:
        """The tag that a child runs."""
        return str(self.child(track, name)["spec"]["template"]["spec"]["containers"][0]["image"]).rsplit(":", 1)[1]

    def sizes(self, name: str = "web") -> tuple[int, int]:
        """Replicas that stable and canary are to have."""
        found = (self.find("deploy", f"{name}-{track}") for track in ("stable", "canary"))
        stable, canary = (body["spec"]["replicas"] if body else 0 for body in found)
        return stable, canary

    def track_pods(self, track: str, name: str = "web") -> list[Body]:
        """The pods of one child."""
        return self.all("pods", labelSelector=f"gatehold.dev/rollout={name},gatehold.dev/track={track}")

    def requests(self, name: str = "web") -> list[Body]:
        """Every request about it."""
        found = self.all("apr", labelSelector=f"gatehold.dev/rollout={name}")
        return sorted(found, key=lambda body: int(body["metadata"]["resourceVersion"]))

    def let_pods_be_ready(self, *tracks: str, name: str = "web") -> None:
        """Those that are late (`fake`) become ready."""
        for pod in (pod for track in tracks for pod in self.track_pods(track, name)):
            change = {"metadata": {"annotations": {"example.org/fake": "ready"}}}
            self.api().send(Call(self.path("pods", pod["metadata"]["name"]), change))  # it may be on its way out

    # ---- waiting

    def until_rollout(
        self, holds: Callable[[Body], object], what: str, name: str = "web", seconds: float = PATIENCE
    ) -> Body:
        """Wait until something holds for the Rollout."""
        return self.until(name, holds, what, seconds, kind="gro")

    def until_phase_of(self, phase: str, name: str = "web", seconds: float = PATIENCE) -> Body:
        """Wait until the Rollout stands there, with what its spec says taken into account."""
        return self.until_rollout(lambda body: stands(body) == phase, f"phase {phase}", name, seconds)

    def until_healthy(self, name: str = "web", seconds: float = PATIENCE) -> Body:
        """Wait until stable runs what the spec says."""
        return self.until_phase_of("Healthy", name, seconds)

    def until_sizes(self, stable: int, canary: int, name: str = "web") -> None:
        """Wait until the children are to have so many replicas. What a Rollout's status says is carried out after it."""
        wait_until(lambda: self.sizes(name) == (stable, canary), f"{stable} of stable and {canary} of the canary", PATIENCE)

    def until_image(self, track: str, image: str, name: str = "web") -> None:
        """Wait until a child is to run that tag."""
        wait_until(lambda: self.image(track, name) == image, f"{track} is put at {image}", PATIENCE)

    def until_anew(self, track: str, before: str) -> None:
        """Wait until there is another child than the one of that uid."""

        def made() -> bool:
            found = self.find("deploy", f"web-{track}")
            return found is not None and found["metadata"]["uid"] != before

        wait_until(made, f"a new {track}", PATIENCE)

    def until_ended(self, outcome: str, name: str = "web", seconds: float = PATIENCE) -> Body:
        """Wait until the last run ended so, and nothing is under way."""
        return self.until_rollout(
            lambda body: "run" not in body.get("status", {}) and last(body).get("outcome") == outcome,
            f"a run {outcome}",
            name,
            seconds,
        )

    def until_asked(self, name: str = "web", *, beside: tuple[str, ...] = (), seconds: float = PATIENCE) -> str:
        """Wait until people can answer a question about it, other than these; answers its name."""
        found: list[str] = []

        def asked() -> bool:
            for body in self.requests(name):
                mine, status = body["metadata"]["name"], body.get("status", {})
                if mine not in beside and status.get("phase") == "Pending" and "requestDigest" in status:
                    found.append(mine)
            return bool(found)

        try:
            wait_until(asked, f"a question about {name}", seconds)
        except Exception as error:
            shown = json.dumps(self.get("gro", name).get("status"), indent=1)
            raise AssertionError(f"{error}\n{shown}\n{self.operator.log(60)}") from error
        return found[-1]

    def until_said(self, name: str = "web") -> str:
        """Wait until the Rollout itself says whose answer it waits for, and until when; answers the question's name.

        Then people can answer, and nothing more is written of it until somebody does something.
        """
        body = self.until_rollout(lambda body: stands(body) == "Held" and "until" in body["status"], "held until then", name)
        return str(body["status"]["waitingFor"])

    # ---- words

    def yes(self, request: str, *people: str) -> None:
        """Approve it, as many as it takes."""
        for person in people or ("alice", "bob"):
            self.say(person, request, "approve")

    def as_operator(self, call: Call) -> Body:
        """A write with the operator's own token, as whoever stole it would make it."""
        return connection(self.operator.identity.kubeconfig).must(call)


def until_seen(admin: Api, gate: str) -> None:
    """Wait until the operator goes by a Gate as it is now: it judges it by the cache that it asks by."""

    def seen() -> bool:
        body = admin.must(Call(path(GROUP, "gates", None, gate), how="get"))
        return bool(body.get("status", {}).get("observedGeneration") == body["metadata"]["generation"])

    wait_until(seen, f"the operator has seen gate {gate}", PATIENCE)


def stands(body: Body) -> str:
    """The phase, empty while the newest spec was not looked at."""
    status = body.get("status", {})
    return str(status.get("phase", "")) if status.get("observedGeneration") == body["metadata"]["generation"] else ""


def last(body: Body) -> Body:
    """How the last run ended."""
    return dict(body.get("status", {}).get("lastRun", {}))


__all__ = ["TWENTY", "Shop", "condition", "last", "stands"]
