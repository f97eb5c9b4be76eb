"""The table of the stories of drains, and the moves that they are made of. See `tests.faults.drain_story`."""

from collections.abc import Callable
from typing import Final

from controlplane import wait_until
from tests.e2e.stage import GROUP, Body
from tests.faults.drain_story import NODES, UNSCHEDULABLE, DrainLife, DrainStory, Left
from tests.faults.stories import ASKED, DONE, prepared, say, until_known
from tests.faults.story import Life, Step
from tests.wall.api import Call, path

# ---- settings


def two_nodes(*, cordoned: str = "", **drain: object) -> Callable[[DrainLife], None]:
    """Two nodes behind a Gate with a pod each, and the question whether they may be drained, one after the other."""

    def make(life: DrainLife) -> None:
        gate = _gate(life)
        for key in NODES:
            _make(life, path("v1", "nodes"), _node(life, key, gate, cordoned=key in cordoned))
            _make(life, life.stage.path("pods"), _pod(life, key))
        for key in NODES:
            _until_tainted(life, key, cordoned=key in cordoned)
        names = [{"name": f"{life.name}-{key}"} for key in NODES]
        effect = {"type": "Drain", "drain": {"nodes": names, "evictUnmanagedPods": True, **drain}}
        body = life.stage.question(life.name, f"{life.stage.namespace}-drains", effect=effect)
        del body["spec"]["subject"]
        life.stage.post(body, user="admin")

    return make


def _gate(life: Life) -> str:
    """A Gate and its policy, which the operator knows: what it does not know fails. All lives of a namespace share them."""
    namespace = life.stage.namespace
    policy, gate = f"{namespace}-drains", f"{namespace}-gate"
    spec: Body = {"quorum": [{"role": "sre"}], "effects": ["Drain", "Release"], "onUnknownRequester": "Allow"}
    kinds = (("approvalpolicies", "ApprovalPolicy", policy, spec),)
    gates = {"type": "Drains", "policyRef": {"name": policy}, "drains": {"namespace": namespace}}
    for plural, kind, name, content in (*kinds, ("gates", "Gate", gate, gates)):
        _make(life, path(GROUP, plural), {"apiVersion": GROUP, "kind": kind, "metadata": {"name": name}, "spec": content})
        until_known(life, plural, name)
    return gate


def _node(life: Life, key: str, gate: str, *, cordoned: bool) -> Body:
    labels = {"gatehold.dev/drain": gate}
    meta = {"name": f"{life.name}-{key}", "labels": labels}
    return {"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": {"unschedulable": True} if cordoned else {}}


def _pod(life: Life, key: str) -> Body:
    spec = {
        "nodeName": f"{life.name}-{key}",
        "tolerations": [{"operator": "Exists"}],
        "terminationGracePeriodSeconds": 3600,
        "containers": [{"name": "main", "image": "example.org/tool:1"}],
    }
    meta = {"name": f"{life.name}-{key}-pod", "namespace": life.stage.namespace}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}


def _make(life: Life, where: str, body: Body) -> None:
    answer = life.stage.api().send(Call(where, body, "post"))
    assert answer.ok or answer.code == 409, answer.message


def _until_tainted(life: DrainLife, key: str, *, cordoned: bool) -> None:
    """The node controller has had its say on a new node: a taint that comes later is recorded by a write more."""
    wanted = {UNSCHEDULABLE} if cordoned else set()

    def settled() -> bool:
        return {taint["key"] for taint in life.node(key)["spec"].get("taints", [])} == wanted

    wait_until(settled, f"the taints of {life.name}-{key}", 120)


# ---- what people wait for, and what happens


def drains(key: str) -> Callable[[DrainLife], bool]:
    """The record says that the node is being drained, and its pod was told to end."""
    return lambda life: life.state(key) == "Draining" and all(_leaves(pod) for pod in life.pods(key))


def goes(key: str) -> Callable[[DrainLife], bool]:
    """The pod of a node ends at last."""

    def act(life: DrainLife) -> bool:
        for pod in life.pods(key):
            life.stage.api().send(Call(life.pod_path(pod), {"gracePeriodSeconds": 0}, "delete"))
        return not life.pods(key)

    return act


def _leaves(pod: Body) -> bool:
    return "deletionTimestamp" in pod["metadata"]


# ---- the table

APPROVE: Final = Step("alice approves", prepared, say("alice", "approve", "go"))
A_GOES: Final = Step("the pod of a ends", drains("a"), goes("a"))
B_GOES: Final = Step("the pod of b ends", drains("b"), goes("b"))
DENY: Final = Step("bob denies while b is drained", drains("b"), say("bob", "deny", "not during the sale"))
BACK: Final = Step("the requester takes it back while a is drained", drains("a"), say("admin", "withdraw", "wrong nodes"))

BEGUN: Final = (
    *ASKED,
    "request: approvalrequests/status Approved",
    "lease-a: leases post",
    "a: nodes annotations unschedulable",
    "request: approvalrequests/status nodes Draining Waiting",
    "a-pod: pods/eviction post",
)
ON_B: Final = (
    "request: approvalrequests/status nodes Drained Waiting",
    "lease-b: leases post",
    "b: nodes annotations unschedulable",
    "request: approvalrequests/status nodes Drained Draining",
    "b-pod: pods/eviction post",
)
BEGUN_TOLD: Final = ("Waiting", "VerdictRecorded", "Approved", "EffectStarted")

DRAIN: Final = DrainStory(
    "drain",
    two_nodes(),
    (APPROVE, A_GOES, B_GOES),
    "Released",
    told=(*BEGUN_TOLD, "NodeDrained", "NodeDrained", "Released"),
    jobs={},
    writes=(*BEGUN, *ON_B, "request: approvalrequests/status Released", *DONE),
    nodes={key: Left(cordoned=True, leased=True) for key in NODES},
)
DENIAL: Final = DrainStory(
    "drain-denied",
    two_nodes(),
    (APPROVE, A_GOES, DENY),
    "Denied",
    told=(
        *BEGUN_TOLD,
        "NodeDrained",
        "VerdictRecorded",
        "Denied",
        "NodeUncordoned",
        "RolledBack",
    ),
    jobs={},
    writes=(
        *BEGUN,
        *ON_B,
        "request: approvalrequests/status Denied",
        "b: nodes annotations unschedulable",
        "request: approvalrequests/status nodes Drained Uncordoned",
        "lease-b: leases delete",
        "request: approvalrequests/status effect Undone",
        *DONE,
    ),
    known=(*BEGUN, *ON_B, *(f"request: events {reason}" for reason in (*BEGUN_TOLD, "NodeDrained"))),
    nodes={"a": Left(cordoned=True, leased=True), "b": Left(cordoned=False, pods=1)},
)
WITHDRAWAL: Final = DrainStory(
    "drain-withdrawn",
    two_nodes(cordoned="a"),
    (APPROVE, BACK),
    "Withdrawn",
    told=(
        *BEGUN_TOLD,
        "VerdictRecorded",
        "Withdrawn",
        "NodeUncordoned",
        "RolledBack",
    ),
    jobs={},
    writes=(
        *BEGUN,
        "request: approvalrequests/status Withdrawn",
        "a: nodes annotations",
        "b: nodes annotations",
        "request: approvalrequests/status nodes Uncordoned Waiting",
        "lease-a: leases delete",
        "request: approvalrequests/status effect Undone",
        "b: nodes annotations",
        *DONE,
    ),
    known=(*BEGUN, *(f"request: events {reason}" for reason in BEGUN_TOLD)),
    nodes={"a": Left(cordoned=True, pods=1), "b": Left(cordoned=False, pods=1)},
)
STORIES: Final = (DRAIN, DENIAL, WITHDRAWAL)
