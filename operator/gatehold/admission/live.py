"""What the webhook asks the API server beside its memory: who may drain, and whether a node is cordoned at this moment.

Both answer within a second or not at all. Used in the webhook's loop only.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

from gatehold.admission.recent import Recent
from gatehold.domain.model import Requester
from gatehold.kube.client import Access, Cluster, Identity
from gatehold.kube.errors import ApiError
from gatehold.kube.resources import NODES

log = logging.getLogger(__name__)
SECONDS: Final = 1.0
KEEP_SECONDS: Final = 10.0
MAY_DRAIN: Final = Access("drain", "", "nodes")
_MOST: Final = 1_000
_AT_ONCE: Final = 16

T = TypeVar("T")
Who = tuple[str, tuple[str, ...]]


class Rights:
    """Who may drain nodes, by SubjectAccessReview; an answer counts for ten seconds."""

    def __init__(self, cluster: Cluster, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Know nobody."""
        self._cluster = cluster
        self._recent: Recent[Who, bool] = Recent(KEEP_SECONDS, _MOST, monotonic)

    async def may_drain(self, account: Requester) -> bool | None:
        """Whether the account holds verb drain on nodes; None where that was not answered in time."""
        identity = Identity(account.username, account.uid, account.groups)
        who = account.username, account.groups
        return await _in_time(self._recent.get(who, lambda: self._cluster.access_review(identity, MAY_DRAIN)))


class Nodes:
    """Nodes as they are at this moment. A look belongs to one eviction: an earlier one would prove nothing to it."""

    def __init__(self, cluster: Cluster) -> None:
        """Look at nothing yet."""
        self._cluster = cluster
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def read(self, name: str) -> Mapping[str, Any] | None:
        """Read the node of that name; None where there is none, or no answer in time."""
        return await _in_time(self._read(name))

    async def _read(self, name: str) -> Mapping[str, Any] | None:
        async with self._gate:
            return await self._cluster.get(NODES, None, name)


async def _in_time(answer: Awaitable[T]) -> T | None:
    """What comes of it, None where that is not known in a second."""
    try:
        async with asyncio.timeout(SECONDS):
            return await answer
    except (TimeoutError, ApiError) as error:
        log.info("not answered: %s", str(error) or f"within {SECONDS:g} s")
        return None
