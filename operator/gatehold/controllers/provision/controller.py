"""The cycle of what controls gated pods. Keys name direct owners; the work (gather, decide, apply) is for the top one."""

import logging
import time
from datetime import datetime, timedelta

from gatehold.controllers.apply import demand_leader
from gatehold.controllers.provision.gather import Gather
from gatehold.controllers.provision.glass import Glass
from gatehold.controllers.provision.hands import ProvisionHands
from gatehold.controllers.provision.question import Questions
from gatehold.controllers.provision.tell import TellProvision
from gatehold.controllers.wall import Wall
from gatehold.domain.model import GateType
from gatehold.domain.plan import Finding
from gatehold.domain.provision.decide import decide
from gatehold.domain.provision.model import LetGo, Sight
from gatehold.domain.provision.plan import GroupPlan
from gatehold.domain.reasons import Reason
from gatehold.domain.schedule import earliest
from gatehold.kube.errors import ApiError
from gatehold.runtime.parts import PODS_OWNER, REQUEST, Key, Runtime

log = logging.getLogger(__name__)
WHILE_HELD = timedelta(seconds=15)
"""How often the owner of what waits is looked at: nothing else tells of its annotations."""
UNPROVEN = timedelta(seconds=1)
"""How soon the wall is asked about again."""
NOT_PROVEN = Finding(Reason.WALL_NOT_PROVEN, "the admission policies are not proven in force: nothing is let go")
_MOST_SEEN = 20_000


class ProvisionController:
    """One cycle a top owner. Nothing here lets go what its own decision does not name."""

    kind = PODS_OWNER

    def __init__(self, runtime: Runtime, wall: Wall, gather: Gather, hands: ProvisionHands, glass: Glass) -> None:
        """Read with `gather`, write with `hands`, while the wall is proven; what was opened by hand is `glass`'s to tell."""
        self._runtime = runtime
        self._wall = wall
        self._gather = gather
        self._hands = hands
        self._questions = Questions(runtime, gather)
        self._glass = glass
        self._tell = TellProvision(runtime)
        self._seen: dict[str, int] = {}

    async def reconcile(self, key: Key) -> datetime | None:
        """Do what is to be done now for the top owner; a key of something below it asks for that one's cycle."""
        if GateType.PODS not in self._runtime.settings.gates:  # a request of before woke it, and there is no right to look
            return None
        top = await self._gather.top(key.namespace, key.name, key.uid)
        if top is None:
            self._seen.pop(key.uid, None)
            return None
        if top.uid != key.uid:
            self._runtime.enqueue(Key(PODS_OWNER, key.namespace, top.name, top.uid), True)
            return None
        began = time.monotonic()
        sight = await self._gather.sight(key.namespace, top)
        self._wake_requests(sight)
        self._glass.look(sight)
        self._tell.look(sight)
        now = self._runtime.clock.now()
        plan = decide(sight, now)
        proven = await self._apply(sight, plan)
        again = self._gather.again_in(key.namespace, top, began)
        return earliest(
            (
                plan.recheck_at,
                now + timedelta(seconds=again) if again is not None else None,
                now + WHILE_HELD if plan.held is not None else None,
                None if proven else now + UNPROVEN,
            )
        )

    async def _apply(self, sight: Sight, plan: GroupPlan) -> bool:
        """Carry it out; whether the wall was proven where that was needed. A wave goes behind a proof that is young.

        A yes, and a threshold, are worth what guards them.
        """
        proven = not plan.let_go or await self._wall.prove()
        for wave in plan.let_go if proven else ():
            await self._let_go(sight, wave)
        for question in plan.ask:
            demand_leader(self._runtime)
            await self._questions.ask(sight, question)
        self._tell.held(sight, plan.held if proven else NOT_PROVEN)
        return proven

    async def _let_go(self, sight: Sight, wave: LetGo) -> None:
        demand_leader(self._runtime)
        try:
            count = await self._hands.let_go(wave)
        except ApiError:
            self._tell.unsure(sight, wave)
            raise
        self._tell.let_go(sight, wave, count)
        log.info("let %d of %s go, by %s", count, sight.owner.name, wave.released_by)

    def _wake_requests(self, sight: Sight) -> None:
        """The requests about it see the same: they end by it, or go on."""
        mark = _mark(sight)
        if self._seen.get(sight.owner.uid) == mark:
            return
        if len(self._seen) > _MOST_SEEN:
            self._seen.clear()
        self._seen[sight.owner.uid] = mark
        for asked in sight.asked:
            self._runtime.enqueue(Key(REQUEST, sight.namespace, asked.name, asked.uid), True)


def _mark(sight: Sight) -> int:
    """What a request about that owner could go by, in one number."""
    owner, gate = sight.owner, sight.gate
    parts = (
        (owner.known, owner.gone, owner.deleting, owner.replicas, owner.surge, owner.digest, owner.suspended, owner.retry),
        frozenset((pod.uid, pod.digest, pod.gated, pod.live, pod.deleting, pod.released_by) for pod in sight.pods),
        frozenset((job.uid, job.digest, job.suspended, job.finished, job.started) for job in sight.jobs),
        (gate.name, gate.policy) if gate is not None else sight.why,
        sight.table.fingerprint if sight.table is not None else sight.table_flaw,
    )
    return hash(parts)
