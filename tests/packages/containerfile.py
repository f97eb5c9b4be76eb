"""Reads the Containerfile, as far as ours goes: one instruction a line or continued ones, arguments in FROM only."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
FILE: Final = ROOT / "Containerfile"


class Step(NamedTuple):
    """One instruction and its rest."""

    word: str
    rest: str


def steps() -> list[Step]:
    """All instructions, in order."""
    text = re.sub(
        r"\\\n", " ", "".join(line for line in FILE.read_text().splitlines(keepends=True) if not line.startswith("#"))
    )
    found = [line.partition(" ") for line in text.splitlines() if line.strip()]
    return [Step(word, " ".join(rest.split())) for word, _, rest in found]


def stages() -> list[list[Step]]:
    """The instructions of each stage, its FROM first."""
    found: list[list[Step]] = []
    for step in steps():
        if step.word == "FROM":
            found.append([])
        if found:
            found[-1].append(step)
    return found


def copied() -> Iterator[str]:
    """Every path of the source tree that the first stage takes."""
    for step in stages()[0]:
        if step.word == "COPY":
            *sources, _ = step.rest.split()
            yield from sources
