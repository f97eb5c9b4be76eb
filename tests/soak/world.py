"""The soak from beginning to end: the scene, life and faults side by side, rest, and the checks."""

import asyncio
import contextlib
import json
import time
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from controlplane import ControlPlane
from playground import bind_people, install, wait_enforced
from tests.soak import cast, invariants
from tests.soak.door import Door, open_door, path
from tests.soak.edits import Editor
from tests.soak.faults import Faults
from tests.soak.journal import KINDS, Journal
from tests.soak.leaks import LONG, Growth, growths, leaks
from tests.soak.leaks import Life as Process
from tests.soak.life import Life, Town, until
from tests.soak.record import Facts, Story, Violation, Window, seconds
from tests.soak.replicas import BACK, Replicas
from tests.soak.script import write

STORM = 0.5  # the part of the run in which everything is broken that can be
CALM_BEFORE_END = 20.0
REST = 240.0  # seconds that everything may take to come to rest once nothing is broken any more
ENOUGH = 240.0  # seconds by which a run is made longer where too little has happened to say anything
SLOW = 1.5  # seconds beyond which a machine that lets us wait for the least thing is no witness of what comes too late


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may ask for."""

    minutes: float = 30.0
    seed: int = 1
    rate: float = 1.2  # questions a second, at most
    live: int = 60  # questions under way, at most
    longest: float = 20.0  # seconds of the longest single fault
    least: int = 0  # requests that there have to be before the run may end
    ends: frozenset[str] = frozenset()  # phases in which some of them have to be


@dataclass
class Outcome:
    """What came of it."""

    options: Options
    facts: Facts
    violations: list[Violation] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    said: dict[str, list[str]] = field(default_factory=dict)
    growths: list[tuple[Process, list[Growth]]] = field(default_factory=list)
    holes: int = 0
    whole: dict[str, int] = field(default_factory=dict)  # the rules about the run itself: name and violations
    logs: dict[str, str] = field(default_factory=dict)


Progress = Callable[["World"], None]


class World:
    """One run on one control plane."""

    def __init__(self, plane: ControlPlane, options: Options) -> None:
        """Install everything; the operators run and have proven the wall when this returns."""
        self.plane = plane
        self.options = options
        install(plane)
        for namespace in cast.NAMESPACES:
            bind_people(plane, namespace)
        objects = [*map(cast.policy, cast.POLICIES), *cast.grant()]
        plane.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
        self.replicas = Replicas(plane)
        for process in self.replicas.both:
            process.start()
        wait_enforced(plane, BACK)
        self.began = time.monotonic()
        self.stage = "begins"
        self.lives: set[asyncio.Task[None]] = set()
        self.slips: list[str] = []
        self.slow: list[Window] = []
        self.town: Town
        self.faults: Faults

    async def run(self, progress: Progress) -> Outcome:
        """Everything."""
        async with _doors(self.plane) as doors:
            self.town = Town(doors, Journal(doors["admin"]))
            self.faults = Faults(self.plane, self.replicas, self.town, self.options.seed)
            self.began = time.monotonic()
            background: list[Coroutine[Any, Any, None]] = [self.town.journal.keep(kind) for kind in KINDS]
            background += [self.replicas.keep(), self.replicas.measure(), self.replicas.refresh(), self._show(progress)]
            background += [self._heed()]
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(part) for part in background]
                await self._live()
                now = await self._rest()
                complete = await self._missed()
                for task in tasks:
                    task.cancel()
            await self.replicas.close()
        return self._outcome(now, complete)

    # ---- the three acts

    async def _live(self) -> None:
        """People and faults, until the time is over."""
        options = self.options
        whole = options.minutes * 60
        edits = Editor(self.town, options.seed, pace=2.0 if whole < 300 else 1.0)
        async with asyncio.TaskGroup() as group:
            asking, editing = group.create_task(self._ask()), group.create_task(edits.run())
            self.stage = "storm"
            await self.faults.storm(self.began + whole * STORM, options.longest)
            self.stage = "calm"
            await self.faults.calm(self.began + whole - min(CALM_BEFORE_END, whole / 6), options.longest)
            await asyncio.sleep(max(0.0, self.began + whole - time.monotonic()))
            await until(self._happened, ENOUGH)
            for task in (asking, editing):
                task.cancel()
        for name in cast.POLICIES:
            await edits.restore(name)

    def _happened(self) -> bool:
        """Whether enough has happened to say anything; a slow machine gets less done in its time."""
        stories = _ours(self.town.journal.stories("apr")).values()
        return len(stories) >= self.options.least and self.options.ends <= {story.last.phase for story in stories}

    async def _ask(self) -> None:
        """One life after the other, no faster than the machine likes."""
        lives, number = self.lives, 0
        while True:
            await asyncio.sleep(max(1 / self.options.rate, 4 * self.town.slow))
            if len(lives) < self.options.live and self.town.slow < 2.0:
                task = asyncio.get_running_loop().create_task(Life(self.town, write(self.options.seed, number)).run())
                number += 1
                lives.add(task)
                task.add_done_callback(self._lived)

    def _lived(self, task: asyncio.Task[None]) -> None:
        self.lives.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self.slips.append("".join(traceback.format_exception(error)))

    async def _rest(self) -> float:
        """Wait until nothing moves any more; what does not come to rest is found by the checks."""
        self.stage = "comes to rest"
        await self.replicas.until_acting("the last fault")
        end, still = time.monotonic() + REST, 0
        while time.monotonic() < end and still < 6:
            await asyncio.sleep(0.5)
            still = 0 if any(map(_moves, self.town.journal.latest["apr"].values())) else still + 1
        for task in list(self.lives):
            task.cancel()
        await asyncio.gather(*self.lives, return_exceptions=True)
        return time.time()

    async def _missed(self) -> list[str]:
        """Whether the journal knows all that the API server has."""
        answer = await self.town.doors["admin"].surely("GET", path("apr"))
        there = {body["metadata"]["uid"]: str(body["metadata"]["name"]) for body in answer.body["items"]}
        await until(lambda: there.keys() <= self.town.journal.stories("apr").keys(), 30)  # it hears of them a moment later
        return [name for uid, name in there.items() if uid not in self.town.journal.stories("apr")]

    async def _heed(self) -> None:
        """Note when the machine itself stands still: a second of ours, or the least question to the API server."""
        while True:
            began, wanted = time.time(), time.monotonic() + 0.5
            await asyncio.sleep(0.5)
            await self.town.doors["admin"].send("GET", "/version")
            if time.monotonic() - wanted > SLOW:
                self.slow.append(Window("the machine stands still", began, time.time()))

    async def _show(self, progress: Progress) -> None:
        while True:
            progress(self)
            await asyncio.sleep(1.0)

    # ---- what came of it

    def _outcome(self, now: float, missed: list[str]) -> Outcome:
        journal, town = self.town.journal, self.town
        facts = Facts(
            jobs=_ours(journal.stories("job")),
            requests=_ours(journal.stories("apr")),
            pods=journal.pods_by_job(),
            policies=journal.policies(),
            faults=[*self.faults.windows, *self.replicas.windows, *self.slow],
            deleted=frozenset(town.deleted),
            now=now,
        )
        lives = self.replicas.lives()
        outcome = Outcome(self.options, facts, counts=dict(town.count), said=dict(town.said), holes=len(journal.holes))
        whole = self._of_the_whole(missed)
        outcome.whole = {name: len(texts) for name, texts in whole.items()}
        outcome.violations = [*invariants.of_all(facts)]
        outcome.violations += [Violation(name, "", "the run:", text) for name, texts in whole.items() for text in texts]
        outcome.growths = [(life, growths(life)) for life in lives if life.lasted >= LONG]
        outcome.counts["ends of an operator that no fault made directly"] = self.replicas.ends
        outcome.logs = {process.name: process.log(10_000_000) for process in self.replicas.both}
        return outcome

    def _of_the_whole(self, missed: list[str]) -> dict[str, list[str]]:
        lives, long = self.replicas.lives(), self.options.minutes * 60 * (1 - STORM) > LONG + 60
        found = {
            "nothing_illegal_is_let_in": self.town.let_in,
            "somebody_acts_again_after_every_fault": self.replicas.complaints,
            "no_traceback_in_a_log": self.replicas.tracebacks(),
            "memory_and_descriptors_are_flat": list(leaks(lives)) if long else [],
            "the_journal_is_whole": missed,
            "the_soak_itself_works": self.slips,
        }
        if long and not any(life.lasted >= LONG for life in lives):
            found["memory_and_descriptors_are_flat"].append("no process lived long enough to be measured")
        return found


@contextlib.asynccontextmanager
async def _doors(plane: ControlPlane) -> AsyncIterator[dict[str, Door]]:
    """Everybody's."""
    paths: dict[str, Path] = {name: plane.user(name, group) for name, group in cast.PEOPLE.items()}
    doors = {name: open_door(kubeconfig) for name, kubeconfig in (paths | {"admin": plane.admin_kubeconfig}).items()}
    try:
        yield doors
    finally:
        for door in doors.values():
            await door.close()


def _ours(stories: dict[str, Story]) -> dict[str, Story]:
    """Without the operator's own probe."""
    return {uid: story for uid, story in stories.items() if story.name.split("/")[0] in cast.NAMESPACES}


def _moves(body: cast.Body) -> bool:
    """Whether a request has somewhere to go soon."""
    status = body.get("status") or {}
    if body["metadata"]["namespace"] not in cast.NAMESPACES:
        return False
    if (body["metadata"].get("labels") or {}).get("gatehold.dev/done") == "true":
        return False
    deadline = status.get("deadline")
    return status.get("phase") != "Pending" or deadline is None or seconds(deadline) < time.time() + 60
