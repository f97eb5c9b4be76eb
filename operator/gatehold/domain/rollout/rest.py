"""No run is under way: keep stable as promoted, and see whether the spec asks for something else."""

from dataclasses import replace
from datetime import datetime, timedelta

from gatehold.domain.phases import MOVES
from gatehold.domain.rollout.children import is_left_alone, is_ready
from gatehold.domain.rollout.course import Course, Note, Over, is_covered, is_overdue, ticked, wanted
from gatehold.domain.rollout.model import Sight
from gatehold.domain.rollout.reasons import RolloutReason
from gatehold.domain.rollout.record import Record, RolloutPhase, Run, Track, Wanted
from gatehold.domain.rollout.sizing import at_zero, leftover
from gatehold.domain.rollout.templates import dropped
from gatehold.domain.rollout.writes import ClearAuthors, Write

PATIENCE = timedelta(seconds=60)  # for requests to take note of how their run ended


def rest(sight: Sight, record: Record, now: datetime) -> Course | Over:
    """One moment at rest, or the beginning of a run."""
    rollout = sight.rollout
    is_promoted = record.promoted is not None and record.promoted.template == rollout.template
    if is_promoted:
        record = replace(record, rejected=None)
    elif not _is_rejected(sight, record):
        return _waits(sight, record, now) or _begun(sight, record, now)
    stable = _stable(sight, record)
    broken = is_left_alone(sight, record, Track.STABLE)
    ready = broken or stable is None or is_ready(sight, record, Track.STABLE, stable)
    record = ticked(record, now, late=not ready, held=sight.stable is not None and sight.stable.held > 0)
    note = _note(sight, record, now)
    stopped = stable is not None and not stable.replicas
    return Course(record, note, stable, at_zero(record), writes=_tidying(sight, record), gradual=True, unguarded=stopped)


def _stable(sight: Sight, record: Record) -> Wanted | None:
    if record.promoted is None:
        return leftover(sight, record)
    return wanted(sight.rollout, record.promoted.template, sight.rollout.replicas)


def _is_rejected(sight: Sight, record: Record) -> bool:
    """Whether the spec is what was turned down last, and nobody asked for another try."""
    retry = sight.rollout.retry
    asked_again = bool(retry) and retry != record.retried
    return record.rejected is not None and record.rejected.target == sight.rollout.target and not asked_again


def _waits(sight: Sight, record: Record, now: datetime) -> Course | None:
    """The requests of the run before read its end here, so no other run begins before they have."""
    last = record.last_run
    if last is None or now >= last.at + PATIENCE:
        return None
    live = [q for q in (sight.question(ref.name) for ref in last.requests) if q is not None and MOVES[q.phase]]
    if not live:
        return None
    text = f"request {live[0].name} of the run before is about to be closed"
    note = Note(RolloutPhase.PROGRESSING, RolloutReason.REQUEST_CLOSING, text, waiting_for=live[0].name)
    return Course(record, note, _stable(sight, record), at_zero(record), recheck_at=last.at + PATIENCE)


def _begun(sight: Sight, record: Record, now: datetime) -> Over:
    """A run begins: the value of gatehold.dev/retry that is there now is used up."""
    former = record.promoted.template if record.promoted is not None else ""
    run = Run(
        target=sight.rollout.target,
        first=record.promoted is None,
        started_at=now,
        step_at=now,
        first_attempt=record.attempts + 1,
        former=former,
    )
    return Over(replace(record, run=run, rejected=None, retried=sight.rollout.retry, clock=None))


def _note(sight: Sight, record: Record, now: datetime) -> Note:
    if record.rejected is not None:
        text = f"rejected: {record.rejected.message}; change the template or steps, or set a new gatehold.dev/retry"
        return Note(RolloutPhase.DEGRADED, record.rejected.reason, text[:1024], stalled=True)
    broken = record.stable.override if record.stable is not None else None
    if broken is not None and is_left_alone(sight, record, Track.STABLE):
        text = f"stable was changed by hand: {broken.message}; set a new gatehold.dev/retry to put it back"
        return Note(RolloutPhase.DEGRADED, RolloutReason.SUBJECT_OVERRIDDEN, text[:1024], stalled=True)
    if is_overdue(record, sight.rollout, now):
        trouble = f": {sight.stable.trouble}" if sight.stable is not None and sight.stable.trouble else ""
        text = f"pods of stable are not available for {sight.rollout.patience} s{trouble}"
        return Note(RolloutPhase.DEGRADED, RolloutReason.PROGRESS_DEADLINE_EXCEEDED, text[:1024], stalled=True)
    if record.clock is not None:
        text = "pods of stable are on their way"
        return Note(RolloutPhase.PROGRESSING, RolloutReason.PODS_NOT_READY, text, waiting_for="pods")
    images = sight.stable.images if sight.stable is not None else None
    if record.promoted_images and not is_covered(images, record.promoted_images):
        text = "stable runs what was promoted, by pods with other image ids than then"
        return Note(RolloutPhase.HEALTHY, RolloutReason.IMAGES_DIFFER, text)
    return Note(RolloutPhase.HEALTHY, RolloutReason.AS_WANTED, "stable runs what the spec says")


def _tidying(sight: Sight, record: Record) -> tuple[Write, ...]:
    """What a finished promotion leaves to do: its authors are done with, the oldest revisions may go."""
    clear = sight.rollout.authors and record.promoted == sight.rollout.target
    return (*((ClearAuthors(),) if clear else ()), *dropped(sight, record))
