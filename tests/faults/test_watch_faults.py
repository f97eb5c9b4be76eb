"""Whatever happens to the watches, and on the way to the API server: the end is the same, and every effect happened once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import pytest

from controlplane import ControlPlane, wait_until
from playground import OperatorProcess
from tests.e2e.operators import metric, site
from tests.e2e.stage import GROUP, Stage, condition, new_stage
from tests.faults.chorus import POINTS, Chorus, Ends, expires_in, undisturbed
from tests.faults.kept import Kept
from tests.faults.pace import Every
from tests.faults.relay import Gone, Off, Relay
from tests.faults.streams import Echoed, Swapped, Twice
from tests.wall.api import Call, path

CONFLICTS: Final = 'gatehold_reconcile_errors_total{kind="ApprovalRequest",reason="Conflict"}'
BUGS: Final = 'gatehold_reconcile_errors_total{kind="ApprovalRequest",reason="Bug"}'
REQUESTS: Final = path(GROUP, "approvalrequests")


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
        with Kept(operator) as kept:
            kept.until_acting(operator)
            stage = new_stage(plane, operator)
            yield House(stage, operator, relay, kept, undisturbed(stage))
        operator.kill()
        log = operator.log(100_000)
        assert "the cycle failed" not in log
        assert "RuntimeError: Connection closed." not in log  # aiohttp's, and final to kopf


Fault = Callable[[House], Callable[[], object]]
"""Begins the fault; what it answers is called again and again while the lives go on."""


def cut(house: House) -> Callable[[], object]:
    return Every(0.7, house.relay.cut)


def gone(how: Gone, seconds: float) -> Fault:
    """Each time what happened meanwhile was missed, and is found by a list. Who ends by it has acted that long before."""

    def begin(house: House) -> Callable[[], object]:
        relay = house.relay

        def once() -> None:
            relay.gone(how)
            relay.let_go()
            relay.hold()

        def while_it_acts() -> None:
            if how is Gone.EVENT or metric(house.operator, "gatehold_leader") == 1:
                again()
            else:
                again.begin()

        relay.hold()
        again = Every(seconds, once)
        return while_it_acts

    return begin


def refused_token(house: House) -> Callable[[], object]:
    """Who is refused logs in anew, which closes the connections of all the others, also of those that just begin."""
    return Every(1.5, house.relay.refuse_token)


def stale(house: House) -> Callable[[], object]:
    """A second and a half old, again and again."""
    relay = house.relay

    def once() -> None:
        relay.let_go()
        relay.hold()

    relay.hold()
    return Every(1.5, once)


def bent(bend: Callable[[], Twice | Swapped | Echoed]) -> Fault:
    def begin(house: House) -> Callable[[], object]:
        house.relay.bend(bend)
        return lambda: None

    return begin


def slow(house: House) -> Callable[[], object]:
    house.relay.delay(0.3)
    return lambda: None


def off(how: Off, seconds: float) -> Fault:
    def begin(house: House) -> Callable[[], object]:
        house.relay.cut_off(how)
        return Every(seconds, house.relay.heal)

    return begin


FAULTS: Final[dict[str, Fault]] = {
    "cut": cut,
    "gone-in-the-stream": gone(Gone.EVENT, 1.5),
    "gone-as-an-answer": gone(Gone.STATUS, 5.0),
    "refused-token": refused_token,
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
        meanwhile = FAULTS[fault](house)
        chorus.join(expires_in(1), "expires")
        chorus.end(house.ends, seconds=240, meanwhile=meanwhile)
    finally:
        house.relay.heal()
        house.relay.let_go()
        house.relay.bend()
        house.relay.delay(0)
    assert len(chorus.lives) == len(POINTS) + 1
    assert house.relay.hits() > before
    wait_until(lambda: site(house.operator, "/readyz")[0] == 200, "the operator can be asked", 120)
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
    until_counted(house)
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
    until_counted(house)


def until_counted(house: House) -> None:
    """The operator believes as many requests to be pending as are: a full list would take minutes to bring that about."""

    def counted() -> bool:
        bodies = house.stage.api().must(Call(REQUESTS, how="get"))["items"]
        there = sum(body.get("status", {}).get("phase") == "Pending" for body in bodies)
        return (metric(house.operator, 'gatehold_requests{phase="Pending"}') or 0) == there

    wait_until(counted, "the operator counts what is pending", 60)


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
        settled = metric(house.operator, CONFLICTS) or 0
        stage.request("one-more", policy)
        stage.until_prepared("one-more")
        wait_until(Every(2.0, lambda: None).passed, "two seconds in which it could go wrong", 60)
        assert (metric(house.operator, CONFLICTS) or 0) <= settled  # less, where it lost its Lease and began anew
    finally:
        house.relay.bend()


def test_a_watch_that_fails_for_good_ends_the_process_at_once_and_frees_the_lease(house: House) -> None:
    """Until it ends, it would lead on what it knew last."""
    house.kept.until_acting(house.operator)
    wait_until(lambda: site(house.operator, "/readyz")[0] == 200, "its watches deliver", 60)
    before = len(house.kept.codes)
    released = house.operator.log(100_000).count("released the lease")
    house.relay.gone(Gone.STATUS)
    wait_until(lambda: len(house.kept.codes) > before, "the process ends", 60)
    assert house.kept.codes[before][1] > 0, "it was killed instead of ending"
    assert house.operator.log(100_000).count("released the lease") > released
    # the next one may end in the same way, where a watch of the first had not come back yet
    wait_until(lambda: metric(house.operator, "gatehold_leader") == 1, "the operator acts again", 120)
