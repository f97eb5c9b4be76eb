"""Decision written -> effect released: one after the other, alone, and all at once; paired with the bare loop."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from bench import stage
from bench.rig import Rig
from bench.rows import Found, Pair
from bench.sizes import Sizes

ALONE_SECONDS: Final = 1.2
"""Longer than a proof of the wall may stand for a release: each of these pays for a proof of its own."""
Measure = Callable[[Rig, Sequence[str]], Awaitable[list[float]]]


async def one_by_one(rig: Rig, sizes: Sizes) -> Found:
    """The next decision as soon as the last is released."""
    rounds = await _rounds(rig, sizes, sizes.singles, "one by one", _each)
    p50s = [Pair(at(ours, 0.5), at(bare, 0.5)) for ours, bare in rounds]
    return {"release-p50": p50s, "release-p99": [Pair(at(ours, 0.99), at(bare, 0.99)) for ours, bare in rounds]}


async def lone(rig: Rig, sizes: Sizes) -> Found:
    """A decision now and then, as people decide."""
    rounds = await _rounds(rig, sizes, sizes.lone, "now and then", _now_and_then)
    return {"lone-p50": [Pair(at(ours, 0.5), at(bare, 0.5)) for ours, bare in rounds]}


async def at_once(rig: Rig, sizes: Sizes) -> Found:
    """From the first decision sent to the last Job seen running."""
    rounds = await _rounds(rig, sizes, sizes.burst, f"{sizes.burst} at once", _all)
    return {"burst": [Pair(ours[0], bare[0]) for ours, bare in rounds]}


async def _rounds(rig: Rig, sizes: Sizes, count: int, what: str, measure: Measure) -> list[tuple[list[float], list[float]]]:
    """Both loops in each round, in turns first, so that a machine that drifts favours neither."""
    found: list[tuple[list[float], list[float]]] = []
    async with rig.bare("serve"):
        await rig.bare_ready()
        for number in range(sizes.rounds):
            rig.say(f"{what}, round {number + 1} of {sizes.rounds}")
            ours, bare = rig.names("ours", count), rig.names("bare", count)
            await rig.held(ours)
            await rig.held(bare, bare=True)
            await rig.until_known(rig.pending + count)
            if number % 2 == 0:
                first = await measure(rig, ours)
                found.append((first, await measure(rig, bare)))
            else:
                first = await measure(rig, bare)
                found.append((await measure(rig, ours), first))
            await rig.sweep()
    return found


async def _each(rig: Rig, names: Sequence[str]) -> list[float]:
    """Decision written -> Job seen running. Seconds."""
    moments = [await rig.decide(name) for name in names]
    return [released - written for _, written, released in moments]


async def _now_and_then(rig: Rig, names: Sequence[str]) -> list[float]:
    found: list[float] = []
    for name in names:
        await asyncio.sleep(ALONE_SECONDS)
        found += await _each(rig, [name])
    return found


async def _all(rig: Rig, names: Sequence[str]) -> list[float]:
    began = time.perf_counter()
    await stage.approve_all(rig.who, names)
    return [await rig.released.wait(names, 300) - began]


def at(values: Sequence[float], share: float) -> float:
    """The value below which that share of them lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
