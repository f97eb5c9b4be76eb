"""Hindsight: which done requests are told again by a process that begins to act. That it fills the hole: the crash sweep."""

from datetime import UTC, datetime, timedelta
from typing import Any

from gatehold.controllers.hindsight import Hindsight, ended_at

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class Teller:
    """Notes what it was asked to tell."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def whole_story(self, body: dict[str, Any], status: object, *, late: bool) -> None:
        assert late
        self.told.append(body["metadata"]["uid"])


def done(uid: str, ago: timedelta, **more: Any) -> dict[str, Any]:
    """A request that was decided so long ago."""
    at = (NOW - ago).strftime("%Y-%m-%dT%H:%M:%SZ")
    decision = {"outcome": "Expired", "by": "Time", "at": at, "reason": "DeadlinePassed", "message": ""}
    return {"metadata": {"uid": uid}, "status": {"phase": "Expired", "decision": decision, **more}}


def told(*bodies: dict[str, Any]) -> list[str]:
    """What a process tells of these."""
    teller = Teller()
    hindsight = Hindsight(teller)  # type: ignore[arg-type]
    for body in bodies:
        hindsight.see(body, NOW)
    hindsight.tell()
    hindsight.see(bodies[0], NOW)
    hindsight.tell()
    return teller.told


def test_what_ended_lately_is_told_once() -> None:
    assert told(done("a", timedelta(seconds=2)), done("b", timedelta(minutes=16))) == ["a"]


def test_no_more_than_the_newest_hundred_are_told() -> None:
    found = told(*(done(f"u{number}", timedelta(seconds=number)) for number in range(150)))
    assert set(found) == {f"u{number}" for number in range(100)}


def test_a_record_of_another_version_is_passed_by() -> None:
    strange = done("a", timedelta(0))
    strange["status"]["verdicts"] = "many"
    assert told(strange, done("b", timedelta(0))) == ["b"]
    assert ended_at({"metadata": {}, "status": {"decision": {"at": "soon"}}}) is None
    assert ended_at({"metadata": {}}) is None


def test_the_end_is_the_last_thing_that_happened() -> None:
    effect = {"finishedAt": "2026-03-01T11:58:00Z", "undo": {"finishedAt": "2026-03-01T11:59:00Z"}}
    assert ended_at(done("a", timedelta(hours=2), effect=effect)) == NOW - timedelta(minutes=1)
    assert ended_at(done("a", timedelta(hours=2))) == NOW - timedelta(hours=2)
