"""Kubernetes Events that tell the story of a request; controllers record, one task writes.

The name of an Event is a hash of what it says about whom: a retry, a restart or a second leader makes the same name, and the
API server answers "already there", which is success. Recording never raises and never waits. What is recorded while cycles
are under way is written once they have ended, or a little later: an Event must not compete with the write that lets go.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from gatehold.kube.client import Cluster
from gatehold.kube.clock import Clock, ClockUnknown
from gatehold.kube.errors import AlreadyExists, ApiError, TooManyRequests, Unavailable
from gatehold.kube.resources import EVENTS
from gatehold.telemetry.metrics import Metrics

CONTROLLER = "gatehold.dev/operator"
_NOTE_BYTES = 1024
_QUEUE = 10_000
_PAUSES = (0.2, 0.4, 0.8, 1.6, 3.2, *(5.0 for _ in range(11)))
"""Seconds between tries, a minute in all: a leader may outlive an outage that long, and tells nothing twice by itself."""
_PATIENCE = 0.2  # seconds that an Event waits for cycles to end, at most; `flush` at the end of a process allows 0.5

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Regarding:
    """The object an Event is about."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str
    resource_version: str = ""

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Regarding:
        """Read it off a body that has apiVersion and kind."""
        meta = body["metadata"]
        return cls(body["apiVersion"], body["kind"], meta.get("namespace") or "", meta["name"], meta.get("uid") or "")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    regarding: Regarding
    reason: str
    """CamelCase, from a closed set."""
    action: str
    """What was done or tried, CamelCase, at most 128 characters."""
    note: str
    type: Literal["Normal", "Warning"] = "Normal"
    discriminator: str = ""
    """What makes a second Event of the same reason another one: a verdict's id, a tier, a timestamp from status."""
    at: datetime | None = None
    """When it happened, where that is known; else it is now."""

    @property
    def name(self) -> str:
        """Return the deterministic name."""
        text = "\0".join((self.regarding.uid, self.reason, self.discriminator))
        return f"{self.regarding.name[:200]}.{hashlib.sha256(text.encode()).hexdigest()[:20]}"


async def _always() -> None:
    """Nothing is under way."""


class Recorder:
    """Takes Events without waiting and writes them one after the other."""

    def __init__(
        self,
        cluster: Cluster,
        clock: Clock,
        metrics: Metrics,
        instance: str,
        *,
        idle: Callable[[], Awaitable[None]] = _always,
    ) -> None:
        """Write nothing before `run`; `instance` says which process it was, `idle` waits until no cycle is under way."""
        self._cluster = cluster
        self._clock = clock
        self._metrics = metrics
        self._instance = instance[:128]
        self._idle = idle
        self._queue: asyncio.PriorityQueue[tuple[bool, int, float, Event]] = asyncio.PriorityQueue(_QUEUE)
        self._numbers = itertools.count()

    def record(self, event: Event, *, late: bool = False) -> None:
        """Take one Event in; when the queue is full it is dropped and counted. A late one waits for all that are not."""
        try:
            self._queue.put_nowait((late, next(self._numbers), time.monotonic(), self._dated(event)))
        except asyncio.QueueFull:
            self._metrics.count("gatehold_events_total", result="dropped")

    async def run(self) -> None:
        """Write forever."""
        while True:
            _, _, recorded, event = await self._queue.get()
            try:
                await self._calm(recorded + _PATIENCE - time.monotonic())
                await self._write(event)
            finally:
                self._queue.task_done()

    async def flush(self, seconds: float) -> None:
        """Wait until everything taken in is written, at most that long."""
        try:
            async with asyncio.timeout(seconds):
                await self._queue.join()
        except TimeoutError:
            log.warning("%d events were not written", self._queue.qsize())

    def _dated(self, event: Event) -> Event:
        """The moment is that of the recording, not of the writing, where it is known."""
        try:
            return event if event.at is not None else replace(event, at=self._clock.now())
        except ClockUnknown:
            return event

    async def _calm(self, seconds: float) -> None:
        """Wait until no cycle is under way, at most that long: people wait for cycles and not for Events."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._idle()

    async def _write(self, event: Event) -> None:
        for pause in (*_PAUSES, None):
            try:
                body = self._body(event)
                await self._cluster.create(EVENTS, body["metadata"]["namespace"], body)
            except AlreadyExists:
                return self._metrics.count("gatehold_events_total", result="known")
            except (Unavailable, TooManyRequests, ClockUnknown) as error:
                if pause is not None:
                    await asyncio.sleep(max(pause, getattr(error, "retry_after", None) or 0.0))
            except ApiError as error:
                log.warning("event %s on %s was refused: %s", event.reason, event.regarding.name, error)
                break
            else:
                return self._metrics.count("gatehold_events_total", result="written")
        return self._metrics.count("gatehold_events_total", result="failed")

    def _body(self, event: Event) -> dict[str, Any]:
        about = event.regarding
        at = event.at or self._clock.now()
        regarding = {
            "apiVersion": about.api_version,
            "kind": about.kind,
            "namespace": about.namespace,
            "name": about.name,
            "uid": about.uid,
            "resourceVersion": about.resource_version,
        }
        return {
            # Events about cluster-scoped objects live in `default`: the API server takes them nowhere else.
            "metadata": {"name": event.name, "namespace": about.namespace or "default"},
            "eventTime": at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "reportingController": CONTROLLER,
            "reportingInstance": self._instance,
            "action": event.action[:128],
            "reason": event.reason[:128],
            "type": event.type,
            "note": shorten(event.note, _NOTE_BYTES),
            "regarding": {key: value for key, value in regarding.items() if value},
        }


def shorten(text: str, limit: int) -> str:
    """Cut to that many bytes of UTF-8, never inside a character."""
    raw = text.encode("utf-8", "replace")
    return text if len(raw) <= limit else raw[: limit - 3].decode("utf-8", "ignore") + "..."
