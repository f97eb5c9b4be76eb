"""A deleted Rollout. The collector takes the children; where they are to stay, the canary goes and stable is set free."""

from dataclasses import replace
from datetime import datetime

from gatehold.domain.rollout.carrying import carried
from gatehold.domain.rollout.children import is_empty, is_ours, noticed
from gatehold.domain.rollout.course import AGAIN, Course, Note, due_at, is_overdue, ticked, wanted
from gatehold.domain.rollout.model import Child, Sight
from gatehold.domain.rollout.plan import RolloutPlan
from gatehold.domain.rollout.reasons import RolloutReason
from gatehold.domain.rollout.record import Record, RolloutPhase, Track, Wanted
from gatehold.domain.rollout.sizing import at_zero
from gatehold.domain.rollout.writes import DeleteChild, DropFinalizer, SetChildFree


def leave(sight: Sight, now: datetime) -> RolloutPlan:
    """What is left to do before the Rollout may go. Its questions are superseded by their own side."""
    if not sight.rollout.has_finalizer:
        return RolloutPlan(sight.record)
    stable, canary = _ours(sight, Track.STABLE), _ours(sight, Track.CANARY)
    if not _is_orphaning(sight, stable, canary):
        return RolloutPlan(sight.record, (DropFinalizer(),))
    sight = replace(sight, stable=stable, canary=canary)
    record = noticed(sight)
    if canary is not None:
        return _take_away(sight, record, canary, now)
    if stable is not None and not stable.deleting and (stable.ours_on_it or stable.owner == sight.rollout.uid):
        return RolloutPlan(record, (SetChildFree(Track.STABLE, stable.uid, stable.resource_version),), now + AGAIN)
    return RolloutPlan(replace(record, clock=None), (DropFinalizer(),))


def _ours(sight: Sight, track: Track) -> Child | None:
    child = sight.child(track)
    known = sight.record.track(track)
    return child if child is not None and is_ours(child, sight.rollout, known) else None


def _is_orphaning(sight: Sight, stable: Child | None, canary: Child | None) -> bool:
    """The collector takes owners and its own finalizer away by itself, maybe before this is seen."""
    orphans = any(child is not None and not child.owner for child in (stable, canary))
    return sight.rollout.orphaning or orphans


def _take_away(sight: Sight, record: Record, canary: Child, now: datetime) -> RolloutPlan:
    """The canary goes first, and capacity with it only where stable does not come up in time."""
    if canary.deleting:
        return RolloutPlan(record, recheck_at=now + AGAIN)
    if is_empty(sight, record) or is_overdue(record, sight.rollout, now):
        return RolloutPlan(record, (DeleteChild(Track.CANARY, canary.uid),), now + AGAIN)
    record = ticked(record, now, late=True)
    note = Note(RolloutPhase.ROLLING_BACK, RolloutReason.UNDOING, "taking the canary away")
    done = carried(sight, Course(record, note, _stable(sight, record), at_zero(record), owned=False))
    return RolloutPlan(done.record, done.writes, due_at(record, sight.rollout))


def _stable(sight: Sight, record: Record) -> Wanted | None:
    """Stable at full size, with the template that it has; one that is gone stays so."""
    if record.stable is None or sight.stable is None:
        return None
    return wanted(sight.rollout, record.stable.wanted.template, sight.rollout.replicas)
