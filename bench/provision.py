"""What a provision is measured on: a namespace behind a Gate of type Pods, and owners whose pods wait there."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from bench.rig import Rig
from bench.stage import PATIENCE, Hands
from gatehold.kube.resources import CONFIG_MAPS, GATES, NAMESPACES, PODS, POLICIES, REPLICA_SETS, REQUESTS, Resource
from playground import bind_people

Body = dict[str, Any]
GATE: Final = "bench-pods"
LABEL: Final = "gatehold.dev/pods"
NOBODY: Final = "nobody"
"""The scheduler of these pods: no scheduler is measured, and none is in the way."""
_PRICES: Final = {
    "CPU": "0.03",
    "RAM": "0.004",
    "storage": "0.0001",
    "currency": "USD",
    "source": "example rates of the benchmark",
    "date": "2026-11-01",
}


async def begin(who: Hands, *, hourly: str) -> None:
    """A price table, a policy that one word decides, and a Gate that asks beyond that price an hour."""
    prices = {"metadata": {"name": "gatehold-prices"}, "data": _PRICES}
    await _apply(who, CONFIG_MAPS, "gatehold-system", prices)
    spec: Body = {"quorum": [{"role": "sre"}], "effects": ["Release"], "onUnknownRequester": "Allow", "maxPending": 100_000}
    await _apply(who, POLICIES, None, {"metadata": {"name": GATE}, "spec": spec})
    pods = {"threshold": {"hourly": hourly}, "floor": {"hourly": "0.01"}}
    gate = {"type": "Pods", "policyRef": {"name": GATE}, "pods": pods}
    await _apply(who, GATES, None, {"metadata": {"name": GATE}, "spec": gate})


async def _apply(who: Hands, resource: Resource, namespace: str | None, body: Body) -> None:
    await who.admin.apply(resource, namespace, {"apiVersion": resource.api_version, "kind": resource.kind, **body})


@asynccontextmanager
async def place(rig: Rig, name: str, *, gated: bool = True) -> AsyncIterator[str]:
    """A namespace of its own, which goes with all that is in it."""
    await asyncio.to_thread(bind_people, rig.plane, name)
    if gated:
        await rig.who.admin.merge_patch(NAMESPACES, None, name, {"metadata": {"labels": {LABEL: GATE}}})
        await _until_held(rig.who, name)
    try:
        yield name
    finally:
        await rig.who.admin.delete(NAMESPACES, None, name)


async def _until_held(who: Hands, namespace: str) -> None:
    """Wait until the API server holds what comes."""
    async with asyncio.timeout(PATIENCE):
        while True:
            tried = await who.admin.create(PODS, namespace, pod("probe"), dry_run=True)
            if tried["spec"].get("schedulingGates"):
                return
            await asyncio.sleep(0.1)


async def wait_there(rig: Rig, namespace: str, owners: int, each: int) -> tuple[list[str], list[str]]:
    """So many owners with so many waiting pods, all asked about: the requests' names, and the pods'."""
    who = rig.who
    sets = [_replica_set(f"owner-{number}", each) for number in range(owners)]
    await asyncio.gather(*(who.patiently(who.admin.create, REPLICA_SETS, namespace, body) for body in sets))
    async with asyncio.timeout(300):
        while True:
            asked = await who.admin.list_all(REQUESTS, namespace)
            if sum("requestDigest" in body.get("status", {}) for body in asked) == owners:
                break
            await asyncio.sleep(0.2)
    pods = await who.admin.list_all(PODS, namespace)
    waiting = [body["metadata"]["name"] for body in pods if body["spec"].get("schedulingGates")]
    if len(waiting) != owners * each:
        raise RuntimeError(f"{len(waiting)} pods wait, not {owners * each}")
    return [body["metadata"]["name"] for body in asked], waiting


async def approve(who: Hands, namespace: str, names: Sequence[str]) -> None:
    """Say yes to all of them at once, as far as the API server takes it."""
    word = {"metadata": {"annotations": {"gatehold.dev/approve": "bench"}}}
    await asyncio.gather(*(who.patiently(who.alice.merge_patch, REQUESTS, namespace, name, word) for name in names))


def opened(kind: str, body: Body) -> str:
    """The name of a pod that does not wait."""
    return "" if body["spec"].get("schedulingGates") else str(body["metadata"]["name"])


def pod(name: str) -> Body:
    """A dear pod, which nobody will place."""
    return {"metadata": {"name": name}, "spec": _spec()}


def _replica_set(name: str, replicas: int) -> Body:
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": _spec()}
    return {
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


def _spec() -> Body:
    requests = {"cpu": "1", "memory": "4Gi"}
    container = {"name": "main", "image": "example.org/web:1", "resources": {"requests": requests}}
    return {"schedulerName": NOBODY, "containers": [container], "terminationGracePeriodSeconds": 0}
