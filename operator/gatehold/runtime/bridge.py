"""A plain watch from the end of our own first list until kopf's watch of the same kind is live; `operator` runs one a kind.

Kopf lists everything itself, ten times slower than a bare list, and tells nothing new before it is through. Without this,
what is decided in that time would wait for it, and what is deleted between the two lists would stay until a resync.
Seeing an event twice is harmless: the caches keep the newest resourceVersion.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from gatehold.kube.client import Cluster
from gatehold.kube.errors import ApiError
from gatehold.runtime.resync import Feed

log = logging.getLogger(__name__)
_LONGEST = 900


class Bridge:
    """One kind's watch between two lists."""

    def __init__(self, cluster: Cluster, feed: Feed, event: Callable[[Mapping[str, Any]], None]) -> None:
        """`event` is the same door that kopf's events go through."""
        self._cluster = cluster
        self._feed = feed
        self._event = event
        self._over = asyncio.Event()

    def end(self) -> None:
        """Kopf's watch is live: this one is not needed any more."""
        self._over.set()

    @property
    def ended(self) -> bool:
        """Tell whether kopf's watch is live, or this one has broken."""
        return self._over.is_set()

    async def run(self, version: str) -> bool:
        """Watch from that version until kopf's watch is live; True where this one broke before: a list finds the rest."""
        watch = asyncio.ensure_future(self._watch(version))
        over = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait({watch, over}, return_when=asyncio.FIRST_COMPLETED)
            return not self._over.is_set()
        finally:
            watch.cancel()
            over.cancel()
            await asyncio.gather(watch, over, return_exceptions=True)
            self._over.set()

    async def _watch(self, version: str) -> None:
        if not version:
            return
        resource, plain = self._feed.resource, self._feed.plain
        try:
            async for event in self._cluster.watch(
                resource, version, self._feed.selector, seconds=_LONGEST, bookmarks=plain
            ):
                if event["type"] in {"ADDED", "MODIFIED", "DELETED"}:
                    self._event(event)
                elif event["type"] == "ERROR":
                    log.info("the first watch of %s ended: %s", resource.plural, event["object"].get("message"))
                    return
        except (ApiError, TimeoutError) as error:
            log.info("the watch of %s ended: %s", resource.plural, str(error) or "it fell silent")
