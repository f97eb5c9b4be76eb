"""Full lists, page by page: the first fills a cache and is the only sign that it is complete, later ones mend it.

A watch reports no deletion that fell into a gap, so what a list does not name, and nothing else touched meanwhile, is
dropped.
`operator` runs one of these for each kind that is cached.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gatehold.kube.client import Cluster
from gatehold.kube.errors import Absent, ApiError, Forbidden, Gone
from gatehold.kube.resources import Resource
from gatehold.telemetry.metrics import Metrics

log = logging.getLogger(__name__)
_AT_ONCE = 100
_PAUSE_IN_LIST = 10.0
_FIRST_RETRIES = (0.2, 0.5, 1.0, 2.0, 5.0)


class Shelf(Protocol):
    """A cache that can be compared with a list."""

    def versions(self) -> dict[str, str]:
        """Uid -> resourceVersion of everything known."""


@dataclass(frozen=True, slots=True)
class Feed:
    """One cached kind: what to list, where it is kept, and the same two doors that watch events go through."""

    resource: Resource
    shelf: Shelf
    changed: Callable[[Mapping[str, Any]], bool]
    """Take a body in; True where it was news."""
    dropped: Callable[[str], None]
    """Forget a uid."""
    selector: str = ""
    every_seconds: float = math.inf
    """List again at least that often, whatever the settings say."""
    optional: bool = False
    """The API server may not serve this kind; then it has no objects."""
    plain: bool = False
    """Kopf does not watch it, and we may not be allowed to list it; then what is known stays."""


class Listings:
    """Tells when kopf lists a kind anew: then its watch had broken, and the version to go on from was too old.

    Of what is listed each object comes as an event without a type; those of one listing come close together.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Nothing was listed yet."""
        self._monotonic = monotonic
        self._listed: float | None = None
        self._watched = False

    def begins_anew(self, event: Mapping[str, Any]) -> bool:
        """Tell whether this event is the first of a listing that is not the first."""
        if event["type"] is not None:
            self._watched = True
            return False
        now, before, watched = self._monotonic(), self._listed, self._watched
        self._listed, self._watched = now, False
        return before is not None and (watched or now - before > _PAUSE_IN_LIST)


class Resync:
    """Lists of one kind."""

    def __init__(self, cluster: Cluster, feed: Feed, metrics: Metrics, limit: int = 500) -> None:
        """List nothing before `first` or `sweep`."""
        self.feed = feed
        self._cluster = cluster
        self._metrics = metrics
        self._limit = limit
        self._touched: set[str] | None = None
        self._gone = set[str]()
        self._turn = asyncio.Lock()
        self.version = ""
        """The resourceVersion that the last whole list stands for."""
        self.wanted = asyncio.Event()
        """The watch may have missed something: do not wait for the next turn."""

    def touch(self, uid: str, *, gone: bool = False) -> None:
        """Say that a watch event about this uid came: a list that is under way may be older than that, or newer.

        Only a deletion is final. Of anything else the cache keeps the newer version by itself, and it has to: an event may
        be late, and what the list shows beyond it must not be overlooked.
        """
        if self._touched is not None:
            self._touched.add(uid)
            (self._gone.add if gone else self._gone.discard)(uid)

    async def first(self) -> int:
        """Fill the cache, however often it takes; returns how many there are."""
        attempt = 0
        while True:
            try:
                return await self._list(first=True)
            except ApiError as error:
                pause = _FIRST_RETRIES[min(attempt, len(_FIRST_RETRIES) - 1)]
                log.warning("listing %s: %s, again in %g s", self.feed.resource.plural, error, pause)
                attempt += 1
                await asyncio.sleep(pause)

    async def sweep(self) -> int:
        """Compare once; returns how many differences only this list found."""
        return await self._compare() or 0

    async def catch_up(self) -> bool:
        """Take in everything that stands there now, whatever the watch has delivered; True where the list was whole."""
        return await self._compare() is not None

    async def _compare(self) -> int | None:
        try:
            async with self._turn:  # two lists at once would take each other's note of what the watch touched
                found = await self._list(first=False)
        except Gone:
            # The list took longer than the server keeps versions; what was compared until then stands.
            log.warning("the list of %s was cut off, next turn again", self.feed.resource.plural)
            return None
        if found:
            self._metrics.count("gatehold_resync_found_total", found, resource=self.feed.resource.plural)
            log.warning("the watch of %s had missed %d changes", self.feed.resource.plural, found)
        return found

    async def _list(self, *, first: bool) -> int:
        known = self.feed.shelf.versions()
        self._touched, self._gone = set(), set()
        taken, listed = 0, set[str]()
        try:
            async for page in self._cluster.list_pages(
                self.feed.resource, label_selector=self.feed.selector, limit=self._limit
            ):
                self.version = page.resource_version
                for place, body in enumerate(page.items):
                    if place % _AT_ONCE == _AT_ONCE - 1:
                        await asyncio.sleep(0)  # decisions must not wait for a list
                    taken += self._take(body, known, listed)
            dropped = self._drop(known.keys() - listed)
        except Absent:
            if not self.feed.optional:
                raise
            dropped = self._unserved(known)
        except Forbidden as error:
            if not self.feed.plain:
                raise
            log.warning("%s are not known: %s", self.feed.resource.plural, error)
            dropped = 0
        finally:
            self._touched = None
        return len(listed) if first else taken + dropped

    def _unserved(self, known: Mapping[str, str]) -> int:
        """The kind is not served, or not any more; with a kind that kopf does not watch nobody else says so."""
        if not self.feed.plain:
            return 0
        self.version = ""  # a watch from there would end at once, again and again
        return self._drop(set(known))

    def _take(self, body: Mapping[str, Any], known: Mapping[str, str], listed: set[str]) -> bool:
        meta = body["metadata"]
        uid = meta["uid"]
        listed.add(uid)
        if known.get(uid) == meta["resourceVersion"] or uid in self._gone:
            return False
        return self.feed.changed(body)

    def _drop(self, absent: set[str]) -> int:
        gone = absent - (self._touched or set())
        for uid in gone:
            self.feed.dropped(uid)
        return len(gone)
