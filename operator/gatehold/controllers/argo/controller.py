"""The cycle of an Argo Rollout that stands at a pause behind a Gate: gather, decide, ask. The Rollout is not written."""

import logging
from datetime import datetime, timedelta

from gatehold.controllers.apply import demand_leader
from gatehold.controllers.argo.gather import ArgoGather
from gatehold.controllers.argo.question import Questions
from gatehold.controllers.argo.tell import TellArgo
from gatehold.domain.argo.decide import ArgoPlan, decide_argo
from gatehold.runtime.parts import ARGO_ROLLOUT, Key, Runtime

log = logging.getLogger(__name__)
AGAIN = timedelta(minutes=1)
"""How often one that waits is looked at: what changes it wakes it anyway."""


class ArgoController:
    """One cycle for every trigger: event, resync, take-over, a Gate or a policy that changed."""

    kind = ARGO_ROLLOUT

    def __init__(self, runtime: Runtime, gather: ArgoGather) -> None:
        """Read with `gather`."""
        self._runtime = runtime
        self._gather = gather
        self._questions = Questions(runtime)
        self._tell = TellArgo(runtime)

    async def reconcile(self, key: Key) -> datetime | None:
        """Ask about the pause at which it stands, if that is not asked yet; answers when to look again."""
        sight = await self._gather.sight(key.namespace, key.name)
        if sight.unread:
            log.warning("it stays at its pause, if it is at one: %s", sight.unread)
            return None
        plan = decide_argo(sight)
        if plan.ask is not None:
            plan = await self._ask(key)
        if sight.rollout is not None:
            self._tell.held(sight.rollout, plan)
        return self._runtime.clock.now() + AGAIN if plan.held is not None or plan.ask is not None else None

    async def _ask(self, key: Key) -> ArgoPlan:
        """What is asked is read live: a cache that lags behind would ask about a pause that is over."""
        now = await self._gather.sight(key.namespace, key.name, live=True)
        plan = decide_argo(now)
        if plan.ask is None or now.rollout is None:
            return plan
        demand_leader(self._runtime)
        await self._questions.ask(plan.ask, now.stable_images)
        return plan
