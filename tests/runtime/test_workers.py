"""Workers: what each failure means for when the key comes again, and that a failure never ends anything else."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import formatdate

import pytest

from gatehold.kube.clock import ClockUnknown, ServerClock
from gatehold.kube.errors import Conflict, Forbidden, TooManyRequests, Unavailable
from gatehold.runtime.deadlines import Deadlines
from gatehold.runtime.parts import Key
from gatehold.runtime.queue import WorkQueue
from gatehold.runtime.workers import Workers
from gatehold.telemetry.metrics import Metrics
from tests.runtime.support import Recording, eventually

KEY = Key("ApprovalRequest", "n", "web-3", "u")


class Bench:
    """Two workers with everything they need."""

    def __init__(self) -> None:
        self.queue = WorkQueue()
        self.clock = ServerClock()
        self.clock.on_answer(formatdate(1_800_000_000, usegmt=True), time.monotonic())
        self.deadlines = Deadlines(self.clock, self.queue.add)
        self.metrics = Metrics()
        self.controller = Recording()
        self.may_act = True
        self.workers = Workers(self.queue, self.deadlines, self.metrics, lambda: self.may_act)
        self.workers.controllers = {self.controller.kind: self.controller}

    def errors(self, reason: str) -> float | None:
        labels = {"kind": KEY.kind, "reason": reason}
        return self.metrics.registry.get_sample_value("gatehold_reconcile_errors_total", labels)


@asynccontextmanager
async def working() -> AsyncIterator[Bench]:
    bench = Bench()
    tasks = [asyncio.create_task(bench.workers.run()) for _ in range(2)]
    yield bench
    assert not any(task.done() for task in tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    bench.queue.clear()
    bench.deadlines.clear()


@pytest.mark.parametrize(
    ("error", "reason", "pause"),
    [
        (Conflict("stale"), "Conflict", 0.25),
        (ClockUnknown("no answer"), "ClockUnknown", 0.25),
        (Unavailable("down"), "Unavailable", 0.1),
        (TooManyRequests("slow down", retry_after=0.5), "TooManyRequests", 0.5),
        (Forbidden("no"), "Forbidden", 0.1),
        (RuntimeError("a bug"), "Bug", 0.1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
async def test_what_comes_after_a_failure(error: Exception, reason: str, pause: float) -> None:
    async with working() as bench:

        async def fail(_: Key) -> datetime | None:
            if len(bench.controller.keys) == 1:
                raise error
            return None

        pauses, really = list[float](), bench.queue.add_after

        def add_after(key: Key, seconds: float, urgent: bool = False) -> None:
            pauses.append(seconds)
            really(key, seconds, urgent)

        bench.queue.add_after = add_after  # type: ignore[method-assign]
        bench.controller.act = fail
        loop = asyncio.get_running_loop()
        began = loop.time()
        bench.queue.add(KEY)
        await eventually(lambda: len(bench.controller.keys) == 2)
        assert pauses == [pause]
        assert loop.time() - began >= pause - 0.01  # how much later is the machine's affair
        assert bench.errors(reason) == 1


async def test_a_conflict_does_not_back_off_and_a_bug_does() -> None:
    async with working() as bench:
        failures = [Conflict("stale")] * 3 + [RuntimeError("bug")] * 2

        async def fail(_: Key) -> datetime | None:
            if failures:
                raise failures.pop(0)
            return None

        bench.controller.act = fail
        bench.queue.add(KEY)
        await eventually(lambda: len(bench.controller.keys) == 6)
        # Success forgot the failures: the next back-off is the smallest again.
        await eventually(lambda: bench.queue.processing == 0)
        assert bench.queue.retry(KEY) == pytest.approx(0.1)


async def test_a_bug_is_logged_with_its_traceback_and_the_request(caplog: pytest.LogCaptureFixture) -> None:
    async with working() as bench:

        async def fail(_: Key) -> datetime | None:
            if len(bench.controller.keys) == 1:
                raise RuntimeError("a bug")
            return None

        bench.controller.act = fail
        with caplog.at_level(logging.INFO, "gatehold"):
            bench.queue.add(KEY)
            await eventually(lambda: len(bench.controller.keys) == 2)
        assert "held" in caplog.text
        assert "RuntimeError: a bug" in caplog.text


async def test_the_recheck_is_planned_in_server_time() -> None:
    async with working() as bench:

        async def act(_: Key) -> datetime | None:
            return datetime.fromtimestamp(bench.clock.timestamp() + 0.05, UTC) if len(bench.controller.keys) == 1 else None

        bench.controller.act = act
        bench.queue.add(KEY)
        await eventually(lambda: len(bench.controller.keys) == 2)
        assert len(bench.deadlines) == 0


async def test_a_process_that_may_not_act_does_nothing() -> None:
    async with working() as bench:
        bench.may_act = False
        bench.queue.add(KEY)
        await eventually(lambda: len(bench.queue) == 0)
        await bench.queue.drained()
        assert bench.controller.keys == []


async def test_what_comes_in_a_moment_without_the_lease_is_done_after_it_and_as_urgently() -> None:
    """A renewal that comes late gives the Lease back, and nobody tells again of what happened meanwhile."""
    async with working() as bench:
        bench.may_act = False
        keys = [KEY._replace(name=name, uid=name) for name in ("urgent", "normal")]
        added, really = list[tuple[str, bool]](), bench.queue.add

        def add(key: Key, urgent: bool = False) -> None:
            added.append((key.name, urgent))
            really(key, urgent)

        bench.queue.add = add  # type: ignore[method-assign]
        for key in keys:
            bench.queue.add(key, urgent=key.name == "urgent")
        await eventually(lambda: len(added) >= 6)
        assert bench.controller.keys == []
        assert set(added) == {("urgent", True), ("normal", False)}
        bench.may_act = True
        await eventually(lambda: sorted(key.name for key in bench.controller.keys) == ["normal", "urgent"])
        count = len(added)
        await bench.queue.drained()
        assert len(added) == count


async def test_cycles_that_wait_for_nothing_leave_the_loop_to_others() -> None:
    async with working() as bench:
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        other = asyncio.create_task(others())
        for number in range(1_000):
            bench.queue.add(Key(KEY.kind, "n", str(number), str(number)))
        await bench.queue.drained()
        other.cancel()
        assert turns >= 400
