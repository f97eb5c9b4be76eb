"""What a look at one thing found, and what to type next. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Level(StrEnum):
    """How much it matters. Only a problem makes the exit code 1."""

    OK = "ok"
    NOTICE = "notice"
    PROBLEM = "problem"


class Finding(NamedTuple):
    """One sentence about one thing; texts are not yet safe for a terminal. `next` is a command to copy."""

    part: str
    level: Level
    text: str
    next: str = ""


def unreadable(part: str, what: str, why: object) -> Finding:
    """What could not be looked at counts as not in order."""
    text = f"nothing is known about {what}: {why}"
    return Finding(part, Level.PROBLEM, text, "gatehold doctor --context NAME (as somebody who may read it)")
