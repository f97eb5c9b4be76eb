"""When this process first saw each verdict; pure but for the clock. `cache` keeps it beside each request.

Two clocks, for two questions: the server's time says whether a verdict came before the deadline, and our own monotonic time
says whether it was seen before or after what this process learned about the wall: that clock nobody can set.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import NamedTuple

VERDICT_PREFIX = "verdict.gatehold.dev/"


class Sighting(NamedTuple):
    """The first sight of one verdict."""

    content: int
    """Hash of the annotation's value: another value under the same key is another verdict."""
    server: float | None
    """Server time, None while it was not known."""
    monotonic: float


def sighted(
    annotations: Mapping[str, str], old: Mapping[str, Sighting] | None, seen_at: float | None
) -> dict[str, Sighting] | None:
    """Remember when each verdict was first seen.

    What has vanished stays remembered: a verdict that comes back was seen when it was seen.
    """
    seen, now = dict(old or {}), time.monotonic()
    for key, value in annotations.items():
        if not key.startswith(VERDICT_PREFIX):
            continue
        known, content = seen.get(key), hash(value)
        if known is None or known.content != content:
            seen[key] = Sighting(content, seen_at, now)
        elif known.server is None:
            seen[key] = known._replace(server=seen_at)
    return seen or None
