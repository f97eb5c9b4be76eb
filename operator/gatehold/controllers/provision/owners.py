"""Who controls a pod in the end: the chain of controllers up to the last that can be read, read live and kept for a moment.

A Deployment, not its ReplicaSet; a CronJob, not its Jobs; a Rollout, not its Deployments. A controller of a kind that is not
known here ends the chain below it: what it controls directly counts.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from gatehold.api import workloads
from gatehold.api.common import ParseError
from gatehold.domain.provision.model import Owner, OwnerRef
from gatehold.kube.errors import Absent, Forbidden
from gatehold.kube.resources import (
    CRON_JOBS,
    DEPLOYMENTS,
    JOBS,
    PODS,
    REPLICA_SETS,
    REPLICATION_CONTROLLERS,
    ROLLOUTS,
    STATEFUL_SETS,
    Resource,
)
from gatehold.runtime.parts import Runtime
from gatehold.runtime.pods import controller

Body = Mapping[str, Any]

KNOWN: Final = {
    (resource.group, resource.kind): resource
    for resource in (
        CRON_JOBS,
        DEPLOYMENTS,
        JOBS,
        PODS,
        REPLICA_SETS,
        REPLICATION_CONTROLLERS,
        ROLLOUTS,
        STATEFUL_SETS,
    )
}
YOUNG_SECONDS: Final = 2.0
CHAIN_SECONDS: Final = 60.0
"""How long it is believed who controls whom."""
_LONGEST: Final = 5
_AT_ONCE: Final = 16
_MOST: Final = 20_000


class _Look(NamedTuple):
    at: float
    body: Body | None


class _Chain(NamedTuple):
    at: float
    top: OwnerRef


class Owners:
    """Reads owners for one operator."""

    def __init__(self, runtime: Runtime, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Nothing was read yet."""
        self._runtime = runtime
        self._monotonic = monotonic
        self._looks: dict[tuple[str, str, str], _Look] = {}
        self._forgot = 0
        self._chains: dict[str, _Chain] = {}
        self._tops: dict[str, OwnerRef] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def top(self, namespace: str, direct: OwnerRef) -> OwnerRef:
        """The last of the chain that begins with this controller (or with a pod that nothing controls)."""
        known = self.climbed(direct)
        if known is not None:
            return known
        async with self._slots:
            found = await self._climb(namespace, direct)
        if len(self._chains) > _MOST:
            self._chains.clear()
            self._tops.clear()
        self._tops[found.uid] = found
        self._chains[direct.uid] = _Chain(self._monotonic(), found)
        return found

    def climbed(self, direct: OwnerRef) -> OwnerRef | None:
        """The same, where it was found not long ago."""
        known = self._chains.get(direct.uid)
        return known.top if known is not None and self._monotonic() - known.at < CHAIN_SECONDS else None

    def climbed_at(self, direct: OwnerRef) -> float:
        """When that was found, by the monotonic clock; far back where it was not."""
        known = self._chains.get(direct.uid)
        return known.at if known is not None else -CHAIN_SECONDS

    def known_top(self, uid: str) -> OwnerRef | None:
        """The top owner of that uid, if a chain has led to it."""
        return self._tops.get(uid)

    async def owner(self, namespace: str, ref: OwnerRef) -> Owner:
        """The owner as it is now, or was a moment ago. One that is gone, or of another uid, is not known."""
        bare = Owner(ref.api_version, ref.kind, namespace, ref.name, ref.uid, known=False)
        resource = known_as(ref)
        if resource is None:
            return bare
        try:
            body = await self._body(resource, namespace, ref)
        except Forbidden as error:
            return _why(bare, f"{ref.kind} {ref.name} cannot be read: {error}")
        if body is None:
            self._chains = {uid: chain for uid, chain in self._chains.items() if chain.top.uid != ref.uid}
            return _gone(bare)
        try:
            return workloads.owner(body)
        except ParseError as error:
            return _why(bare, f"{ref.kind} {ref.name} cannot be read: {error}")

    def looked_at(self, namespace: str, ref: OwnerRef) -> float | None:
        """When it was read live last, by the monotonic clock; None where it is watched, or not read."""
        resource = known_as(ref)
        look = self._looks.get((resource.plural, namespace, ref.name)) if resource is not None else None
        return look.at if look is not None and self._cached(resource or PODS, ref) is None else None

    def forget(self, namespace: str, name: str) -> None:
        """Something was decided about what has that name: the next look is a new one; what is being read now is not kept."""
        self._forgot += 1
        for key in [key for key in self._looks if key[1:] == (namespace, name)]:
            del self._looks[key]

    async def _climb(self, namespace: str, direct: OwnerRef) -> OwnerRef:
        ref = direct
        for _ in range(_LONGEST):
            resource = known_as(ref)
            if resource is None or resource is PODS:
                return ref
            try:
                body = await self._body(resource, namespace, ref)
            except Forbidden:
                return ref
            above = controller(body) if body is not None else None
            if above is None or known_as(OwnerRef(*above)) is None:
                return ref
            ref = OwnerRef(*above)
        return ref

    async def _body(self, resource: Resource, namespace: str, ref: OwnerRef) -> Body | None:
        """That very object; None where it is gone, or another has its name."""
        body = self._cached(resource, ref) or await self._read(resource, namespace, ref.name)
        return body if body is not None and str(body["metadata"]["uid"]) == ref.uid else None

    def _cached(self, resource: Resource, ref: OwnerRef) -> Body | None:
        """What is watched need not be read."""
        caches = {PODS: self._runtime.pods, JOBS: self._runtime.gated_jobs, ROLLOUTS: self._runtime.rollouts}
        return caches[resource].by_uid(ref.uid) if resource in caches else None

    async def _read(self, resource: Resource, namespace: str, name: str) -> Body | None:
        key, now = (resource.plural, namespace, name), self._monotonic()
        look = self._looks.get(key)
        if look is not None and now - look.at < YOUNG_SECONDS:
            return look.body
        forgot = self._forgot
        try:
            body: Body | None = await self._runtime.cluster.get(resource, namespace, name)
        except Absent:
            body = None
        if len(self._looks) > _MOST:
            self._looks.clear()
        if forgot == self._forgot:  # else it may be from before a write of ours, which would be written again
            self._looks[key] = _Look(now, body)
        return body


def known_as(ref: OwnerRef) -> Resource | None:
    """The kind that a reference names, if it is one that is read here; its version does not matter."""
    group = ref.api_version.rpartition("/")[0]
    return KNOWN.get((group, ref.kind))


def _why(owner: Owner, why: str) -> Owner:
    return Owner(owner.api_version, owner.kind, owner.namespace, owner.name, owner.uid, known=False, why=why[:512])


def _gone(owner: Owner) -> Owner:
    return Owner(owner.api_version, owner.kind, owner.namespace, owner.name, owner.uid, known=False, gone=True)
