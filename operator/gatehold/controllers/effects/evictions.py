"""Evictions: many at a time, each guarded by the pod's uid; and what was answered, as long as it is not to be tried again.

The memory is this process's own: after a restart each pod is simply tried once more.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Mapping
from datetime import datetime, timedelta

from gatehold.api import drain_pods
from gatehold.api.eviction import block
from gatehold.controllers.effects.node_reads import NodeReads
from gatehold.domain.nodes import Block, Blocked, EvictPods, PodToEvict
from gatehold.kube.errors import Absent, ApiError, Conflict, Unavailable, is_refusal
from gatehold.kube.resources import PODS
from gatehold.runtime.parts import Runtime

AGAIN = {Block.BUDGET: 5.0, Block.TWO_BUDGETS: 60.0, Block.NAMESPACE: 5.0}
"""Seconds until an eviction that had to wait is tried again."""
_SLICE_SECONDS = 2.0
"""No eviction begins later than that after the first: then the request is looked at again, which may have been denied."""
_MOST_REMEMBERED = 10_000
_MOST_AT_ONCE = 32
"""Evictions under way of all nodes of all drains: there is a connection left for whoever decides something else."""


class Memory:
    """The last answers, by the uid of the pod."""

    def __init__(self) -> None:
        """Nothing was tried."""
        self._known: OrderedDict[str, Blocked] = OrderedDict()

    def blocked(self) -> Mapping[str, Blocked]:
        """Everything that had to wait when it was tried last."""
        return self._known

    def note(self, uid: str, kind: Block, by: str, now: datetime, seconds: float) -> None:
        """It has to wait. Since when: since it first had to for that kind of reason."""
        old = self._known.pop(uid, None)
        since = old.since if old is not None and old.kind is kind else now
        self._known[uid] = Blocked(kind, by, since, now + timedelta(seconds=seconds))
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)

    def forget(self, uid: str) -> None:
        """It went."""
        self._known.pop(uid, None)


class Evictions:
    """Carries out the evictions of one operator."""

    def __init__(self, runtime: Runtime, reads: NodeReads) -> None:
        """Use the runtime's account."""
        self._runtime = runtime
        self._reads = reads
        self._slots = asyncio.Semaphore(_MOST_AT_ONCE)
        self.memory = Memory()

    async def carry_out(self, write: EvictPods) -> None:
        """Evict the pods, node by node beside each other. Raises the first error that is no reason to wait, at the end."""
        until = asyncio.get_running_loop().time() + _SLICE_SECONDS
        lanes = dict[str, deque[PodToEvict]]()
        for pod in write.pods:
            lanes.setdefault(pod.node, deque()).append(pod)
        work = [
            self._work_off(lane, write.grace_seconds, until)
            for lane in lanes.values()
            for _ in range(min(write.parallel, len(lane)))
        ]
        ended = await asyncio.gather(*work, return_exceptions=True)  # nobody goes on evicting when this is over
        failed = [error for error in ended if error is not None]
        if failed:
            raise failed[0]

    async def _work_off(self, lane: deque[PodToEvict], grace: int | None, until: float) -> ApiError | None:
        """One worker of one node; what fails does not keep the others waiting."""
        failed: ApiError | None = None
        loop = asyncio.get_running_loop()
        while loop.time() < until:
            async with self._slots:
                if not lane:
                    break
                if not self._runtime.is_leader():
                    return Unavailable("this process does not hold the Lease")
                try:
                    await self._evict(lane.popleft(), grace)
                except ApiError as error:
                    failed = failed or error
        return failed

    async def _evict(self, pod: PodToEvict, grace: int | None) -> None:
        try:
            await self._runtime.cluster.evict(pod.namespace, pod.name, uid=pod.uid, grace_seconds=grace)
        except ApiError as error:
            if await self._has_to_wait(pod, error):
                return
            if is_refusal(error) or not isinstance(error, Absent | Conflict):
                raise
        self.memory.forget(pod.uid)  # it goes, is gone, or another has its name: the next look tells

    async def _has_to_wait(self, pod: PodToEvict, error: ApiError) -> bool:
        """Note what an eviction waits for; False where the answer means something else."""
        found = _block(pod, error)
        if found is not None and found[0] is Block.TWO_BUDGETS:
            found = _block(pod, error, await self._covering(pod))
        if found is None:
            return False
        kind, words = found
        seconds = max(AGAIN[kind], error.retry_after or 0.0)
        self.memory.note(pod.uid, kind, words, self._runtime.clock.now(), seconds)
        return True

    async def _covering(self, pod: PodToEvict) -> tuple[str, ...]:
        """The budgets that cover a pod: the API server names none where there are two."""
        try:
            body = await self._runtime.cluster.get(PODS, pod.namespace, pod.name)
        except Absent:
            return ()
        return drain_pods.facts((body,), await self._reads.budgets(pod.namespace))[0].budgets


def _block(pod: PodToEvict, error: ApiError, covering: tuple[str, ...] = ()) -> tuple[Block, str] | None:
    return block(error.status, error.message, error.causes, pod.namespace, covering)
