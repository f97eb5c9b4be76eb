"""Held Rollouts: how soon an approval reaches stable, what a whole canary costs in writes, expiry, a restart, memory."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from bench import rollouts, stage
from bench.groups.decisions import at
from bench.groups.expiry import in_time, last
from bench.groups.restart import DECIDED, SYSTEM, taken
from bench.groups.weight import resident, rested
from bench.rig import Rig, metrics
from bench.rollouts import NEW, RolloutSeeds
from bench.rows import Found, Pair
from bench.seen import Seen, watching
from bench.sizes import Sizes
from bench.stage import NAMESPACE, PATIENCE
from gatehold.kube.resources import DEPLOYMENTS, LEASES, REQUESTS, ROLLOUTS

WHOLE: Final = "whole-canary"
ALLOWED: Final = 34
"""Writes that a canary of two steps may take: 21 that decide something, 10 Events, and three that only show how pods do.
On the Rollout: begun, canary answered, asks, seen, until, promoting, stable answered, ended, canary answered, authors done
with. On others: a template, the canary twice, stable; the request is made, asked, approved, begun, released, closed."""
_AN_OBJECT: Final = 1 / 60
"""Seconds by which each Rollout puts the deadline off."""
_WRITES: Final = re.compile(r'^gatehold_writes_total\{resource="(\w+)"\} (\S+)$', re.MULTILINE)


# ---- writes


async def writes(rig: Rig, sizes: Sizes) -> Found:
    """A canary of two steps and four replicas, from the new template to the last word, with every Event."""
    rig.say("the writes of a whole canary")
    await rollouts.begin(rig.who, WHOLE, 4, 50)
    await asyncio.sleep(1)  # Events of the first deployment
    before = await _written(rig)
    request = await rollouts.deploy(rig.who, WHOLE)
    async with watching(rig.who.admin, REQUESTS, NAMESPACE, _done) as done:
        await stage.say(rig.who, request, "approve")
        await done.wait([request], PATIENCE)
    await rollouts.until(rig.who, WHOLE, rollouts.at_rest)
    await asyncio.sleep(1)
    made = await _written(rig) - before
    await rig.who.admin.delete(ROLLOUTS, NAMESPACE, WHOLE)
    return {"canary-writes": [Pair(made, ALLOWED)]}


async def _written(rig: Rig) -> float:
    """All that the API server has accepted of the operator, apart from its Lease."""
    text = await asyncio.to_thread(metrics, rig.operator)
    return sum(float(count) for resource, count in _WRITES.findall(text) if resource != LEASES.plural)


def _done(kind: str, request: dict[str, Any]) -> str:
    return request["metadata"]["name"] if "gatehold.dev/done" in (request["metadata"].get("labels") or {}) else ""


# ---- one by one


async def alone(rig: Rig, sizes: Sizes) -> Found:
    """With no other Rollout."""
    p50s, p99s = await _one_by_one(rig, sizes, await rollouts.pattern(rig.who), 0)
    return {"promotion-p50": p50s, "promotion-p99": p99s}


async def among_many(rig: Rig, sizes: Sizes) -> Found:
    """With many others held: the same, then a restart, then the memory."""
    seeds = await rollouts.pattern(rig.who)
    others = rig.names("others", sizes.rollouts)
    rig.say(f"{sizes.rollouts} held Rollouts: setting up")
    async with _down(rig, len(others)):
        await rollouts.put(rig, seeds, others)
    p50s, p99s = await _one_by_one(rig, sizes, seeds, len(others))
    over, started = await _restarts(rig, sizes, seeds, len(others))
    async with _down(rig, len(others)):
        pass
    memory = await resident(rig, sizes)
    async with _down(rig, 0):
        await rollouts.remove(rig, seeds, others)
    return {
        "held-p50": p50s,
        "held-p99": p99s,
        "rollouts-memory": [Pair(memory)],
        "rollouts-restart": over,
        "rollouts-restart-start": started,
    }


async def _one_by_one(rig: Rig, sizes: Sizes, seeds: RolloutSeeds, others: int) -> tuple[list[Pair], list[Pair]]:
    """Both loops in each round, in turns first. The bare loop works while the operator is down."""
    p50s, p99s = [], []
    async with _promotions(rig) as stable:
        for number in range(sizes.rounds):
            rig.say(f"promotions among {others} others, round {number + 1} of {sizes.rounds}")
            found: dict[str, list[float]] = {}
            for whose in ("ours", "bare") if number % 2 == 0 else ("bare", "ours"):
                names = rig.names(whose, sizes.promotions)
                if whose == "ours":
                    async with _down(rig, others + len(names)):
                        await rollouts.put(rig, seeds, names)
                    await rested(rig, sizes)  # what a start costs is a row of its own
                    found[whose] = await _each(rig, seeds, stable, names)
                    async with _down(rig, others):
                        await rollouts.remove(rig, seeds, names)
                else:
                    async with _down(rig, others):
                        await rollouts.put(rig, seeds, names)
                        async with rig.bare("promote"):
                            await rig.bare_ready()
                            found[whose] = await _each(rig, seeds, stable, names)
                        await rollouts.remove(rig, seeds, names)
            p50s.append(Pair(at(found["ours"], 0.5), at(found["bare"], 0.5)))
            p99s.append(Pair(at(found["ours"], 0.99), at(found["bare"], 0.99)))
    return p50s, p99s


async def _each(rig: Rig, seeds: RolloutSeeds, stable: Seen, names: Sequence[str]) -> list[float]:
    """Decision written -> stable's new template seen. Seconds."""
    found = []
    for name in names:
        request = seeds.request(name)
        await stage.say(rig.who, request, "approve")
        answered = time.perf_counter()
        promoted = await stable.wait([name], PATIENCE)
        found.append(promoted - min(answered, rig.decided.at.get(request, answered)))
    return found


@asynccontextmanager
async def _promotions(rig: Rig) -> AsyncIterator[Seen]:
    """When stable took the new template, by the name of the Rollout."""
    async with watching(rig.who.admin, DEPLOYMENTS, NAMESPACE, _promoted, "gatehold.dev/track=stable") as seen:
        yield seen


def _promoted(kind: str, child: dict[str, Any]) -> str:
    image = child["spec"]["template"]["spec"]["containers"][0]["image"]
    return child["metadata"]["labels"]["gatehold.dev/rollout"] if image == NEW and kind == "MODIFIED" else ""


@asynccontextmanager
async def _down(rig: Rig, held: int) -> AsyncIterator[None]:
    """The operator is down meanwhile; afterwards it acts again, and knows that many held Rollouts."""
    await rig.stop(rig.operator)
    yield
    rig.operator.start()
    await rig.until_acting(rig.operator)
    await rig.until_known(rig.pending + held, PATIENCE + held / 20)


# ---- a restart


async def _restarts(rig: Rig, sizes: Sizes, seeds: RolloutSeeds, others: int) -> tuple[list[Pair], list[Pair]]:
    """Lease taken (and process started) -> the first stable written of what was approved while nobody acted."""
    over, started = [], []
    async with _promotions(rig) as stable:
        for number in range(sizes.rounds):
            rig.say(f"restart with {others} held Rollouts, round {number + 1} of {sizes.rounds}")
            names = rig.names("ours", DECIDED)
            await rig.stop(rig.operator)
            await rollouts.put(rig, seeds, names)
            await stage.approve_all(rig.who, [seeds.request(name) for name in names])
            async with watching(rig.who.admin, LEASES, SYSTEM, taken) as lease:
                began = time.perf_counter()
                rig.operator.start()
                first = await stable.first(names, 300)
                over.append(Pair(first - await lease.wait(["gatehold-operator"], PATIENCE)))
                started.append(Pair(first - began))
            await stable.wait(names, PATIENCE)
            async with _down(rig, others):
                await rollouts.remove(rig, seeds, names)
    return over, started


# ---- expiry


async def same_second(rig: Rig, sizes: Sizes) -> Found:
    """Deadline -> the last Rollout is undone and its request closed."""
    pairs, seeds = [], await rollouts.pattern(rig.who)
    async with watching(rig.who.admin, REQUESTS, NAMESPACE, _over) as seen:
        for number in range(sizes.rounds):
            rig.say(f"{sizes.rollouts_expiring} held Rollouts expire, round {number + 1} of {sizes.rounds}")
            figures = {}
            for whose in ("ours", "bare") if number % 2 == 0 else ("bare", "ours"):
                expire = _expire if whose == "ours" else _expire_bare
                figures[whose] = await in_time(partial(expire, rig, seeds, seen, sizes.rollouts_expiring))
            pairs.append(Pair(figures["ours"], figures["bare"]))
    return {"rollouts-expiry": pairs}


def _over(kind: str, body: dict[str, Any]) -> str:
    """The name of a request that got its last write."""
    last = {"gatehold.dev/ended", "gatehold.dev/done"} & (body["metadata"].get("labels") or {}).keys()
    return body["metadata"]["name"] if last else ""


async def _expire(rig: Rig, seeds: RolloutSeeds, seen: Seen, count: int, ahead: float) -> float:
    """The deadline is set once the operator knows them all: nobody can tell how long a start takes."""
    names = rig.names("ours", count)
    async with _down(rig, count):
        await rollouts.put(rig, seeds, names)
    when = _soon(count, ahead)
    await rollouts.put(rig, seeds, names, datetime.fromtimestamp(when, UTC).isoformat().replace("+00:00", "Z"))
    try:
        return await last(seen, [seeds.request(name) for name in names], when)
    finally:
        async with _down(rig, 0):
            await rollouts.remove(rig, seeds, names)


async def _expire_bare(rig: Rig, seeds: RolloutSeeds, seen: Seen, count: int, ahead: float) -> float:
    names = rig.names("bare", count)
    async with _down(rig, 0):
        await rollouts.put(rig, seeds, names)
        when = _soon(count, ahead)
        try:
            async with rig.bare("roll-back", str(when)):
                await rig.bare_ready()
                return await last(seen, [seeds.request(name) for name in names], when)
        finally:
            await rollouts.remove(rig, seeds, names)


def _soon(count: int, ahead: float) -> float:
    return float(int(time.time() + ahead + count * _AN_OBJECT) + 1)
