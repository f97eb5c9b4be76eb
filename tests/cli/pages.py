"""What stands on a page for a person, for tests that need no terminal."""

from collections.abc import Iterable
from io import StringIO

from rich.console import Console, RenderableType


def text(sections: Iterable[tuple[str, RenderableType]]) -> str:
    """Titles and parts as a terminal shows them that is wide enough for every line."""
    console = Console(file=StringIO(), width=600)
    for title, part in sections:
        console.print(title, part)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()
