"""Gather: everything about one top owner's pods in one value. Caches where they will do, live reads for the owner."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from gatehold.api import gate as gate_wire
from gatehold.api import gated
from gatehold.api.common import ParseError, optional_time
from gatehold.controllers.policies import known_policy
from gatehold.controllers.price_table import PriceTables
from gatehold.controllers.provision.asked import asked_of
from gatehold.controllers.provision.owners import YOUNG_SECONDS, Owners
from gatehold.controllers.provision.placed import Placed
from gatehold.domain.model import EffectType
from gatehold.domain.provision.model import Asked, JobSeen, Owner, OwnerRef, PodGate, PodSeen, Sight
from gatehold.runtime import pods as note
from gatehold.runtime.objects import Item, Objects
from gatehold.runtime.parts import Runtime

log = logging.getLogger(__name__)
Body = Mapping[str, Any]
_MOST_KNOWN = 20_000
_OVERDUE = timedelta(seconds=5)  # beyond its grace: a kubelet that is there is quicker


class _Read(NamedTuple):
    version: str
    seen: PodSeen | JobSeen
    ends: datetime | None
    """When its grace is over, for what is on its way out."""


class Gather:
    """Reads for one operator."""

    def __init__(self, runtime: Runtime, prices: PriceTables, owners: Owners) -> None:
        """Use the runtime's caches, the price table, and what is known of owners."""
        self._runtime = runtime
        self._prices = prices
        self._owners = owners
        self._placed = Placed((runtime.gated_jobs, runtime.pods), owners)
        self._read: dict[str, _Read] = {}

    async def top(self, namespace: str, name: str, uid: str) -> OwnerRef | None:
        """The top owner of what that direct owner controls; None where nothing of it is there and nothing was asked."""
        direct = self._direct(namespace, uid)
        if direct is not None:
            return await self._owners.top(namespace, direct)
        return self._owners.known_top(uid) or next(iter(self._asked_about(namespace, name, uid)), None)

    async def sight(self, namespace: str, ref: OwnerRef) -> Sight:
        """Everything about that top owner and its pods. Raises the errors of gatehold.kube."""
        await self._prices.ensure()
        owner = await self._owners.owner(namespace, ref)
        if owner.gone:
            self._placed.lost(ref)
        theirs = await self._placed.groups(namespace, ref)
        # nothing is awaited from here on: what is there and what was asked is one moment
        pods = tuple(seen for seen in self._all(self._runtime.pods, theirs) if isinstance(seen, PodSeen))
        jobs = tuple(seen for seen in self._all(self._runtime.gated_jobs, theirs) if isinstance(seen, JobSeen))
        gate, why = self._gate(namespace)
        asked = self._asked(owner)
        return Sight(
            namespace=namespace,
            owner=owner,
            gate=gate,
            why=why,
            pods=pods,
            jobs=jobs,
            asked=asked,
            strays=self._strays(asked, {pod.uid for pod in pods}),
            table=self._prices.table,
            table_flaw=self._prices.flaw,
        )

    def again_in(self, namespace: str, ref: OwnerRef, began: float) -> float | None:
        """In how many seconds to look again, where what was seen of the owner in a cycle is older than that cycle."""
        looked = self._owners.looked_at(namespace, ref)
        return looked + YOUNG_SECONDS - began if looked is not None and looked < began else None

    def forget(self, namespace: str, name: str) -> None:
        """What has that name is read live next time."""
        self._owners.forget(namespace, name)

    def bodies(self, sight: Sight, digest: str) -> tuple[Body, ...]:
        """The pods or Jobs of one group, whole."""
        found = [self._runtime.pods.by_uid(pod.uid) for pod in sight.pods if pod.digest == digest]
        found += [self._runtime.gated_jobs.by_uid(job.uid) for job in sight.jobs if job.digest == digest]
        return tuple(body for body in found if body is not None)

    # ---- whose they are

    def _direct(self, namespace: str, uid: str) -> OwnerRef | None:
        """The direct owner of that uid as what it controls names it, or a Job or pod that is there itself."""
        for cache in (self._runtime.gated_jobs, self._runtime.pods):
            item = cache.item(uid) or next(iter(cache.grouped(note.group(namespace, uid))), None)
            if item is not None:
                return OwnerRef(*note.direct(item))
        return None

    def _asked_about(self, namespace: str, name: str, uid: str) -> Iterable[OwnerRef]:
        """The owner that a request names, also where none of its pods is there any more."""
        for record in self._runtime.requests.by_pods(uid):
            api_version, kind, place, called = record.summary.subjects[0]
            if (place, called) == (namespace, name):
                yield OwnerRef(api_version, kind, called, uid)

    # ---- what they are

    def _all(self, cache: Objects, groups: Iterable[str]) -> Iterable[PodSeen | JobSeen]:
        for name in groups:
            for item in cache.grouped(name):
                seen = self._seen(cache, item)
                if seen is not None:
                    yield seen

    def _seen(self, cache: Objects, item: Item) -> PodSeen | JobSeen | None:
        known = self._read.get(item.uid)
        if known is not None and known.version == item.resource_version:
            return self._now(known)
        body = cache.by_uid(item.uid)
        if body is None:
            return None
        try:
            seen: PodSeen | JobSeen = gated.job(body) if cache is self._runtime.gated_jobs else gated.pod(body)
        except ParseError as error:
            log.warning("%s %s/%s cannot be read, so it stays held: %s", body["kind"], item.namespace, item.name, error)
            return None
        if len(self._read) > _MOST_KNOWN:
            self._read.clear()
        ends = optional_time(body["metadata"].get("deletionTimestamp"))
        known = self._read[item.uid] = _Read(item.resource_version, seen, ends)
        return self._now(known)

    def _now(self, read: _Read) -> PodSeen | JobSeen:
        """A pod that should have ended by now has a node that is lost: nobody says so, and it takes no room any more."""
        if isinstance(read.seen, JobSeen) or read.ends is None or self._runtime.clock.now() <= read.ends + _OVERDUE:
            return read.seen
        return replace(read.seen, live=False)

    def _strays(self, asked: Iterable[Asked], known: set[str]) -> tuple[PodSeen, ...]:
        """What these requests let go and somebody took away from the owner: it runs, and counts."""
        items = (item for question in asked for item in self._runtime.pods.tagged(question.uid) if item.uid not in known)
        found = (self._seen(self._runtime.pods, item) for item in items)
        return tuple(seen for seen in found if isinstance(seen, PodSeen))

    # ---- what holds for them

    def _gate(self, namespace: str) -> tuple[PodGate | None, str]:
        """The Gate that the namespace names, or why it is of no use."""
        item = self._runtime.pod_namespaces.named("", namespace)
        if item is None:
            return None, f"namespace {namespace} is not behind a Gate of type Pods any more"
        body = self._runtime.gates.get("", item.note)
        if body is None:
            return None, f"there is no Gate {item.note}, which namespace {namespace} names"
        try:
            gate = gate_wire.parse_pods(body)
        except ParseError as error:
            return None, f"Gate {item.note} cannot be read: {error}"
        why = self._useless(gate.policy)
        return (None, f"gate {gate.name} asks nobody: {why}") if why else (gate, "")

    def _useless(self, name: str) -> str:
        """Why nobody can be asked by that policy, or nothing: what is asked all the same would fail, and be asked again."""
        try:
            policy, flaw = known_policy(self._runtime, name)
        except ParseError as error:
            return f"ApprovalPolicy {name} cannot be read: {error}"
        if policy is None:
            return f"there is no ApprovalPolicy {name}"
        if flaw:
            return f"ApprovalPolicy {name} is of no use: {flaw}"
        return "" if EffectType.RELEASE in policy.effects else f"ApprovalPolicy {name} does not list effect Release"

    def _asked(self, owner: Owner) -> tuple[Asked, ...]:
        records = self._runtime.requests.by_pods(owner.uid)
        bodies = (self._runtime.requests.body(record.uid) for record in records)
        return tuple(asked_of(body, owner) for body in bodies if body is not None)
