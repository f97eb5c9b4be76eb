"""What can happen to the lines of one watch on their way; `relay` puts one of these into each watch that it carries.

Each of these is allowed to an API server, or has been seen of one: an operator must end in the same state with all of them.
"""

import json
from typing import Any, Protocol

Line = bytes


class Bend(Protocol):
    """Takes the lines of one watch in, and says which lines go on."""

    def take(self, line: Line) -> list[Line]:
        """One line came; these go on now."""
        ...

    def rest(self) -> list[Line]:
        """Nothing came for a while; these go on after all."""
        ...


class Straight:
    """As it came."""

    def take(self, line: Line) -> list[Line]:
        return [line]

    def rest(self) -> list[Line]:
        return []


class Twice(Straight):
    """Every event twice."""

    def take(self, line: Line) -> list[Line]:
        return [line, line]


class Swapped(Straight):
    """Every two events change places; one that stays alone goes on when nothing comes."""

    def __init__(self) -> None:
        self._kept: Line | None = None

    def take(self, line: Line) -> list[Line]:
        if self._kept is None:
            self._kept = line
            return []
        kept, self._kept = self._kept, None
        return [line, kept]

    def rest(self) -> list[Line]:
        kept, self._kept = self._kept, None
        return [kept] if kept is not None else []


class Echoed(Straight):
    """After every event, the state of the same object before it: after DELETED, the object as if it were still there."""

    def __init__(self) -> None:
        self._before: dict[str, Line] = {}

    def take(self, line: Line) -> list[Line]:
        event = parse(line)
        uid = str(event["object"].get("metadata", {}).get("uid", ""))
        before = self._before.get(uid)
        if event["type"] in {"ADDED", "MODIFIED"}:
            self._before[uid] = line
        return [line] if before is None else [line, before]


def parse(line: Line) -> dict[str, Any]:
    """One event of a watch."""
    event: dict[str, Any] = json.loads(line)
    return event


def gone_status() -> dict[str, Any]:
    """The API server's word for a version that it does not keep any more."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "too old resource version: 1 (2)",
        "reason": "Expired",
        "code": 410,
    }


def gone_event() -> Line:
    """The same within a watch that has begun."""
    return json.dumps({"type": "ERROR", "object": gone_status()}).encode() + b"\n"
