"""A run in stage Canary: walk the steps, ask, and reach the promotion. A first deployment has no steps, only the Gate."""

from dataclasses import dataclass, replace
from datetime import datetime

from gatehold.domain.rollout import asking
from gatehold.domain.rollout.children import overridden
from gatehold.domain.rollout.course import (
    AGAIN,
    Course,
    Note,
    Over,
    is_overdue,
    ticked,
    undo_begun,
    with_run,
)
from gatehold.domain.rollout.model import GateFacts, Sight, UnknownGate
from gatehold.domain.rollout.needs import Need, next_need
from gatehold.domain.rollout.reasons import RolloutReason
from gatehold.domain.rollout.record import Ending, Outcome, Record, RolloutPhase, Run, Stage
from gatehold.domain.rollout.sizing import Size, at_weight


@dataclass(frozen=True, slots=True)
class Moment:
    """A run on its steps: what it needs next, and how the canary stands at the weight in force."""

    record: Record
    run: Run
    need: Need
    size: Size


def walk(sight: Sight, record: Record, run: Run, now: datetime) -> Course | Over:
    """One moment of a run on its way to the promotion."""
    ending = _changed(sight, run) or asking.ended(sight, run)
    if ending is not None:
        return undo_begun(record, run, ending, now)
    answers = asking.heard(sight, run, now, may_pass=why_held(sight, record) is None)
    was = run.weight
    run, need = _advanced(sight, record, answers.run, now)
    size = at_weight(sight, record, run, need.weight)
    run = replace(run, weight=need.weight)
    record = _timed(sight, with_run(record, run), was, size, now)
    if is_overdue(record, sight.rollout, now):
        return undo_begun(record, run, _late(sight), now)
    moment = Moment(record, run, need, size)
    return _course(moment, without_wall(run), now) if answers.unproven else _next(sight, moment, now)


def why_held(sight: Sight, record: Record) -> Note | None:
    """Why nothing moves on, whatever people say: an unknown Gate, or a broken glass."""
    if isinstance(sight.gate, UnknownGate):
        text = f"Gate {sight.gate.name}: {sight.gate.why}; nothing moves on"
        return Note(RolloutPhase.HELD, RolloutReason.GATE_NOT_FOUND, text, held=True, stalled=True, waiting_for="Gate")
    broken = overridden(sight, record)
    if broken is not None and broken.override is not None:
        text = f"changed by hand: {broken.override.message}; goes on with another template, or gatehold.dev/retry"
        return Note(RolloutPhase.HELD, RolloutReason.SUBJECT_OVERRIDDEN, text[:1024], held=True, stalled=True)
    return _why_doubted(sight, record)


def _why_doubted(sight: Sight, record: Record) -> Note | None:
    """A yes that its request knows nothing of. Only the operator writes both, so an old view, or a stolen token."""
    question = asking.doubted(sight, record.run) if record.run is not None else None
    if question is None:
        return None
    text = f"request {question.name} is recorded as passed, and is not decided; nothing moves on until they agree"
    return Note(RolloutPhase.HELD, RolloutReason.AWAITING_APPROVAL, text, held=True, waiting_for=question.name)


def _changed(sight: Sight, run: Run) -> Ending | None:
    if sight.rollout.target == run.target:
        return None
    text = "template or steps changed while this was under way"
    return Ending(Outcome.SUPERSEDED, RolloutReason.SUBJECT_CHANGED, text, reject=False)


def _late(sight: Sight) -> Ending:
    trouble = f": {sight.canary.trouble}" if sight.canary is not None and sight.canary.trouble else ""
    text = f"pods of the canary were not available in {sight.rollout.patience} s{trouble}"
    return Ending(Outcome.FAILED, RolloutReason.PROGRESS_DEADLINE_EXCEEDED, text[:1024])


def _advanced(sight: Sight, record: Record, run: Run, now: datetime) -> tuple[Run, Need]:
    """Take every step that is done. Nothing goes on past an open question, or a canary that is not there."""
    steps = () if run.first else sight.rollout.steps
    gate = sight.gate if isinstance(sight.gate, GateFacts) else None
    need = next_need(run, steps, gate, now)
    if why_held(sight, record) is not None:
        return run, Need(min(run.weight, need.weight))
    while not need.last and not need.policy and need.until is None and asking.open_question(run) is None:
        if not at_weight(sight, record, run, need.weight).ready:
            break
        run = replace(run, step=run.step + 1, step_at=now)
        need = next_need(run, steps, gate, now)
    return run, need


def _timed(sight: Sight, record: Record, was: int, size: Size, now: datetime) -> Record:
    """Run the clock while pods of this canary are asked for and late."""
    late = not size.bare and not size.ready and overridden(sight, record) is None
    anew = record.run is not None and record.run.weight != was
    return ticked(record, now, late=late, held=_held_pods(sight) > 0, anew=anew)


def _held_pods(sight: Sight) -> int:
    return sight.canary.held if sight.canary is not None else 0


def _next(sight: Sight, at: Moment, now: datetime) -> Course | Over:
    held = why_held(sight, at.record)
    if held is not None:
        return _course(at, held, now)
    if asking.open_question(at.run) is not None:
        return _waiting(sight, at)
    if not at.size.ready:
        return _course(at, _progressing(sight, at.need, at.size), None)
    if at.need.policy:
        return _ask(sight, at, now)
    if at.need.until is not None:
        text = f"pausing at {at.need.weight} % until {at.need.until:%Y-%m-%dT%H:%M:%SZ}"
        note = Note(RolloutPhase.PAUSED, RolloutReason.PAUSED, text, waiting_for="pause", until=at.need.until)
        return replace(_course(at, note, None), recheck_at=at.need.until)
    return _promote(sight, at, now)


def _course(at: Moment, note: Note, again_from: datetime | None) -> Course:
    recheck = again_from + AGAIN if again_from is not None else None
    return Course(at.record, note, at.size.stable, at.size.canary, recheck_at=recheck)


def _progressing(sight: Sight, need: Need, size: Size) -> Note:
    if size.waits_for_old:
        return Note(RolloutPhase.PROGRESSING, RolloutReason.OLD_CANARY_GOING, "the canary before this one goes first")
    if _held_pods(sight):
        text = "pods of the canary wait for gatehold.dev/approval; the progress deadline stands"
        return Note(RolloutPhase.HELD, RolloutReason.PODS_HELD, text, held=True, waiting_for="pods")
    text = f"bringing the canary to {need.weight} %"
    return Note(RolloutPhase.PROGRESSING, RolloutReason.CANARY_PROGRESSING, text, waiting_for="pods")


def _ask(sight: Sight, at: Moment, now: datetime) -> Course | Over:
    """Put the next question, where it can be put."""
    policy = at.need.policy
    if asking.is_spent(at.record, at.run):
        text = f"asked {asking.MOST_QUESTIONS} times, and what was asked about changed each time"
        return undo_begun(at.record, at.run, Ending(Outcome.FAILED, RolloutReason.TOO_MANY_QUESTIONS, text), now)
    if not at.size.bare and not _is_read(sight):
        return _course(at, _reading(), now)
    if policy in sight.crowded:
        text = f"too many requests wait under policy {policy}: asked as soon as there is room"
        note = Note(RolloutPhase.HELD, RolloutReason.TOO_MANY_PENDING, text, held=True, waiting_for="room")
        return _course(at, note, now)
    record = asking.asked(sight, at.record, at.run, policy, bare=at.size.bare)
    return _waiting(sight, replace(at, record=record, run=record.run or at.run))


def _is_read(sight: Sight) -> bool:
    return sight.canary is not None and bool(sight.canary.images) and bool(sight.digest)


def _reading() -> Note:
    text = "the image ids of the canary's pods are not read yet"
    return Note(RolloutPhase.PROGRESSING, RolloutReason.CANARY_PROGRESSING, text, waiting_for="pods")


def _waiting(sight: Sight, at: Moment) -> Course:
    """A question is open."""
    question = asking.open_question(at.run)
    name, policy = (question.name, question.policy) if question is not None else ("", "")
    facts = sight.question(name)
    until = facts.deadline if facts is not None else None
    text = f"request {name} waits for reviewers of policy {policy}"
    note = Note(RolloutPhase.HELD, RolloutReason.AWAITING_APPROVAL, text, held=True, waiting_for=name, until=until)
    return replace(_course(at, note, None), writes=asking.ask(sight, at.run))


def without_wall(run: Run) -> Note:
    """What is said where a yes cannot be used, or a promotion not begun, for want of a proof."""
    question = asking.open_question(run)
    text = "approved, but the admission policies are not proven in force: nothing is promoted; run: gatehold doctor"
    name = question.name if question is not None else ""
    return Note(RolloutPhase.HELD, RolloutReason.WALL_NOT_PROVEN, text, held=True, waiting_for=name)


def _promote(sight: Sight, at: Moment, now: datetime) -> Course | Over:
    """Every step is walked, every policy said yes, the canary is there."""
    if not at.size.bare and not _is_read(sight):
        return _course(at, _reading(), now)
    if needs_wall(sight, at.run) and not sight.wall_proven:
        return _course(at, without_wall(at.run), now)
    images = () if at.size.bare or sight.canary is None else sight.canary.images or ()
    run = replace(at.run, stage=Stage.PROMOTING, images=images, written=True)
    return Over(replace(at.record, run=run, clock=None))


def needs_wall(sight: Sight, run: Run) -> bool:
    """Whether a promotion begins only while the wall is proven: always, but for a first one that nobody was asked about."""
    return not run.first or bool(run.questions) or sight.gate is not None
