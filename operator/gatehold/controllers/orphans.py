"""Jobs whose request is gone: their outcome can be recorded nowhere, so the finalizer must not keep them. A periodic.

A request vanishes under its Job only with its namespace, or by a cluster admin's hand; without this, that namespace would
never finish terminating.
"""

import asyncio
import logging
from collections import defaultdict
from typing import Any

from gatehold.api import job as wire
from gatehold.kube.errors import Absent, Conflict
from gatehold.kube.resources import JOBS, REQUESTS
from gatehold.runtime.parts import Runtime

log = logging.getLogger(__name__)

EVERY_SECONDS = 30.0
_BATCH = 100
Body = dict[str, Any]


class Orphans:
    """Lets Jobs go whose request is done or gone."""

    def __init__(self, runtime: Runtime) -> None:
        """Look through the runtime's cache of held Jobs."""
        self._runtime = runtime

    async def sweep(self) -> None:
        """Look once; asks the API server only where a Job's request is not among those under way."""
        suspects: dict[str, list[Body]] = defaultdict(list)
        for number, (namespace, name) in enumerate(self._runtime.jobs.names()):
            if number % _BATCH == 0:
                await asyncio.sleep(0)  # thousands of held Jobs must not keep decisions waiting
            body = self._runtime.jobs.get(namespace, name)
            releaser = _kept_for(body) if body is not None else ""
            if body is not None and releaser and releaser not in self._runtime.requests:
                suspects[namespace].append(body)
        for namespace, bodies in suspects.items():
            alive = await self._under_way(namespace)
            for body in bodies:
                if body["metadata"]["annotations"][wire.RELEASED_BY] not in alive:
                    await self._let_go(namespace, body)

    async def _under_way(self, namespace: str) -> set[str]:
        """The uids of the namespace's requests that are not done, live: a cache may be behind."""
        pages = self._runtime.cluster.list_pages(REQUESTS, namespace, "gatehold.dev/done!=true")
        return {str(body["metadata"]["uid"]) async for page in pages for body in page.items}

    async def _let_go(self, namespace: str, body: Body) -> None:
        meta = body["metadata"]
        rest = [finalizer for finalizer in meta["finalizers"] if finalizer != wire.OUTCOME_FINALIZER]
        guard = {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
        if not self._runtime.is_leader():
            return
        try:
            patch = {"metadata": {**guard, "finalizers": rest}}
            answer = await self._runtime.cluster.merge_patch(JOBS, namespace, meta["name"], patch)
        except (Absent, Conflict):
            return
        self._runtime.jobs.upsert(answer)
        log.warning("let Job %s/%s go: the request that released it is gone", namespace, meta["name"])


def _kept_for(body: Body) -> str:
    """The uid of the request that released a Job which our finalizer keeps, or nothing."""
    meta = body["metadata"]
    kept = wire.OUTCOME_FINALIZER in (meta.get("finalizers") or [])
    return str((meta.get("annotations") or {}).get(wire.RELEASED_BY, "")) if kept else ""
