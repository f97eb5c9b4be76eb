"""The watchdog: a dead watch ends the process, an API server that is away does not, a hung loop does."""

from __future__ import annotations

import asyncio
import threading

import kopf
import pytest

from gatehold.kube.errors import Forbidden, Unavailable
from gatehold.runtime import handlers
from gatehold.runtime.watchdog import HANG_SECONDS, Heartbeat, LoopGuard, WatchDead, Watchers
from tests.runtime.support import eventually


class Pulse:
    """An object whose version and availability a test sets, and a clock that it moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.version: str | None = "1"
        self.error: Exception | None = None
        self.heartbeat = Heartbeat(self.beat, every=5.0, limit=30.0, monotonic=lambda: self.now)

    async def beat(self) -> str | None:
        if self.error is not None:
            raise self.error
        return self.version

    async def pass_time(self, seconds: int, version: str | None = None) -> None:
        for _ in range(0, seconds, 5):
            self.now += 5
            if version is not None:
                self.version = version
            await self.heartbeat.once()


async def test_a_watch_that_delivers_is_alive() -> None:
    pulse = Pulse()
    assert not pulse.heartbeat.fresh()
    for number in range(1, 50):
        pulse.version = str(number)
        await pulse.heartbeat.once()
        pulse.heartbeat.seen(str(number))
        pulse.now += 5
    assert pulse.heartbeat.fresh()


async def test_a_watch_that_stops_delivering_ends_the_process() -> None:
    pulse = Pulse()
    pulse.heartbeat.seen("1")
    await pulse.pass_time(25, "2")
    assert pulse.heartbeat.fresh()
    with pytest.raises(WatchDead):
        await pulse.pass_time(30, "9")
    assert not pulse.heartbeat.fresh()


async def test_an_older_event_does_not_count_and_a_newer_does() -> None:
    pulse = Pulse()
    pulse.heartbeat.seen("9")
    await pulse.pass_time(5, "10")
    pulse.heartbeat.seen("9")
    pulse.heartbeat.seen("11")
    await pulse.pass_time(60, "11")
    assert pulse.heartbeat.fresh()


async def test_an_api_server_that_is_away_is_no_dead_watch_even_when_it_comes_back() -> None:
    pulse = Pulse()
    pulse.heartbeat.seen("1")
    await pulse.pass_time(5, "2")
    pulse.error = Unavailable("down")
    await pulse.pass_time(600)
    pulse.error = None
    await pulse.heartbeat.once()
    pulse.heartbeat.seen("3")
    await pulse.heartbeat.once()
    assert pulse.heartbeat.fresh()


async def test_a_process_that_stood_still_gives_its_watch_the_time_that_it_always_has() -> None:
    pulse = Pulse()
    pulse.heartbeat.seen("1")
    await pulse.pass_time(5, "2")
    pulse.now += 90
    assert not pulse.heartbeat.fresh()
    await pulse.pass_time(25, "9")
    pulse.heartbeat.seen("9")
    assert pulse.heartbeat.fresh()


async def test_a_watch_that_still_lists_has_much_longer() -> None:
    pulse = Pulse()
    await pulse.pass_time(300, "2")
    assert not pulse.heartbeat.fresh()
    with pytest.raises(WatchDead):
        await pulse.pass_time(600, "2")


async def test_without_the_probes_request_nothing_is_watched_and_readiness_does_not_wait() -> None:
    pulse = Pulse()
    pulse.version = None
    await pulse.pass_time(600)
    assert pulse.heartbeat.fresh()


async def test_a_refused_heartbeat_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    pulse = Pulse()
    pulse.error = Forbidden("no")
    await pulse.pass_time(60)
    assert caplog.text.count("dead watch") == 1


async def test_a_watch_whose_task_has_ended_ends_the_process_whatever_kind_it_watches() -> None:
    def watch(kind: str) -> asyncio.Task[bool]:
        return asyncio.create_task(asyncio.Event().wait(), name=f"watcher for {kind}.v1.gatehold.dev@None")

    watchers, policies, jobs = Watchers(), watch("approvalpolicies"), watch("jobs")
    watchers.look()
    late = watch("approvalrequests")
    watchers.look()
    jobs.cancel()
    await asyncio.gather(jobs, return_exceptions=True)
    with pytest.raises(WatchDead, match=r"watcher for jobs\.v1"):
        watchers.look()
    for task in (policies, late):
        task.cancel()


def test_a_loop_that_hangs_is_ended_before_kopfs_timer_for_silent_watches_can_hit_one() -> None:
    settings = kopf.OperatorSettings()
    handlers.configure(settings)
    longest = HANG_SECONDS * 1.25  # the guard looks four times in that span
    assert settings.watching.inactivity_timeout is not None
    assert longest < settings.watching.inactivity_timeout


class Looks:
    """The waits of a guard, each as long as the test wants."""

    def __init__(self) -> None:
        """It waits for its first look."""
        self._begun, self._over = threading.Semaphore(0), threading.Semaphore(0)

    def wait(self, _: float) -> bool:
        """Wait until the test lets it look."""
        self._begun.release()
        return not self._over.acquire(timeout=60)

    def let(self, count: int) -> None:
        """Have it look so often, one after the other; done when it waits for the next look."""
        for _ in range(count):
            self.one_more()
        assert self._begun.acquire(timeout=60)
        self._begun.release()

    def one_more(self) -> None:
        """Have it look once, and wait for nothing that follows."""
        assert self._begun.acquire(timeout=60)
        self._over.release()


async def until_turned(guard: LoopGuard) -> None:
    """The loop has turned once more."""
    turns = guard._turns
    await eventually(lambda: guard._turns > turns)


async def test_a_loop_that_turns_between_looks_is_left_alone_however_late_they_are() -> None:
    """A process that was stopped for an hour goes on with one look, and then its loop turns."""
    died, looks = threading.Event(), Looks()
    guard = LoopGuard(0.2, die=died.set, wait=looks.wait)
    guard.start()
    for _ in range(5):
        looks.let(4)  # the loop stands still meanwhile: this call blocks it
        await until_turned(guard)
    assert not died.is_set()
    guard.stop()


async def test_a_loop_that_hangs_is_ended() -> None:
    died, looks = threading.Event(), Looks()
    guard = LoopGuard(0.2, die=died.set, wait=looks.wait)
    guard.start()
    looks.let(4)
    assert not died.is_set()  # the first of these saw it turn
    looks.one_more()
    assert died.wait(60)
    guard.stop()
