"""A yes takes the pause away and is verified; a no aborts and is verified; what others do ends the question."""

from dataclasses import replace
from typing import Any

import pytest

from gatehold.domain.argo.model import AbortArgo, ArgoRollout, ArgoSight, ResumeArgo
from gatehold.domain.decide import decide
from gatehold.domain.effects import rules_for
from gatehold.domain.effects.promote import PromoteRules
from gatehold.domain.effects.promote_argo import PromoteArgoRules
from gatehold.domain.effects.undo_argo import STUCK
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Facts, MarkDone, Observed, Plan, Proof, Refusal
from gatehold.domain.reasons import ConditionType
from gatehold.domain.refusals import opening
from gatehold.domain.status import EffectState, Resolved, Status
from tests.argo import (
    GATE,
    OTHER,
    SHOWN,
    SUBJECT,
    aborted,
    accepted,
    argo_observed,
    argo_request,
    moving,
    paused,
    record,
    refused,
    sight,
    waiting,
)
from tests.builders import DIGEST, NOW, after, approve, deny, end, why
from tests.promotions import promote_request

RULES = PromoteArgoRules()
YES = (approve(username="bob"),)
REFUSED = (Phase.DENIED, Phase.EXPIRED, Phase.LAPSED, Phase.WITHDRAWN, Phase.FAILED, Phase.SUPERSEDED)


def rolled(plan: Plan) -> tuple[str, str]:
    found = plan.status.condition(ConditionType.ROLLED_BACK)
    assert found is not None
    return (found.status, found.reason)


def seen(status: Status, found: ArgoSight | None, **changes: Any) -> Observed:
    return argo_observed(status, facts=Facts(argo=found), **changes)


def state(plan: Plan) -> EffectState | None:
    return plan.status.effect.state if plan.status.effect is not None else None


# ---- asking
def test_by_the_group_of_its_subject_it_is_found() -> None:
    assert isinstance(rules_for(argo_request()), PromoteArgoRules)
    assert isinstance(rules_for(promote_request()), PromoteRules)
    assert rules_for(argo_request(subject=replace(SUBJECT, namespace="other"))) is None
    assert rules_for(argo_request(subject=None)) is None


def test_the_operator_asks_about_the_pause() -> None:
    plan = decide(argo_observed(Status()), NOW)

    assert (plan.status.phase, plan.status.request_digest, plan.writes) == (Phase.PENDING, DIGEST, ())
    assert plan.status.resolved == Resolved(argo=SHOWN)


UNASKED: dict[str, tuple[Observed, tuple[str, str]]] = {
    "by a user": (argo_observed(Status(), request=argo_request(gate="")), ("Failed", "EffectNotAllowed")),
    "nothing was read": (seen(Status(), None), ("Failed", "SubjectNotFound")),
    "it cannot be read": (seen(Status(), ArgoSight("tide", None, GATE, unread="odd")), ("Failed", "SubjectNotFound")),
    "it is gone": (seen(Status(), replace(sight(), rollout=None)), ("Superseded", "SubjectDeleted")),
    "it is on its way out": (argo_observed(Status(), paused(deleting=True)), ("Superseded", "SubjectDeleted")),
    "another of its name": (argo_observed(Status(), paused(uid="new")), ("Superseded", "SubjectDeleted")),
    "behind another gate": (seen(Status(), sight(label="other")), ("Superseded", "SubjectChanged")),
    "behind no gate": (seen(Status(), sight(label="")), ("Superseded", "SubjectChanged")),
    "a gate that asks nobody": (seen(Status(), sight(gate=None, why="gone")), ("Superseded", "GateNotFound")),
    "a gate that asks by another policy": (
        seen(Status(), sight(gate=replace(GATE, policy="other"))),
        ("Superseded", "PolicyMismatch"),
    ),
    "another pause": (argo_observed(Status(), paused(asks=OTHER)), ("Superseded", "SubjectChanged")),
    "it went on": (argo_observed(Status(), moving()), ("Superseded", "SubjectChanged")),
}


@pytest.mark.parametrize(("observed", "ended"), UNASKED.values(), ids=UNASKED)
def test_what_should_not_be_asked_is_not(observed: Observed, ended: tuple[str, str]) -> None:
    phase, _, reason = end(decide(observed, NOW).status)

    assert (phase, reason) == ended


# ---- waiting
ENDS: dict[str, tuple[ArgoRollout | None, tuple[str, str]]] = {
    "it is gone": (None, ("Superseded", "SubjectDeleted")),
    "somebody aborted it": (aborted(), ("Superseded", "SubjectChanged")),
    "another revision": (moving(pod_hash="newer"), ("Superseded", "SubjectChanged")),
    "its template was changed": (paused(asks=OTHER), ("Superseded", "SubjectChanged")),
    "somebody took the pause away": (moving(step=1, resuming=True), ("Superseded", "SubjectOverridden")),
    "somebody promoted it by a step": (moving(), ("Superseded", "SubjectOverridden")),
    "somebody promoted it in full": (moving(stable_hash="new", step=4), ("Superseded", "SubjectOverridden")),
    "its steps begin anew": (moving(step=0), ("Superseded", "SubjectChanged")),
}


@pytest.mark.parametrize(("rollout", "ended"), ENDS.values(), ids=ENDS)
def test_what_others_do_ends_the_question_and_nothing_is_put_back(
    rollout: ArgoRollout | None, ended: tuple[str, str]
) -> None:
    plan = decide(seen(waiting(), replace(sight(), rollout=rollout)), NOW)
    phase, _, reason = end(plan.status)

    assert (phase, reason) == ended
    assert rolled(plan) == ("True", "NothingToUndo")
    assert plan.writes == (MarkDone(),)


@pytest.mark.parametrize(
    "found",
    [
        ArgoSight("tide", None, GATE, unread="odd"),
        None,
        sight(paused(observed=False, stopped=True, other_pauses=("InconclusiveAnalysisRun",))),
        sight(gate=None, why="gone"),
        sight(gate=replace(GATE, policy="other")),
    ],
    ids=["unread", "nothing is known", "the same pause", "its gate is gone", "another policy by now"],
)
def test_it_is_still_asked_where(found: ArgoSight | None) -> None:
    assert decide(seen(waiting(), found), NOW).status.phase is Phase.PENDING


# ---- a yes
def test_a_yes_takes_the_pause_away_and_says_so_before() -> None:
    plan = decide(argo_observed(waiting(), verdicts=YES), NOW)

    assert (plan.status.phase, plan.writes, plan.proof) == (Phase.APPROVED, (ResumeArgo(paused()),), Proof.BEFORE_STATUS)
    effect = plan.status.effect
    assert effect is not None
    assert (effect.state, effect.started_at, effect.object) == (EffectState.RUNNING, NOW, record().object)


def test_nothing_is_let_go_while_the_wall_is_not_proven() -> None:
    first = decide(argo_observed(waiting(), verdicts=YES, wall_proven=False), NOW)
    later = decide(argo_observed(accepted(EffectState.WAITING), wall_proven=False), NOW)
    begun = decide(argo_observed(accepted(), wall_proven=False), NOW)

    assert (first.status.phase, first.writes) == (Phase.PENDING, ())
    assert [(plan.writes, why(plan.status)) for plan in (later, begun)] == [((), ("True", "WallNotProven"))] * 2


def test_who_died_before_the_write_begins_anew() -> None:
    plan = decide(argo_observed(accepted(EffectState.WAITING)), NOW)
    again = decide(argo_observed(accepted()), NOW)

    assert (plan.writes, plan.proof, state(plan)) == ((ResumeArgo(paused()),), Proof.BEFORE_STATUS, EffectState.RUNNING)
    assert (again.writes, again.proof) == ((ResumeArgo(paused()),), Proof.BEFORE_WRITES)
    assert again.status.effect == accepted().effect


def test_a_stopped_rollout_would_forget_it() -> None:
    first = decide(argo_observed(waiting(), paused(stopped=True), verdicts=YES), NOW)
    later = decide(argo_observed(accepted(EffectState.WAITING), paused(stopped=True)), after(900))

    assert (first.writes, first.proof, why(first.status)) == ((), Proof.BEFORE_STATUS, ("True", "RolloutStopped"))
    assert state(first) is EffectState.WAITING
    assert first.recheck_at == first.status.valid_until
    assert end(later.status) == ("Lapsed", "Time", "ValidityPassed")
    assert later.writes == (AbortArgo(paused(stopped=True)),)


def test_so_would_one_that_was_stopped_between_the_yes_and_its_write() -> None:
    held = decide(argo_observed(accepted(), paused(stopped=True)), NOW)
    again = decide(argo_observed(held.status, paused()), NOW)

    assert (held.writes, why(held.status), state(held)) == ((), ("True", "RolloutStopped"), EffectState.RUNNING)
    assert held.recheck_at is not None
    assert again.writes == (ResumeArgo(paused()),)


def test_it_waits_until_its_controller_goes_on() -> None:
    plan = decide(argo_observed(accepted(), moving(step=1, resuming=True)), NOW)

    assert (plan.status.phase, plan.writes) == (Phase.APPROVED, ())
    assert plan.recheck_at is not None


PASSED: dict[str, tuple[ArgoRollout, str]] = {
    "the next step": (moving(), "is at step 3 of 4"),
    "another pause": (paused(asks=OTHER, step=3), "is at step 4 of 4"),
    "promoted": (moving(stable_hash="new", step=4), "is promoted"),
}


@pytest.mark.parametrize(("rollout", "says"), PASSED.values(), ids=PASSED)
def test_it_is_released_once_it_was_seen_to_go_on(rollout: ArgoRollout, says: str) -> None:
    plan = decide(argo_observed(accepted(), rollout), NOW)

    assert plan.status.phase is Phase.RELEASED
    assert state(plan) is EffectState.DONE
    assert plan.status.effect is not None
    assert says in plan.status.effect.message
    assert plan.writes == (MarkDone(),)


def test_a_blue_green_rollout_is_released_once_it_has_the_traffic() -> None:
    shown = Resolved(argo=replace(SHOWN, step_index=None))
    there = moving(step=None, blue_green=True, active_hash="old")
    waits = decide(argo_observed(accepted(resolved=shown), there), NOW)
    done = decide(argo_observed(accepted(resolved=shown), replace(there, active_hash="new")), NOW)

    assert (waits.status.phase, done.status.phase) == (Phase.APPROVED, Phase.RELEASED)
    assert done.status.effect is not None
    assert "has the traffic" in done.status.effect.message


LOST: dict[str, tuple[Observed, tuple[str, str]]] = {
    "it is gone": (seen(accepted(), replace(sight(), rollout=None)), ("Superseded", "SubjectDeleted")),
    "another revision": (argo_observed(accepted(), moving(pod_hash="newer")), ("Superseded", "SubjectChanged")),
    "somebody aborted it": (argo_observed(accepted(), aborted()), ("Superseded", "SubjectChanged")),
    "it pauses there again": (argo_observed(accepted(), paused(asks=OTHER)), ("Superseded", "SubjectChanged")),
    "it does not go on": (
        argo_observed(accepted(effect=record(EffectState.RUNNING, started_at=after(-86_400))), moving(step=1)),
        ("Failed", "EffectTimedOut"),
    ),
    "nothing was recorded": (argo_observed(accepted(effect=None)), ("Failed", "InvalidRequest")),
    "nothing was resolved": (argo_observed(accepted(resolved=None)), ("Failed", "InvalidRequest")),
    "before it began": (argo_observed(accepted(EffectState.WAITING), moving()), ("Superseded", "SubjectOverridden")),
}


@pytest.mark.parametrize(("observed", "ended"), LOST.values(), ids=LOST)
def test_an_approved_one_ends_where(observed: Observed, ended: tuple[str, str]) -> None:
    phase, _, reason = end(decide(observed, NOW).status)

    assert (phase, reason) == ended


def test_what_cannot_be_read_is_waited_for() -> None:
    plan = decide(seen(accepted(), ArgoSight("tide", None, GATE, unread="odd")), NOW)
    first = decide(seen(accepted(EffectState.WAITING), ArgoSight("tide", None, GATE, unread="odd")), NOW)

    assert (plan.status.phase, plan.writes) == (Phase.APPROVED, ())
    assert (first.status.phase, first.writes) == (Phase.APPROVED, ())


# ---- a no
@pytest.mark.parametrize("phase", [Phase.DENIED, Phase.EXPIRED, Phase.LAPSED, Phase.WITHDRAWN, Phase.FAILED])
def test_anything_but_a_yes_aborts(phase: Phase) -> None:
    plan = decide(argo_observed(refused(phase)), NOW)

    assert (plan.writes, state(plan)) == ((AbortArgo(paused()),), EffectState.UNDOING)
    assert rolled(plan) == ("False", "Undoing")


def test_a_no_in_time_aborts_what_was_let_go() -> None:
    plan = decide(argo_observed(accepted(), moving(), verdicts=(approve(), deny(1, "bob"))), NOW)

    assert plan.status.phase is Phase.DENIED
    assert plan.writes == (AbortArgo(moving()),)


SERVES: dict[str, ArgoRollout] = {
    "a canary": aborted(),
    "a canary with a router": aborted(routed=True, updated=2),
    "blue-green": aborted(step=None, blue_green=True, updated=3, active_hash="old"),
}
NOT_YET: dict[str, ArgoRollout] = {
    "its controller has not seen it": aborted(abort_seen=False),
    "pods of the canary are there": aborted(updated=1),
    "the canary has traffic": aborted(routed=True, routed_weight=20),
    "stable lacks pods": aborted(available=2),
    "the new revision has the traffic": aborted(step=None, blue_green=True, active_hash="new"),
}


@pytest.mark.parametrize("rollout", SERVES.values(), ids=SERVES)
def test_it_is_undone_once_stable_serves(rollout: ArgoRollout) -> None:
    plan = decide(argo_observed(refused(state=EffectState.UNDOING), rollout), NOW)
    back = plan.status.condition(ConditionType.ROLLED_BACK)

    assert rolled(plan) == ("True", "UndoCompleted")
    assert back is not None
    assert "Git still holds the rejected revision new" in back.message
    assert plan.writes == (MarkDone(),)
    assert state(plan) is EffectState.UNDONE


@pytest.mark.parametrize("rollout", NOT_YET.values(), ids=NOT_YET)
def test_until_then_it_waits_and_says_so_in_the_end(rollout: ArgoRollout) -> None:
    first = decide(argo_observed(refused(), rollout), NOW)
    later = decide(argo_observed(first.status, rollout), NOW + STUCK)

    assert (first.writes, rolled(first)) == ((), ("False", "Undoing"))
    assert first.status.effect is not None
    assert first.status.effect.stopped_at == NOW
    assert rolled(later) == ("False", "UndoStuck")
    assert why(later.status, ConditionType.STALLED)[0] == "True"


def test_where_somebody_has_stopped_it_that_is_said_at_once() -> None:
    plan = decide(argo_observed(refused(), aborted(updated=1, stopped=True)), NOW)

    assert (plan.writes, rolled(plan)) == ((), ("False", "UndoStuck"))
    back = plan.status.condition(ConditionType.ROLLED_BACK)
    assert back is not None
    assert "spec.paused keeps its pods as they are: set it to false" in back.message


BACK: dict[str, tuple[Observed, tuple[str, str]]] = {
    "it is gone": (seen(refused(), replace(sight(), rollout=None)), ("True", "NothingToUndo")),
    "another revision": (argo_observed(refused(), moving(pod_hash="newer")), ("True", "NothingToUndo")),
    "behind no gate any more": (seen(refused(), sight(label="")), ("True", "NothingToUndo")),
    "somebody retried it": (
        argo_observed(refused(effect=record(EffectState.UNDOING, stopped_at=after(-3))), paused(asks=OTHER)),
        ("True", "UndoCompleted"),
    ),
    "somebody retried it before that was recorded": (
        argo_observed(refused(state=EffectState.UNDOING), moving(step=0)),
        ("True", "UndoCompleted"),
    ),
    "somebody retried it before that was recorded, and it stands there again": (
        argo_observed(refused(state=EffectState.UNDOING), paused(asks=OTHER, paused_at=after(-1))),
        ("True", "UndoCompleted"),
    ),
    "the same of blue-green": (
        argo_observed(
            refused(state=EffectState.UNDOING, resolved=Resolved(argo=replace(SHOWN, step_index=None))),
            paused(step=None, blue_green=True, asks=OTHER, paused_at=after(-1)),
        ),
        ("True", "UndoCompleted"),
    ),
    "promoted before the no": (
        argo_observed(refused(state=EffectState.RUNNING), moving(stable_hash="new", step=4)),
        ("False", "UndoFailed"),
    ),
    "let go by another hand": (argo_observed(refused(), moving()), ("False", "SubjectOverridden")),
    "nobody was asked, and it went on": (
        argo_observed(refused(Phase.FAILED, resolved=None), moving()),
        ("True", "NothingToUndo"),
    ),
    "nobody knows": (seen(refused(), None), ("False", "UndoStuck")),
    "it cannot be read": (seen(refused(), ArgoSight("tide", None, GATE, unread="odd")), ("False", "UndoStuck")),
}


@pytest.mark.parametrize(("observed", "back"), BACK.values(), ids=BACK)
def test_what_is_not_to_be_aborted_is_not(observed: Observed, back: tuple[str, str]) -> None:
    plan = decide(observed, NOW)

    assert rolled(plan) == back
    assert not any(isinstance(write, AbortArgo) for write in plan.writes)


@pytest.mark.parametrize(
    "rollout", [paused(), moving(step=1, resuming=True), moving()], ids=["at that pause", "resuming", "further on"]
)
def test_who_died_before_the_abort_aborts(rollout: ArgoRollout) -> None:
    plan = decide(argo_observed(refused(state=EffectState.UNDOING), rollout), NOW)

    assert plan.writes == (AbortArgo(rollout),)


def test_one_that_was_never_asked_about_and_waits_is_aborted() -> None:
    plan = decide(argo_observed(refused(Phase.FAILED, resolved=None)), NOW)
    again = decide(argo_observed(plan.status), NOW)

    assert plan.writes == again.writes == (AbortArgo(paused()),)


# ---- whatever meets
STATUSES: dict[str, Status] = {
    "unseen": Status(),
    "asked": waiting(),
    "approved": accepted(EffectState.WAITING),
    "running": accepted(),
    **{f"{phase}, {state}": refused(phase, state) for phase in REFUSED for state in (None, EffectState.RUNNING)},
    "being undone": refused(state=EffectState.UNDOING),
    "seen aborted": refused(effect=record(EffectState.UNDOING, stopped_at=after(-3))),
}
THERE: dict[str, ArgoSight | None] = {
    "unknown": None,
    "unread": ArgoSight("tide", None, GATE, unread="odd"),
    "gone": replace(sight(), rollout=None),
    "ungated": sight(label=""),
    "no gate": sight(gate=None, why="gone"),
    **{
        name: sight(rollout)
        for name, rollout in {
            "paused": paused(),
            "elsewhere": paused(asks=OTHER),
            "stopped": paused(stopped=True),
            "resuming": moving(step=1, resuming=True),
            "moving": moving(),
            "promoted": moving(stable_hash="new", step=4),
            "newer": moving(pod_hash="newer"),
            "aborting": aborted(abort_seen=False),
            "aborted": aborted(),
        }.items()
    },
}


@pytest.mark.parametrize("found", THERE.values(), ids=THERE)
@pytest.mark.parametrize("status", STATUSES.values(), ids=STATUSES)
def test_what_is_decided_stands(status: Status, found: ArgoSight | None) -> None:
    first = decide(seen(status, found), NOW)
    second = decide(seen(first.status, found), NOW)

    assert second.status == first.status
    assert [write for write in second.writes if not isinstance(write, MarkDone)] == [
        write for write in first.writes if not isinstance(write, MarkDone)
    ]
    for write in first.writes:
        rollout = found.rollout if found is not None else None
        assert isinstance(write, MarkDone) or write.rollout == rollout  # type: ignore[union-attr]
        if isinstance(write, ResumeArgo):  # only after a yes, of that very pause, which is told before
            assert first.status.phase is Phase.APPROVED
            assert state(first) is EffectState.RUNNING
            assert rollout is not None
            assert rollout.asks == SUBJECT.digest


# ---- the rest
def test_a_write_that_is_refused_is_said() -> None:
    write = ResumeArgo(paused())
    plan = decide(argo_observed(accepted(), refusal=Refusal(write, "no")), NOW)

    assert (plan.writes, why(plan.status)) == ((), ("True", "WriteRefused"))
    assert opening(write) == "the API server refuses to let Rollout web go on"
    assert opening(AbortArgo(paused())) == "the API server refuses to abort Rollout web"


def test_the_rules_alone() -> None:
    gone = seen(accepted(), replace(sight(), rollout=None))

    assert RULES.begun(gone) is False
    assert RULES.begin(gone, accepted()) is None
    assert RULES.settle(gone) == ()
    assert RULES.keep_until(gone, accepted()) is None
    assert RULES.check(argo_observed(Status())) is None
    without = argo_observed(accepted(), request=argo_request(subject=None))
    assert RULES.verify(without, accepted()) is not None
    assert RULES.undo(argo_observed(refused(), request=argo_request(subject=None)), refused(), NOW).restored is True
