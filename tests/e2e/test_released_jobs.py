"""Held Jobs after their release: followed to the end, stopped, undone; and released once, whatever dies when."""

import random
import time

import pytest

from controlplane import ControlPlane, wait_until
from tests.e2e.operators import crash, until_acting
from tests.e2e.stage import Body, Stage, condition, failure, message

ROUNDS = 10
MOMENTS = random.Random(4)  # the moments of death: arbitrary, and the same in each run


def running(stage: Stage, name: str, *, undo: Body | None = None, fake: str = "runs", **release: object) -> Body:
    """A released Job whose pods run, by request NAME-1 under a policy of one reviewer.

    One that fails, or that has its time (`release`), may be over before anybody looks, so that is not waited for.
    """
    policy = stage.policy(quorum=[{"role": "sre"}])
    job = stage.job(name, policy, fake=fake)
    effect = {"type": "Release", "release": release} if release else {"type": "Release"}
    stage.request(f"{name}-1", policy, job=job, undo=undo, effect=effect)
    stage.until_prepared(f"{name}-1")
    stage.say("alice", f"{name}-1", "approve")
    if fake == "runs" and not release:
        stage.until(name, lambda body: body.get("status", {}).get("active") == 1, "active 1", kind="job")
        stage.until(f"{name}-1", lambda body: body["status"]["effect"]["state"] == "Running", "Running")
        stage.until_placed(job)
    return job


def undo_job(stage: Stage, name: str, fake: str = "") -> Body:
    """A held Job that undoes, under the policy that `running` uses."""
    return stage.job(name, stage.policy(quorum=[{"role": "sre"}]), fake=fake)


def test_a_job_deleted_while_it_runs_is_undone(stage: Stage) -> None:
    job = running(stage, "axed", undo=undo_job(stage, "axed-back"))
    stage.kubectl("delete", "job", "axed", "--wait=false", user="ci")
    done = stage.until_done("axed-1")
    assert (done["status"]["phase"], failure(done)) == ("Superseded", "SubjectDeleted")
    assert condition(done, "RolledBack") == ("True", "UndoCompleted")
    stage.until_gone("job", "axed")
    assert stage.get("job", "axed-back")["status"]["succeeded"] == 1
    assert all(pod["status"]["phase"] in ("Succeeded", "Failed") for pod in stage.pods_of(job))


def test_a_job_that_runs_beyond_its_time_is_stopped_and_undone(stage: Stage) -> None:
    running(stage, "slow", undo=undo_job(stage, "slow-back"), timeoutSeconds=2)
    done = stage.until_done("slow-1")
    assert (done["status"]["phase"], failure(done)) == ("Failed", "EffectTimedOut")
    assert condition(done, "RolledBack") == ("True", "UndoCompleted")
    assert stage.get("job", "slow")["spec"]["suspend"] is True


def test_an_undo_that_fails_says_so(stage: Stage) -> None:
    running(stage, "bad", undo=undo_job(stage, "bad-back", fake="fails"), fake="fails")
    done = stage.until_done("bad-1")
    assert (done["status"]["phase"], failure(done)) == ("Failed", "EffectFailed")
    assert condition(done, "RolledBack") == ("False", "UndoFailed")
    stage.until_told("bad-1", "RollbackFailed")
    assert ("RollbackFailed", "Warning") in stage.events("bad-1")


def test_without_an_undo_what_was_done_stays_and_the_status_says_so(stage: Stage) -> None:
    running(stage, "lone", fake="fails")
    done = stage.until_done("lone-1")
    assert (done["status"]["phase"], failure(done)) == ("Failed", "EffectFailed")
    assert condition(done, "RolledBack") == ("False", "NoUndoNamed")


def test_an_undo_job_that_was_replaced_is_not_run(stage: Stage) -> None:
    undo = undo_job(stage, "swapped-back")
    running(stage, "swapped", undo=undo)
    stage.kubectl("delete", "job", "swapped-back", user="ci")
    other = undo_job(stage, "swapped-back")
    stage.say("bob", "swapped-1", "deny", "p99 doubled")
    done = stage.until_done("swapped-1")
    assert done["status"]["phase"] == "Denied"
    assert condition(done, "RolledBack") == ("False", "UndoUnavailable")
    assert stage.get("job", "swapped")["spec"]["suspend"] is True
    assert stage.pods_of(other) == []


def test_the_requester_takes_it_back_while_it_runs(stage: Stage) -> None:
    running(stage, "regret", undo=undo_job(stage, "regret-back"))
    stage.say("ci", "regret-1", "withdraw", "wrong cluster")
    done = stage.until_done("regret-1")
    assert (done["status"]["phase"], failure(done)) == ("Withdrawn", "WithdrawnByRequester")
    assert condition(done, "RolledBack") == ("True", "UndoCompleted")


def test_the_undo_starts_only_when_the_pods_of_the_stopped_job_are_gone(stage: Stage) -> None:
    undo = undo_job(stage, "order-back")
    job = running(stage, "order", undo=undo)
    assert isinstance(stage.cluster, ControlPlane)
    stage.cluster.freeze("kwok")  # a node that is slow to stop its pods
    try:
        stage.say("bob", "order-1", "deny", "stop it")
        stage.until("order", lambda body: body["spec"]["suspend"], "suspended", kind="job")
        wait_until(lambda: "deletionTimestamp" in stage.pods_of(job)[0]["metadata"], "its pod is told to end", 60)
        waits = stage.until("order-1", lambda b: "pods" in message(b, "RolledBack"), "it waits for the pods")
        assert condition(waits, "RolledBack") == ("False", "Undoing")
        assert condition(waits, "Reconciling")[0] == "True"
        assert stage.get("job", "order-back")["spec"]["suspend"] is True
    finally:
        stage.cluster.thaw("kwok")
    done = stage.until_done("order-1")
    assert condition(done, "RolledBack") == ("True", "UndoCompleted")


def test_a_short_time_to_live_does_not_hide_the_outcome(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    job = stage.job("fleeting", policy, ttlSecondsAfterFinished=0)
    stage.request("fleeting-1", policy, job=job)
    stage.until_prepared("fleeting-1")
    stage.say("alice", "fleeting-1", "approve")
    done = stage.until_done("fleeting-1")
    assert done["status"]["phase"] == "Released"
    assert done["status"]["effect"]["progress"]["succeeded"] == 1
    stage.until_gone("job", "fleeting")


def test_a_failure_is_seen_too_although_its_job_does_not_stay(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    job = stage.job("flop", policy, fake="fails", ttlSecondsAfterFinished=0)
    undo = stage.job("flop-back", policy, ttlSecondsAfterFinished=0)
    stage.request("flop-1", policy, job=job, undo=undo)
    stage.until_prepared("flop-1")
    stage.say("alice", "flop-1", "approve")
    done = stage.until_done("flop-1")
    assert (done["status"]["phase"], failure(done)) == ("Failed", "EffectFailed")
    assert condition(done, "RolledBack") == ("True", "UndoCompleted")
    stage.until_gone("job", "flop")
    stage.until_gone("job", "flop-back")


def test_a_job_of_three_pods_is_complete_when_all_three_are(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    job = stage.job("wide", policy, parallelism=3, completions=3)
    stage.request("wide-1", policy, job=job)
    stage.until_prepared("wide-1")
    stage.say("alice", "wide-1", "approve")
    done = stage.until_done("wide-1")
    assert done["status"]["phase"] == "Released"
    assert done["status"]["effect"]["progress"]["succeeded"] == 3
    assert len(stage.pods_of(job)) == 3


@pytest.mark.timeout(900)  # as many starts of an operator as rounds
def test_it_is_released_once_whenever_the_operator_is_killed(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    jobs = {f"n{number}": stage.job(f"n{number}", policy) for number in range(ROUNDS)}
    for name, job in jobs.items():
        stage.request(f"{name}-1", policy, job=job)
    for name in jobs:
        stage.until_prepared(f"{name}-1")
    for name, job in jobs.items():
        assert stage.word("alice", f"{name}-1", "approve")[0]
        time.sleep(MOMENTS.random() ** 3)  # not to wait for anything: this is the moment of death
        crash(stage.operator)
        stage.operator.start()
        until_acting(stage.operator)
        done = stage.until_done(f"{name}-1")
        assert done["status"]["phase"] == "Released"
        assert len(stage.pods_of(job)) == 1
        assert stage.get("job", name)["metadata"]["annotations"]["gatehold.dev/released-by"] == done["metadata"]["uid"]
        told = stage.until_told(f"{name}-1", "Waiting", "VerdictRecorded", "Approved", "EffectStarted", "Released")
        assert sorted(told) == sorted(set(told))


@pytest.mark.timeout(900)  # as many starts of an operator as rounds
def test_it_is_undone_once_whenever_the_operator_is_killed(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    for number in range(4):
        name = f"n{number}"
        job, undo = stage.job(name, policy, fake="fails"), stage.job(f"{name}-back", policy)
        stage.request(f"{name}-1", policy, job=job, undo=undo)
        stage.until_prepared(f"{name}-1")
        assert stage.word("alice", f"{name}-1", "approve")[0]
        time.sleep(0.5 + MOMENTS.random())  # the moment of death: around the failure of the Job
        crash(stage.operator)
        stage.operator.start()
        until_acting(stage.operator)
        done = stage.until_done(f"{name}-1")
        assert (done["status"]["phase"], condition(done, "RolledBack")) == ("Failed", ("True", "UndoCompleted"))
        assert (len(stage.pods_of(job)), len(stage.pods_of(undo))) == (1, 1)
