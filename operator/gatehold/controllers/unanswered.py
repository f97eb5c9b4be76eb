"""Writes whose answer was lost: what stood before them is kept until it is seen what has become of them.

What a write has to tell (Events, notices, figures) is told once it is answered. One that was not may have landed all the
same; its own process hears of that by the watch, finds nothing left to write, and would never say a word about it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from gatehold.kube.errors import Unavailable

Before = TypeVar("Before")
Body = Mapping[str, Any]


class Unanswered(Generic[Before]):
    """By the object's uid: the version that was written upon, and what was told of it until then."""

    def __init__(self) -> None:
        """Everything was answered."""
        self._kept: dict[str, tuple[str, Before]] = {}

    @contextmanager
    def keeping(self, body: Body, before: Before) -> Iterator[None]:
        """Around a write that demands that version of the object. `settled` comes first in each cycle.

        Where the write was answered, `forget` says so: what was tried before it upon the same version is over as well.
        """
        try:
            yield
        except Unavailable:
            self._kept[_uid(body)] = (_version(body), before)
            raise

    def settled(self, body: Body) -> Before | None:
        """What stood before, once another version stands: whether the write landed or not, no more can come of it."""
        version, before = self._kept.get(_uid(body), ("", None))
        if before is None or version == _version(body):
            return None
        del self._kept[_uid(body)]
        return before

    def forget(self, uid: str) -> None:
        """Nothing is open any more: the newest write was answered, or the object is gone."""
        self._kept.pop(uid, None)


def _uid(body: Body) -> str:
    return str(body["metadata"]["uid"])


def _version(body: Body) -> str:
    return str(body["metadata"]["resourceVersion"])
