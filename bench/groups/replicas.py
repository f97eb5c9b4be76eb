"""Two replicas, and the one that acts goes: killed, and by a planned end. How long until the next decision is released."""

import signal
import time
from collections.abc import Callable

from bench import stage
from bench.rig import Rig, metric
from bench.rows import Found, Pair
from bench.sizes import Sizes
from controlplane import wait_until
from playground import OperatorProcess


async def next_decision(rig: Rig, sizes: Sizes) -> Found:
    """Each round: the leader is killed, comes back as standby, and the new leader is told to end."""
    killed: list[Pair] = []
    handed: list[Pair] = []
    other = OperatorProcess(rig.plane, "gatehold-1", max_pending_per_author="1000000")
    other.start()
    pair = [rig.operator, other]
    for number in range(sizes.rounds):
        rig.say(f"leader killed and planned handover, round {number + 1} of {sizes.rounds}")
        for found, end in ((killed, _kill), (handed, _tell)):
            await _both_know(rig, pair)
            found.append(Pair(await _gap(rig, pair, end)))
            pair.reverse()
    rig.operator = pair[0]
    await rig.stop(pair[1])
    return {"leader-killed": killed, "handover": handed}


async def _gap(rig: Rig, pair: list[OperatorProcess], end: Callable[[OperatorProcess], None]) -> float:
    """Seconds from the end of the leader to the release of what is decided right after it; the old leader comes back."""
    leader, _ = pair
    (name,) = rig.names("ours", 1)
    await rig.held([name])
    await _both_know(rig, pair)
    began = time.perf_counter()
    end(leader)
    await stage.approve_all(rig.who, [name])
    took = await rig.released.wait([name], 60) - began
    wait_until(lambda: leader.code() is not None, f"{leader.name} has ended", 30)
    leader.start()
    return took


async def _both_know(rig: Rig, pair: list[OperatorProcess]) -> None:
    """Wait until one acts and the other is ready to."""
    await rig.until_acting(pair[0])
    wait_until(lambda: metric(pair[1], "gatehold_wall_enforced") == 1, f"{pair[1].name} is ready", 60 + rig.pending / 200)


def _kill(leader: OperatorProcess) -> None:
    leader.kill()


def _tell(leader: OperatorProcess) -> None:
    leader.cluster.signal_program(leader.name, signal.SIGTERM)
