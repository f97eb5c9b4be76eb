"""A restart while many Jobs are held and some of them were decided meanwhile: those go first."""

import time
from typing import Any, Final

from bench import stage
from bench.rig import Rig
from bench.rows import Found, Pair
from bench.seen import watching
from bench.sizes import Sizes
from bench.stage import PATIENCE
from gatehold.kube.resources import LEASES

SYSTEM: Final = "gatehold-system"
DECIDED: Final = 5


async def with_many_held(rig: Rig, sizes: Sizes) -> Found:
    """Lease taken (and process started) -> the first Job released of those that were approved while nobody acted."""
    taken_over, started = [], []
    held = rig.names("ours", sizes.held)
    rig.say(f"{sizes.held} held")
    await rig.held(held)
    left = list(held)
    for number in range(sizes.rounds):
        rig.say(f"restart with {sizes.held} held, round {number + 1} of {sizes.rounds}")
        await rig.until_known(rig.pending + len(left))
        await rig.stop(rig.operator)
        # the newest, so that whoever walks through the list in order comes to them last
        decided = [left.pop() for _ in range(min(DECIDED, len(left) - 1))]
        await stage.approve_all(rig.who, decided)
        async with watching(rig.who.admin, LEASES, SYSTEM, taken) as lease:
            began = time.perf_counter()
            rig.operator.start()
            first = await rig.released.first(decided, 300)
            taken_over.append(Pair(first - await lease.wait(["gatehold-operator"], PATIENCE)))
            started.append(Pair(first - began))
            await rig.released.wait(decided, PATIENCE)
    await rig.sweep()
    return {"restart-held": taken_over, "restart-start": started}


def taken(kind: str, lease: dict[str, Any]) -> str:
    """The name of a Lease that somebody holds."""
    return lease["metadata"]["name"] if (lease.get("spec") or {}).get("holderIdentity") else ""
