"""Which objects have left, and at which version, so that old news do not bring them back; both caches ask it.

News can be late: the answer to a write comes before the watch tells of the write before it, a watch that begins anew tells
of the past once more, and another API server may lag behind. A state from before the end, taken for the present, would be
decided upon and written to again and again, each time in vain.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from gatehold.runtime.versions import is_older

_MOST = 10_000  # of a great many that leave at once
_USUALLY = 200  # of those that left longer ago than news are late
_LATE_SECONDS = 300.0


class _Left(NamedTuple):
    version: str
    at: float


class Departed:
    """uid -> the newest version that was known when it left; of the latest ones only, so it cannot grow."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Nobody has left."""
        self._monotonic = monotonic
        self._left: dict[str, _Left] = {}

    def note(self, uid: str, *versions: str) -> None:
        """It has left, at the newest of these versions; empty ones are not known."""
        known = self._left.pop(uid, None)
        newest = known.version if known is not None else ""
        for version in versions:
            newest = version if not newest or is_older(newest, version) else newest
        now = self._monotonic()
        self._left[uid] = _Left(newest, now)
        # more than one: what many at once have left behind goes again, in step with those that leave later
        for _ in range(2):
            self._forget_oldest(now)

    def outlived(self, uid: str, version: str) -> bool:
        """Tell whether that version is one from before its end. A newer one is there again: somebody took the label off."""
        left = self._left.get(uid)
        if left is None:
            return False
        if version == left.version or is_older(version, left.version):
            return True
        del self._left[uid]
        return False

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._left)

    def _forget_oldest(self, now: float) -> None:
        if len(self._left) <= _USUALLY:
            return
        uid, left = next(iter(self._left.items()))
        if len(self._left) > _MOST or now - left.at > _LATE_SECONDS:
            del self._left[uid]
