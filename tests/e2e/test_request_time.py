"""What time does to a request: deadlines, escalation, validity, and words that came while no operator ran."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from controlplane import KubectlError, wait_until
from tests.e2e.gaps import jam
from tests.e2e.operators import until_acting
from tests.e2e.stage import Body, Stage, condition, failure
from tests.e2e.witness import watched


def instant(text: str) -> datetime:
    """A time of a status."""
    return datetime.fromisoformat(text)


def server_time(stage: Stage) -> datetime:
    """What the API server's Date header says, cut to seconds."""
    api = stage.api()
    answer = api._pool.request("GET", f"{api.server}/version")
    return parsedate_to_datetime(answer.headers["Date"])


def is_between(before: datetime, when: datetime, after: datetime) -> bool:
    """Whether something happened between two looks at the server's clock, which tells whole seconds."""
    return before - timedelta(seconds=2) <= when <= after + timedelta(seconds=2)


def until_time(stage: Stage, when: datetime, seconds: float = 90) -> None:
    """Wait until the API server's clock has passed an instant."""
    wait_until(lambda: server_time(stage) > when, f"it is past {when}", seconds)


def test_the_deadline_runs_on_the_servers_time_from_the_preparation(stage: Stage) -> None:
    policy, before = stage.policy(), server_time(stage)
    stage.request("clocked", policy, timeoutSeconds=3)
    asked = stage.until_prepared("clocked")["status"]
    prepared, deadline = instant(asked["preparedAt"]), instant(asked["deadline"])
    assert timedelta(seconds=3) <= deadline - prepared <= timedelta(seconds=4)  # rounded up to a whole second
    assert is_between(before, prepared, server_time(stage))

    done = stage.until_done("clocked")
    assert (done["status"]["phase"], failure(done)) == ("Expired", "DeadlinePassed")
    late = instant(done["status"]["decision"]["at"]) - deadline
    assert timedelta(0) <= late < timedelta(seconds=30)  # by the deadline itself: without it nobody would look for minutes
    assert condition(done, "Expired")[0] == "True"
    assert condition(done, "RolledBack") == ("True", "NothingToUndo")


WRONG_CLOCK = """
import time
right, right_ns = time.time, time.time_ns
time.time = lambda: right() + 7200
time.time_ns = lambda: right_ns() + 7200 * 10**9
"""


def test_a_node_whose_clock_is_two_hours_fast_decides_nothing_wrong(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(WRONG_CLOCK)
    begin = stage.cluster.start_program

    def wrongly(name: str, argv: Sequence[str]) -> None:
        begin(name, [word.replace("PYTHONPATH=", f"PYTHONPATH={tmp_path}:") for word in argv])

    policy = stage.policy(quorum=[{"role": "sre"}])
    stage.request("patient", policy, timeoutSeconds=600)
    stage.until_prepared("patient")
    stage.operator.stop()
    monkeypatch.setattr(stage.cluster, "start_program", wrongly)
    try:
        stage.operator.start()
        until_acting(stage.operator)
        before = server_time(stage)
        stage.request("punctual", policy, timeoutSeconds=3)
        prepared = instant(stage.until_prepared("punctual")["status"]["preparedAt"])
        assert is_between(before, prepared, server_time(stage))
        done = stage.until_done("punctual")
        assert done["status"]["phase"] == "Expired"
        assert is_between(prepared, instant(done["status"]["decision"]["at"]), server_time(stage))
        assert stage.get("apr", "patient")["status"]["phase"] == "Pending"
        stage.say("alice", "patient", "approve")
        assert stage.until_done("patient")["status"]["phase"] == "Approved"
        said = [line for line in stage.operator.log().splitlines() if line.startswith("20")]  # some go on in a second line
        ahead = datetime.fromisoformat(said[-1].split()[0]) - server_time(stage)
        assert ahead > timedelta(hours=1), "its own clock was not wrong at all"
    finally:
        monkeypatch.undo()
        stage.operator.stop()
        stage.operator.start()
        until_acting(stage.operator)


def test_escalation_lets_backups_in_and_never_lowers_the_quorum(stage: Stage) -> None:
    early, late = (escalating(stage, name, seconds) for name, seconds in (("early", 2), ("late", 500)))
    stage.request("waits", late)
    asked = stage.until_prepared("waits")
    assert asked["status"]["quorum"][0]["acceptedRoles"] == ["sre"]
    with pytest.raises(KubectlError, match="you hold none of the roles this request needs"):
        stage.say("dana", "waits", "approve")

    stage.request("escalates", early)
    opened = stage.until("escalates", is_opened, "opened")
    step, entry = opened["status"]["escalations"][0], opened["status"]["quorum"][0]
    assert instant(step["openedAt"]) >= instant(step["at"])
    assert (entry["acceptedRoles"], entry["count"], opened["status"]["approvals"]) == (["sre", "duty"], 2, "0/2")
    stage.say("dana", "escalates", "approve", "standing in")
    assert stage.until("escalates", lambda b: b["status"]["approvals"] == "1/2", "1/2")["status"]["phase"] == "Pending"
    stage.say("alice", "escalates", "approve")

    done = stage.until_done("escalates")
    assert done["status"]["phase"] == "Approved"
    assert [v["role"] for v in done["status"]["verdicts"]] == ["duty", "sre"]
    stage.until_told("escalates", "Escalated")


def escalating(stage: Stage, name: str, seconds: int) -> str:
    """A policy of two of sre, which lets a backup in after so many seconds."""
    quorum = [{"role": "sre", "count": 2, "backups": ["duty"]}]
    steps = [{"afterSeconds": seconds, "roles": ["duty"]}]
    return stage.policy(f"{name}-{stage.namespace}", quorum=quorum, escalation=steps)


def is_opened(body: Body) -> bool:
    """Whether the first step of the escalation was taken."""
    return any(step.get("openedAt") for step in body["status"].get("escalations", [])[:1])


def test_a_timeout_beyond_the_policys_bounds_fails(stage: Stage) -> None:
    policy = stage.policy(timeoutSeconds={"default": 60, "max": 120})
    stage.request("too-long", policy, timeoutSeconds=121)
    stage.request("longest", policy, timeoutSeconds=120)
    done = stage.until_done("too-long")
    assert (done["status"]["phase"], failure(done)) == ("Failed", "TimeoutOutOfBounds")
    assert "121" in done["status"]["decision"]["message"]
    assert "requestDigest" not in done["status"]
    assert stage.until_prepared("longest")["status"]["phase"] == "Pending"


def test_an_approval_that_cannot_be_used_within_its_validity_lapses(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}], validitySeconds=2)
    job = stage.job("jammed", policy)
    stage.request("jammed-1", policy, job=job)
    stage.until_prepared("jammed-1")
    with jam(stage), watched(stage.api(), stage.path("apr")) as seen:  # it is approved for two seconds
        stage.say("alice", "jammed-1", "approve")
        ended = stage.until_phase("jammed-1", "Lapsed")
        assert failure(ended) == "ValidityPassed"
        wait_until(lambda: any(phase(body) == "Lapsed" for body in tuple(seen)), "the watch has told all", 60)
    approved = next(body for body in seen if phase(body) == "Approved")
    assert approved["status"]["effect"]["state"] == "Waiting"
    assert approved["status"]["effect"]["prior"] == {"suspend": True}
    done = stage.until_done("jammed-1")
    assert done["status"]["phase"] == "Lapsed"
    assert condition(done, "RolledBack") == ("True", "NothingToUndo")
    assert stage.get("job", "jammed")["spec"]["suspend"] is True
    assert stage.pods_of(job) == []


def phase(body: Body) -> str:
    """Where a request stands."""
    return str(body["status"].get("phase", ""))


def test_an_approval_that_no_operator_saw_before_the_deadline_is_recorded_and_does_not_count(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    job = stage.job("unseen", policy)
    stage.request("unseen-1", policy, job=job, timeoutSeconds=20)
    deadline = instant(stage.until_prepared("unseen-1")["status"]["deadline"])
    stage.operator.stop()
    try:
        stage.say("alice", "unseen-1", "approve", "in time, but nobody was there")
        assert server_time(stage) < deadline, "the machine was too slow for this test"
        until_time(stage, deadline)
    finally:
        stage.operator.start()

    done = stage.until_done("unseen-1")
    assert (done["status"]["phase"], failure(done)) == ("Expired", "DeadlinePassed")
    verdict = done["status"]["verdicts"][0]
    assert (verdict["username"], verdict["counted"], verdict["reason"]) == ("alice", False, "Late")
    assert stage.pods_of(job) == []
    until_acting(stage.operator)


def test_approvals_given_while_no_operator_ran_count_when_it_returns_in_time(stage: Stage) -> None:
    policy = stage.policy()
    job = stage.job("absent", policy)
    stage.request("absent-1", policy, job=job, timeoutSeconds=300)
    stage.request("absent-2", policy, timeoutSeconds=300)
    stage.until_prepared("absent-1")
    stage.until_prepared("absent-2")
    stage.operator.stop()
    try:
        stage.say("alice", "absent-1", "approve")
        stage.say("bob", "absent-1", "approve")
        stage.say("alice", "absent-2", "deny", "no")
        assert stage.get("apr", "absent-1")["status"]["approvals"] == "0/2"
    finally:
        stage.operator.start()

    done = stage.until_done("absent-1")
    assert done["status"]["phase"] == "Released"
    assert all(v.get("counted", True) for v in done["status"]["verdicts"])
    assert stage.until_done("absent-2")["status"]["phase"] == "Denied"
    until_acting(stage.operator)
