"""The cycle of a Rollout: gather, decide, apply, until there is nothing more to do now. Called by the runtime."""

import contextlib
import logging
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from gatehold.api.common import ParseError
from gatehold.controllers.apply import NotProvenError
from gatehold.controllers.rollouts.apply import Apply, RefusedError
from gatehold.controllers.rollouts.children import AGAIN_SECONDS, ChildReader
from gatehold.controllers.rollouts.gather import Gather, Seen
from gatehold.controllers.rollouts.revisions import Revisions
from gatehold.domain.rollout.decide import decide_rollout
from gatehold.domain.rollout.model import Refusal
from gatehold.domain.rollout.plan import RolloutPlan
from gatehold.domain.schedule import earliest
from gatehold.kube.errors import Unavailable
from gatehold.runtime.parts import ROLLOUT, Key, Runtime

log = logging.getLogger(__name__)
Body = dict[str, Any]
_AGAIN = timedelta(seconds=1)  # until a wall that could not be proven is asked about again
_LOOK_AGAIN = timedelta(seconds=AGAIN_SECONDS)
_MOST_STEPS = 16  # a pass ends by itself long before; a plan that never settles must not spin


class RolloutController:
    """One cycle for every trigger: event, deadline, resync, take-over."""

    kind = ROLLOUT

    def __init__(self, runtime: Runtime, gather: Gather, apply: Apply, children: ChildReader, revisions: Revisions) -> None:
        """Read with `gather`, write with `apply`; the others forget what is gone."""
        self._runtime = runtime
        self._gather = gather
        self._apply = apply
        self._children = children
        self._revisions = revisions

    async def reconcile(self, key: Key) -> datetime | None:
        """Do what is to be done now; answers when time alone can change that."""
        recheck: datetime | None = None
        for _ in range(_MOST_STEPS):
            body = self._runtime.rollouts.by_uid(key.uid)
            if body is None:
                self._children.forget(key.uid)
                self._revisions.forget(key.uid)
                self._apply.gone(key.uid)
                return None
            try:
                changed, recheck = await self._step(body)
            except ParseError as error:
                log.warning("cannot read this Rollout, it stays as it is: %s", error)
                await self._apply.say_unreadable(body, str(error))
                return None
            if not changed:
                return recheck
        log.error("the plan did not settle in %d steps; holding until the next event", _MOST_STEPS)
        return recheck

    async def _step(self, body: Body) -> tuple[bool, datetime | None]:
        """One look, one decision, its writes; answers whether anything was written, and when to look again."""
        seen = await self._gather.observe(body)
        now = self._runtime.clock.now()
        if not seen.genuine:
            return False, await self._hold(body, now)
        plan = decide_rollout(seen.sight, now)
        recheck = earliest((plan.recheck_at, now + _LOOK_AGAIN if seen.look_again else None))
        try:
            newer = await self._apply.apply(seen.sight, body, plan)
        except NotProvenError:
            return False, await self._hold(body, now)
        except RefusedError as refused:
            await self._say(str(body["metadata"]["uid"]), refused.refusal, now)
            raise
        return _is_news(body, newer, plan), recheck

    async def _hold(self, body: Body, now: datetime) -> datetime | None:
        """Decide again as what it is: a moment in which the wall is not proven. It is asked for again soon."""
        current = self._runtime.rollouts.by_uid(str(body["metadata"]["uid"]))
        if current is None:
            return None
        seen = await self._gather.observe(current)
        sight = replace(seen.sight, wall_proven=False)
        plan = decide_rollout(sight, now)
        try:
            await self._apply.apply(sight, current, plan)
        except NotProvenError as error:
            raise Unavailable("nobody can tell now whether the wall stands") from error
        return earliest((plan.recheck_at, now + _AGAIN))

    async def _say(self, uid: str, refusal: Refusal, now: datetime) -> None:
        """Let the Rollout say that a write was refused; what it says already is not written again."""
        body = self._runtime.rollouts.by_uid(uid)
        if body is None:
            return
        seen: Seen = await self._gather.observe(body, refusal)
        with contextlib.suppress(NotProvenError, RefusedError):  # then something else is due by now, and comes again
            await self._apply.apply(seen.sight, body, decide_rollout(seen.sight, now))


def _is_news(body: Body, newer: Body, plan: RolloutPlan) -> bool:
    """Whether something was written: then there is something new to look at."""
    return bool(plan.writes) or newer["metadata"]["resourceVersion"] != body["metadata"]["resourceVersion"]
