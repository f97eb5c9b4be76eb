"""The life of one object as it happens: a watch that lists again whenever it ends. For `wait` and `rollout watch`.

Where watching is refused or breaks, looking again every few seconds does; a wait never ends because a stream did.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from typing import Any

from gatehold.cli.session import Session
from gatehold.kube import errors
from gatehold.kube.resources import REQUESTS, Resource

Json = dict[str, Any]
_WATCH_SECONDS = 50
_PAUSE = 2.0
_REFUSALS = 3
_UNREACHABLE_SECONDS = 120.0
"""How long the API server may be away before waiting is given up: longer than a restart of it."""


class _Patience:
    """How long a failing API server is borne: two minutes away, three refusals of our credentials in a row.

    After a refusal the credentials are read again (a token that ended while we waited), so the first one says little.
    """

    def __init__(self) -> None:
        self._since: float | None = None
        self._refusals = 0

    def restore(self) -> None:
        """Take in an answer: all is well."""
        self._since, self._refusals = None, 0

    def lose(self, error: errors.ApiError) -> None:
        """Take in a failure; raises it once it has gone on for too long."""
        self._refusals += isinstance(error, errors.Unauthenticated)
        self._since = self._since or time.monotonic()
        if self._refusals > _REFUSALS or time.monotonic() - self._since > _UNREACHABLE_SECONDS:
            raise error


async def lives(session: Session, name: str, resource: Resource = REQUESTS) -> AsyncGenerator[Json | None, None]:
    """Yield the object now and after every change; None where none of that name exists.

    Raises ApiError where the account may not read it, or the API server stays away for two minutes.
    """
    patience = _Patience()
    while True:
        began = time.monotonic()
        try:
            body = await _now(session, name, resource)
            patience.restore()
            yield body
            if body is not None:
                changes = _changes(session, body, resource)
                async with contextlib.aclosing(changes):
                    async for event in changes:
                        yield event
        except (errors.Unavailable, errors.TooManyRequests) as error:
            patience.lose(error)
        await asyncio.sleep(max(0.0, _PAUSE - (time.monotonic() - began)))


async def _now(session: Session, name: str, resource: Resource) -> Json | None:
    try:
        return await session.cluster.get(resource, session.namespace, name)
    except errors.Absent:
        return None


async def _changes(session: Session, body: Json, resource: Resource) -> AsyncGenerator[Json | None, None]:
    """What becomes of that one object until the stream ends, for whatever reason; the caller looks again then."""
    meta = body["metadata"]
    events = session.cluster.watch(
        resource,
        meta["resourceVersion"],
        namespace=session.namespace,
        field_selector=f"metadata.name={meta['name']}",
        seconds=_WATCH_SECONDS,
    )
    with contextlib.suppress(errors.ApiError, TimeoutError):
        async with contextlib.aclosing(events):
            async for event in events:
                if event.get("type") not in {"ADDED", "MODIFIED", "DELETED"}:
                    return
                yield None if event["type"] == "DELETED" else event["object"]
