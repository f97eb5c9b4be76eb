"""Three ways in which a process looks alive and serves nothing, and its end in each; `operator` runs them.

A watch can die without an error: the leader therefore writes a heartbeat on the probe's request, every replica looks whether
its own watch delivers what the API server has, and ends the process if it does not. It only counts while the API server
answers: an outage of the API server is no reason to restart. That guards the watch of requests; kopf's watches of the other
kinds reconnect when they are quiet, and a watch whose task has ended, of whatever kind, ends the process. And a loop that
hangs is ended by a thread.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable

from gatehold.domain.installation import PROBE
from gatehold.kube.client import Cluster
from gatehold.kube.errors import Absent, ApiError, Forbidden
from gatehold.kube.resources import REQUESTS
from gatehold.runtime.versions import is_older

log = logging.getLogger(__name__)

HEARTBEAT = "gatehold.dev/heartbeat"
"""Annotation of the probe's request: our own pulse, which the watch has to bring."""
EXIT_HUNG = 70
HANG_SECONDS = 20.0
"""The loop may hang that long at most, however patient the settings are: nothing is decided or held meanwhile."""
_LOOKS = 4  # looks of the guard in that span
WATCHER = "watcher for "
"""How kopf names the task of each watch."""


class WatchDead(Exception):  # noqa: N818 - a state, named as one
    """The API server has what our watch did not deliver: end the process."""


class Heartbeat:
    """Writes (leader) or reads (others) the probe's request and waits for it to come back by the watch."""

    def __init__(
        self,
        beat: Callable[[], Awaitable[str | None]],
        *,
        every: float = 5.0,
        limit: float = 30.0,
        look: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`beat` returns the object's resourceVersion on the server, None where it is absent; `look` is called as often."""
        self._beat = beat
        self._look = look
        self._every = every
        self._limit = limit
        self._monotonic = monotonic
        self._seen = ""
        self._absent = False
        self._refused = False
        self._missing: str | None = None
        self._since = 0.0
        self._answers = 0

    def seen(self, version: str) -> None:
        """Say that the watch delivered this resourceVersion of the probe's request."""
        self._seen = version
        if self._missing is not None and not is_older(version, self._missing):
            self._missing = None

    def fresh(self) -> bool:
        """Tell whether the watch has begun to deliver and nothing is overdue; for /readyz."""
        if not self._seen:
            return self._absent
        return self._missing is None or self._monotonic() - self._since < self._limit

    async def run(self) -> None:
        """Beat forever; raises `WatchDead`."""
        while True:
            await self.once()
            self._look()
            await asyncio.sleep(self._every)

    async def once(self) -> None:
        """Beat once; raises `WatchDead` where an older beat has been missing for too long."""
        try:
            version = await self._beat()
        except ApiError as error:
            self._note(error)
            return
        self._absent, self._refused = version is None, False
        self._answers += 1
        if self._missing is None:
            if version is not None and (not self._seen or is_older(self._seen, version)):
                self._missing, self._since, self._answers = version, self._monotonic(), 0
        elif self._overdue():
            msg = f"the watch has not delivered what was written {self._monotonic() - self._since:.0f} s ago"
            raise WatchDead(msg)

    def _overdue(self) -> bool:
        """It counts answers and no clock: an API server that was frozen, or this process, thaws with everything at once.

        A watch that has not delivered anything yet is still listing, which takes minutes where there is very much.
        """
        limit = self._limit if self._seen else 20 * self._limit
        return self._answers * self._every >= limit

    def _note(self, error: ApiError) -> None:
        """Say once that the watch is not guarded; an API server that is away is reported elsewhere."""
        if isinstance(error, Forbidden) and not self._refused:
            self._refused = True
            log.warning("no heartbeat, so a dead watch would not be noticed: %s", error)


def heartbeat_of(cluster: Cluster, namespace: str, is_leader: Callable[[], bool]) -> Callable[[], Awaitable[str | None]]:
    """Make the beat: the leader writes a new number, the others read."""
    start = time.monotonic_ns()

    async def beat() -> str | None:
        try:
            if is_leader():
                patch = {"metadata": {"annotations": {HEARTBEAT: f"{os.getpid()}-{(time.monotonic_ns() - start) // 10**6}"}}}
                body = await cluster.merge_patch(REQUESTS, namespace, PROBE, patch)
            else:
                body = await cluster.get(REQUESTS, namespace, PROBE)
        except Absent:
            return None
        return str(body["metadata"]["resourceVersion"])

    return beat


class Watchers:
    """Looks whether kopf's watches are all there: one whose task is cancelled, it drops without a word."""

    def __init__(self) -> None:
        """Nothing was seen yet."""
        self._seen: set[str] = set()

    def look(self) -> None:
        """Raise `WatchDead` where one that was there is not."""
        names = (task.get_name() for task in asyncio.all_tasks())
        alive = {name for name in names if name.startswith(WATCHER)}
        gone, self._seen = self._seen - alive, alive
        if gone:
            msg = f"kopf has dropped the {', '.join(sorted(gone))}"
            raise WatchDead(msg)


class LoopGuard:
    """A thread that ends the process when the event loop does not turn.

    It counts its own looks and no clock: a process that was stopped as a whole, or whose machine was, finds both late when
    it goes on, and its loop has not hung.
    """

    def __init__(
        self,
        limit: float = 30.0,
        die: Callable[[], None] | None = None,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        """A loop has hung that has not turned in `limit` seconds of looking; `die` and `wait` are replaced by tests.

        `wait` takes seconds, and answers whether the guard has been stopped.
        """
        self._every = limit / _LOOKS
        self._die = die or _die
        self._stop = threading.Event()
        self._wait = wait or self._stop.wait
        self._turns = 0
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin; call it in the loop that is guarded."""
        self._turn()
        threading.Thread(target=self._watch, name="loop-guard", daemon=True).start()

    def stop(self) -> None:
        """End."""
        self._stop.set()
        if self._handle is not None:
            self._handle.cancel()

    def _turn(self) -> None:
        self._turns += 1
        self._handle = asyncio.get_running_loop().call_later(min(1.0, self._every), self._turn)

    def _watch(self) -> None:
        seen, still = 0, 0
        while not self._wait(self._every):
            turns = self._turns
            seen, still = turns, 0 if turns != seen else still + 1
            if still == _LOOKS:
                self._die()
                return


def _die() -> None:
    faulthandler.dump_traceback(all_threads=True)
    os._exit(EXIT_HUNG)
