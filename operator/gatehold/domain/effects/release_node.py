"""Effect Release for a Node: a held `kubectl drain` may go on. The webhook lets the evictions pass while this is Approved.

Approved is the release by itself, so nothing is written to the node then. Refused, the node is uncordoned if the person who
asked had cordoned it, and that person waits for the cool-down to be over.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from gatehold.domain.effects.base import Ending, Step, Undo, concluded
from gatehold.domain.effects.drain_checks import loss, superseded
from gatehold.domain.effects.drain_pods import is_evictable
from gatehold.domain.effects.drain_rows import UNSCHEDULABLE_TAINT, refreshed, with_prior
from gatehold.domain.model import DrainGate, GateType, Request
from gatehold.domain.nodes import NodeFacts, UncordonNode
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Finding, Observed, Write
from gatehold.domain.reasons import Reason
from gatehold.domain.schedule import whole
from gatehold.domain.status import By, EffectState, EffectStatus, NodeDrain, NodeState, ObjectRef, Status

API_VERSION, KIND = "v1", "Node"
LOOK = timedelta(seconds=2)
"""How often an approved node is looked at: nobody else says when its pods are gone."""

SHORTEST = 15
"""Seconds that a refused drain stays refused at least: kubectl tries again every 5 s, and finds the node uncordoned then."""


class ReleaseNodeRules:
    """The rules of effect Release on Nodes."""

    gate = GateType.DRAINS
    proven_with_yes = False

    def supports(self, request: Request) -> bool:
        """Nodes only."""
        subject = request.subject
        return subject is not None and (subject.api_version, subject.kind, subject.namespace) == (API_VERSION, KIND, "")

    def check(self, observed: Observed) -> Finding | None:
        """Only the operator asks, for a Gate, under the policy and in the namespace that this Gate names."""
        request, node = observed.request, observed.facts.node
        if not request.gate:
            return _not_a_gates()
        if node is None:
            return Finding(Reason.SUBJECT_NOT_FOUND, f"there is no node {_name(request)}")
        gate = node.gate.drains if node.gate is not None else None
        if gate is None:
            why = node.gate.why if node.gate is not None else "node has no label gatehold.dev/drain"
            return Finding(Reason.GATE_NOT_FOUND, f"Gate {request.gate}: {why}"[:1024])
        if gate.policy != request.policy or gate.namespace not in ("", request.namespace):
            text = (
                f"gate {gate.name} asks under policy {gate.policy} in namespace {gate.namespace or request.namespace} by now"
            )
            return Finding(Reason.POLICY_MISMATCH, text)
        return None

    def verify(self, observed: Observed, status: Status) -> Ending | None:
        """The node must be the same one, cordoned, and behind the Gate that asks."""
        request, node = observed.request, observed.facts.node
        if not request.gate:  # it must not have come this far; before anybody is asked, `check` says so
            return Ending(Phase.FAILED, By.OPERATOR, _not_a_gates()) if status.request_digest else None
        lost = loss(_name(request), request.subject.uid if request.subject is not None else "", node)
        if lost is not None or node is None:
            return lost
        if not node.unschedulable:
            return superseded(Reason.SUBJECT_CHANGED, f"node {node.name} is not cordoned any more")
        gate = node.gate.name if node.gate is not None else ""
        if gate != request.gate:
            by_now = f"gate {gate}" if gate else "no gate"
            text = f"node {node.name} is behind {by_now} by now, and gate {request.gate} had asked"
            return superseded(Reason.SUBJECT_CHANGED, text)
        return None

    def begun(self, observed: Observed) -> bool:
        """It is begun in the status that approves it, or not at all."""
        return False

    def begin(self, observed: Observed, status: Status) -> EffectStatus | None:
        """Running from the status on that approves it."""
        node = observed.facts.node
        if node is None:
            return None
        row = with_prior(NodeDrain(node.name, node.uid, NodeState.DRAINING), node)
        started = status.decision.at if status.decision is not None else None
        return replace(_record(observed, node), state=EffectState.RUNNING, started_at=started, nodes=(row,))

    def plan(self, observed: Observed, status: Status, now: datetime) -> Step:
        """Look until the node is empty, or the time in which it may be drained is over."""
        effect, node = status.effect, observed.facts.node
        if effect is None or not effect.nodes:
            finding = Finding(Reason.INVALID_REQUEST, "no prior state is recorded, so nothing may be begun")
            return Step(effect, ending=Ending(Phase.FAILED, By.OPERATOR, finding))
        ending = self.verify(observed, status)
        if ending is not None or node is None:
            return Step(effect, ending=ending)
        row = _seen(effect.nodes[0], node)
        if row.state is NodeState.DRAINED:
            return _drained(effect, row, now)
        if status.valid_until is None or now >= status.valid_until:
            return Step(replace(effect, nodes=(row,)), ending=_too_late(row))
        effect = refreshed(effect, (row,), now, every=observed.rules.progress_seconds, at_once=False)
        return Step(effect, recheck_at=min(now + LOOK, status.valid_until))

    def undo(self, observed: Observed, status: Status, now: datetime) -> Undo:
        """Uncordon what the person who asked had cordoned."""
        effect = _cooling(observed, status)
        if status.phase is Phase.SUPERSEDED:
            return concluded(effect, Reason.NOTHING_TO_UNDO, "the question does not stand any more", now)
        why = _not_to_be_uncordoned(observed)
        node = observed.facts.node
        if node is not None and not why:
            effect = replace(effect or _record(observed, node), state=EffectState.UNDOING)
            taint = any(taint.startswith(UNSCHEDULABLE_TAINT) for taint in node.taints)
            finding = Finding(Reason.UNDOING, f"uncordoning node {node.name}")
            return Undo(effect, finding, writes=(UncordonNode(node, uncordon=True, drop_taint=taint),))
        if node is not None and effect is not None and effect.state is EffectState.UNDOING and not node.unschedulable:
            rows = tuple(replace(row, state=NodeState.UNCORDONED) for row in effect.nodes)
            text = f"node {node.name} is uncordoned; evicted pods do not come back by themselves"
            return concluded(replace(effect, nodes=rows), Reason.UNDO_COMPLETED, text, now)
        return concluded(effect, Reason.NOTHING_TO_UNDO, why, now)

    def settle(self, observed: Observed) -> tuple[Write, ...]:
        """Nothing to tidy."""
        return ()

    def keep_until(self, observed: Observed, status: Status) -> datetime | None:
        """The end of the cool-down: the webhook answers by this request as long as it is not done."""
        return status.effect.cooldown_until if status.effect is not None else None


def _name(request: Request) -> str:
    return request.subject.name if request.subject is not None else ""


def _not_a_gates() -> Finding:
    text = "a node is let go on request of the operator only: run kubectl drain, or ask for a drain (effect Drain)"
    return Finding(Reason.EFFECT_NOT_ALLOWED, text)


def _record(observed: Observed, node: NodeFacts) -> EffectStatus:
    ref = ObjectRef(API_VERSION, KIND, node.name, node.uid, node.resource_version)
    return EffectStatus(observed.request.effect.type, EffectState.WAITING, object=ref)


def _seen(row: NodeDrain, node: NodeFacts) -> NodeDrain:
    """How the node stands. Its person decides which pods go, so everything that could be evicted counts."""
    if node.pods is None:
        return row
    left = sum(is_evictable(pod) for pod in node.pods)
    state = NodeState.DRAINING if left else NodeState.DRAINED
    return replace(row, state=state, pods=left if row.pods is None else row.pods, pods_left=left)


def _drained(effect: EffectStatus, row: NodeDrain, now: datetime) -> Step:
    text = f"node {row.name} is drained and stays cordoned until somebody uncordons it"
    done = replace(effect, state=EffectState.DONE, nodes=(row,), finished_at=now, message=text)
    return Step(done, ending=Ending(Phase.RELEASED, By.OPERATOR, Finding(Reason.EFFECT_COMPLETE, text)))


def _too_late(row: NodeDrain) -> Ending:
    if row.pods is not None and row.pods_left is not None and row.pods_left < row.pods:
        text = f"node {row.name} was not empty in time: {row.pods_left} of {row.pods} pods are left"
        return Ending(Phase.FAILED, By.TIME, Finding(Reason.EFFECT_TIMED_OUT, text))
    finding = Finding(Reason.VALIDITY_PASSED, "the approval was not used within its validity; run kubectl drain again")
    return Ending(Phase.LAPSED, By.TIME, finding)


def _cooling(observed: Observed, status: Status) -> EffectStatus | None:
    """The record with the end of the cool-down, which is fixed once. What was superseded may be asked again at once.

    Not so where an uncordon did it: a drain that still waits would take that for a yes.
    """
    node, decision = observed.facts.node, status.decision
    effect = status.effect
    if decision is None or (effect is not None and effect.cooldown_until is not None):
        return effect
    if status.phase is Phase.SUPERSEDED:
        until = whole(decision.at + timedelta(seconds=SHORTEST))
        return replace(effect or _bare(observed), cooldown_until=until) if _is_opened(observed) else effect
    gate = node.gate.drains if node is not None and node.gate is not None else None
    seconds = max((gate or DrainGate("", "")).cooldown_seconds, SHORTEST)
    return replace(effect or _bare(observed), cooldown_until=whole(decision.at + timedelta(seconds=seconds)))


def _is_opened(observed: Observed) -> bool:
    """Whether the very node that was asked about takes pods again."""
    node, subject = observed.facts.node, observed.request.subject
    return node is not None and subject is not None and node.uid == subject.uid and not node.unschedulable


def _bare(observed: Observed) -> EffectStatus:
    return EffectStatus(observed.request.effect.type, EffectState.WAITING)


def _not_to_be_uncordoned(observed: Observed) -> str:
    """Why the node stays as it is, or nothing."""
    request, node = observed.request, observed.facts.node
    name, uid = _name(request), request.subject.uid if request.subject is not None else ""
    if node is None or node.uid != uid or node.deleting:
        return f"node {name} is gone"
    if not node.unschedulable:
        return f"node {name} is not cordoned any more"
    if node.released_by:
        return f"node {name} is under maintenance of request {node.request or node.released_by}"
    if node.cordoned_by == request.requester.username:
        return ""
    by = f"was cordoned by {node.cordoned_by}" if node.cordoned_by else "was cordoned by nobody knows whom"
    return f"node {name} {by}, so it stays cordoned; to uncordon it: kubectl uncordon {name}"
