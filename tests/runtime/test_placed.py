"""Which direct owners stand under which top owner: placed as they come, read once each, believed for a minute. No server."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest

from gatehold.controllers.provision.owners import CHAIN_SECONDS, Owners
from gatehold.controllers.provision.placed import Placed
from gatehold.domain.provision.model import OwnerRef
from gatehold.kube.errors import Absent, Unavailable
from gatehold.kube.resources import Resource
from gatehold.runtime import pods
from gatehold.runtime.objects import Objects

_VERSIONS = itertools.count(1)


def deployment(name: str) -> OwnerRef:
    return OwnerRef("apps/v1", "Deployment", name, f"uid-{name}")


class World:
    """Pods of ReplicaSets of Deployments, in caches as the operator has them, and an API server that counts its answers."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pods = Objects(pods.pod_note, pods.group_of)
        self.jobs = Objects(pods.job_note, pods.group_of)
        self.bodies: dict[tuple[str, str], dict[str, Any]] = {}
        self.reads = Counter[str]()
        self.trouble = False
        runtime: Any = SimpleNamespace(cluster=self, pods=self.pods, gated_jobs=self.jobs, rollouts=Objects())
        self.owners = Owners(runtime, lambda: self.now)
        self.placed = Placed((self.jobs, self.pods), self.owners, lambda: self.now)

    async def get(self, resource: Resource, namespace: str, name: str) -> dict[str, Any]:
        self.reads[name] += 1
        await asyncio.sleep(0)
        if self.trouble:
            raise Unavailable("away", status=503)
        found = self.bodies.get((resource.plural, name))
        if found is None:
            raise Absent(f"{namespace}/{name}", status=404)
        return found

    def owner(self, plural: str, kind: str, name: str, above: str = "") -> None:
        ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": above, "uid": f"uid-{above}", "controller": True}
        meta = {"name": name, "uid": f"uid-{name}", "ownerReferences": [ref] if above else []}
        self.bodies[plural, name] = {"apiVersion": "apps/v1", "kind": kind, "metadata": meta}

    def grows(self, top: str, under: str, *, namespace: str = "shop", pods: int = 1) -> None:
        """A Deployment with that ReplicaSet, and pods of it."""
        self.owner("deployments", "Deployment", top)
        self.owner("replicasets", "ReplicaSet", under, top)
        for number in range(pods):
            self.pod(f"{under}-{number}", under, namespace)

    def pod(self, name: str, under: str, namespace: str = "shop") -> None:
        ref = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": under, "uid": f"uid-{under}", "controller": True}
        meta = {"name": name, "namespace": namespace, "uid": f"uid-{name}", "resourceVersion": str(next(_VERSIONS))}
        self.pods.upsert({"apiVersion": "v1", "kind": "Pod", "metadata": {**meta, "ownerReferences": [ref]}, "spec": {}})

    async def under(self, top: str, namespace: str = "shop") -> set[str]:
        """The ReplicaSets whose pods count for that Deployment, and what else is asked about it."""
        groups = await self.placed.groups(namespace, deployment(top))
        return {group.removeprefix(f"{namespace}/uid-") for group in groups}


@pytest.fixture
def world() -> World:
    return World()


async def test_all_that_stands_under_an_owner_is_found_and_nothing_of_others(world: World) -> None:
    world.grows("web", "web-1", pods=2)
    world.grows("web", "web-2")
    world.grows("api", "api-1")
    world.grows("else", "else-1", namespace="other")
    assert await world.under("web") == {"web", "web-1", "web-2"}
    assert await world.under("api") == {"api", "api-1"}
    assert await world.under("else") == {"else"}
    assert await world.under("else", "other") == {"else", "else-1"}


async def test_what_came_since_is_in_the_next_answer_and_what_went_is_not(world: World) -> None:
    world.grows("web", "web-1")
    assert await world.under("web") == {"web", "web-1"}
    world.grows("web", "web-2")
    world.pods.remove("uid-web-1-0")
    assert await world.under("web") == {"web", "web-2"}
    world.pod("web-1-9", "web-1")
    assert await world.under("web") == {"web", "web-1", "web-2"}


async def test_each_direct_owner_is_climbed_once_however_many_owners_are_looked_at(world: World) -> None:
    names = [f"app{number}" for number in range(200)]
    for name in names:
        world.grows(name, f"{name}-1")
    for name in names:
        assert await world.under(name) == {name, f"{name}-1"}
        world.pod(f"{name}-1-0", f"{name}-1")  # its only pod changes: still the same owner
        world.now += 0.01
    assert set(world.reads.values()) == {1}


async def test_two_looks_at_once_read_once_and_both_see_everything(world: World) -> None:
    world.grows("web", "web-1")
    world.grows("api", "api-1")
    web, api = await asyncio.gather(world.under("web"), world.under("api"))
    assert (web, api) == ({"web", "web-1"}, {"api", "api-1"})
    assert set(world.reads.values()) == {1}


async def test_who_controls_whom_is_believed_for_a_minute(world: World) -> None:
    world.grows("web", "web-1")
    assert await world.under("web") == {"web", "web-1"}
    world.owner("deployments", "Deployment", "api")
    world.owner("replicasets", "ReplicaSet", "web-1", "api")  # adopted by another
    world.now += CHAIN_SECONDS - 1
    assert await world.under("api") == {"api"}
    world.now += 1
    assert await world.under("api") == {"api", "web-1"}
    assert await world.under("web") == {"web"}


async def test_what_an_owner_leaves_behind_is_placed_anew(world: World) -> None:
    world.grows("web", "web-1")
    assert await world.under("web") == {"web", "web-1"}
    del world.bodies["deployments", "web"]
    world.owner("replicasets", "ReplicaSet", "web-1")  # orphaned: nothing is above it
    world.now += 3  # the last look is old
    assert (await world.owners.owner("shop", deployment("web"))).gone
    world.placed.lost(deployment("web"))
    assert await world.under("web") == {"web"}
    orphan = await world.placed.groups("shop", OwnerRef("apps/v1", "ReplicaSet", "web-1", "uid-web-1"))
    assert orphan == {"shop/uid-web-1"}


async def test_what_could_not_be_read_is_placed_the_next_time(world: World) -> None:
    world.grows("web", "web-1")
    world.trouble = True
    with pytest.raises(Unavailable):
        await world.under("web")
    world.trouble = False
    assert await world.under("web") == {"web", "web-1"}


async def test_a_look_that_was_under_way_when_something_was_decided_is_not_kept(world: World) -> None:
    """It may show the owner as it was before: what was just written to it would be written again."""
    world.owner("deployments", "Deployment", "web")
    looking = asyncio.create_task(world.owners.owner("shop", deployment("web")))
    await asyncio.sleep(0)
    world.owners.forget("shop", "web")
    await looking
    await world.owners.owner("shop", deployment("web"))
    assert world.reads["web"] == 2
