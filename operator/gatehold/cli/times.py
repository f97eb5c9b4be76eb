"""Times for people, by the API server's clock. The clock of this machine is never asked for a date."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?")
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


class ServerTime:
    """Now, as the API server's last answer said plus what passed since; a `kube.transport.Listener`."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Know nothing until the first answer."""
        self._monotonic = monotonic
        self._offset: float | None = None

    def on_answer(self, date: str, received: float, took: float = 0.0) -> None:
        """Take one Date header in; one that cannot be read changes nothing."""
        try:
            self._offset = parsedate_to_datetime(date).timestamp() - received
        except (TypeError, ValueError):
            return

    def on_write(self, resource: str) -> None:
        """Part of the listener's shape; a write says nothing about time."""

    def now(self) -> datetime | None:
        """Aware UTC time, or None before the first answer."""
        if self._offset is None:
            return None
        return datetime.fromtimestamp(self._offset + self._monotonic(), UTC)


def seconds_of(text: str) -> int:
    """Seconds of `90`, `90s`, `15m`, `1h30m`, `2d`; raises ValueError."""
    match = _DURATION.fullmatch(text.strip())
    if match is None or not text.strip():
        raise ValueError("a duration such as 90s, 15m, 1h30m or 2d")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return days * 86_400 + hours * 3_600 + minutes * 60 + seconds


def lasting(span: timedelta | float) -> str:
    """A span in its two largest units: 45s, 12m, 3h5m, 2d4h."""
    left = int(span.total_seconds() if isinstance(span, timedelta) else span)
    parts: list[str] = []
    for size, unit in _UNITS:
        count, left = divmod(max(left, 0), size)
        if count or parts:
            parts.append(f"{count}{unit}")
    shown = [part for part in parts[:2] if not part.startswith("0")]
    return "".join(shown) or "0s"


def ago(then: datetime | None, now: datetime | None) -> str:
    """How long since, or nothing where one of the two is unknown."""
    return "" if then is None or now is None else lasting(now - then)


def left(until: datetime | None, now: datetime | None) -> str:
    """How long until, `due` once it is over, or nothing."""
    if until is None or now is None:
        return ""
    return lasting(until - now) if until > now else "due"


def clock(instant: datetime | None) -> str:
    """An instant to read and to copy, cut to seconds."""
    return "" if instant is None else instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
