"""Workers take keys, run one cycle each, and turn what went wrong into when to try again; `operator` runs them.

Conflict           somebody wrote first: no back-off, that write's event brings the key back; 250 ms as a safety net
TooManyRequests    back-off of the key, at least what the API server asked for
Unavailable        back-off of the key
another refusal    back-off of the key, and a warning: somebody else's admission, or a right that is missing
ClockUnknown       again in 250 ms: time comes back with the next answer
may not act        again in 250 ms, as urgently: a renewal of the Lease that is late may still come, an event comes once
anything else      logged with its traceback, counted, back-off: the request stays HELD, which is the resting state
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

from gatehold.kube.clock import ClockUnknown
from gatehold.kube.errors import ApiError, Conflict, TooManyRequests, Unavailable
from gatehold.runtime.deadlines import Deadlines
from gatehold.runtime.parts import Controller, Key
from gatehold.runtime.queue import WorkQueue
from gatehold.telemetry import logs
from gatehold.telemetry.metrics import Metrics

log = logging.getLogger(__name__)
SAFETY_NET = 0.25


class Workers:
    """Runs cycles, many keys at once, one cycle of a key at a time."""

    def __init__(
        self,
        queue: WorkQueue,
        deadlines: Deadlines,
        metrics: Metrics,
        may_act: Callable[[], bool],
    ) -> None:
        """`may_act` is asked before each cycle; controllers are set before the first worker runs."""
        self._queue = queue
        self._deadlines = deadlines
        self._metrics = metrics
        self._may_act = may_act
        self.controllers: Mapping[str, Controller] = {}

    async def run(self, urgent_only: bool = False) -> None:
        """Work forever, as one worker; one that takes urgent keys only is free when a decision comes."""
        while True:
            key = await self._queue.get(urgent_only)
            try:
                if self._may_act():
                    await self._cycle(key)
                else:
                    self._queue.put_back(key, SAFETY_NET)
            finally:
                self._queue.done(key)
            # A cycle that finds nothing to do never waits for anything; without this, a hundred thousand of them in a row
            # would keep the loop from renewing the Lease.
            await asyncio.sleep(0)

    async def _cycle(self, key: Key) -> None:
        began = time.perf_counter()
        with logs.about(kind=key.kind, namespace=key.namespace, name=key.name, uid=key.uid):
            try:
                recheck = await self.controllers[key.kind].reconcile(key)
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the worker, and it holds
                self._failed(key, error)
            else:
                self._queue.forget(key)
                self._deadlines.plan(key, recheck)
        self._metrics.observe("gatehold_reconcile_seconds", time.perf_counter() - began, kind=key.kind)

    def _failed(self, key: Key, error: Exception) -> None:
        self._metrics.count("gatehold_reconcile_errors_total", kind=key.kind, reason=_reason(error))
        if isinstance(error, Conflict):
            log.debug("%s", error)
            self._queue.add_after(key, SAFETY_NET, urgent=True)
        elif isinstance(error, ClockUnknown):
            log.warning("%s", error)
            self._queue.add_after(key, SAFETY_NET, urgent=True)
        elif isinstance(error, TooManyRequests | Unavailable):
            log.info("%s; again in %.1f s", error, self._queue.retry(key, error.retry_after or 0.0))
        elif isinstance(error, ApiError):
            log.warning("%s; it stays held, again in %.1f s", error, self._queue.retry(key))
        else:
            seconds = self._queue.retry(key)
            log.error("the cycle failed, so it stays held; again in %.1f s", seconds, exc_info=error)


def _reason(error: Exception) -> str:
    """Name the error from a closed set: our own tree by class, everything else is a bug of ours."""
    if isinstance(error, ApiError | ClockUnknown):
        return type(error).__name__
    return "TimeoutError" if isinstance(error, asyncio.TimeoutError) else "Bug"
