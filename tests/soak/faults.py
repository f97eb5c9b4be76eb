"""The faults of the soak, one after the other, drawn from the seed: replicas, control plane, wall; each is mended again."""

import asyncio
import signal
import time
from collections.abc import Awaitable, Callable
from copy import deepcopy
from random import Random

from controlplane import Component, ControlPlane
from playground import OperatorProcess
from tests.e2e.gaps import put, shipped
from tests.soak import cast
from tests.soak.door import Call, annotate, path
from tests.soak.life import Town, until
from tests.soak.record import Window
from tests.soak.replicas import BACK, Replicas

Fault = Callable[[], Awaitable[None]]
VAP, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
PARTS = (
    (VAP, "gatehold-requests"),
    (BINDING, "gatehold-requests"),
    (VAP, "gatehold-requests"),
    (VAP, "gatehold-status"),
    (BINDING, "gatehold-jobs"),
    ("MutatingAdmissionPolicy", "gatehold-stamp"),
)
STAMP = "gatehold-stamp"
_PROBE = ("apr", "gatehold-system", "gatehold-probe")
TRIES = {
    "gatehold-requests": (
        "admin",
        annotate(path(*_PROBE), {"verdict.gatehold.dev/999": "approve||nobody|somebody||forged"}),
    ),
    "gatehold-status": ("admin", Call("PATCH", path(*_PROBE, "status"), {"status": {"approvals": "99/99"}})),
    "gatehold-jobs": ("admin", Call("POST", path("job", cast.AUTOMATIC), cast.unheld("try", cast.AUTOMATIC, "two"))),
    STAMP: ("ci", Call("POST", path("apr", cast.AUTOMATIC), cast.request("try", cast.AUTOMATIC, "two", {}))),
}
"""What shows, as a dry run, that a part of the wall is in force: that part refuses it; where it stamps, it is let in."""


class Faults:
    """Makes trouble until told to stop."""

    def __init__(self, plane: ControlPlane, replicas: Replicas, town: Town, seed: int) -> None:
        """Nothing is broken yet."""
        self.plane = plane
        self.replicas = replicas
        self.town = town
        self.dice = Random(f"{seed}/faults")
        self.windows: list[Window] = []
        self.now = ""

    async def storm(self, end: float, longest: float) -> None:
        """Everything, in quick succession, until that monotonic time."""
        drawn: dict[Fault, float] = {
            self.end_leader: 3,
            self.kill_leader: 3,
            self.kill_both: 1,
            self.freeze_leader: 3,
            self.kill_standby: 1,
            self.kill_api_server: 2,
            self.freeze_api_server: 2,
            self.restart_etcd: 1,
            self.restart_controllers: 1,
            self.open_wall: 3,
            self.open_wall_and_kill: 1,
        }
        await self._series(drawn, end, (3.0, 12.0), longest)

    async def calm(self, end: float, longest: float) -> None:
        """Faults that the first replica lives through, with time between them in which everything must be on time."""
        drawn: dict[Fault, float] = {self.shake_second: 3, self.blink: 2, self.open_wall: 1}
        await self._series(drawn, end, (35.0, 70.0), longest)

    async def _series(self, drawn: dict[Fault, float], end: float, pause: tuple[float, float], longest: float) -> None:
        while True:
            quiet, left = self.dice.uniform(*pause) * min(1.0, longest / 10.0), end - time.monotonic()
            await asyncio.sleep(max(0.0, min(quiet, left)))
            if quiet >= left:
                return
            fault = self.dice.choices(list(drawn), list(drawn.values()))[0]
            self.longest = longest
            name = fault.__name__.replace("_", " ")
            began, self.now = time.time(), name
            self.town.count[f"fault: {name}"] += 1
            await fault()
            await self.replicas.until_acting(name)
            self.windows.append(Window(name, began, time.time(), open="wall" in name))
            self.now = ""

    def _while(self, low: float, high: float) -> float:
        return min(self.dice.uniform(low, high), self.longest)

    # ---- replicas

    async def _leader(self) -> OperatorProcess:
        found = await self.replicas.acts()
        return found if found is not None else self.replicas.both[0]

    async def end_leader(self) -> None:
        """SIGTERM, as a rollout does."""
        await self._bounce(await self._leader(), signal.SIGTERM)

    async def kill_leader(self) -> None:
        """kill -9."""
        await self._bounce(await self._leader(), signal.SIGKILL)

    async def kill_standby(self) -> None:
        """kill -9 of the one that does not act."""
        leader = await self._leader()
        await self._bounce(next(p for p in self.replicas.both if p is not leader), signal.SIGKILL)

    async def kill_both(self) -> None:
        """Nobody is left."""
        await asyncio.gather(*(self._bounce(process, signal.SIGKILL) for process in self.replicas.both))

    async def freeze_leader(self) -> None:
        """SIGSTOP for longer or shorter than its Lease, then SIGCONT."""
        await self._freeze(await self._leader(), self._while(2, 20))

    async def shake_second(self) -> None:
        """Anything of these, to the second replica."""
        process = self.replicas.both[1]
        how = self.dice.choice([signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP])
        await (self._freeze(process, self._while(2, 15)) if how == signal.SIGSTOP else self._bounce(process, how))

    async def _bounce(self, process: OperatorProcess, number: signal.Signals) -> None:
        """Have it end, and come back after a while."""
        self.replicas.down.add(process.name)
        try:
            if process.code() is None:
                await asyncio.to_thread(process.cluster.signal_program, process.name, number)
            if not await until(lambda: process.code() is not None, BACK):
                self.replicas.complaints.append(f"{process.name} did not end within {BACK:.0f} s of signal {number.name}")
                process.kill()
            await asyncio.sleep(self._while(0, 6))
            process.start()
        finally:
            self.replicas.down.discard(process.name)

    async def _freeze(self, process: OperatorProcess, seconds: float) -> None:
        if process.code() is not None:
            return
        self.replicas.frozen.add(process.name)
        process.cluster.signal_program(process.name, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        process.cluster.signal_program(process.name, signal.SIGCONT)
        self.replicas.frozen.discard(process.name)

    # ---- control plane

    async def kill_api_server(self) -> None:
        """kill -9, and back after some seconds."""
        await asyncio.to_thread(self.plane.kill, Component.API_SERVER)
        await asyncio.sleep(self._while(0, 8))
        await asyncio.to_thread(self.plane.restart, Component.API_SERVER)

    async def freeze_api_server(self) -> None:
        """Connections stay open, nothing answers."""
        await self._stop_still(self._while(2, 15))

    async def blink(self) -> None:
        """The same, too short to lose a Lease."""
        await self._stop_still(self.dice.uniform(0.5, 2.0))

    async def _stop_still(self, seconds: float) -> None:
        self.plane.freeze(Component.API_SERVER)
        await asyncio.sleep(seconds)
        self.plane.thaw(Component.API_SERVER)

    async def restart_etcd(self) -> None:
        """kill -9 and start again."""
        await asyncio.to_thread(self.plane.restart, Component.ETCD)

    async def restart_controllers(self) -> None:
        """Nobody starts a pod for a moment."""
        await asyncio.to_thread(self.plane.restart, Component.CONTROLLERS)

    # ---- the wall

    async def open_wall(self) -> None:
        """Take a part of it away, forge what can be forged, put it back."""
        await self._gap(None)

    async def open_wall_and_kill(self) -> None:
        """The same, and the leader dies in the gap."""
        await self._gap(await self._leader())

    async def _gap(self, victim: OperatorProcess | None) -> None:
        kind, name = self.dice.choice(PARTS)
        text, self.town.gap = shipped(kind, name), True
        await self._put(text, None)
        try:
            if victim is not None:
                await self._bounce(victim, signal.SIGKILL)
            end = time.monotonic() + self._while(3, 9)
            while time.monotonic() < end:
                await (self._forge() if name == "gatehold-requests" else asyncio.sleep(1))
        finally:
            await self._put(text, text)
            await self._proven_again(name)
            self.town.gap = False

    async def _proven_again(self, name: str) -> None:
        """The API server takes a policy up within a second or two, or more, and the operator proves it after that.

        What it proves is that forged verdicts and statuses are refused: of another part that says nothing.
        """
        await asyncio.sleep(3.0)
        end = time.monotonic() + BACK
        while not await self._in_force(name):
            if time.monotonic() > end:
                self.replicas.complaints.append(f"{name} was not in force again within {BACK:.0f} s")
                break
            await asyncio.sleep(0.3)
        await self.replicas.until_acting("the wall was put back")

    async def _in_force(self, name: str) -> bool:
        who, call = TRIES[name]
        answer = await self.town.doors[who].send(*call, dryRun="All")
        return answer.ok if name == STAMP else f"'{name}'" in answer.message

    async def _put(self, text: cast.Body, wanted: cast.Body | None) -> None:
        change = None if wanted is None else deepcopy(wanted)
        for _ in range(20):
            try:
                await asyncio.to_thread(put, self.plane, text, change)
            except Exception as error:  # noqa: BLE001 - whatever it was, the wall must not stay as it is
                self.town.said["wall"].append(str(error)[:200])
                await asyncio.sleep(1)
            else:
                return
        self.replicas.complaints.append(f"{text['metadata']['name']} could not be put back")

    async def _forge(self) -> None:
        """Mallory writes verdicts in the names of others on requests that wait."""
        await asyncio.sleep(0.4)
        waiting = [b for b in self.town.journal.latest["apr"].values() if _waits(b)]
        for body in self.dice.sample(waiting, min(3, len(waiting))):
            meta, status = body["metadata"], body["status"]
            used = [int(k.split("/")[1]) for k in meta.get("annotations", {}) if k.startswith("verdict.gatehold.dev/")]
            number = max([*used, *(int(v["id"]) for v in status.get("verdicts", [])), -1]) + 1
            who, word, role = self.dice.choice(
                [("alice", "approve", "sre"), ("bob", "approve", "sre"), ("dana", "override", "")]
            )
            line = f"{word}|{status['requestDigest']}|{role}|{who}||{cast.FORGED} in the gap"
            patch = {"metadata": {"annotations": {f"verdict.gatehold.dev/{number}": line}}}
            name = meta["name"].removesuffix("-rival")
            call = Call("PATCH", path("apr", meta["namespace"], meta["name"]), patch)
            answer = await self.town.do("mallory", name, call, once=True)
            self.town.count["forged verdicts let in"] += answer.ok


def _waits(body: cast.Body) -> bool:
    status = body.get("status") or {}
    return (
        status.get("phase") == "Pending" and "requestDigest" in status and body["metadata"]["namespace"] in cast.NAMESPACES
    )
