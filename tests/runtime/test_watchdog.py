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


async def test_a_loop_that_hangs_is_ended_and_one_that_turns_is_not() -> None:
    died, now, looked = threading.Event(), [100.0], [0.0]

    def monotonic() -> float:
        """A clock that goes on when the loop has turned: a process that stood still for a moment is no hung loop."""
        if threading.current_thread() is not threading.main_thread():
            looked[0] = now[0]
        return now[0]

    guard = LoopGuard(0.2, die=died.set, monotonic=monotonic)
    guard.start()
    for _ in range(5):
        now[0] += 0.15
        await eventually(lambda: guard._turned == looked[0] == now[0])
    assert not died.is_set()
    now[0] += 0.25
    assert died.wait(60)  # a hang is a blocked loop; there is no other way to make one
    guard.stop()
