"""The cycle of an ApprovalRequest: gather, decide, apply, until there is nothing more to do now. Called by the runtime."""

import contextlib
import itertools
import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from gatehold.api.approval_request import parse
from gatehold.api.common import ParseError
from gatehold.api.request_status import parse_status
from gatehold.controllers.apply import Apply, NotProvenError, RefusedError
from gatehold.controllers.gather import Gather
from gatehold.domain.conditions import RolledBack, with_conditions
from gatehold.domain.decide import decide
from gatehold.domain.installation import PROBE
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Finding, MarkDone, Observed, Plan, Refusal
from gatehold.domain.reasons import Reason
from gatehold.domain.schedule import earliest
from gatehold.domain.status import By, Decision
from gatehold.kube.errors import Unavailable
from gatehold.runtime.parts import REQUEST, Key, Runtime
from gatehold.telemetry import logs

log = logging.getLogger(__name__)
Body = dict[str, Any]
_AGAIN = timedelta(seconds=1)  # until a wall that could not be proven is asked about again
_MOST_STEPS = 12  # a pass ends by itself long before; a plan that never settles must not spin
_STEPS_A_NODE = 6  # of a drain, where each node is cordoned, emptied and verified


class RequestController:
    """One cycle for every trigger: event, deadline, resync, take-over."""

    kind = REQUEST

    def __init__(self, runtime: Runtime, gather: Gather, apply: Apply) -> None:
        """Read with `gather`, write with `apply`."""
        self._runtime = runtime
        self._gather = gather
        self._apply = apply

    async def reconcile(self, key: Key) -> datetime | None:
        """Do what is to be done now; answers when time alone can change that."""
        if key.name == PROBE and key.namespace == self._runtime.settings.namespace:
            return None  # the wall's own probe: nobody decides it
        body = self._runtime.requests.body(key.uid)
        plan: Plan | None = None
        for taken in itertools.count():
            if body is None:
                self._apply.gone(key.uid)
                return None
            if taken >= _most_steps(plan):
                break
            version = body["metadata"]["resourceVersion"]
            plan, newer = await self._step(body)
            if newer["metadata"]["resourceVersion"] == version and not _touched(plan):
                return plan.recheck_at
            body = self._runtime.requests.body(key.uid)
        log.error("the plan did not settle in %d steps; holding until the next event", _most_steps(plan))
        return plan.recheck_at if plan is not None else None

    async def _step(self, body: Body) -> tuple[Plan, Body]:
        now = self._runtime.clock.now()
        try:
            observed = await self._gather.observe(body, now)
        except ParseError as error:
            return await self._refuse(body, error, now)
        logs.add(trace_id=observed.request.trace_id)
        plan = decide(observed, now)
        if plan.status.request_digest and not observed.status.request_digest and observed.request.has_effect:
            self._gather.claim(body, plan.status.resolved)
        try:
            return plan, await self._apply.apply(observed.request, body, plan)
        except NotProvenError:
            return await self._hold(observed, now)
        except RefusedError as refused:
            await self._say(observed.request.uid, refused.refusal, now)
            raise

    async def _say(self, uid: str, refusal: Refusal, now: datetime) -> None:
        """Let the request say that a write was refused; what it says already is not written again."""
        body = self._runtime.requests.body(uid)
        if body is None:
            return
        observed = await self._gather.observe(body, now)
        plan = decide(replace(observed, refusal=refusal), now)
        with contextlib.suppress(NotProvenError, RefusedError):  # then something else is due by now, and comes again
            await self._apply.apply(observed.request, body, plan)

    async def _hold(self, observed: Observed, now: datetime) -> tuple[Plan, Body]:
        """Decide again as what it is: a moment in which the wall is not proven. Nothing is released, no doubtful yes counts.

        Nobody may turn to tell when an answer is there again, so it is asked for again soon.
        """
        body = self._runtime.requests.body(observed.request.uid)
        if body is None:
            return Plan(observed.status), {"metadata": {"resourceVersion": ""}}
        observed = await self._gather.observe(body, now, certain=True)
        plan = decide(replace(observed, wall_proven=False), now)
        plan = replace(plan, recheck_at=earliest((plan.recheck_at, now + _AGAIN)))
        try:
            return plan, await self._apply.apply(observed.request, body, plan)
        except NotProvenError as error:
            raise Unavailable("nobody can tell now whether the wall stands") from error

    async def _refuse(self, body: Body, error: ParseError, now: datetime) -> tuple[Plan, Body]:
        """A request that cannot be read is Failed while nothing stands in its status; later it is only held, and loud."""
        log.error("cannot read this request, it stays held: %s", error)
        status = parse_status(body)
        if status.phase not in (Phase.UNSET, Phase.PENDING):
            return Plan(status), body
        finding = Finding(Reason.INVALID_REQUEST, f"this operator cannot read the request: {error}")
        decision = Decision(Phase.FAILED, By.OPERATOR, now, reason=finding.reason, message=finding.message)
        status = replace(status, phase=Phase.FAILED, decision=decision)
        rolled = RolledBack(restored=True, finding=Finding(Reason.NOTHING_TO_UNDO, "nothing had been begun"))
        plan = Plan(with_conditions(status, None, rolled, now), (MarkDone(),))
        return plan, await self._apply.apply(parse(_bare(body)), body, plan)


def _most_steps(plan: Plan | None) -> int:
    effect = plan.status.effect if plan is not None else None
    return _MOST_STEPS + _STEPS_A_NODE * (len(effect.nodes) if effect is not None else 0)


def _touched(plan: Plan) -> bool:
    """Whether the plan wrote to a subject: then there is something new to look at."""
    return bool(plan.writes)


def _bare(body: Body) -> Body:
    """The request with the least that can be read of any: its identity."""
    requester = {"username": "unknown"}
    return {"metadata": body["metadata"], "spec": {"policyRef": {"name": "unknown"}, "requester": requester}}
