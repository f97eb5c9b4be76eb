"""A run in stage Promoting: stable takes the target, is verified, and only then the canary may go."""

from dataclasses import replace
from datetime import datetime

from gatehold.domain.rollout import asking
from gatehold.domain.rollout.children import as_it_is, is_ready, overridden
from gatehold.domain.rollout.course import (
    AGAIN,
    Course,
    Note,
    Over,
    is_covered,
    is_overdue,
    ticked,
    undo_begun,
    wanted,
)
from gatehold.domain.rollout.model import GateFacts, Sight
from gatehold.domain.rollout.reasons import RolloutReason
from gatehold.domain.rollout.record import (
    Ending,
    LastRun,
    Outcome,
    Record,
    RequestRef,
    RolloutPhase,
    Run,
    Stage,
    Track,
    Wanted,
)
from gatehold.domain.rollout.shares import shares
from gatehold.domain.rollout.templates import is_kept
from gatehold.domain.rollout.walk import needs_wall, why_held, without_wall


def promote(sight: Sight, record: Record, run: Run, now: datetime) -> Course | Over:
    """One moment of a promotion. It ends verified or restored, whatever the spec says by now."""
    ending = asking.ended(sight, run) or _broken(sight, record) or _overtaken_by_spec(sight, run)
    if ending is not None:
        return undo_begun(record, run, ending, now)
    want = wanted(sight.rollout, run.target.template, sight.rollout.replicas)
    canary = _canary(sight, record, run)
    if is_to_begin(sight, record, run):
        if isinstance(sight.gate, GateFacts) and not asking.has_passed(run, sight.gate.policy):
            record = as_it_is(sight, record) if run.first else record
            return Over(replace(record, run=replace(run, stage=Stage.CANARY, images=(), written=False)))
        note = why_held(sight, record) or (None if sight.wall_proven else without_wall(run))
        if note is not None:
            return Course(replace(record, clock=None), note, canary=canary, recheck_at=now + AGAIN)
    ready = is_ready(sight, record, Track.STABLE, want)
    held = sight.stable is not None and sight.stable.held > 0
    record = ticked(record, now, late=not ready, held=held)
    images = (sight.stable.images or ()) if sight.stable is not None else ()
    if ready and run.images and want.replicas and not images:
        return Course(record, _note("reading the image ids of stable's pods"), want, canary, recheck_at=now + AGAIN)
    if ready:
        return _verified(record, run, images, now)
    if is_overdue(record, sight.rollout, now):
        return _late(sight, record, run, want, now)
    return Course(record, _held() if held else _note("stable takes the new template"), want, canary)


def _note(text: str) -> Note:
    return Note(RolloutPhase.PROMOTING, RolloutReason.PROMOTING, text, waiting_for="pods")


def _held() -> Note:
    text = "pods of stable wait for gatehold.dev/approval; the progress deadline stands"
    return Note(RolloutPhase.PROMOTING, RolloutReason.PODS_HELD, text, held=True, waiting_for="pods")


def _canary(sight: Sight, record: Record, run: Run) -> Wanted | None:
    """The canary keeps its share until stable is verified."""
    if record.canary is None or run.first:
        return None
    size = shares(sight.rollout.replicas, run.weight).canary
    return wanted(sight.rollout, run.target.template, size) if size else replace(record.canary.wanted, replicas=0)


def is_to_begin(sight: Sight, record: Record, run: Run) -> bool:
    """Whether the first write of a promotion is still to come, since a process died: it is looked at once more."""
    begun = sight.stable is not None and sight.stable.template == run.target.template
    answered = record.stable is not None and record.stable.wanted.template == run.target.template
    return needs_wall(sight, run) and not begun and not (answered and _is_answered(record))


def _is_answered(record: Record) -> bool:
    return record.stable is not None and record.stable.generation is not None


def _broken(sight: Sight, record: Record) -> Ending | None:
    """Nothing is promoted onto a child that break-glass changed."""
    known = overridden(sight, record)
    if known is None or known.override is None or known is not record.stable:
        return None
    text = f"stable was changed by hand: {known.override.message}"
    return Ending(Outcome.FAILED, RolloutReason.SUBJECT_OVERRIDDEN, text[:1024])


def _overtaken_by_spec(sight: Sight, run: Run) -> Ending | None:
    """Whether a newer spec may take over: nothing was written yet, or nobody was asked about what does not come up."""
    if sight.rollout.target != run.target and run.first and not run.questions:
        return _overtaken()
    there = sight.stable is not None and sight.stable.template == run.target.template
    if there or is_kept(sight, run.target.template):
        return None
    return _overtaken()


def _overtaken() -> Ending:
    text = "template or steps changed before this was promoted"
    return Ending(Outcome.SUPERSEDED, RolloutReason.SUBJECT_CHANGED, text, reject=False)


def _late(sight: Sight, record: Record, run: Run, want: Wanted, now: datetime) -> Course | Over:
    """Stable did not come up. A first deployment that nobody was asked about has nothing to go back to, and goes on."""
    trouble = f": {sight.stable.trouble}" if sight.stable is not None and sight.stable.trouble else ""
    text = f"pods of stable were not available in {sight.rollout.patience} s{trouble}"[:1024]
    if run.first and not run.questions:
        note = Note(RolloutPhase.DEGRADED, RolloutReason.PROGRESS_DEADLINE_EXCEEDED, text, stalled=True)
        return Course(record, note, want)
    return undo_begun(record, run, Ending(Outcome.FAILED, RolloutReason.PROGRESS_DEADLINE_EXCEEDED, text), now)


def _verified(record: Record, run: Run, images: tuple[str, ...], now: datetime) -> Over:
    """All pods are new and available: promoted, where they run what was approved."""
    if run.images and not is_covered(images, run.images):
        text = f"stable runs {', '.join(sorted(set(images) - set(run.images)))}, which nobody approved"[:1024]
        return undo_begun(record, run, Ending(Outcome.FAILED, RolloutReason.IMAGE_CHANGED, text), now)
    text = f"stable runs template {run.target.template[:19]}, verified"
    said = (Outcome.PROMOTED, RolloutReason.PROMOTED, text)
    last = LastRun(run.target, *said, now, requests_of(run), started_at=run.started_at)
    return Over(
        replace(record, run=None, last_run=last, promoted=run.target, promoted_images=images, rejected=None, clock=None)
    )


def requests_of(run: Run) -> tuple[RequestRef, ...]:
    """The requests that this run asked with."""
    return tuple(RequestRef(question.name, question.uid) for question in run.questions)
