"""May these nodes be drained, before anybody is asked; and are they still what was asked about. Called by drain only."""

from collections.abc import Callable, Iterator

from gatehold.domain.effects.base import Ending
from gatehold.domain.effects.drain_pods import missing_consent, needs
from gatehold.domain.model import DrainSpec
from gatehold.domain.nodes import DrainFacts, LeaseFacts, NodeFacts
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Finding, Observed
from gatehold.domain.reasons import Reason
from gatehold.domain.status import By, ResolvedNode

MOST_NODES = 256
_NAMED = 3
Check = Callable[[Observed, DrainSpec, DrainFacts], Finding | None]


def check(observed: Observed) -> Finding | None:
    """The first thing that is wrong with a drain, or None."""
    spec, drain = observed.request.effect.drain, observed.facts.drain
    if spec is None:
        return Finding(Reason.INVALID_REQUEST, "the request does not say what to drain")
    if drain is None:
        return Finding(Reason.SUBJECT_NOT_FOUND, "the nodes could not be read")
    return next((found for one in CHECKS if (found := one(observed, spec, drain)) is not None), None)


def _are_there(observed: Observed, spec: DrainSpec, drain: DrainFacts) -> Finding | None:
    if drain.too_many:
        text = f"the selector finds more than {MOST_NODES} nodes; ask for them in parts"
        return Finding(Reason.INVALID_REQUEST, text)
    there = {node.name: node for node in drain.nodes if not node.deleting}
    for wanted in spec.nodes:
        node = there.get(wanted.name)
        if node is None:
            return Finding(Reason.SUBJECT_NOT_FOUND, f"there is no node {wanted.name}")
        if wanted.uid not in ("", node.uid):
            text = f"node {node.name} has uid {node.uid}, the request is about {wanted.uid}"
            return Finding(Reason.SUBJECT_CHANGED, text)
    if not there:
        return Finding(Reason.SUBJECT_NOT_FOUND, "no node carries these labels")
    return None


def _are_asked_rightly(observed: Observed, spec: DrainSpec, drain: DrainFacts) -> Finding | None:
    return next((found for node in drain.nodes if (found := _asked_rightly(node, observed, drain)) is not None), None)


def _asked_rightly(node: NodeFacts, observed: Observed, drain: DrainFacts) -> Finding | None:
    """Policy and namespace are the node's choice, through its Gate, and not the requester's."""
    policy, namespace, whose = drain.policy, drain.namespace, "no gate"
    if node.gate is not None:
        gate = node.gate.drains
        if gate is None:
            text = f"node {node.name} names Gate {node.gate.name}: {node.gate.why}"
            return Finding(Reason.GATE_NOT_FOUND, text[:1024])
        policy, namespace, whose = gate.policy, gate.namespace or drain.namespace, f"gate {gate.name}"
    if not policy:
        text = f"node {node.name} is behind no gate, and no policy is configured for drains of such nodes"
        return Finding(Reason.POLICY_MISMATCH, text)
    if (policy, namespace) == (observed.request.policy, observed.request.namespace):
        return None
    text = f"node {node.name} is behind {whose}: its drain is asked for under policy {policy} in namespace {namespace}"
    return Finding(Reason.POLICY_MISMATCH, text)


def _are_free(observed: Observed, spec: DrainSpec, drain: DrainFacts) -> Finding | None:
    held = (lease for lease in drain.leases if lease.holder != observed.request.uid)
    return next((taken(lease) for lease in held), None)


def taken(lease: LeaseFacts) -> Finding:
    """Somebody else's maintenance runs on that node."""
    whose = f"request {lease.request or lease.holder}"
    end = f"when that is over: kubectl gatehold uncordon {lease.node}"
    return Finding(Reason.SUBJECT_TAKEN, f"node {lease.node} is under maintenance of {whose}; {end}")


def _lose_nothing_unsaid(observed: Observed, spec: DrainSpec, drain: DrainFacts) -> Finding | None:
    unread = next((node.name for node in drain.nodes if node.pods is None), "")
    if unread:
        return Finding(Reason.SUBJECT_NOT_FOUND, f"the pods of node {unread} could not be read")
    found = list(_in_the_way(spec, drain))
    if not found:
        return None
    more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return Finding(Reason.PODS_IN_THE_WAY, f"{'; '.join(found[:_NAMED])}{more}"[:1024])


def _in_the_way(spec: DrainSpec, drain: DrainFacts) -> Iterator[str]:
    for node in drain.nodes:
        for pod in node.pods or ():
            field = missing_consent(pod, spec)
            if field:
                yield f"node {node.name}: {needs(pod, field)}"


CHECKS: tuple[Check, ...] = (
    _are_there,
    _are_asked_rightly,  # before the pods: who asks at the wrong place is told nothing of them
    _are_free,
    _lose_nothing_unsaid,
)


def drift(resolved: ResolvedNode, node: NodeFacts | None) -> Ending | None:
    """How a node that was not touched yet differs from what was asked about, as an ending."""
    lost = loss(resolved.name, resolved.uid, node)
    if lost is not None or node is None:
        return lost
    gate = node.gate.name if node.gate is not None else ""
    if gate != resolved.gate:
        was, now = resolved.gate or "no gate", gate or "no gate"
        return superseded(
            Reason.SUBJECT_CHANGED, f"node {node.name} is behind {now} by now, and was behind {was} when asked"
        )
    return None


def loss(name: str, uid: str, node: NodeFacts | None) -> Ending | None:
    """Whether the node that is meant is gone, as an ending."""
    if node is None or (node.deleting and node.uid == uid):
        return superseded(Reason.SUBJECT_DELETED, f"node {name} was deleted")
    if node.uid != uid:
        return superseded(Reason.SUBJECT_CHANGED, f"node {name} was replaced by another of the same name")
    return None


def superseded(reason: Reason, text: str) -> Ending:
    """The end of a question whose subject is no longer what it is about."""
    return Ending(Phase.SUPERSEDED, By.OPERATOR, Finding(reason, text))
