"""Jobs whose request is gone: their outcome can be recorded nowhere, so the finalizer must not keep them. A periodic.

A request vanishes under its Job only with its namespace, or by a cluster admin's hand; without this, that namespace would
never finish terminating.
"""

import logging
from collections import defaultdict
from typing import Any

from gatehold.api import job as wire
from gatehold.api.approval_request import NOT_DONE
from gatehold.controllers import held_jobs
from gatehold.kube.resources import REQUESTS
from gatehold.runtime.parts import Runtime

log = logging.getLogger(__name__)

EVERY_SECONDS = 30.0
Body = dict[str, Any]


class Orphans:
    """Lets Jobs go whose request is done or gone."""

    def __init__(self, runtime: Runtime) -> None:
        """Look through the runtime's cache of held Jobs."""
        self._runtime = runtime

    async def sweep(self) -> None:
        """Look once; asks the API server only where a Job's request is not among those under way."""
        suspects: dict[str, list[Body]] = defaultdict(list)
        async for body in held_jobs.cached(self._runtime):
            releaser = _kept_for(body)
            if releaser and releaser not in self._runtime.requests:
                suspects[body["metadata"]["namespace"]].append(body)
        for namespace, bodies in suspects.items():
            alive = await self._under_way(namespace)
            for body in bodies:
                if body["metadata"]["annotations"][wire.RELEASED_BY] not in alive:
                    await self._let_go(body)

    async def _under_way(self, namespace: str) -> set[str]:
        """The uids of the namespace's requests that are not done, live: a cache may be behind."""
        pages = self._runtime.cluster.list_pages(REQUESTS, namespace, NOT_DONE)
        return {str(body["metadata"]["uid"]) async for page in pages for body in page.items}

    async def _let_go(self, body: Body) -> None:
        meta = body["metadata"]
        rest = [finalizer for finalizer in meta["finalizers"] if finalizer != wire.OUTCOME_FINALIZER]
        if await held_jobs.patch_metadata(self._runtime, body, {"finalizers": rest}) is not None:
            log.warning("let Job %s/%s go: the request that released it is gone", meta["namespace"], meta["name"])


def _kept_for(body: Body) -> str:
    """The uid of the request that released a Job which our finalizer keeps, or nothing."""
    meta = body["metadata"]
    kept = wire.OUTCOME_FINALIZER in (meta.get("finalizers") or [])
    return str((meta.get("annotations") or {}).get(wire.RELEASED_BY, "")) if kept else ""
