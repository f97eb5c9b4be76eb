"""What the soak has seen: every version of every object, as the API server told it. Values, read by the invariants."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.soak.cast import Cast

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Version:
    """An object at one moment. `follows`: nothing lies between the version before and this one."""

    at: float  # seconds of the epoch, when the watch told it
    body: Body
    gone: bool = False  # its last version, deleted
    follows: bool = True

    @property
    def revision(self) -> int:
        """The number that orders all writes of the cluster."""
        return int(self.body["metadata"]["resourceVersion"])

    @property
    def status(self) -> Body:
        """Empty where nobody has looked yet."""
        found: Body = self.body.get("status") or {}
        return found

    @property
    def phase(self) -> str:
        """Where a request stands."""
        return str(self.status.get("phase", ""))

    @property
    def notes(self) -> dict[str, str]:
        """Annotations."""
        found: dict[str, str] = self.body["metadata"].get("annotations") or {}
        return found

    @property
    def done(self) -> bool:
        """Whether the operator has said that nothing is left to watch."""
        return (self.body["metadata"].get("labels") or {}).get("gatehold.dev/done") == "true"


@dataclass(frozen=True, slots=True)
class Story:
    """All versions of one object, in order; at least one."""

    versions: Sequence[Version]

    @property
    def last(self) -> Version:
        """The newest version."""
        return self.versions[-1]

    @property
    def uid(self) -> str:
        """Which object it is."""
        return str(self.last.body["metadata"]["uid"])

    @property
    def name(self) -> str:
        """Namespace and name."""
        meta = self.last.body["metadata"]
        return f"{meta.get('namespace', '')}/{meta['name']}"

    def pairs(self) -> Iterator[tuple[Version, Version]]:
        """Each version with the one that directly follows it."""
        for before, after in zip(self.versions, self.versions[1:], strict=False):
            if after.follows:
                yield before, after

    def before(self, revision: int) -> Version | None:
        """How it stood just before that write."""
        return next((v for v in reversed(self.versions) if v.revision < revision), None)


@dataclass(frozen=True, slots=True)
class Window:
    """A fault, from its beginning until it was mended."""

    kind: str
    start: float
    end: float
    open: bool = False  # a part of the wall was away

    def touches(self, at: float) -> bool:
        """Whether that moment lies in it."""
        return self.start <= at <= self.end


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything besides the one object that a check looks at."""

    jobs: Mapping[str, Story] = field(default_factory=dict)  # by uid
    requests: Mapping[str, Story] = field(default_factory=dict)  # by uid
    pods: Mapping[str, Sequence[Story]] = field(default_factory=dict)  # by uid of the Job
    policies: Mapping[str, Body] = field(default_factory=dict)  # spec by its digest
    faults: Sequence[Window] = ()
    deleted: frozenset[str] = frozenset()  # uids of requests that their requester deleted
    cast: Cast = field(default_factory=Cast)
    now: float = 0.0  # when the run was over and everything had time to settle

    def disturbed(self, start: float, end: float, recovery: float) -> bool:
        """Whether a fault, or the time after it, touches that span."""
        return any(w.start <= end and start <= w.end + recovery for w in self.faults)


@dataclass(frozen=True, slots=True)
class Violation:
    """A rule that does not hold, where, and how it shows."""

    rule: str
    uid: str
    name: str
    text: str


def seconds(text: str) -> float:
    """An RFC 3339 time as seconds of the epoch."""
    return datetime.fromisoformat(text).timestamp()


def condition(status: Body, kind: str) -> tuple[str, str]:
    """Status and reason of a condition; empty where it is not stated."""
    for entry in status.get("conditions", []):
        if entry["type"] == kind:
            return entry["status"], entry["reason"]
    return "", ""


def suspended(body: Body) -> bool:
    """Whether a Job is held."""
    return bool(body["spec"].get("suspend", False))


def finished(body: Body) -> bool:
    """Whether a Job has had its last word."""
    conditions: Iterable[Body] = (body.get("status") or {}).get("conditions") or ()
    return any(c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in conditions)
