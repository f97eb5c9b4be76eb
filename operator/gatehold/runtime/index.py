"""Two small indexes that are cheap in memory; only `cache` uses them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
A = TypeVar("A", str, float)


class OneOrMany(Generic[K]):
    """Key -> uids, for keys that nearly always have one: a set of one costs four times the entry itself."""

    __slots__ = ("_items",)

    def __init__(self) -> None:
        """Start empty."""
        self._items: dict[K, str | set[str]] = {}

    def add(self, key: K, uid: str) -> None:
        """Put a uid in; again is nothing."""
        found = self._items.get(key)
        if found is None or found == uid:
            self._items[key] = uid
        elif isinstance(found, set):
            found.add(uid)
        else:
            self._items[key] = {found, uid}

    def discard(self, key: K, uid: str) -> None:
        """Take a uid out; absent is nothing."""
        found = self._items.get(key)
        if found == uid:
            del self._items[key]
        elif isinstance(found, set):
            found.discard(uid)
            if not found:
                del self._items[key]

    def get(self, key: K) -> tuple[str, ...]:
        """Return the uids of a key, in no order."""
        found = self._items.get(key)
        if found is None:
            return ()
        return (found,) if isinstance(found, str) else tuple(found)

    def __iter__(self) -> Iterator[K]:
        """Iterate over the keys."""
        return iter(self._items)

    def __len__(self) -> int:
        """Return the number of keys."""
        return len(self._items)


class Ranked(Generic[A]):
    """Uids in order of an instant, with their places. Adding at the end is the usual case; the middle moves pointers only.

    Times of creation are cut to seconds, so `order`, in which they came to us, decides among equals: a place that was
    given away must not be passed by a newcomer of the same second.
    """

    __slots__ = ("_items",)

    def __init__(self) -> None:
        """Start empty."""
        self._items: list[tuple[A, int, str]] = []

    def add(self, at: A, order: int, uid: str) -> None:
        """Put a uid in; again is nothing."""
        entry = (at, order, uid)
        if not self._items or self._items[-1] < entry:
            self._items.append(entry)
        elif not self._holds(entry):
            insort(self._items, entry)

    def discard(self, at: A, order: int, uid: str) -> None:
        """Take a uid out; absent is nothing."""
        entry = (at, order, uid)
        if self._holds(entry):
            del self._items[bisect_left(self._items, entry)]

    def rank(self, at: A, order: int) -> int:
        """Return how many are earlier."""
        return bisect_left(self._items, (at, order, ""))

    def first(self) -> A:
        """Return the earliest instant; ask only where there is one."""
        return self._items[0][0]

    def uids(self) -> tuple[str, ...]:
        """Return all uids, the earliest first."""
        return tuple(uid for _, _, uid in self._items)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._items)

    def _holds(self, entry: tuple[A, int, str]) -> bool:
        place = bisect_left(self._items, entry)
        return place < len(self._items) and self._items[place] == entry
