"""The two Deployments of a Rollout as they are now, with what is known of their pods. Only `gather` and `hands` use it.

Deployments come from the cache. One that it lacks is looked up where it was there before, or where its name was found
taken: the cache knows only what carries our label. Pods are read live, and no more often than somebody needs to know.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from gatehold.api import deployment as wire
from gatehold.api.child_pods import with_pods
from gatehold.api.rollout import TRACK_LABEL, pod_labels, selector, template
from gatehold.domain.rollout.model import Answer, Child, Rollout, Track
from gatehold.domain.rollout.record import Record, Run, Stage
from gatehold.kube.errors import Absent
from gatehold.kube.resources import DEPLOYMENTS, PODS
from gatehold.runtime.parts import Runtime

Body = dict[str, Any]

AGAIN_SECONDS = 10.0
"""How often pods that are not ready, and a foreign Deployment, are looked at again: nothing else tells of them."""
_AT_REST_SECONDS = 60.0


class _Look(NamedTuple):
    version: str
    at: float
    child: Child


@dataclass(frozen=True, slots=True)
class Children:
    """Both children, and whether time has to bring the next look at them."""

    stable: Child | None = None
    canary: Child | None = None
    look_again: bool = False


@dataclass(frozen=True, slots=True)
class Parent:
    """The Rollout as it is read: its body, and what stands in it; `pressing`: something is about to be done by its pods.

    `overdue`: that is to give up, since time is over.
    """

    body: Body
    rollout: Rollout
    record: Record
    pressing: bool = False
    overdue: bool = False


class ChildReader:
    """Reads the children of all Rollouts of this process."""

    def __init__(self, runtime: Runtime, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Nothing was written or read yet."""
        self._runtime = runtime
        self._monotonic = monotonic
        self._answers: dict[tuple[str, Track], Answer] = {}
        self._taken: set[tuple[str, Track]] = set()
        self._looks: dict[str, _Look] = {}

    # ---- what was written

    def answered(self, rollout: Rollout, track: Track, write: int, body: Body) -> None:
        """A write of ours was answered: the cycle that wrote looks again by itself."""
        self._answers[rollout.uid, track] = Answer(write, int(body["metadata"].get("generation") or 0))
        self._taken.discard((rollout.uid, track))
        self._runtime.deployments.upsert(body)

    def taken(self, rollout: Rollout, track: Track) -> None:
        """The child's name was found taken by something that the cache does not know."""
        self._taken.add((rollout.uid, track))

    def forget(self, uid: str) -> None:
        """The Rollout is gone."""
        for track in Track:
            self._answers.pop((uid, track), None)
            self._taken.discard((uid, track))

    # ---- reading

    async def of(self, parent: Parent) -> Children:
        """Both children."""
        stable, again = await self._child(parent, Track.STABLE)
        canary, later = await self._child(parent, Track.CANARY)
        return Children(stable, canary, again or later)

    async def body(self, rollout: Rollout, record: Record, track: Track) -> Body | None:
        """The Deployment with the name of that child, whoever made it."""
        name = wire.child_name(rollout.name, track)
        cached = None if rollout.deleting else self._runtime.deployments.get(rollout.namespace, name)
        suspected = rollout.deleting or record.track(track) is not None or (rollout.uid, track) in self._taken
        return await self.live(rollout, track) if cached is None and suspected else cached

    async def live(self, rollout: Rollout, track: Track) -> Body | None:
        """The same, from the API server itself."""
        try:
            return await self._runtime.cluster.get(DEPLOYMENTS, rollout.namespace, wire.child_name(rollout.name, track))
        except Absent:
            self._taken.discard((rollout.uid, track))
            return None

    async def looked_at(self, parent: Parent, track: Track) -> Child | None:
        """One child with what its pods say just now, whoever asks."""
        body = await self.body(parent.rollout, parent.record, track)
        if body is None:
            return None
        child = wire.facts(body)
        return with_pods(child, await self._pods(parent, track), _own(parent, body, child))

    async def _child(self, parent: Parent, track: Track) -> tuple[Child | None, bool]:
        rollout, run = parent.rollout, parent.record.run
        body = await self.body(rollout, parent.record, track)
        if body is not None and parent.overdue:  # after a standstill the watch may not have told yet that it came up in time
            body = await self.live(rollout, track)
        if body is None:
            return None, False
        child = wire.facts(body, self._answers.get((rollout.uid, track)))
        if child.owner != rollout.uid:
            return child, True
        if not _concerns(run, track, child):
            return child, False
        seen, settled = await self._look(parent, body, child, track), _is_settled(child)
        child = replace(child, restarts=seen.restarts, trouble=seen.trouble, held=seen.held)
        return (replace(child, images=seen.images), False) if settled else (child, run is not None)

    async def _look(self, parent: Parent, body: Body, child: Child, track: Track) -> Child:
        """Look at its pods, or take a look that is young enough; what was seen of another version is no proof of images."""
        known, now = self._looks.get(child.uid), self._monotonic()
        run, settled = parent.record.run, _is_settled(child)
        under_way, verifying = run is not None, run is not None and run.stage is Stage.PROMOTING and settled
        patience = 0.0 if parent.pressing or verifying else AGAIN_SECONDS if under_way else _AT_REST_SECONDS
        young = known is not None and now - known.at < patience
        if known is not None and young and (known.version == child.resource_version or not (under_way and settled)):
            return known.child
        found = with_pods(child, await self._pods(parent, track), _own(parent, body, child))
        self._looks[child.uid] = _Look(child.resource_version, now, found)
        if len(self._looks) > 2 * len(self._runtime.deployments) + 64:
            self._looks = {uid: look for uid, look in self._looks.items() if uid in self._runtime.deployments}
        return found

    async def _pods(self, parent: Parent, track: Track) -> list[Body]:
        labels = pod_labels(parent.body) | {TRACK_LABEL: str(track)}
        return await self._runtime.cluster.list_all(PODS, parent.rollout.namespace, selector(labels))


def _own(parent: Parent, body: Body, child: Child) -> Body:
    """The template that a child runs; the Rollout's own where that is it, which no webhook has added to."""
    own: Body = body["spec"]["template"]
    return template(parent.body) if child.template == parent.rollout.template else own


def _concerns(run: Run | None, track: Track, child: Child) -> bool:
    """Whether anybody asks about its pods now: the canary's while a run is under way, stable's when it is promoted."""
    if child.replicas == 0 and child.total == 0:
        return False
    if run is None:
        return track is Track.STABLE and _is_settled(child)
    return track is Track.CANARY or run.stage is not Stage.CANARY or run.first


def _is_settled(child: Child) -> bool:
    """Whether all of its pods are there and available, and of its present template."""
    current = child.observed_generation >= child.generation
    return current and child.total == child.updated == child.available == child.replicas
