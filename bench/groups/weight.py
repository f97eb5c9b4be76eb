"""What many that wait cost: the memory of the operator, and the time until it serves the first decision after a start."""

import asyncio
import re
import time
from pathlib import Path

from bench import stage
from bench.rig import Rig
from bench.rows import Found, Pair
from bench.sizes import Sizes
from controlplane import wait_until
from playground import OperatorProcess


async def start(rig: Rig, sizes: Sizes) -> Found:
    """Process started -> a Job released whose approval was waiting; the bare loop lists page by page and releases one."""
    pairs = []
    for number in range(sizes.rounds):
        rig.say(f"start, round {number + 1} of {sizes.rounds}")
        ours, bare = rig.names("ours", 1), rig.names("bare", 1)
        await rig.held(ours)
        await rig.held(bare, bare=True)
        await rig.until_known(rig.pending + 1)
        await rig.stop(rig.operator)
        await stage.approve_all(rig.who, [*ours, *bare])
        if number % 2 == 0:
            first = await _operator(rig, ours[0])
            pairs.append(Pair(first, await _bare(rig, bare[0])))
        else:
            first = await _bare(rig, bare[0])
            pairs.append(Pair(await _operator(rig, ours[0]), first))
        await rig.sweep()
        await rested(rig, sizes)
    return {"start": pairs}


async def memory(rig: Rig, sizes: Sizes) -> Found:
    """Resident memory some time after a start with that many pending, and the most it ever was."""
    rig.say("memory")
    await rig.stop(rig.operator)
    rig.operator.start()
    await rig.until_acting(rig.operator)
    await rig.until_known(rig.pending)
    return {"memory": [Pair(await resident(rig, sizes))], "memory-peak": [Pair(_megabytes(_pid(rig.operator), "VmHWM"))]}


async def resident(rig: Rig, sizes: Sizes) -> float:
    """The operator's resident memory in MB, once it rests."""
    await rested(rig, sizes)
    return _megabytes(_pid(rig.operator), "VmRSS")


async def _operator(rig: Rig, name: str) -> float:
    began = time.perf_counter()
    rig.operator.start()
    return await rig.released.wait([name], 300) - began


async def _bare(rig: Rig, name: str) -> float:
    began = time.perf_counter()
    async with rig.bare("list", name):
        return await rig.released.wait([name], 300) - began


async def rested(rig: Rig, sizes: Sizes) -> None:
    """Wait until the operator has done what follows a start: its processor time stands still."""
    pid, before = _pid(rig.operator), -1.0

    def rests() -> bool:
        nonlocal before
        time.sleep(sizes.settle)
        was, before = before, _processor_seconds(pid)
        return was >= 0 and before - was < 0.1 * sizes.settle

    await asyncio.to_thread(wait_until, rests, "the operator rests", stage.PATIENCE + rig.pending / 200)


def _pid(operator: OperatorProcess) -> int:
    """The process that was told this port."""
    mark = f"GATEHOLD_HTTP_PORT={operator.port}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                return int(folder.name)
        except OSError:
            continue
    raise LookupError(f"{operator.name} does not run")


def _megabytes(pid: int, field: str) -> float:
    found = re.search(rf"^{field}:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(found.group(1)) / 1024 if found else 0.0


def _processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100
