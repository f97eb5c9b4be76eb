"""Whether a process keeps its size: memory and descriptors of one life, its second quarter against its last. Pure."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LONG = 240.0  # seconds that a life must have lasted to say anything
MEMORY_SHARE, MEMORY_MB = 1.02, 2.0  # what the last quarter may be above the second: a share of it, and megabytes
OPEN_SHARE, OPEN = 1.0, 16  # the same of descriptors and of sockets: a pool of connections breathes


@dataclass(frozen=True, slots=True)
class Sample:
    """A process at one moment."""

    at: float
    memory_mb: float
    files: int
    sockets: int


@dataclass(frozen=True, slots=True)
class Life:
    """One process from its start to its end."""

    name: str
    pid: int
    samples: Sequence[Sample]

    @property
    def lasted(self) -> float:
        """Seconds between the first and the last sample."""
        return self.samples[-1].at - self.samples[0].at if self.samples else 0.0

    def quarter(self, number: int) -> Sequence[Sample]:
        """The samples of a quarter of its life, 1 to 4."""
        start = self.samples[0].at
        low, high = (start + self.lasted * n / 4 for n in (number - 1, number))
        return [s for s in self.samples if low <= s.at <= high]


@dataclass(frozen=True, slots=True)
class Growth:
    """A figure in the second quarter and in the last, and the most that the last may be."""

    what: str
    second: float
    last: float
    most: float

    @property
    def flat(self) -> bool:
        """Whether it is no leak."""
        return self.last <= self.most


def growths(life: Life) -> list[Growth]:
    """The three figures of a life: medians, so that one collection more or less does not decide."""
    found = []
    for what, share, more in (
        ("memory_mb", MEMORY_SHARE, MEMORY_MB),
        ("files", OPEN_SHARE, OPEN),
        ("sockets", OPEN_SHARE, OPEN),
    ):
        second, last = (statistics.median(getattr(s, what) for s in life.quarter(n)) for n in (2, 4))
        found.append(Growth(what, second, last, second * share + more))
    return found


def leaks(lives: Sequence[Life]) -> Iterator[str]:
    """Everything that grew, in every life that was long enough."""
    for life in lives:
        if life.lasted < LONG:
            continue
        for growth in growths(life):
            if not growth.flat:
                yield (
                    f"{life.name} (process {life.pid}, {life.lasted:.0f} s): {growth.what} was {growth.second:.1f} in the "
                    f"second quarter and {growth.last:.1f} in the last, at most {growth.most:.1f} is allowed"
                )
