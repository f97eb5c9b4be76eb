"""Every request that is not done, held small, and found by subject, policy and author; handlers and resync fill it.

Controllers read it. Standbys hold the same, which is why they can take over without listing anything, and why they know when
a verdict was first seen. Nothing here waits or writes to the cluster.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, TypeVar

from gatehold.domain.installation import PROBE
from gatehold.runtime.departed import Departed
from gatehold.runtime.index import OneOrMany, Ranked
from gatehold.runtime.packing import pack, unpack
from gatehold.runtime.record import Record, Subject, Summarise, interned
from gatehold.runtime.sightings import Sighting, sighted
from gatehold.runtime.versions import is_older

K = TypeVar("K", bound=Hashable)


class Store:
    """uid -> Record, with the indexes that decisions need. Single-threaded: only the loop touches it."""

    def __init__(self, summarise: Summarise) -> None:
        """Start empty."""
        self._summarise = summarise
        self._records: dict[str, Record] = {}
        self._departed = Departed()
        self._next = 0
        self._by_subject: OneOrMany[Subject] = OneOrMany()
        self._by_pods: OneOrMany[str] = OneOrMany()
        self._pending_of_policy: dict[str, Ranked[str]] = {}
        self._pending_of_author: dict[tuple[str, str], Ranked[str]] = {}
        self._deadlines: Ranked[float] = Ranked()
        self._phases: Counter[str] = Counter()
        self._changed: Callable[[Mapping[str, Any]], None] = _unheard
        self._gone: Callable[[str], None] = _unheard

    def listen(self, changed: Callable[[Mapping[str, Any]], None], gone: Callable[[str], None]) -> None:
        """Have one listener hear of every body that is taken in, and of every uid that is forgotten. It must not raise."""
        self._changed, self._gone = changed, gone

    # ---- filling

    def upsert(self, body: Mapping[str, Any], seen_at: float | None) -> bool:
        """Take a body in; False where it is not newer than what is known. `seen_at` is server time, None if unknown."""
        meta = body["metadata"]
        uid, version = str(meta["uid"]), str(meta["resourceVersion"])
        old = self._records.get(uid)
        if old is not None and (old.resource_version == version or is_older(version, old.resource_version)):
            return False
        if self._departed.outlived(uid, version):
            return False
        summary = interned(self._summarise(body))
        seen = sighted(meta.get("annotations") or {}, old.seen if old else None, seen_at)
        if old is None:
            namespace = sys.intern(str(meta.get("namespace") or ""))
            record = Record(uid, namespace, str(meta["name"]), version, pack(body), summary, self._next, seen)
            self._next += 1
            self._records[uid] = record
        else:
            record = old
            self._unindex(record)
            record.resource_version, record.packed, record.summary, record.seen = version, pack(body), summary, seen
        self._index(record)
        self._changed(body)
        return True

    def remove(self, uid: str, version: str = "") -> Record | None:
        """Forget a request that is done or gone, at that version where it is known: nothing older brings it back."""
        record = self._records.pop(uid, None)
        self._departed.note(uid, version, record.resource_version if record is not None else "")
        if record is not None:
            self._unindex(record)
            self._gone(uid)
        return record

    # ---- reading

    def __len__(self) -> int:
        """Return how many requests are not done."""
        return len(self._records)

    def __contains__(self, uid: str) -> bool:
        """Tell whether this request is known and not done."""
        return uid in self._records

    def __iter__(self) -> Iterator[Record]:
        """Iterate over a snapshot of the records."""
        return iter(tuple(self._records.values()))

    def get(self, uid: str) -> Record | None:
        """Return the record, or None."""
        return self._records.get(uid)

    def body(self, uid: str) -> dict[str, Any] | None:
        """Return the body as last seen, without managedFields; yours to change."""
        record = self._records.get(uid)
        return unpack(record.packed) if record else None

    def seen_at(self, uid: str, annotation: str) -> float | None:
        """Server time at which this process first saw that verdict annotation; None if never, or time was unknown then."""
        sighting = self.sighting(uid, annotation)
        return sighting.server if sighting else None

    def sighting(self, uid: str, annotation: str) -> Sighting | None:
        """Return when this process first saw that verdict annotation, by both clocks; None if never."""
        record = self._records.get(uid)
        return (record.seen or {}).get(annotation) if record else None

    def versions(self) -> dict[str, str]:
        """Uid -> resourceVersion of everything known."""
        return {uid: record.resource_version for uid, record in self._records.items()}

    def by_subject(self, subject: Subject) -> tuple[Record, ...]:
        """Return the undone requests that act on this subject, oldest first."""
        found = [self._records[uid] for uid in self._by_subject.get(subject)]
        return tuple(sorted(found, key=lambda record: (record.summary.created, record.uid)))

    def by_pods(self, owner: str) -> tuple[Record, ...]:
        """Return the undone requests about the pods of the owner of that uid, oldest first."""
        found = [self._records[uid] for uid in self._by_pods.get(owner)]
        return tuple(sorted(found, key=lambda record: (record.summary.created, record.uid)))

    def pending_of_policy(self, policy: str) -> int:
        """Count the requests of this policy that are not decided."""
        return len(self._pending_of_policy.get(policy, ()))

    def pending_of_author(self, namespace: str, author: str) -> int:
        """Count the requests of this author in this namespace that are not decided."""
        return len(self._pending_of_author.get((namespace, author), ()))

    def rank_in_policy(self, uid: str) -> int:
        """Place (0 is the oldest) among the pending requests of its policy; caps go by this, whatever is worked on first."""
        record = self._records[uid]
        return self._rank(self._pending_of_policy.get(record.summary.policy), record)

    def rank_in_author(self, uid: str) -> int:
        """Place (0 is the oldest) among the pending requests of its author in its namespace."""
        record = self._records[uid]
        return self._rank(self._pending_of_author.get((record.namespace, record.summary.author)), record)

    def unprepared_of_policy(self, policy: str) -> tuple[Record, ...]:
        """Return the pending requests of this policy that people cannot answer yet."""
        pending = self._pending_of_policy.get(policy)
        records = [self._records[uid] for uid in pending.uids()] if pending else []
        return tuple(record for record in records if not record.summary.prepared)

    def policies_with_pending(self) -> dict[str, int]:
        """Policy -> number of pending requests; only policies that have some."""
        return {policy: len(ranked) for policy, ranked in self._pending_of_policy.items()}

    def phases(self) -> Mapping[str, int]:
        """Phase -> number of requests that are not done."""
        return +self._phases

    def oldest_pending(self) -> str | None:
        """Return the creationTimestamp of the request that has waited longest."""
        return min((ranked.first() for ranked in self._pending_of_policy.values()), default=None)

    def overdue_since(self, now: float) -> float | None:
        """Return the earliest deadline of what still waits for a decision, if that is over; server time, as `now` is."""
        earliest = self._deadlines.first() if self._deadlines else now
        return earliest if earliest < now else None

    # ---- indexes

    def _rank(self, ranked: Ranked[str] | None, record: Record) -> int:
        return ranked.rank(record.summary.created, record.order) if ranked else 0

    def _index(self, record: Record) -> None:
        summary, uid = record.summary, record.uid
        if summary.policy != PROBE:
            self._phases[summary.phase] += 1
        for subject in summary.subjects:
            self._by_subject.add(subject, uid)
        if summary.pods_of:
            self._by_pods.add(summary.pods_of, uid)
        if summary.waiting:
            author = (record.namespace, summary.author)
            self._pending_of_policy.setdefault(summary.policy, Ranked()).add(summary.created, record.order, uid)
            self._pending_of_author.setdefault(author, Ranked()).add(summary.created, record.order, uid)
        if summary.waiting and summary.due_at is not None:
            self._deadlines.add(summary.due_at, record.order, uid)

    def _unindex(self, record: Record) -> None:
        summary, uid = record.summary, record.uid
        if summary.policy != PROBE:
            self._phases[summary.phase] -= 1
        for subject in summary.subjects:
            self._by_subject.discard(subject, uid)
        if summary.pods_of:
            self._by_pods.discard(summary.pods_of, uid)
        if summary.waiting:
            _discard(self._pending_of_policy, summary.policy, record)
            _discard(self._pending_of_author, (record.namespace, summary.author), record)
        if summary.waiting and summary.due_at is not None:
            self._deadlines.discard(summary.due_at, record.order, uid)


def _unheard(_: object) -> None:
    """Nobody listens."""


def _discard(index: dict[K, Ranked[str]], key: K, record: Record) -> None:
    ranked = index[key]
    ranked.discard(record.summary.created, record.order, record.uid)
    if not ranked:
        del index[key]
