"""The life of one request as it happens: a watch that lists again whenever it ends. For `wait`.

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
from gatehold.kube.resources import REQUESTS

if TYPE_CHECKING:
    from gatehold.kube.transport import Credentials

Json = dict[str, Any]
_WATCH_SECONDS = 50
_PAUSE = 2.0
_UNREACHABLE_SECONDS = 120.0
"""How long the API server may be away before waiting is given up: longer than a restart of it."""


async def lives(session: Session, name: str) -> AsyncGenerator[Json | None, None]:
    """Yield the request now and after every change; None where no request of that name exists.

    Raises ApiError where the account may not read it, or the API server stays away for two minutes.
    """
    away_since: float | None = None
    while True:
        try:
            body = await _now(session, name)
            away_since = None
            yield body
            if body is not None:
                changes = _changes(session, name, str(body["metadata"]["resourceVersion"]))
                async with contextlib.aclosing(changes):
                    async for event in changes:
                        yield event
        except errors.Unauthenticated:
            raise
        except (errors.Unavailable, errors.TooManyRequests):
            away_since = away_since or time.monotonic()
            if time.monotonic() - away_since > _UNREACHABLE_SECONDS:
                raise
        await asyncio.sleep(_PAUSE)


async def _now(session: Session, name: str) -> Json | None:
    try:
        return await session.cluster.get(REQUESTS, session.namespace, name)
    except errors.Absent:
        return None


async def _changes(session: Session, name: str, version: str) -> AsyncGenerator[Json | None, None]:
    """Events of that one object until the stream ends, for whatever reason; the caller looks again then."""
    query = {"watch": "1", "fieldSelector": f"metadata.name={name}", "resourceVersion": version}
    path = f"{REQUESTS.path(session.namespace)}?{urlencode(query | {'timeoutSeconds': str(_WATCH_SECONDS)})}"
    try:
        async with _client(await session.cluster.credentials()) as client, client.get(path) as answer:
            if answer.status != 200:
                return
            session.time.on_answer(answer.headers.get("Date", ""), time.monotonic())
            while line := await answer.content.readline():
                event = json.loads(line)
                if event.get("type") not in {"ADDED", "MODIFIED", "DELETED"}:
                    return
                yield None if event["type"] == "DELETED" else event["object"]
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        return


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
