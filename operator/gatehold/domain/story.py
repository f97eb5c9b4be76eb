"""What there is to tell: the entries between two statuses, for Events and notices. Deterministic, so a retry repeats it."""

from collections.abc import Iterator
from dataclasses import dataclass

from gatehold.domain.phases import Phase, is_refused
from gatehold.domain.reasons import ConditionType, Reason
from gatehold.domain.status import By, EffectState, Status

OVERRIDDEN = "Overridden"
"""The reason of the entry that nobody may overlook: somebody broke the glass."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `key` tells entries of the same reason apart; `tell` people, not only the record."""

    reason: str
    message: str
    key: str = ""
    warning: bool = False
    tell: bool = False


def story(before: Status, after: Status) -> tuple[Entry, ...]:
    """Everything that happened between two statuses, in order. From the empty status: the whole story."""
    return (*_asked(before, after), *_said(before, after), *_decided(before, after), *_done(before, after))


def _asked(before: Status, after: Status) -> Iterator[Entry]:
    if after.request_digest and not before.request_digest:
        held = after.condition(ConditionType.HELD)
        text = held.message if held is not None and after.phase is Phase.PENDING else "reviewers were asked"
        yield Entry("Waiting", f"{text}; digest {after.request_digest}", tell=True)
    opened = {step.after_seconds for step in before.escalations if step.opened_at is not None}
    for step in after.escalations:
        if step.opened_at is not None and step.after_seconds not in opened:
            text = f"nobody answered for {step.after_seconds} s, {', '.join(step.roles)} may answer too"
            yield Entry("Escalated", text, key=str(step.after_seconds), tell=True)


def _said(before: Status, after: Status) -> Iterator[Entry]:
    known = {entry.verdict.id for entry in before.verdicts}
    for entry in after.verdicts:
        verdict = entry.verdict
        if verdict.id in known:
            continue
        role = f" as {verdict.role}" if verdict.role else ""
        count = "" if entry.counted else f" (not counted: {entry.reason})"
        text = f"{verdict.username}{role}: {verdict.word}{count}: {verdict.comment}"
        yield Entry("VerdictRecorded", text, key=str(verdict.id), warning=not entry.counted)


def _decided(before: Status, after: Status) -> Iterator[Entry]:
    """The decisions. A record that was Approved before it ended otherwise has told so at the time."""
    decision = after.decision
    if decision is None or decision == before.decision:
        return
    loud = is_refused(decision.outcome) or decision.by is By.OVERRIDE
    yield Entry(decision.outcome, decision.message, warning=loud, tell=True)
    if decision.by is By.OVERRIDE or decision.reason == Reason.SUBJECT_OVERRIDDEN:
        yield Entry(OVERRIDDEN, decision.message, warning=True, tell=True)


def _done(before: Status, after: Status) -> Iterator[Entry]:
    effect, old = after.effect, before.effect
    if effect is not None and effect.started_at is not None and (old is None or old.started_at is None):
        name = effect.object.name if effect.object is not None else ""
        yield Entry("EffectStarted", f"{effect.type} of {name} has begun")
    if after.phase is Phase.RELEASED and before.phase is not Phase.RELEASED:
        yield Entry("Released", effect.message if effect is not None else "", tell=True)
    undo = effect.undo if effect is not None else None
    begun = old is not None and old.undo is not None and old.undo.state is not EffectState.WAITING
    if undo is not None and undo.state is not EffectState.WAITING and not begun:
        yield Entry("UndoStarted", f"undo Job {undo.object.name} runs", warning=True)
    yield from _rolled_back(before, after)


def _rolled_back(before: Status, after: Status) -> Iterator[Entry]:
    now, was = after.condition(ConditionType.ROLLED_BACK), before.condition(ConditionType.ROLLED_BACK)
    if now is None or now.reason == Reason.UNDOING or (was is not None and was.reason == now.reason):
        return
    if now.reason == Reason.NOTHING_TO_UNDO:
        return
    word = "RolledBack" if now.status == "True" else "RollbackFailed"
    yield Entry(word, now.message, key=now.reason, warning=now.status != "True", tell=True)
