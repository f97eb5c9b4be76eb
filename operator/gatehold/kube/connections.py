"""Connections to the API server that end with their owner, answers that end as errors; `kube.transport` alone calls it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import weakref
from collections.abc import Iterator

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.streams import AsyncStreamIterator
from aiohttp.tracing import Trace

_KEPT_SECONDS = 45.0
QUIET_SECONDS = 30.0
"""Seconds that whoever reads waits for the next piece at most: a watch that is dead looks like one with nothing to tell."""


class Connections(aiohttp.TCPConnector):
    """Know their sockets to the end: one whose call was cut off is in no pool, and waits for the server's goodbye.

    Idle ones are kept for longer than 15 s: the wall is proven every 20 s by 18 requests at once.
    """

    def __init__(self, limit: int, context: ssl.SSLContext) -> None:
        """At most `limit` at once; 0 is any number."""
        super().__init__(limit=limit, ssl=context, keepalive_timeout=_KEPT_SECONDS)
        self._made = weakref.WeakSet[asyncio.Transport]()

    async def _create_connection(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - aiohttp's own hook
    ) -> ResponseHandler:
        protocol = await super()._create_connection(req, traces, timeout)
        if protocol.transport is not None:
            self._made.add(protocol.transport)
        return protocol

    @property
    def over(self) -> bool:
        """Tell whether it was closed, and no socket is left of it."""
        return self.closed and not self._made

    def cut(self) -> None:
        """Let go of all of them, whatever the server says."""
        for transport in tuple(self._made):
            transport.abort()


class Answer(aiohttp.ClientResponse):
    """An answer whose connection may be closed while it is read, or bring nothing more."""

    async def start(self, connection: Connection) -> Answer:
        """Wait for the head of the answer, as aiohttp does."""
        await super().start(connection)
        self.content = _Content(self.content, self)  # type: ignore[assignment] # the same to whoever reads
        return self


class _Content:
    """The body. Read on after its connection was closed, aiohttp's raises RuntimeError: to kopf an error without cure.

    Time runs while it is read, and not while its reader is busy with what it has read (decision 0025).
    """

    def __init__(self, reader: aiohttp.StreamReader, answer: Answer) -> None:
        self._reader = reader
        self._answer = answer

    def __getattr__(self, name: str) -> object:
        return getattr(self._reader, name)

    async def read(self, n: int = -1) -> bytes:
        """Read up to `n` bytes, -1: all. Raises ClientConnectionError where it is closed, TimeoutError where it is quiet."""
        with self._closed_is_lost():
            async with asyncio.timeout(QUIET_SECONDS):
                return await self._reader.read(n)

    async def readany(self) -> bytes:
        """Read what is there. Raises ClientConnectionError where it is closed, TimeoutError where it is quiet."""
        with self._closed_is_lost():
            async with asyncio.timeout(QUIET_SECONDS):
                return await self._reader.readany()

    def iter_chunked(self, n: int) -> AsyncStreamIterator[bytes]:
        """Iterate over pieces of at most that many bytes."""
        return AsyncStreamIterator(lambda: self.read(n))

    def iter_any(self) -> AsyncStreamIterator[bytes]:
        """Iterate over pieces as they come."""
        return AsyncStreamIterator(self.readany)

    @contextlib.contextmanager
    def _closed_is_lost(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            connection = self._answer.connection
            if connection is not None and connection.transport is not None:
                raise
            raise aiohttp.ClientConnectionError("the connection was closed here") from error
