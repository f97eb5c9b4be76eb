"""The API server's clock: the only time by which anything is decided; the runtime feeds it, everybody may ask it.

A Date header is cut to whole seconds, so `date - monotonic at receipt` is never more than the true difference. The largest
such difference of the last ten seconds is therefore the best bound, and now = that difference + monotonic. The clock may
run late by the cut and the way back (well under a second once a few answers came), never early. The wall clock of this
machine is not read, so a node with a wrong clock decides nothing wrong; without answers for ten seconds, nothing is known.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

from gatehold.kube.client import Cluster
from gatehold.kube.errors import ApiError

WINDOW = 10.0
"""Seconds for which an answer counts."""
HEARTBEAT = 3.7
"""Seconds between our own questions; no divisor of a second, so that they meet the server's seconds at different places."""
ASK_SECONDS = 3.0
"""How long such a question may take; what is older says little about now."""
SLOW_SECONDS = 5.0
"""How long any other call may take whose answer counts. What lay here while this process stood still tells how late it was
when that began, and a list may take a minute: by such an answer alone, what came too late would have come in time.
"""
_WOBBLE = 2.0


class ClockUnknown(Exception):  # noqa: N818 - a state, named as one
    """No answer of the API server is younger than ten seconds; hold everything that depends on time."""


class Clock(Protocol):
    """Where the shell takes its time from; decisions get it as an argument."""

    def now(self) -> datetime:
        """Aware UTC time; raises `ClockUnknown`."""


class ServerClock:
    """`Clock` from the Date headers of every answer; a `kube.transport.Listener`."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Know nothing until the first answer."""
        self._monotonic = monotonic
        self._samples: deque[tuple[float, float]] = deque()
        self._last = 0.0

    def on_answer(self, date: str, received: float, took: float = 0.0) -> None:
        """Take one Date header in; one that cannot be read is ignored, and so is one that was long on its way."""
        if took > SLOW_SECONDS:
            return
        try:
            offset = parsedate_to_datetime(date).timestamp() - received
        except (TypeError, ValueError):
            return
        # A sliding-window maximum: what is older and not larger can never be the maximum again.
        while self._samples and self._samples[-1][1] <= offset:
            self._samples.pop()
        self._samples.append((received, offset))

    def on_write(self, resource: str) -> None:
        """Part of the listener protocol; writes say nothing about time."""

    def timestamp(self) -> float:
        """Seconds since 1970 by the API server; raises `ClockUnknown`."""
        now = self._monotonic()
        while self._samples and now - self._samples[0][0] > WINDOW:
            self._samples.popleft()
        if not self._samples:
            raise ClockUnknown("no answer of the API server in the last 10 s")
        value = self._samples[0][1] + now
        # A better sample leaving the window must not turn time back; a server that was set back must not stop time.
        if value < self._last <= value + _WOBBLE:
            return self._last
        self._last = value
        return value

    def now(self) -> datetime:
        """Aware UTC time by the API server; raises `ClockUnknown`."""
        return datetime.fromtimestamp(self.timestamp(), UTC)

    def known(self) -> bool:
        """Tell whether `now` would answer."""
        try:
            self.timestamp()
        except ClockUnknown:
            return False
        return True

    async def keep(self, cluster: Cluster) -> None:
        """Ask for the time forever; failures only leave the clock unknown."""
        while True:
            try:
                await cluster.server_version(timeout=ASK_SECONDS)
            except ApiError:
                await asyncio.sleep(0.5)
            else:
                await asyncio.sleep(HEARTBEAT)
