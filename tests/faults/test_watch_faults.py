"""Whatever happens to the watches, and on the way to the API server: the end is the same, and every effect happened once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import pytest

from controlplane import ControlPlane, wait_until
from playground import OperatorProcess
from tests.e2e.operators import metric, site, until_acting
from tests.e2e.stage import Stage, condition, new_stage
from tests.faults.chorus import POINTS, Chorus, Ends, expires_in, undisturbed
from tests.faults.kept import Kept
from tests.faults.pace import Every
from tests.faults.relay import Gone, Off, Relay
from tests.faults.streams import Echoed, Swapped, Twice
from tests.wall.api import Call

CONFLICTS: Final = 'gatehold_reconcile_errors_total{kind="ApprovalRequest",reason="Conflict"}'
BUGS: Final = 'gatehold_reconcile_errors_total{kind="ApprovalRequest",reason="Bug"}'


@dataclass(frozen=True)
class House:
    """One operator behind a relay, and how stories end there when nothing disturbs them."""

    stage: Stage
    operator: OperatorProcess
    relay: Relay
    kept: Kept
    ends: Ends


@pytest.fixture(scope="module")
def house(plane: ControlPlane) -> Iterator[House]:
    """All tests of this file share it: what one fault leaves behind would show in the next."""
    operator = OperatorProcess(plane, "behind-the-relay")
    with Relay(operator) as relay:
        operator.start()
        until_acting(operator)
        stage = new_stage(plane, operator)
        with Kept(operator) as kept:
            yield House(stage, operator, relay, kept, undisturbed(stage))
        operator.kill()
        assert "the cycle failed" not in operator.log(100_000)


Fault = Callable[[Relay], Callable[[], object]]
"""Begins the fault; what it answers is called again and again while the lives go on."""


def cut(relay: Relay) -> Callable[[], object]:
    return Every(0.7, relay.cut)


def gone(how: Gone, seconds: float) -> Fault:
    """Each time what happened meanwhile was missed, and is found by a list."""

    def begin(relay: Relay) -> Callable[[], object]:
        def once() -> None:
            relay.gone(how)
            relay.let_go()
            relay.hold()

        relay.hold()
        return Every(seconds, once)

    return begin


def stale(relay: Relay) -> Callable[[], object]:
    """A second and a half old, again and again."""

    def once() -> None:
        relay.let_go()
        relay.hold()

    relay.hold()
    return Every(1.5, once)


def bent(bend: Callable[[], Twice | Swapped | Echoed]) -> Fault:
    def begin(relay: Relay) -> Callable[[], object]:
        relay.bend(bend)
        return lambda: None

    return begin


def slow(relay: Relay) -> Callable[[], object]:
    relay.delay(0.3)
    return lambda: None


def off(how: Off, seconds: float) -> Fault:
    def begin(relay: Relay) -> Callable[[], object]:
        relay.cut_off(how)
        return Every(seconds, relay.heal)

    return begin


FAULTS: Final[dict[str, Fault]] = {
    "cut": cut,
    "gone-in-the-stream": gone(Gone.EVENT, 1.5),
    "gone-as-an-answer": gone(Gone.STATUS, 10.0),  # the operator ends by it and begins anew, which takes its time
    "stale": stale,
    "doubled": bent(Twice),
    "swapped": bent(Swapped),
    "echoed": bent(Echoed),
    "slow": slow,
    "refused": off(Off.REFUSED, 4.0),
    "silent": off(Off.SILENT, 5.0),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_watch_changes_no_end(house: House, fault: str) -> None:
    chorus = Chorus(house.stage, fault)
    chorus.begin()
    before = house.relay.hits()
    try:
        meanwhile = FAULTS[fault](house.relay)
        chorus.join(expires_in(1), "expires")
        chorus.end(house.ends, seconds=240, meanwhile=meanwhile)
    finally:
        house.relay.heal()
        house.relay.let_go()
        house.relay.bend()
        house.relay.delay(0)
    assert len(chorus.lives) == len(POINTS) + 1
    assert house.relay.hits() > before
    assert metric(house.operator, BUGS) is None


def test_what_is_deleted_while_a_version_is_gone_is_missed_for_seconds_only(house: House) -> None:
    """A watch that begins anew tells of nothing that went meanwhile, and the next full list would be minutes away."""
    stage = house.stage
    policy = stage.policy(quorum=[{"role": "sre"}])
    job = stage.job("vanishes", policy)
    stage.request("about-what-vanishes", policy, job=job)
    stage.request("vanishes-too", policy)
    stage.until_prepared("about-what-vanishes")
    stage.until_prepared("vanishes-too")
    before = pending(house.operator)
    house.relay.hold()
    try:
        for kind, name in (("job", "vanishes"), ("apr", "vanishes-too")):
            call = Call(stage.path(kind, name), {"propagationPolicy": "Background"}, "delete")
            stage.api("ci").must(call)
        house.relay.gone(Gone.EVENT)
    finally:
        house.relay.let_go()
    done = stage.until_done("about-what-vanishes")
    assert done["status"]["phase"] == "Superseded"
    assert condition(done, "RolledBack") == ("True", "NothingToUndo")
    wait_until(lambda: pending(house.operator) == before - 2, "both requests are forgotten", 15)


def pending(operator: OperatorProcess) -> float:
    """How many requests this process believes to be pending."""
    return metric(operator, 'gatehold_requests{phase="Pending"}') or 0.0


def test_what_is_done_stays_done_whatever_old_news_comes(house: House) -> None:
    """An old state that comes after the end would be written upon again and again, each time refused."""
    stage = house.stage
    policy = stage.policy(quorum=[{"role": "sre"}])
    house.relay.bend(Echoed)
    try:
        for number in range(5):
            stage.request(f"over-{number}", policy)
            stage.until_prepared(f"over-{number}")
            stage.say("alice", f"over-{number}", "approve")
            stage.until_done(f"over-{number}")
        settled = metric(house.operator, CONFLICTS)
        stage.request("one-more", policy)
        stage.until_prepared("one-more")
        wait_until(Every(2.0, lambda: None).passed, "two seconds in which it could go wrong", 5)
        assert metric(house.operator, CONFLICTS) == settled
    finally:
        house.relay.bend()


def test_a_watch_that_fails_for_good_ends_the_process_at_once_and_frees_the_lease(house: House) -> None:
    """Until it ends, it would lead on what it knew last."""
    wait_until(lambda: site(house.operator, "/readyz")[0] == 200, "the operator is ready", 30)
    before = len(house.kept.codes)
    released = house.operator.log(100_000).count("released the lease")
    house.relay.gone(Gone.STATUS)
    wait_until(lambda: len(house.kept.codes) > before, "the process ends", 6)
    assert house.kept.codes[-1][1] > 0, "it was killed instead of ending"
    assert house.operator.log(100_000).count("released the lease") == released + 1
    until_acting(house.operator, 15)
