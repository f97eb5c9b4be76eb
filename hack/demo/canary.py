"""The canary's chapters: promoted by people, taken back by time, taken back because its pods crash."""

import json
from collections.abc import Callable
from typing import Final

from demo.objects import Body
from demo.story import NAMESPACE, Teller

POLICY: Final[Body] = {
    "apiVersion": "gatehold.dev/v1alpha1",
    "kind": "ApprovalPolicy",
    "metadata": {"name": "prod-web"},
    "spec": {
        "quorum": [{"role": "sre", "count": 2}],
        "effects": ["Promote"],
        "timeoutSeconds": {"default": 3600, "max": 86400},
    },
}
GATE: Final[Body] = {
    "apiVersion": "gatehold.dev/v1alpha1",
    "kind": "Gate",
    "metadata": {"name": "web"},
    "spec": {"type": "Rollouts", "policyRef": {"name": "prod-web"}, "rollouts": {"maxWeightBeforeApproval": 20}},
}


PAUSE: Final[Body] = {"pause": {"durationSeconds": 3}}


def web(version: str, *, fake: str = "", timeout: int | None = None) -> Body:
    """The web service as it stands in Git. `fake`: how its pods behave; `timeout`: seconds to answer."""
    ask: Body = {"policyRef": {"name": "prod-web"}} | ({"timeoutSeconds": timeout} if timeout else {})
    labels = {"app": "web"} | ({"example.org/fake": fake} if fake else {})
    container = {"name": "web", "image": f"registry.example.org/shop/web:{version}"}
    return {
        "apiVersion": "gatehold.dev/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": "web", "namespace": NAMESPACE},
        "spec": {
            "replicas": 5,
            "selector": {"matchLabels": {"app": "web"}},
            "progressDeadlineSeconds": 8 if fake else 120,
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            "strategy": {"canary": {"steps": [{"setWeight": 20}, {"approval": ask}, {"setWeight": 60}, PAUSE]}},
        },
    }


def promoted(tell: Teller) -> None:
    """A web service runs; its next version is held at 20 % until two people approve it."""
    tell.chapter("1. A canary, held at 20 % until two people approve it")
    tell.say("A web service runs five pods. The platform puts its namespace behind a Gate: nothing new passes there alone.")
    apply(tell, web("1"), "# replicas: 5; steps: setWeight 20, approval, setWeight 60, pause")
    tell.until("version 1 runs", "gro", "web", phase_is("Healthy"))
    tell.run("admin", "label", "namespace", NAMESPACE, "gatehold.dev/rollouts=web")
    tell.say("The pipeline applies version 2. One pod of it comes up beside the five, and there it waits.")
    apply(tell, web("2"), "# image: shop/web:2")
    request = asked(tell)
    tell.run("ci", "get", "gro,deploy")
    tell.say("Whoever changed it cannot let it pass, and its Deployments are not a way round.")
    tell.run("ci", "scale", "deploy/web-canary", "--replicas=5")
    tell.gatehold("alice", "rollout", "show", "web")
    tell.say("The pipeline waits. Two reviewers look at it and decide; the rest goes by itself.")
    with tell.following("ci", "rollout", "watch", "web"):
        tell.run("alice", "annotate", f"apr/{request}", "gatehold.dev/approve=error rate is flat, go")
        tell.run("bob", "annotate", f"apr/{request}", "gatehold.dev/approve=latency is fine")
    tell.run("ci", "get", "gro,apr")


def left_alone(tell: Teller) -> None:
    """Nobody answers: time takes the canary back."""
    tell.chapter("2. The next version is left alone, and time takes it back")
    apply(tell, web("3", timeout=15), "# image: shop/web:3; this time people have 15 seconds")
    asked(tell)
    tell.follow("ci", "rollout", "watch", "web")
    tell.run("ci", "get", "gro,deploy")
    tell.say("Git still holds what was turned down, so the Rollout is red on purpose, and what runs is version 2:")
    tell.run("ci", "get", "deploy", "web-stable", "-o=jsonpath={.spec.template.spec.containers[0].image}")


def crashing(tell: Teller) -> None:
    """Pods that crash are taken back before anybody is asked."""
    tell.chapter("3. A version whose pods crash is taken back before anybody is asked")
    before = requests(tell)
    apply(tell, web("4", fake="crashloop"), "# image: shop/web:4; its pods crash; progressDeadlineSeconds: 8")
    tell.until("its pods crash", "gro", "web", lambda body: is_at(body, 20) or ended(body, "Failed"))  # it may be quick
    tell.follow("ci", "rollout", "watch", "web")
    tell.gatehold("alice", "rollout", "show", "web")
    tell.say(f"Nobody was disturbed: {requests(tell) - before} requests were opened for it.")


def apply(tell: Teller, body: Body, note: str) -> None:
    """The pipeline applies the manifest."""
    tell.run("ci", "apply", "-f", "-", stdin=json.dumps(body), show=f"apply -f web.yaml    {note}")


def asked(tell: Teller) -> str:
    """Wait until people can answer; answers the request's name."""
    held = tell.until("its canary is ready, and people are asked", "gro", "web", is_asking)
    name = str(held["status"]["waitingFor"])
    tell.until("the question is ready", "apr", name, lambda body: "requestDigest" in body.get("status", {}))
    return name


def requests(tell: Teller) -> int:
    """How many requests there are about it."""
    found = tell.cluster.kubectl("-n", NAMESPACE, "get", "apr", "-l", "gatehold.dev/rollout=web", "-o", "name").stdout
    return len(found.splitlines())


def is_asking(body: Body) -> bool:
    """Whether a request about the newest spec is open."""
    return bool(phase_is("Held")(body) and body["status"].get("waitingFor", "").startswith("web-"))


def is_at(body: Body, weight: int) -> bool:
    """Whether a canary stands there."""
    return bool(body["status"].get("run", {}).get("weight") == weight)


def ended(body: Body, outcome: str) -> bool:
    """Whether the last canary ended so."""
    return bool(body["status"].get("lastRun", {}).get("outcome") == outcome)


def phase_is(phase: str) -> Callable[[Body], bool]:
    """Whether a Rollout stands there, with its newest spec looked at."""

    def holds(body: Body) -> bool:
        status = body.get("status", {})
        return bool(status.get("phase") == phase and status.get("observedGeneration") == body["metadata"]["generation"])

    return holds
