"""The way back of a drain: uncordon what this request cordoned and did not finish, let the Leases go. Called by drain only.

Drained nodes stay as they are, under maintenance. A node that was not touched, though its cordon may be under way in a
replica that was paused, is fenced by one write to it.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from gatehold.domain.effects.base import Undo, concluded
from gatehold.domain.effects.drain_rows import TOUCHED, UNSCHEDULABLE_TAINT, Sight, look, names
from gatehold.domain.model import Request
from gatehold.domain.nodes import CloseNode, DropLease, NodeFacts, UncordonNode
from gatehold.domain.plan import Finding, Observed, Write
from gatehold.domain.reasons import Reason
from gatehold.domain.status import EffectState, EffectStatus, NodeDrain, NodeState, Status

_BY_OTHERS = "is cordoned, though not by this request any more"


@dataclass(frozen=True, slots=True)
class _Back:
    """One node's next step back: its record, and what to write afterwards."""

    row: NodeDrain
    writes: tuple[Write, ...] = ()


def undo(observed: Observed, status: Status, now: datetime) -> Undo:
    """The next step back. Nothing is undone that does not bear this request's mark."""
    effect, drain = status.effect, observed.facts.drain
    if effect is None or not effect.nodes:
        return concluded(effect, Reason.NOTHING_TO_UNDO, "nothing had been begun", now)
    if drain is None:
        return Undo(effect, Finding(Reason.UNDOING, "looking at the nodes"))
    sights = look(effect, drain, observed.request.uid)
    fenced = _in_turn(sights, observed)
    steps = [_back(sight, observed.request, sight.row.name in fenced) for sight in sights]
    rows, writes = tuple(step.row for step in steps), tuple(write for step in steps for write in step.writes)
    effect = replace(effect, nodes=rows)
    if any(row.state is not NodeState.WAITING for row in rows):
        effect = replace(effect, state=EffectState.UNDOING, started_at=effect.started_at or now)
    if writes:
        going = names(row for row in rows if row.state in TOUCHED)
        text = f"uncordoning {going}" if going else "letting the nodes go"
        return Undo(effect, Finding(Reason.UNDOING, text), writes=writes)
    return _over(effect, now)


def _in_turn(sights: tuple[Sight, ...], observed: Observed) -> frozenset[str]:
    """The nodes that were not touched and whose turn it was: a cordon of these, and of no others, may be under way."""
    spec = observed.request.effect.drain
    waiting = [sight.row.name for sight in sights if sight.row.state is NodeState.WAITING and not sight.ours]
    return frozenset(waiting[: spec.parallel_nodes if spec is not None else len(waiting)])


def _back(sight: Sight, request: Request, may_land: bool) -> _Back:
    """The next step of one node. Its Lease goes last, so that nobody else's maintenance begins on what is not back yet."""
    row, node = sight.row, sight.there
    if row.state is NodeState.DRAINED:
        return _Back(row)
    if node is not None and sight.ours:
        touched = replace(row, state=row.state if row.state in TOUCHED else NodeState.CORDONED)
        return _Back(touched, (_uncordon(row, node),))
    if row.state in TOUCHED:
        row = _verified(row, node)
    elif node is not None and may_land and not sight.taken and node.request != request.address:
        fence = UncordonNode(node, uncordon=False) if node.released_by else CloseNode(node)  # what a dead one left
        return _Back(row, (fence,))
    return _Back(row, (DropLease(sight.lease),) if sight.lease is not None and sight.leased else ())


def _uncordon(row: NodeDrain, node: NodeFacts) -> UncordonNode:
    back = not row.was_unschedulable
    taint = next((taint for taint in node.taints if taint.startswith(UNSCHEDULABLE_TAINT)), "")
    return UncordonNode(
        node, uncordon=back and node.unschedulable, drop_taint=back and bool(taint) and taint not in row.taints
    )


def _verified(row: NodeDrain, node: NodeFacts | None) -> NodeDrain:
    """A node that was touched and does not bear our mark any more: it is back, as it is read now, or it is not."""
    over = replace(row, blocked_by="", blocked_since=None)
    if node is None:
        return replace(over, state=NodeState.FAILED, message="is gone")
    if row.was_unschedulable:
        return replace(over, state=NodeState.UNCORDONED, message="is as it was before")
    if node.unschedulable:
        return replace(over, state=NodeState.FAILED, message=_BY_OTHERS)
    return replace(over, state=NodeState.UNCORDONED, message="is uncordoned")


def _over(effect: EffectStatus, now: datetime) -> Undo:
    """Nothing is left to write: say how it stands."""
    rows = effect.nodes
    if all(row.state is NodeState.WAITING for row in rows):
        return concluded(effect, Reason.NOTHING_TO_UNDO, "nothing had been begun", now)
    open_still = [row for row in rows if row.state is NodeState.FAILED and row.message == _BY_OTHERS]
    reason = Reason.UNDO_FAILED if open_still else Reason.UNDO_COMPLETED
    return concluded(effect, reason, _sentence(rows, open_still), now, restored=not open_still)


def _sentence(rows: tuple[NodeDrain, ...], open_still: list[NodeDrain]) -> str:
    back = [row for row in rows if row.state is NodeState.UNCORDONED and not row.was_unschedulable]
    as_before = [row for row in rows if row.state is NodeState.UNCORDONED and row.was_unschedulable]
    drained = [row for row in rows if row.state is NodeState.DRAINED]
    gone = [row for row in rows if row.state is NodeState.FAILED and row not in open_still]
    parts = [
        (back, "uncordoned: {}"),
        (as_before, "cordoned before and left so: {}"),
        (drained, "drained before the end and left cordoned: {} (kubectl gatehold uncordon)"),
        (gone, "gone by themselves: {}"),
        (open_still, "cordoned, though not by this request any more: {} (kubectl uncordon)"),
    ]
    said = [text.format(names(found)) for found, text in parts if found]
    return "; ".join([*said, "evicted pods do not come back by themselves"])


def settle(observed: Observed) -> tuple[Write, ...]:
    """Take the fence off again, where the way back is over."""
    effect, drain = observed.status.effect, observed.facts.drain
    if effect is None or drain is None:
        return ()
    request = observed.request
    waiting = (sight for sight in look(effect, drain, request.uid) if sight.row.state is NodeState.WAITING)
    nodes = (sight.there for sight in waiting if sight.there is not None and not sight.there.released_by)
    return tuple(UncordonNode(node, uncordon=False) for node in nodes if node.request == request.address)
