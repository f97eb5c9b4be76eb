"""The moving part of a relay: carries calls and watches, in one loop; only `relay` commands it."""

import asyncio
import base64
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import aiohttp
import yaml
from aiohttp import web
from yarl import URL

from tests.faults.streams import Bend, Line, Straight

_IDLE: Final = 0.3
"""Seconds without an event after which a watch lets go of what it kept back to change the order."""
_GOODBYE: Final = 0.1
"""TLS connections let go of their sockets some turns of the loop later."""
_NOT_CARRIED: Final = frozenset(
    {"host", "connection", "keep-alive", "transfer-encoding", "content-length", "accept-encoding", "content-encoding", "te"}
)


LOST: Final = 599
"""Stands for an answer that did not come back: the write may have landed or not."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where the API server is, and by which authority it is known."""

    server: str
    trust: ssl.SSLContext

    @classmethod
    def of(cls, kubeconfig: Path) -> "Upstream":
        """Read it out of a kubeconfig that the control plane wrote."""
        cluster = yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        return cls(cluster["server"], ssl.create_default_context(cadata=authority))


@dataclass(slots=True)
class Sent:
    """One write of the operator's on its way. Dry runs and reviews change nothing and are none."""

    method: str
    path: str
    body: bytes
    sent: float
    """time.monotonic() when the operator had sent it."""
    went_on: float | None = None
    """When it went on to the API server."""
    code: int = 0
    """What the API server answered; 0 while it has not, LOST where it never will."""


@dataclass(eq=False)
class Stream:
    """One watch under way."""

    plural: str
    bend: Bend
    downstream: web.BaseRequest
    lines: "asyncio.Queue[Line | None]" = field(default_factory=asyncio.Queue)


class Carrier:
    """Everything that is under way. All of it runs in one loop."""

    def __init__(self, upstream: Upstream, port: int) -> None:
        """Carry nothing yet. The port is the relay's own also while it does not listen."""
        self._upstream = upstream
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.ServerRunner | None = None
        self._site: web.TCPSite | None = None
        self.port = port
        self._under_way: set[asyncio.Task[web.StreamResponse]] = set()
        self.streams: set[Stream] = set()
        self.sent: list[Sent] = []
        self.new_bend: Callable[[], Bend] = Straight
        self.next_answers: dict[str, Callable[[], web.Response]] = {}
        """Plural -> the answer to the next watch of it."""
        self.passes = asyncio.Event()
        self.passes.set()
        self.events_pass = asyncio.Event()
        self.events_pass.set()
        self.hits = 0
        """How often anything was done to a call or a line that was not just carrying it."""
        self.delay = 0.0
        self.kept_back = ""
        """Writes to this plural name stay on the way."""
        self.lets_go = asyncio.Event()
        self.lets_go.set()

    # ---- begin and end

    async def open(self) -> None:
        """Listen."""
        if self._session is None:
            connector = aiohttp.TCPConnector(ssl=self._upstream.trust, limit=0)
            # nothing is unpacked and nothing ends by itself: what is slow is for the two ends to judge
            timeout = aiohttp.ClientTimeout(total=None, connect=5)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=False)
        self._runner = web.ServerRunner(web.Server(self._carry, access_log=None), shutdown_timeout=0.1)
        await self._runner.setup()
        self._site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await self._site.start()

    async def shut(self) -> None:
        """Listen no more, break every connection, and drop what is under way: it may or may not have got there."""
        if self._site is None or self._runner is None or self._runner.server is None:
            return
        await self._site.stop()
        for connection in self._runner.server.connections:
            if connection.transport is not None:
                connection.transport.abort()
        tasks = list(self._under_way)
        self.hits += len(tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._runner.cleanup()
        self._site = None

    async def close(self) -> None:
        """End."""
        await self.shut()
        if self._session is not None:
            await self._session.close()
            await asyncio.sleep(_GOODBYE)

    async def cut(self) -> int:
        """Break every watch that is open; answers how many."""
        streams = list(self.streams)
        self.hits += len(streams)
        for stream in streams:
            stream.lines.put_nowait(None)
            if stream.downstream.transport is not None:
                stream.downstream.transport.abort()
        return len(streams)

    @property
    def is_shut(self) -> bool:
        """Whether nobody gets in."""
        return self._site is None

    # ---- one request

    async def _carry(self, request: web.BaseRequest) -> web.StreamResponse:
        task = asyncio.create_task(self._carried(request))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        try:
            return await task
        except (asyncio.CancelledError, ConnectionError):
            return _broken(request)

    async def _carried(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        write = self._note(request, body)
        try:
            return await self._go(request, body, write)
        except asyncio.CancelledError:
            self._lose(write)
            raise
        except (aiohttp.ClientError, OSError, TimeoutError):
            self._lose(write)
            return _broken(request)

    async def _go(self, request: web.BaseRequest, body: bytes, write: Sent | None) -> web.StreamResponse:
        """To the API server, as soon as the way is free, and back."""
        if write is not None and self.kept_back and f"/{self.kept_back}/" in write.path:
            await self.lets_go.wait()
        await self._pass()
        await asyncio.sleep(self.delay)
        watched = _watched(request)
        if watched in self.next_answers:
            self.hits += 1
            return self.next_answers.pop(watched)()
        if write is not None:
            write.went_on = time.monotonic()
        async with self._ask(request, body) as answer:
            if write is not None:
                write.code = answer.status
            if watched and answer.status == 200:
                return await self._stream(request, answer, watched)
            raw = await answer.read()
        await self._pass()
        return web.Response(status=answer.status, headers=_kept(answer.headers), body=raw)

    def _lose(self, write: Sent | None) -> None:
        """A write that never went on is none; of one that did, no answer will come."""
        if write is not None and write.went_on is None:
            self.sent = [other for other in self.sent if other is not write]
        elif write is not None and not write.code:
            write.code = LOST

    async def _pass(self) -> None:
        """Wait until the way is free."""
        self.hits += (not self.passes.is_set()) + (self.delay > 0)
        await self.passes.wait()

    def _ask(self, request: web.BaseRequest, body: bytes) -> "aiohttp.client._RequestContextManager":
        assert self._session is not None
        url = URL(self._upstream.server + request.raw_path, encoded=True)
        headers = {**_kept(request.headers), "Accept-Encoding": "identity"}
        return self._session.request(request.method, url, data=body or None, headers=headers, allow_redirects=False)

    def _note(self, request: web.BaseRequest, body: bytes) -> Sent | None:
        """Remember a write."""
        changes_nothing = "dryRun" in request.query or "reviews" in request.path or request.path.endswith("/token")
        if request.method == "GET" or changes_nothing:
            return None
        write = Sent(request.method, request.path, body, time.monotonic())
        self.sent.append(write)
        return write

    # ---- one watch

    async def _stream(self, request: web.BaseRequest, answer: aiohttp.ClientResponse, plural: str) -> web.StreamResponse:
        response = web.StreamResponse(status=200, headers=_kept(answer.headers))
        await response.prepare(request)
        stream = Stream(plural, self.new_bend(), request)
        self.streams.add(stream)
        reading = asyncio.create_task(_read(answer, stream))
        try:
            await self._hand_out(stream, response)
        except (ConnectionError, aiohttp.ClientError):
            return response  # the operator went away, or the watch was cut
        finally:
            self.streams.discard(stream)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        return response

    async def _hand_out(self, stream: Stream, response: web.StreamResponse) -> None:
        while True:
            try:
                line = await asyncio.wait_for(stream.lines.get(), _IDLE)
            except TimeoutError:
                lines = stream.bend.rest()
            else:
                if line is None:
                    return
                lines = stream.bend.take(line)
                self.hits += lines != [line] or not self.events_pass.is_set()
            for each in lines:
                await self.events_pass.wait()
                await self.passes.wait()
                await response.write(each)


async def _read(answer: aiohttp.ClientResponse, stream: Stream) -> None:
    """Fill the queue; None is the end."""
    with contextlib.suppress(aiohttp.ClientError, OSError):
        async for line in _lines(answer.content):
            stream.lines.put_nowait(line)
    stream.lines.put_nowait(None)


async def _lines(content: aiohttp.StreamReader) -> AsyncIterator[Line]:
    rest = b""
    async for chunk in content.iter_any():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line + b"\n"


def _watched(request: web.BaseRequest) -> str:
    """The plural of what is watched; empty where the call is no watch."""
    watches = request.method == "GET" and request.query.get("watch") in ("true", "1")
    return request.path.rsplit("/", 1)[-1] if watches else ""


def _broken(request: web.BaseRequest) -> web.StreamResponse:
    """The API server is not there: as the operator would have seen it, its connection breaks."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=502)


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that belong to the message and not to one connection."""
    return {key: value for key, value in headers.items() if key.lower() not in _NOT_CARRIED}
