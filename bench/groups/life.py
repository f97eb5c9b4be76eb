"""How often the operator writes a request in its whole life, counted on a watch of all its versions."""

from collections import Counter
from typing import Any, Final

from bench import stage
from bench.rig import Rig
from bench.rows import Found, Pair
from bench.seen import watching
from bench.sizes import Sizes
from bench.stage import NAMESPACE, PATIENCE
from gatehold.kube.resources import REQUESTS

ALLOWED: Final = 4
"""Writes that every life may take; one more for each verdict, escalation and step of an effect."""
BEGUN_AND_ENDED: Final = 2


async def writes(rig: Rig, sizes: Sizes) -> Found:
    """A request that is approved and whose Job runs to its end, and one that is denied."""
    rig.say("the writes of two whole lives")
    versions: Counter[str] = Counter()

    def count(kind: str, body: dict[str, Any]) -> str:
        name: str = body["metadata"]["name"]
        versions[name] += kind == "MODIFIED"
        return name if "gatehold.dev/done" in (body["metadata"].get("labels") or {}) else ""

    async with watching(rig.who.admin, REQUESTS, NAMESPACE, count) as seen:
        for name, word in (("life-approved", "approve"), ("life-denied", "deny")):
            await stage.ask(rig.who, name, held=await stage.job(rig.who, name, runs=True))
            await stage.prepared(rig.who, name)
            await stage.say(rig.who, name, word)
            await seen.wait([name], PATIENCE)
    verdicts = 1  # written by the person, who is not the operator
    approved = Pair(versions["life-approved"] - verdicts, ALLOWED + verdicts + BEGUN_AND_ENDED)
    return {"writes": [approved, Pair(versions["life-denied"] - verdicts, ALLOWED + verdicts)]}
