"""Every kopf handler, and nothing else: what happens when X changes.

Only events (never change handlers, daemons, timers or indexes: each of them costs writes, memory or an open gate). A
handler stores and asks for a cycle, it never waits; kopf neither retries it nor writes for it. `operator` imports this
module and sets `router` and `cluster` before it starts kopf.
"""

from __future__ import annotations

from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

import kopf

from gatehold.kube.client import Cluster
from gatehold.kube.resources import JOBS, MAP, MAP_BINDINGS, POLICIES, REQUESTS, VAP, VAP_BINDINGS, Resource
from gatehold.runtime.routing import SELECTORS, Router

router: ContextVar[Router] = ContextVar("gatehold_router")
cluster: ContextVar[Cluster] = ContextVar("gatehold_cluster")
registry = kopf.OperatorRegistry()

_TOKEN_LIFE = timedelta(minutes=10)


@kopf.on.event(*REQUESTS[:3], registry=registry)
async def request_changed(event: kopf.RawEvent, **_: object) -> None:
    """Store it; ask for a cycle of it, and of those that waited for the same subject when it goes."""
    router.get().watched(REQUESTS, event)


@kopf.on.event(*POLICIES[:3], registry=registry)
async def policy_changed(event: kopf.RawEvent, **_: object) -> None:
    """Store it; ask for a cycle of it and of its requests that people cannot answer yet."""
    router.get().watched(POLICIES, event)


@kopf.on.event(*JOBS[:3], registry=registry)
async def job_changed(event: kopf.RawEvent, **_: object) -> None:
    """Store it; ask for a cycle of the requests that act on it."""
    router.get().watched(JOBS, event)


@kopf.on.event(*VAP[:3], registry=registry)
async def wall_policy_changed(event: kopf.RawEvent, **_: object) -> None:
    """Store it; have the wall proven again."""
    router.get().watched(VAP, event)


@kopf.on.event(*VAP_BINDINGS[:3], registry=registry)
async def wall_binding_changed(event: kopf.RawEvent, **_: object) -> None:
    """Store it; have the wall proven again."""
    router.get().watched(VAP_BINDINGS, event)


@kopf.on.event(*MAP[:3], registry=registry)
async def stamp_policy_changed(event: kopf.RawEvent, **_: object) -> None:
    """Store it; have the wall proven again. Not served before Kubernetes 1.36, and then there is none."""
    router.get().watched(MAP, event)


@kopf.on.event(*MAP_BINDINGS[:3], registry=registry)
async def stamp_binding_changed(event: kopf.RawEvent, **_: object) -> None:
    """Store it; have the wall proven again."""
    router.get().watched(MAP_BINDINGS, event)


@kopf.on.login(registry=registry)
async def login(**_: object) -> kopf.ConnectionInfo:
    """Be the same account as our own client; a token is asked for again before it can run out."""
    ours = await cluster.get().credentials()
    return kopf.ConnectionInfo(
        server=ours.server,
        ca_path=ours.ca_path,
        insecure=ours.insecure,
        certificate_path=ours.certificate_path,
        private_key_path=ours.private_key_path,
        scheme=ours.scheme,
        token=ours.token,
        expiration=datetime.now(UTC) + _TOKEN_LIFE if ours.token else None,
    )


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
    settings.watching.inactivity_timeout = 30.0
    settings.watching.chunk_size = 500
    settings.process.ultimate_exiting_timeout = 10.0
    for resource, selector in SELECTORS.items():
        if selector:
            settings.watching.label_selectors[_address(resource)] = selector


def _address(resource: Resource) -> tuple[str, str, str]:
    return (resource.group, resource.version, resource.plural)
