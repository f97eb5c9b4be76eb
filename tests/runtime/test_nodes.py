"""Nodes in the cache: what is kept of one, whom a change of one wakes, and what happens without the right to list them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from gatehold.api.node import facts
from gatehold.controllers.effects.drain import write_node
from gatehold.controllers.effects.node_reads import NodeReads
from gatehold.controllers.maintenance import MaintenanceKeeper
from gatehold.controllers.nodes import NodeController
from gatehold.controllers.summary import summarise
from gatehold.domain.nodes import UncordonNode
from gatehold.kube.client import Page
from gatehold.kube.errors import Forbidden
from gatehold.kube.resources import GATES, NODES, REQUESTS, Resource
from gatehold.runtime.cache import Store
from gatehold.runtime.nodes import trimmed
from gatehold.runtime.objects import Objects
from gatehold.runtime.parts import Key
from gatehold.runtime.resync import Feed, Resync
from gatehold.telemetry.metrics import Metrics
from tests.builders import request
from tests.runtime.support import request_body
from tests.runtime.test_kinds import World, body

GATED = {"gatehold.dev/drain": "gpu"}


def node(
    name: str = "n1", *, cordoned: bool = False, notes: dict[str, str] | None = None, gated: bool = False
) -> dict[str, Any]:
    made = body(NODES, name, labels=GATED if gated else {})
    made["metadata"]["annotations"] = notes or {}
    return made | {"spec": {"unschedulable": True} if cordoned else {}, "status": {"images": [{"names": ["x"] * 50}]}}


def drain(name: str, *nodes: str) -> dict[str, Any]:
    made = request_body(name, "shop")
    made["spec"].pop("subject", None)
    made["spec"]["effect"] = {"type": "Drain", "drain": {"nodes": [{"name": each} for each in nodes]}}
    made["metadata"] |= {"uid": f"uid-{name}", "resourceVersion": "1"}
    return made


def test_a_node_is_kept_without_what_nobody_decides_by() -> None:
    kept = trimmed(node(cordoned=True, notes={"a": "b"}))
    assert set(kept) == {"apiVersion", "kind", "metadata", "spec"}
    assert kept["spec"] == {"unschedulable": True}
    assert kept["metadata"]["annotations"] == {"a": "b"}


async def test_a_heartbeat_wakes_nobody() -> None:
    world = World()
    world.see(NODES, node(gated=True))
    assert await world.asked() == ["Node/n1"]
    world.see(NODES, node(gated=True))
    assert await world.asked() == []


@pytest.mark.parametrize(
    "changed",
    [
        node(cordoned=True),
        node(notes={"gatehold.dev/released-by": "uid"}),
        node(notes={"gatehold.dev/cordoned-by": "alice"}),
    ],
    ids=["cordoned", "marked", "stamped"],
)
async def test_a_change_that_matters_has_the_node_looked_at(changed: dict[str, Any]) -> None:
    world = World()
    world.see(NODES, node())
    assert await world.asked() == []
    changed["metadata"]["resourceVersion"] = str(10**6)
    world.see(NODES, changed)
    assert await world.asked() == ["Node/n1"]


async def test_a_gate_has_its_nodes_looked_at() -> None:
    world = World()
    world.see(NODES, node(gated=True))
    world.see(NODES, node("n2"))
    await world.asked()
    world.see(GATES, body(GATES, "gpu", spec={"policyRef": {"name": "p"}}))
    assert await world.asked() == ["Gate/gpu", "Node/n1"]


async def test_a_node_that_goes_has_what_was_kept_for_it_looked_at() -> None:
    world = World()
    gone = node(cordoned=True)
    world.see(NODES, gone)
    await world.asked()
    world.see(NODES, gone, "DELETED")
    assert await world.asked() == ["Node/n1"]


async def test_a_cordon_wakes_the_drains_of_that_node() -> None:
    world = World()
    world.router.caches.requests = Store(summarise)
    world.see(NODES, node())
    world.see(REQUESTS, drain("mine", "n1"))
    world.see(REQUESTS, drain("other", "n2"))
    await world.asked()
    changed = node(cordoned=True)
    world.see(NODES, changed)
    assert await world.asked() == ["ApprovalRequest/mine", "Node/n1"]


async def answered_with(world: World, was: dict[str, Any], now: dict[str, Any]) -> Any:
    """A runtime that knows that node as it was, with two drains of it; the API server answers with what it is now, later."""
    world.router.caches.requests = Store(summarise)
    world.see(NODES, was)
    for name in ("mine", "another"):
        world.see(REQUESTS, drain(name, "n1"))
    await world.asked()
    now["metadata"]["resourceVersion"] = str(10**6)

    async def answer(*_: object) -> dict[str, Any]:
        return now

    cluster = SimpleNamespace(get=answer, merge_patch=answer)
    return SimpleNamespace(cluster=cluster, nodes=world.router.caches.nodes, answered=world.router.answered)


@pytest.mark.parametrize(
    "live", [lambda it: NodeReads(it).node, lambda it: MaintenanceKeeper(it)._live], ids=["drain", "end"]
)
async def test_a_change_that_a_live_look_sees_before_the_watch_wakes_the_others(live: Any) -> None:
    world, now = World(), node(cordoned=False, notes={"gatehold.dev/released-by": "uid"})
    it = await answered_with(world, node(cordoned=True), now)
    assert await live(it)("n1") == now
    assert await world.asked() == ["ApprovalRequest/another", "ApprovalRequest/mine", "Node/n1"]
    assert await live(it)("n1") == now
    world.see(NODES, now)
    assert await world.asked() == []


@pytest.mark.parametrize(
    ("mode", "proven", "before", "after"),
    [
        ("Hold", True, None, "Hold"),
        ("Hold", False, "Hold", None),
        ("Hold", None, "Hold", "Hold"),
        ("Hold", None, None, None),
        ("Deny", None, "Hold", None),
    ],
)
async def test_the_mode_of_a_node_stays_until_something_is_known_of_the_webhook(
    mode: str, proven: bool | None, before: str | None, after: str | None
) -> None:
    """A process that begins, or has stood still, would refuse those whose drains wait."""
    nodes, gates, label = Objects(), Objects(), "gatehold.dev/drain-mode"
    gates.upsert(body(GATES, "gpu", spec={"type": "Drains", "policyRef": {"name": "p"}, "drains": {"mode": mode}}))
    made = node(gated=True)
    made["metadata"]["labels"] = GATED | ({label: before} if before else {})
    nodes.upsert(made)
    found = {label: before}

    async def merge_patch(*args: Any) -> dict[str, Any]:
        found.update(args[-1]["metadata"]["labels"])
        return made

    cluster = SimpleNamespace(merge_patch=merge_patch)
    ours = {"is_leader": lambda: True, "answered": lambda *_: None, "requests": {}}
    runtime: Any = SimpleNamespace(nodes=nodes, gates=gates, cluster=cluster, **ours)
    controller = NodeController(runtime, MaintenanceKeeper(runtime), lambda: proven)
    await controller.reconcile(Key("Node", "", "n1", made["metadata"]["uid"]))
    assert found == {label: after}


async def test_an_uncordon_of_ours_wakes_the_others_though_it_is_no_news_to_the_watch() -> None:
    world, was = World(), node(cordoned=True, notes={"gatehold.dev/cordoned-by": "ann"})
    now = node()
    it = await answered_with(world, was, now)
    await write_node(it, NodeReads(it), request(), UncordonNode(facts(was)))
    assert await world.asked() == ["ApprovalRequest/another", "ApprovalRequest/mine", "Node/n1"]
    world.see(NODES, now)
    assert await world.asked() == []


class Refusing:
    """An API server that lists no nodes for this account, or one that does."""

    def __init__(self) -> None:
        self.refuses = True

    async def list_pages(self, resource: Resource, label_selector: str = "", limit: int = 500) -> AsyncIterator[Page]:
        if self.refuses:
            raise Forbidden("nodes is forbidden", status=403)
        yield Page([node()], "7")


async def test_without_the_right_to_list_them_nothing_is_known_and_nothing_forgotten() -> None:
    nodes, cluster = Objects(), Refusing()
    feed = Feed(NODES, nodes, nodes.upsert, lambda uid: nodes.remove(uid) and None, plain=True)
    resync = Resync(cluster, feed, Metrics())  # type: ignore[arg-type]
    assert await resync.first() == 0
    assert resync.version == ""
    cluster.refuses = False
    assert await resync.sweep() == 1
    cluster.refuses = True
    assert await resync.sweep() == 0
    assert len(nodes) == 1
