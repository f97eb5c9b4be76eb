"""When the wall is known to have stood, by a monotonic clock, and what that says of a verdict. Pure bookkeeping for `wall`.

A verdict counts when evidence brackets it: the wall was proven before it can have been written, it was seen, and a look at
the wall that began afterwards found the very same objects. No watch has to be quick for that.
"""

from enum import Enum

ALWAYS = float("-inf")
_MOST = 100


class Trust(Enum):
    """What is known of a verdict."""

    GENUINE = "genuine"  # it met the wall: it counts
    OPEN = "open"  # nothing speaks against it; the next look at the wall tells
    UNPROVEN = "unproven"  # it may have been written while the wall was open: it does not count, and may be given again


class Standing:
    """The spans of time in which the wall stood."""

    def __init__(self) -> None:
        """Nothing is known."""
        self._stood: list[tuple[float, float]] = []
        self._doubted: list[tuple[float, float]] = []
        self._since: float | None = None
        self._sure = ALWAYS
        self._fell = False
        self.falls = 0
        """How often it fell: who waited for something can tell whether it did meanwhile."""

    @property
    def stands(self) -> bool:
        """Whether it stood at the last look."""
        return self._since is not None

    @property
    def fell(self) -> bool:
        """Whether it is known not to stand. Neither this nor `stands`: nothing is known yet."""
        return self._fell

    def begin(self, since: float) -> None:
        """It stands: a verdict that is first seen from this moment on was written after it was proven."""
        self._since, self._sure, self._fell = since, ALWAYS, False

    def unchanged_at(self, looked: float) -> None:
        """A look that began at this moment found the wall as it was."""
        if self._since is not None:
            self._sure = max(self._sure, looked)

    def fall(self) -> None:
        """It is not what it was, or nobody knows: whatever no look has covered is unproven."""
        if self._since is not None:
            self._stood = [*self._stood[1 - _MOST :], (self._since, self._sure)]
        self._since, self._fell = None, True
        self.falls += 1

    def doubt(self, start: float, end: float) -> None:
        """It did not work in this span, though its objects were as they had been: looks at them proved nothing."""
        self._sure = min(self._sure, start)
        self._doubted = [*self._doubted[1 - _MOST :], (start, end)]

    def trust(self, seen: float, *, recorded: bool = False) -> Trust:
        """What is known of a verdict that was first seen then.

        `recorded`: it stands in a status as counted, so it was genuine by what was known when that was written. Status is
        kept by RBAC, also while the wall is open; only a doubt that came up later can touch it.
        """
        if recorded:
            doubted = any(start <= seen <= end for start, end in self._doubted)
            return Trust.UNPROVEN if doubted else Trust.GENUINE
        if any(since <= seen <= sure for since, sure in self._stood):
            return Trust.GENUINE
        if self._since is not None and seen >= self._since:
            return Trust.GENUINE if seen <= self._sure else Trust.OPEN
        known = self._fell or self._since is not None
        return Trust.UNPROVEN if known else Trust.OPEN
