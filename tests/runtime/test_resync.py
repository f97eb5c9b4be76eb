"""Lists on a real API server: they fill a cache, find what a watch missed, and believe no list over a newer event."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from gatehold.kube.client import Cluster, Page
from gatehold.kube.errors import Unavailable
from gatehold.kube.resources import MAP, REQUESTS, Resource
from gatehold.runtime.cache import Store
from gatehold.runtime.feeding import Feeding
from gatehold.runtime.objects import Objects
from gatehold.runtime.resync import Feed, Resync
from gatehold.telemetry.metrics import Metrics
from tests.runtime.support import eventually, request_body, summarise


class Within:
    """The real cluster, listing one namespace only: other tests write beside this one."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace
        self.between: Any = None

    async def list_pages(self, resource: Resource, label_selector: str = "", limit: int = 500) -> AsyncIterator[Page]:
        async for page in self.cluster.list_pages(resource, self.namespace, label_selector, limit=limit):
            yield page
            if self.between is not None:
                await self.between()


def make(cluster: Cluster, namespace: str, store: Store) -> tuple[Resync, Within, list[str]]:
    changed: list[str] = []

    def take(body: Mapping[str, Any]) -> bool:
        news = store.upsert(body, None)
        if news:
            changed.append(body["metadata"]["name"])
        return news

    def drop(uid: str) -> None:
        store.remove(uid)

    feed = Feed(REQUESTS, store, take, drop, "gatehold.dev/done!=true")
    within = Within(cluster, namespace)
    return Resync(within, feed, Metrics(), limit=3), within, changed  # type: ignore[arg-type]


async def test_the_first_list_fills_the_cache_without_what_is_done(cluster: Cluster, namespace: str) -> None:
    for number in range(8):
        body = request_body(f"r{number}", namespace)
        if number == 0:
            body["metadata"]["labels"] = {"gatehold.dev/done": "true"}
        await cluster.create(REQUESTS, namespace, body)
    store = Store(summarise)
    resync, _, changed = make(cluster, namespace, store)
    assert await resync.first() == 7
    assert len(store) == 7
    assert len(changed) == 7
    assert resync.version.isdecimal()


async def test_a_sweep_finds_what_was_missed_and_nothing_else(cluster: Cluster, namespace: str) -> None:
    for number in range(4):
        await cluster.create(REQUESTS, namespace, request_body(f"r{number}", namespace))
    store = Store(summarise)
    resync, _, changed = make(cluster, namespace, store)
    await resync.first()
    changed.clear()
    assert await resync.sweep() == 0
    await cluster.delete(REQUESTS, namespace, "r0")
    await cluster.merge_patch(REQUESTS, namespace, "r1", {"metadata": {"annotations": {"a": "b"}}})
    await cluster.create(REQUESTS, namespace, request_body("r9", namespace))
    assert await resync.sweep() == 3
    assert sorted(changed) == ["r1", "r9"]
    assert {record.name for record in store} == {"r1", "r2", "r3", "r9"}


async def test_what_an_event_touched_meanwhile_is_left_alone(cluster: Cluster, namespace: str) -> None:
    for number in range(4):
        await cluster.create(REQUESTS, namespace, request_body(f"r{number}", namespace))
    store = Store(summarise)
    resync, within, _ = make(cluster, namespace, store)
    await resync.first()
    gone = next(record.uid for record in store if record.name == "r3")
    fresh: dict[str, Any] = {}

    async def meanwhile() -> None:
        """Between two pages the watch reports a deletion of what page two still names, and something quite new."""
        if fresh:
            return
        fresh.update(await cluster.create(REQUESTS, namespace, request_body("fresh", namespace)))
        await cluster.delete(REQUESTS, namespace, "r3")
        store.remove(gone)
        store.upsert(fresh, None)
        resync.touch(gone, gone=True)
        resync.touch(fresh["metadata"]["uid"])

    within.between = meanwhile
    await resync.sweep()
    assert {record.name for record in store} == {"r0", "r1", "r2", "fresh"}


async def test_an_event_that_comes_late_does_not_hide_what_the_list_shows(cluster: Cluster, namespace: str) -> None:
    body = await cluster.create(REQUESTS, namespace, request_body("late", namespace))
    store = Store(summarise)
    resync, within, _ = make(cluster, namespace, store)
    await resync.first()
    old = await cluster.merge_patch(REQUESTS, namespace, "late", {"metadata": {"annotations": {"a": "b"}}})
    note = {"metadata": {"annotations": {"verdict.gatehold.dev/0": "x"}}}
    await cluster.merge_patch(REQUESTS, namespace, "late", note)

    async def list_pages(resource: Resource, label_selector: str = "", limit: int = 500) -> AsyncIterator[Page]:
        async for page in cluster.list_pages(resource, namespace, label_selector, limit=limit):
            resync.touch(old["metadata"]["uid"])  # the watch delivers what was there before
            store.upsert(old, None)
            yield page

    within.list_pages = list_pages  # type: ignore[method-assign]
    assert await resync.catch_up()
    assert store.sighting(body["metadata"]["uid"], "verdict.gatehold.dev/0") is not None


async def test_a_kind_that_is_not_served_has_no_objects(cluster: Cluster) -> None:
    unknown = MAP._replace(plural="nosuchthings")
    feed = Feed(unknown, Store(summarise), lambda _: True, lambda _: None, optional=True)
    assert await Resync(cluster, feed, Metrics()).first() == 0


@pytest.mark.parametrize("plain", [True, False])
async def test_a_kind_that_is_not_served_any_more_is_forgotten_where_kopf_does_not_watch_it(
    cluster: Cluster, plain: bool
) -> None:
    unknown = MAP._replace(plural="nosuchthings")
    known, dropped = Objects(), list[str]()
    known.upsert({"metadata": {"name": "old", "uid": "u", "resourceVersion": "7"}})
    feed = Feed(unknown, known, lambda _: True, dropped.append, optional=True, plain=plain)
    resync = Resync(cluster, feed, Metrics())
    resync.version = "7"
    await resync.sweep()
    assert (dropped, resync.version) == ((["u"], "") if plain else ([], "7"))


async def test_a_list_that_fails_does_not_wait_for_its_next_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missed when a watch breaks is found by that list alone, and just then the API server may stand still."""
    lists, turn = list[int](), 3_600.0
    feed = Feed(REQUESTS, Store(summarise), lambda _: True, lambda _: None)

    class Away:
        async def list_pages(self, *_: Any, **__: Any) -> AsyncIterator[Page]:
            lists.append(1)
            if len(lists) == 1:
                raise Unavailable("no answer in time")
            yield Page([], "7")

    monkeypatch.setattr("gatehold.runtime.feeding._UNKNOWN_SECONDS", 0.01)
    router: Any = SimpleNamespace(feeds=lambda: [feed])
    feeding = Feeding(Away(), router, Metrics(), turn)  # type: ignore[arg-type]
    resync = feeding.resyncs[REQUESTS]
    feeding.synced.set()
    resync.wanted.set()
    task = asyncio.create_task(feeding._sweep(resync))
    await eventually(lambda: resync.version == "7")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(lists) == 2
