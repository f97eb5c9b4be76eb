"""What the webhook knows: pods by a watch of its own, rights and nodes by a live look; late is in doubt."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gatehold.admission import live, pods
from gatehold.admission.live import Nodes, Rights
from gatehold.admission.pods import ABSENT, PodIndex
from gatehold.domain.model import Requester
from gatehold.kube.client import SILENCE_SECONDS, Access, Cluster, Identity
from gatehold.kube.errors import ApiError, Unavailable
from gatehold.kube.resources import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, NODES, PODS, SERVICE_ACCOUNTS
from tests.runtime.support import eventually


def pod(name: str, node: str = "") -> dict[str, Any]:
    spec: dict[str, Any] = {
        "terminationGracePeriodSeconds": 0,
        "automountServiceAccountToken": False,
        "containers": [{"name": "c", "image": "i"}],
    }
    return {"metadata": {"name": name}, "spec": spec | ({"nodeName": node} if node else {})}


@pytest.fixture
async def account(cluster: Cluster, namespace: str) -> str:
    """Pods need one, and nobody makes it here."""
    await cluster.create(SERVICE_ACCOUNTS, namespace, {"metadata": {"name": "default"}})
    return namespace


@pytest.fixture
async def index(cluster: Cluster, account: str) -> AsyncIterator[PodIndex]:
    made = PodIndex(cluster)
    task = asyncio.create_task(made.run())
    await eventually(made.warm)
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await made.close()


async def test_pods_are_known_by_their_list_and_their_watch(cluster: Cluster, namespace: str, index: PodIndex) -> None:
    body = await cluster.create(PODS, namespace, pod("a", "n1"))
    await eventually(lambda: index._pods.get((namespace, "a")) is not None)
    assert index.find(namespace, "a") == (body["metadata"]["uid"], "n1")
    await cluster.create(PODS, namespace, pod("b"))
    await eventually(lambda: index._pods.get((namespace, "b")) is not None)
    found = index.find(namespace, "b")
    assert found is not None and found.node == ""
    await cluster.delete(PODS, namespace, "a")
    await eventually(lambda: index._pods.get((namespace, "a")) is None)
    other = PodIndex(cluster)
    task = asyncio.create_task(other.run())
    await eventually(other.warm)
    assert other._pods[namespace, "b"].uid == found.uid
    assert len(other) == len(other._pods)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_is_not_known_is_looked_up_once_beside_the_answer(
    cluster: Cluster, namespace: str, index: PodIndex
) -> None:
    assert index.find(namespace, "nobody") is None
    await eventually(lambda: index.find(namespace, "nobody") is ABSENT)
    body = await cluster.create(PODS, namespace, pod("c", "n2"))
    await eventually(lambda: index.find(namespace, "c") == (body["metadata"]["uid"], "n2"))


async def test_a_pod_of_another_uid_is_looked_up(cluster: Cluster, namespace: str, index: PodIndex) -> None:
    body = await cluster.create(PODS, namespace, pod("d", "n1"))
    uid = body["metadata"]["uid"]
    await eventually(lambda: index._pods.get((namespace, "d")) is not None)  # a look at it would be remembered for a moment
    assert index.find(namespace, "d", uid) is not None
    assert index.find(namespace, "d", "another") is None
    found = await eventually(lambda: index.find(namespace, "d", "another"))
    assert found == (uid, "n1")  # there is no other, whatever was demanded


async def test_a_watch_that_ends_goes_on_and_one_that_breaks_is_listed_anew(
    cluster: Cluster, namespace: str, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pods, "WATCH_SECONDS", 1)
    lists = watches = 0
    really_list, really_watch = PodIndex._list, PodIndex._watch

    async def counted_list(self: PodIndex) -> str:
        nonlocal lists
        lists += 1
        return await really_list(self)

    async def counted_watch(self: PodIndex, version: str) -> str:
        nonlocal watches
        watches += 1
        return await really_watch(self, version)

    monkeypatch.setattr(PodIndex, "_list", counted_list)
    monkeypatch.setattr(PodIndex, "_watch", counted_watch)
    index = PodIndex(cluster)
    task = asyncio.create_task(index.run())
    await eventually(index.warm)
    await eventually(lambda: watches > 2)  # the API server ends each after a second
    await cluster.create(PODS, namespace, pod("late", "n1"))
    await eventually(lambda: index._pods.get((namespace, "late")) is not None)
    assert (lists, index.warm()) == (1, True)

    async def broken(*args: Any, **more: Any) -> AsyncIterator[dict[str, Any]]:
        yield {"type": "ERROR", "object": {"code": 410, "message": "too old"}}

    monkeypatch.setattr(Cluster, "watch", broken)
    await eventually(lambda: lists > 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_it_is_cold_before_its_list_when_its_watch_is_silent_and_when_it_is_down(
    cluster: Cluster, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    index = PodIndex(cluster, lambda: now)
    assert not index.warm()
    await index._list()
    assert index.warm()
    now += SILENCE_SECONDS + 1
    assert not index.warm()
    await index._list()
    index._broken = now
    now += pods.BROKEN_SECONDS - 1
    assert index.warm()
    now += 2
    assert not index.warm()


async def test_an_api_server_that_is_away_makes_it_cold_and_its_return_warm(
    cluster: Cluster, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pods, "BROKEN_SECONDS", 0.2)
    monkeypatch.setattr(pods, "_PAUSE", 0.05)
    monkeypatch.setattr(pods, "WATCH_SECONDS", 1)
    index = PodIndex(cluster)
    task = asyncio.create_task(index.run())
    await eventually(index.warm)
    really = Cluster.watch

    async def away(*args: Any, **more: Any) -> AsyncIterator[dict[str, Any]]:
        raise Unavailable("no connection")
        yield {}

    monkeypatch.setattr(Cluster, "watch", away)
    await eventually(lambda: not index.warm())
    monkeypatch.setattr(Cluster, "watch", really)
    monkeypatch.setattr(pods, "BROKEN_SECONDS", 10.0)
    await eventually(index.warm)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


# ---- who may drain


async def test_rights_are_asked_once_in_ten_seconds_and_for_each_account(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SECONDS", 60.0)  # of a busy API server nothing would be known after a second
    who, role = f"user-{secrets.token_hex(4)}", f"role-{secrets.token_hex(4)}"
    now, asked = 100.0, 0
    rights = Rights(cluster, lambda: now)
    really = cluster.access_review

    async def counted(identity: Identity, access: Access) -> bool:
        nonlocal asked
        asked += 1
        return await really(identity, access)

    cluster.access_review = counted  # type: ignore[method-assign]
    assert await rights.may_drain(Requester(who)) is False
    rules = [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["drain"]}]
    await cluster.create(CLUSTER_ROLES, None, {"metadata": {"name": role}, "rules": rules})
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    subjects = [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": f"{who}-group"}]
    await cluster.create(CLUSTER_ROLE_BINDINGS, None, {"metadata": {"name": role}, "roleRef": ref, "subjects": subjects})

    async def granted() -> bool | None:
        nonlocal now
        now += live.KEEP_SECONDS + 1
        return await rights.may_drain(Requester(who, groups=(f"{who}-group",)))

    await eventually(granted)
    assert await rights.may_drain(Requester(who)) is False
    count = asked
    assert [await rights.may_drain(Requester(who)) for _ in range(5)] == [False] * 5
    assert asked == count
    now += live.KEEP_SECONDS + 1
    await asyncio.gather(*(rights.may_drain(Requester(who)) for _ in range(5)))
    assert asked == count + 1  # those who ask at the same time share the answer


async def test_rights_that_are_not_answered_are_not_known(monkeypatch: pytest.MonkeyPatch, cluster: Cluster) -> None:
    monkeypatch.setattr(live, "SECONDS", 0.05)
    rights = Rights(cluster)

    async def never(*_: Any) -> bool:
        await asyncio.sleep(10)
        return True

    async def fails(*_: Any) -> bool:
        raise Unavailable("away")

    for answer in (never, fails):
        cluster.access_review = answer  # type: ignore[method-assign, assignment]
        assert await rights.may_drain(Requester(answer.__name__)) is None
    for task in tuple(rights._recent.asking.values()):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, ApiError):
            await task


# ---- nodes at this moment


async def test_a_node_is_read_anew_for_each_eviction(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SECONDS", 60.0)
    name = f"node-{secrets.token_hex(4)}"
    nodes = Nodes(cluster)
    assert await nodes.read(name) is None
    await cluster.create(NODES, None, {"metadata": {"name": name}})
    for closed in (True, False, True):
        await cluster.merge_patch(NODES, None, name, {"spec": {"unschedulable": closed}})
        found = await nodes.read(name)
        assert found is not None
        assert bool(found["spec"].get("unschedulable")) is closed
    monkeypatch.setattr(live, "SECONDS", 0.0)
    assert await nodes.read(name) is None
