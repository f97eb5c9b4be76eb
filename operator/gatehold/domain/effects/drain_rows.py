"""The record of a drain, node by node: how each stands, which figures are worth a write. Called by the drains' modules."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gatehold.domain.effects.drain_pods import Load, load_of
from gatehold.domain.model import DrainSpec
from gatehold.domain.nodes import DrainFacts, LeaseFacts, NodeFacts
from gatehold.domain.status import EffectStatus, NodeDrain, NodeState, Progress

TOUCHED = (NodeState.CORDONED, NodeState.DRAINING)
"""At work: these count against parallelNodes."""

UNSCHEDULABLE_TAINT = "node.kubernetes.io/unschedulable"
_NAMED, _TAINTS = 8, 64


@dataclass(frozen=True, slots=True)
class Sight:
    """One node of a drain: its record, what stands under its name, its Lease, and whether it bears this request's mark."""

    row: NodeDrain
    node: NodeFacts | None
    lease: LeaseFacts | None
    uid: str

    @property
    def there(self) -> NodeFacts | None:
        """The node that is meant, or None where it is gone, going, or another one."""
        return self.node if self.node is not None and self.node.uid == self.row.uid and not self.node.deleting else None

    @property
    def ours(self) -> bool:
        """Whether this request has cordoned it."""
        return self.there is not None and self.there.released_by == self.uid

    @property
    def leased(self) -> bool:
        """Whether this request holds its Lease."""
        return self.lease is not None and self.lease.holder == self.uid

    @property
    def taken(self) -> bool:
        """Whether somebody else's maintenance runs on it."""
        return self.lease is not None and self.lease.holder != self.uid


def look(effect: EffectStatus, drain: DrainFacts, uid: str) -> tuple[Sight, ...]:
    """Every node of the record, in its order, beside what is there."""
    nodes, leases = {node.name: node for node in drain.nodes}, {lease.node: lease for lease in drain.leases}
    return tuple(Sight(row, nodes.get(row.name), leases.get(row.name), uid) for row in effect.nodes)


def with_prior(row: NodeDrain, node: NodeFacts) -> NodeDrain:
    """The record of a node as it is before its first write. The one taint that we may take off is among those kept."""
    first = sorted(node.taints, key=lambda taint: not taint.startswith(UNSCHEDULABLE_TAINT))
    return replace(row, was_unschedulable=node.unschedulable, taints=tuple(first[:_TAINTS]))


def advance(sight: Sight, load: Load | None, now: datetime) -> NodeDrain:
    """The record of a node as it stands now. One that is cordoned by us and has nothing left is drained."""
    row = sight.row
    if row.state is NodeState.DRAINED or not sight.ours:
        return row
    if load is None:
        return replace(row, state=NodeState.DRAINING if row.state is NodeState.DRAINING else NodeState.CORDONED)
    left = len(load.left)
    begun = replace(row, pods=left if row.pods is None else row.pods, pods_left=left)
    if not left:
        return replace(begun, state=NodeState.DRAINED, blocked_by="", blocked_since=None)
    blocked = load.blocked_by
    since = row.blocked_since or min((block.since for block in load.blocks), default=now)
    return replace(begun, state=NodeState.DRAINING, blocked_by=blocked, blocked_since=since if blocked else None)


def loads_of(sights: tuple[Sight, ...], spec: DrainSpec, now: datetime) -> dict[str, Load | None]:
    """What is left on each node that is at work, by name."""
    at_work = [s.there for s in sights if s.there is not None and s.ours and s.row.state is not NodeState.DRAINED]
    return {node.name: load_of(node, spec, now) for node in at_work}


def refreshed(
    effect: EffectStatus, rows: tuple[NodeDrain, ...], now: datetime, *, every: int, at_once: bool
) -> EffectStatus:
    """The record with its new figures: at once where the state of a node changed, else at most every so many seconds."""
    moved = any(old.state is not new.state for old, new in zip(effect.nodes, rows, strict=True))
    due = effect.progress is None or now >= effect.progress.at + timedelta(seconds=every)
    if not (moved or due or at_once) or (rows == effect.nodes and effect.progress is not None):
        return effect
    left = sum(row.pods_left or 0 for row in rows)
    gone = sum(max((row.pods or 0) - (row.pods_left or 0), 0) for row in rows)
    progress = Progress(now, active=left, succeeded=gone)
    return replace(effect, nodes=rows, progress=progress, message=_stands(rows, left))


def _stands(rows: tuple[NodeDrain, ...], left: int) -> str:
    drained = sum(row.state is NodeState.DRAINED for row in rows)
    return f"{drained} of {len(rows)} nodes drained, {left} pods left on those at work"


def names(rows: Iterable[NodeDrain]) -> str:
    """Nodes by name, not too many."""
    found = [row.name for row in rows]
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return f"{', '.join(name[:64] for name in found[:_NAMED])}{more}"


def what_blocks(rows: Iterable[NodeDrain]) -> str:
    """What holds the nodes up, node by node, as it stands in their records."""
    return "; ".join(f"node {row.name[:64]}: {row.blocked_by}" for row in rows if row.blocked_by)[:900]
