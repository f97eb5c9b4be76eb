"""Instants of server time at which time alone changes an answer; one heap, one timer. `workers` plans, the queue is told.

Nothing is stored in the cluster: a restart plans everything again from status. While the server's time is unknown nothing
is due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from gatehold.kube.clock import ClockUnknown, ServerClock

if TYPE_CHECKING:
    from gatehold.runtime.parts import Key

_LOOK_AGAIN = 0.25
_LONGEST = 60.0


class Deadlines:
    """One instant for each key; the newest plan counts."""

    def __init__(self, clock: ServerClock, fire: Callable[[Key], None]) -> None:
        """`fire` is called in the loop for each key that is due; must be made inside the loop that uses it."""
        self._loop = asyncio.get_running_loop()
        self._clock = clock
        self._fire = fire
        self._heap: list[tuple[float, int, Key]] = []
        self._due: dict[Key, float] = {}
        self._sequence = 0
        self._timer: asyncio.TimerHandle | None = None

    def plan(self, key: Key, when: datetime | float | None) -> None:
        """Replace what is planned for this key; None plans nothing."""
        if when is None:
            self._due.pop(key, None)
            return
        at = when.timestamp() if isinstance(when, datetime) else when
        if self._due.get(key) == at:
            return
        self._due[key] = at
        self._sequence += 1
        heappush(self._heap, (at, self._sequence, key))
        self._compact()
        if self._heap[0][2] == key:
            self._arm()

    def clear(self) -> None:
        """Plan nothing any more."""
        self._due.clear()
        self._heap.clear()
        self._arm()

    def __len__(self) -> int:
        """Return how many keys have an instant."""
        return len(self._due)

    def _compact(self) -> None:
        """Replaced plans stay in the heap until they come up; rebuild it before they outnumber the others."""
        if len(self._heap) > 64 and len(self._heap) > 2 * len(self._due):
            self._heap = [entry for entry in self._heap if self._due.get(entry[2]) == entry[0]]
            heapify(self._heap)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heappop(self._heap)
        if not self._heap:
            return
        try:
            wait = self._heap[0][0] - self._clock.timestamp()
        except ClockUnknown:
            wait = _LOOK_AGAIN
        # The server's clock may be set; never trust a long wait.
        self._timer = self._loop.call_later(min(max(wait, 0.0), _LONGEST), self._look)

    def _look(self) -> None:
        try:
            now = self._clock.timestamp()
        except ClockUnknown:
            now = float("-inf")
        while self._heap and self._heap[0][0] <= now:
            at, _, key = heappop(self._heap)
            if self._due.get(key) == at:
                del self._due[key]
                self._fire(key)
        self._arm()
