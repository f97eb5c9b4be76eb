"""The table of what is measured, and against which bar: the design's figures, one line each. A new row is a line here."""

import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bench.rig import Rig
from bench.sizes import Sizes


class Kind(StrEnum):
    """How the figures of a row's rounds become the one that is held against the bar."""

    RATIO = "ratio"  # the median of the paired ratios
    EXCESS = "excess"  # the median of the paired differences, seconds
    SECONDS = "seconds"  # the worst round: the promise is "within"
    MEGABYTES = "MB"  # the worst round
    WRITES = "writes"  # the worst round: what goes beyond the writes that are allowed


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of the design, or (without a bar) one that explains another."""

    what: str
    kind: Kind
    bar: float | None = None
    since: int = 0
    """The bar is meant for that many others pending and more; below, the figure is only told."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One round: our figure, and that of the bare loop (or what is allowed), where there is one."""

    ours: float
    bare: float | None = None

    def against(self, kind: Kind) -> float:
        """The figure of this round that is held against the bar."""
        if self.bare is None:
            return self.ours
        return self.ours / self.bare if kind is Kind.RATIO else self.ours - self.bare


Found = Mapping[str, Sequence[Pair]]
"""Key of a row -> its rounds."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one function measures; `once`: not again at each number of others pending."""

    rows: tuple[str, ...]
    run: Callable[[Rig, Sizes], Awaitable[Found]]
    once: bool = False


ROWS: Final[Mapping[str, Row]] = {
    "writes": Row("writes by the operator on a request, whole life (beyond those allowed)", Kind.WRITES, 0),
    "start": Row("start until the first decision is served, vs. a paged list", Kind.RATIO, 2.0, since=100_000),
    "memory": Row("memory", Kind.MEGABYTES, 400),
    "memory-peak": Row("memory, peak since the start", Kind.MEGABYTES),
    "release-p50": Row("decision written -> effect released, p50", Kind.RATIO, 1.5),
    "release-p99": Row("decision written -> effect released, p99", Kind.RATIO, 3.0),
    "lone-p50": Row("the same where the last decision is over a second ago, p50", Kind.RATIO, 1.5),
    "burst": Row("decisions at once, all released", Kind.RATIO, 2.0),
    "expiry": Row("expiry at the same second, the last one (beyond the bare writes)", Kind.EXCESS, 1.0),
    "restart-held": Row("restart with many held: taken over -> first release", Kind.SECONDS, 1.0),
    "restart-start": Row("restart with many held: process start -> first release", Kind.SECONDS),
    "canary-writes": Row("writes by the operator, a whole canary with Events (beyond those allowed)", Kind.WRITES, 0),
    "promotion-p50": Row("decision written -> stable's template written, no other Rollout, p50", Kind.RATIO, 1.5),
    "promotion-p99": Row("the same, p99", Kind.RATIO, 3.0),
    "rollouts-expiry": Row("held Rollouts expire at the same second, the last one (beyond bare writes)", Kind.EXCESS, 1.0),
    "held-p50": Row("decision written -> stable's template written, many held Rollouts, p50", Kind.RATIO, 1.5),
    "held-p99": Row("the same, p99", Kind.RATIO, 3.0),
    "rollouts-restart": Row("restart with many held Rollouts: taken over -> first promotion", Kind.SECONDS, 1.0),
    "rollouts-restart-start": Row("restart with many held Rollouts: process start -> first promotion", Kind.SECONDS),
    "rollouts-memory": Row("memory with many held Rollouts", Kind.MEGABYTES, 200),
    "drain": Row("drain of 100 pods: approved -> the last pod is gone, vs. kubectl drain", Kind.RATIO, 1.0),
    "drain-writes": Row("writes of that drain, Events and record included, beyond those of kubectl", Kind.WRITES),
    "drain-blocked": Row("the same drain behind a budget that blocks it for 10 s", Kind.RATIO, 1.0),
    "drain-blocked-writes": Row("writes of that one, beyond those of kubectl", Kind.WRITES),
    "webhook-p50": Row("eviction asked about -> held, 200 a second among 5,000 pods, p50", Kind.SECONDS),
    "webhook-p99": Row("the same, p99", Kind.SECONDS, 0.010),
    "webhook-burst": Row("a thousand evictions by fifty clients, all held", Kind.SECONDS, 5.0),
    "provision": Row("2,000 gated pods of 100 owners let go in one wave, vs. taking the gates off", Kind.RATIO, 2.0),
    "pod-created-p50": Row("pod created in a gated namespace, vs. in another, p50", Kind.RATIO),
    "pod-created-p99": Row("the same, p99", Kind.RATIO),
    "leader-killed": Row("leader killed -> next decision released", Kind.SECONDS, 12.0),
    "handover": Row("planned handover -> next decision released", Kind.SECONDS, 2.0),
}
"""Every row that exists today."""

LATER: Final[Mapping[str, str]] = {}
"""Rows of the design whose feature does not exist yet."""


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the outcome."""

    row: str
    what: str
    pending: int
    ours: float
    bare: float | None
    kind: str
    value: float
    bar: float | None
    holds: bool | None
    rounds: Sequence[Pair]


def result(key: str, pending: int, rounds: Sequence[Pair]) -> Result:
    """The outcome of all rounds of a row."""
    row = ROWS[key]
    each = [pair.against(row.kind) for pair in rounds]
    value = statistics.median(each) if row.kind in (Kind.RATIO, Kind.EXCESS) else max(each)
    bar = row.bar if pending >= row.since else None
    bares = [pair.bare for pair in rounds if pair.bare is not None]
    return Result(
        row=key,
        what=row.what,
        pending=pending,
        ours=statistics.median(pair.ours for pair in rounds),
        bare=statistics.median(bares) if bares else None,
        kind=row.kind,
        value=value,
        bar=bar,
        holds=None if bar is None else value <= bar,
        rounds=rounds,
    )
