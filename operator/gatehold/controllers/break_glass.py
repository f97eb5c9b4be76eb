"""Break-glass on a Job that no request is about: said on the Job, counted, and marked so that it is said once. A periodic.

Where a request is about the Job, its own cycle records the override; this finds the rest, also those from a time when no
operator was up.
"""

import logging
from typing import Any

from gatehold.api import job as wire
from gatehold.controllers import held_jobs
from gatehold.controllers.tell import Tell
from gatehold.kube.resources import JOBS
from gatehold.runtime.parts import Runtime

log = logging.getLogger(__name__)

EVERY_SECONDS = 30.0
Body = dict[str, Any]


class BreakGlass:
    """Looks for held Jobs that somebody let go by hand."""

    def __init__(self, runtime: Runtime, tell: Tell) -> None:
        """Look through the runtime's cache of held Jobs."""
        self._runtime = runtime
        self._tell = tell
        self._unanswered = set[str]()  # uids of Jobs that were to be marked, which nobody answered

    async def sweep(self) -> None:
        """Look once. A Job with a live request is left to that request's cycle."""
        async for body in held_jobs.cached(self._runtime):
            meta = body["metadata"]
            notes = meta.get("annotations") or {}
            if wire.OVERRIDE not in notes:
                continue
            if wire.OVERRIDE_RECORDED in notes:
                if meta["uid"] in self._unanswered:
                    self._say(body, notes[wire.OVERRIDE])
            elif not self._runtime.requests.by_subject((JOBS.api_version, JOBS.kind, meta["namespace"], meta["name"])):
                await self._record(body, notes[wire.OVERRIDE])

    async def _record(self, body: Body, reason: str) -> None:
        """Mark it, then tell. Where no answer comes, a later sweep sees whether the mark is there, and that it is ours."""
        self._unanswered = {uid for uid in self._unanswered if uid in self._runtime.jobs} | {body["metadata"]["uid"]}
        answer = await held_jobs.patch_metadata(self._runtime, body, {"annotations": {wire.OVERRIDE_RECORDED: "true"}})
        if answer is not None:
            self._say(answer, reason)

    def _say(self, body: Body, reason: str) -> None:
        meta = body["metadata"]
        self._unanswered.discard(meta["uid"])
        self._tell.broken_glass(body, reason)
        log.warning("Job %s/%s was let go by hand: %s", meta["namespace"], meta["name"], reason)
