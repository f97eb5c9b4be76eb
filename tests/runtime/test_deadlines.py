"""Deadlines: one instant a key, the newest plan counts, nothing is due while time is unknown."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from email.utils import formatdate

from gatehold.kube.clock import ServerClock
from gatehold.runtime.deadlines import Deadlines
from gatehold.runtime.parts import Key
from tests.runtime.support import eventually

BASE = 1_800_000_000


def key(name: str) -> Key:
    return Key("ApprovalRequest", "n", name, name)


def known() -> ServerClock:
    clock = ServerClock()
    clock.on_answer(formatdate(BASE, usegmt=True), time.monotonic())
    return clock


async def test_each_key_fires_once_at_its_instant_in_order() -> None:
    clock, fired = known(), list[str]()
    deadlines = Deadlines(clock, lambda key: fired.append(key.name))
    now = clock.timestamp()
    deadlines.plan(key("c"), now + 0.09)
    deadlines.plan(key("a"), now + 0.03)
    deadlines.plan(key("b"), datetime.fromtimestamp(now + 0.06, UTC))
    deadlines.plan(key("past"), now - 100)
    await eventually(lambda: len(fired) == 4)
    assert fired == ["past", "a", "b", "c"]
    assert clock.timestamp() >= now + 0.09
    assert len(deadlines) == 0


async def test_a_new_plan_replaces_the_old_and_none_takes_it_away() -> None:
    clock, fired = known(), list[str]()
    deadlines = Deadlines(clock, lambda key: fired.append(key.name))
    now = clock.timestamp()
    deadlines.plan(key("later"), now + 0.02)
    deadlines.plan(key("later"), now + 3600)
    deadlines.plan(key("never"), now + 0.02)
    deadlines.plan(key("never"), None)
    deadlines.plan(key("sooner"), now + 3600)
    deadlines.plan(key("sooner"), now + 0.05)
    await eventually(lambda: fired)
    assert fired == ["sooner"]
    assert len(deadlines) == 1
    deadlines.clear()
    assert len(deadlines) == 0


async def test_replaced_plans_do_not_pile_up() -> None:
    clock = known()
    deadlines = Deadlines(clock, lambda _: None)
    for step in range(10_000):
        deadlines.plan(key(str(step % 10)), BASE + 1000 + step)
    assert len(deadlines._heap) <= 200
    deadlines.clear()


async def test_nothing_is_due_while_time_is_unknown_and_it_comes_back() -> None:
    clock, fired = ServerClock(), list[str]()
    deadlines = Deadlines(clock, lambda key: fired.append(key.name))
    deadlines.plan(key("a"), BASE - 10)
    await asyncio.sleep(0)
    deadlines._look()
    assert fired == []
    clock.on_answer(formatdate(BASE, usegmt=True), time.monotonic())
    await eventually(lambda: fired == ["a"])
