"""Replicas of the operator as Prometheus sees them: two that are well, and what a case has otherwise."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from tests.prometheus import EVERY, target

GONE: Final = "stale"
"""From then on the series is not served any more: what Prometheus notes when a pod ends, or does not answer."""
DAY: Final = 86_400


class Ramp(NamedTuple):
    """A value that grows by so much a second from there on."""

    start: float
    slope: float = 1.0


Course = Mapping[int, float | Ramp | str] | float | Ramp
"""A value, or values each from a second on."""
Overrides = Mapping[str, Course | None]
"""Series without the prefix `gatehold_` -> its course; None: it is not there."""

FAILED: Final = 'effects_total{result="Failed",type="%s"}'
ERRORS: Final = 'reconcile_errors_total{kind="%s",reason="%s"}'
WELL: Final[Overrides] = {
    "leader": 0,
    "synced": 1,
    "wall_enforced": 1,
    "uptime_seconds": Ramp(10_000),
    "overdue_seconds": 0,
    "oldest_pending_seconds": 0,
    "overrides_total": 0,
    **{FAILED % effect: 0 for effect in ("Drain", "Promote", "Release")},
    'effects_total{result="Released",type="Drain"}': Ramp(0, 0.1),
    "webhook_certificate_expiry_seconds": Ramp(80 * DAY, -1),
    "webhook_proven": 1,
    "price_table_valid": 1,
    "pods_held": 3,
}
"""A standby that is well, and old enough that nobody asks what it counted in its first minutes."""


def replicas(minutes: int, a: Overrides | None = None, b: Overrides | None = None) -> dict[str, str]:
    """Two of them: `a` leads, `b` stands by."""
    return {**_series("a", {"leader": 1, **(a or {})}, minutes), **_series("b", b or {}, minutes)}


def life(*parts: tuple[int, Overrides | None]) -> Overrides:
    """One pod: what it serves from a second on, None where nobody answers. Every later part is a new process."""
    courses: dict[str, dict[int, float | Ramp | str]] = {}
    for number, (at, overrides) in enumerate(parts):
        young = {"uptime_seconds": Ramp(5)} if number else {}
        served = WELL if overrides is None else {**WELL, **young, **overrides}
        for name, course in served.items():
            steps = {at: GONE} if overrides is None or course is None else _steps(course, at)
            courses.setdefault(name, {0: GONE}).update(steps)
    return courses


def _series(replica: str, overrides: Overrides, minutes: int) -> dict[str, str]:
    count = minutes * 60 // EVERY + 1
    courses = {**WELL, **overrides}
    return {_name(replica, name): _values(course, count) for name, course in courses.items() if course is not None}


def _name(replica: str, metric: str) -> str:
    name, _, own = metric.rstrip("}").partition("{")
    labels = ",".join(filter(None, [own, *(f'{key}="{value}"' for key, value in target(replica).items())]))
    return f"gatehold_{name}{{{labels}}}"


def _steps(course: Course, at: int = 0) -> Mapping[int, float | Ramp | str]:
    return course if isinstance(course, Mapping) else {at: course}


def _values(course: Course, count: int) -> str:
    """One word for every scrape; a mark of what is gone stands once."""
    steps, words = {0: GONE, **_steps(course)}, list[str]()
    since = 0
    for at in range(0, count * EVERY, EVERY):
        since = max((begin for begin in steps if begin <= at), default=since)
        value = steps[since]
        if isinstance(value, Ramp):
            words.append(repr(value.start + value.slope * (at - since)))
        else:
            words.append("_" if value == GONE and at - since >= EVERY else str(value))
    return " ".join(words)
