"""What there is to tell: the entries between two statuses, for Events and notices. Deterministic, so a retry repeats it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from gatehold.domain import ledger
from gatehold.domain.conditions import waiting_for
from gatehold.domain.model import EffectType
from gatehold.domain.phases import Phase, is_refused
from gatehold.domain.reasons import UNDER_WAY, ConditionType, Reason
from gatehold.domain.status import By, Decision, EffectState, EffectStatus, NodeState, Status

OVERRIDDEN = "Overridden"
"""The reason of the entry that nobody may overlook: somebody broke the glass."""

WRITE_REFUSED = "WriteRefused"
"""The reason of the entry about a write that the API server refuses; keyed by the first words of its message."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `key` tells entries of the same reason apart; `tell` people, not only the record.

    `at` is when, where the status says so: what is told again after a crash did not happen again.
    """

    reason: str
    message: str
    key: str = ""
    warning: bool = False
    tell: bool = False
    at: datetime | None = None


def story(before: Status, after: Status) -> tuple[Entry, ...]:
    """Everything that happened between two statuses, in order. From the empty status: the whole story."""
    return (*_asked(before, after), *_said(before, after), *_decided(before, after), *_done(before, after))


def _asked(before: Status, after: Status) -> Iterator[Entry]:
    if after.request_digest and not before.request_digest:
        asked = replace(after, verdicts=(), quorum=tuple(replace(q, accepted=(q.role,)) for q in after.quorum))
        text = waiting_for(asked).message  # as it was said then, whoever has answered since
        yield Entry("Waiting", f"{text}; digest {after.request_digest}", tell=True, at=after.prepared_at)
    opened = {step.after_seconds for step in before.escalations if step.opened_at is not None}
    for step in after.escalations:
        if step.opened_at is not None and step.after_seconds not in opened:
            text = f"nobody answered for {step.after_seconds} s, {', '.join(step.roles)} may answer too"
            yield Entry("Escalated", text, key=str(step.after_seconds), tell=True, at=step.opened_at)


def _said(before: Status, after: Status) -> Iterator[Entry]:
    known = {entry.verdict.id for entry in before.verdicts}
    for entry in after.verdicts:
        verdict = entry.verdict
        if verdict.id in known:
            continue
        role = f" as {verdict.role}" if verdict.role else ""
        count = "" if entry.counted else f" (not counted: {entry.reason})"
        text = f"{verdict.username}{role}: {verdict.word}{count}: {verdict.comment}"
        yield Entry("VerdictRecorded", text, key=str(verdict.id), warning=not entry.counted, at=entry.observed_at)


def _decided(before: Status, after: Status) -> Iterator[Entry]:
    """The decisions. Where a no took the place of a yes, the yes is told too: its own moment may not have been told."""
    decision = after.decision
    if decision is None or decision == before.decision:
        return
    if is_refused(decision.outcome) and after.valid_until is not None and before.valid_until is None:
        yield from _outcome(_had_passed(after, after.valid_until))
    yield from _outcome(decision)


def _had_passed(after: Status, valid_until: datetime) -> Decision:
    """The yes that does not stand in the status any more, found again in the ledger. The words of a tier are gone."""
    lasts = after.policy.validity_seconds if after.policy is not None else 0
    at = valid_until - timedelta(seconds=lasts)
    by_tier = Decision(
        Phase.APPROVED, By.POLICY, at, reason=Reason.POLICY_TIER, message="a tier of its policy decided alone"
    )
    return ledger.passed(after, at) or by_tier


def _outcome(decision: Decision) -> Iterator[Entry]:
    loud = is_refused(decision.outcome) or decision.by is By.OVERRIDE
    yield Entry(decision.outcome, decision.message, warning=loud, tell=True, at=decision.at)
    if decision.by is By.OVERRIDE or decision.reason == Reason.SUBJECT_OVERRIDDEN:
        yield Entry(OVERRIDDEN, decision.message, warning=True, tell=True, at=decision.at)


def _done(before: Status, after: Status) -> Iterator[Entry]:
    effect, old = after.effect, before.effect
    if effect is not None and effect.started_at is not None and (old is None or old.started_at is None):
        yield Entry("EffectStarted", _started(effect), at=effect.started_at)
    yield from _drained(before, after)
    if after.phase is Phase.RELEASED and before.phase is not Phase.RELEASED:
        message, at = (effect.message, effect.finished_at) if effect is not None else ("", None)
        yield Entry("Released", message, tell=True, at=at)
    undo = effect.undo if effect is not None else None
    begun = old is not None and old.undo is not None and old.undo.state is not EffectState.WAITING
    if undo is not None and undo.state is not EffectState.WAITING and not begun:
        yield Entry("UndoStarted", f"undo Job {undo.object.name} runs", warning=True, at=undo.started_at)
    yield from _refused(before, after)
    yield from _rolled_back(before, after)


def _started(effect: EffectStatus) -> str:
    name = effect.object.name if effect.object is not None else ""
    if effect.type is EffectType.DRAIN:
        return f"Drain of {len(effect.nodes)} {'node' if len(effect.nodes) == 1 else 'nodes'} has begun"
    if effect.object is not None and effect.object.kind == "Node":
        return f"the drain of node {name} may go on"
    if effect.type is EffectType.PROMOTE:
        return f"Rollout {name} has used the approval and goes on"
    return f"{effect.type} of {name} has begun"


def _drained(before: Status, after: Status) -> Iterator[Entry]:
    """The nodes of a drain, one by one, and what keeps it from getting on."""
    known = {row.name: row.state for row in (before.effect.nodes if before.effect is not None else ())}
    for row in after.effect.nodes if after.effect is not None else ():
        if row.state is not known.get(row.name) and row.state in (NodeState.DRAINED, NodeState.UNCORDONED):
            yield Entry(f"Node{row.state}", f"node {row.name} is {row.state.lower()}", key=row.name)
    now, was = after.condition(ConditionType.STALLED), before.condition(ConditionType.STALLED)
    if after.phase is not Phase.APPROVED or now is None or now.status != "True":
        return
    if was is None or (was.status, was.reason) != (now.status, now.reason):
        yield Entry("EffectStalled", now.message, key=now.reason, warning=True, tell=True)


def _refused(before: Status, after: Status) -> Iterator[Entry]:
    """A write that the API server refuses; its first words, up to the colon, say which."""
    for kind in (ConditionType.HELD, ConditionType.ROLLED_BACK):
        now, was = after.condition(kind), before.condition(kind)
        if now is None or now.reason != Reason.WRITE_REFUSED or (was is not None and was.message == now.message):
            continue
        yield Entry(WRITE_REFUSED, now.message, key=now.message.partition(":")[0], warning=True, tell=True)


def _rolled_back(before: Status, after: Status) -> Iterator[Entry]:
    now, was = after.condition(ConditionType.ROLLED_BACK), before.condition(ConditionType.ROLLED_BACK)
    if now is None or (was is not None and was.reason == now.reason):
        return
    if now.reason in (Reason.UNDOING, Reason.WRITE_REFUSED, Reason.NOTHING_TO_UNDO):
        return
    if now.reason in UNDER_WAY:  # it may happen to each of the two Jobs: the first words say which
        key = f"{now.reason}/{now.message.partition(':')[0]}"
        yield Entry("RollbackStalled", now.message, key=key, warning=True, tell=True)
        return
    word = "RolledBack" if now.status == "True" else "RollbackFailed"
    ended = after.effect.undo or after.effect if after.effect is not None else None
    at = ended.finished_at if ended is not None else None
    yield Entry(word, now.message, key=now.reason, warning=now.status != "True", tell=True, at=at)
