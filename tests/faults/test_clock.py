"""The operator's own clock is ten minutes off, or jumps: nothing ends otherwise, nothing ends at another time."""

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import pytest

from controlplane import ControlPlane, wait_until
from playground import OperatorProcess
from playground.operator_process import PATIENT
from tests.e2e.operators import freeze, metric, site, thaw, until_acting
from tests.e2e.stage import Stage, new_stage
from tests.faults.chorus import Chorus, Ends, expires_in, undisturbed
from tests.faults.clock_shift import SAYS, shifted
from tests.faults.pace import Every
from tests.wall.api import Call, path

TEN_MINUTES: Final = 600.0
CLOCKS: Final = {"ahead": "600", "behind": "-600", "jumping": "600,-600"}
LEASE: Final = path("coordination.k8s.io/v1", "leases", "gatehold-system", "gatehold-operator")
SLACK: Final = timedelta(minutes=1)
"""What is due may be that late on a machine that does other things too; a clock that counted would be ten minutes off."""
LEASE_TERMS: Final = {"lease_seconds": "45", "lease_renew_seconds": "40"}
"""Longer than the default: a machine that stands still for half a minute shall cost no leader its Lease while the test waits
for more than a term.
"""


@dataclass(frozen=True)
class House:
    """How stories end by a right clock."""

    plane: ControlPlane
    stage: Stage
    ends: Ends


@pytest.fixture(scope="module")
def house(plane: ControlPlane) -> House:
    """The right clock was there first."""
    operator = OperatorProcess(plane, "right", **PATIENT)
    operator.start()
    until_acting(operator)
    stage = new_stage(plane, operator)
    ends = undisturbed(stage)
    operator.stop()
    return House(plane, stage, ends)


@pytest.fixture(scope="module", params=CLOCKS)
def wrong(request: pytest.FixtureRequest, house: House) -> Iterator[OperatorProcess]:
    """An operator whose clock is wrong."""
    with_clock = OperatorProcess(house.plane, f"clock-{request.param}", shifted(CLOCKS[request.param]), **PATIENT)
    with_clock.start()
    house.stage.operator = with_clock
    until_acting(with_clock)
    yield with_clock
    with_clock.stop()
    assert "the cycle failed" not in with_clock.log(100_000)
    assert "Traceback" not in with_clock.log(100_000)


def instant(text: str) -> datetime:
    """A time of a status."""
    return datetime.fromisoformat(text)


def server_time(stage: Stage) -> datetime:
    """What the API server says."""
    api = stage.api()
    return parsedate_to_datetime(api._pool.request("GET", f"{api.server}/version").headers["Date"])


def errors(process: OperatorProcess) -> list[float]:
    """How wrong each clock of that process was when it began, by this machine's own."""
    lines = [line for line in process.log(100_000).splitlines() if line.startswith(SAYS)]
    return [float(line.removeprefix(SAYS)) for line in lines]


def test_leaders_whose_clocks_disagree_by_twenty_minutes_lead_one_at_a_time(house: House) -> None:
    clocks = {name: shifted(CLOCKS[name]) for name in ("ahead", "behind")}
    ahead, behind = (OperatorProcess(house.plane, f"pair-{name}", clock, **LEASE_TERMS) for name, clock in clocks.items())
    stage = house.stage
    stage.operator = ahead
    try:
        ahead.start()
        until_acting(ahead)
        behind.start()
        wait_until(lambda: site(behind, "/readyz")[0] == 200, "the standby is ready", 120)
        wait_until(Every(47).passed, "more than a term", 120)
        assert [metric(process, "gatehold_leader") for process in (ahead, behind)] == [1, 0]
        transitions = lease(stage)["leaseTransitions"]
        house.plane.signal_program(ahead.name, signal.SIGTERM)
        wait_until(lambda: metric(behind, "gatehold_leader") == 1, "the other leads", 60)
        assert lease(stage)["leaseTransitions"] == transitions + 1
        assert abs(instant(lease(stage)["renewTime"]) - server_time(stage)) < SLACK
    finally:
        for process in (ahead, behind):
            process.kill()
        stage.api().send(Call(LEASE, how="delete"))


def test_a_wrong_clock_changes_no_end(house: House, wrong: OperatorProcess) -> None:
    told = errors(wrong)
    assert len(told) == 3
    assert all(abs(error) > TEN_MINUTES - 1 for error in told), "the clock was not wrong at all"
    chorus = Chorus(house.stage, wrong.name)
    chorus.begin()
    chorus.join(expires_in(3), "expires")
    chorus.end(house.ends)
    stamps = {line[:16] for line in wrong.log(100_000).splitlines() if line[:2] == "20"}
    now = datetime.now(UTC)
    wrongly = [stamp for stamp in stamps if abs(datetime.fromisoformat(f"{stamp}:00Z") - now) > timedelta(minutes=5)]
    assert wrongly, "its log has the right time"


def test_a_wrong_clock_moves_no_instant(house: House, wrong: OperatorProcess) -> None:
    stage, name = house.stage, f"times-{wrong.name}"
    policy = stage.policy(
        f"{name}-{stage.namespace}",
        quorum=[{"role": "sre", "count": 2, "backups": ["duty"]}],
        escalation=[{"afterSeconds": 2, "roles": ["duty"]}],
    )
    asked = server_time(stage)
    stage.request(name, policy, timeoutSeconds=300)
    status = stage.until_prepared(name)["status"]
    prepared = instant(status["preparedAt"])
    assert asked - SLACK <= prepared <= server_time(stage) + SLACK
    assert timedelta(seconds=300) <= instant(status["deadline"]) - prepared <= timedelta(seconds=301)

    stage.say("alice", name, "approve", "one of two")
    said = stage.until(name, lambda body: body["status"].get("verdicts"), "her word is recorded")["status"]
    assert timedelta(0) <= instant(said["verdicts"][0]["observedAt"]) - prepared < SLACK
    opened = stage.until(name, lambda body: body["status"]["escalations"][0].get("openedAt"), "escalated")["status"]
    step = opened["escalations"][0]
    assert timedelta(0) <= instant(step["openedAt"]) - instant(step["at"]) < SLACK
    assert timedelta(seconds=2) <= instant(step["openedAt"]) - prepared < timedelta(seconds=2) + SLACK


def test_a_wrong_clock_moves_no_end(house: House, wrong: OperatorProcess) -> None:
    stage, name = house.stage, f"end-{wrong.name}"
    policy = stage.policy(f"{name}-{stage.namespace}", quorum=[{"role": "sre"}])
    job = stage.job(name, policy)
    stage.request(name, policy, job=job, timeoutSeconds=3)
    done = stage.until_done(name)["status"]
    prepared, deadline = instant(done["preparedAt"]), instant(done["deadline"])
    assert timedelta(seconds=3) <= deadline - prepared <= timedelta(seconds=4)
    assert (done["phase"], done["decision"]["reason"]) == ("Expired", "DeadlinePassed")
    assert timedelta(0) <= instant(done["decision"]["at"]) - deadline < SLACK
    assert stage.get("job", name)["spec"]["suspend"] is True


def test_a_yes_after_the_deadline_is_late_by_a_clock_that_says_otherwise(house: House, wrong: OperatorProcess) -> None:
    """An operator whose clock is behind must not let it count, and one whose clock is ahead must not refuse one in time."""
    stage = house.stage
    late, early = f"late-{wrong.name}", f"early-{wrong.name}"
    policy = stage.policy(f"{late}-{stage.namespace}", quorum=[{"role": "sre"}])
    job = stage.job(late, policy)
    stage.request(early, policy, timeoutSeconds=300)
    stage.until_prepared(early)
    stage.say("alice", early, "approve")
    stage.request(late, policy, job=job, timeoutSeconds=10)  # time enough to stop the operator before the deadline
    deadline = instant(stage.until_prepared(late)["status"]["deadline"])
    freeze(wrong)
    try:
        wait_until(lambda: server_time(stage) > deadline, "the deadline has passed", 60)
        assert stage.word("alice", late, "approve")[0]
    finally:
        thaw(wrong)
    done = stage.until_done(late)["status"]
    assert done["phase"] == "Expired"
    assert [(verdict["counted"], verdict["reason"]) for verdict in done["verdicts"]] == [(False, "Late")]
    assert stage.pods_of(job) == []
    assert stage.until_done(early)["status"]["phase"] == "Approved"


def lease(stage: Stage) -> dict[str, Any]:
    """What stands in the Lease."""
    found = stage.api().get(LEASE)
    assert found is not None
    spec: dict[str, Any] = found["spec"]
    return spec
