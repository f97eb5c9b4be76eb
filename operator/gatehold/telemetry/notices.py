"""Tell somebody: one configured https URL gets a JSON POST; controllers send, one task delivers.

Never in the way: `send` returns at once, a full queue drops the notice and counts it, and a dead receiver costs retries
here and nothing anywhere else. The URL's path and query are usually a secret, so only its host is ever logged. Redirects
are not followed: the one who configured the URL chose that host and no other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from gatehold.settings import notice_url_allowed
from gatehold.telemetry.metrics import Metrics

_QUEUE = 1_000
_TIMEOUT = 5.0
_RETRIED = frozenset({408, 425, 429})

log = logging.getLogger(__name__)


class Notices:
    """Delivers notices in order, retrying each with growing pauses."""

    def __init__(
        self,
        url: str | None,
        metrics: Metrics,
        *,
        insecure_loopback: bool = False,
        pauses: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0),
    ) -> None:
        """With no URL nothing is ever sent. Plain http to 127.0.0.1 is for tests only."""
        if not notice_url_allowed(url, insecure_loopback):
            msg = "notices go to https URLs only"
            raise ValueError(msg)
        self._url = url or ""
        self._host = urlsplit(url).hostname if url else None
        self._metrics = metrics
        self._pauses = pauses
        self._queue: deque[dict[str, Any]] = deque()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._hurry = asyncio.Event()

    def send(self, text: str, fields: Mapping[str, Any]) -> None:
        """Tell `text` (one sentence for a chat) and structured fields; never waits, never raises."""
        if not self._url:
            return
        if len(self._queue) >= _QUEUE:
            self._metrics.count("gatehold_notices_total", result="dropped")
            return
        self._queue.append({**fields, "text": text})
        self._idle.clear()
        self._wake.set()

    async def run(self) -> None:
        """Deliver forever."""
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            while True:
                while self._queue:
                    result = await self._deliver(session, self._queue[0])
                    self._queue.popleft()
                    self._metrics.count("gatehold_notices_total", result=result)
                self._idle.set()
                self._wake.clear()
                await self._wake.wait()

    async def flush(self, seconds: float) -> None:
        """Wait until everything sent is delivered or given up, at most that long; one pause between two tries is cut short.

        A process that stood still, and ends for it, has a notice under way whose answer came too late, and others behind it.
        """
        self._hurry.set()
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            log.warning("%d notices were not delivered", len(self._queue))

    async def _deliver(self, session: aiohttp.ClientSession, notice: dict[str, Any]) -> str:
        for pause in (*self._pauses, None):
            result = await self._post(session, notice)
            if result != "again":
                return result
            if pause is not None:
                await self._rest(pause)
        log.warning("a notice could not be delivered to %s and is given up", self._host)
        return "failed"

    async def _rest(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
                self._hurry.clear()

    async def _post(self, session: aiohttp.ClientSession, notice: dict[str, Any]) -> str:
        try:
            async with session.post(self._url, json=notice, allow_redirects=False) as answer:
                status = answer.status
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            # The text of these errors may hold the URL.
            log.info("notice to %s: %s, trying again", self._host, type(error).__name__)
            return "again"
        if 200 <= status < 300:
            return "sent"
        if status in _RETRIED or status >= 500:
            return "again"
        log.warning("notice to %s was refused: HTTP %d", self._host, status)
        return "refused"
