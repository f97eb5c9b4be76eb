"""Effect Promote: the request says what its Rollout's record says, in every order of events, and does nothing itself."""

from dataclasses import replace

import pytest

from gatehold.domain.decide import decide
from gatehold.domain.effects.promote import AGAIN, PromoteRules, facts
from gatehold.domain.model import EffectType
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Facts, MarkDone, Observed, Proof, RolloutFacts
from gatehold.domain.reasons import ConditionType, Reason
from gatehold.domain.rollout.record import Outcome, Record, RequestRef, Run, Stage, TrackRecord, Wanted
from gatehold.domain.status import Condition, EffectState, Status
from tests.builders import NOW, after, approve, deny, end, ended, override, policy, why
from tests.promotions import (
    IMAGES,
    NAME,
    TARGET,
    accepted,
    asked,
    at_rest,
    ending,
    last_run,
    passed,
    promote_observed,
    promote_request,
    question,
    record,
    rollout,
)

UNASKED = Status(observed_generation=1, phase=Phase.PENDING, deadline=after(100))
RUNNING = accepted(EffectState.RUNNING)
OTHER = rollout(question=None)
SUBJECT = promote_request().subject
assert SUBJECT is not None


def back(status: Status) -> tuple[str, str]:
    return why(status, ConditionType.ROLLED_BACK)


def test_people_are_asked_about_what_the_operator_read_itself() -> None:
    plan = decide(promote_observed(), NOW)

    assert why(plan.status) == ("True", "AwaitingApproval")
    assert (plan.status.phase, plan.status.resolved, plan.writes, plan.proof) == (Phase.PENDING, IMAGES, (), Proof.NONE)


NOT_ASKED: dict[str, tuple[Observed, tuple[str, str, str]]] = {
    "no Gate asks": (
        promote_observed(request=promote_request(gate="")),
        ("Failed", "Operator", "EffectNotAllowed"),
    ),
    "the policy does not list the effect": (
        promote_observed(policy=policy(effects=(EffectType.RELEASE,))),
        ("Failed", "Operator", "EffectNotAllowed"),
    ),
    "the Rollout reads otherwise": (
        promote_observed(there=rollout(digest="sha256:" + "0" * 64)),
        ("Failed", "Operator", "SubjectChanged"),
    ),
    "the Rollout has no digest": (promote_observed(there=rollout(digest="")), ("Failed", "Operator", "SubjectChanged")),
    "the request names no digest": (
        promote_observed(
            request=promote_request(subject=replace(SUBJECT, digest="")), there=rollout(question=question(digest=""))
        ),
        ("Failed", "Operator", "SubjectChanged"),
    ),
    "the subject is no Rollout": (
        promote_observed(request=promote_request(subject=replace(SUBJECT, kind="Deployment"))),
        ("Failed", "Operator", "EffectNotSupported"),
    ),
    "the subject is another group's": (
        promote_observed(request=promote_request(subject=replace(SUBJECT, api_version="apps.example.org/v1"))),
        ("Failed", "Operator", "EffectNotSupported"),
    ),
    "the subject is in another namespace": (
        promote_observed(request=promote_request(subject=replace(SUBJECT, namespace="else"))),
        ("Failed", "Operator", "EffectNotSupported"),
    ),
    "there is no subject": (
        promote_observed(request=promote_request(subject=None)),
        ("Failed", "Operator", "EffectNotSupported"),
    ),
    "the Rollout is gone": (promote_observed(facts=Facts()), ("Superseded", "Operator", "SubjectDeleted")),
    "the Rollout asks something else": (promote_observed(there=OTHER), ("Superseded", "Operator", "SubjectChanged")),
    "the Rollout is gone, and so is the policy": (
        promote_observed(facts=Facts(), policy=None),
        ("Superseded", "Operator", "SubjectDeleted"),
    ),
    "the Rollout asks something else while the wall is down": (
        promote_observed(UNASKED, OTHER, wall_proven=False),
        ("Superseded", "Operator", "SubjectChanged"),
    ),
    "it was held unasked for too long": (
        promote_observed(replace(UNASKED, deadline=NOW), policy=None),
        ("Expired", "Time", "DeadlinePassed"),
    ),
}


@pytest.mark.parametrize(("seen", "how"), NOT_ASKED.values(), ids=NOT_ASKED)
def test_nobody_is_asked_where(seen: Observed, how: tuple[str, str, str]) -> None:
    status = decide(seen, NOW).status

    assert (end(status), status.request_digest) == (how, "")


def test_questions_of_one_rollout_do_not_stand_in_each_others_way() -> None:
    assert decide(promote_observed(owner="web-0a0a0a0a-9f9f"), NOW).status.request_digest != ""


def test_a_gates_question_waits_unasked_while_the_queue_is_full_and_looks_again() -> None:
    plan = decide(promote_observed(policy=policy(max_pending=1), pending_in_policy=1, pending_of_author=99), NOW)

    assert (why(plan.status), plan.recheck_at) == (("True", "TooManyPending"), after(30))
    assert decide(promote_observed(plan.status), NOW).status.request_digest != ""


ENDS_WHILE_IT_WAITS: dict[str, tuple[RolloutFacts | None, tuple[str, str, str]]] = {
    "the Rollout is gone": (None, ("Superseded", "Operator", "SubjectDeleted")),
    "the Rollout is being deleted": (rollout(deleting=True), ("Superseded", "Operator", "SubjectDeleted")),
    "another Rollout has its name": (rollout(uid="new"), ("Superseded", "Operator", "SubjectDeleted")),
    "the Rollout asks something else": (OTHER, ("Superseded", "Operator", "SubjectChanged")),
    "the Rollout asks nothing": (at_rest(), ("Superseded", "Operator", "SubjectChanged")),
    "the question changed its digest": (
        rollout(question=question(digest="sha256:" + "0" * 64)),
        ("Superseded", "Operator", "SubjectChanged"),
    ),
    "the canary fails": (rollout(ending=ending()), ("Failed", "Operator", "EffectFailed")),
    "the canary failed": (at_rest(over=last_run(Outcome.FAILED)), ("Failed", "Operator", "EffectFailed")),
    "the spec changed": (at_rest(over=last_run(Outcome.SUPERSEDED)), ("Superseded", "Operator", "SubjectChanged")),
    "another question was denied": (rollout(ending=ending(Outcome.DENIED)), ("Superseded", "Operator", "RunRefused")),
    "another question expired": (at_rest(over=last_run(Outcome.EXPIRED)), ("Superseded", "Operator", "RunRefused")),
    "another question was withdrawn": (rollout(ending=ending(Outcome.WITHDRAWN)), ("Superseded", "Operator", "RunRefused")),
    "somebody broke the glass": (
        rollout(ending=ending(reason=Reason.SUBJECT_OVERRIDDEN, message="")),
        ("Superseded", "Operator", "SubjectOverridden"),
    ),
}


@pytest.mark.parametrize("status", [asked(), accepted(), RUNNING], ids=["waits", "approved", "used"])
@pytest.mark.parametrize(("there", "how"), ENDS_WHILE_IT_WAITS.values(), ids=ENDS_WHILE_IT_WAITS)
def test_it_ends_where(status: Status, there: RolloutFacts | None, how: tuple[str, str, str]) -> None:
    if there == at_rest() and status is RUNNING:
        how = ("Failed", "Operator", "OutcomeUnknown")  # the yes was used, and nobody can tell what came of it

    assert end(decide(promote_observed(status, facts=Facts(rollout=there)), NOW).status) == how


def test_promoted_without_its_answer_it_is_superseded() -> None:
    assert end(decide(promote_observed(asked(), at_rest(over=last_run())), NOW).status)[0] == "Superseded"


def test_a_yes_is_taken_down_with_its_rollout_and_waits_to_be_used() -> None:
    plan = decide(promote_observed(asked(), verdicts=(approve(),)), NOW)

    assert (plan.status.phase, plan.status.effect) == (Phase.APPROVED, record())
    assert (plan.writes, plan.proof, plan.recheck_at) == ((), Proof.BEFORE_WRITES, after(900))
    assert why(plan.status) == ("False", "EffectRunning")


def test_while_the_wall_is_not_proven_it_says_why_the_yes_is_not_used() -> None:
    plan = decide(promote_observed(accepted(), wall_proven=False), NOW)

    assert (plan.status.phase, why(plan.status)) == (Phase.APPROVED, ("True", "WallNotProven"))


def test_a_yes_that_was_used_says_since_when() -> None:
    plan = decide(promote_observed(accepted(), rollout(question=passed())), NOW)
    unsaid = decide(promote_observed(accepted(), rollout(question=passed(passed_at=None))), NOW).status.effect

    assert plan.status.effect == record(EffectState.RUNNING)
    assert unsaid == record(EffectState.RUNNING, started_at=NOW)
    assert (plan.writes, plan.recheck_at) == ((), NOW + AGAIN)


def test_a_promotion_is_said_to_run_once_its_first_write_is_answered_and_does_not_lapse_before() -> None:
    begins = rollout(question=passed(), beginning=True)
    plan = decide(promote_observed(accepted(), begins), after(861))

    assert (plan.status.phase, plan.status.effect, plan.recheck_at) == (Phase.APPROVED, record(), after(861) + AGAIN)
    assert decide(promote_observed(accepted(), replace(begins, ending=ending())), NOW).status.phase is Phase.FAILED
    assert decide(promote_observed(plan.status, replace(begins, beginning=False)), NOW).status.effect == RUNNING.effect


@pytest.mark.parametrize(
    ("stage", "stable", "begins"),
    [
        (Stage.CANARY, None, False),
        (Stage.PROMOTING, None, True),
        (Stage.PROMOTING, TrackRecord(Wanted("sha256:1", 5)), True),
        (Stage.PROMOTING, TrackRecord(Wanted("sha256:1", 5), generation=2), False),
    ],
)
def test_a_promotion_begins_until_the_write_of_stable_is_answered(
    stage: Stage, stable: TrackRecord | None, begins: bool
) -> None:
    found = facts(promote_request(), "rollout-uid", Record(run=Run(TARGET, stage=stage), stable=stable))

    assert found.beginning is begins


def test_a_yes_that_was_used_does_not_lapse_and_one_that_was_not_does() -> None:
    late = after(860)
    used = decide(promote_observed(accepted(), rollout(question=passed())), late).status
    unused = decide(promote_observed(accepted(), rollout(ending=ending(Outcome.EXPIRED))), late).status

    assert (used.phase, end(unused)) == (Phase.APPROVED, ("Lapsed", "Time", "ValidityPassed"))
    assert end(decide(promote_observed(accepted(valid_until=None)), NOW).status)[0] == "Lapsed"


def test_a_gap_in_the_wall_is_of_no_account_once_the_yes_was_used() -> None:
    gap = frozenset({0})
    used = decide(promote_observed(accepted(), rollout(question=passed()), unproven=gap), NOW)
    unused = decide(promote_observed(accepted(), unproven=gap), NOW)

    assert (used.status.phase, end(unused.status)[2]) == (Phase.APPROVED, "ApprovalUnproven")


@pytest.mark.parametrize("status", [accepted(), RUNNING], ids=["before that was seen", "while it went on"])
def test_released_means_promoted_and_verified(status: Status) -> None:
    plan = decide(promote_observed(status, at_rest(over=last_run())), NOW)
    begun = status.effect.started_at if status.effect is not None else None

    assert (plan.status.phase, plan.writes) == (Phase.RELEASED, (MarkDone(),))
    assert plan.status.effect is not None
    assert (plan.status.effect.state, plan.status.effect.finished_at) == (EffectState.DONE, after(-2))
    assert plan.status.effect.started_at == (begun or after(-2))
    assert why(plan.status, ConditionType.READY) == ("True", "EffectComplete")


def test_a_deny_while_it_goes_on_denies() -> None:
    plan = decide(promote_observed(RUNNING, rollout(question=passed()), verdicts=(approve(), deny(1, "bob"))), NOW)

    assert end(plan.status) == ("Denied", "People", "DeniedByReviewer")
    assert (back(plan.status), plan.writes) == (("False", "Undoing"), ())


DENIED = replace(ended(Phase.DENIED), effect=record(EffectState.RUNNING), resolved=IMAGES)
NO_WORD = {"rolled_back_message": "", "message": ""}
WAYS_BACK: dict[str, tuple[RolloutFacts | None, tuple[str, str], bool]] = {
    "the Rollout has not seen it yet": (rollout(), ("False", "Undoing"), False),
    "the Rollout undoes": (rollout(ending=ending(Outcome.DENIED)), ("False", "Undoing"), False),
    "the Rollout is stuck": (rollout(stuck="stable has 3 of 5"), ("False", "UndoStuck"), False),
    "the Rollout cannot be read": (at_rest(unread="status: KeyError"), ("False", "UndoStuck"), False),
    "it is undone": (at_rest(over=last_run(Outcome.DENIED)), ("True", "UndoCompleted"), True),
    "it is undone without a word": (at_rest(over=last_run(Outcome.DENIED, **NO_WORD)), ("True", "UndoCompleted"), True),
    "the canary never ran": (
        at_rest(over=last_run(Outcome.DENIED, rolled_back_reason="NothingToUndo")),
        ("True", "NothingToUndo"),
        True,
    ),
    "the Rollout's reason is one of a newer operator": (
        at_rest(over=last_run(Outcome.DENIED, rolled_back_reason="Restored")),
        ("True", "UndoCompleted"),
        True,
    ),
    "nothing ran before": (
        at_rest(over=last_run(Outcome.FAILED, rolled_back=False, rolled_back_reason="NothingToRestore")),
        ("False", "NoUndoNamed"),
        True,
    ),
    "the former template is gone": (
        at_rest(over=last_run(Outcome.DENIED, rolled_back=False, rolled_back_reason="TemplateLost")),
        ("False", "UndoUnavailable"),
        True,
    ),
    "somebody broke the glass": (
        at_rest(over=last_run(Outcome.DENIED, rolled_back=False, rolled_back_reason="SubjectOverridden")),
        ("False", "SubjectOverridden"),
        True,
    ),
    "it did not come back": (at_rest(over=last_run(Outcome.DENIED, rolled_back=False)), ("False", "UndoFailed"), True),
    "it was promoted in the same moment": (at_rest(over=last_run()), ("False", "EffectComplete"), True),
    "the Rollout is gone": (None, ("True", "NothingToUndo"), True),
    "the Rollout is being deleted": (rollout(deleting=True), ("True", "NothingToUndo"), True),
    "another Rollout has its name": (rollout(uid="new"), ("True", "NothingToUndo"), True),
    "the run goes on without it": (OTHER, ("True", "NothingToUndo"), True),
}


@pytest.mark.parametrize("effect", [None, record(), record(EffectState.RUNNING)], ids=["asked", "approved", "used"])
@pytest.mark.parametrize(("there", "how", "over"), WAYS_BACK.values(), ids=WAYS_BACK)
def test_the_way_back_is_the_rollouts(there: RolloutFacts | None, how: tuple[str, str], over: bool, effect: object) -> None:
    plan = decide(promote_observed(replace(DENIED, effect=effect), facts=Facts(rollout=there)), NOW)

    assert (back(plan.status), plan.writes) == (how, (MarkDone(),) if over else ())
    stalled = over or how[1] == "UndoStuck"
    assert why(plan.status, ConditionType.STALLED)[0] == str(stalled)
    if effect is None:
        assert plan.status.effect is None
    elif plan.status.effect is not None:
        undone = EffectState.UNDONE if how[0] == "True" else EffectState.FAILED
        assert (plan.status.effect.state in (undone, EffectState.UNDOING)) is True or how[1] == "UndoStuck"
        assert (plan.status.effect.finished_at is not None) == over


def test_what_was_restored_stands_in_the_condition() -> None:
    status = decide(promote_observed(DENIED, at_rest(over=last_run(Outcome.DENIED))), NOW).status
    found = status.condition(ConditionType.ROLLED_BACK)

    assert found is not None
    assert found.message == "stable runs 5 of 5, the canary is gone"


@pytest.mark.parametrize("status", [asked(), accepted(), RUNNING], ids=["waits", "approved", "used"])
def test_it_holds_while_the_rollout_cannot_be_read(status: Status) -> None:
    plan = decide(promote_observed(status, at_rest(unread="status: KeyError")), NOW)

    assert plan.status.phase is status.phase


@pytest.mark.parametrize("status", [asked(), RUNNING], ids=["waits", "used"])
def test_one_that_no_gate_asked_does_not_pass_however_it_came_this_far(status: Status) -> None:
    assert end(decide(promote_observed(status, request=promote_request(gate="")), NOW).status)[2] == "EffectNotAllowed"


def test_an_author_neither_approves_nor_overrides() -> None:
    said = (approve(0, "zoe"), override(1, "zoe"), deny(2, "zoe"))
    status = decide(promote_observed(asked(), verdicts=said[:2]), NOW).status

    assert (status.phase, [e.reason for e in status.verdicts]) == (Phase.PENDING, ["Ineligible", "Ineligible"])
    assert end(decide(promote_observed(asked(), verdicts=said), NOW).status)[0] == "Denied"


# ---- what the record says about one request

NAMED = Record(run=Run(TARGET, questions=(question(name="web-0", uid="else"), question(uid=""))))
RECORDS: dict[str, tuple[Record, RolloutFacts]] = {
    "nothing is known": (Record(), RolloutFacts("web", "rollout-uid")),
    "its question, with its uid": (
        Record(run=Run(TARGET, questions=(question(name="else"),))),
        rollout(digest="", question=question(name="else")),
    ),
    "its question, its uid not seen yet": (NAMED, rollout(digest="", question=question(uid=""))),
    "a question of that name of another uid": (
        Record(run=Run(TARGET, questions=(question(uid="older"),))),
        RolloutFacts("web", "rollout-uid", busy=True),
    ),
    "its run is being undone": (
        Record(run=Run(TARGET, Stage.UNDOING, questions=(question(),), ending=ending())),
        rollout(digest="", ending=ending()),
    ),
    "a run that does not know it is being undone": (
        Record(run=Run(TARGET, Stage.UNDOING, ending=ending())),
        RolloutFacts("web", "rollout-uid", busy=True),
    ),
    "its run is over": (Record(last_run=last_run()), at_rest(digest="", over=last_run())),
    "its run is over, its uid not seen": (
        Record(last_run=last_run(requests=(RequestRef(NAME, ""),))),
        at_rest(digest="", over=last_run(requests=(RequestRef(NAME, ""),))),
    ),
    "another run is over": (
        Record(last_run=last_run(requests=(RequestRef(NAME, "older"),))),
        RolloutFacts("web", "rollout-uid"),
    ),
}


@pytest.mark.parametrize(("record", "found"), RECORDS.values(), ids=RECORDS)
def test_the_record_is_read_for_one_request(record: Record, found: RolloutFacts) -> None:
    assert facts(promote_request(), "rollout-uid", record) == found
    assert found.knows_it == (found.question is not None or found.over is not None)


@pytest.mark.parametrize("value", ["True", "False"])
@pytest.mark.parametrize("stage", [Stage.CANARY, Stage.UNDOING])
def test_a_stalled_rollout_keeps_an_undo_from_getting_on(stage: Stage, value: str) -> None:
    stalled = Condition(ConditionType.STALLED, value, "Late", "stable has 3 of 5", NOW)
    found = facts(promote_request(), "rollout-uid", Record(run=Run(TARGET, stage), conditions=(stalled,)), deleting=True)

    assert found.stuck == ("stable has 3 of 5" if (stage, value) == (Stage.UNDOING, "True") else "")
    assert found.deleting


def test_a_request_without_a_subject_is_nobodys() -> None:
    bare = promote_request(subject=None)
    seen = promote_observed(asked(), request=bare)
    finding, ending = PromoteRules().check(seen), PromoteRules().verify(seen, asked())

    assert facts(bare, "rollout-uid", Record()).name == ""
    assert finding is not None
    assert finding.reason is Reason.SUBJECT_NOT_FOUND
    assert ending is not None
    assert ending.finding.reason is Reason.SUBJECT_DELETED
    assert PromoteRules().undo(seen, asked(), NOW).finding.reason is Reason.NOTHING_TO_UNDO


def test_an_approval_without_a_record_begins_nothing() -> None:
    assert end(decide(promote_observed(accepted(effect=None)), NOW).status) == ("Failed", "Operator", "InvalidRequest")
    assert end(decide(promote_observed(accepted(effect=record(object=None))), NOW).status)[2] == "InvalidRequest"


def test_long_words_of_the_rollout_are_cut() -> None:
    wordy = last_run(message="x" * 5000)
    failed = at_rest(over=last_run(Outcome.FAILED, message="x" * 5000, rolled_back_message="y" * 5000))
    for plan in (
        decide(promote_observed(RUNNING, at_rest(over=wordy)), NOW),
        decide(promote_observed(RUNNING, failed), NOW),
        decide(promote_observed(DENIED, rollout(stuck="x" * 5000)), NOW),
    ):
        assert all(len(c.message) <= 1024 for c in plan.status.conditions)
