"""What one request is known by in the cache: its body packed, and of the rest what must be known without unpacking it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gatehold.runtime.sightings import Sighting

Subject = tuple[str, str, str, str]
"""apiVersion, kind, namespace, name"""


@dataclass(frozen=True, slots=True)
class Summary:
    """What must be known about each request without unpacking it; made by a function of `api`."""

    created: str
    """metadata.creationTimestamp, as sent: it sorts."""
    phase: str
    """status.phase, "" where nobody has looked yet."""
    policy: str
    author: str
    """The requester's user name."""
    subjects: tuple[Subject, ...]
    """Everything the request acts on; the undo Job too, so that its events find the request."""
    effect: bool
    """Something is done once it is approved, and it is not over."""
    prepared: bool
    """It has a requestDigest: people can answer."""
    waiting: bool
    """Undone and not yet decided: it counts as pending."""
    urgent: bool
    """Decided, or something is under way: after a restart it goes first."""
    due_at: float | None
    """Server time (seconds) of the next deadline that stands in status; in the past means: goes first."""
    drains: bool = False
    """Its effect is a drain: of each node there is one at a time."""
    pods_of: str = ""
    """Uid of the owner whose pods it is about, where the Gate of a namespace asked."""


@dataclass(slots=True)
class Record:
    """One request in the cache."""

    uid: str
    namespace: str
    name: str
    resource_version: str
    packed: bytes
    summary: Summary
    order: int
    """The how-many-eth request that came to this process: `created` knows whole seconds only."""
    seen: dict[str, Sighting] | None = None
    """Verdict annotation -> when this process saw it first."""


Summarise = Callable[[Mapping[str, Any]], Summary]


def interned(summary: Summary) -> Summary:
    """The same summary: most strings are the same in thousands of records; keep one of each."""
    intern = sys.intern
    subjects = tuple((intern(api), intern(kind), intern(namespace), name) for api, kind, namespace, name in summary.subjects)
    return Summary(
        created=intern(summary.created),
        phase=intern(summary.phase),
        policy=intern(summary.policy),
        author=intern(summary.author),
        subjects=subjects,
        effect=summary.effect,
        prepared=summary.prepared,
        waiting=summary.waiting,
        urgent=summary.urgent,
        due_at=summary.due_at,
        drains=summary.drains,
        pods_of=summary.pods_of,
    )
