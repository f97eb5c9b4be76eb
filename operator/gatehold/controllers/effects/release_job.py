"""The hands of effect Release on Jobs: every write is guarded by uid and resourceVersion, so a stale one fails."""

from typing import Any

from gatehold.api import job as wire
from gatehold.api.common import ParseError
from gatehold.domain.model import Request
from gatehold.domain.phases import is_refused
from gatehold.domain.plan import CloseJob, DropFinalizer, Facts, JobFacts, ReleaseJob, SuspendJob, Write
from gatehold.domain.status import EffectState, Resolved, Status
from gatehold.kube.errors import Absent
from gatehold.kube.resources import JOBS, PODS
from gatehold.runtime.parts import Runtime

Body = dict[str, Any]
_OVER = ("Succeeded", "Failed")


class JobHands:
    """Reads and writes held Jobs."""

    def __init__(self, runtime: Runtime) -> None:
        """Use the runtime's cache of held Jobs, and its account."""
        self._runtime = runtime

    def knows(self, request: Request) -> bool:
        """Jobs only; other subjects of Release have hands of their own."""
        return request.subject is not None and request.subject.kind == "Job"

    async def resolve(self, request: Request) -> tuple[Facts, Resolved]:
        """Read both Jobs live: what is shown must not be older than the question."""
        job, undo = [await self._live(request, name) for name in self._names(request)]
        facts = Facts(_facts(job), _facts(undo))
        return facts, Resolved(wire.resolved(job) if job else None, wire.resolved(undo) if undo else None)

    async def facts(self, request: Request, status: Status) -> Facts:
        """Both Jobs as cached; pods are read only while an undo waits for them."""
        job, undo = [await self._cached(request, name) for name in self._names(request)]
        pods = await self._pods_left(request, status) if is_refused(status.phase) else None
        return Facts(_facts(job), _facts(undo), pods)

    async def write(self, request: Request, write: Write) -> None:
        """One guarded patch of one Job, and its answer into the cache."""
        if not isinstance(write, ReleaseJob | SuspendJob | CloseJob | DropFinalizer):
            raise TypeError(f"a Job has no write {type(write).__name__}")
        current = await self._cached(request, write.job.name)
        patch = _patch(write, request.uid, (current or {}).get("metadata", {}).get("finalizers") or [])
        try:
            answer = await self._runtime.cluster.merge_patch(JOBS, request.namespace, write.job.name, patch)
        except Absent:
            if isinstance(write, DropFinalizer | CloseJob):
                return
            raise
        self._runtime.jobs.upsert(answer)

    def _names(self, request: Request) -> tuple[str, str]:
        subject, undo = request.subject, request.effect.undo
        return (subject.name if subject else "", undo.name if undo else "")

    async def _live(self, request: Request, name: str) -> Body | None:
        if not name:
            return None
        try:
            return await self._runtime.cluster.get(JOBS, request.namespace, name)
        except Absent:
            return None

    async def _cached(self, request: Request, name: str) -> Body | None:
        """The cache holds Jobs that carry the hold label; what it lacks is looked up, so that absent means absent."""
        return (self._runtime.jobs.get(request.namespace, name) if name else None) or await self._live(request, name)

    async def _pods_left(self, request: Request, status: Status) -> int | None:
        effect = status.effect
        if effect is None or effect.object is None or effect.started_at is None or effect.state is EffectState.UNDONE:
            return None
        selector = f"batch.kubernetes.io/controller-uid={effect.object.uid}"
        pods = await self._runtime.cluster.list_all(PODS, request.namespace, selector)
        return sum((pod.get("status") or {}).get("phase") not in _OVER for pod in pods)


def _facts(body: Body | None) -> JobFacts | None:
    try:
        return wire.facts(body) if body else None
    except ParseError:
        return None


def _patch(write: ReleaseJob | SuspendJob | CloseJob | DropFinalizer, request_uid: str, finalizers: list[str]) -> Body:
    meta: Body = {"uid": write.job.uid, "resourceVersion": write.job.resource_version}
    match write:
        case ReleaseJob():
            meta["annotations"] = {wire.RELEASED_BY: request_uid}
            meta["finalizers"] = [*(f for f in finalizers if f != wire.OUTCOME_FINALIZER), wire.OUTCOME_FINALIZER]
            return {"metadata": meta, "spec": {"suspend": False}}
        case SuspendJob():
            return {"metadata": meta, "spec": {"suspend": True}}
        case CloseJob():
            meta["annotations"] = {wire.CLOSED_BY: request_uid}
        case DropFinalizer():
            meta["finalizers"] = [f for f in finalizers if f != wire.OUTCOME_FINALIZER]
    return {"metadata": meta}
