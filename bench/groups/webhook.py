"""The webhook for evictions: how soon it answers at a steady rate, and how many it answers when all come at once."""

import asyncio
import urllib.error
import urllib.request

from bench import webhook
from bench.groups.decisions import at
from bench.rig import Rig
from bench.rows import Found, Pair
from bench.sizes import Sizes
from playground import OperatorProcess
from playground.operator_process import PATIENT

RATE = 200.0
"""Evictions a second."""


async def latency(rig: Rig, sizes: Sizes) -> Found:
    """Many pods on fifty nodes, ten of them cordoned and asked about; every answer comes from memory."""
    port = rig.plane.reserve_port()
    await rig.stop(rig.operator)
    rig.say(f"the webhook at {sizes.evicted_among} pods: setting up")
    authority = await webhook.put(rig.who, sizes.evicted_among, port)
    settings = {"webhook_port": str(port), "webhook_address": webhook.HOST, **PATIENT}
    operator = OperatorProcess(rig.plane, "gatehold-webhook", **settings)
    operator.start()
    reviews = webhook.Reviews(port, authority, sizes.evicted_among)
    try:
        await asyncio.to_thread(webhook.until_ready, lambda where: _site(operator, where))
        await webhook.until_held(rig, sizes.evicted_among)
        await reviews.until_asked()
        p50s, p99s, bursts = [], [], []
        for number in range(sizes.rounds):
            rig.say(f"evictions at {RATE:g} a second, round {number + 1} of {sizes.rounds}")
            found = await reviews.at_a_rate(sizes.evictions, RATE)
            p50s.append(Pair(at(found, 0.5)))
            p99s.append(Pair(at(found, 0.99)))
            bursts.append(Pair(await reviews.at_once(sizes.evictions)))
    finally:
        await reviews.close()
        await rig.stop(operator)
        await webhook.remove(rig.who, sizes.evicted_among)
        rig.operator.start()
        await rig.until_acting(rig.operator)
        await rig.until_known(rig.pending)
    return {"webhook-p50": p50s, "webhook-p99": p99s, "webhook-burst": bursts}


def _site(operator: OperatorProcess, where: str) -> str:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{operator.port}{where}", timeout=2) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return error.read().decode()
    except OSError:
        return ""
