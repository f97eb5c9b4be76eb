"""The main job, as its users do it: a held Job, a request, words of people, and what comes of it."""

import pytest

from controlplane import KubectlError
from tests.e2e.stage import Stage, condition


def test_two_reviewers_let_a_held_job_run(stage: Stage) -> None:
    policy = stage.policy()
    job = stage.job("migrate", policy)
    stage.request("migrate-1", policy, job=job)
    asked = stage.until_prepared("migrate-1")
    assert asked["status"]["resolved"]["job"]["commands"] == ["migrate"]
    assert condition(asked, "Held") == ("True", "AwaitingApproval")

    with pytest.raises(KubectlError, match="you hold none of the roles"):
        stage.say("mallory", "migrate-1", "approve")
    with pytest.raises(KubectlError, match="this Job is held"):
        stage.kubectl("patch", "job", "migrate", "--type=merge", '-p={"spec":{"suspend":false}}', user="ci")
    stage.say("alice", "migrate-1", "approve", "error rate is flat")
    once = stage.until("migrate-1", lambda body: body["status"]["approvals"] == "1/2", "1/2")
    assert once["status"]["phase"] == "Pending"
    assert stage.get("job", "migrate")["spec"]["suspend"] is True
    stage.say("bob", "migrate-1", "approve", "go")

    done = stage.until_done("migrate-1")
    assert done["status"]["phase"] == "Released"
    assert condition(done, "Ready") == ("True", "EffectComplete")
    assert [v["username"] for v in done["status"]["verdicts"]] == ["alice", "bob"]
    ran = stage.get("job", "migrate")
    assert ran["metadata"]["annotations"]["gatehold.dev/released-by"] == done["metadata"]["uid"]
    assert "gatehold.dev/outcome" not in ran["metadata"].get("finalizers", [])
    stage.until_told("migrate-1", "Waiting", "VerdictRecorded", "Approved", "EffectStarted", "Released")


def test_a_denied_job_never_runs(stage: Stage) -> None:
    policy = stage.policy()
    job = stage.job("drop", policy)
    stage.request("drop-1", policy, job=job)
    stage.until_prepared("drop-1")
    stage.say("alice", "drop-1", "deny", "not on a Friday")

    done = stage.until_done("drop-1")
    assert done["status"]["phase"] == "Denied"
    assert condition(done, "RolledBack") == ("True", "NothingToUndo")
    assert condition(done, "Stalled") == ("True", "DeniedByReviewer")
    assert stage.get("job", "drop")["spec"]["suspend"] is True


def test_nobody_answers_in_time_and_nothing_ran(stage: Stage) -> None:
    policy = stage.policy()
    job = stage.job("late", policy)
    stage.request("late-1", policy, job=job, timeoutSeconds=2)

    done = stage.until_done("late-1")
    assert done["status"]["phase"] == "Expired"
    assert stage.get("job", "late")["spec"]["suspend"] is True
    with pytest.raises(KubectlError, match="this request is Expired"):
        stage.say("alice", "late-1", "approve")


def test_a_failed_job_is_undone_by_its_undo_job(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    job, undo = stage.job("forward", policy, fake="fails"), stage.job("back", policy)
    stage.request("change", policy, job=job, undo=undo)
    stage.until_prepared("change")
    stage.say("alice", "change", "approve")

    done = stage.until_done("change")
    assert done["status"]["phase"] == "Failed"
    assert done["status"]["decision"]["reason"] == "EffectFailed"
    assert condition(done, "RolledBack") == ("True", "UndoCompleted")
    assert stage.get("job", "back")["status"]["succeeded"] == 1
    assert "finalizers" not in stage.get("job", "back")["metadata"]


def test_denied_while_it_runs_is_stopped_then_undone(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    job, undo = stage.job("loop", policy, fake="runs"), stage.job("loop-back", policy)
    stage.request("loop-1", policy, job=job, undo=undo)
    stage.until_prepared("loop-1")
    stage.say("alice", "loop-1", "approve")
    stage.until("loop-1", lambda body: body["status"].get("effect", {}).get("state") == "Running", "effect Running")
    stage.until("loop", lambda body: body.get("status", {}).get("active") == 1, "active 1", kind="job")
    stage.say("bob", "loop-1", "deny", "p99 doubled")

    done = stage.until_done("loop-1")
    assert done["status"]["phase"] == "Denied"
    assert condition(done, "RolledBack") == ("True", "UndoCompleted")
    assert stage.get("job", "loop")["spec"]["suspend"] is True
    assert all(pod["status"]["phase"] in ("Succeeded", "Failed") for pod in stage.pods_of(job))
    stage.until("loop", lambda body: not body["status"].get("active"), "nothing active", kind="job")


def test_override_lets_it_pass_and_nobody_overlooks_it(stage: Stage) -> None:
    policy = stage.policy()
    job = stage.job("urgent", policy)
    stage.request("urgent-1", policy, job=job)
    stage.until_prepared("urgent-1")
    stage.say("dana", "urgent-1", "override", "INC-4711: site down, sre asleep")

    done = stage.until_done("urgent-1")
    assert done["status"]["phase"] == "Released"
    assert done["status"]["decision"]["by"] == "Override"
    assert condition(done, "Overridden")[0] == "True"
    stage.until_told("urgent-1", "Overridden")
    assert ("Overridden", "Warning") in stage.events("urgent-1")


def test_the_requester_takes_it_back(stage: Stage) -> None:
    policy = stage.policy()
    job = stage.job("wrong", policy)
    stage.request("wrong-1", policy, job=job)
    stage.until_prepared("wrong-1")
    stage.say("ci", "wrong-1", "withdraw", "wrong branch")

    done = stage.until_done("wrong-1")
    assert done["status"]["phase"] == "Withdrawn"


def test_without_an_effect_approved_is_the_end(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    stage.request("step", policy)
    stage.until_prepared("step")
    stage.say("alice", "step", "approve")

    done = stage.until_done("step")
    assert done["status"]["phase"] == "Approved"
    assert condition(done, "Ready")[0] == "True"
    stage.kubectl("wait", "apr/step", "--for=condition=Approved", "--timeout=60s")
