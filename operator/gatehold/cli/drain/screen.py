"""What `drain --follow` shows: the live page on a terminal, one line a change elsewhere (standard error)."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

from gatehold.cli.drain import parts, sight
from gatehold.cli.live import Lines, opened, stacked
from gatehold.cli.question import Section, phase_text
from gatehold.cli.record import at_the_deadline
from gatehold.cli.render import pairs
from gatehold.cli.session import Session
from gatehold.cli.telling import standing
from gatehold.cli.terminal import out
from gatehold.cli.text import plain
from gatehold.cli.times import clock
from gatehold.cli.waiting import ended
from gatehold.domain.phases import Phase
from gatehold.domain.reasons import ConditionType

if TYPE_CHECKING:
    from datetime import datetime

    from rich.console import RenderableType
    from rich.live import Live

    from gatehold.cli.view import View

_ROWS = 20
"""Nodes on the live page; the others are counted."""


class Screen:
    """Tells how a drain stands. Times count by the API server's clock."""

    def __init__(self, session: Session) -> None:
        """Say nothing before the first look."""
        self._session = session
        self._view: View | None = None
        self._lines = Lines()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        """Open the live page where a person sits."""
        if out().is_terminal:
            self._live = opened(self._page)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the live page, whatever happened; where the command goes on, what it showed last stays."""
        if self._live is None:
            return
        self._live.stop()
        if kind is None and self._view is not None:
            from gatehold.cli.show import print_sections

            print_sections(page(self._view, self._session.time.now()))

    def tell(self, view: View) -> None:
        """Take in how it stands now."""
        self._view = view
        self._lines.take(_line(view), aloud=self._live is None)

    def _page(self) -> RenderableType:
        if self._view is None:
            return "looking"
        return stacked(page(self._view, self._session.time.now(), most=_ROWS))


def page(view: View, now: datetime | None, *, most: int = 0) -> Iterator[Section]:
    """The whole page: where it stands, the nodes, what time does, what to type. Pure."""
    where = f"[bold]{plain(view.request.name)}[/bold] in {plain(view.request.namespace)}: {phase_text(view)}"
    yield "", f"{where}\n{plain(view.request.summary)}"
    yield "", pairs(_facts(view))
    if sight.nodes_of(view):
        yield "Nodes", parts.nodes_table(view, now, most=most)
    times = list(at_the_deadline(view, now))
    if times:
        yield "What time does", pairs(times)
    if not view.over:
        yield "Next", "\n".join(_next(view))


def _facts(view: View) -> Iterator[tuple[str, str]]:
    if view.over:
        decision = view.status.decision
        yield "Ended", plain(f"{decision.reason}: {decision.message}" if decision is not None else "")
    else:
        yield "Stands", standing(view)
    found = sight.affected(view)
    owners = found.owners if found is not None else ()
    yield "Affects", plain(", ".join(owners[:5]) + (" ..." if len(owners) > 5 else ""))
    for name in (ConditionType.STALLED, ConditionType.ROLLED_BACK):
        stated = view.status.condition(name)
        if stated is not None and (stated.status == "True") == (name is ConditionType.STALLED):
            yield str(name), f"[red]{plain(stated.reason)}[/red]: {plain(stated.message)}"


def _next(view: View) -> Iterator[str]:
    at = f"{plain(view.request.name)} -n {plain(view.request.namespace)}"
    yield f"gatehold show {at}   [dim]the whole question, and who decides[/dim]"
    yield f'gatehold withdraw {at} -m "why"   [dim]takes it back: what is not finished is uncordoned[/dim]'


def _line(view: View) -> str:
    """How it stands in one line, safe for a console; nothing at its end, which the command says."""
    undoing = view.status.condition(ConditionType.RECONCILING)
    if view.over:
        return f"{ended(view)}; {plain(undoing.message)}" if undoing is not None and undoing.status == "True" else ""
    until = view.status.deadline if view.status.phase is Phase.PENDING else sight.ends_at(view)
    return f"{plain(view.request.name)}: {standing(view)}" + (f", until {clock(until)}" if until is not None else "")
