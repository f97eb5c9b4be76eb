"""The two replicas of the operator: kept up as a kubelet would, asked how they do, and measured from outside."""

import asyncio
import os
import time
from pathlib import Path
from typing import Final

import aiohttp

from controlplane import Cluster
from playground import OperatorProcess
from tests.soak.leaks import Life, Sample
from tests.soak.record import Window

SETTINGS: Final = {
    "default_timeout_seconds": "30",
    "default_retention_seconds": "20",
    "retention_sweep_seconds": "3",
    "resync_seconds": "45",
    "max_pending_per_author": "500",
    "robot_users": "robot-ci",
}
BACK: Final = 150.0  # seconds within which somebody acts again, whatever happened
TOKEN: Final = 1800.0  # seconds after which the pods' tokens are minted anew
_MEGABYTE = 2**20
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Replicas:
    """Both processes. `down`: those that a fault keeps down for now."""

    def __init__(self, cluster: Cluster) -> None:
        """Mint identities; nothing runs yet."""
        self.both = [OperatorProcess(cluster, f"soak-{number}", None, **SETTINGS) for number in (0, 1)]
        self.down: set[str] = set()
        self.frozen: set[str] = set()
        self.windows: list[Window] = []
        self.complaints: list[str] = []
        self.ends = 0
        self._lives: dict[str, list[Life]] = {process.name: [] for process in self.both}
        self._session: aiohttp.ClientSession | None = None

    # ---- asked

    async def acts(self) -> OperatorProcess | None:
        """The replica that leads with the wall proven, or None."""
        for process in self.both:
            if process.name not in self.frozen and await self._metrics(process) == (1.0, 1.0):
                return process
        return None

    async def _metrics(self, process: OperatorProcess) -> tuple[float, float]:
        """Whether it leads, and whether it holds the wall for proven."""
        self._session = self._session or aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2), trust_env=False)
        try:
            async with self._session.get(f"http://127.0.0.1:{process.port}/metrics") as reply:
                lines = (await reply.text()).splitlines()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0.0, 0.0
        values = dict(
            line.rsplit(" ", 1) for line in lines if line.startswith(("gatehold_leader ", "gatehold_wall_enforced "))
        )
        return float(values.get("gatehold_leader", 0)), float(values.get("gatehold_wall_enforced", 0))

    async def until_acting(self, why: str) -> None:
        """Wait until one acts; nobody for too long is a violation."""
        end = time.monotonic() + BACK
        while await self.acts() is None:
            if time.monotonic() > end:
                self.complaints.append(f"nobody acted within {BACK:.0f} s after: {why}")
                return
            await asyncio.sleep(0.5)

    # ---- kept

    async def keep(self) -> None:
        """Start again what has ended, unless a fault keeps it down; an end that no fault made is a time of its own."""
        while True:
            for process in self.both:
                if process.name not in self.down and process.code() is not None:
                    self.ends += 1
                    began = time.time()
                    await asyncio.sleep(1.0)
                    if process.name not in self.down and process.code() is not None:
                        process.start()
                        await self.until_acting(f"{process.name} ended by itself")
                        self.windows.append(Window(f"{process.name} ended by itself", began - 15, time.time()))
            await asyncio.sleep(0.5)

    async def refresh(self) -> None:
        """Mint tokens before they run out."""
        while True:
            await asyncio.sleep(TOKEN)
            for process in self.both:
                await asyncio.to_thread(process.identity.refresh)

    # ---- measured

    async def measure(self, every: float = 5.0) -> None:
        """Sample memory and descriptors for ever."""
        while True:
            for process in self.both:
                self._sample(process)
            await asyncio.sleep(every)

    def _sample(self, process: OperatorProcess) -> None:
        lives = self._lives[process.name]
        try:
            if not lives or not _is_it(lives[-1].pid, process.port):
                pid = next(filter(lambda p: _is_it(p, process.port), _pids()), None)
                if pid is None:
                    return
                lives.append(Life(process.name, pid, []))
            life = lives[-1]
            assert isinstance(life.samples, list)
            life.samples.append(_look(life.pid))
        except OSError:  # it ended while we looked
            return

    def lives(self) -> list[Life]:
        """Every life that was measured."""
        return [life for lives in self._lives.values() for life in lives if life.samples]

    def latest(self) -> str:
        """Memory and descriptors now, for people."""
        newest = [lives[-1].samples[-1] for lives in self._lives.values() if lives and lives[-1].samples]
        return " ".join(f"{s.memory_mb:.0f}MB/{s.files}fd" for s in newest)

    def tracebacks(self) -> list[str]:
        """What must not stand in a log."""
        found = []
        for process in self.both:
            lines = process.log(10_000_000).splitlines()
            found += [
                f"{process.name}: " + "\n".join(lines[max(0, n - 3) : n + 40])
                for n, line in enumerate(lines)
                if "Traceback" in line
            ]
        return found

    async def close(self) -> None:
        """End the measuring session; the processes end with the control plane."""
        if self._session is not None:
            await self._session.close()


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _is_it(pid: int, port: int) -> bool:
    try:
        return f"GATEHOLD_HTTP_PORT={port}\0".encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False


def _look(pid: int) -> Sample:
    """Resident memory, open descriptors, and how many of them are sockets."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    names = [_target(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    return Sample(time.time(), pages * _PAGE / _MEGABYTE, len(names), sum(name.startswith("socket:") for name in names))


def _target(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except OSError:
        return ""
