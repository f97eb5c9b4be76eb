"""Evictions as they are sent: bounded, each for itself, and what has to wait is remembered with its reason."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from gatehold.controllers.effects.evictions import Evictions, Memory
from gatehold.controllers.effects.node_reads import NodeReads
from gatehold.domain.nodes import Block, EvictPods, PodToEvict
from gatehold.kube.errors import Absent, ApiError, Cause, Conflict, Forbidden, TooManyRequests, Unavailable
from gatehold.kube.resources import BUDGETS, PODS, Resource
from tests.builders import NOW

CAUSE = Cause("DisruptionBudget", "The disruption budget web needs 2 healthy pods and has 2 currently")
BUDGET = TooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", status=429, causes=(CAUSE,))
TWO = Unavailable(
    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.", status=500
)
ENDING = Forbidden("is being terminated", status=403, causes=(Cause("NamespaceTerminating", "namespace shop"),))
NO = Forbidden('admission webhook "x" denied the request: no', status=403)
ODD_NO = Absent('admission webhook "x" denied the request: no', status=404)


def pod(number: int, node: str = "n1") -> PodToEvict:
    return PodToEvict("shop", f"web-{number}", f"uid-{number}", node, "Deployment shop/web")


class Server:
    """Answers evictions by the name of the pod, each after a turn of the loop."""

    def __init__(self, **answers: ApiError) -> None:
        self.answers = answers
        self.told: list[tuple[str, str, int | None]] = []
        self.under_way: dict[str, int] = {}
        self.most = 0
        self.lasts = 0.0
        self.late = 0.0

    async def evict(self, namespace: str, name: str, *, uid: str, grace_seconds: int | None = None) -> None:
        self.told.append((name, uid, grace_seconds))
        self.under_way[name] = 1
        self.most = max(self.most, len(self.under_way))
        await asyncio.sleep(0.001)
        self.late += self.lasts
        del self.under_way[name]
        if name.replace("-", "_") in self.answers:
            raise self.answers[name.replace("-", "_")]

    async def get(self, resource: Resource, namespace: str, name: str) -> dict[str, Any]:
        assert resource is PODS
        meta = {"name": name, "namespace": namespace, "uid": "uid-1", "labels": {"app": "web"}}
        return {"metadata": meta, "spec": {"nodeName": "n1"}, "status": {}}

    async def list_all(self, resource: Resource, namespace: str) -> list[dict[str, Any]]:
        assert resource is BUDGETS
        spec = {"selector": {"matchLabels": {"app": "web"}}}
        return [{"metadata": {"name": name, "namespace": namespace}, "spec": spec, "status": {}} for name in ("a", "b")]


def evictions(server: Server, leads: Any = lambda: True) -> Evictions:
    runtime: Any = SimpleNamespace(cluster=server, clock=SimpleNamespace(now=lambda: NOW), is_leader=leads)
    return Evictions(runtime, NodeReads(runtime))


async def test_each_pod_is_evicted_by_its_uid_and_never_too_many_of_a_node_at_once() -> None:
    server = Server()
    await evictions(server).carry_out(EvictPods(tuple(map(pod, range(20))), 4, 7))
    assert sorted(server.told) == sorted((f"web-{n}", f"uid-{n}", 7) for n in range(20))
    assert server.most == 4


async def test_nodes_are_emptied_beside_each_other() -> None:
    server = Server()
    await evictions(server).carry_out(EvictPods(tuple(pod(n, f"n{n % 2}") for n in range(10)), 2))
    assert server.most == 4


async def test_many_nodes_at_once_leave_room_for_other_calls() -> None:
    server = Server()
    await evictions(server).carry_out(EvictPods(tuple(pod(n, f"n{n}") for n in range(100)), 16))
    assert (len(server.told), server.most) == (100, 32)


@pytest.mark.parametrize(
    "answer", [Absent("gone", status=404), Conflict("another uid", status=409)], ids=["gone", "another"]
)
async def test_one_that_is_gone_is_no_error(answer: ApiError) -> None:
    able = evictions(Server(web_1=answer))
    await able.carry_out(EvictPods((pod(1), pod(2)), 2))
    assert able.memory.blocked() == {}


WAITS: dict[str, tuple[ApiError, Block, str, float]] = {
    "a budget": (BUDGET, Block.BUDGET, "budget shop/web (needs 2 healthy pods and has 2)", 5),
    "a budget of a busy server": (
        TooManyRequests(BUDGET.message, status=429, causes=(CAUSE,), retry_after=30.0),
        Block.BUDGET,
        "budget shop/web (needs 2 healthy pods and has 2)",
        30,
    ),
    "two budgets": (TWO, Block.TWO_BUDGETS, "budgets shop/a and shop/b", 60),
    "its namespace goes": (ENDING, Block.NAMESPACE, "namespace shop", 5),
}


@pytest.mark.parametrize(("answer", "kind", "words", "seconds"), WAITS.values(), ids=WAITS)
async def test_what_has_to_wait_is_remembered(answer: ApiError, kind: Block, words: str, seconds: float) -> None:
    able = evictions(Server(web_1=answer))
    await able.carry_out(EvictPods((pod(1), pod(2)), 2))
    found = able.memory.blocked()["uid-1"]
    assert (found.kind, found.since, found.again_at) == (kind, NOW, NOW + timedelta(seconds=seconds))
    assert found.by.startswith(words)
    assert list(able.memory.blocked()) == ["uid-1"]


@pytest.mark.parametrize("answer", [NO, ODD_NO, Unavailable("lost")], ids=["refused", "oddly refused", "not known"])
async def test_another_answer_is_raised_after_the_others_went(answer: ApiError) -> None:
    server = Server(web_1=answer)
    with pytest.raises(type(answer)):
        await evictions(server).carry_out(EvictPods((pod(1), pod(2), pod(3)), 1))
    assert len(server.told) == 3


async def test_who_lost_the_lease_evicts_nothing_more() -> None:
    server = Server()
    answers = iter([True, True, False, False])
    with pytest.raises(Unavailable):
        await evictions(server, lambda: next(answers)).carry_out(EvictPods(tuple(map(pod, range(9))), 1))
    assert len(server.told) == 2


async def test_none_begins_long_after_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock that only the answers move: how fast this machine is says nothing about the limit."""
    monkeypatch.setattr("gatehold.controllers.effects.evictions._SLICE_SECONDS", 600.0)
    server, loop = Server(), asyncio.get_running_loop()
    server.lasts, really = 250.0, loop.time
    monkeypatch.setattr(loop, "time", lambda: really() + server.late)
    await evictions(server).carry_out(EvictPods(tuple(map(pod, range(500))), 1))
    assert len(server.told) == 3


def test_since_when_it_waits_stays_while_the_reason_is_of_that_kind() -> None:
    memory, later = Memory(), NOW + timedelta(seconds=9)
    memory.note("uid-1", Block.BUDGET, "budget a", NOW, 5)
    memory.note("uid-1", Block.BUDGET, "budget b", later, 5)
    assert (memory.blocked()["uid-1"].since, memory.blocked()["uid-1"].by) == (NOW, "budget b")
    memory.note("uid-1", Block.TWO_BUDGETS, "budgets a and b", later, 60)
    assert memory.blocked()["uid-1"].since == later
    memory.forget("uid-1")
    memory.forget("uid-1")
    assert memory.blocked() == {}


def test_the_memory_does_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatehold.controllers.effects.evictions._MOST_REMEMBERED", 2)
    memory = Memory()
    for number in range(5):
        memory.note(f"uid-{number}", Block.BUDGET, "b", NOW, 5)
    assert list(memory.blocked()) == ["uid-3", "uid-4"]
