"""The life of one object as it happens: a watch that lists again whenever it ends. For `wait` and `rollout watch`.

The HTTP client of `kube.client` answers whole bodies, so the stream is opened here, as the same account (`credentials`).
Where watching is refused or breaks, looking again every few seconds does; a wait never ends because a stream did.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp

from gatehold.cli.session import Session
from gatehold.kube import errors
from gatehold.kube.resources import REQUESTS, Resource

if TYPE_CHECKING:
    from gatehold.kube.transport import Credentials

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
    """Events of that one object until the stream ends, for whatever reason; the caller looks again then."""
    meta = body["metadata"]
    query = {"watch": "1", "fieldSelector": f"metadata.name={meta['name']}", "resourceVersion": meta["resourceVersion"]}
    path = f"{resource.path(session.namespace)}?{urlencode(query | {'timeoutSeconds': str(_WATCH_SECONDS)})}"
    try:
        async with _client(await session.cluster.credentials()) as client, client.get(path) as answer:
            if answer.status != 200:
                return
            session.time.on_answer(answer.headers.get("Date", ""), time.monotonic())
            try:
                while line := await answer.content.readline():
                    event = json.loads(line)
                    if event.get("type") not in {"ADDED", "MODIFIED", "DELETED"}:
                        return
                    yield None if event["type"] == "DELETED" else event["object"]
            finally:
                _hang_up(answer)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return


def _hang_up(answer: aiohttp.ClientResponse) -> None:
    """End a stream in the middle at once: a farewell over TLS would outlive the event loop."""
    connection = answer.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()


def _client(mine: Credentials) -> aiohttp.ClientSession:
    context: ssl.SSLContext | bool = True
    if mine.server.startswith("https"):
        context = ssl.create_default_context(cafile=mine.ca_path)
        if mine.insecure:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if mine.certificate_path:
            context.load_cert_chain(mine.certificate_path, mine.private_key_path)
    headers = {"Accept": "application/json", "User-Agent": "gatehold"}
    if mine.token:
        headers["Authorization"] = f"{mine.scheme} {mine.token}"
    return aiohttp.ClientSession(
        mine.server,
        headers=headers,
        connector=aiohttp.TCPConnector(ssl=context),
        timeout=aiohttp.ClientTimeout(total=_WATCH_SECONDS + 20, sock_connect=5),
        trust_env=False,
        read_bufsize=4 * 1024 * 1024,
    )
