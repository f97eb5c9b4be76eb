"""The hands of effect Promote on Argo Rollouts: they take a pause away, or abort. Both only if it is still what was seen.

Both are patches of `status`, which is what Argo's own command line writes; nothing in Git drifts by them.
"""

from dataclasses import replace
from typing import Any, Final

from gatehold.api.common import ParseError
from gatehold.controllers.argo.gather import ArgoGather
from gatehold.domain.argo.course import is_of_argo
from gatehold.domain.argo.model import AbortArgo, ArgoRollout, ArgoSight, ResumeArgo
from gatehold.domain.model import Request
from gatehold.domain.plan import Facts, Write
from gatehold.domain.status import Resolved, ResolvedArgo, Status
from gatehold.kube.errors import Conflict, Invalid
from gatehold.kube.resources import ARGO_ROLLOUTS
from gatehold.runtime.parts import Runtime

Operations = list[dict[str, Any]]
_REVISION: Final = "/status/currentPodHash"


class ArgoHands:
    """Reads and writes Argo Rollouts."""

    def __init__(self, runtime: Runtime, gather: ArgoGather) -> None:
        """Use the runtime's account, and see what the cycle of the Rollout sees."""
        self._runtime = runtime
        self._gather = gather

    def knows(self, request: Request) -> bool:
        """Argo Rollouts only."""
        return is_of_argo(request)

    async def resolve(self, request: Request) -> tuple[Facts, Resolved]:
        """Read it live: what is shown must not be older than the question. Raises ParseError."""
        sight = await self._sight(request, live=True)
        if sight.unread:
            raise ParseError(sight.unread)
        return Facts(argo=sight), Resolved(argo=_resolved(sight))

    async def facts(self, request: Request, status: Status) -> Facts:
        """The Rollout as cached; every write bears tests, and what the cache lacks is looked up."""
        return Facts(argo=await self._sight(request))

    async def write(self, request: Request, write: Write) -> None:
        """One guarded patch of its status, and its answer into the cache."""
        match write:
            case ResumeArgo():
                change = [*_tests(write.rollout), {"op": "remove", "path": "/status/pauseConditions"}]
            case AbortArgo():
                change = [*_tests(write.rollout), {"op": "add", "path": "/status/abort", "value": True}]
            case _:
                raise TypeError(f"an Argo Rollout has no write {type(write).__name__}")
        rollout = write.rollout
        try:
            answer = await self._runtime.cluster.json_patch(
                ARGO_ROLLOUTS, rollout.namespace, rollout.name, change, subresource="status"
            )
        except Invalid as error:  # a test that fails says that it changed since it was looked at: no bad body
            raise Conflict(error.message, status=error.status, reason=error.reason) from error
        self._runtime.answered(ARGO_ROLLOUTS, answer)

    async def _sight(self, request: Request, *, live: bool = False) -> ArgoSight:
        """The Rollout of that name; of another uid it is not the one, and of one that is gone there is none."""
        sight = await self._gather.sight(request.namespace, request.subject.name if request.subject else "", live=live)
        subject, rollout = request.subject, sight.rollout
        if live or rollout is None or subject is None or rollout.uid == subject.uid:
            return sight
        return replace(await self._gather.sight(request.namespace, subject.name, live=True), stable_images=())


def _tests(rollout: ArgoRollout) -> Operations:
    """That very version, revision and step."""
    tests = [_test("/metadata/resourceVersion", rollout.resource_version), _test("/metadata/uid", rollout.uid)]
    tests += [_test(_REVISION, rollout.pod_hash)]
    return tests if rollout.step is None else [*tests, _test("/status/currentStepIndex", rollout.step)]


def _test(path: str, value: object) -> dict[str, Any]:
    return {"op": "test", "path": path, "value": value}


def _resolved(sight: ArgoSight) -> ResolvedArgo | None:
    """The pause that is asked about; None where it does not stand at one."""
    rollout = sight.rollout
    if rollout is None or rollout.paused_at is None:
        return None
    return ResolvedArgo(
        pod_hash=rollout.pod_hash,
        stable_hash=rollout.stable_hash,
        paused_at=rollout.paused_at,
        step_index=rollout.step,
        steps=rollout.steps,
        weight=rollout.weight,
        images=rollout.images,
        stable_images=sight.stable_images,
    )
