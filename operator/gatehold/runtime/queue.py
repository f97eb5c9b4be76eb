"""The work queue: each key once, urgent ones first, back-off per key; `workers` takes from it, `routing` puts in.

A key that is added while it is worked on is worked on once more afterwards, so nothing that happened is missed and no two
cycles of one key overlap. Single-threaded: only the loop touches it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gatehold.runtime.parts import Key

BASE = 0.1
CAP = 30.0


class WorkQueue:
    """Keys to work on."""

    def __init__(self) -> None:
        """Start empty; must be made inside the loop that uses it."""
        self._loop = asyncio.get_running_loop()
        self._urgent: deque[Key] = deque()
        self._normal: deque[Key] = deque()
        self._urgent_waiters: deque[asyncio.Future[None]] = deque()
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._sequence = 0
        self._waiting: dict[Key, int] = {}
        self._processing: dict[Key, int] = {}
        self._again: dict[Key, int] = {}
        self._failures: dict[Key, int] = {}
        self._later: list[tuple[float, int, Key, bool]] = []
        self._due: dict[Key, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    def add(self, key: Key, urgent: bool = False) -> None:
        """Ask for a cycle; a key that waits already only moves up if this is more urgent."""
        priority = 0 if urgent else 1
        if key in self._processing:
            self._again[key] = min(priority, self._again.get(key, 1))
            return
        known = self._waiting.get(key)
        if known is not None and known <= priority:
            return
        self._waiting[key] = priority
        (self._urgent if urgent else self._normal).append(key)
        self._idle.clear()
        self._wake()

    def add_after(self, key: Key, seconds: float, urgent: bool = False) -> None:
        """Ask for a cycle later; of several instants for one key the earliest counts."""
        at = self._loop.time() + max(0.0, seconds)
        known = self._due.get(key)
        if known is not None and known <= at:
            return
        self._due[key] = at
        self._sequence += 1
        heappush(self._later, (at, self._sequence, key, urgent))
        self._arm()

    def put_back(self, key: Key, seconds: float) -> None:
        """Its cycle could not be run now: ask for it later, and as urgently. `done` must follow all the same."""
        self.add_after(key, seconds, urgent=self._processing.get(key) == 0)

    def retry(self, key: Key, at_least: float = 0.0) -> float:
        """Ask for a cycle after this key's back-off (0.1 s doubling up to 30 s); returns the seconds."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        seconds = max(at_least, min(CAP, BASE * float(2 ** min(failures, 16))))
        self.add_after(key, seconds)
        return seconds

    def forget(self, key: Key) -> None:
        """Its cycle went well: the next failure starts at the smallest back-off again."""
        self._failures.pop(key, None)

    async def get(self, urgent_only: bool = False) -> Key:
        """Wait for the next key; `done` must follow. Who takes urgent keys only is there when one comes."""
        while True:
            key = self._pop(urgent_only)
            if key is not None:
                if self._urgent or self._normal:
                    self._wake()  # one woken for a key may have taken another
                return key
            await self._wait(self._urgent_waiters if urgent_only else self._waiters)

    def done(self, key: Key) -> None:
        """Say that its cycle has ended; it comes again if it was added meanwhile."""
        self._processing.pop(key, None)
        again = self._again.pop(key, None)
        if again is not None:
            self.add(key, urgent=again == 0)
        elif not self._processing and not self._waiting:
            self._idle.set()

    def clear(self) -> None:
        """Drop everything that waits, now and later; what is worked on goes on."""
        self._waiting.clear()
        self._urgent.clear()
        self._normal.clear()
        self._again.clear()
        self._due.clear()
        self._later.clear()
        self._arm()
        if not self._processing:
            self._idle.set()

    async def drained(self) -> None:
        """Wait until nothing waits and nothing is worked on; what is planned for later does not count."""
        await self._idle.wait()

    def __len__(self) -> int:
        """Return how many keys wait for a worker."""
        return len(self._waiting)

    @property
    def processing(self) -> int:
        """Return how many keys are worked on."""
        return len(self._processing)

    def _pop(self, urgent_only: bool) -> Key | None:
        lanes = ((self._urgent, 0),) if urgent_only else ((self._urgent, 0), (self._normal, 1))
        for lane, priority in lanes:
            while lane:
                key = lane.popleft()
                # A key that moved up leaves its older entry behind.
                if self._waiting.get(key) == priority:
                    self._processing[key] = self._waiting.pop(key)
                    return key
        return None

    async def _wait(self, waiters: deque[asyncio.Future[None]]) -> None:
        waiter = self._loop.create_future()
        waiters.append(waiter)
        try:
            await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled():
                self._wake()  # it was our turn: give it to another
            elif waiter in waiters:
                waiters.remove(waiter)
            raise

    def _wake(self) -> None:
        """Wake one who may take what waits: for an urgent key those first who take nothing else."""
        lanes = (self._urgent_waiters, self._waiters) if self._urgent else (self._waiters,)
        for lane in lanes:
            while lane:
                waiter = lane.popleft()
                if not waiter.done():
                    waiter.set_result(None)
                    return

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._later and self._due.get(self._later[0][2]) != self._later[0][0]:
            heappop(self._later)
        if self._later:
            self._timer = self._loop.call_at(self._later[0][0], self._fire)

    def _fire(self) -> None:
        now = self._loop.time()
        while self._later and self._later[0][0] <= now:
            at, _, key, urgent = heappop(self._later)
            if self._due.get(key) == at:
                del self._due[key]
                self.add(key, urgent=urgent)
        self._arm()
