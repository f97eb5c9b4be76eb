"""The API server dies, freezes, or loses its store for a while: whatever was under way ends as if nothing had happened.

Each outage meets all stories at once, each at another point of its life, one request that runs out meanwhile, and one that
ran out when somebody says yes at last.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import pytest

from controlplane import ControlPlane, wait_until
from playground import OperatorProcess
from tests.e2e.operators import crash
from tests.e2e.stage import Stage, new_stage
from tests.faults.chorus import Chorus, Ends, expires_in, undisturbed
from tests.faults.kept import Kept
from tests.faults.pace import Every
from tests.faults.relay import Relay
from tests.faults.story import Life, Step

API: Final = "kube-apiserver"
CONTROLLERS: Final = "kube-controller-manager"


@dataclass(frozen=True)
class House:
    """One operator, kept alive as a Deployment would, and how stories end when nothing disturbs them."""

    stage: Stage
    plane: ControlPlane
    kept: Kept
    ends: Ends

    def begin_anew(self) -> None:
        """The operator dies, and acts again, by the way to the API server that its launch says now."""
        before = len(self.kept.codes)
        crash(self.stage.operator)
        wait_until(lambda: len(self.kept.codes) > before, "the operator was started again", 60)
        self.kept.until_acting(self.stage.operator)


@pytest.fixture(scope="module")
def house(plane: ControlPlane) -> Iterator[House]:
    """One for all outages: what one leaves behind would show in the next."""
    operator = OperatorProcess(plane, "outlives")
    operator.start()
    with Kept(operator) as kept:
        kept.until_acting(operator)
        stage = new_stage(plane, operator)
        yield House(stage, plane, kept, undisturbed(stage))
    operator.kill()
    assert "the cycle failed" not in operator.log(100_000)


def lasts(seconds: float) -> None:
    """The outage takes that long; nobody can be asked meanwhile."""
    wait_until(Every(seconds).passed, f"{seconds} s of outage", seconds + 60)


def killed(seconds: float) -> Callable[[ControlPlane], None]:
    def outage(plane: ControlPlane) -> None:
        # they go first and begin anew: of a pod whose creation was not answered they would make another one, and they look
        # again up to half a minute after such an outage; what is tested is neither
        plane.kill(CONTROLLERS)
        plane.kill(API)
        lasts(seconds)
        plane.restart(API)
        plane.restart(CONTROLLERS)

    return outage


def frozen(seconds: float) -> Callable[[ControlPlane], None]:
    def outage(plane: ControlPlane) -> None:
        plane.freeze(API)
        lasts(seconds)
        plane.thaw(API)

    return outage


def store_killed(plane: ControlPlane) -> None:
    plane.kill("etcd")
    lasts(3)
    plane.restart("etcd")


OUTAGES: Final = {
    "killed-1": killed(1),
    "killed-8": killed(8),
    "killed-25": killed(25),
    "frozen-30": frozen(30),
    "etcd-restarted": store_killed,
}


@pytest.mark.parametrize("outage", OUTAGES)
def test_an_outage_changes_no_end(house: House, outage: str) -> None:
    chorus = Chorus(house.stage, outage)
    chorus.begin()
    late = answered_late(house, f"{outage}-late")
    chorus.join(expires_in(3), "expires")
    OUTAGES[outage](house.plane)
    chorus.end(house.ends, meanwhile=late.advance)
    late.live()
    nothing_came_of_it(late)


def answered_late(house: House, name: str) -> Life:
    """A request that runs out during the outage, about which somebody says yes as soon as the API server is back.

    The word gets in where no operator has noted the end before, and is refused otherwise: neither may let anything go.
    """
    over = Every(4.0)

    def says_yes(life: Life) -> bool:
        life.stage.word("alice", life.name, "approve", "better late than never")
        return True

    step = Step("alice says yes too late", lambda _: over.passed(), says_yes)
    life = Life(replace(expires_in(2), steps=(step,)), house.stage, name)
    life.begin()
    life.stage.until_prepared(name)
    over.begin()  # the deadline was set when people could answer
    return life


def nothing_came_of_it(life: Life) -> None:
    """It expired, whoever said what; and its Job was never touched."""
    assert life.status()["phase"] == "Expired"
    assert [v for v in life.status().get("verdicts", []) if v.get("counted", True)] == []
    assert life.job("job")["metadata"]["generation"] == 1
    assert life.pods("job") == []


@pytest.fixture
def relay(house: House) -> Iterator[Relay]:
    """In front of the operator, which is led back past it in the end."""
    direct = house.stage.operator.launch
    with Relay(house.stage.operator) as relay:
        house.begin_anew()
        yield relay
    house.stage.operator.launch = direct
    house.begin_anew()


def test_a_yes_that_only_the_api_server_heard_in_time_is_late(house: House, relay: Relay) -> None:
    """Said right before the end of the API server, seen by the operator after the deadline: recorded, and not counted.

    On its way to the operator it is held up: the news may be out before an API server is dead.
    """
    stage = house.stage
    policy = stage.policy(quorum=[{"role": "sre"}])
    job = stage.job("heard", policy)
    stage.request("heard-1", policy, job=job, timeoutSeconds=6)
    stage.until_prepared("heard-1")
    relay.hold()
    assert stage.word("alice", "heard-1", "approve")[0]
    house.plane.kill(API)
    lasts(9)
    relay.let_go()
    house.plane.restart(API)
    done = stage.until_done("heard-1")
    assert done["status"]["phase"] == "Expired"
    assert [(v["counted"], v["reason"]) for v in done["status"]["verdicts"]] == [(False, "Late")]
    assert stage.pods_of(job) == []
    assert stage.get("job", "heard")["metadata"]["generation"] == 1
