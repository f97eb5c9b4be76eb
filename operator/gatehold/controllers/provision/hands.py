"""What is written to pods, Jobs and their owners. Every write bears tests, so that a stale one fails instead of landing."""

import asyncio
import contextlib
from collections.abc import Coroutine, Iterator, Mapping
from typing import Any, Final

from gatehold.api.job import RELEASED_BY
from gatehold.controllers.provision.owners import known_as
from gatehold.domain.provision.model import (
    DeleteOwner,
    JobSeen,
    LetGo,
    Owner,
    OwnerRef,
    PodSeen,
    ScaleOwner,
    SuspendOwner,
)
from gatehold.domain.stamping import APPROVAL
from gatehold.kube.errors import Absent, Conflict, Invalid
from gatehold.kube.resources import GATED_JOBS, JOBS, PODS, Resource
from gatehold.runtime.parts import Runtime

AT_ONCE: Final = 32
_POINTER: Final = RELEASED_BY.replace("~", "~0").replace("/", "~1")
Operations = list[dict[str, Any]]


class ProvisionHands:
    """Writes for one operator."""

    def __init__(self, runtime: Runtime) -> None:
        """Use the runtime's account; all waves together write so many at once."""
        self._runtime = runtime
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def let_go(self, wave: LetGo) -> int:
        """Take the gate off all of them, in parallel; answers how many went.

        One that is gone is no error. Of the others all are tried, then the first error is raised; a stale one is a Conflict.
        """
        writes = [self._guarded(self._open(pod, wave.released_by)) for pod in wave.pods]
        writes += [self._guarded(self._resume(job, wave.released_by)) for job in wave.jobs]
        results = await asyncio.gather(*writes, return_exceptions=True)
        by = "gate" if wave.released_by.startswith("gate/") else "request"
        count = sum(result is True for result in results)
        self._runtime.metrics.count("gatehold_provision_released_total", count, by=by)
        wrong = [result for result in results if isinstance(result, BaseException)]
        if wrong:
            raise min(wrong, key=lambda error: isinstance(error, Conflict))
        return count

    async def scale(self, write: ScaleOwner) -> None:
        """Scale down, from the size that was seen to the one that is wanted."""
        owner = write.owner
        if write.to >= owner.replicas:
            raise ValueError("an owner is scaled down, never up")
        tests = [_test("/metadata/uid", owner.uid), _test("/spec/replicas", owner.replicas)]
        change = {"op": "replace", "path": "/spec/replicas", "value": write.to}
        await self._on_owner(owner, [*tests, change], "scale")

    async def suspend(self, write: SuspendOwner) -> None:
        """Suspend a Job or CronJob."""
        change = {"op": "add", "path": "/spec/suspend", "value": True}
        await self._on_owner(write.owner, [_test("/metadata/uid", write.owner.uid), change])

    async def delete(self, write: DeleteOwner) -> None:
        """Delete that very version of it: what somebody changed meanwhile stays."""
        owner = write.owner
        version = owner.resource_version or None
        with contextlib.suppress(Absent):
            await self._runtime.cluster.delete(
                _resource(owner), owner.namespace, owner.name, uid=owner.uid, resource_version=version
            )

    async def _guarded(self, write: Coroutine[Any, Any, None]) -> bool:
        async with self._slots:
            if not self._runtime.is_leader():
                write.close()
                raise Conflict("another process acts now, or none")
            try:
                with _stale():
                    await write
            except Absent:
                return False
            return True

    async def _open(self, pod: PodSeen, by: str) -> None:
        body = self._runtime.pods.by_uid(pod.uid)
        if body is None:
            return
        gates = [gate.get("name") for gate in body["spec"].get("schedulingGates") or ()]
        if APPROVAL not in gates:
            return
        place = f"/spec/schedulingGates/{gates.index(APPROVAL)}"
        tests = [_test("/metadata/uid", pod.uid), _test(f"{place}/name", APPROVAL)]
        change = [*tests, {"op": "remove", "path": place}, *_marked(body, by)]
        answer = await self._runtime.cluster.json_patch(PODS, pod.namespace, pod.name, change)
        self._runtime.answered(PODS, answer)

    async def _resume(self, job: JobSeen, by: str) -> None:
        body = self._runtime.gated_jobs.by_uid(job.uid)
        if body is None:
            return
        tests = [_test("/metadata/uid", job.uid), _test("/spec/suspend", True)]
        change = [*tests, {"op": "replace", "path": "/spec/suspend", "value": False}, *_marked(body, by)]
        answer = await self._runtime.cluster.json_patch(JOBS, job.namespace, job.name, change)
        self._runtime.answered(GATED_JOBS, answer)

    async def _on_owner(self, owner: Owner, change: Operations, subresource: str | None = None) -> None:
        with contextlib.suppress(Absent), _stale():
            await self._runtime.cluster.json_patch(
                _resource(owner), owner.namespace, owner.name, change, subresource=subresource
            )


@contextlib.contextmanager
def _stale() -> Iterator[None]:
    """A test of a patch that fails says that the object changed since it was looked at: a Conflict, not a bad body."""
    try:
        yield
    except Invalid as error:
        raise Conflict(error.message, status=error.status, reason=error.reason) from error


def _test(path: str, value: object) -> dict[str, Any]:
    return {"op": "test", "path": path, "value": value}


def _marked(body: Mapping[str, Any], by: str) -> Operations:
    """Say who let it go; where there are no annotations yet, there must still be none."""
    if body["metadata"].get("annotations"):
        return [{"op": "add", "path": f"/metadata/annotations/{_POINTER}", "value": by}]
    return [_test("/metadata/annotations", None), {"op": "add", "path": "/metadata/annotations", "value": {RELEASED_BY: by}}]


def _resource(owner: Owner) -> Resource:
    found = known_as(OwnerRef(owner.api_version, owner.kind, owner.name, owner.uid))
    if found is None:
        raise TypeError(f"{owner.kind} is not a kind that is written here")
    return found
