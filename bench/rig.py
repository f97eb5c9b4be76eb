"""What one number of others pending is measured on: a control plane, the operator, the bare loop, and those others."""

import asyncio
import contextlib
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench import stage
from bench.etcd import JOBS as JOBS_KEY
from bench.etcd import REQUESTS as REQUESTS_KEY
from bench.etcd import Etcd
from bench.seeds import Seeds
from bench.seen import Seen, decided, running, watching
from bench.stage import NAMESPACE, PATIENCE, Hands
from controlplane import ControlPlane, wait_until
from controlplane.errors import TimeIsUpError
from gatehold.kube.resources import JOBS, REQUESTS
from playground import Launch, OperatorProcess, bind_people, install, wait_enforced
from playground.operator_process import PATIENT

Body = dict[str, Any]
ROOT: Final = Path(__file__).resolve().parent.parent
PENDING: Final = 'gatehold_requests{phase="Pending"}'
_SITE: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Rig:
    """Everything a measurement needs."""

    def __init__(self, plane: ControlPlane, who: Hands, operator: OperatorProcess, pending: int) -> None:
        """Use `rig()`, which also fills it."""
        self.plane = plane
        self.who = who
        self.operator = operator
        self.pending = pending
        self.etcd: Etcd
        self._present: list[str] = []
        self.decided: Seen
        self.released: Seen
        self.say: Callable[[str], None] = lambda _: None
        self.stopwatch: dict[str, str] = {}
        self._held: Seeds
        self._bare = 0
        self._tags = 0

    async def fill(self) -> None:
        """Make the policies, the others that wait, and the pattern of what will be decided."""
        for name in (stage.POLICY, stage.IDLE_POLICY):
            await stage.policy(self.who, name)
        await stage.ask(self.who, "pattern", stage.IDLE_POLICY)
        await stage.ask(self.who, "pattern-held", held=await stage.job(self.who, "pattern-held"))
        idle = Seeds(await stage.prepared(self.who, "pattern"))
        self._held = Seeds(await stage.prepared(self.who, "pattern-held"))
        await self.etcd.put(NAMESPACE, idle.idle("idle", self.pending))
        await self.until_known(self.pending)

    # ---- what will be decided, and what is

    def names(self, whose: str, count: int) -> list[str]:
        """New names; `whose` is ours or bare."""
        self._tags += 1
        return [f"{whose}-{self._tags}-{number}" for number in range(count)]

    async def held(self, names: Sequence[str], *, bare: bool = False, deadline: str = "") -> None:
        """Held Jobs and their prepared requests."""
        made = await stage.jobs(self.who, names)
        self._present += names
        await self.etcd.put(NAMESPACE, (self._held.about(job, bare=bare, deadline=deadline) for job in made))

    async def sweep(self) -> None:
        """Take away what was measured, so that no round is heavier than the last."""
        for kind in (REQUESTS_KEY, JOBS_KEY):
            await self.etcd.remove(kind, NAMESPACE, self._present)
        self._present.clear()
        await self.until_known(self.pending)

    async def decide(self, name: str) -> tuple[float, float, float]:
        """Approve it: when that was sent, when it was written, when the release was seen.

        Written: acknowledged, or seen on our watch, whichever was first. On a busy machine the watch is, and both loops
        have begun before the person knows.
        """
        sent = time.perf_counter()
        await stage.say(self.who, name, "approve")
        answered = time.perf_counter()
        released = await self.released.wait([name], PATIENCE)
        return sent, min(answered, self.decided.at.get(name, answered)), released

    @property
    def spans(self) -> Path:
        """Where the stopwatches write."""
        return Path(self.stopwatch["BENCH_SPANS"])

    # ---- the operator and the bare loop as processes

    async def until_known(self, pending: int, seconds: float = PATIENCE) -> None:
        """Wait until the operator knows that many pending and has looked at each."""

        def knows() -> bool:
            # the two patterns wait too
            return metric(self.operator, PENDING) == pending + 2 and not metric(self.operator, "gatehold_queue_depth")

        try:
            await asyncio.to_thread(wait_until, knows, f"the operator knows {pending} pending", seconds + pending / 200)
        except TimeIsUpError as error:
            known = metric(self.operator, PENDING)
            raise TimeIsUpError(f"{error}; it knows {known} with two patterns\n{self.operator.log(20)}") from error

    async def until_acting(self, operator: OperatorProcess, seconds: float = PATIENCE) -> None:
        """Wait until this replica acts."""
        acts = lambda: metric(operator, "gatehold_leader") == 1  # noqa: E731 - a name for what is waited for
        await asyncio.to_thread(wait_until, acts, f"{operator.name} acts", seconds + self.pending / 200)

    async def stop(self, operator: OperatorProcess) -> None:
        """End it as a rollout does: it gives its Lease away."""
        await asyncio.to_thread(operator.stop, PATIENCE)

    @contextlib.asynccontextmanager
    async def bare(self, *args: str, of: str = NAMESPACE) -> AsyncIterator[None]:
        """The bare loop for a namespace, with the operator's account, started as the operator is."""
        self._bare += 1
        name = f"bare-{self._bare}"
        kubeconfig = str(self.operator.identity.kubeconfig)
        module = "bench.spans" if self.stopwatch else "bench.bare"
        self.plane.start_program(name, [*python(self.stopwatch), "-m", module, kubeconfig, of, *args])
        try:
            yield
        except TimeoutError as error:
            raise TimeoutError(f"the bare loop says: {self.plane.program_log(name)}") from error
        finally:
            self.plane.signal_program(name, signal.SIGKILL)
        if "failed:" in self.plane.program_log(name):  # it wrote less than the operator does: no figure to go by
            raise RuntimeError(f"the bare loop says: {self.plane.program_log(name)}")

    async def bare_ready(self) -> None:
        """Wait until the newest bare loop has said that it watches."""
        name = f"bare-{self._bare}"
        await asyncio.to_thread(wait_until, lambda: "ready" in self.plane.program_log(name), f"{name} is ready", PATIENCE)


@contextlib.asynccontextmanager
async def rig(pending: int, say: Callable[[str], None], *, spans: bool = False) -> AsyncIterator[Rig]:
    """A fresh control plane with Gatehold on it, and that many questions that nobody answers; `spans`: with stopwatches."""
    say(f"{pending} others pending: setting up")
    with ControlPlane.start() as plane:
        install(plane)
        bind_people(plane, NAMESPACE)
        stopwatch = {"BENCH_SPANS": str(plane.directory / "spans")}
        launch = Launch(module="bench.spans", variables=stopwatch) if spans else None
        operator = OperatorProcess(plane, launch=launch, max_pending_per_author="1000000", **PATIENT)
        operator.start()
        wait_enforced(plane, PATIENCE)
        async with stage.hands(plane) as who, Etcd(plane) as etcd:
            made = Rig(plane, who, operator, pending)
            made.etcd = etcd
            made.say = say
            made.stopwatch = stopwatch if spans else {}
            await made.fill()
            async with (
                watching(who.admin, REQUESTS, NAMESPACE, decided) as made.decided,
                watching(who.admin, JOBS, NAMESPACE, running, "gatehold.dev/hold") as made.released,
            ):
                yield made


def python(variables: Mapping[str, str]) -> list[str]:
    """How a program of ours is started beside the components."""
    places = os.pathsep.join(map(str, (ROOT / "operator", ROOT / "hack", ROOT)))
    pairs = [f"{key}={value}" for key, value in ({"PYTHONPATH": places} | dict(variables)).items()]
    return ["/usr/bin/env", *pairs, sys.executable]


def metrics(operator: OperatorProcess) -> str:
    """The operator's own figures; empty where nobody answers."""
    try:
        with _SITE.open(f"http://127.0.0.1:{operator.port}/metrics", timeout=5) as answer:
            return str(answer.read().decode())
    except (urllib.error.URLError, OSError):
        return ""


def metric(operator: OperatorProcess, series: str) -> float | None:
    """One of them; None where it is not told."""
    lines = (line.rsplit(" ", 1) for line in metrics(operator).splitlines() if not line.startswith("#"))
    return next((float(value) for name, value in lines if name == series), None)
