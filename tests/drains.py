"""Builders of what concerns drains: the requests, nodes n1, n2, ... with their pods, Leases and Gates.

As in `builders`: a good value by default, and the one thing that the test is about by name. A node has uid n1-uid; what this
request has cordoned is `cordoned`. The held drain is alice's, on n1, behind gate gpu.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from gatehold.domain.model import DrainGate, DrainMode, DrainSpec, Effect, EffectType, NodeRef, Request, Requester, Subject
from gatehold.domain.nodes import Block, Blocked, BudgetFacts, DrainFacts, GateOfNode, LeaseFacts, NodeFacts, PodToEvict
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Facts, Observed
from gatehold.domain.status import (
    EffectState,
    EffectStatus,
    NodeDrain,
    NodeState,
    ObjectRef,
    Progress,
    Resolved,
    ResolvedNode,
    Status,
)
from tests.builders import UID, after, approved, ended, observed, pending, policy, request

MARK = "ops/web-3"
GPU = GateOfNode("gpu", DrainGate("gpu", "prod", DrainMode.HOLD))
TAINT = "node.kubernetes.io/unschedulable=:NoSchedule"
BUDGET = BudgetFacts("shop", "web", 1, 2, 3, 3)
POLICY = policy(effects=(EffectType.DRAIN, EffectType.RELEASE))


# ---- what is there
def pod(name: str = "web-1", node: str = "n1", **changes: Any) -> PodToEvict:
    """A pod of Deployment shop/web that may go."""
    return replace(PodToEvict("shop", name, f"{name}-uid", node, owner="Deployment shop/web"), **changes)


def blocked(kind: Block = Block.BUDGET, by: str = "budget shop/web", again_at: datetime | None = None) -> Blocked:
    """The answer to an eviction that was tried a moment ago, to be tried again in 5 s."""
    return Blocked(kind, by, after(-1), again_at or after(5))


def node(name: str = "n1", *pods: PodToEvict, **changes: Any) -> NodeFacts:
    """An open node without a Gate, with these pods."""
    return replace(NodeFacts(name, f"{name}-uid", "10", pods=pods), **changes)


def cordoned(name: str = "n1", *pods: PodToEvict, **changes: Any) -> NodeFacts:
    """The same as our cordon leaves it."""
    base = {"unschedulable": True, "released_by": UID, "request": MARK, "resource_version": "11", "taints": (TAINT,)}
    return node(name, *pods, **base | changes)


def lease(name: str = "n1", holder: str = UID, **changes: Any) -> LeaseFacts:
    """The Lease of a node, held by this request."""
    return replace(LeaseFacts(name, f"{name}-uid", holder, MARK if holder == UID else "ops/other"), **changes)


def there(*nodes: NodeFacts, leases: tuple[LeaseFacts, ...] = (), **changes: Any) -> Facts:
    """Those nodes and Leases, and nodes without a Gate drained under policy prod in namespace ops."""
    return Facts(drain=replace(DrainFacts(nodes, leases, "prod", "ops"), **changes))


# ---- a drain
def drain_request(*names: str, spec: DrainSpec | None = None, **changes: Any) -> Request:
    """The question whether these nodes may be drained; n1 unless told otherwise."""
    given = spec or DrainSpec(nodes=tuple(NodeRef(name) for name in names or ("n1",)))
    effect = Effect(EffectType.DRAIN, timeout_seconds=600, drain=given)
    return request(**{"namespace": "ops", "subject": None, "effect": effect} | changes)


def shown(*names: str, gate: str = "") -> Resolved:
    """What was resolved of these nodes."""
    return Resolved(nodes=tuple(ResolvedNode(name, f"{name}-uid", gate) for name in names or ("n1",)))


def row(name: str = "n1", state: NodeState = NodeState.WAITING, **changes: Any) -> NodeDrain:
    """The record of a node, open before."""
    return replace(NodeDrain(name, f"{name}-uid", state), **changes)


def record(*rows: NodeDrain, **changes: Any) -> EffectStatus:
    """The record of a drain: waiting while all its nodes wait, else begun half a minute ago, figures written just now."""
    rows = rows or (row(),)
    if all(one.state is NodeState.WAITING for one in rows):
        return replace(EffectStatus(EffectType.DRAIN, EffectState.WAITING, nodes=rows), **changes)
    base = EffectStatus(EffectType.DRAIN, EffectState.RUNNING, started_at=after(-30), nodes=rows)
    return replace(base, **{"progress": Progress(after(-1))} | changes)


def asked(*names: str, **changes: Any) -> Status:
    """People were asked a minute ago about the drain of these nodes."""
    return pending(**{"resolved": shown(*names)} | changes)


def going(*rows: NodeDrain, **changes: Any) -> Status:
    """Approved, with that record."""
    rows = rows or (row(),)
    return approved(**{"resolved": shown(*(one.name for one in rows)), "effect": record(*rows)} | changes)


def stopped(*rows: NodeDrain, phase: Phase = Phase.DENIED, **changes: Any) -> Status:
    """Ended with that record, by a denial of bob where nothing else is said; not yet undone."""
    rows = rows or (row(),)
    return ended(phase, **{"resolved": shown(*(one.name for one in rows)), "effect": record(*rows)} | changes)


def drain_observed(status: Status | None = None, found: Facts | None = None, **changes: Any) -> Observed:
    """What a healthy cluster shows about the drain of the recorded nodes, or of n1."""
    effect = status.effect if status is not None else None
    names = [one.name for one in (effect.nodes if effect is not None else ())] or ["n1"]
    base = {"request": drain_request(*names), "facts": found or there(*(node(name, pod(node=name)) for name in names))}
    return observed(status, **base | {"resolved": shown(*names), "policy": POLICY} | changes)


# ---- a held drain
def held_request(**changes: Any) -> Request:
    """The operator's question whether alice may drain n1, for gate gpu."""
    subject = Subject("v1", "Node", "", "n1", "n1-uid")
    base = {"namespace": "ops", "subject": subject, "effect": Effect(EffectType.RELEASE), "gate": "gpu"}
    return request(**base | {"requester": Requester("alice")} | changes)


def closed(*pods: PodToEvict, **changes: Any) -> NodeFacts:
    """Node n1 as alice cordoned it."""
    base = {"unschedulable": True, "cordoned_by": "alice", "gate": GPU, "taints": (TAINT,)}
    return node("n1", *pods, **base | changes)


def held_record(state: EffectState = EffectState.RUNNING, **changes: Any) -> EffectStatus:
    """The record of a held drain that was let go, with two pods to go."""
    entry = row(state=NodeState.DRAINING, was_unschedulable=True, taints=(TAINT,), pods=2, pods_left=2)
    ref = ObjectRef("v1", "Node", "n1", "n1-uid", "10")
    base = EffectStatus(EffectType.RELEASE, state, ref, started_at=after(-40), nodes=(entry,))
    return replace(base, **{"progress": Progress(after(-1), active=2)} | changes)


def let_go(**changes: Any) -> Status:
    """Approved: the evictions of alice on n1 pass."""
    return approved(**{"resolved": None, "effect": held_record()} | changes)


def held_observed(status: Status | None = None, found: NodeFacts | None = None, **changes: Any) -> Observed:
    """What a healthy cluster shows about alice's drain of n1."""
    facts = Facts(node=found if found is not None else closed(pod("web-1"), pod("web-2")))
    base = {"request": held_request(), "facts": facts, "resolved": Resolved(), "policy": POLICY}
    return observed(status, **base | changes)
