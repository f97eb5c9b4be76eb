"""What there is to tell of a Rollout: the entries between two records, for its Events. Pure; a retry repeats it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from gatehold.domain.reasons import ConditionType
from gatehold.domain.rollout.record import Ending, LastRun, Outcome, Record, Run, Stage, Target, Track
from gatehold.domain.story import OVERRIDDEN, Entry

CHILD_CHANGED = "ChildChanged"
_DIGITS = 10
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def story(before: Record, after: Record) -> tuple[Entry, ...]:
    """Everything that happened between two records, in order. From the empty record: all that it still knows."""
    return (*_run(before, after), *_children(before, after), *_stalled(before, after))


def ended(before: Record, after: Record) -> Outcome | None:
    """How a run ended between the two."""
    last, known = after.last_run, before.last_run
    return last.outcome if last is not None and (known is None or known.at != last.at) else None


def changed_at(record: Record) -> datetime:
    """The last thing that a record says happened; long ago where it says none."""
    run, last = record.run, record.last_run
    moments = [condition.since for condition in record.conditions]
    moments += [last.at] if last is not None else []
    moments += [at for at in (run.started_at, run.step_at) if at is not None] if run is not None else []
    return max(moments, default=_LONG_AGO)


def put_back(before: Record, after: Record) -> int:
    """How many changes of children by somebody else were met between the two."""
    return sum(_put_back(after, track) - _put_back(before, track) for track in Track)


def _run(before: Record, after: Record) -> Iterator[Entry]:
    run = after.run
    known = before.run if before.run is not None and run is not None and _key(before.run) == _key(run) else None
    if ended(before, after) is not None and after.last_run is not None:
        yield from _undone(before.run, after.last_run)
        yield from _ended(after.last_run)
    if run is None:
        return
    if known is None:
        what = "the first deployment" if run.first else "a canary"
        yield Entry("Started", f"{what} of template {_short(run.target)} has begun", _key(run), at=run.started_at)
    yield from _questions(known, run)
    if run.stage is Stage.PROMOTING and (known is None or known.stage is not Stage.PROMOTING):
        yield Entry("Promoting", f"stable takes template {_short(run.target)}", _key(run))
    if run.ending is not None and (known is None or known.ending is None):
        yield _undoing(run.ending, _key(run))


def _questions(known: Run | None, run: Run) -> Iterator[Entry]:
    asked = {question.name: question for question in known.questions} if known is not None else {}
    for question in run.questions:
        old = asked.get(question.name)
        if old is None:
            yield Entry("Held", f"held until people answer {question.name} under policy {question.policy}", question.name)
        if question.passed and (old is None or not old.passed):
            text = f"{question.name} is approved, so policy {question.policy} is passed"
            yield Entry("Passed", text, question.name, at=question.passed_at)


def _undone(before: Run | None, last: LastRun) -> Iterator[Entry]:
    """That a run was undone, once it is over: who was to tell it on the way may have died, or there was no way to go."""
    was_told = before is not None and before.ending is not None and before.started_at == last.started_at
    if last.outcome is not Outcome.PROMOTED and last.started_at is not None and not was_told:
        yield replace(_undoing(last, _key(last)), at=last.at)


def _undoing(why: Ending | LastRun, key: str) -> Entry:
    """The same entry under way and afterwards."""
    text = f"{why.outcome}: {why.message}; what the run did is undone"
    return Entry("Undoing", text, f"{key}/{why.reason}", warning=why.outcome is not Outcome.SUPERSEDED)


def _ended(last: LastRun) -> Iterator[Entry]:
    key, bad = _instant(last.at), last.outcome not in (Outcome.PROMOTED, Outcome.SUPERSEDED)
    if last.outcome is Outcome.PROMOTED:
        yield Entry("Promoted", last.message or f"stable runs template {_short(last.target)}, verified", key, at=last.at)
        return
    yield Entry("RunEnded", f"{last.outcome}: {last.message}", key, warning=bad, at=last.at)
    if last.rolled_back is not None:
        reason = "RolledBack" if last.rolled_back else "NotRolledBack"
        yield Entry(reason, last.rolled_back_message, key, warning=bad or not last.rolled_back, at=last.at)


def _children(before: Record, after: Record) -> Iterator[Entry]:
    for track in Track:
        count = _put_back(after, track)
        if count > _put_back(before, track):
            yield Entry(CHILD_CHANGED, f"somebody else changed the child {track}; it is put back", f"{track}/{count}", True)
        now, old = after.track(track), before.track(track)
        override = now.override if now is not None else None
        if override is not None and (old is None or old.override != override):
            key = f"{track}/{override.target.template}/{override.retry}"
            yield Entry(OVERRIDDEN, f"the child {track} was changed by hand: {override.message}", key, True, tell=True)


def _stalled(before: Record, after: Record) -> Iterator[Entry]:
    now, old = after.condition(ConditionType.STALLED), before.condition(ConditionType.STALLED)
    if now is None or now.status != "True" or (old is not None and (old.status, old.reason) == (now.status, now.reason)):
        return
    yield Entry("Stalled", f"{now.reason}: {now.message}", f"{now.reason}/{_instant(now.since)}", True)


def _put_back(record: Record, track: Track) -> int:
    found = record.track(track)
    return found.put_back if found is not None else 0


def _key(run: Run | LastRun) -> str:
    return f"{run.target.template}/{run.target.strategy}/{_instant(run.started_at)}"


def _instant(at: datetime | None) -> str:
    return at.isoformat() if at is not None else ""


def _short(target: Target) -> str:
    return target.template.removeprefix("sha256:")[:_DIGITS]
