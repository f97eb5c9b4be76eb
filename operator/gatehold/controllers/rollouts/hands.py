"""The hands of a Rollout: one function for each write that a plan may hold, each guarded. Called by `apply` only."""

import contextlib
from collections.abc import Mapping
from typing import Any

from gatehold.api import deployment, revision
from gatehold.api.rollout import AUTHORS, FINALIZER, GATED_LABEL, template
from gatehold.controllers.apply import demand_leader
from gatehold.controllers.rollouts.children import ChildReader
from gatehold.controllers.rollouts.question import Questions
from gatehold.controllers.rollouts.revisions import Revisions
from gatehold.domain.rollout.model import Child, Rollout, Sight
from gatehold.domain.rollout.plan import (
    Ask,
    ClearAuthors,
    DeleteChild,
    DropFinalizer,
    DropRevision,
    KeepTemplate,
    PutChild,
    SetChildFree,
    SetFinalizer,
    Write,
)
from gatehold.domain.rollout.record import Track
from gatehold.kube.errors import Absent, AlreadyExists, Conflict
from gatehold.kube.resources import DEPLOYMENTS, NAMESPACES, REVISIONS, ROLLOUTS
from gatehold.runtime.parts import Runtime

Body = dict[str, Any]
_TRIES = 4  # a Deployment's status changes with every pod, which is no change of what a write of ours goes by


class Hands:
    """Writes children, templates, requests, and marks on the Rollout itself."""

    def __init__(self, runtime: Runtime, children: ChildReader, revisions: Revisions, questions: Questions) -> None:
        """Use the runtime's account."""
        self._runtime = runtime
        self._children = children
        self._revisions = revisions
        self._questions = questions

    async def mark(self, body: Body, write: SetFinalizer | DropFinalizer | ClearAuthors) -> Body:
        """Write our finalizer or the authors on that very version of the Rollout."""
        meta = body["metadata"]
        change: Body = {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
        rest = [finalizer for finalizer in meta.get("finalizers") or () if finalizer != FINALIZER]
        match write:
            case SetFinalizer():
                change["finalizers"] = [*rest, FINALIZER]
            case DropFinalizer():
                change["finalizers"] = rest
            case ClearAuthors():
                change["annotations"] = {AUTHORS: ""}
        return await self._runtime.cluster.merge_patch(ROLLOUTS, meta["namespace"], meta["name"], {"metadata": change})

    async def check(self, sight: Sight, writes: tuple[Write, ...]) -> None:
        """Ask what the caches cannot be trusted with, before any of these writes. Raises Conflict where it is otherwise.

        A namespace that was labelled a moment ago is gated, whatever the watch has delivered.
        """
        if sight.gate is not None or not any(_is_promotion(sight, write) for write in writes):
            return
        found = await self._runtime.cluster.get_metadata(NAMESPACES, None, sight.rollout.namespace)
        if GATED_LABEL in (found["metadata"].get("labels") or {}):
            raise Conflict(f"namespace {sight.rollout.namespace} is gated since a moment ago")

    async def write(self, sight: Sight, body: Body, write: Write) -> None:
        """Carry out one write on something else than the Rollout."""
        rollout = sight.rollout
        match write:
            case KeepTemplate():
                await self._keep(rollout, body, write)
            case DropRevision():
                await self._drop(rollout, write)
            case PutChild():
                await self._put(sight, body, write)
            case DeleteChild():
                await self._delete(rollout, write)
            case SetChildFree():
                await self._set_free(rollout, write)
            case Ask():
                await self._questions.ask(sight, body, write)
            case _:
                raise TypeError(f"no hands for {type(write).__name__}")

    # ---- templates

    async def _keep(self, rollout: Rollout, body: Body, write: KeepTemplate) -> None:
        wanted = revision.render(body, template(body), write.number)
        try:
            answer = await self._runtime.cluster.create_exact(REVISIONS, rollout.namespace, wanted)
        except AlreadyExists:
            answer = await self._runtime.cluster.get(REVISIONS, rollout.namespace, wanted["metadata"]["name"])
            if revision.owner(answer) != rollout.uid or "deletionTimestamp" in answer["metadata"]:
                # the last Rollout of that name had the same template, and the garbage collector is not through yet
                raise Conflict(f"revision {wanted['metadata']['name']} belongs to something else") from None
        self._revisions.note(answer)

    async def _drop(self, rollout: Rollout, write: DropRevision) -> None:
        with contextlib.suppress(Absent):
            await self._runtime.cluster.delete(REVISIONS, rollout.namespace, write.name, uid=write.uid)
        self._revisions.drop(rollout, write.name)

    # ---- children

    async def _put(self, sight: Sight, body: Body, write: PutChild) -> None:
        rollout, track = sight.rollout, write.track
        pods = await self._revisions.template(rollout, body, write.wanted.template)
        if write.uid:
            answer = await self._replace(sight, body, write, pods)
        else:
            answer = await self._create(rollout, track, deployment.whole(body, track, write.wanted, pods))
        self._children.answered(rollout, track, write.write, answer)

    async def _create(self, rollout: Rollout, track: Track, wanted: Body) -> Body:
        """Create it. Where the name is taken the next look is at the API server, and tells whose it is."""
        try:
            return await self._runtime.cluster.create(DEPLOYMENTS, rollout.namespace, wanted)
        except AlreadyExists as error:
            self._children.taken(rollout, track)
            raise Conflict(error.message, status=error.status, reason=error.reason) from error

    async def _replace(self, sight: Sight, body: Body, write: PutChild, pods: Mapping[str, Any]) -> Body:
        """Write it whole over what was seen. Where only its status has moved on since, that is taken up and tried again."""
        current = await self._children.body(sight.rollout, sight.record, write.track)
        seen = sight.child(write.track)
        for _ in range(_TRIES):
            if current is None or seen is None or not _is_what_was_seen(current, seen):
                break
            wanted = deployment.whole(body, write.track, write.wanted, pods, current)
            try:
                return await self._runtime.cluster.replace(DEPLOYMENTS, sight.rollout.namespace, wanted)
            except (Conflict, Absent):
                demand_leader(self._runtime)
                current = await self._children.live(sight.rollout, write.track)
        raise Conflict(f"somebody else changed the child {write.track}")

    async def _delete(self, rollout: Rollout, write: DeleteChild) -> None:
        name = deployment.child_name(rollout.name, write.track)
        with contextlib.suppress(Absent):
            await self._runtime.cluster.delete(DEPLOYMENTS, rollout.namespace, name, uid=write.uid)

    async def _set_free(self, rollout: Rollout, write: SetChildFree) -> None:
        current = await self._children.live(rollout, write.track)
        if current is None or current["metadata"]["uid"] != write.uid:
            raise Conflict(f"the child {write.track} is not the one that was seen")
        current["metadata"]["resourceVersion"] = write.resource_version or current["metadata"]["resourceVersion"]
        await self._runtime.cluster.replace(DEPLOYMENTS, rollout.namespace, deployment.freed(current, rollout.uid))


def _is_promotion(sight: Sight, write: Write) -> bool:
    """Whether a write gives stable another template."""
    runs = sight.stable.template if sight.stable is not None else ""
    return isinstance(write, PutChild) and write.track is Track.STABLE and runs != write.wanted.template


def _is_what_was_seen(body: Body, seen: Child) -> bool:
    """Whether it is the child that was decided about, however many of its pods have become ready since."""
    meta = body["metadata"]
    same = meta["uid"] == seen.uid and meta.get("generation", 0) == seen.generation and "deletionTimestamp" not in meta
    return same and deployment.facts(body).owner == seen.owner
