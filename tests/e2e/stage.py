"""The moves of a story: policies, held Jobs, requests, words of people; and waiting for what must come of it."""

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import urllib3

from controlplane import Cluster, kubernetes, wait_until
from playground import OperatorProcess, bind_people
from tests.e2e import unstamped
from tests.e2e.rights import until_people_are_bound
from tests.wall.api import Api, Call, path

Body = dict[str, Any]

GROUP: Final = "gatehold.dev/v1alpha1"
_PLURALS: Final = {
    "apr": (GROUP, "approvalrequests"),
    "job": ("batch/v1", "jobs"),
    "pods": ("v1", "pods"),
    "events": ("events.k8s.io/v1", "events"),
    "gro": (GROUP, "rollouts"),
    "deploy": ("apps/v1", "deployments"),
    "crev": ("apps/v1", "controllerrevisions"),
}
_NUMBERS = itertools.count()
STAMPED: Final = kubernetes() >= (1, 36)
"""Whether the API server turns words into verdicts and writes down who asks."""
PATIENCE: Final = 120
"""Seconds to wait for what must come: a machine that is busy for half a minute is no fault of what is awaited."""


@dataclass
class Stage:
    """One namespace with its people."""

    cluster: Cluster
    namespace: str
    operator: OperatorProcess

    # ---- objects

    def policy(self, name: str = "", **spec: Any) -> str:
        """Make a policy; two people of role sre and effect Release where nothing else is said."""
        name = name or f"prod-{self.namespace}"
        full = {
            "quorum": [{"role": "sre", "count": 2}],
            "effects": ["Release", "None"],
            "onUnknownRequester": "Allow",
            **spec,
        }
        full = {key: value for key, value in full.items() if value is not None}
        body = {"apiVersion": "gatehold.dev/v1alpha1", "kind": "ApprovalPolicy", "metadata": {"name": name}, "spec": full}
        self.apply(body)
        return name

    def job(self, name: str, policy: str, *, fake: str = "", user: str = "ci", **spec: Any) -> Body:
        """Create a held Job; `fake` says how its pods behave: runs, fails, or complete."""
        return self.create(self.job_body(name, policy, fake=fake, **spec), user=user)

    def job_body(self, name: str, policy: str, *, fake: str = "", **spec: Any) -> Body:
        """A held Job as `job` would create it."""
        labels = {"example.org/fake": fake} if fake else {}
        template = {
            "metadata": {"labels": labels},
            "spec": {
                "restartPolicy": "Never",
                "containers": [{"name": "main", "image": "example.org/tool:1", "command": [name]}],
            },
        }
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": name, "namespace": self.namespace, "labels": {"gatehold.dev/hold": policy}},
            "spec": {"suspend": True, "backoffLimit": 0, "template": template, **spec},
        }

    def request(
        self, name: str, policy: str, *, job: Body | None = None, undo: Body | None = None, user: str = "ci", **spec: Any
    ) -> Body:
        """Ask. With a Job: for its release."""
        return self.create(self.question(name, policy, job=job, undo=undo, **spec), user=user)

    def question(self, name: str, policy: str, *, job: Body | None = None, undo: Body | None = None, **spec: Any) -> Body:
        """A request as `request` would create it."""
        full: Body = {"policyRef": {"name": policy}, "summary": f"about {name}", **spec}
        if job is not None:
            meta = job["metadata"]
            full["subject"] = {"apiVersion": "batch/v1", "kind": "Job", "name": meta["name"], "uid": meta["uid"]}
            full.setdefault("effect", {"type": "Release"})
            if undo is not None:
                full["effect"] = {
                    "type": "Release",
                    "release": {
                        "undo": {"name": undo["metadata"]["name"], "uid": undo["metadata"]["uid"]},
                        **full["effect"].get("release", {}),
                    },
                }
        full.setdefault("subject", {"apiVersion": "v1", "kind": "ConfigMap", "name": name})
        meta = {"name": name, "namespace": self.namespace}
        return {"apiVersion": GROUP, "kind": "ApprovalRequest", "metadata": meta, "spec": full}

    def create(self, body: Body, *, user: str = "admin") -> Body:
        """kubectl create."""
        body = body if STAMPED else unstamped.signed(body, user)
        created: Body = json.loads(self.kubectl("create", "-o", "json", "-f", "-", user=user, stdin=json.dumps(body)))
        return created

    def apply(self, body: Body, *, user: str = "admin") -> None:
        """kubectl apply."""
        self.kubectl("apply", "-f", "-", user=user, stdin=json.dumps(body))

    def post(self, body: Body, *, user: str = "ci") -> Body:
        """Create a request or a Job by plain HTTP, where many are needed."""
        body = body if STAMPED else unstamped.signed(body, user)
        kind = "job" if body["kind"] == "Job" else "apr"
        return self.api(user).must(Call(self.path(kind), body, "post"))

    def get(self, kind: str, name: str) -> Body:
        """The object, as admin, by plain HTTP: polling must not take the machine away from what is polled."""
        found = self.find(kind, name)
        assert found is not None, f"there is no {kind} {name}"
        return found

    def find(self, kind: str, name: str) -> Body | None:
        """The object, or None where there is none."""
        return self.api().get(self.path(kind, name))

    def all(self, kind: str, **query: str) -> list[Body]:
        """All objects of a kind in this namespace."""
        return list(self.api().must(Call(self.path(kind), how="get"), **query)["items"])

    def pods_of(self, job: Body) -> list[Body]:
        """Every pod that this Job ever made; nobody collects them in a test."""
        return self.all("pods", labelSelector=f"batch.kubernetes.io/controller-uid={job['metadata']['uid']}")

    def path(self, kind: str, name: str = "") -> str:
        """The path of an object of this namespace, or of all of a kind."""
        return path(*_PLURALS[kind], self.namespace, name or None)

    def api(self, user: str = "admin") -> Api:
        """A person's own connection."""
        kubeconfig = self.cluster.environment(user)["KUBECONFIG"]
        return connection(Path(kubeconfig))

    # ---- words

    def say(self, user: str, name: str, word: str, comment: str = "because it is right", **more: str) -> None:
        """One person's word; raises KubectlError when it is refused."""
        if not STAMPED:
            more_words = [f"--{key}={value}" for key, value in more.items()]
            unstamped.say(self.cluster, self.namespace, user, word, name, f"--comment={comment}", *more_words)
            return
        extra = [f"gatehold.dev/{key}={value}" for key, value in more.items()]
        self.kubectl("annotate", f"apr/{name}", f"gatehold.dev/{word}={comment}", *extra, user=user)

    def word(self, user: str, name: str, word: str, comment: str = "because it is right", **more: str) -> tuple[bool, str]:
        """The same word by plain HTTP, for races: whether it was let in, and what the API server said."""
        notes = {f"gatehold.dev/{word}": comment, **{f"gatehold.dev/{key}": value for key, value in more.items()}}
        answer = self.api(user).send(Call(self.path("apr", name), {"metadata": {"annotations": notes}}))
        return answer.ok, answer.message

    # ---- waiting

    def until_phase(self, name: str, *phases: str, seconds: float = PATIENCE) -> Body:
        """Wait until the request is in one of these phases."""
        return self.until(name, lambda body: body.get("status", {}).get("phase") in phases, f"phase {phases}", seconds)

    def until_done(self, name: str, seconds: float = PATIENCE) -> Body:
        """Wait until nothing is left to watch."""
        return self.until(
            name, lambda body: body["metadata"].get("labels", {}).get("gatehold.dev/done") == "true", "label done", seconds
        )

    def until_prepared(self, name: str, seconds: float = PATIENCE) -> Body:
        """Wait until people can answer."""
        return self.until(name, lambda body: "requestDigest" in body.get("status", {}), "a digest", seconds)

    def until_held(self, name: str, reason: str, seconds: float = PATIENCE) -> Body:
        """Wait until the request is held for this reason."""
        return self.until(name, lambda body: condition(body, "Held") == ("True", reason), f"Held/{reason}", seconds)

    def until_placed(self, job: Body, seconds: float = PATIENCE) -> None:
        """Wait until the pod of a Job of one has its node: a pod that has none does not end slowly, it is gone at once."""
        what = f"the pod of {job['metadata']['name']} has its node"
        wait_until(lambda: [bool(pod["spec"].get("nodeName")) for pod in self.pods_of(job)] == [True], what, seconds)

    def until_gone(self, kind: str, name: str, seconds: float = PATIENCE) -> None:
        """Wait until the object is not there any more."""
        wait_until(lambda: self.find(kind, name) is None, f"{kind} {name} is gone", seconds)

    def until_unguarded(self, name: str, seconds: float = PATIENCE) -> None:
        """Wait until the API server, too, has taken up that the wall is open: it loads policies once a second."""
        forged = {"metadata": {"annotations": {"verdict.gatehold.dev/999": "junk"}}}
        call = Call(self.path("apr", name), forged, query={"dryRun": "All"})
        wait_until(lambda: self.api().send(call).ok, f"a forgery on {name} gets in", seconds)

    def until(
        self, name: str, holds: Callable[[Body], object], what: str, seconds: float = PATIENCE, kind: str = "apr"
    ) -> Body:
        """Wait until something holds for an object; the failure shows the object and the operator's log."""
        last: Body = {}

        def look() -> bool:
            try:
                found = self.get(kind, name)
            except urllib3.exceptions.HTTPError:  # the API server is away: some tests see to that
                return False
            last.clear()
            last.update(found)
            try:
                return bool(holds(last))
            except LookupError:  # what is asked about does not stand there yet
                return False

        try:
            wait_until(look, f"{kind} {name}: {what}", seconds)
        except Exception as error:
            shown = json.dumps(last.get("status"), indent=1)
            raise AssertionError(f"{error}\n{shown}\n{self.operator.log(40)}") from error
        return last

    def events(self, name: str) -> list[tuple[str, str]]:
        """Reason and type of the Events about a request."""
        return [(e["reason"], e["type"]) for e in self.all("events") if e["regarding"]["name"] == name]

    def until_told(self, name: str, *reasons: str, seconds: float = PATIENCE) -> list[str]:
        """Wait until Events tell all of these; answers every reason told. Events follow the status, they do not lead it."""

        def told() -> bool:
            return set(reasons) <= {reason for reason, _ in self.events(name)}

        wait_until(told, f"Events {reasons} about {name}", seconds)
        return [reason for reason, _ in self.events(name)]

    def kubectl(self, *args: str, user: str = "admin", stdin: str = "") -> str:
        """kubectl in this namespace; raises KubectlError."""
        return self.cluster.kubectl("-n", self.namespace, *args, user=user, stdin=stdin).stdout


def new_stage(cluster: Cluster, operator: OperatorProcess, *, pods: bool = True) -> Stage:
    """A namespace of its own, with its people, whose rights are in force. Without controllers, no `pods` can be made."""
    namespace = f"t{next(_NUMBERS)}"
    bind_people(cluster, namespace)
    until_people_are_bound(connection(cluster.admin_kubeconfig), namespace, controllers=pods)
    stage, account = Stage(cluster, namespace, operator), path("v1", "serviceaccounts", namespace, "default")
    if pods:
        wait_until(lambda: stage.api().get(account) is not None, "pods can be made there", PATIENCE)
    return stage


def condition(body: Body, kind: str) -> tuple[str, str]:
    """Status and reason of a condition; empty where it is not stated."""
    for entry in body.get("status", {}).get("conditions", []):
        if entry["type"] == kind:
            return entry["status"], entry["reason"]
    return "", ""


def message(body: Body, kind: str) -> str:
    """The sentence of a condition; empty where it is not stated."""
    found = [c["message"] for c in body.get("status", {}).get("conditions", []) if c["type"] == kind]
    return str(found[0]) if found else ""


def failure(body: Body) -> str:
    """The reason of the decision that ended a request."""
    return str(body["status"].get("decision", {}).get("reason", ""))


@cache
def connection(kubeconfig: Path) -> Api:
    """One connection pool a person: a handshake for each call would be the dearest part of it."""
    return Api.of(kubeconfig)
