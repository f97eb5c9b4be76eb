"""Doing something every so often from within a wait, and knowing that time has passed; by this machine's steady clock."""

import time
from collections.abc import Callable


class Every:
    """Called again and again, does its work once each so many seconds; the first time after as many."""

    def __init__(self, seconds: float, work: Callable[[], object] = lambda: None) -> None:
        """The time runs from now on."""
        self._seconds = seconds
        self._work = work
        self.begin()

    def begin(self) -> None:
        """Have the time run anew from now on."""
        self._last = time.monotonic()

    def __call__(self) -> None:
        """Do it, if it is time."""
        if self.passed():
            self._last = time.monotonic()
            self._work()

    def passed(self) -> bool:
        """Whether it is time."""
        return time.monotonic() - self._last >= self._seconds
