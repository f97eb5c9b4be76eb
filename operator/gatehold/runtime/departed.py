"""Which objects have left, and at which version, so that old news do not bring them back; both caches ask it.

News can be late: the answer to a write comes before the watch tells of the write before it, a watch that begins anew tells
of the past once more, and another API server may lag behind. A state from before the end, taken for the present, would be
decided upon and written to again and again, each time in vain.
"""

from __future__ import annotations

from gatehold.runtime.versions import is_older

_MOST = 10_000


class Departed:
    """uid -> the newest version that was known when it left; of the latest ones only, so it cannot grow."""

    def __init__(self) -> None:
        """Nobody has left."""
        self._versions: dict[str, str] = {}

    def note(self, uid: str, *versions: str) -> None:
        """It has left, at the newest of these versions; empty ones are not known."""
        newest = self._versions.pop(uid, "")
        for version in versions:
            newest = version if not newest or is_older(newest, version) else newest
        self._versions[uid] = newest
        if len(self._versions) > _MOST:
            del self._versions[next(iter(self._versions))]

    def outlived(self, uid: str, version: str) -> bool:
        """Tell whether that version is one from before its end. A newer one is there again: somebody took the label off."""
        left = self._versions.get(uid)
        if left is None:
            return False
        if version == left or is_older(version, left):
            return True
        del self._versions[uid]
        return False
