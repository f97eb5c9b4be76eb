"""Break-glass on a Job that no request is about: said on the Job, counted, and marked so that it is said once. A periodic.

Where a request is about the Job, its own cycle records the override; this finds the rest, also those from a time when no
operator was up.
"""

import asyncio
import logging
from typing import Any

from gatehold.api import job as wire
from gatehold.controllers.tell import Tell
from gatehold.kube.errors import Absent, Conflict
from gatehold.kube.resources import JOBS
from gatehold.runtime.parts import Runtime

log = logging.getLogger(__name__)

EVERY_SECONDS = 30.0
_BATCH = 100
Body = dict[str, Any]


class BreakGlass:
    """Looks for held Jobs that somebody let go by hand."""

    def __init__(self, runtime: Runtime, tell: Tell) -> None:
        """Look through the runtime's cache of held Jobs."""
        self._runtime = runtime
        self._tell = tell

    async def sweep(self) -> None:
        """Look once. A Job with a live request is left to that request's cycle."""
        for number, (namespace, name) in enumerate(self._runtime.jobs.names()):
            if number % _BATCH == 0:
                await asyncio.sleep(0)
            body = self._runtime.jobs.get(namespace, name)
            notes = (body or {}).get("metadata", {}).get("annotations") or {}
            if body is None or wire.OVERRIDE not in notes or wire.OVERRIDE_RECORDED in notes:
                continue
            if not self._runtime.requests.by_subject((JOBS.api_version, JOBS.kind, namespace, name)):
                await self._record(namespace, name, body, notes[wire.OVERRIDE])

    async def _record(self, namespace: str, name: str, body: Body, reason: str) -> None:
        meta = body["metadata"]
        guard = {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
        if not self._runtime.is_leader():
            return
        try:
            patch = {"metadata": {**guard, "annotations": {wire.OVERRIDE_RECORDED: "true"}}}
            answer = await self._runtime.cluster.merge_patch(JOBS, namespace, name, patch)
        except (Absent, Conflict):
            return
        self._runtime.jobs.upsert(answer)
        self._tell.broken_glass(answer, reason)
        log.warning("Job %s/%s was let go by hand: %s", namespace, name, reason)
