"""Requests of a type of Gates that the installation leaves out: held as they are, and gone on with once it is back."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.domain.decide import decide
from gatehold.domain.effects import EFFECTS, rules_for, rules_now
from gatehold.domain.effects.left_out import LeftOut
from gatehold.domain.model import Effect, EffectType, GateType
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Facts, MarkDone, NoteRequest, Observed
from gatehold.domain.reasons import ConditionType, Reason
from gatehold.domain.status import EffectState, Status
from tests import argo, drains, promotions, provisions
from tests.builders import NOW, after, approve, concluded, deny, end, ended, pending, recorded, why
from tests.domain.strategies import observeds
from tests.domain.wall import objections

HELD = ("True", "GateLeftOut")
WAITING = EffectState.WAITING
TYPES = {
    "a canary": (promotions.promote_observed(promotions.asked()), GateType.ROLLOUTS),
    "a pause of Argo Rollouts": (argo.argo_observed(argo.waiting()), GateType.ARGO_ROLLOUTS),
    "a drain": (drains.drain_observed(drains.asked()), GateType.DRAINS),
    "a held drain": (drains.held_observed(pending(resolved=drains.shown(gate="gpu"))), GateType.DRAINS),
    "pods": (provisions.pods_observed(provisions.pods_pending()), GateType.PODS),
}
BEGUN = {
    "a canary that runs": promotions.promote_observed(promotions.accepted(EffectState.RUNNING)),
    "a pause that may be over": argo.argo_observed(argo.accepted()),
    "a drain that is not begun": drains.drain_observed(drains.going()),
    "a drain that runs": drains.drain_observed(drains.going(drains.row(state=drains.NodeState.DRAINING))),
    "a held drain that was let go": drains.held_observed(drains.let_go()),
}
REFUSED = {
    "a canary": promotions.promote_observed(ended(Phase.DENIED, effect=promotions.record(EffectState.UNDOING))),
    "a pause of Argo Rollouts, never approved": argo.argo_observed(argo.refused(Phase.EXPIRED)),
    "a drain that ran": drains.drain_observed(drains.stopped(drains.row(state=drains.NodeState.CORDONED))),
    "a held drain, never approved": drains.held_observed(ended(Phase.DENIED, effect=None)),
    "pods, never approved": provisions.pods_observed(ended(Phase.EXPIRED, effect=None)),
}


def without(seen: Observed) -> Observed:
    """The same where its type of Gates is left out: nothing is read."""
    rules = rules_for(seen.request)
    assert rules is not None
    return replace(seen, left_out=rules.gate, facts=Facts(), resolved=None)


def said(status: Status, kind: ConditionType = ConditionType.HELD) -> str:
    found = status.condition(kind)
    return found.message if found is not None else ""


def test_every_type_of_gates_has_an_effect_and_a_held_job_has_no_gate() -> None:
    of_all = [rules.gate for kinds in EFFECTS.values() for rules in kinds]

    assert {gate for gate in of_all if gate is not None} == set(GateType)
    assert sum(gate is None for gate in of_all) == len(("none", "a held Job"))


@pytest.mark.parametrize(("seen", "gate"), TYPES.values(), ids=TYPES)
def test_a_question_waits_on_and_says_what_to_do(seen: Observed, gate: GateType) -> None:
    plan = decide(without(seen), NOW)

    assert (plan.status.phase, why(plan.status), plan.writes) == (Phase.PENDING, HELD, ())
    assert f"this installation leaves Gates of type {gate} out (gates." in said(plan.status)
    assert "docs/how-to/uninstall.md" in said(plan.status)
    assert plan.status.deadline == seen.status.deadline


@pytest.mark.parametrize(("seen", "gate"), TYPES.values(), ids=TYPES)
def test_a_yes_is_kept_and_used_once_the_type_is_back(seen: Observed, gate: GateType) -> None:
    answered = replace(seen, verdicts=(approve(0, "erin"),))
    kept = decide(without(answered), NOW).status
    back = decide(replace(answered, status=kept), after(60))

    assert (kept.phase, kept.approvals, why(kept), kept.effect) == (Phase.PENDING, "1/1", HELD, None)
    assert (back.status.phase, back.status.verdicts) == (Phase.APPROVED, kept.verdicts)
    assert why(back.status)[1] != HELD[1]


@pytest.mark.parametrize(("seen", "gate"), TYPES.values(), ids=TYPES)
def test_its_time_ends_it_and_says_so_where_enough_said_yes(seen: Observed, gate: GateType) -> None:
    late, yes = replace(seen.status, deadline=after(-1)), recorded(approve(), -60)
    unanswered = decide(without(replace(seen, status=late)), NOW).status
    answered = decide(without(replace(seen, status=replace(late, verdicts=(yes,)))), NOW).status

    assert end(unanswered) == end(answered) == ("Expired", "Time", "DeadlinePassed")
    assert unanswered.decision is not None
    assert answered.decision is not None
    assert unanswered.decision.message.startswith("not enough approvals in time")
    assert answered.decision.message.startswith(f"enough said yes, and Gates of type {gate} were left out")


def test_a_yes_that_is_in_doubt_ends_it_now_for_the_doubt_may_be_forgotten() -> None:
    seen = drains.drain_observed(drains.asked(verdicts=(recorded(approve(), -60),)), unproven=frozenset({0}))
    approved = drains.drain_observed(drains.going(), unproven=frozenset({0}))

    assert end(decide(without(seen), NOW).status)[2] == Reason.APPROVAL_UNPROVEN
    assert end(decide(without(approved), NOW).status)[2] == Reason.APPROVAL_UNPROVEN


@pytest.mark.parametrize("seen", [TYPES["pods"][0], TYPES["a held drain"][0]], ids=["pods", "a held drain"])
@pytest.mark.parametrize("status", [Status(), Status(phase=Phase.PENDING)], ids=["new", "held before"])
def test_what_a_gate_has_not_asked_yet_is_asked_once_it_is_back(seen: Observed, status: Status) -> None:
    plan = decide(without(replace(seen, status=status)), NOW)
    back = decide(replace(seen, status=plan.status), after(60))

    assert (plan.status.phase, plan.status.request_digest, why(plan.status)) == (Phase.PENDING, "", HELD)
    assert why(back.status) == ("True", "AwaitingApproval")
    assert back.status.request_digest


def test_a_gate_that_is_left_out_is_told_before_a_policy_that_is_missing() -> None:
    assert why(decide(without(provisions.pods_observed(Status(), policy=None)), NOW).status) == HELD


def test_a_persons_new_request_fails_at_once_and_says_what_to_do() -> None:
    status = decide(without(drains.drain_observed(Status())), NOW).status

    assert end(status) == ("Failed", "Operator", "GateLeftOut")
    assert status.decision is not None
    assert "switch them on, and ask again" in status.decision.message
    assert why(status, ConditionType.ROLLED_BACK) == ("True", "NothingToUndo")


@pytest.mark.parametrize("seen", BEGUN.values(), ids=BEGUN)
def test_what_is_under_way_stands_still_whatever_its_time(seen: Observed) -> None:
    late = replace(seen, status=replace(seen.status, valid_until=after(-90_000)))
    plan = decide(without(late), NOW)

    assert (plan.status.phase, plan.status.effect, plan.writes) == (Phase.APPROVED, seen.status.effect, ())
    assert why(plan.status) == why(plan.status, ConditionType.STALLED) == HELD
    assert plan.recheck_at is not None


@pytest.mark.parametrize("seen", BEGUN.values(), ids=BEGUN)
def test_a_no_ends_it_and_its_undo_waits(seen: Observed) -> None:
    plan = decide(without(replace(seen, verdicts=(approve(), deny(1, "bob")))), NOW)

    assert end(plan.status)[:2] == ("Denied", "People")
    assert why(plan.status, ConditionType.ROLLED_BACK) == ("False", "GateLeftOut")
    assert (plan.writes, plan.status.effect) == ((), seen.status.effect)


@pytest.mark.parametrize("seen", REFUSED.values(), ids=REFUSED)
def test_an_undo_waits_loudly_and_is_done_once_the_type_is_back(seen: Observed) -> None:
    plan = decide(without(seen), NOW)
    back, never = decide(replace(seen, status=plan.status), after(60)), decide(seen, after(60))

    assert (plan.status.effect, plan.writes) == (seen.status.effect, ())
    assert why(plan.status, ConditionType.ROLLED_BACK) == ("False", "GateLeftOut")
    assert why(plan.status, ConditionType.STALLED) == HELD
    assert "is not put back" in said(plan.status, ConditionType.ROLLED_BACK)
    assert (back.writes, back.status.effect) == (never.writes, never.status.effect)
    assert why(back.status, ConditionType.ROLLED_BACK) == why(never.status, ConditionType.ROLLED_BACK)


def test_a_drain_that_was_never_approved_is_over() -> None:
    plan = decide(without(drains.drain_observed(ended(Phase.DENIED, effect=None))), NOW)

    assert why(plan.status, ConditionType.ROLLED_BACK) == ("True", "NothingToUndo")
    assert plan.writes == (MarkDone(),)


@pytest.mark.parametrize("phase", [Phase.RELEASED, Phase.SUPERSEDED, Phase.DENIED])
def test_what_was_answered_about_pods_is_remembered(phase: Phase) -> None:
    status = ended(phase) if phase is not Phase.RELEASED else replace(ended(Phase.DENIED), phase=phase)
    plan = decide(without(provisions.pods_observed(concluded(status))), NOW)

    assert MarkDone() not in plan.writes
    assert plan.recheck_at is not None


def test_the_rules_in_the_place_of_others_support_and_begin_nothing() -> None:
    seen = without(TYPES["a drain"][0])
    rules = rules_now(seen)

    assert isinstance(rules, LeftOut)
    assert (rules.gate, rules.supports(seen.request), rules.begun(seen)) == (None, False, False)
    assert (rules.begin(seen, seen.status), rules.settle(seen)) == (None, ())
    found = rules.check(seen)
    assert found is not None
    assert found.reason is Reason.GATE_LEFT_OUT


@given(observeds(st.sampled_from([Effect(EffectType.PROMOTE), Effect(EffectType.DRAIN)])), st.sampled_from(GateType))
def test_whatever_is_known_nothing_is_released_touched_or_begun(seen: Observed, gate: GateType) -> None:
    plan = decide(replace(seen, left_out=gate, facts=Facts()), NOW)
    before, after_ = seen.status, plan.status

    assert set(plan.writes) <= {NoteRequest(), MarkDone()}
    assert after_.effect == before.effect
    assert after_.phase is before.phase or after_.phase not in (Phase.APPROVED, Phase.RELEASED)
    assert after_.request_digest == before.request_digest
    assert objections(before, after_, seen) == []
    again = decide(replace(seen, status=after_, left_out=gate, facts=Facts()), NOW).status
    # what was said before anybody had looked ends it in two steps: the first says that it was looked at
    assert again == after_ or before.phase is Phase.UNSET
    assert decide(replace(seen, status=again, left_out=gate, facts=Facts()), NOW).status == again
