"""What the parts of the machine hand to each other: where the run goes, and what to say of it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gatehold.domain.rollout.model import Rollout
from gatehold.domain.rollout.record import Clock, Ending, Record, RolloutPhase, Run, Stage, Wanted
from gatehold.domain.rollout.writes import Write

AGAIN = timedelta(seconds=30)  # what is held by something that may mend without an event is looked at at least that often


@dataclass(frozen=True, slots=True)
class Note:
    """What is said of a moment. `held` and `stalled` become conditions, the last two columns."""

    phase: RolloutPhase
    reason: str
    message: str
    held: bool = False
    stalled: bool = False
    waiting_for: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """One moment of a Rollout, decided: what is remembered, what each child should be (None: as it is), what is said."""

    record: Record
    note: Note
    stable: Wanted | None = None
    canary: Wanted | None = None
    writes: tuple[Write, ...] = ()  # after the children
    recheck_at: datetime | None = None
    gradual: bool = False  # let a child shrink pod by pod, as the other comes up
    unguarded: bool = False  # let it shrink even where that takes serving pods away
    owned: bool = True  # the children bear our ownerReference


@dataclass(frozen=True, slots=True)
class Over:
    """The moment is over: go on with this record, at this very instant."""

    record: Record


def wanted(rollout: Rollout, template: str, replicas: int) -> Wanted:
    """A child as the spec wants it, apart from template and size."""
    return Wanted(template, replicas, rollout.min_ready_seconds, rollout.history, rollout.restarted_at)


def with_run(record: Record, run: Run) -> Record:
    """The record with that run."""
    return replace(record, run=run)


def ticked(record: Record, now: datetime, *, late: bool, held: bool = False, anew: bool = False) -> Record:
    """Run the clock of the progress deadline: while pods are late, standing while Gatehold itself holds them.

    `anew`: other pods were asked for.
    """
    if not late:
        return replace(record, clock=None)
    clock = record.clock if record.clock is not None and not anew else Clock(now)
    if held:
        return replace(record, clock=replace(clock, stopped_at=clock.stopped_at or now))
    if clock.stopped_at is not None:
        clock = Clock(clock.since + (now - clock.stopped_at))
    return replace(record, clock=clock)


def due_at(record: Record, rollout: Rollout) -> datetime | None:
    """When the progress deadline passes, or None while the clock does not run."""
    if record.clock is None or record.clock.stopped_at is not None:
        return None
    return record.clock.since + timedelta(seconds=rollout.patience)


def is_overdue(record: Record, rollout: Rollout, now: datetime) -> bool:
    """Whether pods are late for longer than the spec allows."""
    due = due_at(record, rollout)
    return due is not None and now >= due


def undo_begun(record: Record, run: Run, ending: Ending, now: datetime) -> Over:
    """From here on the run is undone."""
    run = replace(run, stage=Stage.UNDOING, ending=ending)
    return Over(replace(record, run=run, clock=Clock(now)))


def is_covered(images: tuple[str, ...] | None, known: tuple[str, ...]) -> bool:
    """Whether no other image ids run than those known."""
    return set(images or ()) <= set(known)
