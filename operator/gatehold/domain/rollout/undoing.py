"""A run in stage Undoing: the former template at full size on stable, no canary, and that read back."""

from dataclasses import dataclass, replace
from datetime import datetime

from gatehold.domain.rollout.children import as_it_is, is_empty, is_left_alone, is_ready, is_settled, overridden
from gatehold.domain.rollout.course import Course, Note, Over, is_overdue, ticked, wanted
from gatehold.domain.rollout.model import Sight
from gatehold.domain.rollout.promotion import requests_of
from gatehold.domain.rollout.reasons import RolloutReason
from gatehold.domain.rollout.record import (
    Ending,
    LastRun,
    Outcome,
    Record,
    Rejected,
    RolloutPhase,
    Run,
    Track,
    Wanted,
)
from gatehold.domain.rollout.sizing import at_zero, leftover
from gatehold.domain.rollout.templates import is_kept


@dataclass(frozen=True, slots=True)
class Back:
    """How the way back ended."""

    restored: bool
    reason: RolloutReason
    message: str


def undo(sight: Sight, record: Record, run: Run, now: datetime) -> Course | Over:
    """One moment of an undo. It needs nobody's yes and no proof of the wall."""
    if run.first:
        return _first(sight, record, run, now)
    stable = wanted(sight.rollout, run.former, sight.rollout.replicas)
    is_back = is_left_alone(sight, record, Track.STABLE) or _is_back(sight, record, run, stable)
    is_gone = is_left_alone(sight, record, Track.CANARY) or is_empty(sight, record)
    record = ticked(record, now, late=True)
    if is_back and is_gone:
        return _over(sight, record, run, now)
    if not is_kept(sight, run.former) and not is_back:
        text = f"the revision with template {run.former[:19]} is gone: stable stays as it is"
        return concluded(record, run, Back(False, RolloutReason.TEMPLATE_LOST, text), now)
    if is_overdue(record, sight.rollout, now):
        what = "the canary still has pods" if is_back else "stable is not back"
        text = f"{what} after {sight.rollout.patience} s; it is tried on"
        return concluded(record, run, Back(False, RolloutReason.NOT_RESTORED, text), now)
    return Course(record, _note(), stable, at_zero(record))


def _note() -> Note:
    text = "restoring stable, and taking the canary away"
    return Note(RolloutPhase.ROLLING_BACK, RolloutReason.UNDOING, text, waiting_for="pods")


def _is_back(sight: Sight, record: Record, run: Run, stable: Wanted) -> bool:
    """Whether stable is what it was. Where the run had not touched it, its pods' readiness is not the run's matter."""
    touched = run.written or run.weight > 50
    untouched = record.stable is not None and record.stable.wanted == stable and is_settled(sight, record, Track.STABLE)
    return is_ready(sight, record, Track.STABLE, stable) or (untouched and not touched)


def _over(sight: Sight, record: Record, run: Run, now: datetime) -> Over:
    if overridden(sight, record) is not None:
        text = "a child was changed by hand, and is not put back"
        return concluded(record, run, Back(False, RolloutReason.SUBJECT_OVERRIDDEN, text), now)
    if not run.weight and not run.written:
        return concluded(record, run, Back(True, RolloutReason.NOTHING_TO_UNDO, "nothing had been begun"), now)
    size = record.stable.wanted.replicas if record.stable is not None else 0
    text = f"stable runs template {run.former[:19]} with {size} pods, the canary is gone"
    return concluded(record, run, Back(True, RolloutReason.RESTORED, text), now)


def _first(sight: Sight, record: Record, run: Run, now: datetime) -> Course | Over:
    """Nothing ran before. What was denied is stopped; what did not come up by itself is left, there is nothing better."""
    if not run.written:
        return concluded(record, run, Back(True, RolloutReason.NOTHING_TO_UNDO, "nothing had been begun"), now)
    record = as_it_is(sight, record)
    if sight.stable is None:
        return concluded(record, run, Back(True, RolloutReason.NOTHING_TO_UNDO, "nothing had been begun"), now)
    if run.ending is not None and run.ending.outcome in (Outcome.FAILED, Outcome.SUPERSEDED):
        text = "nothing ran before, so stable stays as it is"
        return concluded(record, run, Back(False, RolloutReason.NOTHING_TO_RESTORE, text), now)
    stable = leftover(sight, record)
    stable = replace(stable, replicas=0) if stable is not None else None
    record = ticked(record, now, late=True)
    if stable is not None and is_ready(sight, record, Track.STABLE, stable):
        text = "nothing ran before: stable is scaled to 0"
        return concluded(record, run, Back(True, RolloutReason.RESTORED, text), now)
    if is_overdue(record, sight.rollout, now):
        text = f"stable still has pods after {sight.rollout.patience} s; it is tried on"
        return concluded(record, run, Back(False, RolloutReason.NOT_RESTORED, text), now)
    return Course(record, _note(), stable, unguarded=True)


def concluded(record: Record, run: Run, back: Back, now: datetime) -> Over:
    """The run is over, and how is said."""
    end = run.ending or Ending(Outcome.FAILED, back.reason, back.message)
    rejected = Rejected(run.target, end.reason, end.message, now) if end.reject else None
    said = (end.outcome, end.reason, end.message)
    how = (back.restored, back.reason, back.message)
    last = LastRun(run.target, *said, now, requests_of(run), *how, started_at=run.started_at)
    return Over(replace(record, run=None, last_run=last, rejected=rejected, clock=None))
