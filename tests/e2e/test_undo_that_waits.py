"""An undo that cannot go on: pods on a node that does not answer, an undo Job without an end. Nothing hides or runs on."""

import contextlib
from collections.abc import Iterator

import pytest

from controlplane import ControlPlane, wait_until
from playground import Launch, OperatorProcess
from playground.operator_process import PATIENT
from tests.e2e.operators import until_acting
from tests.e2e.stage import Body, Stage, condition, message, new_stage

UNDO_SECONDS = 30
"""What a test does to an undo Job while it runs has to be done by then."""


@pytest.fixture(scope="module")
def hasty(operator: OperatorProcess) -> Iterator[OperatorProcess]:
    """An operator that calls pods stuck after seconds and gives an undo Job seconds; the usual one rests meanwhile."""
    operator.stop()
    launch = Launch(module="tests.e2e.hasty")
    process = OperatorProcess(operator.cluster, "hasty", launch, undo_timeout_seconds=str(UNDO_SECONDS), **PATIENT)
    process.start()
    until_acting(process)
    yield process
    process.stop()
    assert "Traceback" not in process.log(100_000), process.log(200)
    operator.start()
    until_acting(operator)


@pytest.fixture
def stage(hasty: OperatorProcess) -> Stage:
    """A namespace of the test's own."""
    return new_stage(hasty.cluster, hasty)


@contextlib.contextmanager
def dead_nodes(stage: Stage) -> Iterator[None]:
    """No node answers: pods that are told to go stay."""
    assert isinstance(stage.cluster, ControlPlane)
    stage.cluster.freeze("kwok")
    try:
        yield
    finally:
        stage.cluster.thaw("kwok")


def brief_job(stage: Stage, name: str, policy: str, fake: str = "") -> Body:
    """A held Job whose pods may take a second to end."""
    body = stage.job_body(name, policy, fake=fake)
    body["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 1
    return stage.create(body, user="ci")


def running(stage: Stage, *, undo_fake: str = "") -> tuple[Body, Body]:
    """A released Job that runs, and its undo Job, by request r."""
    policy = stage.policy(quorum=[{"role": "sre"}])
    job, undo = brief_job(stage, "job", policy, "runs"), brief_job(stage, "undo", policy, undo_fake)
    stage.request("r", policy, job=job, undo=undo)
    stage.until_prepared("r")
    stage.say("alice", "r", "approve")
    stage.until("job", lambda body: body.get("status", {}).get("active") == 1, "active 1", kind="job")
    stage.until("r", lambda body: body["status"]["effect"]["state"] == "Running", "Running")
    stage.until_placed(job)
    return job, undo


def until_stalled(stage: Stage) -> Body:
    """Wait until somebody is told to look."""
    return stage.until("r", lambda body: condition(body, "Stalled") == ("True", "PodsRemain"), "stalled by its pods")


def pod_name(stage: Stage, job: Body) -> str:
    """The one pod of a Job."""
    (pod,) = stage.pods_of(job)
    return str(pod["metadata"]["name"])


def runs_nothing(stage: Stage, job: Body) -> bool:
    """Whether no pod of the Job is left that has not ended."""
    return all(pod["status"]["phase"] in ("Succeeded", "Failed") for pod in stage.pods_of(job))


def test_pods_that_do_not_go_are_told_and_the_undo_goes_on_once_they_are_gone(stage: Stage) -> None:
    job, undo = running(stage)
    with dead_nodes(stage):
        stage.say("bob", "r", "deny", "stop it")
        stuck = until_stalled(stage)
        assert condition(stuck, "Reconciling") == ("False", "PodsRemain")
        assert condition(stuck, "RolledBack") == ("False", "PodsRemain")
        node = stage.pods_of(job)[0]["spec"]["nodeName"]
        assert f"{pod_name(stage, job)} on node {node}" in message(stuck, "Stalled")
        assert f"kubectl get pods -n {stage.namespace} -l batch.kubernetes.io/job-name=job -o wide" in message(
            stuck, "Stalled"
        )
        stage.until_told("r", "RollbackStalled")
        assert stage.get("job", "undo")["spec"]["suspend"] is True
    done = stage.until_done("r")
    assert condition(done, "RolledBack") == ("True", "UndoCompleted")
    assert condition(done, "Stalled") == ("True", "DeniedByReviewer")
    assert len(stage.pods_of(undo)) == 1
    assert stage.events("r").count(("RollbackStalled", "Warning")) == 1


def test_the_command_that_it_names_sets_it_free(stage: Stage) -> None:
    running(stage)
    with dead_nodes(stage):
        stage.say("bob", "r", "deny", "stop it")
        command = message(until_stalled(stage), "Stalled").rpartition("where the node is surely off: kubectl ")[2]
        stage.cluster.kubectl(*command.split())
        stage.until("undo", lambda body: not body["spec"]["suspend"], "the undo Job is let go", kind="job")
    done = stage.until_done("r")
    assert condition(done, "RolledBack") == ("True", "UndoCompleted")


def test_an_undo_job_that_runs_beyond_its_time_is_stopped_before_its_end_is_said(stage: Stage) -> None:
    _, undo = running(stage, undo_fake="runs")
    stage.say("bob", "r", "deny", "stop it")
    stage.until("undo", lambda body: body.get("status", {}).get("active") == 1, "active 1", kind="job")
    done = stage.until_done("r")
    assert condition(done, "RolledBack") == ("False", "UndoFailed")
    assert "undo Job undo ran beyond its time and was stopped; restore by hand" in message(done, "RolledBack")
    assert stage.get("job", "undo")["spec"]["suspend"] is True
    assert runs_nothing(stage, undo)


def test_an_undo_job_whose_pods_do_not_go_is_not_said_to_be_over(stage: Stage) -> None:
    _, undo = running(stage, undo_fake="runs")
    stage.say("bob", "r", "deny", "stop it")
    stage.until("undo", lambda body: body.get("status", {}).get("active") == 1, "active 1", kind="job")
    stage.until_placed(undo)
    with dead_nodes(stage):
        stage.until("undo", lambda body: body["spec"]["suspend"], "stopped", kind="job")
        stuck = until_stalled(stage)
        assert pod_name(stage, undo) in message(stuck, "Stalled")
        assert "finishedAt" not in stuck["status"]["effect"]["undo"]
    done = stage.until_done("r")
    assert condition(done, "RolledBack") == ("False", "UndoFailed")
    assert runs_nothing(stage, undo)


def test_an_undo_job_deleted_while_it_runs_leaves_nothing_running(stage: Stage) -> None:
    _, undo = running(stage, undo_fake="runs")
    stage.say("bob", "r", "deny", "stop it")
    stage.until("undo", lambda body: body.get("status", {}).get("active") == 1, "active 1", kind="job")
    stage.kubectl("delete", "job", "undo", "--wait=false", user="ci")
    done = stage.until_done("r")
    assert condition(done, "RolledBack") == ("False", "UndoFailed")
    assert "was deleted while it ran" in message(done, "RolledBack")
    wait_until(lambda: stage.find("job", "undo") is None, "the undo Job is gone", 60)
    assert runs_nothing(stage, undo)
