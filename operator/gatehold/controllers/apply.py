"""Apply: the only place that writes for a request. The status first, guarded by resourceVersion, then the plan's writes.

A write that fails ends the pass: what is missing is planned again from what stands.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any

from gatehold import __version__
from gatehold.api.approval_request import DONE_LABEL, NOTE_ANNOTATION
from gatehold.api.request_status import parse_status, render_status
from gatehold.controllers.effects import Hands
from gatehold.controllers.tell import Tell
from gatehold.controllers.wall import Wall
from gatehold.domain.model import Request
from gatehold.domain.plan import MarkDone, NoteRequest, Plan, Proof, ReleaseJob, Write
from gatehold.kube.errors import Unavailable
from gatehold.kube.resources import REQUESTS
from gatehold.runtime.parts import Runtime

log = logging.getLogger(__name__)
Body = dict[str, Any]


class NotProvenError(Exception):
    """The wall could not be proven when it had to be: nothing was written or released, decide again."""


class NotLeaderError(Unavailable):
    """Another process acts now, or none: this one may not."""


class Apply:
    """Writes for one operator."""

    def __init__(self, runtime: Runtime, wall: Wall, hands: Hands, tell: Tell) -> None:
        """Use the runtime's account, and tell what was done."""
        self._runtime = runtime
        self._wall = wall
        self._hands = hands
        self._tell = tell

    async def apply(self, request: Request, body: Body, plan: Plan) -> Body:
        """Carry out a plan; answers the newest body. Raises NotProvenError, NotLeaderError and errors of gatehold.kube."""
        proof: asyncio.Task[bool] | None = None
        if plan.proof is Proof.BEFORE_STATUS and not await self._wall.prove():
            raise NotProvenError
        if plan.proof is Proof.BEFORE_WRITES:
            proof = asyncio.create_task(self._wall.prove())  # in parallel with the status write
        try:
            body = await self._write_status(request, body, plan)
            if proof is not None and not await proof:
                raise NotProvenError
        finally:
            if proof is not None:
                await asyncio.wait([proof])
        for write in plan.writes:
            body = await self._write(request, body, write)
        return body

    async def _write_status(self, request: Request, body: Body, plan: Plan) -> Body:
        before = body.get("status") or {}
        after = render_status(plan.status)
        change = merge_patch(before, after)
        if not change:
            return body
        patch = {"metadata": {"resourceVersion": body["metadata"]["resourceVersion"]}, "status": change}
        self._check_leader()
        answer = await self._runtime.cluster.patch_status(REQUESTS, request.namespace, request.name, patch)
        self._runtime.requests.upsert(answer, self._seen_at())
        self._tell.what_happened(request, answer, parse_status(body), plan.status)
        return answer

    async def _write(self, request: Request, body: Body, write: Write) -> Body:
        self._check_leader()
        match write:
            case NoteRequest():
                return await self._patch(request, body, {"annotations": {NOTE_ANNOTATION: f"gatehold/{__version__}"}})
            case MarkDone():
                return await self._mark_done(request, body)
            case _:
                await self._hands.of(request).write(request, write)
                if isinstance(write, ReleaseJob):
                    log.info("released Job %s", write.job.name)
                return body

    async def _mark_done(self, request: Request, body: Body) -> Body:
        """The last write of all; the record is logged whole, since its object will not stay for ever."""
        answer = await self._patch(request, body, {"labels": {DONE_LABEL: "true"}})
        self._runtime.requests.remove(request.uid)
        self._tell.whole_story(request, answer, parse_status(answer))
        log.info("done", extra={"fields": {"record": json.dumps(record_of(answer), ensure_ascii=False)}})
        return answer

    async def _patch(self, request: Request, body: Body, metadata: Body) -> Body:
        version = body["metadata"]["resourceVersion"]
        patch = {"metadata": {**metadata, "uid": request.uid, "resourceVersion": version}}
        answer = await self._runtime.cluster.merge_patch(REQUESTS, request.namespace, request.name, patch)
        self._runtime.requests.upsert(answer, self._seen_at())
        return answer

    def _seen_at(self) -> float | None:
        return self._runtime.clock.timestamp() if self._runtime.clock.known() else None

    def _check_leader(self) -> None:
        if not self._runtime.is_leader():
            raise NotLeaderError("this process does not hold the Lease")


def record_of(body: Mapping[str, Any]) -> Body:
    """The whole record for the log: the object without what only the API server needs."""
    meta = {k: v for k, v in body["metadata"].items() if k != "managedFields"}
    return {"metadata": meta, "spec": body.get("spec"), "status": body.get("status")}


def merge_patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> Body:
    """The RFC 7386 patch that turns one JSON object into another; empty where they are equal."""
    patch: Body = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        if old == value:
            continue
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            patch[key] = merge_patch(old, value)
        else:
            patch[key] = value
    return patch
