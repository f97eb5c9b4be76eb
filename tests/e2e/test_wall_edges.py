"""The edges of a gap: late watches, lost answers and crashes at the worst moment let no forged verdict count."""

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane import wait_until
from playground import Launch, OperatorProcess
from playground.operator_process import PATIENT
from tests.e2e.gaps import (
    ADMISSION,
    KINDS,
    Body,
    gap,
    put,
    recorded,
    removed,
    shipped,
    until_enforced,
    world_of_its_own,
    write_verdict,
)
from tests.e2e.late_watch import FOLDER, PROOFS, WALL, late
from tests.e2e.operators import free_lease, metric, until_acting
from tests.e2e.stage import Stage, condition, connection, failure, new_stage
from tests.faults.operator import FOLDER as ORDERS
from tests.faults.operator import Folder, Orders
from tests.wall.api import path

VAP, REQUESTS = "ValidatingAdmissionPolicy", "gatehold-requests"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the test says which watch is late."""
    return tmp_path_factory.mktemp("late")


@pytest.fixture(scope="module")
def world(folder: Path) -> Iterator[OperatorProcess]:
    """A control plane of this file's own, and an operator whose watches can be made late."""
    launch = Launch("tests.e2e.late_watch", {FOLDER: str(folder)})
    with world_of_its_own(launch, watchdog_seconds="300") as process:  # its own heartbeats are late as well
        yield process


@pytest.fixture
def stage(world: OperatorProcess) -> Stage:
    """A namespace of the test's own in that control plane."""
    return new_stage(world.cluster, world)


def asked(stage: Stage, name: str, count: int = 1) -> str:
    """A held Job and the question about its release; answers the Job's name."""
    policy = stage.policy(quorum=[{"role": "sre", "count": count}])
    stage.request(name, policy, job=stage.job(f"job-{name}", policy))
    stage.until_prepared(name)
    return f"job-{name}"


def told(stage: Stage, reason: str) -> int:
    """How many Events of that reason tell of the wall."""
    events = connection(stage.cluster.admin_kubeconfig).get(path("events.k8s.io/v1", "events", "default")) or {"items": []}
    return sum(e["reason"] == reason and e["regarding"]["name"] == "gatehold-probe" for e in events["items"])


def released_by_honest_people(stage: Stage, name: str, *people: str) -> None:
    """They say it themselves, and that counts."""
    for person in people:
        stage.say(person, name, "approve", "now it is really me")
    done = stage.until_done(name)
    assert done["status"]["phase"] == "Released"
    assert [who for _, who, counted, _ in recorded(done) if counted] == list(people)


def test_a_forged_verdict_counts_for_nothing_though_the_watch_of_the_wall_is_late(stage: Stage, folder: Path) -> None:
    job = asked(stage, "deaf", 2)
    with late(folder, *WALL):
        put(stage.cluster, shipped(VAP, REQUESTS), None)
        try:
            write_verdict(stage, "deaf", 0, "alice")
            body = stage.until("deaf", lambda body: body["status"].get("verdicts"), "recorded")
            assert recorded(body) == [("approve", "alice", False, "Unproven")]
        finally:
            put(stage.cluster, shipped(VAP, REQUESTS), shipped(VAP, REQUESTS))
        until_enforced(stage.cluster, "True")
        assert stage.get("job", job)["spec"]["suspend"] is True
    until_enforced(stage.cluster, "True")
    released_by_honest_people(stage, "deaf", "alice", "bob")


def test_a_forged_verdict_counts_for_nothing_though_it_is_delivered_after_the_gap(stage: Stage, folder: Path) -> None:
    job = asked(stage, "slow")
    with late(folder, "approvalrequests"):
        with gap(stage, VAP, REQUESTS, removed):
            write_verdict(stage, "slow", 0, "alice")
        assert metric(stage.operator, "gatehold_wall_enforced") == 1
        assert stage.get("job", job)["spec"]["suspend"] is True
    body = stage.until("slow", lambda body: body["status"].get("verdicts"), "recorded")
    assert recorded(body) == [("approve", "alice", False, "Unproven")]
    released_by_honest_people(stage, "slow", "alice")


def test_an_honest_verdict_that_a_late_watch_brings_counts(stage: Stage, folder: Path) -> None:
    asked(stage, "patient")
    with late(folder, "approvalrequests", *WALL):
        stage.say("alice", "patient", "approve")
        assert "verdicts" not in stage.get("apr", "patient")["status"]
    done = stage.until_done("patient")
    assert (done["status"]["phase"], recorded(done)) == ("Released", [("approve", "alice", True, "")])


def test_a_job_made_anew_is_asked_about_though_the_watch_still_knows_the_former_one(stage: Stage, folder: Path) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    stage.job("again", policy)
    stage.request("first", policy, job=stage.get("job", "again"))
    stage.until_prepared("first")  # so its Job is known
    with late(folder, "jobs"):
        stage.kubectl("delete", "job", "again", user="ci")
        job = stage.job("again", policy)
        stage.say("ci", "first", "withdraw", "the Job is made anew")
        stage.until_done("first")
        stage.request("second", policy, job=job)
        asked = stage.until_prepared("second")
        assert (asked["status"]["phase"], asked["status"]["resolved"]["job"]["uid"]) == ("Pending", job["metadata"]["uid"])
        stage.say("alice", "second", "approve")
        stage.until("second", lambda body: body["status"]["phase"] != "Pending", "decided")
    done = stage.until_done("second")
    assert done["status"]["phase"] == "Released"
    assert len(stage.pods_of(job)) == 1


def test_ten_seconds_without_the_policy_and_every_kind_of_forgery(stage: Stage) -> None:
    job = asked(stage, "besieged", 2)
    stage.until_told("besieged", "Waiting")  # Events come in order: whatever was to be told of gaps before this one is told
    before = told(stage, "WallNotProven"), told(stage, "WallProven")
    with gap(stage, VAP, REQUESTS, removed):
        opened = time.monotonic()
        assert metric(stage.operator, "gatehold_wall_enforced") == 0
        write_verdict(stage, "besieged", 0, "mallory")
        write_verdict(stage, "besieged", 1, "system:serviceaccount:default:robot")
        write_verdict(stage, "besieged", 2, "alice")
        write_verdict(stage, "besieged", 3, "bob")
        write_verdict(stage, "besieged", 4, "ci")
        write_verdict(stage, "besieged", 5, "dana", word="override", role="")
        body = stage.until("besieged", lambda body: len(body["status"].get("verdicts", [])) == 6, "all recorded")
        assert [(counted, why) for _, _, counted, why in recorded(body)] == [(False, "Unproven")] * 6
        wait_until(lambda: time.monotonic() > opened + 10, "the policy was away for ten seconds", 60)
        body = stage.get("apr", "besieged")
        assert (body["status"]["phase"], body["status"]["approvals"]) == ("Pending", "0/2")
        assert stage.get("job", job)["spec"]["suspend"] is True
    assert metric(stage.operator, "gatehold_wall_enforced") == 1
    released_by_honest_people(stage, "besieged", "alice", "bob")
    wait_until(lambda: told(stage, "WallProven") == before[1] + 1, "it is told that the wall stands again", 60)
    assert told(stage, "WallNotProven") == before[0] + 1


@contextlib.contextmanager
def blind(stage: Stage) -> Iterator[None]:
    """The operator may not read the policies of admission any more."""
    role = json.loads(stage.cluster.kubectl("get", "clusterrole", "gatehold-operator", "-o", "json").stdout)
    patch = [rule for rule in role["rules"] if rule.get("apiGroups") != ["admissionregistration.k8s.io"]]
    assert len(patch) == len(role["rules"]) - 1

    def rules(wanted: list[Body]) -> None:
        stage.cluster.kubectl(
            "patch", "clusterrole", "gatehold-operator", "--type=merge", "-p", json.dumps({"rules": wanted})
        )

    rules(patch)
    try:
        yield
    finally:
        rules(role["rules"])


def test_where_nobody_can_tell_whether_the_wall_stands_the_request_says_so_and_nothing_is_lost(stage: Stage) -> None:
    job = asked(stage, "unclear")
    tried = 'gatehold_wall_proofs_total{result="ProbeUnreachable"}'
    before = metric(stage.operator, tried) or 0
    with blind(stage):
        wait_until(lambda: (metric(stage.operator, tried) or 0) > before, "no proof comes through", 120)
        stage.say("alice", "unclear", "approve")
        held = stage.until_held("unclear", "WallNotProven")
        assert "verdicts" not in held["status"]
        before = metric(stage.operator, tried) or 0
        wait_until(lambda: (metric(stage.operator, tried) or 0) >= before + 3, "three more proofs without an answer", 90)
        assert stage.get("apr", "unclear")["metadata"]["resourceVersion"] == held["metadata"]["resourceVersion"]
        assert stage.get("job", job)["spec"]["suspend"] is True
    done = stage.until_done("unclear")
    assert (done["status"]["phase"], recorded(done)) == ("Released", [("approve", "alice", True, "")])
    assert condition(done, "Held")[0] == "False"


def test_a_crash_before_what_was_forged_is_recorded_does_not_make_it_count(stage: Stage, tmp_path: Path) -> None:
    job = asked(stage, "crashed")
    stage.operator.stop()
    put(stage.cluster, shipped(VAP, REQUESTS), None)
    write_verdict(stage, "crashed", 0, "alice")
    put(stage.cluster, shipped(VAP, REQUESTS), shipped(VAP, REQUESTS))

    launch = Launch("tests.faults.operator", {ORDERS: str(tmp_path)})
    doomed = OperatorProcess(stage.cluster, "doomed", launch, **PATIENT)  # by its orders, and not for want of the Lease
    Folder(tmp_path).order("doomed", Orders("before", name="crashed"))
    doomed.start()
    wait_until(lambda: doomed.code() is not None, "it has died before it recorded", 120)
    free_lease(stage.cluster)
    assert "verdicts" not in stage.get("apr", "crashed")["status"]

    stage.operator.start()
    until_acting(stage.operator)
    body = stage.until("crashed", lambda body: body["status"].get("verdicts"), "recorded")
    assert recorded(body) == [("approve", "alice", False, "Unproven")]
    assert stage.get("job", job)["spec"]["suspend"] is True
    released_by_honest_people(stage, "crashed", "alice")


def test_a_crash_between_the_approval_and_the_look_at_the_wall_releases_nothing(
    stage: Stage, folder: Path, tmp_path: Path
) -> None:
    """The status that approves is written beside the look; the process dies with the one and without the other."""
    job = asked(stage, "torn")
    stage.operator.stop()
    variables = {FOLDER: str(folder), ORDERS: str(tmp_path)}
    doomed = OperatorProcess(stage.cluster, "torn", Launch("tests.e2e.late_watch", variables), **PATIENT)
    Folder(tmp_path).order("torn", Orders("after", name="torn", what="approvalrequests/status Approved"))
    doomed.start()
    until_acting(doomed)
    with late(folder, PROOFS, *WALL):
        put(stage.cluster, shipped(VAP, REQUESTS), None)
        try:
            write_verdict(stage, "torn", 0, "alice")
            wait_until(lambda: doomed.code() is not None, "it has died", 60)
        finally:
            put(stage.cluster, shipped(VAP, REQUESTS), shipped(VAP, REQUESTS))
    free_lease(stage.cluster)
    approved = stage.get("apr", "torn")
    assert (approved["status"]["phase"], recorded(approved)) == ("Approved", [("approve", "alice", True, "")])

    stage.operator.start()
    until_acting(stage.operator)
    done = stage.until_done("torn")
    assert (done["status"]["phase"], failure(done)) == ("Failed", "ApprovalUnproven")
    assert stage.get("job", job)["spec"]["suspend"] is True


def test_every_kind_of_the_wall_is_read_by_the_name_that_is_shipped(stage: Stage) -> None:
    """One that stands there without our label is seen by no watch of ours, so it is as good as missing."""
    admin = connection(stage.cluster.admin_kubeconfig)
    where = path(ADMISSION, KINDS[VAP], None, "gatehold-jobs")
    stage.cluster.kubectl("label", "validatingadmissionpolicy", "gatehold-jobs", "app.kubernetes.io/part-of-")
    try:
        wait_until(lambda: until_enforced(stage.cluster, "False")["reason"] == "TextDiffers", "it is missed", 120)
        assert admin.get(where) is not None
    finally:
        stage.cluster.kubectl("label", "validatingadmissionpolicy", "gatehold-jobs", "app.kubernetes.io/part-of=gatehold")
    until_enforced(stage.cluster, "True")
