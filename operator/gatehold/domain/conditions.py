"""Conditions, derived from the rest of the status: the contract with kubectl wait, Flux and Argo CD (kstatus)."""

from dataclasses import dataclass, replace
from datetime import datetime

from gatehold.domain.phases import Phase, is_refused
from gatehold.domain.plan import Finding
from gatehold.domain.quorum import tally
from gatehold.domain.reasons import ConditionType, Reason
from gatehold.domain.status import By, Condition, Status

Facts = dict[ConditionType, tuple[str, Finding]]


@dataclass(frozen=True, slots=True)
class RolledBack:
    """How the way back stands: `restored` is None while it goes on; `stalled`, it goes on and somebody has to look."""

    restored: bool | None
    finding: Finding
    stalled: bool = False


def with_conditions(
    status: Status, held: Finding | None, rolled: RolledBack | None, now: datetime, *, stalled: Finding | None = None
) -> Status:
    """State the conditions of a status. `held` says why a request waits, `rolled` how its undo stands.

    `stalled` says why an effect that goes on will hardly get further before somebody looks.
    """
    facts = _facts(status, held, rolled)
    if stalled is not None:
        facts |= _stalled(stalled, held)
    known = {c.type: c for c in status.conditions}
    for kind, (value, finding) in facts.items():
        old = known.get(kind)
        since = old.since if old is not None and old.status == value else now.replace(microsecond=0)
        generation = status.observed_generation
        known[kind] = Condition(kind, value, finding.reason, finding.message[:1024], since, generation)
    order = list(ConditionType)
    return replace(status, conditions=tuple(sorted(known.values(), key=lambda c: order.index(c.type))))


def _facts(status: Status, held: Finding | None, rolled: RolledBack | None) -> Facts:
    if status.phase is Phase.PENDING:
        return _waiting(held or waiting_for(status))
    if is_refused(status.phase):
        return _refused(status, rolled)
    return _passed(status, held)


def waiting_for(status: Status) -> Finding:
    """What is still missing, role by role: the sentence that a person reads first."""
    count = tally(status.verdicts, status.quorum)
    missing = [
        f"{need - given} of {' or '.join(entry.accepted)}"
        for given, need, entry in zip(count.given, count.needed, status.quorum, strict=True)
        if given < need
    ]
    until = f", until {status.deadline:%Y-%m-%dT%H:%M:%SZ}" if status.deadline else ""
    return Finding(Reason.AWAITING_APPROVAL, f"waiting for {', '.join(missing) or 'the policy'}{until}")


def _waiting(finding: Finding) -> Facts:
    return {
        ConditionType.READY: ("False", finding),
        ConditionType.RECONCILING: ("True", finding),
        ConditionType.STALLED: ("False", finding),
        ConditionType.HELD: ("True", finding),
        ConditionType.APPROVED: ("False", finding),
    }


def _passed(status: Status, held: Finding | None) -> Facts:
    """Approved on its way, or at the end."""
    approved = _decided(status)
    over = status.phase is Phase.RELEASED or status.effect is None
    text = status.effect.message if status.effect is not None else "approved; the requester goes on"
    at_end = Finding(Reason.EFFECT_COMPLETE, text) if status.phase is Phase.RELEASED else approved
    finding = held or (at_end if over else Finding(Reason.EFFECT_RUNNING, "approved, the effect is being carried out"))
    facts = {
        ConditionType.READY: ("True" if over else "False", finding),
        ConditionType.RECONCILING: ("False" if over else "True", finding),
        ConditionType.STALLED: ("False", finding),
        ConditionType.HELD: ("True" if held else "False", finding),
    }
    if status.phase is Phase.APPROVED:  # Released keeps the approval as it was stated
        facts[ConditionType.APPROVED] = ("True", approved)
        if status.decision is not None and status.decision.by is By.OVERRIDE:
            facts[ConditionType.OVERRIDDEN] = ("True", approved)
    return facts


def _stalled(stalled: Finding, held: Finding | None) -> Facts:
    """An effect under way that does not get on."""
    return {
        ConditionType.READY: ("False", held or stalled),
        ConditionType.RECONCILING: ("False", stalled),
        ConditionType.STALLED: ("True", stalled),
    }


def _refused(status: Status, rolled: RolledBack | None) -> Facts:
    ended = _decided(status)
    back = rolled or RolledBack(None, Finding(Reason.UNDOING, "looking at what has to be undone"))
    going = back.restored is None
    works = going and not back.stalled
    facts = {
        ConditionType.READY: ("False", ended),
        ConditionType.RECONCILING: ("True" if works else "False", back.finding if going else ended),
        ConditionType.STALLED: ("False" if works else "True", back.finding if back.stalled else ended),
        ConditionType.HELD: ("False", ended),
        ConditionType.APPROVED: ("False", ended),
        ConditionType.ROLLED_BACK: ("True" if back.restored else "False", back.finding),
    }
    if status.phase is Phase.DENIED:
        facts[ConditionType.DENIED] = ("True", ended)
    if status.phase is Phase.EXPIRED:
        facts[ConditionType.EXPIRED] = ("True", ended)
    if Reason.SUBJECT_OVERRIDDEN in (ended.reason, back.finding.reason):
        facts[ConditionType.OVERRIDDEN] = ("True", ended)
    return facts


def _decided(status: Status) -> Finding:
    decision = status.decision
    if decision is None or not decision.reason:
        return Finding(Reason.INVALID_REQUEST, "no decision is recorded")
    known = {reason.value: reason for reason in Reason}  # a word of a newer operator must not stop this one
    return Finding(known.get(decision.reason, Reason.INVALID_REQUEST), decision.message)
