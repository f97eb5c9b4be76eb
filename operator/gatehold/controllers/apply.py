"""Apply: the only place that writes for a request. The status first, guarded by resourceVersion, then the plan's writes.

A write that fails ends the pass: what is missing is planned again from what stands.
"""

import asyncio
import json
import logging
from collections.abc import Coroutine, Mapping
from typing import Any

from gatehold import __version__
from gatehold.api.approval_request import DONE_LABEL, NOTE_ANNOTATION
from gatehold.api.refusal import shown
from gatehold.api.request_status import parse_status, render_status
from gatehold.controllers.effects import Hands
from gatehold.controllers.gather import Gather
from gatehold.controllers.hindsight import LATELY, ended_at
from gatehold.controllers.tell import Tell
from gatehold.controllers.unanswered import Unanswered
from gatehold.controllers.wall import Wall
from gatehold.domain.model import Request
from gatehold.domain.phases import Phase, is_over
from gatehold.domain.plan import MarkDone, NoteRequest, Plan, Proof, Refusal, ReleaseJob, Write
from gatehold.domain.status import EffectState, Status
from gatehold.kube.errors import ApiError, Forbidden, Unavailable, is_refusal
from gatehold.kube.resources import REQUESTS
from gatehold.runtime.parts import Runtime

log = logging.getLogger(__name__)
Body = dict[str, Any]


class NotProvenError(Exception):
    """The wall could not be proven when it had to be: nothing was written or released, decide again."""


class NotLeaderError(Unavailable):
    """Another process acts now, or none: this one may not."""


def demand_leader(runtime: Runtime) -> None:
    """Before every write: raises NotLeaderError where another process acts now, or none."""
    if not runtime.is_leader():
        raise NotLeaderError("this process does not hold the Lease")


class RefusedError(Forbidden):
    """A planned write on a subject was refused: by admission, by RBAC, or since a webhook could not be asked."""

    def __init__(self, write: Write, error: ApiError) -> None:
        """Keep the write, and the API server's words as far as a status may show them."""
        super().__init__(error.message, status=error.status, reason=error.reason)
        self.refusal = Refusal(write, shown(error.message))


class Apply:
    """Writes for one operator."""

    def __init__(self, runtime: Runtime, wall: Wall, gather: Gather, hands: Hands, tell: Tell) -> None:
        """Use the runtime's account, and tell what was done."""
        self._runtime = runtime
        self._wall = wall
        self._gather = gather
        self._hands = hands
        self._tell = tell
        self._unanswered = Unanswered[Status]()
        self._unmarked: dict[str, Body] = {}  # by uid: as it was to be marked as done, which nobody answered

    async def apply(self, request: Request, body: Body, plan: Plan) -> Body:
        """Carry out a plan; answers the newest body. Raises NotProvenError, RefusedError and errors of gatehold.kube."""
        before = self._unanswered.settled(body)
        if before is not None:
            self._tell.what_happened(request, body, before, parse_status(body))
        if plan.proof is Proof.BEFORE_WRITES:  # people wait for this: what must be known is asked beside the status write
            body = await self._write_beside(request, body, plan)
        elif not await self._may_write(request, body, plan):
            raise NotProvenError
        else:
            body = await self._write_status(request, body, plan)
        for write in plan.writes:
            body = await self._write(request, body, write)
        if not plan.writes:
            self._recall(body, plan.status)
        return body

    def _recall(self, body: Body, status: Status) -> None:
        """Tell what died untold: what is over and stays in sight is not seen by Hindsight, which looks at done requests."""
        ended = ended_at(body) if is_over(status.phase, has_effect=True) else None
        if ended is not None and ended >= self._runtime.clock.now() - LATELY:
            self._tell.recall(body, status)

    async def _may_write(self, request: Request, body: Body, plan: Plan) -> bool:
        """A yes stands in a status as counted once it is known to have met the wall; so nobody need ask later."""
        if plan.proof is not Proof.NONE and not await self._wall.prove():
            return False
        effect = plan.status.effect
        begun = effect is not None and effect.state is not EffectState.WAITING
        releases = plan.proof is Proof.BEFORE_STATUS  # also an effect that begins with this very status
        asks = releases or (plan.status.phase in (Phase.PENDING, Phase.APPROVED) and not begun)
        return not asks or await self._gather.confirm(request, body, plan.status)

    async def _write_beside(self, request: Request, body: Body, plan: Plan) -> Body:
        """Write Approved while the wall is proven and looked at; the release waits for both. See `Gather.confirm`."""
        return await write_beside(self._write_status(request, body, plan), self._known(request, body, plan.status))

    async def _known(self, request: Request, body: Body, status: Status) -> bool:
        """Proven, and looked at. The proof first: one that is young enough is there at once, a new one is a look, too."""
        return await self._wall.prove() and await self._gather.confirm(request, body, status)

    async def _write_status(self, request: Request, body: Body, plan: Plan) -> Body:
        before = body.get("status") or {}
        after = render_status(plan.status)
        change = merge_patch(before, after)
        if not change:
            return body
        patch = {"metadata": {"resourceVersion": body["metadata"]["resourceVersion"]}, "status": change}
        demand_leader(self._runtime)
        told = parse_status(body)
        with self._unanswered.keeping(body, told):
            answer = await self._runtime.cluster.patch_status(REQUESTS, request.namespace, request.name, patch)
        self._unanswered.forget(request.uid)
        self._runtime.answered(REQUESTS, answer)
        self._tell.what_happened(request, answer, told, plan.status)
        return answer

    async def _write(self, request: Request, body: Body, write: Write) -> Body:
        demand_leader(self._runtime)
        match write:
            case NoteRequest():
                return await self._patch(request, body, {"annotations": {NOTE_ANNOTATION: f"gatehold/{__version__}"}})
            case MarkDone():
                return await self._mark_done(request, body)
            case _:
                await self._try(request, body, write)
                if isinstance(write, ReleaseJob):
                    log.info("released Job %s", write.job.name)
                return body

    async def _try(self, request: Request, body: Body, write: Write) -> None:
        """A write on a subject. A refusal is told here, since not every one changes what the request says."""
        try:
            await self._hands.of(request).write(request, write)
        except ApiError as error:
            if not is_refusal(error):
                raise
            refused = RefusedError(write, error)
            self._tell.refused(body, refused.refusal)
            raise refused from error

    async def _mark_done(self, request: Request, body: Body) -> Body:
        """The last write of all."""
        try:
            answer = await self._patch(request, body, {"labels": {DONE_LABEL: "true"}})
        except Unavailable:
            self._unmarked[request.uid] = _marked(body)
            raise
        self._runtime.requests.remove(request.uid)
        self._unmarked.pop(request.uid, None)
        self._ended(answer)
        return answer

    def gone(self, uid: str) -> None:
        """A request is not watched any more. Where nobody had answered that it is marked as done, its end is told now."""
        self._unanswered.forget(uid)
        marked = self._unmarked.pop(uid, None)
        if marked is not None:
            self._ended(marked)

    def _ended(self, body: Body) -> None:
        """The record is logged whole, since its object will not stay for ever."""
        self._tell.whole_story(body, parse_status(body))
        self._tell.forget(str(body["metadata"]["uid"]))
        log.info("done", extra={"fields": {"record": json.dumps(record_of(body), ensure_ascii=False)}})

    async def _patch(self, request: Request, body: Body, metadata: Body) -> Body:
        version = body["metadata"]["resourceVersion"]
        patch = {"metadata": {**metadata, "uid": request.uid, "resourceVersion": version}}
        answer = await self._runtime.cluster.merge_patch(REQUESTS, request.namespace, request.name, patch)
        self._runtime.answered(REQUESTS, answer)
        return answer


async def write_beside(writing: Coroutine[Any, Any, Body], knowing: Coroutine[Any, Any, bool]) -> Body:
    """Write a status while what must be known before the next write is asked. Raises NotProvenError where it is not so."""
    known = asyncio.create_task(knowing, name="known-before-writes")
    try:
        body = await writing
        if not await known:
            raise NotProvenError
    finally:
        await asyncio.wait([known])
        known.exception()  # where the status was not written, nobody asks for it
    return body


def _marked(body: Body) -> Body:
    """The same with the mark that says that nothing is left to watch."""
    meta = body["metadata"]
    return {**body, "metadata": {**meta, "labels": {**(meta.get("labels") or {}), DONE_LABEL: "true"}}}


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
