"""Many deadlines in the same second, while nobody answers; paired with the writes of the bare loop at a set time."""

import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from bench.rig import Rig
from bench.rows import Found, Pair
from bench.seen import Seen, watching
from bench.sizes import Sizes
from bench.stage import NAMESPACE
from gatehold.kube.resources import REQUESTS

AHEAD: Final = 2.5
"""Seconds between the set-up and the deadline; every 20 requests take another."""


async def same_second(rig: Rig, sizes: Sizes) -> Found:
    """Deadline -> the last request is ended and its record closed."""
    pairs = []
    async with watching(rig.who.admin, REQUESTS, NAMESPACE, _over) as seen:
        for number in range(sizes.rounds):
            rig.say(f"{sizes.expiring} expire, round {number + 1} of {sizes.rounds}")
            if number % 2 == 0:
                first = await _operator(rig, seen, sizes.expiring)
                pairs.append(Pair(first, await _bare(rig, seen, sizes.expiring)))
            else:
                first = await _bare(rig, seen, sizes.expiring)
                pairs.append(Pair(await _operator(rig, seen, sizes.expiring), first))
            await rig.sweep()
    return {"expiry": pairs}


def _over(kind: str, body: dict[str, Any]) -> str:
    """The name of a request that got its last write; those of the bare loop carry the label `done` from the start."""
    meta = body["metadata"]
    last = "gatehold.dev/ended" if meta["name"].startswith("bare") else "gatehold.dev/done"
    return meta["name"] if last in (meta.get("labels") or {}) else ""


async def _operator(rig: Rig, seen: Seen, count: int) -> float:
    names, at = rig.names("ours", count), _soon(count)
    await rig.held(names, deadline=datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z"))
    await rig.until_known(rig.pending + count)
    return await last(seen, names, at)


async def _bare(rig: Rig, seen: Seen, count: int) -> float:
    names, at = rig.names("bare", count), _soon(count)
    await rig.held(names, bare=True)
    async with rig.bare("expire", str(at)):
        await rig.bare_ready()
        return await last(seen, names, at)


async def last(seen: Seen, names: Sequence[str], at: float) -> float:
    """Seconds from that time to the last of them."""
    now = time.time()
    if now > at:
        raise TimeoutError("the set-up took longer than the deadline; the machine is too busy for this measurement")
    offset = time.perf_counter() - now
    return await seen.wait(names, at - now + 300) - offset - at


def _soon(count: int) -> float:
    """A whole second that the set-up surely reaches; deadlines have no fractions."""
    return float(math.ceil(time.time() + AHEAD + count / 20))
