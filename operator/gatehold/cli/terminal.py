"""Where output goes: `out` for what was asked for, `err` for everything beside it. Colour on terminals only."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import IO, TYPE_CHECKING, Literal, cast

from gatehold.cli.text import unmask

if TYPE_CHECKING:
    from rich.console import Console

_WIDE = 4096
"""Columns of what is not a terminal: a pipe cuts nothing off."""


def out() -> Console:
    """The console of standard output."""
    return _console(sys.stdout)


def unbounded() -> Console:
    """Standard output without a right margin: lines as long as they are, which a terminal wraps itself."""
    return _console(sys.stdout, unbounded=True)


def err() -> Console:
    """The console of standard error."""
    return _console(sys.stderr)


@cache
def _console(stream: IO[str], *, unbounded: bool = False) -> Console:
    """Markup is on, so that every text of a resource has to come through `plain`; nothing else is interpreted."""
    from rich.console import Console

    terminal = is_terminal(stream)
    colours: Literal["auto"] | None = "auto" if terminal and not os.environ.get("NO_COLOR") else None
    return Console(
        file=cast("IO[str]", _Unmasking(stream)),
        force_terminal=terminal,
        color_system=colours,
        width=None if terminal and not unbounded else _WIDE,
        highlight=False,
        emoji=False,
    )


class _Unmasking:
    """The stream behind a console: texts of resources get their brackets back, after rich can no longer read them."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write; a terminal that lacks a character gets its number instead of an error."""
        shown = unmask(text)
        try:
            return self._stream.write(shown)
        except UnicodeEncodeError as error:
            return self._stream.write(shown.encode(error.encoding, "backslashreplace").decode(error.encoding))

    def __getattr__(self, name: str) -> object:
        """Everything else is the stream's own."""
        return getattr(self._stream, name)


def is_terminal(stream: IO[str]) -> bool:
    """Whether a person sits there: the stream itself says so, never a variable."""
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False


def is_conversation() -> bool:
    """Whether a person can be asked and would see the question."""
    return is_terminal(sys.stdin) and is_terminal(sys.stdout)


def confirm(question: str) -> bool:
    """Ask yes or no; anything but a clear yes is no. `question` is safe already."""
    out().print(f"{question} \\[y/N] ", end="")
    answer = sys.stdin.readline().strip().lower()
    return answer in {"y", "yes"}
