"""The decision: from what is observed to what is to be done. Total, deterministic, idempotent; it never raises.

Every trigger ends here: `decide(observed, now) -> Plan`. Holding is the resting state: with nothing to say, the plan is
the status as it is.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from gatehold.domain import ledger, prepare, refusals
from gatehold.domain.conditions import RolledBack, waiting_for, with_conditions
from gatehold.domain.effects import rules_for, rules_now
from gatehold.domain.effects.base import ALWAYS, Ending
from gatehold.domain.effects.left_out import held_back
from gatehold.domain.model import Verdict, Word
from gatehold.domain.phases import Phase, is_refused
from gatehold.domain.plan import PROVEN_WRITES, Finding, MarkDone, NoteRequest, Observed, Plan, Proof
from gatehold.domain.quorum import counted_approvals
from gatehold.domain.reasons import UNDER_WAY, ConditionType, Reason
from gatehold.domain.schedule import earliest, escalate, next_instant, whole
from gatehold.domain.status import By, Decision, EffectState, Status
from gatehold.domain.tiers import matching_tiers

SELDOM = timedelta(minutes=10)  # what stays in sight for good wakes by its subject; this is for what a watch lost
AGAIN = timedelta(seconds=30)  # what is undone, or refused, is looked at at least that often


def decide(observed: Observed, now: datetime) -> Plan:
    """What to do about a request, now (aware, UTC, the API server's time)."""
    request, status = observed.request, observed.status
    if request.done or request.deleting:
        return Plan(status)
    if not request.noted and not status.request_digest:
        return Plan(status, writes=(NoteRequest(),))
    status = replace(ledger.record(observed, status, now), observed_generation=request.generation)
    if status.phase in (Phase.UNSET, Phase.PENDING) and not status.request_digest:
        return _prepare(observed, status, now)
    if status.phase is Phase.PENDING:
        return _pending(observed, status, now)
    if status.phase is Phase.UNSET:  # nobody writes that, and what nobody writes is held
        return _wait(replace(status, phase=Phase.PENDING), None, now)
    if status.phase is Phase.APPROVED and request.has_effect:
        return _approved(observed, status, now)
    return _over(observed, status, now)


def _prepare(observed: Observed, status: Status, now: datetime) -> Plan:
    """Nobody was asked yet."""
    observed = replace(observed, status=status)
    held = prepare.why_held(observed)
    ending = _unasked_end(observed, status, now)
    if ending is not None:
        return _end(observed, status, ending, now)
    if held is None and observed.policy is not None:
        failed = prepare.why_failed(observed, observed.policy)
        if failed is not None:
            return _end(observed, status, Ending(Phase.FAILED, By.OPERATOR, failed), now)
        found = prepare.prepared(observed, observed.policy, now)
        if isinstance(found, Status):
            return _wait(found, None, now)
        held = found
    return _wait(prepare.hold(observed, now), held, now)


def _unasked_end(observed: Observed, status: Status, now: datetime) -> Ending | None:
    """How it ends before anybody was asked: nobody needs the answer any more, or it was held for too long."""
    known = rules_for(observed.request) is not None  # what is not known is `prepare`'s to refuse
    overtaken = rules_now(observed).verify(observed, status) if known else None
    if status.phase is not Phase.PENDING:
        return overtaken
    return _stopped(observed, status) or overtaken or _timed_out(status, now)


def _wait(status: Status, held: Finding | None, now: datetime) -> Plan:
    """Keep waiting, and say for what. Nobody tells when a queue has room again, so that is looked at now and then."""
    crowded = held is not None and held.reason is Reason.TOO_MANY_PENDING
    return Plan(
        with_conditions(status, held, None, now),
        recheck_at=earliest((next_instant(status), now + AGAIN if crowded else None)),
    )


def _pending(observed: Observed, status: Status, now: datetime) -> Plan:
    """People are asked. A no beats a yes, a changed subject beats both kinds of yes, a yes in time beats the clock."""
    ending = _stopped(observed, status) or rules_now(observed).verify(replace(observed, status=status), status)
    if ending is not None:
        return _end(observed, status, ending, now)
    decision = _yes(observed, status, now)
    if decision is not None and observed.wall_proven:
        gap = _unproven(observed, status)
        if gap is not None:
            return _end(observed, status, gap, now)
        if not observed.left_out:
            return _approve(observed, status, decision, now)
    expired = _timed_out(status, now, _why_unused(observed) if decision is not None else "")
    if expired is not None:
        return _end(observed, status, expired, now)
    status = escalate(status, now)
    return _wait(status, _why_pending(observed, status, decision), now)


def _why_pending(observed: Observed, status: Status, decision: Decision | None) -> Finding:
    """What to say while it waits. A wall that is down is said on each policy, and here only where it alone holds."""
    if observed.left_out:
        return held_back(observed)
    if decision is not None and not observed.wall_proven:
        text = "approved by people, but the admission policies are not proven in force; run: gatehold doctor"
        return Finding(Reason.WALL_NOT_PROVEN, text)
    if observed.unread:
        text = "a word was given that is not counted yet: nobody can tell now whether the admission policies are in force"
        return Finding(Reason.WALL_NOT_PROVEN, f"{text}; run: gatehold doctor")
    if not status.quorum and decision is None:
        text = "its tier would decide alone, and the operator no longer holds verb auto-approve on this policy"
        return Finding(Reason.POLICY_NOT_READY, text)
    return waiting_for(status)


def _stopped(observed: Observed, status: Status) -> Ending | None:
    """The end by a person's no, or by the requester's own word. A deny beats everything."""
    denied = ledger.first(status, Word.DENY)
    if denied is not None:
        finding = Finding(Reason.DENIED_BY_REVIEWER, f"{denied.username}: {denied.comment}")
        return Ending(Phase.DENIED, By.PEOPLE, finding)
    recorded = {entry.verdict.id for entry in status.verdicts}
    if any(verdict.word is Word.DENY and verdict.id not in recorded for verdict in observed.verdicts):
        finding = Finding(Reason.DENIED_BY_REVIEWER, "the ledger is full, and a denial that it cannot hold was given")
        return Ending(Phase.FAILED, By.OPERATOR, finding)
    back = ledger.first(status, Word.WITHDRAW)
    if back is not None:
        finding = Finding(Reason.WITHDRAWN_BY_REQUESTER, f"{back.username}: {back.comment}")
        return Ending(Phase.WITHDRAWN, By.REQUESTER, finding)
    return None


def _why_unused(observed: Observed) -> str:
    """What was missing where enough said yes in time."""
    if observed.left_out:
        return f"enough said yes, and Gates of type {observed.left_out} were left out of this installation until then"
    return "the admission policies were not proven in force in time"


def _timed_out(status: Status, now: datetime, unused: str = "") -> Ending | None:
    """The end by the clock. `unused`: why a yes was of no use, where enough was said."""
    if status.deadline is None or now < status.deadline:
        return None
    given = f" ({status.approvals} approvals)" if status.approvals else ""
    text = unused or "not enough approvals in time"
    return Ending(Phase.EXPIRED, By.TIME, Finding(Reason.DEADLINE_PASSED, f"{text}{given}"))


def _yes(observed: Observed, status: Status, now: datetime) -> Decision | None:
    """The decision that lets it pass, or None: people's first, then an automatic tier's."""
    passed = ledger.passed(status, now)
    if passed is not None:
        return passed
    if not status.quorum and observed.auto_approve_granted:
        tier = _tier(observed, status)
        text = f"tier {tier or '(gone since)'} of policy {observed.request.policy} decides alone"
        return Decision(Phase.APPROVED, By.POLICY, now, "", tier, Reason.POLICY_TIER, text)
    return None


def _tier(observed: Observed, status: Status) -> str:
    if observed.policy is None:
        return ""
    price = status.resolved.price if status.resolved is not None else None
    tiers = matching_tiers(observed.policy, observed.request, price)
    return next((tier.name for tier in tiers if tier.auto_approve), "")


def _approve(observed: Observed, status: Status, decision: Decision, now: datetime) -> Plan:
    """Record the yes and the prior state in one write; the effect's first write follows in the same plan."""
    validity = status.policy.validity_seconds if status.policy is not None else observed.rules.validity_seconds
    decision = replace(decision, message=decision.message[:1024])
    status = replace(status, phase=Phase.APPROVED, decision=decision, valid_until=whole(now + timedelta(seconds=validity)))
    if not observed.request.has_effect:
        return replace(_over(observed, status, now), proof=Proof.BEFORE_STATUS)
    rules = rules_now(observed)
    begun = rules.begin(observed, status)
    status = replace(status, effect=begun)
    if begun is not None and begun.state is EffectState.RUNNING:  # let go by this status itself, so it has to stand first
        return Plan(with_conditions(status, None, None, now), proof=Proof.BEFORE_STATUS, recheck_at=status.valid_until)
    plan = _approved(observed, status, now)
    if rules.proven_with_yes and plan.status.phase is Phase.APPROVED and plan.proof is Proof.NONE:
        # who uses the yes waits for the same look; what waits for something else says that it was done
        held = plan.status.condition(ConditionType.HELD)
        waits = held is not None and held.status == "True"
        return replace(plan, proof=Proof.BEFORE_STATUS if waits else Proof.BEFORE_WRITES)
    return plan


def _approved(observed: Observed, status: Status, now: datetime) -> Plan:
    """The effect is carried out; a deny or a withdrawal still stops it."""
    rules, before = rules_now(observed), status.effect
    begun = status.effect is None or status.effect.state is not EffectState.WAITING or rules.begun(observed)
    ending = _stopped(observed, status) or (None if begun else _unproven(observed, status))
    if ending is not None:
        return _end(observed, status, ending, now)
    step = rules.plan(replace(observed, status=status), status, now)
    status = replace(status, effect=step.effect)
    if step.ending is not None:
        return _end(observed, status, step.ending, now)
    waiting = step.effect is not None and step.effect.state is EffectState.WAITING and not observed.wall_proven
    text = "approved, but the admission policies are not proven in force: nothing is released"
    refused = refusals.finding(step.writes, observed.refusal, status.condition(ConditionType.HELD))
    held = Finding(Reason.WALL_NOT_PROVEN, text) if waiting else refused or step.held
    writes = refusals.left(step.writes, observed.refusal)
    releases = any(isinstance(write, PROVEN_WRITES) for write in writes)
    proof = Proof.BEFORE_WRITES if releases else Proof.NONE
    if releases and rules.proven_with_yes and step.effect != before:
        proof = Proof.BEFORE_STATUS  # with this status its yes counts as one that met the wall
    return Plan(with_conditions(status, held, None, now, stalled=step.stalled), writes, proof, step.recheck_at)


def _unproven(observed: Observed, status: Status) -> Ending | None:
    """Whether the yes rests on a word from a gap in the wall that was noticed after it was recorded."""
    words: list[Verdict] = [*counted_approvals(status.verdicts)]
    override = ledger.first(status, Word.OVERRIDE)
    if override is not None:
        words.append(override)
    if not any(word.id in observed.unproven for word in words):
        return None
    text = "an approval came while the admission policies were not in force; open a new request"
    return Ending(Phase.FAILED, By.OPERATOR, Finding(Reason.APPROVAL_UNPROVEN, text))


def _end(observed: Observed, status: Status, ending: Ending, now: datetime) -> Plan:
    """Close the question. Released keeps the decision that approved it; every other end has one of its own."""
    status = replace(status, phase=ending.phase)
    if is_refused(ending.phase):
        reason, message = ending.finding.reason, ending.finding.message[:1024]
        status = replace(status, decision=Decision(ending.phase, ending.by, now, reason=reason, message=message))
    return _over(observed, status, now)


def _over(observed: Observed, status: Status, now: datetime) -> Plan:
    """The end: undo what was done, verify it, tidy up, and say last of all that nothing is left to watch."""
    rules = rules_now(observed)
    observed = replace(observed, status=status)
    if not is_refused(status.phase):
        return _tidied(observed, with_conditions(status, None, None, now), now)
    known = status.condition(ConditionType.ROLLED_BACK)
    if known is not None and known.reason not in UNDER_WAY:
        return _tidied(observed, status, now)
    undo = rules.undo(observed, status, now)
    refused = refusals.finding(undo.writes, observed.refusal, known)
    rolled = RolledBack(undo.restored, refused or undo.finding, undo.stalled or refused is not None)
    status = with_conditions(replace(status, effect=undo.effect), None, rolled, now)
    if undo.restored is None:
        writes = refusals.left(undo.writes, observed.refusal)
        return Plan(status, writes, recheck_at=earliest((undo.recheck_at, now + AGAIN)))
    return _tidied(observed, status, now)


def _tidied(observed: Observed, status: Status, now: datetime) -> Plan:
    """The outcome stands: let the subject go, and say last of all that nothing is left to watch."""
    rules = rules_now(observed)
    until = rules.keep_until(observed, status)
    kept = until is not None and now < until
    planned = (*rules.settle(observed), *(() if kept else (MarkDone(),)))
    writes = refusals.left(planned, observed.refusal)
    if kept:
        return Plan(status, writes, recheck_at=now + SELDOM if until == ALWAYS else until)
    return Plan(status, writes, recheck_at=None if writes else now + AGAIN)
