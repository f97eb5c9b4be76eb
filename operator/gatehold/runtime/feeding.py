"""How the caches are filled and kept: each kind is listed, watched (by a bridge at once, later by kopf), and listed again.

`operator` runs the parts; what ends here ends the process, and its next life starts from a list.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import Coroutine, Iterator
from typing import Any

from gatehold.kube.client import Cluster
from gatehold.kube.resources import Resource
from gatehold.runtime.bridge import Bridge
from gatehold.runtime.kopf_watch import KopfWatch
from gatehold.runtime.resync import Resync
from gatehold.runtime.routing import Router
from gatehold.runtime.tasks import guarded
from gatehold.telemetry.metrics import Metrics

log = logging.getLogger(__name__)
_PLAIN_SECONDS = 2.0  # at least, between two watches that break at once
_UNKNOWN_SECONDS = 20.0  # between two looks for what is not served, what we may not list, or what could not be listed


class Feeding:
    """Everything that brings objects to one router. `synced` is set when all is listed once."""

    def __init__(self, cluster: Cluster, router: Router, metrics: Metrics, every_seconds: float) -> None:
        """Make the parts; every kind is listed again that often, or as often as its feed says."""
        self._cluster = cluster
        self._router = router
        self._metrics = metrics
        self._every_seconds = every_seconds
        self.synced = asyncio.Event()
        self.kopf = KopfWatch(router, cluster)
        resyncs = (Resync(cluster, feed, metrics) for feed in router.feeds())
        self.resyncs: dict[Resource, Resync] = {resync.feed.resource: resync for resync in resyncs}
        self.bridges = {resource: self._bridge(resync) for resource, resync in self.resyncs.items()}
        router.resyncs = self.resyncs
        router.on_live = lambda resource: self.bridges[resource].end()

    def parts(self) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
        """Everything that runs, by name, but for kopf itself."""
        yield "fill", self._fill()
        for resource, resync in self.resyncs.items():
            yield f"resync-{resource.plural}", self._sweep(resync)
            yield f"bridge-{resource.plural}", self._cross(resync)

    async def _fill(self) -> None:
        for resync in self.resyncs.values():
            count = await resync.first()
            log.info("listed %d %s", count, resync.feed.resource.plural)
        # What was listed stays: the garbage collector need not walk over it again and again.
        gc.freeze()
        self.synced.set()
        self._metrics.synced.set(1)
        await asyncio.Event().wait()

    async def _cross(self, resync: Resync) -> None:
        await self.synced.wait()
        if resync.feed.plain or (resync.feed.optional and not resync.version):
            await self._watch_plainly(resync)
        if await self.bridges[resync.feed.resource].run(resync.version):
            resync.wanted.set()
        await asyncio.Event().wait()

    async def _watch_plainly(self, resync: Resync) -> None:
        """Watch a kind without kopf: a bridge that leads to the next list, again and again.

        Also one that was not served at the start: kopf looks once, when its CRD comes, and discovery may be later than that.
        """
        while True:
            loop = asyncio.get_running_loop()
            again_at = loop.time() + (_PLAIN_SECONDS if resync.version else _UNKNOWN_SECONDS)
            await self._bridge(resync).run(resync.version)
            await asyncio.sleep(max(0.0, again_at - loop.time()))
            await guarded(f"relist-{resync.feed.resource.plural}", resync.sweep, self._metrics)

    async def _sweep(self, resync: Resync) -> None:
        await self.synced.wait()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(self._every_seconds, resync.feed.every_seconds)):
                    await resync.wanted.wait()
            resync.wanted.clear()
            if not await guarded(f"resync-{resync.feed.resource.plural}", resync.sweep, self._metrics):
                await asyncio.sleep(_UNKNOWN_SECONDS)  # what it was wanted for nobody else finds, and its turn may be far
                resync.wanted.set()

    def _bridge(self, resync: Resync) -> Bridge:
        resource = resync.feed.resource
        return Bridge(self._cluster, resync.feed, lambda event: self._router.event(resource, event))
