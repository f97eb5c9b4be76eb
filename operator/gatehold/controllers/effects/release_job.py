"""The hands of effect Release on Jobs: every write is guarded by uid and resourceVersion, so a stale one fails."""

from typing import Any

from gatehold.api import job as wire
from gatehold.api.common import ParseError
from gatehold.domain.effects.release_job import effect_timeout
from gatehold.domain.model import Request
from gatehold.domain.phases import Phase, is_refused
from gatehold.domain.plan import CloseJob, DropFinalizer, Facts, JobFacts, Pods, ReleaseJob, Rules, SuspendJob, Write
from gatehold.domain.status import EffectState, Resolved, ResolvedJob, Status
from gatehold.kube.clock import Clock
from gatehold.kube.errors import Absent
from gatehold.kube.resources import JOBS, PODS
from gatehold.runtime.parts import Runtime

Body = dict[str, Any]


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
        return facts, Resolved(_resolved(job), _resolved(undo))

    async def facts(self, request: Request, status: Status) -> Facts:
        """Both Jobs as cached; pods are read only while an undo waits for them.

        A Job whose time is over is read live: after a standstill the watch may not have told yet that it has completed.
        """
        shown = status.resolved or Resolved()
        uids = [resolved.uid if resolved is not None else "" for resolved in (shown.job, shown.undo)]
        job, undo = [await self._cached(request, *known) for known in zip(self._names(request), uids, strict=True)]
        if _is_due(request, status, self._runtime.clock):
            job = await self._live(request, self._names(request)[0])
        if not is_refused(status.phase):
            return Facts(_facts(job), _facts(undo))
        pods, undo_pods = await self._pods(request, status), await self._undo_pods(request, status, undo)
        return Facts(_facts(job), _facts(undo), pods, undo_pods)

    async def write(self, request: Request, write: Write) -> None:
        """One guarded patch of one Job, and its answer into the cache."""
        if not isinstance(write, ReleaseJob | SuspendJob | CloseJob | DropFinalizer):
            raise TypeError(f"a Job has no write {type(write).__name__}")
        current = await self._cached(request, write.job.name, write.job.uid)
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

    async def _cached(self, request: Request, name: str, uid: str = "") -> Body | None:
        """The cache holds Jobs that carry the hold label; what it lacks is looked up, so that absent means absent.

        So is one that has another uid than what was shown: that was read live, and the watch may not have told yet that
        the former Job of that name is gone.
        """
        cached = self._runtime.jobs.get(request.namespace, name) if name else None
        if cached is None or uid not in ("", cached["metadata"]["uid"]):
            return await self._live(request, name)
        return cached

    async def _pods(self, request: Request, status: Status) -> Pods:
        effect = status.effect
        if effect is None or effect.object is None or effect.started_at is None or effect.state is EffectState.UNDONE:
            return None
        return await self._pods_of(request, effect.object.uid)

    async def _undo_pods(self, request: Request, status: Status, job: Body | None) -> Pods:
        """Those of the undo Job, from the moment when it no longer runs by itself."""
        facts, record = _facts(job), status.effect.undo if status.effect is not None else None
        ours = facts if facts is not None and facts.released_by == request.uid else None
        if ours is not None and not (ours.finished or ours.suspended or ours.deleting):
            return None
        uid = record.object.uid if record is not None else ours.uid if ours is not None else ""
        return await self._pods_of(request, uid) if uid else None

    async def _pods_of(self, request: Request, uid: str) -> Pods:
        selector = f"batch.kubernetes.io/controller-uid={uid}"
        return wire.pods_left(await self._runtime.cluster.list_all(PODS, request.namespace, selector))


def _is_due(request: Request, status: Status, clock: Clock) -> bool:
    """Whether time would end the Job that was released, unless it has ended by itself."""
    effect = status.effect
    if status.phase is not Phase.APPROVED or effect is None or effect.started_at is None:
        return False
    return clock.now() >= effect.started_at + effect_timeout(request, Rules())


def _resolved(body: Body | None) -> ResolvedJob | None:
    """What is shown of a Job. Raises ParseError that names the Job, since the request itself can be read."""
    if body is None:
        return None
    try:
        return wire.resolved(body)
    except ParseError as error:
        raise ParseError(f"Job {body['metadata']['name']}: {error}") from None


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
