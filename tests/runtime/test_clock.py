"""The server's clock: the best lower bound of the last ten seconds, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import formatdate
from types import SimpleNamespace
from typing import Any

import pytest

from gatehold.kube.client import Cluster
from gatehold.kube.clock import ClockUnknown, ServerClock
from gatehold.kube.resources import NAMESPACES
from tests.runtime.support import Ticks

BASE = 1_800_000_000


def answer(clock: ServerClock, seconds: float, received: float) -> None:
    clock.on_answer(formatdate(int(seconds), usegmt=True), received)


def test_without_answers_time_is_unknown() -> None:
    clock = ServerClock(Ticks())
    with pytest.raises(ClockUnknown):
        clock.now()
    assert not clock.known()


def test_time_goes_on_between_answers_and_is_unknown_ten_seconds_after_the_last() -> None:
    ticks = Ticks()
    clock = ServerClock(ticks)
    answer(clock, BASE, 1000.0)
    ticks.now = 1009.9
    assert clock.timestamp() == pytest.approx(BASE + 9.9)
    assert clock.now() == datetime.fromtimestamp(BASE + 9.9, UTC)
    ticks.now = 1010.1
    with pytest.raises(ClockUnknown):
        clock.timestamp()


def test_many_answers_narrow_the_cut_of_whole_seconds() -> None:
    ticks = Ticks()
    clock = ServerClock(ticks)
    for step in range(50):
        true = BASE + 0.37 + step * 0.13
        ticks.now = 1000.0 + step * 0.13
        answer(clock, true, ticks.now)
        assert clock.timestamp() <= true + 1e-6
    assert clock.timestamp() == pytest.approx(BASE + 0.37 + 49 * 0.13, abs=0.1)


def test_time_does_not_go_back_when_the_best_answer_leaves_the_window() -> None:
    ticks = Ticks()
    clock = ServerClock(ticks)
    answer(clock, BASE + 1, 1000.0)
    ticks.now = 1009.0
    answer(clock, BASE + 9, 1009.0)
    ticks.now = 1009.9
    before = clock.timestamp()
    ticks.now = 1010.2
    assert clock.timestamp() == before
    ticks.now = 1013.0
    assert clock.timestamp() > before


def test_a_server_that_was_set_back_is_believed() -> None:
    ticks = Ticks()
    clock = ServerClock(ticks)
    answer(clock, BASE + 3600, 1000.0)
    assert clock.timestamp() == pytest.approx(BASE + 3600)
    ticks.now = 1011.0
    answer(clock, BASE, 1011.0)
    assert clock.timestamp() == pytest.approx(BASE)


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo 2026 00:00:00 GMT"])
def test_a_date_that_cannot_be_read_is_ignored(date: str) -> None:
    clock = ServerClock(Ticks())
    clock.on_answer(date, 1000.0)
    assert not clock.known()


def test_an_answer_that_was_long_on_its_way_says_nothing() -> None:
    ticks = Ticks()
    clock = ServerClock(ticks)
    clock.on_answer(formatdate(BASE - 40, usegmt=True), 1000.0, 40.0)
    assert not clock.known()
    clock.on_answer(formatdate(BASE, usegmt=True), 1000.0, 5.0)
    assert clock.timestamp() == pytest.approx(BASE)


async def test_what_lay_here_while_this_process_stood_still_is_not_the_time(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads the answer to a list, which is allowed a minute, and then what people said meanwhile: too late for some."""
    ticks, transport = Ticks(), cluster._transport
    clock = ServerClock(ticks)
    transport.listeners = (clock,)
    monkeypatch.setattr("gatehold.kube.transport.time", SimpleNamespace(monotonic=ticks))
    really = transport._rest.request

    async def frozen(*args: Any, **more: Any) -> Any:
        answer = await really(*args, **more)  # type: ignore[no-untyped-call]
        ticks.now += 40.0
        return answer

    monkeypatch.setattr(transport._rest, "request", frozen)
    await cluster.list_all(NAMESPACES)
    assert not clock.known()


async def test_every_answer_of_the_api_server_feeds_it(cluster: Cluster, clock: ServerClock) -> None:
    assert clock.known()
    before = clock.timestamp()
    await cluster.who_am_i()
    assert clock.timestamp() >= before
