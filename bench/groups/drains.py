"""A drain of many pods against `kubectl drain`, in one run: time and writes, without and with a budget in the way.

Time runs from the approval (or from the start of kubectl) until the last pod is gone, seen by a third party. What the
operator does before anybody is asked is not in it, as the reading of a person who then runs kubectl is not.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from bench import drains, stage
from bench.rig import Rig
from bench.rows import Found, Pair
from bench.sizes import Sizes
from bench.stage import PATIENCE

LEASE: Final = 1
CORDON: Final = 1


async def against_kubectl(rig: Rig, sizes: Sizes) -> Found:
    """Rounds without a budget."""
    times, writes = await _rounds(rig, sizes, 0)
    return {"drain": times, "drain-writes": writes}


async def behind_a_budget(rig: Rig, sizes: Sizes) -> Found:
    """Rounds with a budget that lets nothing go for some seconds from the start."""
    times, writes = await _rounds(rig, sizes, sizes.blocked)
    return {"drain-blocked": times, "drain-blocked-writes": writes}


async def _rounds(rig: Rig, sizes: Sizes, blocked: float) -> tuple[Sequence[Pair], Sequence[Pair]]:
    """Both in each round, in turns first."""
    await drains.begin(rig.who)
    times, writes = [], []
    for number in range(sizes.rounds):
        rig.say(f"drain of {sizes.drained} pods, blocked for {blocked:g} s, round {number + 1} of {sizes.rounds}")
        found = {}
        for whose in ("ours", "bare") if number % 2 == 0 else ("bare", "ours"):
            drain = _by_operator if whose == "ours" else _by_kubectl
            found[whose] = await drain(rig, sizes.drained, blocked)
        times.append(Pair(found["ours"][0], found["bare"][0]))
        writes.append(Pair(found["ours"][1], found["bare"][1]))
    await drains.remove(rig.who)
    return times, writes


async def _by_operator(rig: Rig, count: int, blocked: float) -> tuple[float, float]:
    """Seconds from the approval on, and writes from then to the last word on the request."""
    async with drains.full_node(rig, count, gated=True, blocked=bool(blocked)) as (node, pods, gone):
        request = await drains.ask(rig, node)
        _, refused = await drains.evictions(rig)
        written = await drains.written(rig)
        sent = time.perf_counter()
        freeing = asyncio.create_task(drains.free(rig.who, node, sent + blocked)) if blocked else None
        await stage.say(rig.who, request, "approve")
        answered = time.perf_counter()
        last = await gone.wait(pods, PATIENCE)
        took = last - min(answered, rig.decided.at.get(request, answered))
        await drains.released(rig.who, request)
        await asyncio.gather(*([freeing] if freeing else []))
        _, now_refused = await drains.evictions(rig)
        return took, await drains.written(rig) - written + now_refused - refused + LEASE


async def _by_kubectl(rig: Rig, count: int, blocked: float) -> tuple[float, float]:
    """Seconds from its start on, and the writes that it sent."""
    async with drains.full_node(rig, count, gated=False, blocked=bool(blocked)) as (node, pods, gone):
        before = sum(await drains.evictions(rig))
        began = time.perf_counter()
        freeing = asyncio.create_task(drains.free(rig.who, node, began + blocked)) if blocked else None
        await drains.kubectl_drain(rig, node)
        took = await gone.wait(pods, PATIENCE) - began
        await asyncio.gather(*([freeing] if freeing else []))
        return took, sum(await drains.evictions(rig)) - before + CORDON
