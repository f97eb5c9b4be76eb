"""Several operators: whoever leads dies, freezes, is cut off or goes; nobody acts twice, and no decision is lost.

tests/e2e/test_replicas.py has the plain cases and their figures; here all stories are under way, and what the old leader
still sends is watched at a relay in front of it.
"""

import itertools
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

import pytest

from controlplane import ControlPlane, wait_until
from playground import OperatorProcess, wait_enforced
from playground.operator_process import PATIENT
from tests.e2e.operators import freeze, listens, metric, site, thaw, until_acting
from tests.e2e.stage import Stage, new_stage
from tests.faults.carrier import Sent
from tests.faults.chorus import Chorus, Ends, expires_in, undisturbed
from tests.faults.pace import Every
from tests.faults.relay import Off, Relay
from tests.wall.api import Call, path

TERMS: Final = {"lease_seconds": "20", "lease_renew_seconds": "14"}
"""Twice the default: on a busy machine a leader shall lose its Lease when the test takes it away, and not before."""
TAKE_OVER_SECONDS: Final = 22.0
"""The bar for a take-over after the death of a leader: the term, and two seconds."""
BUSY: Final = 2.5
"""Two cores that do other things too may take that much longer."""
LEASE: Final = path("coordination.k8s.io/v1", "leases", "gatehold-system", "gatehold-operator")
_NUMBERS = itertools.count()


@dataclass
class House:
    """A control plane, how stories end there, and the operators of one test."""

    plane: ControlPlane
    stage: Stage
    ends: Ends
    stack: ExitStack = field(default_factory=ExitStack)

    def operator(self, **terms: str) -> OperatorProcess:
        """One more, not started."""
        return OperatorProcess(self.plane, f"one-of-several-{next(_NUMBERS)}", **(terms or TERMS))

    def relayed(self, **terms: str) -> tuple[OperatorProcess, Relay]:
        """One more, not started, and the relay in front of it."""
        process = self.operator(**terms)
        return process, self.stack.enter_context(Relay(process))

    def start(self, *processes: OperatorProcess) -> None:
        """Start them; they end with the test."""
        for process in processes:
            process.start()
            self.stack.callback(self._end, process)

    def pair(self, **terms: str) -> tuple[OperatorProcess, Relay, OperatorProcess]:
        """A leader behind a relay, and a standby, both ready."""
        leader, relay = self.relayed(**terms)
        standby = self.operator(**terms)
        self.start(leader)
        until_acting(leader)
        self.start(standby)
        wait_until(lambda: site(standby, "/readyz")[0] == 200, "the standby is ready", 120)
        wait_until(lambda: metric(standby, "gatehold_wall_enforced") == 1, "the standby has proven the wall", 120)
        self.stage.operator = standby
        return leader, relay, standby

    def holder(self) -> str:
        """Who holds the Lease."""
        lease = self.stage.api().get(LEASE)
        return str(lease["spec"].get("holderIdentity", "")) if lease else ""

    def _end(self, process: OperatorProcess) -> None:
        process.kill()
        assert "the cycle failed" not in process.log(100_000)
        self.stage.api().send(Call(LEASE, how="delete"))


@pytest.fixture(scope="module")
def ends(plane: ControlPlane) -> tuple[Stage, Ends]:
    """How stories end when nothing disturbs them."""
    operator = OperatorProcess(plane, "alone", **PATIENT)
    operator.start()
    until_acting(operator)
    stage = new_stage(plane, operator)
    found = undisturbed(stage)
    operator.stop()
    return stage, found


@pytest.fixture
def house(plane: ControlPlane, ends: tuple[Stage, Ends]) -> Iterator[House]:
    """Empty of operators at the beginning and at the end."""
    built = House(plane, ends[0], ends[1])
    with built.stack:
        yield built


def leads(process: OperatorProcess) -> bool:
    """Whether it says that it acts."""
    return metric(process, "gatehold_leader") == 1


def landed(writes: list[Sent]) -> list[str]:
    """What was accepted of these, on anything that somebody may wait for.

    Left out are the leader's pulse, and what it says of the wall on policies: sent while it still led, guarded, and put
    right by whoever leads when it arrives.
    """
    pulse, said = "/approvalrequests/gatehold-probe", "/approvalpolicies/"
    accepted = (w for w in writes if 200 <= w.code < 300 and not w.path.endswith(pulse) and said not in w.path)
    return [f"{w.method} {w.path}: {w.code}" for w in accepted]


# ---- it dies, or goes


def test_a_leader_killed_among_all_stories_is_replaced_within_the_bar(house: House) -> None:
    leader, _, standby = house.pair()
    chorus = Chorus(house.stage, "killed")
    chorus.begin()
    leader.kill()
    died = time.monotonic()
    chorus.join(expires_in(3), "expires")
    wait_until(lambda: leads(standby), "the standby leads", 120)
    assert time.monotonic() - died < TAKE_OVER_SECONDS * BUSY
    chorus.end(house.ends)


def test_a_planned_handover_among_all_stories_waits_for_no_term(house: House) -> None:
    """The Lease would run out after a minute and a half."""
    leader, relay, standby = house.pair(**PATIENT)
    chorus = Chorus(house.stage, "handed-over")
    chorus.begin()
    chorus.join(expires_in(1), "expires")
    house.plane.signal_program(leader.name, signal.SIGTERM)
    wait_until(lambda: leads(standby), "the standby leads", 60)
    leads_at = time.monotonic()
    chorus.end(house.ends)
    wait_until(lambda: leader.code() is not None, "the old leader has ended", 60)
    assert leader.code() == 0
    # it frees the Lease while its last Events go out: each has the name of what it tells, so nothing is told twice
    assert [write for write in landed(relay.writes(leads_at)) if "/events: " not in write] == []


# ---- it lives, and must not act any more


def test_a_leader_frozen_among_all_stories_writes_nothing_when_it_thaws(house: House) -> None:
    leader, relay, standby = house.pair()
    chorus = Chorus(house.stage, "frozen")
    chorus.begin()
    freeze(leader)
    chorus.join(expires_in(3), "expires")
    wait_until(lambda: leads(standby), "the standby leads", 120)
    chorus.end(house.ends)
    thawed = time.monotonic()
    thaw(leader)
    wait_until(lambda: leader.code() is not None, "the old leader has ended", 60)
    assert leader.code() != 0
    assert landed(relay.writes(thawed)) == []
    assert house.holder().startswith(standby.name)
    chorus.end(house.ends)  # as it was


@pytest.mark.parametrize("how", Off, ids=lambda how: how.name.lower())
def test_a_leader_that_is_cut_off_gives_up_before_another_begins_and_writes_nothing_later(house: House, how: Off) -> None:
    leader, relay, standby = house.pair()
    chorus = Chorus(house.stage, how.name.lower())
    chorus.begin()
    relay.cut_off(how)
    parted = time.monotonic()
    chorus.join(expires_in(3), "expires")
    gave_up, took_over = until_replaced(chorus, leader, standby)
    assert gave_up < took_over, "two led at once"
    assert took_over - parted < TAKE_OVER_SECONDS * BUSY
    chorus.end(house.ends)
    healed = time.monotonic()
    relay.heal()
    wait_until(lambda: not relay.waiting(), "what was on its way has arrived", 60)
    wait_until(lambda: leader.code() is not None, "the old leader has ended", 60)
    assert landed(relay.writes(healed)) == []
    wait_enforced(house.plane)
    assert house.holder().startswith(standby.name)
    chorus.end(house.ends)  # as it was


def until_replaced(chorus: Chorus, leader: OperatorProcess, standby: OperatorProcess) -> tuple[float, float]:
    """When the old one did not lead any more, and when the new one did; life goes on meanwhile.

    Who gives up closes its site before it ends.
    """
    times: dict[str, float] = {}

    def replaced() -> bool:
        took = leads(standby)
        if leader.code() is not None or metric(leader, "gatehold_leader") == 0 or not listens(leader):
            times.setdefault("gave up", time.monotonic())
        if took:
            times.setdefault("took over", time.monotonic())
        chorus.advance()
        return len(times) == 2

    wait_until(replaced, f"{standby.name} leads instead of {leader.name}", 120)
    return times["gave up"], times["took over"]


def test_a_release_that_was_long_on_its_way_finds_the_door_shut(house: House) -> None:
    """Sent by a leader who was right to send it; before it arrives, somebody said no to the next leader."""
    _, relay, standby = house.pair()
    stage = house.stage
    policy = stage.policy(f"slow-{stage.namespace}", quorum=[{"role": "sre"}])
    job = stage.job("slow", policy)
    stage.request("slow-1", policy, job=job)
    stage.until_prepared("slow-1")
    relay.keep_back("jobs")
    stage.say("alice", "slow-1", "approve")
    wait_until(lambda: any(w.path.endswith("/jobs/slow") for w in relay.waiting()), "the release is on its way", 60)
    relay.cut_off(Off.SILENT)
    stage.say("bob", "slow-1", "deny", "stop it")
    wait_until(lambda: leads(standby), "the standby leads", 120)
    done = stage.until_done("slow-1")
    assert done["status"]["phase"] == "Denied"
    relay.keep_back("")
    relay.heal()
    wait_until(lambda: not relay.waiting(), "it has arrived", 60)
    late = [w for w in relay.writes() if w.path.endswith("/jobs/slow")]
    assert late
    assert all(w.code >= 400 for w in late), landed(late)
    assert stage.get("job", "slow")["spec"]["suspend"] is True
    assert stage.pods_of(job) == []


# ---- many begin


@pytest.mark.parametrize("count", [2, 3])
def test_those_who_start_at_once_choose_one_and_decide_everything_once(house: House, count: int) -> None:
    processes = [house.operator(**PATIENT) for _ in range(count)]
    chorus = Chorus(house.stage, f"all-{count}")
    house.start(*processes)
    chorus.begin()
    chorus.join(expires_in(1), "expires")
    most = 0

    def watched() -> None:
        nonlocal most
        most = max(most, sum(map(leads, processes)))

    chorus.end(house.ends, meanwhile=Every(0.2, watched))
    assert most == 1
    writers = [p for p in processes if metric(p, 'gatehold_writes_total{resource="approvalrequests"}')]
    assert [p.name for p in writers] == [house.holder().partition("_")[0]]
