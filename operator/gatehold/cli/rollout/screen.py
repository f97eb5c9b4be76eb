"""What `rollout watch` shows while it follows: the live page on a terminal, one line a change elsewhere (standard error)."""

from __future__ import annotations

import asyncio
import contextlib
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gatehold.cli.live import Lines, opened, stacked
from gatehold.cli.rollout.page import page, state
from gatehold.cli.rollout.sight import Around, look_around
from gatehold.cli.rollout.view import RolloutView
from gatehold.cli.session import Session
from gatehold.cli.show import print_sections
from gatehold.cli.terminal import out
from gatehold.cli.text import plain
from gatehold.cli.times import clock

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

_REDRAW_SECONDS = 2.0
"""How often pods are looked at again although the Rollout says nothing new; its own figures follow within ten seconds."""


class Screen:
    """Tells how a Rollout stands. Times count by the API server's clock."""

    def __init__(self, session: Session, view: RolloutView) -> None:
        """Say nothing before it is entered."""
        self._session = session
        self._view = view
        self._around = Around({})
        self._lines = Lines()
        self._live: Live | None = None
        self._news = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Open the live page where a person sits."""
        self.tell(self._view)
        if out().is_terminal:
            self._around = await look_around(self._session, self._view)
            self._live = opened(self._page)
            self._looking = asyncio.ensure_future(self._look())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the live page, whatever happened; what it showed last stays."""
        if self._looking is not None:
            self._looking.cancel()
        if self._live is None:
            return
        self._live.stop()
        if kind is None:
            self._around = await look_around(self._session, self._view)
            print_sections(page(self._view, self._around, self._session.time.now()))

    def tell(self, view: RolloutView) -> None:
        """Take in how it stands now."""
        self._view = view
        self._news.set()
        self._lines.take(_line(view), aloud=not out().is_terminal)

    async def _look(self) -> None:
        """Read children, pods and the request again, at every change and every few seconds."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), _REDRAW_SECONDS)
            self._news.clear()
            self._around = await look_around(self._session, self._view)

    def _page(self) -> RenderableType:
        return stacked(page(self._view, self._around, self._session.time.now()))


def _line(view: RolloutView) -> str:
    """How it stands in one line, safe for a console."""
    record = view.record
    step = f", step {plain(record.step)}" if record.step else ""
    share = f", {record.weight.asked} %" if record.weight.asked else ""
    waits = f", waits for {plain(record.waiting_for)}" if record.waiting_for else ""
    until = f" until {clock(record.until)}" if record.until is not None and waits else ""
    return f"{plain(view.rollout.name)}: {state(view)}{step}{share}{waits}{until}"
