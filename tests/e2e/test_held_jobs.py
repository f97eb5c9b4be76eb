"""Held Jobs between the question and the release: replaced, changed, deleted, let go by other hands, asked about twice."""

import json
from typing import Any

import pytest

from controlplane import KubectlError, wait_until
from tests.e2e.gaps import gap, removed
from tests.e2e.stage import Body, Stage, condition, failure
from tests.wall.api import Call

VAP = "ValidatingAdmissionPolicy"
LET_GO = {"spec": {"suspend": False}}


def waiting(stage: Stage, name: str, **policy: Any) -> tuple[str, Body]:
    """A held Job, and a prepared request NAME-1 about it."""
    found = stage.policy(**policy)
    job = stage.job(name, found)
    stage.request(f"{name}-1", found, job=job)
    stage.until_prepared(f"{name}-1")
    return found, job


def until_patched(stage: Stage, job: str, patch: Body) -> None:
    """Change a Job as cluster admin as soon as the API server has taken up that the wall is open."""
    call = Call(stage.path("job", job), patch, "strategic")
    wait_until(lambda: stage.api().send(call).ok, f"Job {job} can be changed", 60)


def test_a_job_replaced_under_the_same_name_supersedes_the_request(stage: Stage) -> None:
    policy, job = waiting(stage, "replaced")
    stage.kubectl("delete", "job", "replaced", user="ci")
    other = stage.job("replaced", policy)
    done = stage.until_done("replaced-1")
    assert done["status"]["phase"] == "Superseded"
    assert failure(done) in ("SubjectChanged", "SubjectDeleted")
    assert stage.get("job", "replaced")["spec"]["suspend"] is True
    assert stage.pods_of(job) == stage.pods_of(other) == []


def test_a_request_about_an_older_job_of_the_same_name_fails(stage: Stage) -> None:
    policy = stage.policy()
    old = stage.job("renewed", policy)
    stage.kubectl("delete", "job", "renewed", user="ci")
    stage.job("renewed", policy)
    stage.request("renewed-1", policy, job=old)
    done = stage.until_done("renewed-1")
    assert (done["status"]["phase"], failure(done)) == ("Failed", "SubjectChanged")


def test_a_job_deleted_while_it_waits_supersedes_the_request(stage: Stage) -> None:
    waiting(stage, "gone")
    stage.kubectl("delete", "job", "gone", user="ci")
    done = stage.until_done("gone-1")
    assert (done["status"]["phase"], failure(done)) == ("Superseded", "SubjectDeleted")
    assert condition(done, "RolledBack") == ("True", "NothingToUndo")


def test_a_job_changed_while_the_wall_was_down_is_not_what_was_shown(stage: Stage) -> None:
    _, job = waiting(stage, "changed", quorum=[{"role": "sre"}])
    with gap(stage, VAP, "gatehold-jobs", removed):
        until_patched(stage, "changed", {"spec": {"parallelism": 7}})
    done = stage.until_done("changed-1")
    assert (done["status"]["phase"], failure(done)) == ("Superseded", "SubjectChanged")
    assert stage.get("job", "changed")["spec"]["suspend"] is True
    assert stage.pods_of(job) == []


def test_a_job_let_go_by_another_hand_while_the_wall_was_down_fails_the_request(stage: Stage) -> None:
    waiting(stage, "leaked")
    with gap(stage, VAP, "gatehold-jobs", removed):
        until_patched(stage, "leaked", LET_GO)
    done = stage.until_done("leaked-1")
    assert (done["status"]["phase"], failure(done)) == ("Failed", "SubjectRunning")
    assert "gatehold.dev/released-by" not in stage.get("job", "leaked")["metadata"].get("annotations", {})


def test_break_glass_on_the_job_is_recorded_and_not_put_back(stage: Stage) -> None:
    waiting(stage, "glass")
    why = "INC-4711: site down, nobody answers"
    with pytest.raises(KubectlError, match="break-glass"):
        stage.kubectl("patch", "job", "glass", "--type=merge", f"-p={json.dumps(LET_GO)}", user="dana")
    patch = {"metadata": {"annotations": {"gatehold.dev/override": why}}, **LET_GO}
    with pytest.raises(KubectlError, match="you may not override policy"):
        stage.kubectl("patch", "job", "glass", "--type=merge", f"-p={json.dumps(patch)}", user="ci")
    stage.kubectl("patch", "job", "glass", "--type=merge", f"-p={json.dumps(patch)}", user="dana")

    done = stage.until_done("glass-1")
    assert (done["status"]["phase"], failure(done)) == ("Superseded", "SubjectOverridden")
    assert condition(done, "Overridden")[0] == "True"
    assert why in done["status"]["decision"]["message"]
    stage.until_told("glass-1", "Overridden")
    assert ("Overridden", "Warning") in stage.events("glass-1")
    ran = stage.until("glass", lambda body: body.get("status", {}).get("succeeded") == 1, "it ran", kind="job")
    assert ran["spec"]["suspend"] is False


def test_a_second_request_about_the_same_job_fails_and_the_first_is_unharmed(stage: Stage) -> None:
    policy, job = waiting(stage, "wanted", quorum=[{"role": "sre"}])
    before = stage.get("apr", "wanted-1")
    stage.request("wanted-2", policy, job=job)
    done = stage.until_done("wanted-2")
    assert (done["status"]["phase"], failure(done)) == ("Failed", "SubjectTaken")
    assert "wanted-1" in done["status"]["decision"]["message"]
    assert stage.get("apr", "wanted-1")["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    stage.say("alice", "wanted-1", "approve")
    assert stage.until_done("wanted-1")["status"]["phase"] == "Released"
    assert len(stage.pods_of(job)) == 1


def test_a_released_job_is_not_released_for_a_second_request(stage: Stage) -> None:
    policy, job = waiting(stage, "once", quorum=[{"role": "sre"}])
    stage.say("alice", "once-1", "approve")
    stage.until_done("once-1")
    stage.request("once-2", policy, job=job)
    done = stage.until_done("once-2")
    assert (done["status"]["phase"], failure(done)) == ("Failed", "SubjectTaken")
    assert len(stage.pods_of(job)) == 1


def test_an_undo_job_belongs_to_one_live_request(stage: Stage) -> None:
    policy = stage.policy()
    one, two, undo = (stage.job(name, policy) for name in ("one", "two", "shared-undo"))
    stage.request("one-1", policy, job=one, undo=undo)
    stage.until_prepared("one-1")
    stage.request("two-1", policy, job=two, undo=undo)
    done = stage.until_done("two-1")
    assert (done["status"]["phase"], failure(done)) == ("Failed", "SubjectTaken")
    assert stage.get("apr", "one-1")["status"]["phase"] == "Pending"


def test_ten_requests_about_one_job_in_the_same_moment_leave_one(stage: Stage) -> None:
    policy = stage.policy()
    job = stage.job("fought-over", policy)
    for number in range(10):
        stage.post(stage.question(f"n{number}", policy, job=job))
    wait_until(lambda: all("phase" in body["status"] for body in stage.all("apr")), "all were looked at", 60)
    phases = sorted(body["status"]["phase"] for body in stage.all("apr"))
    assert phases == ["Failed"] * 9 + ["Pending"]
    reasons = {failure(body) for body in stage.all("apr") if body["status"]["phase"] == "Failed"}
    assert reasons == {"SubjectTaken"}
