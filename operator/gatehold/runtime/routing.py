"""What happens when X changes: events and lists fill the caches, keys go out to the queue; handlers and resync call it.

A standby keeps its caches and drops the keys: at the moment it takes over, `take_over` asks for a cycle of everything,
what is decided or due first.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Any

from gatehold.kube.clock import ClockUnknown, ServerClock
from gatehold.kube.resources import JOBS, MAP, MAP_BINDINGS, POLICIES, REQUESTS, VAP, VAP_BINDINGS, Resource
from gatehold.runtime.cache import Record, Store
from gatehold.runtime.objects import Objects
from gatehold.runtime.parts import POLICY, REQUEST, Key
from gatehold.runtime.queue import WorkQueue
from gatehold.runtime.resync import Feed, Listings, Resync, Shelf
from gatehold.runtime.watchdog import HEARTBEAT, PROBE

Event = Mapping[str, Any]
Body = Mapping[str, Any]

_AT_ONCE = 1_000
_FEW_SECONDS = 60.0
NOT_DONE = "gatehold.dev/done!=true"
HELD = "gatehold.dev/hold"
OURS = "app.kubernetes.io/part-of=gatehold"
SELECTORS: Mapping[Resource, str] = {
    REQUESTS: NOT_DONE,
    JOBS: HELD,
    POLICIES: "",
    VAP: OURS,
    VAP_BINDINGS: OURS,
    MAP: OURS,
    MAP_BINDINGS: OURS,
}
"""What is watched and listed, and by which label selector."""


class Caches:
    """Everything one replica knows."""

    def __init__(self, requests: Store) -> None:
        """Start empty."""
        self.requests = requests
        self.policies = Objects()
        self.jobs = Objects()
        self.wall = Objects()


class Router:
    """Fills the caches and asks for cycles."""

    def __init__(self, caches: Caches, queue: WorkQueue, clock: ServerClock, namespace: str) -> None:
        """Begin as a standby."""
        self.caches = caches
        self.acting = False
        self.on_wall_change: Callable[[], None] = lambda: None
        self.on_verdict: Callable[[], None] = lambda: None
        self.on_heartbeat: Callable[[str], None] = lambda _: None
        self.on_live: Callable[[Resource], None] = lambda _: None
        self.resyncs: dict[Resource, Resync] = {}
        self._listings = {resource: Listings() for resource in SELECTORS}
        self._queue = queue
        self._clock = clock
        self._probe = (namespace, PROBE)
        self._probe_text = ""

    # ---- doors for watch events

    def watched(self, resource: Resource, event: Event) -> None:
        """Take one event of kopf's in; the first that is no listing shows that kopf's watch of this kind is live."""
        self.event(resource, event)
        if event["type"] is not None:
            self.on_live(resource)
        if self._listings[resource].begins_anew(event):
            # what went since the watch broke is named by nobody; an empty list, and Jobs may have one, not even shows itself
            for kind in {resource, JOBS} & self.resyncs.keys():
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
        if resource is POLICIES:
            return self._policy_changed(body)
        if resource is JOBS:
            return self._job_changed(body)
        news = self.caches.wall.upsert(body)
        if news:
            self.on_wall_change()
        return news

    def dropped(self, resource: Resource, uid: str, version: str = "") -> None:
        """Forget an object that is done or gone, at that version where it is known, and look at what depends on it."""
        if resource is REQUESTS:
            self._request_dropped(uid, version)
        elif resource is POLICIES:
            item = self.caches.policies.remove(uid, version)
            if item is not None:
                self._enqueue_policy(item.name, uid)
        elif resource is JOBS:
            job = self.caches.jobs.remove(uid, version)
            if job is not None:
                self._enqueue_subject(job.namespace, job.name)
        elif self.caches.wall.remove(uid, version) is not None:
            self.on_wall_change()

    def feeds(self) -> list[Feed]:
        """Return what to list, in the order in which it must be known: a request is decided by all the others."""
        return [self._feed(resource) for resource in (POLICIES, VAP, VAP_BINDINGS, MAP, MAP_BINDINGS, JOBS, REQUESTS)]

    # ---- asking for cycles

    def enqueue(self, key: Key, urgent: bool = False) -> None:
        """Ask for a cycle, if this process acts."""
        if self.acting:
            self._queue.add(key, urgent=urgent)

    async def take_over(self) -> int:
        """Begin to act: ask for a cycle of everything known, what is decided or due first; returns how many."""
        self.acting = True
        now, rest = self._now(), list[Record]()
        for record in self.caches.requests:
            due = record.summary.due_at
            if record.summary.urgent or (due is not None and now is not None and due <= now):
                self.enqueue(_key(record), urgent=True)
            else:
                rest.append(record)
        for item in self.caches.policies:
            self.enqueue(Key(POLICY, "", item.name, item.uid))
        for place, record in enumerate(rest):
            if place % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if record.uid in self.caches.requests:
                self.enqueue(_key(record))
        return len(self.caches.requests)

    def stand_down(self) -> None:
        """Stop acting: nothing new is asked for, and what waits is dropped."""
        self.acting = False
        self._queue.clear()

    # ---- one kind each

    def _request_changed(self, body: Body) -> bool:
        requests, uid = self.caches.requests, body["metadata"]["uid"]
        known = requests.get(uid)
        said = len(known.seen or ()) if known is not None else 0
        if not requests.upsert(body, self._now()):
            return False
        record = requests.get(uid)
        if self.acting and record is not None and len(record.seen or ()) > said:
            self.on_verdict()
        if record is not None and not self._only_heartbeat(record, body):
            # A verdict, or a step of an effect, does not stand in line behind a thousand new questions.
            self.enqueue(_key(record), urgent=record.summary.prepared or record.seen is not None)
        return True

    def _request_dropped(self, uid: str, version: str) -> None:
        record = self.caches.requests.remove(uid, version)
        if record is None:
            return
        self.enqueue(_key(record))
        # Whoever waited for the same subject may own it now.
        for subject in record.summary.subjects:
            for other in self.caches.requests.by_subject(subject):
                self.enqueue(_key(other))

    def _policy_changed(self, body: Body) -> bool:
        news = self.caches.policies.upsert(body)
        if news:
            self._enqueue_policy(body["metadata"]["name"], body["metadata"]["uid"])
        return news

    def _job_changed(self, body: Body) -> bool:
        news = self.caches.jobs.upsert(body)
        if news:
            self._enqueue_subject(body["metadata"]["namespace"], body["metadata"]["name"])
        return news

    def _enqueue_policy(self, name: str, uid: str) -> None:
        self.enqueue(Key(POLICY, "", name, uid))
        if self.acting:
            for record in self.caches.requests.unprepared_of_policy(name):
                self.enqueue(_key(record))

    def _enqueue_subject(self, namespace: str, name: str) -> None:
        for record in self.caches.requests.by_subject((JOBS.api_version, JOBS.kind, namespace, name)):
            self.enqueue(_key(record), urgent=record.summary.urgent)

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

    def _feed(self, resource: Resource) -> Feed:
        caches = self.caches
        # An empty cache is false, so no `or` here.
        shelves: dict[Resource, Shelf] = {REQUESTS: caches.requests, POLICIES: caches.policies, JOBS: caches.jobs}
        part = _Part(caches.wall, resource.kind)
        return Feed(
            resource=resource,
            shelf=shelves.get(resource, part),
            changed=lambda body: self.changed(resource, body),
            dropped=lambda uid: self.dropped(resource, uid),
            selector=SELECTORS[resource],
            # What every decision goes by, and there is little of it: a change that its watch lost is not missed for long.
            every_seconds=math.inf if resource in {REQUESTS, JOBS} else _FEW_SECONDS,
            optional=resource in {MAP, MAP_BINDINGS},
        )


class _Part:
    """One kind's share of the wall's cache, so that a list of one kind does not drop the others."""

    def __init__(self, wall: Objects, kind: str) -> None:
        self._wall = wall
        self._kind = kind

    def versions(self) -> dict[str, str]:
        return {
            item.uid: item.resource_version
            for item in self._wall
            if (body := self._wall.by_uid(item.uid)) is not None and body.get("kind") == self._kind
        }


def _key(record: Record) -> Key:
    return Key(REQUEST, record.namespace, record.name, record.uid)
