"""Small caches of the other kinds: all but requests; handlers and resync fill them, controllers read."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gatehold.runtime.departed import Departed
from gatehold.runtime.index import OneOrMany
from gatehold.runtime.packing import pack, unpack
from gatehold.runtime.versions import is_older


@dataclass(slots=True)
class Item:
    """One object in a cache."""

    uid: str
    namespace: str
    name: str
    resource_version: str
    packed: bytes
    note: str = ""
    """What must be known of it without unpacking it; each cache has its own, see `caches`."""


Note = Callable[[Mapping[str, Any]], str]
Group = Callable[[Item], str]
Trim = Callable[[Mapping[str, Any]], Mapping[str, Any]]


def _no_note(_: Mapping[str, Any]) -> str:
    return ""


def _whole(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return body


class Objects:
    """uid -> Item, found by namespace and name as well. Single-threaded: only the loop touches it."""

    def __init__(
        self, note: Note = _no_note, group: Group | None = None, trim: Trim = _whole, tag: Group | None = None
    ) -> None:
        """Start empty; `note` is made of each body, `group` says by what else its item is found, `trim` what is kept.

        By its `tag` an item is found as well, if that is not empty.
        """
        self._note = note
        self._trim = trim
        self._group = group
        self._tag = tag
        self._groups: OneOrMany[str] = OneOrMany()
        self._came: dict[str, int] = {}  # group -> its number, the latest last
        self._count = 0
        self._tags: OneOrMany[str] = OneOrMany()
        self._items: dict[str, Item] = {}
        self._departed = Departed()
        self._names: dict[tuple[str, str], str] = {}

    def upsert(self, body: Mapping[str, Any], seen_at: float | None = None) -> bool:
        """Take a body in; False where it is not newer than what is known. `seen_at` is not used here."""
        meta = body["metadata"]
        uid, version = str(meta["uid"]), str(meta["resourceVersion"])
        old = self._items.get(uid)
        if old is not None and (old.resource_version == version or is_older(version, old.resource_version)):
            return False
        if self._departed.outlived(uid, version):
            return False
        packed = pack(self._trim(body))
        item = Item(uid, str(meta.get("namespace") or ""), str(meta["name"]), version, packed, self._note(body))
        if old is not None:
            self._unindex(old)
        self._index(item)
        self._items[uid] = item
        self._names[item.namespace, item.name] = uid
        return True

    def remove(self, uid: str, version: str = "") -> Item | None:
        """Forget an object that is gone, at that version where it is known; a newer one of the same name stays."""
        item = self._items.pop(uid, None)
        self._departed.note(uid, version, item.resource_version if item is not None else "")
        if item is not None and self._names.get((item.namespace, item.name)) == uid:
            del self._names[item.namespace, item.name]
        if item is not None:
            self._unindex(item)
        return item

    def get(self, namespace: str, name: str) -> dict[str, Any] | None:
        """Return the body of that name as last seen; yours to change. Cluster-scoped kinds have namespace ""."""
        uid = self._names.get((namespace, name))
        return unpack(self._items[uid].packed) if uid is not None else None

    def by_uid(self, uid: str) -> dict[str, Any] | None:
        """Return the body of that very object as last seen; yours to change."""
        item = self._items.get(uid)
        return unpack(item.packed) if item else None

    def item(self, uid: str) -> Item | None:
        """Return what is known of that very object without unpacking it."""
        return self._items.get(uid)

    def named(self, namespace: str, name: str) -> Item | None:
        """Return what is known of the object of that name without unpacking it."""
        uid = self._names.get((namespace, name))
        return self._items[uid] if uid is not None else None

    def grouped(self, group: str) -> tuple[Item, ...]:
        """Return the items of one group, in no order; only of a cache that has groups."""
        return tuple(self._items[uid] for uid in self._groups.get(group))

    def tagged(self, tag: str) -> tuple[Item, ...]:
        """Return the items of one tag, in no order; only of a cache that has tags."""
        return tuple(self._items[uid] for uid in self._tags.get(tag))

    def groups(self, prefix: str) -> tuple[str, ...]:
        """Return the groups that are there whose names begin so; only of a cache that has groups."""
        return tuple(group for group in self._groups if group.startswith(prefix))

    def groups_since(self, number: int) -> tuple[tuple[str, ...], int]:
        """Return the groups that came after that one (0: all), the latest first, and the number to ask with next.

        One that went and came again is new, and one of a single item comes again with each change of it.
        """
        return tuple(itertools.takewhile(lambda group: self._came[group] > number, reversed(self._came))), self._count

    def names(self) -> tuple[tuple[str, str], ...]:
        """Return (namespace, name) of everything known."""
        return tuple(self._names)

    def versions(self) -> dict[str, str]:
        """Uid -> resourceVersion of everything known."""
        return {uid: item.resource_version for uid, item in self._items.items()}

    def __iter__(self) -> Iterator[Item]:
        """Iterate over a snapshot of the items."""
        return iter(tuple(self._items.values()))

    def __len__(self) -> int:
        """Return how many are known."""
        return len(self._items)

    def __contains__(self, uid: str) -> bool:
        """Tell whether this very object is known."""
        return uid in self._items

    def _index(self, item: Item) -> None:
        if self._group is not None:
            group = self._group(item)
            self._groups.add(group, item.uid)
            if group not in self._came:
                self._count += 1
                self._came[group] = self._count
        if self._tag is not None and self._tag(item):
            self._tags.add(self._tag(item), item.uid)

    def _unindex(self, item: Item) -> None:
        if self._group is not None:
            group = self._group(item)
            self._groups.discard(group, item.uid)
            if not self._groups.get(group):
                self._came.pop(group, None)
        if self._tag is not None:
            self._tags.discard(self._tag(item), item.uid)
