"""Apply: the only place that writes for a Rollout. Its status first, guarded by resourceVersion, then the plan's writes.

A write that fails ends the pass: what is missing is planned again from what stands.
"""

import asyncio
import logging
from typing import Any

from gatehold.api.refusal import shown
from gatehold.api.rollout import pod_labels, selector
from gatehold.api.rollout_status import parse_conditions, render_status, with_conditions
from gatehold.controllers.apply import NotProvenError, demand_leader, merge_patch, write_beside
from gatehold.controllers.rollouts.hands import Hands
from gatehold.controllers.rollouts.tell import TellRollout
from gatehold.controllers.unanswered import Unanswered
from gatehold.controllers.wall import Wall
from gatehold.domain.rollout.conditions import unreadable
from gatehold.domain.rollout.model import Refusal, Sight
from gatehold.domain.rollout.plan import ClearAuthors, DropFinalizer, Proof, RolloutPlan, SetFinalizer, Write
from gatehold.domain.rollout.record import Record
from gatehold.kube.errors import Absent, ApiError, Conflict, Forbidden, is_refusal
from gatehold.kube.resources import ROLLOUTS
from gatehold.runtime.parts import Runtime

log = logging.getLogger(__name__)
Body = dict[str, Any]


class RefusedError(Forbidden):
    """A planned write was refused: by admission, by RBAC, or since a webhook could not be asked."""

    def __init__(self, write: Write, error: ApiError) -> None:
        """Keep the write, and the API server's words as far as a status may show them."""
        super().__init__(error.message, status=error.status, reason=error.reason)
        self.refusal = Refusal(write, shown(error.message))


class Apply:
    """Writes for the Rollouts of one operator."""

    def __init__(self, runtime: Runtime, wall: Wall, hands: Hands, tell: TellRollout) -> None:
        """Use the runtime's account, and tell what was done."""
        self._runtime = runtime
        self._wall = wall
        self._hands = hands
        self._tell = tell
        self._unanswered = Unanswered[Record]()

    async def apply(self, sight: Sight, body: Body, plan: RolloutPlan) -> Body:
        """Carry out a plan; answers the newest body. Raises NotProvenError, RefusedError and errors of gatehold.kube."""
        self._tell.met(body, sight.record)
        told = self._unanswered.settled(body)
        if told is not None:
            self._tell.what_happened(body, told, sight.record)
        if plan.proof is Proof.BEFORE_STATUS and not await self._wall.prove():
            raise NotProvenError
        writing = self._write_status(sight.record, body, plan.record)
        # people wait for this: what must be known before the first write is asked beside the status write
        body = await (write_beside(writing, self._known(sight, plan)) if plan.writes else writing)
        for write in plan.writes:
            body = await self._write(sight, body, write)
        return body

    async def _known(self, sight: Sight, plan: RolloutPlan) -> bool:
        """Whether the plan's writes may follow: its proof, where that is due, and a namespace as it was seen."""
        checking = self._hands.check(sight, plan.writes)
        if plan.proof is not Proof.BEFORE_WRITES:
            await checking
            return True
        proven, _ = await asyncio.gather(self._wall.prove(), checking)
        return proven

    async def _write_status(self, before: Record, body: Body, after: Record) -> Body:
        if after == Record():  # nobody has looked at it yet, so there is nothing to say
            return body
        with self._unanswered.keeping(body, before):
            answer = await self._put_status(body, render_status(after, selector(pod_labels(body))))
        if answer is not body:
            self._unanswered.forget(str(body["metadata"]["uid"]))
            self._tell.what_happened(answer, before, after)
        return answer

    def gone(self, uid: str) -> None:
        """The Rollout is gone."""
        self._unanswered.forget(uid)

    async def say_unreadable(self, body: Body, why: str) -> None:
        """Say on the Rollout that it cannot be read. All that is recorded stays as it is."""
        generation = int(body["metadata"].get("generation") or 0)
        stated = unreadable(parse_conditions(body), why, generation, self._runtime.clock.now())
        answer = await self._put_status(body, with_conditions(body, stated, generation))
        self._tell.stated(answer, stated)

    async def _put_status(self, body: Body, wanted: Body) -> Body:
        """Make the status this; answers the body itself where it is."""
        change = merge_patch(body.get("status") or {}, wanted)
        if not change:
            return body
        meta = body["metadata"]
        patch = {"metadata": {"resourceVersion": meta["resourceVersion"]}, "status": change}
        demand_leader(self._runtime)
        try:
            answer = await self._runtime.cluster.patch_status(ROLLOUTS, meta["namespace"], meta["name"], patch)
        except Absent as error:  # its end is on its way to us
            raise Conflict(error.message, status=error.status, reason=error.reason) from error
        self._runtime.answered(ROLLOUTS, answer)
        return answer

    async def _write(self, sight: Sight, body: Body, write: Write) -> Body:
        demand_leader(self._runtime)
        try:
            if isinstance(write, SetFinalizer | DropFinalizer | ClearAuthors):
                answer = await self._hands.mark(body, write)
                self._runtime.answered(ROLLOUTS, answer)
                return answer
            await self._hands.write(sight, body, write)
        except ApiError as error:
            if not is_refusal(error):
                raise
            refused = RefusedError(write, error)
            self._tell.refused(body, refused.refusal)
            raise refused from error
        log.info("%s", _said(write))
        return body


def _said(write: Write) -> str:
    return f"did {type(write).__name__}{f' {write.track}' if hasattr(write, 'track') else ''}"
