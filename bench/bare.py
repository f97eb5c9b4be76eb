"""The bare loop: watch, then the writes of a release, and nothing else. Runs as a process of its own, as the operator does.

It keeps no cache, decides nothing and checks nothing; what it writes is what the API server accepts from the operator.
"""

import asyncio
import contextlib
import sys
from typing import Any

from gatehold.kube.client import Cluster
from gatehold.kube.errors import ApiError
from gatehold.kube.resources import EVENTS, JOBS, REQUESTS

Body = dict[str, Any]
PREFIX = "bare"


async def main(kubeconfig: str, namespace: str) -> None:
    """Serve every bare request until killed."""
    async with await Cluster.connect(kubeconfig=kubeconfig, timeout=60.0, pool=100) as cluster:
        version = [page.resource_version async for page in cluster.list_pages(REQUESTS, namespace)][-1]
        print("ready", flush=True)
        tasks: set[asyncio.Task[None]] = set()
        served: set[str] = set()
        while True:  # a watch ends now and then: go on where it ended
            with contextlib.suppress(ApiError):
                async for event in cluster.watch(REQUESTS, version, "gatehold.dev/done=true", seconds=3600):
                    body = event["object"]
                    version = body["metadata"]["resourceVersion"]
                    name, notes = body["metadata"]["name"], body["metadata"].get("annotations") or {}
                    if name in served or not name.startswith(PREFIX) or not any(k.startswith("verdict.") for k in notes):
                        continue
                    served.add(name)
                    task = asyncio.create_task(serve(cluster, namespace, body))
                    tasks.add(task)
                    task.add_done_callback(tasks.discard)


async def serve(cluster: Cluster, namespace: str, body: Body) -> None:
    """The writes of a decision and its release, in the operator's order: status, Job, status again, and three Events."""
    meta = body["metadata"]
    answer = await write_status(cluster, namespace, body, "1/1")
    release = {"annotations": {"gatehold.dev/released-by": meta["uid"]}, "finalizers": ["gatehold.dev/outcome"]}
    await cluster.merge_patch(JOBS, namespace, meta["name"], {"metadata": release, "spec": {"suspend": False}})
    await write_status(cluster, namespace, answer, "2/1")
    for reason in ("VerdictRecorded", "Approved", "EffectStarted"):
        await cluster.create(EVENTS, namespace, event_of(meta, reason))


async def write_status(cluster: Cluster, namespace: str, body: Body, text: str) -> Body:
    """One status write that the wall lets pass: it changes no phase."""
    meta = body["metadata"]
    patch = {"metadata": {"resourceVersion": meta["resourceVersion"]}, "status": {"approvals": text}}
    return await cluster.patch_status(REQUESTS, namespace, meta["name"], patch)


def event_of(meta: Body, reason: str) -> Body:
    """An Event as the operator writes it."""
    return {
        "metadata": {"name": f"{meta['name']}.{reason.lower()}", "namespace": meta["namespace"]},
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "gatehold.dev/bench",
        "reportingInstance": "bare",
        "action": reason,
        "reason": reason,
        "type": "Normal",
        "note": "written by the bare loop",
        "regarding": {
            "apiVersion": REQUESTS.api_version,
            "kind": REQUESTS.kind,
            "namespace": meta["namespace"],
            "name": meta["name"],
        },
    }


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
