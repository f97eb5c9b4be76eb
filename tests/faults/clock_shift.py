"""The operator on a machine whose clock is wrong: `gatehold run` as shipped, after this process's idea of time was moved.

    OperatorProcess(cluster, "gatehold-0", launch=shifted("600"))       # ten minutes ahead
    OperatorProcess(cluster, "gatehold-0", launch=shifted("600,-600"))  # now ahead, now behind, a new one each second

Everything that tells the time of day is moved, before anything else is loaded: `time` and `datetime` alike, since the one
does not ask the other. Steady clocks (`time.monotonic`, the loop's) are not: no machine's clock setting moves those.
"""

import datetime
import os
import sys
import time
from collections.abc import Callable
from typing import Any, Final, Self

from playground.operator_process import Launch

SHIFTS: Final = "CLOCK_SHIFTS"
SAYS: Final = "this clock says "
"""Begins the first lines of the log: by how many seconds each way of asking the time errs, by the machine's own clock."""
_EACH_SECONDS: Final = 1.0
_RIGHT = datetime.datetime


def shifted(seconds: str) -> Launch:
    """How to start such an operator; several shifts, separated by commas, follow each other for ever."""
    return Launch("tests.faults.clock_shift", {SHIFTS: seconds})


class Shift:
    """By how much the clock is wrong at this moment."""

    def __init__(self, shifts: list[float]) -> None:
        """It begins with the first."""
        self._shifts = shifts
        self._monotonic = time.monotonic
        self._began = time.monotonic()

    def seconds(self) -> float:
        """The error now."""
        turns = int((self._monotonic() - self._began) / _EACH_SECONDS)
        return self._shifts[turns % len(self._shifts)]


def move_clocks(shift: Shift) -> None:
    """Make this process believe it."""
    right: dict[str, Callable[..., Any]] = {name: getattr(time, name) for name in ("time", "time_ns", "gmtime", "localtime")}
    time.time = lambda: right["time"]() + shift.seconds()
    time.time_ns = lambda: right["time_ns"]() + int(shift.seconds() * 10**9)
    time.gmtime = lambda seconds=None: right["gmtime"](time.time() if seconds is None else seconds)
    time.localtime = lambda seconds=None: right["localtime"](time.time() if seconds is None else seconds)
    datetime.datetime = _Moved  # type: ignore[misc] # the class is replaced: its methods cannot be


class _Right(type):
    """Whatever is a datetime is one of the moved kind as well: many are made without asking for the time."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, _RIGHT)


class _Moved(_RIGHT, metaclass=_Right):
    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Self:
        return cls.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls) -> Self:
        return cls.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)

    @classmethod
    def today(cls) -> Self:
        return cls.fromtimestamp(time.time())


def main() -> None:
    """Run it."""
    shifts = [float(part) for part in os.environ[SHIFTS].split(",")]
    move_clocks(Shift(shifts))
    from gatehold.cli.main import main as run

    for told in (time.time(), time.time_ns() / 10**9, datetime.datetime.now(datetime.UTC).timestamp()):
        sys.stderr.write(f"{SAYS}{told - time.clock_gettime(time.CLOCK_REALTIME)}\n")
    run()


if __name__ == "__main__":
    main()
