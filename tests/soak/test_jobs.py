"""Jobs that ran and should not have, undos that did not and should have: each is caught."""

import pytest

from tests.soak.samples import JOB, UNDO
from tests.soak.worlds import asked, broken, by_hand, released


def test_released_without_a_complete_job_is_caught() -> None:
    sample = asked("alice", "bob", effect="Release").approved().let_go().over("Released").done()

    assert broken(sample) == {"a_released_job_ran_to_its_end"}


def test_a_job_that_runs_without_an_approval_is_caught() -> None:
    assert "a_job_runs_by_approval_only" in broken(asked("alice", effect="Release").let_go())
    foreign = released()
    foreign.spoil(JOB, 1, lambda body: body["metadata"]["annotations"].update({"gatehold.dev/released-by": "nobody"}))
    assert "a_job_runs_by_approval_only" in broken(foreign)
    after_the_no = asked("alice", "bob", effect="Release").approved()
    after_the_no.said("erin", "deny")
    assert "a_job_runs_by_approval_only" in broken(after_the_no.over("Denied").let_go())


def test_a_job_that_is_not_what_was_shown_is_caught() -> None:
    sample = asked("alice", "bob", effect="Release").approved()
    sample.jobs[JOB]["spec"]["template"]["spec"]["containers"] = [{"image": "other"}]

    assert "a_job_runs_by_approval_only" in broken(sample.let_go())


def test_a_job_let_go_after_the_approval_lapsed_is_caught() -> None:
    sample = asked("alice", "bob", effect="Release").approved()
    sample.now += 45

    assert "a_job_runs_by_approval_only" in broken(sample.let_go().ended().over("Released").done())


def test_a_hand_that_may_not_break_the_glass_is_caught() -> None:
    sample = by_hand().spoil(
        JOB, -1, lambda body: body["metadata"]["annotations"].update({"gatehold.dev/override-by": "ci"})
    )

    assert broken(sample) == {"a_job_runs_by_approval_only"}


def test_a_job_that_is_let_go_twice_is_caught() -> None:
    sample = released()
    sample.jobs[JOB]["spec"]["suspend"] = True
    sample.wrote(JOB, sample.jobs[JOB])
    sample.jobs[JOB]["metadata"]["annotations"] = {"gatehold.dev/released-by": "again"}
    sample.jobs[JOB]["spec"]["suspend"] = False
    sample.wrote(JOB, sample.jobs[JOB])

    assert "a_job_is_let_go_once" in broken(sample)


def test_pods_of_a_job_that_nobody_let_go_are_caught() -> None:
    sample = asked()
    sample.pod("Running")

    assert "a_job_is_let_go_once" in broken(sample)
    assert "a_suspended_job_has_no_pods_left" in broken(sample)


def test_an_undo_that_was_due_and_did_not_run_is_caught() -> None:
    sample = asked("alice", "bob", effect="Release").approved().let_go().ended(kind="Failed")

    assert broken(sample.over("Failed", "UndoCompleted", by="Operator").done()) == {"the_undo_ran_where_it_was_due"}


@pytest.mark.parametrize(
    "excuse", ["NoUndoNamed", "OutcomeUnknown", "UndoUnavailable", "SubjectOverridden", "NothingToUndo"]
)
def test_an_excuse_that_is_not_so_is_caught(excuse: str) -> None:
    sample = asked("alice", "bob", effect="Release").approved().let_go().ended(kind="Failed")

    assert broken(sample.over("Failed", excuse, by="Operator").done()) == {"the_undo_ran_where_it_was_due"}


def test_an_undo_before_the_pods_are_gone_is_caught() -> None:
    sample = asked("alice", "bob", effect="Release").approved().let_go()
    sample.said("erin", "deny")
    sample.over("Denied", "Undoing").let_go(UNDO)

    assert "the_undo_ran_where_it_was_due" in broken(sample)


def test_an_undo_of_what_never_ran_or_passed_is_caught() -> None:
    sample = asked("alice", effect="Release")
    sample.said("erin", "deny")
    assert "the_undo_ran_where_it_was_due" in broken(sample.over("Denied", "Undoing").let_go(UNDO).ended(UNDO).done())
    assert "a_job_runs_by_approval_only" in broken(released().let_go(UNDO))
