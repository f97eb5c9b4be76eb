"""What `wait` says while it waits: one live line on a terminal, one line a change elsewhere, always on standard error."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from gatehold.cli.drain import parts, sight
from gatehold.cli.live import Lines
from gatehold.cli.session import Session
from gatehold.cli.terminal import err
from gatehold.cli.text import plain
from gatehold.cli.times import clock, left
from gatehold.cli.view import View
from gatehold.domain.phases import Phase
from gatehold.domain.reasons import ConditionType

if TYPE_CHECKING:
    from rich.live import Live


class Teller:
    """Tells how a request stands. The time that is left counts by the API server's clock."""

    def __init__(self, session: Session) -> None:
        """Say nothing before the first look."""
        self._session = session
        self._view: View | None = None
        self._lines = Lines()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        """Open the live line where a person sits."""
        if err().is_terminal:
            from rich.live import Live

            self._live = Live(get_renderable=self._line, console=err(), refresh_per_second=2, transient=True)
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the live line, whatever happened."""
        if self._live is not None:
            self._live.stop()

    def tell(self, view: View) -> None:
        """Take in how it stands now."""
        self._view = view
        sentence = standing(view)
        until = clock(view.status.deadline if view.status.phase is Phase.PENDING else view.status.valid_until)
        line = f"{plain(view.request.name)}: {sentence}" + (f", until {until}" if until else "")
        self._lines.take(line, aloud=self._live is None)

    def _line(self) -> str:
        view = self._view
        if view is None:
            return "looking"
        status = view.status
        until = status.deadline if status.phase is Phase.PENDING else status.valid_until
        span = left(until, self._session.time.now())
        rest = f", {span} left" if span else ""
        if span == "due":
            rest = ", the time is over, waiting for the operator to say so"
        return f"[bold]{plain(view.request.name)}[/bold]: {standing(view)}{rest}"


def standing(view: View) -> str:
    """How it stands in a few words, safe for a console."""
    status = view.status
    if status.phase is Phase.UNSET:
        return "held, the operator has not looked at it yet"
    if status.phase is Phase.APPROVED:
        effect = status.effect
        done = effect.progress if effect is not None else None
        pods = f" ({done.active} running, {done.succeeded} succeeded, {done.failed} failed)" if done is not None else ""
        if sight.about_nodes(view):
            far = parts.progress(view)
            pods = f" ({far})" if far else ""
        held = status.condition(ConditionType.HELD)
        why = f", held: {plain(held.reason)}" if held is not None and held.status == "True" else ""
        state = str(effect.state).lower() if effect is not None else "waiting"
        return f"approved, its effect is {state}{pods}{why}"
    missing = ", ".join(f"{need} of {' or '.join(entry.accepted)}" for entry, need in view.lacking())
    return plain(f"{status.phase.lower()}, waits for {missing or 'the operator'}")
