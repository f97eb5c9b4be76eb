"""Answers of the API server that count for a while; one question serves all who wait for it. Used in one loop only."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """What was answered in the last `keep` seconds, counted from when it was asked; at most `most` answers."""

    def __init__(self, keep: float, most: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Know nothing."""
        self._keep = keep
        self._most = most
        self._monotonic = monotonic
        self._known: dict[K, tuple[V, float]] = {}
        self.asking: dict[K, asyncio.Task[V | None]] = {}

    async def get(self, key: K, ask: Callable[[], Awaitable[V | None]]) -> V | None:
        """The answer, asked for where none is young enough. None is answered and not kept. Raises what `ask` does."""
        known = self._known.get(key)
        if known is not None and self._monotonic() - known[1] < self._keep:
            return known[0]
        task = self.asking.get(key)
        if task is None:
            task = self.asking[key] = asyncio.create_task(self._ask(key, ask), name="recent")
            task.add_done_callback(lambda done: self._asked(key, done))
        return await asyncio.shield(task)  # whoever gives up must not end it for the others

    def _asked(self, key: K, done: asyncio.Task[V | None]) -> None:
        self.asking.pop(key, None)
        if not done.cancelled():
            done.exception()  # each who waits hears of it; when nobody does any more, that is no news

    async def _ask(self, key: K, ask: Callable[[], Awaitable[V | None]]) -> V | None:
        began = self._monotonic()
        found = await ask()
        if found is not None:
            if len(self._known) >= self._most:
                self._known.clear()
            self._known[key] = found, began
        return found
