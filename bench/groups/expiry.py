"""Many deadlines in the same second, while nobody answers; paired with the writes of the bare loop at a set time."""

import math
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from bench.rig import Rig
from bench.rows import Found, Pair
from bench.seen import Seen, watching
from bench.sizes import Sizes
from bench.stage import NAMESPACE
from controlplane.errors import TimeIsUpError
from gatehold.kube.resources import REQUESTS

AHEAD: Final = (5.0, 30.0, 120.0)
"""Seconds between the beginning of the set-up and the deadline, the first of them that does; every 20 requests take another.
"""


class LateError(Exception):
    """The set-up took longer than the deadline: nothing was measured."""


async def same_second(rig: Rig, sizes: Sizes) -> Found:
    """Deadline -> the last request is ended and its record closed."""
    pairs = []
    async with watching(rig.who.admin, REQUESTS, NAMESPACE, _over) as seen:
        for number in range(sizes.rounds):
            rig.say(f"{sizes.expiring} expire, round {number + 1} of {sizes.rounds}")
            ours, bare = (partial(expire, rig, seen, sizes.expiring) for expire in (_operator, _bare))
            if number % 2 == 0:
                first = await in_time(ours)
                pairs.append(Pair(first, await in_time(bare)))
            else:
                first = await in_time(bare)
                pairs.append(Pair(await in_time(ours), first))
    return {"expiry": pairs}


def _over(kind: str, body: dict[str, Any]) -> str:
    """The name of a request that got its last write; those of the bare loop carry the label `done` from the start."""
    meta = body["metadata"]
    last = "gatehold.dev/ended" if meta["name"].startswith("bare") else "gatehold.dev/done"
    return meta["name"] if last in (meta.get("labels") or {}) else ""


async def in_time(measure: Callable[[float], Awaitable[float]]) -> float:
    """Measure with a deadline that far ahead; where a busy machine takes longer than that to set up, with more time."""
    for ahead in AHEAD[:-1]:
        with suppress(LateError):
            return await measure(ahead)
    return await measure(AHEAD[-1])


async def _operator(rig: Rig, seen: Seen, count: int, ahead: float) -> float:
    names, at = rig.names("ours", count), _soon(count, ahead)
    try:
        await rig.held(names, deadline=datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z"))
        await _known(rig, rig.pending + count, at)
        return await last(seen, names, at)
    finally:
        await rig.sweep()


async def _known(rig: Rig, count: int, at: float) -> None:
    """Wait until the operator knows that many pending, but not beyond their deadline: then there are fewer."""
    try:
        await rig.until_known(count, at - time.time())
    except TimeIsUpError as error:
        raise LateError from error


async def _bare(rig: Rig, seen: Seen, count: int, ahead: float) -> float:
    names, at = rig.names("bare", count), _soon(count, ahead)
    try:
        await rig.held(names, bare=True)
        async with rig.bare("expire", str(at)):
            await rig.bare_ready()
            return await last(seen, names, at)
    finally:
        await rig.sweep()


async def last(seen: Seen, names: Sequence[str], at: float) -> float:
    """Seconds from that time to the last of them."""
    now = time.time()
    if now > at:
        raise LateError("the machine is too busy for this measurement")
    offset = time.perf_counter() - now
    return await seen.wait(names, at - now + 300) - offset - at


def _soon(count: int, ahead: float) -> float:
    """A whole second; deadlines have no fractions."""
    return float(math.ceil(time.time() + ahead + count / 20))
