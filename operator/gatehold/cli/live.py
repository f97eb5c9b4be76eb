"""What a command shows that follows something: a live page while a person looks on, else one line a change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from gatehold.cli.terminal import err, out

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

    from gatehold.cli.question import Section


def opened(page: Callable[[], RenderableType]) -> Live:
    """Show what `page` gives, twice a second, until it is stopped; nothing of it stays on the screen then."""
    from rich.live import Live

    live = Live(
        get_renderable=page,
        console=out(),
        refresh_per_second=2,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    live.start()
    return live


def stacked(sections: Iterable[Section]) -> RenderableType:
    """Sections below each other, as `show` prints them."""
    from rich.console import Group
    from rich.padding import Padding

    rows: list[RenderableType] = []
    for title, content in sections:
        rows += [f"\n[bold]{title}[/bold]"] if title else []
        rows.append(Padding(content, (0, 0, 0, 2), expand=False) if title else content)
    return Group(*rows)


class Lines:
    """One line a change, on standard error, for who is no person at a terminal."""

    def __init__(self) -> None:
        """Nothing is said yet."""
        self._said = ""

    def take(self, line: str, *, aloud: bool) -> None:
        """Say it, where that is wanted, unless it is empty or was said last."""
        if aloud and line and line != self._said:
            err().print(line)
            err().file.flush()
        self._said = line
