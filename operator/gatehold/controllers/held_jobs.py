"""What the sweeps over held Jobs share: a look through the cache that keeps no decision waiting, and one guarded write."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from gatehold.kube.errors import Absent, Conflict
from gatehold.kube.resources import JOBS
from gatehold.runtime.parts import Runtime

Body = dict[str, Any]
_BATCH = 100


async def cached(runtime: Runtime) -> AsyncIterator[Body]:
    """Every held Job of the cache; thousands of them must not keep decisions waiting."""
    for number, (namespace, name) in enumerate(runtime.jobs.names()):
        if number % _BATCH == 0:
            await asyncio.sleep(0)
        body = runtime.jobs.get(namespace, name)
        if body is not None:
            yield body


async def patch_metadata(runtime: Runtime, body: Body, change: Body) -> Body | None:
    """Change the metadata of that very version of a Job; None where this process may not act, or the version is gone."""
    meta = body["metadata"]
    if not runtime.is_leader():
        return None
    patch = {"metadata": {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"], **change}}
    try:
        answer = await runtime.cluster.merge_patch(JOBS, meta["namespace"], meta["name"], patch)
    except (Absent, Conflict):
        return None
    runtime.jobs.upsert(answer)
    return answer
