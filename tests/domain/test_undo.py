"""The way back of a released Job: stopped, its pods gone, the undo Job run once, the outcome verified and told."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from gatehold.domain.decide import decide
from gatehold.domain.phases import Phase
from gatehold.domain.plan import (
    CloseJob,
    DropFinalizer,
    Facts,
    MarkDone,
    Observed,
    Plan,
    Proof,
    ReleaseJob,
    Rules,
    SuspendJob,
)
from gatehold.domain.reasons import ConditionType
from gatehold.domain.status import EffectState, Status, UndoStatus
from tests.builders import (
    NOW,
    after,
    approved,
    concluded,
    deny,
    effect,
    ended,
    facts,
    job,
    ours,
    release_observed,
    release_request,
    resolved,
    undo_job,
    undo_status,
    why,
)

STOPPED = ours(job(), suspended=True)
UNDOING = ended(effect=effect(EffectState.UNDOING))
STARTING = ended(effect=effect(EffectState.UNDOING, undo=undo_status()))
UNDO_RUNS = ended(effect=effect(EffectState.UNDOING, undo=undo_status(EffectState.RUNNING)))
UNDO_IS_LATE = ended(effect=effect(EffectState.UNDOING, undo=undo_status(EffectState.RUNNING, started_at=after(-86_400))))
SECOND = ours(undo_job())


def turn(status: Status, there: Facts, now: datetime = NOW, **changes: Any) -> Plan:
    return decide(release_observed(status, facts=there, **changes), now)


def undo_of(plan: Plan) -> UndoStatus:
    assert plan.status.effect is not None
    assert plan.status.effect.undo is not None
    return plan.status.effect.undo


GOES_ON: dict[str, tuple[Status, Facts, tuple[Any, ...], float]] = {
    "the Job runs: it is stopped": (
        ended(),
        facts(ours(job()), undo_job(), 2),
        (SuspendJob(ours(job())),),
        30,
    ),
    "the status was written, the Job was not stopped": (
        UNDOING,
        facts(ours(job()), undo_job(), 2),
        (SuspendJob(ours(job())),),
        30,
    ),
    "it is stopped and its pods are still there": (UNDOING, facts(STOPPED, undo_job(), 2), (), 1),
    "nobody has read its pods yet": (UNDOING, facts(STOPPED, undo_job(), None), (), 1),
    "it failed and pods of it are still there": (ended(), facts(ours(job(), failed=True), undo_job(), 1), (), 1),
    "it is being deleted and waits for us": (
        ended(),
        facts(ours(job(), deleting=True), undo_job(), 1),
        (DropFinalizer(ours(job(), deleting=True)),),
        1,
    ),
    "it is being deleted and waits for somebody else": (
        ended(),
        facts(ours(job(), deleting=True, has_finalizer=False), undo_job(), 1),
        (),
        1,
    ),
    "it is gone after we stopped it, its pods are not": (UNDOING, facts(None, undo_job(), 1), (), 1),
    "its pods are gone: the undo Job starts": (
        UNDOING,
        facts(STOPPED, undo_job()),
        (ReleaseJob(undo_job(), undo=True),),
        30,
    ),
    "it is gone after we stopped it, and so are its pods": (
        UNDOING,
        facts(None, undo_job()),
        (ReleaseJob(undo_job(), undo=True),),
        30,
    ),
    "it was replaced after we stopped it": (
        UNDOING,
        facts(job(uid="new"), undo_job()),
        (ReleaseJob(undo_job(), undo=True),),
        30,
    ),
    "the status was written, the undo Job was not": (
        STARTING,
        facts(STOPPED, undo_job()),
        (ReleaseJob(undo_job(), undo=True),),
        30,
    ),
    "the undo Job runs, its start was not recorded": (STARTING, facts(STOPPED, SECOND), (), 30),
    "the undo Job runs, nothing of it was recorded": (UNDOING, facts(STOPPED, SECOND), (), 30),
    "the undo Job runs": (UNDO_RUNS, facts(STOPPED, SECOND), (), 30),
    "the undo Job ran beyond its time: it is stopped": (UNDO_IS_LATE, facts(STOPPED, SECOND), (SuspendJob(SECOND),), 30),
    "the undo Job is stopped, its pods are still there": (
        UNDO_IS_LATE,
        facts(STOPPED, replace(SECOND, suspended=True), undo_left=1),
        (),
        1,
    ),
    "the undo Job is stopped, nobody has read its pods": (
        UNDO_IS_LATE,
        facts(STOPPED, replace(SECOND, suspended=True), undo_left=None),
        (),
        1,
    ),
    "the undo Job failed, another pod of it still ends": (
        UNDO_RUNS,
        facts(STOPPED, replace(SECOND, failed=True), undo_left=1),
        (),
        1,
    ),
    "the undo Job is being deleted and waits for us": (
        UNDO_RUNS,
        facts(STOPPED, replace(SECOND, deleting=True)),
        (DropFinalizer(replace(SECOND, deleting=True)),),
        1,
    ),
    "the undo Job is being deleted, its pods are still there": (
        UNDO_RUNS,
        facts(STOPPED, replace(SECOND, deleting=True, has_finalizer=False), undo_left=2),
        (),
        1,
    ),
    "the Job was let go again by hand while the undo Job runs": (
        UNDO_RUNS,
        facts(ours(job(), overridden="INC-2"), SECOND, 1),
        (),
        30,
    ),
    "the Job was let go again by hand before the undo Job began": (
        STARTING,
        facts(ours(job(), overridden="INC-2"), undo_job(), 1),
        (CloseJob(undo_job()),),
        30,
    ),
    "the undo Job vanished, its pods are still there": (UNDO_RUNS, facts(STOPPED, None, undo_left=2), (), 1),
}


@pytest.mark.parametrize("proven", [True, False], ids=["wall proven", "wall not proven"])
@pytest.mark.parametrize(("status", "there", "writes", "seconds"), GOES_ON.values(), ids=GOES_ON)
def test_an_undo_goes_on(status: Status, there: Facts, writes: tuple[Any, ...], seconds: float, *, proven: bool) -> None:
    plan = turn(status, there, wall_proven=proven)

    assert (plan.writes, plan.proof, plan.recheck_at) == (writes, Proof.NONE, after(seconds))
    assert plan.status.effect is not None
    assert plan.status.effect.state is EffectState.UNDOING
    assert why(plan.status, ConditionType.ROLLED_BACK) == ("False", "Undoing")
    assert why(plan.status, ConditionType.RECONCILING) == ("True", "Undoing")
    assert why(plan.status, ConditionType.STALLED)[0] == "False"


@pytest.mark.parametrize(
    ("status", "there"),
    [(STARTING, facts(STOPPED, SECOND)), (UNDOING, facts(STOPPED, SECOND))],
    ids=["its record was written", "nothing was written"],
)
def test_the_start_of_the_undo_job_is_recorded_once_it_is_seen(status: Status, there: Facts) -> None:
    record = undo_of(turn(status, there))

    assert (record.state, record.started_at, record.object.uid) == (EffectState.RUNNING, NOW, "undo-uid")


def test_the_undo_job_is_recorded_before_it_is_started() -> None:
    record = undo_of(turn(UNDOING, facts(STOPPED, undo_job())))

    assert (record.state, record.started_at, record.object.resource_version) == (EffectState.WAITING, None, "20")


OVER: dict[str, tuple[Status, Facts, datetime, str, bool]] = {
    "the undo Job completed": (
        UNDO_RUNS,
        facts(STOPPED, replace(SECOND, complete=True)),
        NOW,
        "UndoCompleted",
        True,
    ),
    "it completed before its start was recorded": (
        UNDOING,
        facts(STOPPED, replace(SECOND, complete=True)),
        NOW,
        "UndoCompleted",
        True,
    ),
    "the undo Job failed": (UNDO_RUNS, facts(STOPPED, replace(SECOND, failed=True)), NOW, "UndoFailed", False),
    "the undo Job was deleted while it ran": (
        UNDO_RUNS,
        facts(STOPPED, replace(SECOND, deleting=True, has_finalizer=False)),
        NOW,
        "UndoFailed",
        False,
    ),
    "the undo Job ran beyond its time and is stopped": (
        UNDO_RUNS,
        facts(STOPPED, replace(SECOND, suspended=True)),
        after(86_380),
        "UndoFailed",
        False,
    ),
    "the undo Job was let go again by hand after we stopped it": (
        UNDO_IS_LATE,
        facts(STOPPED, replace(SECOND, overridden="INC-3 " + "y" * 2000)),
        NOW,
        "SubjectOverridden",
        False,
    ),
    "the undo Job vanished while it ran": (UNDO_RUNS, facts(STOPPED, None), NOW, "UndoFailed", False),
    "the undo Job was replaced while it ran": (UNDO_RUNS, facts(STOPPED, undo_job(uid="new")), NOW, "UndoFailed", False),
    "the undo Job is missing": (UNDOING, facts(STOPPED, None), NOW, "UndoUnavailable", False),
    "the undo Job was replaced": (UNDOING, facts(STOPPED, undo_job(uid="new")), NOW, "UndoUnavailable", False),
    "the undo Job was changed": (UNDOING, facts(STOPPED, undo_job(digest="else")), NOW, "UndoUnavailable", False),
    "the undo Job is being deleted": (UNDOING, facts(STOPPED, undo_job(deleting=True)), NOW, "UndoUnavailable", False),
    "the undo Job runs by another hand": (
        UNDOING,
        facts(STOPPED, undo_job(suspended=False)),
        NOW,
        "UndoUnavailable",
        False,
    ),
    "the undo Job was used by another request": (
        UNDOING,
        facts(STOPPED, undo_job(released_by="older")),
        NOW,
        "UndoUnavailable",
        False,
    ),
    "the Job is gone and nobody saw how it ended": (ended(), facts(None, undo_job()), NOW, "OutcomeUnknown", False),
    "the Job was let go again by hand after we stopped it": (
        UNDOING,
        facts(ours(job(), overridden="INC-2"), undo_job(), 1),
        NOW,
        "SubjectOverridden",
        False,
    ),
    "the Job was let go again by hand, and the undo Job is closed": (
        STARTING,
        facts(ours(job(), overridden="INC-2"), undo_job(closed_by="request-uid"), 1),
        NOW,
        "SubjectOverridden",
        False,
    ),
    "the Job was let go again by hand, and the undo Job has completed": (
        UNDO_RUNS,
        facts(ours(job(), overridden="INC-2"), replace(SECOND, complete=True), 1),
        NOW,
        "SubjectOverridden",
        False,
    ),
    "the Job was let go again by hand, and the undo Job vanished": (
        UNDO_RUNS,
        facts(ours(job(), overridden="INC-2"), None, 1),
        NOW,
        "SubjectOverridden",
        False,
    ),
}


@pytest.mark.parametrize(("status", "there", "now", "reason", "restored"), OVER.values(), ids=OVER)
def test_an_undo_is_over_when(status: Status, there: Facts, now: datetime, reason: str, *, restored: bool) -> None:
    plan = turn(status, there, now)
    again = turn(plan.status, there, now)

    assert why(plan.status, ConditionType.ROLLED_BACK) == (str(restored), reason)
    assert why(plan.status, ConditionType.STALLED) == ("True", "DeniedByReviewer")
    assert (plan.writes[-1], plan.recheck_at) == (MarkDone(), None)
    assert not any(isinstance(w, ReleaseJob | SuspendJob) for w in plan.writes)
    assert plan.status.effect is not None
    assert plan.status.effect.state is (EffectState.UNDONE if restored else EffectState.FAILED)
    assert plan.status.effect.finished_at == now
    assert (again.status, again.writes) == (plan.status, plan.writes)


@pytest.mark.parametrize(("reason", "state"), [("UndoCompleted", "Done"), ("UndoFailed", "Failed")])
def test_the_outcome_of_the_undo_job_is_recorded(reason: str, state: str) -> None:
    there = facts(STOPPED, replace(SECOND, complete=reason == "UndoCompleted", failed=reason == "UndoFailed"))
    record = undo_of(turn(UNDO_RUNS, there))

    assert (record.state, record.finished_at) == (state, NOW)
    assert record.message


def test_both_jobs_lose_their_finalizers_before_the_label() -> None:
    second = replace(SECOND, complete=True)
    plan = turn(UNDO_RUNS, facts(STOPPED, second))

    assert plan.writes == (DropFinalizer(STOPPED), DropFinalizer(second), MarkDone())


def test_an_override_by_hand_is_a_condition_also_when_it_comes_during_the_undo() -> None:
    plan = turn(UNDOING, facts(ours(job(), overridden="y" * 2000), undo_job()))

    assert why(plan.status, ConditionType.OVERRIDDEN) == ("True", "DeniedByReviewer")
    assert plan.status.effect is not None
    assert len(plan.status.effect.message) == 1024


def test_a_job_that_ended_by_itself_after_an_override_is_undone() -> None:
    there = facts(ours(job(), overridden="INC-2", complete=True), undo_job())

    assert turn(UNDOING, there).writes == (ReleaseJob(undo_job(), undo=True),)


@pytest.mark.parametrize("phase", [Phase.DENIED, Phase.WITHDRAWN, Phase.FAILED, Phase.SUPERSEDED])
def test_without_a_named_undo_the_job_is_stopped_and_that_is_said(phase: Phase) -> None:
    status = ended(phase, EffectState.UNDOING, resolved=resolved(undo=False))
    seen = release_observed(status, request=release_request(undo=False), facts=facts(STOPPED, None))
    plan = decide(seen, NOW)

    assert why(plan.status, ConditionType.ROLLED_BACK) == ("False", "NoUndoNamed")
    assert plan.writes == (DropFinalizer(STOPPED), MarkDone())


def test_what_was_not_resolved_is_not_run() -> None:
    plan = turn(ended(effect=effect(EffectState.UNDOING), resolved=None), facts(STOPPED, undo_job()))

    assert why(plan.status, ConditionType.ROLLED_BACK) == ("False", "NoUndoNamed")


def test_a_whole_way_back_in_five_turns() -> None:
    first = turn(approved(EffectState.RUNNING), facts(ours(job()), undo_job(), 1), verdicts=(deny(1, "bob"),))
    second = turn(first.status, facts(STOPPED, undo_job(), 1), after(1))
    third = turn(second.status, facts(STOPPED, undo_job(), 0), after(2))
    fourth = turn(third.status, facts(STOPPED, SECOND, 0), after(3))
    fifth = turn(fourth.status, facts(STOPPED, replace(SECOND, complete=True), 0), after(9))
    releases = [w for p in (first, second, third, fourth, fifth) for w in p.writes if isinstance(w, ReleaseJob)]

    assert releases == [ReleaseJob(undo_job(), undo=True)]
    assert why(fifth.status, ConditionType.ROLLED_BACK) == ("True", "UndoCompleted")
    assert fifth.status.decision == first.status.decision


def test_the_undo_has_the_operators_own_time() -> None:
    seen: Observed = release_observed(UNDO_RUNS, facts=facts(STOPPED, SECOND), rules=Rules(undo_timeout_seconds=25))

    assert decide(seen, NOW).recheck_at == after(5)


def test_an_end_whose_undo_is_over_is_only_tidied() -> None:
    status = concluded(ended())
    plan = turn(status, facts(ours(job()), undo_job(), 3))

    assert plan == Plan(status, (DropFinalizer(ours(job())), MarkDone()))
