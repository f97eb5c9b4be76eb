"""Events and lists fill the caches, keys go out to the queue; handlers and resync call it.

What happens when X changes stands in the table of `kinds`; here is only how it is done. A standby keeps its caches and
drops the keys: at the moment it takes over, `take_over` asks for a cycle of everything, what is decided or due first.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from gatehold.domain.installation import PROBE
from gatehold.domain.model import GateType
from gatehold.kube.clock import ClockUnknown, ServerClock
from gatehold.kube.resources import REQUESTS, Resource
from gatehold.runtime.cache import Store
from gatehold.runtime.caches import Caches
from gatehold.runtime.kinds import KINDS, Kind, kinds_for
from gatehold.runtime.nodes import node_key
from gatehold.runtime.objects import Item, Objects
from gatehold.runtime.parts import GATE, POLICY, ROLLOUT, Key
from gatehold.runtime.queue import WorkQueue
from gatehold.runtime.record import Record
from gatehold.runtime.resync import Feed, Listings, Resync
from gatehold.runtime.rollouts import at_work, is_due, rollout_key
from gatehold.runtime.waking import key_of, wake_argo, wake_pods, wake_subject
from gatehold.runtime.watchdog import HEARTBEAT

Event = Mapping[str, Any]
Body = Mapping[str, Any]

_AT_ONCE = 1_000
_HEAD_START = 1.0  # seconds that what is decided or due has for itself at a take-over, at most


class Router:
    """Fills the caches and asks for cycles."""

    def __init__(
        self, caches: Caches, queue: WorkQueue, clock: ServerClock, namespace: str, gates: Collection[str] = tuple(GateType)
    ) -> None:
        """Begin as a standby; nothing is watched for types of Gates that are not among these."""
        self.caches = caches
        self.watched_kinds = kinds_for(gates)
        self.acting = False
        self.on_wall_change: Callable[[], None] = lambda: None
        self.on_verdict: Callable[[], None] = lambda: None
        self.on_heartbeat: Callable[[str], None] = lambda _: None
        self.on_live: Callable[[Resource], None] = lambda _: None
        self.resyncs: dict[Resource, Resync] = {}
        self._kinds = {kind.resource: kind for kind in KINDS}
        self._objects: dict[Resource, Objects] = {
            kind.resource: getattr(caches, kind.cache) for kind in KINDS if kind.resource is not REQUESTS
        }
        # An empty list does not even show itself, and nobody lists these again soon.
        self._quiet = {kind.resource for kind in KINDS if kind.every_seconds == math.inf and kind.resource is not REQUESTS}
        self._listings = {resource: Listings() for resource in self._kinds}
        self._queue = queue
        self._clock = clock
        self._probe = (namespace, PROBE)
        self._probe_text = ""

    # ---- doors for watch events, lists and answers

    def watched(self, resource: Resource, event: Event) -> None:
        """Take one event of kopf's in; the first that is no listing shows that kopf's watch of this kind is live."""
        self.event(resource, event)
        if event["type"] is not None:
            self.on_live(resource)
        if self._listings[resource].begins_anew(event):
            # what went since the watch broke is named by nobody
            for kind in {resource, *self._quiet} & self.resyncs.keys():
                self.resyncs[kind].wanted.set()

    def event(self, resource: Resource, event: Event) -> None:
        """Take one event in: type None (listing), ADDED, MODIFIED or DELETED (left the selector, or is gone)."""
        body = event["object"]
        uid = body["metadata"]["uid"]
        resync = self.resyncs.get(resource)
        if resync is not None:
            resync.touch(uid, gone=event["type"] == "DELETED")
        if resource is REQUESTS:
            self._heartbeat(body)
        if event["type"] == "DELETED":
            self.dropped(resource, uid, str(body["metadata"].get("resourceVersion") or ""))
        else:
            self.changed(resource, body)

    def changed(self, resource: Resource, body: Body) -> bool:
        """Take a body in, from an event or a list; True where it was news."""
        if resource is REQUESTS:
            return self._request_changed(body)
        item = self._taken(resource, body)
        kind = self._kinds[resource]
        if item is not None and kind.key:
            self.enqueue(Key(kind.key, item.namespace, item.name, item.uid), urgent=kind.key == ROLLOUT and at_work(item))
        return item is not None

    def answered(self, resource: Resource, body: Body) -> None:
        """Take the answer to a write of ours in: who depends on it is woken, its own cycle is at it already.

        The watch tells of it later, and that is no news any more.
        """
        if resource is REQUESTS:
            self._request_taken(body)
        else:
            self._taken(resource, body)

    def dropped(self, resource: Resource, uid: str, version: str = "") -> None:
        """Forget an object that is done or gone, at that version where it is known, and look at what depends on it."""
        kind = self._kinds[resource]
        cache: Store | Objects = self.caches.requests if resource is REQUESTS else self._objects[resource]
        found = cache.remove(uid, version)
        if found is None:
            return
        if kind.key:
            self.enqueue(Key(kind.key, found.namespace, found.name, uid))
        (kind.gone or kind.wakes)(self, found)

    def feeds(self) -> list[Feed]:
        """Return what to list, in the order in which it must be known."""
        return [self._feed(kind) for kind in self.watched_kinds]

    # ---- asking for cycles

    def enqueue(self, key: Key, urgent: bool = False) -> None:
        """Ask for a cycle, if this process acts."""
        if self.acting:
            self._queue.add(key, urgent=urgent)

    async def take_over(self) -> int:
        """Begin to act: ask for a cycle of everything known, what is decided or due first; returns how many requests.

        The rest begins once those are through, or a little later: thousands of looks must not be in the way of the first
        release.
        """
        self.acting = True
        rest = list[Record | Item]()
        for found, first in self._known():
            if first:
                self.enqueue(_key(found), urgent=True)
            else:
                rest.append(found)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_HEAD_START):
                await self._queue.drained()
        for kind, objects in ((POLICY, self.caches.policies), (GATE, self.caches.gates)):
            for item in objects:
                self.enqueue(Key(kind, "", item.name, item.uid))
        for item in self.caches.nodes:
            if item.note:
                self.enqueue(node_key(item))
        wake_pods(self)
        wake_argo(self)
        for place, found in enumerate(rest):
            if place % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if found.uid in self.caches.requests or found.uid in self.caches.rollouts:
                self.enqueue(_key(found))
        return len(self.caches.requests)

    def stand_down(self) -> None:
        """Stop acting: nothing new is asked for, and what waits is dropped."""
        self.acting = False
        self._queue.clear()

    def _known(self) -> Iterator[tuple[Record | Item, bool]]:
        """Every request and Rollout, and whether it goes first; a Rollout does with what is decided about it by now."""
        now = self._now()
        for record in self.caches.requests:
            due = record.summary.due_at
            first = record.summary.urgent or (due is not None and now is not None and due <= now)
            if first and not record.summary.waiting:
                wake_subject(self, record, urgent=True)
            yield record, first
        for item in self.caches.rollouts:
            yield item, is_due(item, now)

    # ---- taking in

    def _request_changed(self, body: Body) -> bool:
        requests, uid = self.caches.requests, body["metadata"]["uid"]
        known = requests.get(uid)
        said = len(known.seen or ()) if known is not None else 0
        if not self._request_taken(body):
            return False
        record = requests.get(uid)
        if self.acting and record is not None and len(record.seen or ()) > said:
            self.on_verdict()
        if record is not None and not self._only_heartbeat(record, body):
            # A verdict, or a step of an effect, does not stand in line behind a thousand new questions.
            self.enqueue(key_of(record), urgent=record.summary.prepared or record.seen is not None)
        return True

    def _request_taken(self, body: Body) -> bool:
        """Keep a request, and wake whom it concerns where that may read something new in it; False where it is no news."""
        requests, uid = self.caches.requests, body["metadata"]["uid"]
        known = requests.get(uid)
        said = _said(known) if known is not None else None
        if not requests.upsert(body, self._now()):
            return False
        record = requests.get(uid)
        if record is not None and said != _said(record):
            self._kinds[REQUESTS].wakes(self, record)
        return True

    def _taken(self, resource: Resource, body: Body) -> Item | None:
        """Keep an object and wake whom it concerns; None where it is no news."""
        kind, cache, uid = self._kinds[resource], self._objects[resource], body["metadata"]["uid"]
        old = cache.item(uid)
        if not cache.upsert(body):
            return None
        item = cache.item(uid)
        renoted = old is not None and item is not None and old.note != item.note
        if old is not None and renoted:
            kind.wakes(self, old)
        if old is None or renoted or not kind.note_only:
            kind.wakes(self, item)
        return item

    # ---- the heartbeat's object

    def _heartbeat(self, body: Body) -> None:
        meta = body["metadata"]
        if (meta.get("namespace"), meta["name"]) == self._probe:
            self.on_heartbeat(str(meta["resourceVersion"]))

    def _only_heartbeat(self, record: Record, body: Body) -> bool:
        """Tell whether nothing but the heartbeat changed on the probe's request: no cycle for our own pulse."""
        if (record.namespace, record.name) != self._probe:
            return False
        meta = body["metadata"]
        annotations = {key: value for key, value in (meta.get("annotations") or {}).items() if key != HEARTBEAT}
        text = repr((annotations, meta.get("labels"), meta.get("generation"), body.get("status")))
        same, self._probe_text = text == self._probe_text, text
        return same

    def _now(self) -> float | None:
        try:
            return self._clock.timestamp()
        except ClockUnknown:
            return None

    def _feed(self, kind: Kind) -> Feed:
        resource = kind.resource
        return Feed(
            resource=resource,
            shelf=_Part(self.caches.wall, resource.kind) if kind.cache == "wall" else getattr(self.caches, kind.cache),
            changed=lambda body: self.changed(resource, body),
            dropped=lambda uid: self.dropped(resource, uid),
            selector=kind.selector,
            every_seconds=kind.every_seconds,
            optional=kind.optional,
            plain=kind.plain,
        )


class _Part:
    """One kind's share of the wall's cache, so that a list of one kind does not drop the others."""

    def __init__(self, wall: Objects, kind: str) -> None:
        self._wall = wall
        self._kind = kind

    def versions(self) -> dict[str, str]:
        return {item.uid: item.resource_version for item in self._wall if item.note == self._kind}


def _said(record: Record) -> tuple[object, ...]:
    """What others go by in a request: whether people are asked, how it was decided, until when that stands."""
    summary = record.summary
    return summary.prepared, summary.phase, summary.due_at


def _key(found: Record | Item) -> Key:
    return key_of(found) if isinstance(found, Record) else rollout_key(found)
