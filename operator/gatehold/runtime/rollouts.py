"""Where each Rollout stands, unopened, and when it goes before others. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gatehold.runtime.objects import Item
from gatehold.runtime.parts import ROLLOUT, Key

Body = Mapping[str, Any]

_AT_WORK = frozenset({"Promoting", "RollingBack"})


def note_of(body: Body) -> str:
    """Its phase, then the instant that it waits for."""
    status = body.get("status") or {}
    return f"{status.get('phase') or ''} {status.get('until') or ''}"


def phase_of(item: Item) -> str:
    """The phase of a Rollout, "" where nobody has looked yet."""
    return item.note.partition(" ")[0]


def at_work(item: Item) -> bool:
    """Tell whether a Rollout is at something that somebody waits for."""
    return phase_of(item) in _AT_WORK


def is_due(item: Item, now: float | None) -> bool:
    """Tell whether a Rollout is at something, or waits for an instant that has come."""
    until = item.note.partition(" ")[2]
    try:
        return at_work(item) or bool(until and now is not None and datetime.fromisoformat(until).timestamp() <= now)
    except ValueError:
        return False


def rollout_key(item: Item) -> Key:
    """The key of a Rollout."""
    return Key(ROLLOUT, item.namespace, item.name, item.uid)
