"""The outcome as a table for people and as JSON for programs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.rows import LATER, Kind, Result


def show(results: Sequence[Result], console: Console) -> None:
    """The table for the terminal."""
    table = Table("what", "others pending", "operator", "bare loop", "figure", "bar", "holds")
    for r in results:
        verdict = {True: "yes", False: "NO", None: ""}[r.holds]
        bar = "" if r.bar is None else f"{r.bar:g}"
        bare = "" if r.bare is None else _figure(r, r.bare)
        table.add_row(r.what, f"{r.pending:,}", _figure(r, r.ours), bare, f"{r.value:.2f}", bar, verdict)
    for what in LATER.values():
        table.add_row(what, "", "", "", "", "", "later")
    console.print(table, soft_wrap=True)


def write(path: Path, about: Mapping[str, Any], results: Sequence[Result]) -> None:
    """The JSON file: what was measured where, every round of each row, and what cannot be measured yet."""
    path.write_text(
        json.dumps({"about": about, "rows": [asdict(r) for r in results], "later": dict(LATER)}, indent=1) + "\n"
    )


def _figure(result: Result, value: float) -> str:
    """With the unit that its rounds were taken in."""
    if result.kind in (Kind.MEGABYTES, Kind.WRITES):
        return f"{value:.0f} {result.kind}"
    return f"{value * 1000:.1f} ms" if value < 1 else f"{value:.2f} s"
