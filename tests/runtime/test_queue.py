"""The work queue: each key once, urgent first, nothing lost, back-off per key."""

from __future__ import annotations

import asyncio
import random

import pytest

from gatehold.runtime.parts import Key
from gatehold.runtime.queue import CAP, WorkQueue


def key(name: str) -> Key:
    return Key("ApprovalRequest", "n", name, name)


async def test_a_key_that_waits_is_not_added_again() -> None:
    queue = WorkQueue()
    queue.add(key("a"))
    queue.add(key("a"))
    assert len(queue) == 1
    assert await queue.get() == key("a")
    assert len(queue) == 0


async def test_urgent_keys_go_first_and_the_others_in_order() -> None:
    queue = WorkQueue()
    for name in "abc":
        queue.add(key(name))
    queue.add(key("u"), urgent=True)
    assert [(await queue.get()).name for _ in range(4)] == ["u", "a", "b", "c"]


async def test_a_key_that_waits_moves_up_and_comes_once() -> None:
    queue = WorkQueue()
    queue.add(key("a"))
    queue.add(key("b"))
    queue.add(key("b"), urgent=True)
    assert [(await queue.get()).name for _ in range(2)] == ["b", "a"]
    queue.done(key("a"))
    queue.done(key("b"))
    queue.add(key("c"))
    assert (await queue.get()).name == "c"


async def test_a_key_added_while_it_is_worked_on_comes_once_more_and_never_overlaps() -> None:
    queue = WorkQueue()
    queue.add(key("a"))
    await queue.get()
    queue.add(key("a"))
    queue.add(key("a"), urgent=True)
    assert len(queue) == 0
    queue.done(key("a"))
    assert len(queue) == 1
    await queue.get()
    queue.done(key("a"))
    assert len(queue) == 0
    await asyncio.wait_for(queue.drained(), 30)


async def test_no_two_workers_hold_one_key_and_every_key_is_served() -> None:
    queue = WorkQueue()
    busy: set[Key] = set()
    served: dict[Key, int] = {}

    async def worker() -> None:
        while True:
            got = await queue.get()
            assert got not in busy
            busy.add(got)
            await asyncio.sleep(0)
            served[got] = served.get(got, 0) + 1
            busy.discard(got)
            queue.done(got)

    workers = [asyncio.create_task(worker()) for _ in range(8)]
    for _ in range(5):
        for number in range(50):
            queue.add(key(str(number)), urgent=number % 3 == 0)
        await asyncio.sleep(0)
    await asyncio.wait_for(queue.drained(), 30)
    for task in workers:
        task.cancel()
    results = await asyncio.gather(*workers, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    assert len(served) == 50


async def test_later_keys_come_when_their_time_has_come_the_earliest_counts() -> None:
    queue = WorkQueue()
    loop = asyncio.get_running_loop()
    began = loop.time()
    queue.add_after(key("a"), 600)
    queue.add_after(key("a"), 0.05)
    queue.add_after(key("a"), 300)
    assert (await asyncio.wait_for(queue.get(), 30)).name == "a"
    assert loop.time() - began >= 0.04
    queue.done(key("a"))
    assert len(queue) == 0


async def test_backoff_doubles_to_the_cap_and_starts_over_after_success() -> None:
    queue = WorkQueue()
    seconds = [queue.retry(key("a")) for _ in range(12)]
    assert seconds == sorted(seconds)
    assert seconds[0] == pytest.approx(0.1)
    assert seconds[1] == pytest.approx(0.2)
    assert seconds[-1] == CAP
    queue.forget(key("a"))
    assert queue.retry(key("a")) == pytest.approx(0.1)
    assert queue.retry(key("b"), at_least=7) == 7
    queue.clear()


async def test_clear_drops_what_waits_and_lets_work_under_way_end() -> None:
    queue = WorkQueue()
    queue.add(key("a"))
    queue.add(key("b"))
    queue.add_after(key("c"), 0.01)
    got = await queue.get()
    queue.add(got)
    queue.clear()
    assert len(queue) == 0
    assert queue.processing == 1
    queue.done(got)
    await asyncio.wait_for(queue.drained(), 30)
    queue.add(key("z"))
    assert (await queue.get()).name == "z"


async def test_a_cancelled_wait_loses_no_key() -> None:
    queue = WorkQueue()
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    waiting.cancel()
    queue.add(key("a"))
    await asyncio.gather(waiting, return_exceptions=True)
    assert (await asyncio.wait_for(queue.get(), 30)).name == "a"


async def test_who_takes_urgent_keys_only_is_there_when_one_comes() -> None:
    queue = WorkQueue()
    express = asyncio.create_task(queue.get(urgent_only=True))
    anybody = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    queue.add(key("slow"))
    assert (await asyncio.wait_for(anybody, 30)).name == "slow"
    queue.add(key("slower"))
    await asyncio.sleep(0)
    assert not express.done()
    queue.add(key("fast"), urgent=True)
    assert (await asyncio.wait_for(express, 30)).name == "fast"
    assert (await asyncio.wait_for(queue.get(), 30)).name == "slower"


async def test_a_turn_that_is_cancelled_goes_to_another() -> None:
    queue = WorkQueue()
    first, second = (asyncio.create_task(queue.get()) for _ in range(2))
    await asyncio.sleep(0)
    queue.add(key("a"))
    first.cancel()
    assert (await asyncio.wait_for(second, 30)).name == "a"
    await asyncio.gather(first, return_exceptions=True)


async def test_a_worker_that_takes_an_urgent_key_instead_leaves_the_other_to_the_next() -> None:
    queue = WorkQueue()
    first, second = (asyncio.create_task(queue.get()) for _ in range(2))
    await asyncio.sleep(0)
    queue.add(key("slow"))
    queue.add(key("fast"), urgent=True)
    got = await asyncio.wait_for(asyncio.gather(first, second), 30)
    assert {one.name for one in got} == {"slow", "fast"}


@pytest.mark.parametrize("seed", range(20))
async def test_no_wake_up_is_lost_whatever_comes_when(seed: int) -> None:
    queue, dice, served = WorkQueue(), random.Random(seed), set[str]()

    async def worker(urgent_only: bool) -> None:
        while True:
            got = await queue.get(urgent_only)
            served.add(got.name)
            try:
                for _ in range(dice.randrange(3)):
                    await asyncio.sleep(0)
            finally:
                queue.done(got)

    workers = [asyncio.create_task(worker(number % 4 != 0)) for number in range(8)]
    for number in range(300):
        queue.add(key(str(number % 40)), urgent=dice.random() < 0.5)
        if dice.random() < 0.3:
            await asyncio.sleep(0)
        if dice.random() < 0.02:
            workers[dice.randrange(1, 8)].cancel()
    await asyncio.wait_for(queue.drained(), 30)
    for task in workers:
        task.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    assert served == {str(number) for number in range(40)}
