"""Objects for programs (json, yaml, name) and small layouts for people. Callers hand in texts that are `plain`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from gatehold.api.common import API_VERSION
from gatehold.cli.terminal import out, unbounded

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

Json = dict[str, Any]


def dump(value: object, form: str) -> None:
    """Print one value as json or yaml; nothing in it can steer a terminal, since all that is not ASCII is escaped."""
    if form == "yaml":
        import yaml

        text = yaml.safe_dump(value, sort_keys=False, allow_unicode=False, width=120)
    else:
        text = json.dumps(value, indent=2, ensure_ascii=True).replace("\x7f", "\\u007f") + "\n"
    out().file.write(text)
    out().file.flush()


def dump_object(body: Json, form: str) -> None:
    """Print one object as name, json or yaml."""
    if form == "name":
        print_name(body)
    else:
        dump(tidy(body), form)


def print_name(body: Json) -> None:
    """Print what kubectl prints with -o name; names are made of letters that are safe."""
    kind = str(body.get("kind") or "ApprovalRequest").lower()
    group, slash, _ = str(body.get("apiVersion") or API_VERSION).partition("/")
    out().print(f"{kind}{'.' + group if slash else ''}/{body['metadata']['name']}", markup=False, soft_wrap=True)


def tidy(body: Json) -> Json:
    """The object without managedFields, which nobody reads."""
    metadata = {key: value for key, value in body.get("metadata", {}).items() if key != "managedFields"}
    return {**body, "metadata": metadata}


def columns(header: Sequence[str], *, flexible: Iterable[str] = ()) -> Table:
    """A table like kubectl's. Columns named in `flexible` give way where a terminal is narrow, the others do not."""
    from rich.table import Table

    table = Table(box=None, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    wide = set(flexible)
    for title in header:
        table.add_column(
            title, no_wrap=True, overflow="ellipsis", min_width=min(len(title), 9), ratio=1 if title in wide else None
        )
    return table


def pairs(rows: Iterable[tuple[str, str]]) -> Table:
    """Label and text, one pair a line, without those that have no text; labels line up."""
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, text in rows:
        if text:
            table.add_row(label, text)
    return table


def say(content: RenderableType, *, indent: int = 0, overflowing: bool = False) -> None:
    """Print for people. A pipe, and what is `overflowing`, gets lines as long as they are, without blanks at their end."""
    from rich.padding import Padding

    shown = Padding(content, (0, 0, 0, indent), expand=False) if indent else content
    if out().is_terminal and not overflowing:
        out().print(shown)
        return
    console = unbounded()
    with console.capture() as captured:
        console.print(shown)
    text = "\n".join(line.rstrip(" ") for line in captured.get().split("\n"))
    console.file.write(text)
    console.file.flush()
