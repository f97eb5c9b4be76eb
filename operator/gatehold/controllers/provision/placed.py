"""Which direct owners of gated pods and Jobs stand under which top owner: kept as they come, so that nobody looks at all.

A cycle of one owner has to know every pod that is its own, since what runs takes room in what was approved. Whatever came
since the last look is placed before anything is decided; each placing is believed as long as the chain that it is of.
"""

import asyncio
import heapq
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from gatehold.controllers.provision.owners import CHAIN_SECONDS, Owners
from gatehold.domain.provision.model import OwnerRef
from gatehold.runtime import pods as note
from gatehold.runtime.objects import Item, Objects


class Placed:
    """The groups of the caches of pods and Jobs, by the top owner that each counts for."""

    def __init__(self, caches: Sequence[Objects], owners: Owners, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Nothing is placed yet."""
        self._caches = caches
        self._owners = owners
        self._monotonic = monotonic
        self._seen = [0 for _ in caches]
        self._open: defaultdict[str, set[str]] = defaultdict(set)
        """Groups that are not placed, by namespace."""
        self._under: defaultdict[str, set[str]] = defaultdict(set)
        """Groups by the uid of their top owner."""
        self._place: dict[str, tuple[float, str]] = {}
        """Of each group, when its chain was climbed and which uid stands on top."""
        self._oldest: list[tuple[float, str]] = []
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def groups(self, namespace: str, top: OwnerRef) -> frozenset[str]:
        """The groups of all direct owners under that top owner. Raises the errors of gatehold.kube."""
        async with self._turns[namespace]:  # who comes second finds it done, and reads nothing
            self._collect()
            await self._place_all(namespace)
        theirs = self._under.get(top.uid, set())
        for group in [group for group in theirs if self._one_of(group) is None]:
            self._take_out(group)
        return frozenset({*self._under.get(top.uid, ()), note.group(namespace, top.uid)})

    def lost(self, top: OwnerRef) -> None:
        """That owner is gone: what stood under it may be its own top owner now, or belong to another."""
        for group in tuple(self._under.get(top.uid, ())):
            self._reopen(group)

    # ---- what is to be placed

    def _collect(self) -> None:
        """Take up what came, and what was placed too long ago."""
        for number, cache in enumerate(self._caches):
            came, self._seen[number] = cache.groups_since(self._seen[number])
            for group in came:
                if group not in self._place:
                    self._open[_namespace(group)].add(group)
        late = self._monotonic() - CHAIN_SECONDS
        while self._oldest and self._oldest[0][0] <= late:
            at, group = heapq.heappop(self._oldest)
            if self._place.get(group, (0.0, ""))[0] == at:
                self._reopen(group)

    async def _place_all(self, namespace: str) -> None:
        waiting = tuple(self._open.pop(namespace, ()))
        try:
            found = {group: OwnerRef(*note.direct(item)) for group, item in self._there(waiting)}
            tops = await asyncio.gather(*(self._owners.top(namespace, direct) for direct in found.values()))
        except BaseException:
            self._open[namespace].update(waiting)
            raise
        for (group, direct), top in zip(found.items(), tops, strict=True):
            at = self._owners.climbed_at(direct)
            self._take_out(group)  # another look may have placed it meanwhile
            self._place[group] = (at, top.uid)
            self._under[top.uid].add(group)
            heapq.heappush(self._oldest, (at, group))

    def _there(self, groups: Iterable[str]) -> Iterable[tuple[str, Item]]:
        for group in groups:
            item = self._one_of(group)
            if item is not None:
                yield group, item

    def _one_of(self, group: str) -> Item | None:
        """Any item of it: whose it is says each of them."""
        return next((item for cache in self._caches for item in cache.grouped(group)[:1]), None)

    # ---- what is not placed any more

    def _reopen(self, group: str) -> None:
        self._take_out(group)
        self._open[_namespace(group)].add(group)

    def _take_out(self, group: str) -> None:
        _, uid = self._place.pop(group, (0.0, ""))
        self._under.get(uid, set()).discard(group)
        if not self._under.get(uid, True):
            del self._under[uid]


def _namespace(group: str) -> str:
    return group.partition("/")[0]
