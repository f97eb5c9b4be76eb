"""Every kopf handler, and nothing else: what happens when X changes.

Only events (never change handlers, daemons, timers or indexes: each of them costs writes, memory or an open gate). A
handler stores and asks for a cycle, it never waits; kopf neither retries it nor writes for it. `operator` imports this
module and sets `router` and `cluster` before it starts kopf.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextvars import ContextVar

import kopf

from gatehold.kube.client import Cluster
from gatehold.kube.resources import Resource
from gatehold.runtime.kinds import KINDS, Kind
from gatehold.runtime.routing import Router

router: ContextVar[Router] = ContextVar("gatehold_router")
cluster: ContextVar[Cluster] = ContextVar("gatehold_cluster")


def registry_of(kinds: Iterable[Kind]) -> kopf.OperatorRegistry:
    """Make what kopf is to watch for: these kinds, but for those that are watched without it."""
    registry = kopf.OperatorRegistry()
    kopf.on.login(registry=registry)(login)
    for kind in kinds:
        if not kind.plain:
            _watch(registry, kind.resource)
    return registry


def _watch(registry: kopf.OperatorRegistry, resource: Resource) -> None:
    """Hand every event of that kind to the router; whom that wakes stands in `kinds`."""

    async def changed(event: kopf.RawEvent, **_: object) -> None:
        router.get().watched(resource, event)

    kopf.on.event(*resource[:3], id=resource.plural, registry=registry)(changed)


async def login(**_: object) -> kopf.AiohttpSession:
    """Be the same account as our own client, for good: a login that ran out would break every watch, each time anew."""
    ours = cluster.get()
    return kopf.AiohttpSession(server=ours.server, aiohttp_session=ours.session())


class _NoDiffBase(kopf.DiffBaseStorage):
    """Nothing is compared with an earlier state: a third of kopf's time for each event went there."""

    def build(self, **_: object) -> kopf.BodyEssence:
        return kopf.BodyEssence({})

    def fetch(self, **_: object) -> None:
        return None

    def store(self, **_: object) -> None:
        return None


class _NoProgress(kopf.ProgressStorage):
    """No handler has progress that would have to be kept."""

    def fetch(self, **_: object) -> None:
        return None

    def store(self, **_: object) -> None:
        return None

    def purge(self, **_: object) -> None:
        return None

    def touch(self, **_: object) -> None:
        return None

    def clear(self, *, essence: kopf.BodyEssence) -> kopf.BodyEssence:
        return essence


def configure(settings: kopf.OperatorSettings) -> None:
    """Set what makes kopf a watch and nothing more; each value has a measured reason in the decision records."""
    settings.peering.standalone = True
    settings.posting.enabled = False
    settings.persistence.diffbase_storage = _NoDiffBase()
    settings.persistence.progress_storage = _NoProgress()
    settings.queueing.idle_timeout = 0.2
    settings.networking.error_backoffs = [0.1, 0.2, 0.5] + [1.0] * 600
    settings.networking.request_timeout = 30.0
    settings.networking.connect_timeout = 5.0
    # Kopf's own time for quiet watches runs on while it hands an event on, and takes the watch down for good if it is over
    # just then. What it is lent keeps that time instead (decision 0025).
    settings.watching.inactivity_timeout = math.inf
    settings.watching.chunk_size = 500
    # Where a watch of kopf's has failed it kills the process after that long, which an end in good order may well take half
    # of: work is finished first, and Events are told. The Lease is free long before.
    settings.process.ultimate_exiting_timeout = 30.0
    for kind in KINDS:
        if kind.selector and not kind.plain:
            settings.watching.label_selectors[_address(kind.resource)] = kind.selector


def _address(resource: Resource) -> tuple[str, str, str]:
    return (resource.group, resource.version, resource.plural)
