"""Kopf within our process: it ends when it is told to, whatever its watches are at, and no closed connection ends it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import kopf
import pytest

from gatehold.domain.installation import PROBE
from gatehold.kube import connections
from gatehold.kube.client import Cluster
from gatehold.kube.clock import ServerClock
from gatehold.kube.resources import POLICIES, REQUESTS
from gatehold.runtime import handlers
from gatehold.runtime.caches import Caches
from gatehold.runtime.kopf_watch import KopfWatch
from gatehold.runtime.queue import WorkQueue
from gatehold.runtime.routing import Router
from tests.runtime.conftest import Start, StartReplica
from tests.runtime.support import eventually, policy_body, request_body, summarise

QUIET = 0.3
NEWS = 60
LOGINS = (0.04, 0.06, 0.08) * 4
"""Seconds that a login lasts: the next one closes the connections of watches that have just begun."""


def watch(cluster: Cluster) -> KopfWatch:
    return KopfWatch(Router(Caches(summarise), WorkQueue(), ServerClock(), "default"), cluster)


async def overhear(times: int, told: list[str]) -> None:
    """Take the first cancellations for something else, as kopf's watches do."""
    for _ in range(times):
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        told.append(asyncio.current_task().get_name())  # type: ignore[union-attr]
    await asyncio.Event().wait()


async def test_a_watch_that_overhears_its_end_is_told_until_it_has_gone_and_its_waiter_after_it(cluster: Cluster) -> None:
    told: list[str] = []
    watcher = asyncio.create_task(overhear(3, told), name="watcher for jobs")
    waiter = asyncio.create_task(overhear(0, told), name="pause-waiter for jobs")
    waiter.add_done_callback(lambda task: told.append(task.get_name()))
    watcher.add_done_callback(lambda task: told.append("over"))
    await asyncio.sleep(0)
    await watch(cluster).end(60.0)
    assert told == ["watcher for jobs"] * 3 + ["over", "pause-waiter for jobs"]
    assert watcher.cancelled()


async def test_a_watch_that_hears_nothing_is_left_and_named(cluster: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    deaf = asyncio.create_task(overhear(100, []), name="watcher for jobs")
    await asyncio.sleep(0)
    await watch(cluster).end(0.0)
    assert not deaf.done()
    assert "watcher for jobs" in caplog.text
    while not deaf.done():
        deaf.cancel()
        await asyncio.sleep(0)


@pytest.mark.parametrize("seconds", LOGINS)
async def test_logins_that_end_while_watches_begin_are_no_end_without_cure(
    replica: StartReplica, cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """One watch in some hundred had an error that kopf takes for final, or went on for ever as the process ended."""
    login: Callable[..., Any] = handlers.login
    configure = handlers.configure
    logins: list[kopf.AiohttpSession] = []

    async def expiring(**_: object) -> kopf.AiohttpSession:
        logins.append(dataclasses.replace(await login(), expiration=datetime.now(UTC) + timedelta(seconds=seconds)))
        return logins[-1]

    def bearing(settings: kopf.OperatorSettings) -> None:
        configure(settings)
        settings.process.ultimate_exiting_timeout = None  # it would kill the process of this test

    monkeypatch.setattr(handlers, "login", expiring)
    monkeypatch.setattr(handlers, "configure", bearing)
    await cluster.create(REQUESTS, namespace, request_body(PROBE, namespace))
    one = await asyncio.to_thread(replica)
    await eventually(lambda: one.operator.feeding.kopf.ready.is_set() or not one.thread.is_alive(), 120)
    await eventually(lambda: one.operator.heartbeat.fresh() or not one.thread.is_alive(), 120)
    one.ask_to_end()
    await asyncio.to_thread(one.thread.join, 60)
    assert not one.thread.is_alive()
    assert not isinstance(one.error, RuntimeError)


async def test_news_that_comes_as_a_watch_has_been_quiet_for_long_enough_drops_no_watch(
    start: Start, cluster: Cluster, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each comes some milliseconds before that time is over, which then is over while kopf hands it on."""
    configure = handlers.configure

    def sooner(settings: kopf.OperatorSettings) -> None:
        configure(settings)
        settings.watching.inactivity_timeout *= QUIET / connections.QUIET_SECONDS  # where kopf itself keeps such a time
        settings.process.ultimate_exiting_timeout = None  # it would kill the process of this test

    monkeypatch.setattr(handlers, "configure", sooner)
    async with await start() as running:
        await eventually(running.operator.feeding.kopf.ready.is_set)
        monkeypatch.setattr(connections, "QUIET_SECONDS", QUIET)
        for number in range(NEWS):
            assert not running.task.done(), running.task.exception()
            await cluster.create(POLICIES, None, policy_body(f"{namespace}-{number}"))
            await asyncio.sleep(QUIET - number % 15 / 1000)
        shelf = running.operator.router.caches.policies
        await eventually(lambda: shelf.get("", f"{namespace}-{NEWS - 1}") is not None)
