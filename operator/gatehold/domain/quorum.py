"""Counting: the only place that does. Controller, CLI and metrics call the same `tally`."""

from collections.abc import Iterable
from dataclasses import dataclass

from gatehold.domain.model import QuorumEntry, RecordedVerdict, Verdict, Word


@dataclass(frozen=True, slots=True)
class Tally:
    """Approvals so far, entry by entry."""

    given: tuple[int, ...]
    needed: tuple[int, ...]

    @property
    def complete(self) -> bool:
        """Whether every entry is met. An empty quorum is never complete."""
        return bool(self.needed) and all(g >= n for g, n in zip(self.given, self.needed, strict=True))

    @property
    def text(self) -> str:
        """Counted and needed, such as 1/2. What is given beyond an entry's need does not help another."""
        return f"{sum(min(g, n) for g, n in zip(self.given, self.needed, strict=True))}/{sum(self.needed)}"


def counted_approvals(ledger: Iterable[RecordedVerdict]) -> tuple[Verdict, ...]:
    """The approvals that count: each person once, the first one."""
    people: set[str] = set()
    found: list[Verdict] = []
    for entry in sorted(ledger, key=lambda e: e.verdict.id):
        if entry.counted and entry.verdict.word is Word.APPROVE and entry.verdict.username not in people:
            people.add(entry.verdict.username)
            found.append(entry.verdict)
    return tuple(found)


def tally(ledger: Iterable[RecordedVerdict], quorum: tuple[QuorumEntry, ...]) -> Tally:
    """Count the ledger against a quorum. A verdict serves the one entry that accepts its role."""
    approvals = counted_approvals(ledger)
    given = tuple(sum(v.role in q.accepted for v in approvals) for q in quorum)
    return Tally(given, tuple(q.count for q in quorum))
