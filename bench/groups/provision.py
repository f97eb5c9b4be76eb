"""Pods behind a Gate: many owners let go in one wave of decisions, and what a gate costs who creates a pod.

The wave is timed from the first yes sent to the last pod seen without our gate, by a third party; so is the bare loop's.
"""

import time
from collections.abc import Sequence

from bench import provision
from bench.groups.decisions import at
from bench.rig import Rig
from bench.rows import Found, Pair
from bench.seen import watching
from bench.sizes import Sizes
from gatehold.kube.resources import PODS


async def in_one_wave(rig: Rig, sizes: Sizes) -> Found:
    """Both in each round, in turns first; the operator is down while the bare loop works."""
    await provision.begin(rig.who, hourly="0.02")
    pairs = []
    for number in range(sizes.rounds):
        rig.say(f"{sizes.owners} owners of {sizes.pods_each} pods, round {number + 1} of {sizes.rounds}")
        found = {}
        for whose in ("ours", "bare") if number % 2 == 0 else ("bare", "ours"):
            async with provision.place(rig, f"bench-pods-{whose}-{number}") as namespace:
                found[whose] = await _wave(rig, sizes, namespace, bare=whose == "bare")
        pairs.append(Pair(found["ours"], found["bare"]))
    return {"provision": pairs}


async def _wave(rig: Rig, sizes: Sizes, namespace: str, *, bare: bool) -> float:
    names, pods = await provision.wait_there(rig, namespace, sizes.owners, sizes.pods_each)
    if not bare:
        return await _let_go(rig, namespace, names, pods)
    await rig.stop(rig.operator)
    try:
        async with rig.bare("open", of=namespace):
            await rig.bare_ready()
            return await _let_go(rig, namespace, names, pods)
    finally:
        rig.operator.start()
        await rig.until_acting(rig.operator)


async def _let_go(rig: Rig, namespace: str, names: Sequence[str], pods: Sequence[str]) -> float:
    async with watching(rig.who.admin, PODS, namespace, provision.opened, provision.LABEL) as opened:
        began = time.perf_counter()
        await provision.approve(rig.who, namespace, names)
        return await opened.wait(pods, 300) - began


async def creation(rig: Rig, sizes: Sizes) -> Found:
    """One pod after the other, in a gated namespace and in another in turns; what is created is let go at once."""
    await provision.begin(rig.who, hourly="1000")
    p50s, p99s = [], []
    for number in range(sizes.rounds):
        rig.say(f"{sizes.created} pods created, round {number + 1} of {sizes.rounds}")
        async with (
            provision.place(rig, f"bench-gated-{number}") as gated,
            provision.place(rig, f"bench-free-{number}", gated=False) as free,
        ):
            took: dict[str, list[float]] = {gated: [], free: []}
            for place in range(sizes.created):
                for namespace in (gated, free) if place % 2 == 0 else (free, gated):
                    took[namespace].append(await _create(rig, namespace, f"pod-{place}"))
            p50s.append(Pair(at(took[gated], 0.5), at(took[free], 0.5)))
            p99s.append(Pair(at(took[gated], 0.99), at(took[free], 0.99)))
    return {"pod-created-p50": p50s, "pod-created-p99": p99s}


async def _create(rig: Rig, namespace: str, name: str) -> float:
    began = time.perf_counter()
    await rig.who.admin.create(PODS, namespace, provision.pod(name))
    return time.perf_counter() - began
