"""The bare loop: watch, then the writes of a release, and nothing else. Runs as a process of its own, as the operator does.

It keeps no cache, decides nothing and checks nothing; what it writes is what the API server accepts from the operator.
"""

import asyncio
import sys
from typing import Any

from gatehold.kube.client import Cluster
from gatehold.kube.resources import JOBS, REQUESTS

Body = dict[str, Any]
PREFIX = "bare"


async def main(kubeconfig: str, namespace: str) -> None:
    """Serve every bare request until killed."""
    async with await Cluster.connect(kubeconfig=kubeconfig, timeout=60.0, pool=100) as cluster:
        version = [page.resource_version async for page in cluster.list_pages(REQUESTS, namespace)][-1]
        print("ready", flush=True)
        tasks: set[asyncio.Task[None]] = set()
        served: set[str] = set()
        async for event in cluster.watch(REQUESTS, version, "gatehold.dev/done=true", seconds=3600):
            body = event["object"]
            name, notes = body["metadata"]["name"], body["metadata"].get("annotations") or {}
            if name in served or not name.startswith(PREFIX) or not any(k.startswith("verdict.") for k in notes):
                continue
            served.add(name)
            task = asyncio.create_task(serve(cluster, namespace, body))
            tasks.add(task)
            task.add_done_callback(tasks.discard)


async def serve(cluster: Cluster, namespace: str, body: Body) -> None:
    """The two writes between a decision and its release."""
    meta = body["metadata"]
    status = {"metadata": {"resourceVersion": meta["resourceVersion"]}, "status": {"approvals": "1/1"}}
    await cluster.patch_status(REQUESTS, namespace, meta["name"], status)
    release = {"annotations": {"gatehold.dev/released-by": meta["uid"]}, "finalizers": ["gatehold.dev/outcome"]}
    await cluster.merge_patch(JOBS, namespace, meta["name"], {"metadata": release, "spec": {"suspend": False}})


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
