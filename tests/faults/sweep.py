"""The crash sweep: for each write in a life the operator dies just before it, and its successor just after it.

One life has both deaths. Between them nothing but that write is new to the API server, so what the first successor does is
what any operator does that finds the world as it was left before the write; and the second finds it as it was left after.
The first successor stood by all the time and has warm caches, the second starts from a list: both ways of taking over are
swept. The end must be that of a life in which nobody died.
"""

import contextlib
import itertools
import os
import signal
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from controlplane import Cluster, wait_until
from controlplane.errors import TimeIsUpError
from playground import OperatorProcess
from playground.operator_process import PATIENT, Launch
from tests.e2e.operators import until_acting
from tests.e2e.stage import connection, new_stage
from tests.faults.operator import FOLDER, UNHEARD, WAITS, Folder, Orders, Written
from tests.faults.story import DONE, Life, Story
from tests.wall.api import Call, path

End = dict[str, Any]
"""A masked snapshot."""

SEATS: Final = ("sweep-0", "sweep-1", "sweep-2")
KILLED: Final = -9
LEASE: Final = path("coordination.k8s.io/v1", "leases", "gatehold-system", "gatehold-operator")
LOOKS: Final = "0.4"
"""Seconds between a standby's looks at the Lease: waiting longer would test nothing."""
ANSWERS: Final = "60"
"""Seconds in which the API server has to answer: of a write whose answer is given up nobody knows, so no table has it."""
LEASE_TERMS: Final = {**PATIENT, "lease_retry_seconds": LOOKS, "request_timeout_seconds": ANSWERS}
"""Here the Lease of a dead operator is deleted by hand. It never runs out by itself, however slow the machine is: a second
who takes over before the test has seen the first die would make the write that the first must not have made."""


@dataclass(frozen=True, slots=True)
class Point:
    """The `nth` write of a kind in a story. `write` is a row of `Story.writes`: OBJECT: WHAT."""

    write: str
    nth: int = 1

    def __str__(self) -> str:
        number = f"-{self.nth}" if self.nth > 1 else ""
        return "-".join(self.write.replace("/", " ").replace(":", "").split()) + number

    def orders(self, when: str, life: Life) -> Orders:
        """The orders to die there."""
        about, _, what = self.write.partition(": ")
        return Orders(when, life.object(about), what, self.nth)


def points(story: Story) -> Iterator[Point]:
    """Every write of a story that is swept."""
    seen = Counter[str]()
    for write in story.expected():
        seen[write] += 1
        if story.is_swept(write, seen[write]):
            yield Point(write, seen[write])


def told_of(life: Life, write: Written) -> str:
    """A write as the table names it; empty where it is about another life, or only shows figures."""
    about = "" if write.is_figures else life.about(write)
    return f"{about}: {write.what}" if about else ""


class Seat(OperatorProcess):
    """A place from which one operator after the other is forked; it stays, and so does what Python has loaded."""

    def __init__(self, cluster: Cluster, name: str, folder: Folder) -> None:
        """Load it all once; nothing runs yet."""
        launch = Launch("tests.faults.operator", {FOLDER: str(folder.path), WAITS: "yes"})
        super().__init__(cluster, name, launch, **LEASE_TERMS)
        self._folder = folder
        super().start()

    def start(self) -> None:
        """Make ready for the next life; `Folder.let_go` begins it."""
        self._folder.clear(self.name)

    def kill(self) -> None:
        """End what runs here, if anything does; gone on return."""
        if not self._folder.waits(self.name):
            wait_until(lambda: self._pid() is not None, f"{self.name} has begun", 120)
            if self.code() is None and (pid := self._pid()):
                with contextlib.suppress(ProcessLookupError):  # it has ended by itself just now
                    os.kill(pid, signal.SIGKILL)
            wait_until(lambda: self.code() is not None, f"{self.name} has ended", 120)

    def _pid(self) -> int | None:
        return self._folder.told(self.name, "pid")

    def code(self) -> int | None:
        """How the operator here ended; None while it lives or was not let go."""
        return self._folder.told(self.name, "code")


class Succession:
    """Operators, one after the other: while one acts, the next two are loaded, so that nobody waits for Python."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        """Start the first; the others are loaded."""
        self.folder = Folder(folder)
        self.seats = [Seat(cluster, name, self.folder) for name in SEATS]
        self.folder.let_go(self.acting.name)
        until_acting(self.acting)
        self.stage = new_stage(cluster, self.acting)
        self._lives = itertools.count()
        self._ends: dict[str, End] = {}

    @property
    def acting(self) -> Seat:
        """Who acts."""
        return self.seats[0]

    def new_life(self, story: Story) -> Life:
        """One that has not begun; of earlier ones nothing is left that costs time.

        Whoever begins to act tells of the newest done requests again, and who looks for an Event or a write reads them all.
        """
        operator = connection(self.acting.identity.kubeconfig)  # nobody else may
        for request in self.stage.all("apr", labelSelector=f"{DONE}=true"):
            operator.must(Call(self.stage.path("apr", request["metadata"]["name"]), how="delete"))
        self.stage.api().must(Call(self.stage.path("events"), how="delete"))
        self.folder.forget_writes()
        return story.new_life(self.stage, f"{story.name}-{next(self._lives)}")

    def writes(self, life: Life) -> list[str]:
        """What was written in a life, in order."""
        return [told for write in self.folder.writes() if (told := told_of(life, write))]

    def until_written(self, life: Life, expected: Iterable[str]) -> list[str]:
        """What was written in a life, as soon as all that is expected stands there.

        A write is noted with its answer: others may have seen by then what it brought.
        """
        wanted = Counter(expected)
        with contextlib.suppress(TimeIsUpError):  # who asks compares, and says what is missing
            wait_until(lambda: not wanted - Counter(self.writes(life)), f"all writes of {life.name} are noted", 60)
        return self.writes(life)

    def undisturbed(self, story: Story) -> tuple[Life, End]:
        """A life that nothing disturbs, and how it ends."""
        self._revive()
        life = self.new_life(story)
        life.begin()
        life.live()
        return life, life.until_settled()

    def end_of(self, story: Story) -> End:
        """How a life ends that nothing disturbs."""
        if story.name not in self._ends:
            life, self._ends[story.name] = self.undisturbed(story)
            life.forget()
        return self._ends[story.name]

    def live_and_die(self, life: Life, point: Point) -> End:
        """Live a life in which the operator dies before that write, and its successor after it; answers how it ends."""
        expected = self.end_of(life.story)
        self._revive()
        first, second, third = self.seats
        self.folder.order(first.name, point.orders("before", life))
        self.folder.order(second.name, point.orders("after", life))
        self.folder.let_go(second.name)
        life.begin()
        written = self._until_killed(life, first, f"before {point}")
        assert written.count(point.write) == point.nth - 1, written
        self._until_killed(life, second, f"after {point}", or_over=life.story.may_merge(point.write))
        if second.code() is None:
            self.seats, self.stage.operator = [second, third, first], second
        else:
            assert self.writes(life)[-1] == point.write
            self.folder.let_go(third.name)
            self.seats, self.stage.operator = [third, first, second], third
            second.start()
        first.start()
        life.live()
        return life.until_settled(expected)

    def live_unanswered(self, life: Life) -> End:
        """Live a life in which every write of the operator lands and the answer is lost; answers how it ends.

        It is one process from the beginning to the end, and learns by its watches what it has done.
        """
        expected = self.end_of(life.story)
        self._revive()
        before = self.acting.log(100_000).count(UNHEARD)
        self.folder.order(self.acting.name, Orders("unheard", f"*{life.name}*"))
        life.begin()
        life.live()
        told = life.until_settled(expected)
        self.folder.countermand(self.acting.name)
        assert self.acting.code() is None
        assert self.acting.log(100_000).count(UNHEARD) > before
        return told

    def die_and_stay_away(self, life: Life, when: str, point: Point, steps: int) -> None:
        """The operator dies there, and nobody takes over before so many steps of the life are taken."""
        self._revive()
        first, second, third = self.seats
        self.folder.order(first.name, point.orders(when, life))
        life.begin()
        self._until_killed(life, first, f"{when} {point}")
        wait_until(lambda: life.has_taken(steps), f"{life.name} has gone on without anybody", 180)
        self.seats, self.stage.operator = [second, third, first], second
        self.folder.let_go(second.name)
        first.start()

    def close(self) -> None:
        """End them all; whatever they wrote on the way, no error that nobody expected."""
        for seat in self.seats:
            seat.kill()
            assert "Traceback" not in seat.log(100_000), seat.log(400)

    def _until_killed(self, life: Life, seat: Seat, where: str, *, or_over: bool = False) -> list[str]:
        """Answers what is written by then; only afterwards can its successor begin."""

        def dead() -> bool:
            life.advance()
            return seat.code() is not None or (or_over and life.ended())

        try:
            wait_until(dead, f"{seat.name} dies {where}", 180)
        except Exception as error:
            raise AssertionError(f"{error}\n{life.where()}\n{self.writes(life)}\n{seat.log(30)}") from error
        written = self.writes(life)
        if or_over and seat.code() is None:
            return written
        assert seat.code() == KILLED, f"{seat.name} ended otherwise: {seat.code()}\n{seat.log(40)}"
        self._free_lease()
        return written

    def _revive(self) -> None:
        """Begin anew where a life before this one has failed; in any case, who shall act does.

        The last operator of a life that was over before it led would else run for the Lease beside the next standby.
        """
        if self.acting.code() is not None or not all(self.folder.waits(seat.name) for seat in self.seats[1:]):
            for seat in self.seats:
                seat.kill()
                seat.start()
            self._free_lease()
            self.folder.let_go(self.acting.name)
        until_acting(self.acting)

    def _free_lease(self) -> None:
        """Who is surely dead need not be waited for."""
        self.stage.api().send(Call(LEASE, how="delete"))
