"""Effect Release on a held Job: released once, followed to its end; every point where somebody may have died is a row."""

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
    Proof,
    ReleaseJob,
    SuspendJob,
)
from gatehold.domain.reasons import ConditionType
from gatehold.domain.status import EffectState, Progress, Status
from tests.builders import (
    NOW,
    after,
    approved,
    concluded,
    deny,
    effect,
    end,
    facts,
    job,
    ours,
    override,
    pending,
    recorded,
    release_observed,
    resolved,
    undo_job,
    why,
    withdraw,
)

RUNS = facts(ours(job(), active=1), undo_job())
WAITING = approved(EffectState.WAITING)
RUNNING = approved(EffectState.RUNNING, effect=effect(EffectState.RUNNING, progress=Progress(after(-3), active=1)))
APPROVED = ("Approved", "People", "QuorumMet")


def seen(status: Status, there: Facts, **changes: Any) -> Observed:
    return release_observed(status, facts=there, **changes)


def state(status: Status) -> EffectState | None:
    return status.effect.state if status.effect is not None else None


def test_the_status_was_written_and_the_job_was_not() -> None:
    plan = decide(seen(WAITING, facts(job(), undo_job())), NOW)

    assert plan.writes == (ReleaseJob(job()),)
    assert (plan.proof, plan.recheck_at) == (Proof.BEFORE_WRITES, after(860))
    assert state(plan.status) is EffectState.WAITING


def test_a_release_carries_what_is_there_now_so_that_a_stale_one_conflicts() -> None:
    plan = decide(seen(WAITING, facts(job(resource_version="77"), undo_job())), NOW)

    assert plan.writes == (ReleaseJob(job(resource_version="77")),)


def test_the_job_was_written_and_the_status_was_not() -> None:
    plan = decide(seen(WAITING, RUNS), NOW)

    assert plan.status.effect is not None
    assert (plan.writes, plan.proof) == ((), Proof.NONE)
    assert (state(plan.status), plan.status.effect.started_at) == (EffectState.RUNNING, NOW)
    assert plan.status.effect.progress == Progress(NOW, active=1)


def test_without_a_proof_of_the_wall_nothing_is_released_and_it_says_so() -> None:
    plan = decide(seen(WAITING, facts(job(), undo_job()), wall_proven=False), NOW)

    assert (plan.writes, plan.recheck_at) == ((), after(860))
    assert why(plan.status) == ("True", "WallNotProven")
    assert why(plan.status, ConditionType.APPROVED) == ("True", "QuorumMet")


def test_a_running_effect_is_followed_without_a_proof() -> None:
    plan = decide(seen(RUNNING, RUNS, wall_proven=False), NOW)

    assert why(plan.status) == ("False", "EffectRunning")


ENDS: dict[str, tuple[Status, Facts, datetime, tuple[str, str, str], EffectState]] = {
    "it completed": (RUNNING, facts(ours(job(), complete=True)), NOW, APPROVED, EffectState.DONE),
    "it completed before its start was recorded": (
        WAITING,
        facts(ours(job(), complete=True)),
        NOW,
        APPROVED,
        EffectState.DONE,
    ),
    "it completed and is being deleted": (
        RUNNING,
        facts(ours(job(), complete=True, deleting=True)),
        NOW,
        APPROVED,
        EffectState.DONE,
    ),
    "it completed beyond its time, before anybody looked": (
        RUNNING,
        facts(ours(job(), complete=True)),
        after(9999),
        APPROVED,
        EffectState.DONE,
    ),
    "it failed": (
        RUNNING,
        facts(ours(job(), failed=True, failure="BackoffLimitExceeded"), undo_job(), pods_left=1),
        NOW,
        ("Failed", "Operator", "EffectFailed"),
        EffectState.UNDOING,
    ),
    "it was deleted while it ran": (
        RUNNING,
        facts(ours(job(), deleting=True), undo_job(), pods_left=1),
        NOW,
        ("Superseded", "Operator", "SubjectDeleted"),
        EffectState.UNDOING,
    ),
    "it ran beyond its time": (
        RUNNING,
        RUNS,
        after(570),
        ("Failed", "Time", "EffectTimedOut"),
        EffectState.UNDOING,
    ),
    "it vanished while it ran": (
        RUNNING,
        facts(None, undo_job()),
        NOW,
        ("Failed", "Operator", "OutcomeUnknown"),
        EffectState.FAILED,
    ),
    "it was replaced while it ran": (
        RUNNING,
        facts(job(uid="new"), undo_job()),
        NOW,
        ("Failed", "Operator", "OutcomeUnknown"),
        EffectState.FAILED,
    ),
    "it vanished before it was begun": (
        WAITING,
        facts(None, undo_job()),
        NOW,
        ("Superseded", "Operator", "SubjectDeleted"),
        EffectState.UNDONE,
    ),
    "it was replaced before it was begun": (
        WAITING,
        facts(job(uid="new"), undo_job()),
        NOW,
        ("Superseded", "Operator", "SubjectChanged"),
        EffectState.UNDONE,
    ),
    "it was deleted before it was begun": (
        WAITING,
        facts(job(deleting=True), undo_job()),
        NOW,
        ("Superseded", "Operator", "SubjectDeleted"),
        EffectState.UNDONE,
    ),
    "nobody recorded what was there before": (
        approved(effect=None),
        facts(job(), undo_job()),
        NOW,
        ("Failed", "Operator", "InvalidRequest"),
        EffectState.FAILED,
    ),
}


@pytest.mark.parametrize(("status", "there", "now", "ending", "left"), ENDS.values(), ids=ENDS)
def test_a_released_job_ends(
    status: Status, there: Facts, now: datetime, ending: tuple[str, str, str], left: EffectState
) -> None:
    plan = decide(seen(status, there), now)
    expected = ("Released", *ending[1:]) if left is EffectState.DONE else ending

    assert end(plan.status) == expected
    assert state(plan.status) in (left, None)
    assert not any(isinstance(w, ReleaseJob) and not w.undo for w in plan.writes)


CLOSES: dict[str, tuple[Facts, datetime, dict[str, Any], tuple[str, str, str]]] = {
    "its approval lapsed": (facts(job(), undo_job()), after(860), {}, ("Lapsed", "Time", "ValidityPassed")),
    "its approval lapsed while the wall was not proven": (
        facts(job(), undo_job()),
        after(860),
        {"wall_proven": False},
        ("Lapsed", "Time", "ValidityPassed"),
    ),
    "it was denied": (facts(job(), undo_job()), NOW, {"verdicts": (deny(1),)}, ("Denied", "People", "DeniedByReviewer")),
    "it was withdrawn": (
        facts(job(), undo_job()),
        NOW,
        {"verdicts": (withdraw(1),)},
        ("Withdrawn", "Requester", "WithdrawnByRequester"),
    ),
    "its Job was changed": (
        facts(job(digest="else"), undo_job()),
        NOW,
        {},
        ("Superseded", "Operator", "SubjectChanged"),
    ),
    "its Job was let go by hand": (
        facts(job(suspended=False, overridden="INC-1"), undo_job()),
        NOW,
        {},
        ("Superseded", "Operator", "SubjectOverridden"),
    ),
    "its Job runs by another hand": (
        facts(job(suspended=False), undo_job()),
        NOW,
        {},
        ("Failed", "Operator", "SubjectRunning"),
    ),
    "its Job was released by another request": (
        facts(job(released_by="older"), undo_job()),
        NOW,
        {},
        ("Failed", "Operator", "SubjectTaken"),
    ),
    "its undo Job vanished": (facts(job(), None), NOW, {}, ("Superseded", "Operator", "SubjectDeleted")),
}


@pytest.mark.parametrize(("there", "now", "changes", "ending"), CLOSES.values(), ids=CLOSES)
def test_one_fence_is_written_and_nothing_is_undone_where_it_was_not_begun_and(
    there: Facts, now: datetime, changes: dict[str, Any], ending: tuple[str, str, str]
) -> None:
    """A dead replica's release may still be under way: the fence makes it fail, or it has landed and is seen."""
    assert there.job is not None
    first = decide(seen(WAITING, there, **changes), now)
    fenced = replace(there, job=replace(there.job, closed_by="request-uid", resource_version="11"))
    second = decide(seen(first.status, fenced, **changes), now)

    assert end(first.status) == ending
    assert (first.writes, first.recheck_at is not None) == ((CloseJob(there.job),), True)
    assert why(first.status, ConditionType.ROLLED_BACK) == ("False", "Undoing")
    assert why(first.status, ConditionType.RECONCILING)[0] == "True"
    assert (second.writes, second.recheck_at) == ((MarkDone(),), None)
    assert why(second.status, ConditionType.ROLLED_BACK) == ("True", "NothingToUndo")
    assert why(second.status, ConditionType.STALLED) == ("True", ending[2])
    assert state(second.status) is EffectState.UNDONE


def test_a_release_that_landed_just_before_the_fence_is_undone_after_all() -> None:
    first = decide(seen(WAITING, facts(job(), undo_job()), verdicts=(deny(1),)), NOW)
    second = decide(seen(first.status, RUNS, verdicts=(deny(1),)), NOW)

    assert second.writes == (SuspendJob(ours(job(), active=1)),)
    assert second.status.effect is not None
    assert (state(second.status), second.status.effect.started_at) == (EffectState.UNDOING, NOW)


@pytest.mark.parametrize("said", [deny(1), withdraw(1)], ids=["denied", "withdrawn"])
@pytest.mark.parametrize("status", [WAITING, RUNNING], ids=["its start not recorded", "its start recorded"])
def test_a_running_job_is_stopped_when_it_is(status: Status, said: Any) -> None:
    plan = decide(seen(status, RUNS, verdicts=(said,)), NOW)

    assert plan.writes == (SuspendJob(ours(job(), active=1)),)
    assert why(plan.status, ConditionType.ROLLED_BACK) == ("False", "Undoing")
    assert why(plan.status, ConditionType.APPROVED)[0] == "False"


def test_a_deny_beats_a_completion_that_is_not_recorded_yet() -> None:
    plan = decide(seen(RUNNING, facts(ours(job(), complete=True), undo_job()), verdicts=(deny(1),)), NOW)

    assert plan.status.phase is Phase.DENIED
    assert plan.writes == (ReleaseJob(undo_job(), undo=True),)


def test_a_word_after_the_end_changes_nothing() -> None:
    done = decide(seen(RUNNING, facts(ours(job(), complete=True))), NOW).status
    plan = decide(seen(done, facts(ours(job(), complete=True)), verdicts=(deny(1),)), after(5))

    assert plan.status.phase is Phase.RELEASED
    assert plan.status.conditions == done.conditions


def test_the_finalizer_goes_once_the_outcome_stands_and_the_label_is_last() -> None:
    there = facts(ours(job(), complete=True), undo_job())
    plan = decide(seen(RUNNING, there), NOW)
    again = decide(seen(plan.status, replace(there, job=replace(ours(job(), complete=True), has_finalizer=False))), NOW)

    assert plan.writes == (DropFinalizer(ours(job(), complete=True)), MarkDone())
    assert again.writes == (MarkDone(),)
    assert again.status == plan.status
    assert why(plan.status, ConditionType.READY) == ("True", "EffectComplete")
    assert why(plan.status, ConditionType.APPROVED) == ("True", "QuorumMet")
    assert plan.status.effect is not None
    assert (plan.status.effect.finished_at, plan.status.effect.message) == (NOW, "Job migrate completed")


def test_the_finalizer_of_another_requests_job_stays() -> None:
    there = facts(ours(job(), released_by="older"), ours(undo_job(), released_by="older"))
    plan = decide(seen(concluded(pending(phase=Phase.EXPIRED, resolved=resolved())), there), NOW)

    assert plan.writes == (MarkDone(),)


def test_a_long_word_of_the_job_controller_fits_the_status() -> None:
    there = facts(ours(job(), failed=True, failure="x" * 5000), undo_job(), pods_left=1)
    plan = decide(seen(RUNNING, there), NOW)

    assert plan.status.effect is not None
    assert len(plan.status.effect.message) <= 1024


def test_the_validity_is_looked_at_before_the_first_write_only() -> None:
    plan = decide(seen(replace(RUNNING, valid_until=after(-1)), RUNS), NOW)

    assert plan.status.phase is Phase.APPROVED


def test_an_approval_without_validity_lapses() -> None:
    assert decide(seen(replace(WAITING, valid_until=None), facts(job(), undo_job())), NOW).status.phase is Phase.LAPSED


def test_a_gap_in_an_override_ends_what_was_not_begun() -> None:
    status = approved(verdicts=(recorded(override()),))
    plan = decide(seen(status, facts(job(), undo_job()), unproven=frozenset({0})), NOW)

    assert end(plan.status) == ("Failed", "Operator", "ApprovalUnproven")
