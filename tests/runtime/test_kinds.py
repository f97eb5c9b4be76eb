"""What wakes what: the table of kinds, without any server."""

from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gatehold.domain.model import GateType
from gatehold.kube.clock import ServerClock
from gatehold.kube.resources import DEPLOYMENTS, GATES, NAMESPACES, POLICIES, REQUESTS, ROLLOUTS, Resource
from gatehold.runtime.caches import Caches
from gatehold.runtime.kinds import KINDS, kinds_for
from gatehold.runtime.queue import WorkQueue
from gatehold.runtime.routing import Router
from tests.runtime import support
from tests.runtime.support import request_body, summarise

_VERSIONS = itertools.count(1)


class World(support.World):
    """The same, with an exclamation mark behind what is urgent."""

    def __init__(self) -> None:
        super().__init__(summarise)

    async def asked(self) -> list[str]:
        return sorted([f"{key.kind}/{key.name}{'!' if urgent else ''}" async for key, urgent in self.taken()])


def body(resource: Resource, name: str, namespace: str = "shop", labels: dict[str, str] | None = None, **more: Any) -> dict:
    meta = {"name": name, "uid": f"uid-{resource.kind}-{namespace}-{name}", "resourceVersion": str(next(_VERSIONS))}
    meta |= {"namespace": namespace} if resource.namespaced else {}
    return {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta | {"labels": labels or {}}, **more}


def question(name: str, rollout: str, **status: Any) -> dict[str, Any]:
    made = request_body(name, "shop", subject=rollout)
    made["spec"]["subject"] |= {"apiVersion": ROLLOUTS.api_version, "kind": ROLLOUTS.kind}
    made["metadata"] |= {"uid": f"uid-{name}", "resourceVersion": str(next(_VERSIONS))}
    return made | {"status": status}


@pytest.fixture
async def world() -> World:
    made = World()
    for name in ("web", "api"):
        made.see(ROLLOUTS, body(ROLLOUTS, name))
    made.see(ROLLOUTS, body(ROLLOUTS, "web", "other"))
    await made.asked()
    return made


async def test_a_rollouts_change_is_its_cycle_and_that_of_its_requests(world: World) -> None:
    world.see(REQUESTS, question("ask-web", "web"))
    await world.asked()
    world.see(ROLLOUTS, body(ROLLOUTS, "web"))
    assert await world.asked() == ["ApprovalRequest/ask-web", "Rollout/web"]


async def test_a_rollout_at_work_goes_before_all_others(world: World) -> None:
    world.see(ROLLOUTS, body(ROLLOUTS, "web", status={"phase": "Promoting"}))
    assert await world.asked() == ["Rollout/web!"]
    world.see(DEPLOYMENTS, body(DEPLOYMENTS, "web-stable", labels={"gatehold.dev/rollout": "web"}))
    assert await world.asked() == ["Rollout/web!"]


async def test_a_child_wakes_the_rollout_of_its_namespace(world: World) -> None:
    world.see(DEPLOYMENTS, body(DEPLOYMENTS, "web-stable", labels={"gatehold.dev/rollout": "web"}))
    assert await world.asked() == ["Rollout/web"]
    world.see(DEPLOYMENTS, body(DEPLOYMENTS, "web-stable", labels={"gatehold.dev/rollout": "api"}))
    assert await world.asked() == ["Rollout/api", "Rollout/web"]
    world.see(DEPLOYMENTS, body(DEPLOYMENTS, "web-stable", labels={"gatehold.dev/rollout": "api"}), "DELETED")
    assert await world.asked() == ["Rollout/api"]
    world.see(DEPLOYMENTS, body(DEPLOYMENTS, "web-stable", "elsewhere", labels={"gatehold.dev/rollout": "web"}))
    assert await world.asked() == []


async def test_a_request_wakes_the_rollout_it_asks_about_first_of_all_once_it_is_decided(world: World) -> None:
    world.see(REQUESTS, question("ask-web", "web"))
    assert await world.asked() == ["ApprovalRequest/ask-web", "Rollout/web"]
    world.see(REQUESTS, question("ask-web", "web", phase="Approved", requestDigest="d"))
    assert await world.asked() == ["ApprovalRequest/ask-web!", "Rollout/web!"]
    world.see(REQUESTS, question("ask-web", "web"), "DELETED")
    assert "Rollout/web!" in await world.asked()


async def test_a_request_wakes_its_rollout_only_where_that_reads_something_new_in_it(world: World) -> None:
    world.see(REQUESTS, question("ask-web", "web", phase="Pending", requestDigest="d", deadline="2026-01-01T00:00:00Z"))
    await world.asked()
    said = {"phase": "Pending", "requestDigest": "d", "approvals": "1/2"}
    world.see(REQUESTS, question("ask-web", "web", **said, deadline="2026-01-01T00:00:00Z"))
    assert await world.asked() == ["ApprovalRequest/ask-web!"]
    world.see(REQUESTS, question("ask-web", "web", **said, deadline="2026-01-02T00:00:00Z"))
    assert await world.asked() == ["ApprovalRequest/ask-web!", "Rollout/web"]


async def test_a_namespaces_gate_wakes_its_rollouts_and_nothing_else_about_it_does(world: World) -> None:
    world.see(NAMESPACES, body(NAMESPACES, "shop", labels={"gatehold.dev/rollouts": "prod"}))
    assert await world.asked() == ["Rollout/api", "Rollout/web"]
    world.see(NAMESPACES, body(NAMESPACES, "shop", labels={"gatehold.dev/rollouts": "prod", "team": "a"}))
    assert await world.asked() == []
    world.see(NAMESPACES, body(NAMESPACES, "shop", labels={"gatehold.dev/rollouts": "strict"}))
    assert await world.asked() == ["Rollout/api", "Rollout/web"]
    world.see(GATES, body(GATES, "prod"))
    assert await world.asked() == ["Gate/prod"]
    world.see(NAMESPACES, body(NAMESPACES, "shop"), "DELETED")
    assert await world.asked() == ["Rollout/api", "Rollout/web"]


async def test_a_gate_wakes_the_rollouts_of_the_namespaces_that_name_it_and_a_policy_its_gates(world: World) -> None:
    world.see(NAMESPACES, body(NAMESPACES, "shop", labels={"gatehold.dev/rollouts": "prod"}))
    await world.asked()
    world.see(GATES, body(GATES, "prod", spec={"policyRef": {"name": "two-people"}}))
    assert await world.asked() == ["Gate/prod", "Rollout/api", "Rollout/web"]
    world.see(POLICIES, body(POLICIES, "two-people"))
    assert await world.asked() == ["ApprovalPolicy/two-people", "Gate/prod"]
    world.see(GATES, body(GATES, "prod"), "DELETED")
    assert await world.asked() == ["Gate/prod", "Rollout/api", "Rollout/web"]


async def test_the_answer_to_a_write_of_ours_wakes_the_others_only_and_the_watch_has_no_news_then(world: World) -> None:
    world.see(REQUESTS, question("ask-web", "web"))
    await world.asked()
    answer = question("ask-web", "web", phase="Approved", requestDigest="d")
    world.router.answered(REQUESTS, answer)
    assert await world.asked() == ["Rollout/web!"]
    world.see(REQUESTS, answer)
    assert await world.asked() == []
    written = body(ROLLOUTS, "web")
    world.router.answered(ROLLOUTS, written)
    assert await world.asked() == ["ApprovalRequest/ask-web!"]
    world.see(ROLLOUTS, written)
    assert await world.asked() == []


async def test_at_take_over_what_is_decided_due_or_under_way_goes_first(world: World) -> None:
    world.router.stand_down()
    now = datetime.now(UTC)
    world.router._clock.timestamp = now.timestamp  # type: ignore[method-assign]
    world.see(REQUESTS, question("ask-web", "web", phase="Approved", requestDigest="d"))
    world.see(ROLLOUTS, body(ROLLOUTS, "api", status={"phase": "RollingBack"}))
    world.see(ROLLOUTS, body(ROLLOUTS, "due", status={"phase": "Held", "until": (now - timedelta(1)).isoformat()}))
    world.see(ROLLOUTS, body(ROLLOUTS, "later", status={"phase": "Held", "until": (now + timedelta(1)).isoformat()}))
    world.see(ROLLOUTS, body(ROLLOUTS, "odd", status={"phase": "Held", "until": "soon"}))
    world.see(REQUESTS, question("due-api", "api", phase="Pending", requestDigest="d", deadline="2020-01-01T00:00:00Z"))
    world.see(GATES, body(GATES, "prod"))
    assert await world.asked() == []
    assert await world.router.take_over() == 2
    first = ["ApprovalRequest/ask-web!", "ApprovalRequest/due-api!", "Rollout/api!", "Rollout/due!", "Rollout/web!"]
    later = ["Gate/prod", "Rollout/later", "Rollout/odd", "Rollout/web"]
    assert sorted(set(await world.asked())) == sorted(first + later)


async def test_at_take_over_the_rest_waits_until_what_is_decided_is_through(world: World) -> None:
    world.router.stand_down()
    world.see(REQUESTS, question("ask-web", "web", phase="Approved", requestDigest="d"))
    taking = asyncio.create_task(world.router.take_over())
    decided = [await world.queue.get() for _ in range(2)]
    assert sorted(key.kind for key in decided) == ["ApprovalRequest", "Rollout"]
    assert not len(world.queue) and not taking.done()
    for key in decided:
        world.queue.done(key)
    await taking
    assert "Rollout/api" in await world.asked()


def test_every_kind_has_a_cache_and_is_named_once() -> None:
    assert len({kind.resource for kind in KINDS}) == len(KINDS)
    caches = Caches(summarise)
    for kind in KINDS:
        assert hasattr(caches, kind.cache)
    assert KINDS[-1].resource is REQUESTS


async def test_what_is_left_out_is_neither_listed_nor_watched() -> None:
    def watched(*gates: str) -> set[str]:
        router = Router(Caches(summarise), WorkQueue(), ServerClock(), "gatehold-system", gates)
        return {feed.resource.plural for feed in router.feeds()}

    assert watched(*GateType) == {kind.resource.plural for kind in KINDS}
    assert not watched("None") & {"nodes", "pods", "deployments", "rollouts", "namespaces"}
    assert watched("Drains") - watched("None") == {"nodes"}
    assert {"jobs", "approvalrequests", "approvalpolicies", "gates", "validatingadmissionpolicies"} <= watched("None")


def test_for_every_type_of_gates_something_is_watched() -> None:
    assert {kind.gate for kind in KINDS} == {None, *GateType}
    assert kinds_for(tuple(GateType)) == KINDS
