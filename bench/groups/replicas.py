"""Two replicas, and the one that acts goes: killed, and by a planned end. How long until the next decision is released."""

import asyncio
import signal
import time
from collections.abc import Callable

from bench import stage
from bench.rig import Rig, metric
from bench.rows import Found, Pair
from bench.sizes import Sizes
from bench.stage import PATIENCE
from controlplane import wait_until
from playground import OperatorProcess


async def next_decision(rig: Rig, sizes: Sizes) -> Found:
    """Each round: the leader is killed, comes back as standby, and the new leader is told to end.

    Both have the terms of the default: how long a Lease outlives its holder is half of what is measured.
    """
    killed: list[Pair] = []
    handed: list[Pair] = []
    await rig.stop(rig.operator)
    pair = [OperatorProcess(rig.plane, f"gatehold-pair-{number}", max_pending_per_author="1000000") for number in (0, 1)]
    for replica in pair:
        replica.start()
    for number in range(sizes.rounds):
        rig.say(f"leader killed and planned handover, round {number + 1} of {sizes.rounds}")
        for found, end in ((killed, _kill), (handed, _tell)):
            found.append(Pair(await _gap(rig, pair, end)))
    rig.operator = pair[0]
    await rig.stop(pair[1])
    return {"leader-killed": killed, "handover": handed}


async def _gap(rig: Rig, pair: list[OperatorProcess], end: Callable[[OperatorProcess], None]) -> float:
    """Seconds from the end of the leader to the release of what is decided right after it; the old leader comes back."""
    (name,) = rig.names("ours", 1)
    await rig.held([name])
    await _both_know(rig, pair)
    leader = pair[0]
    began = time.perf_counter()
    end(leader)
    await stage.approve_all(rig.who, [name])
    took = await rig.released.wait([name], PATIENCE) - began
    await asyncio.to_thread(wait_until, lambda: leader.code() is not None, f"{leader.name} has ended", PATIENCE)
    leader.start()
    pair.reverse()
    return took


async def _both_know(rig: Rig, pair: list[OperatorProcess]) -> None:
    """Wait until one acts, the first of the pair then, and the other is ready to.

    One that a pause of the machine has ended comes back.
    """

    def ready() -> bool:
        for replica in pair:
            if replica.code() is not None:
                replica.start()
        pair.sort(key=lambda replica: metric(replica, "gatehold_leader") != 1)
        return metric(pair[0], "gatehold_leader") == 1 and metric(pair[1], "gatehold_wall_enforced") == 1

    await asyncio.to_thread(wait_until, ready, "one replica acts, and the other is ready", PATIENCE + rig.pending / 200)


def _kill(leader: OperatorProcess) -> None:
    leader.kill()


def _tell(leader: OperatorProcess) -> None:
    leader.cluster.signal_program(leader.name, signal.SIGTERM)
