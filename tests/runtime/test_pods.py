"""What wakes whom behind a Gate of type Pods, what the caches keep of pods, and how they are found again. No server."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from gatehold.kube.resources import GATED_JOBS, GATES, JOBS, POD_NAMESPACES, PODS, POLICIES, REQUESTS
from gatehold.runtime import pods
from gatehold.runtime.record import Summary
from tests.runtime import support
from tests.runtime.support import World, request_body

_VERSIONS = itertools.count(1)
_GATED = [{"name": "other.example.org/gate"}, {"name": "gatehold.dev/approval"}]


def summarise(body: Mapping[str, Any]) -> Summary:
    return replace(support.summarise(body), pods_of=body["spec"]["subject"]["uid"])


@pytest.fixture
async def world() -> World:
    return World(summarise)


def pod(name: str = "p", owner: str = "rs", **changes: Any) -> dict[str, Any]:
    meta = {
        "name": name,
        "namespace": "shop",
        "uid": f"uid-{name}",
        "resourceVersion": str(next(_VERSIONS)),
        "labels": {"gatehold.dev/pods": "dear"},
    }
    if owner:
        ref = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": owner, "uid": f"uid-{owner}", "controller": True}
        meta["ownerReferences"] = [{**ref, "uid": "other", "controller": False}, ref]
    spec = {"schedulingGates": _GATED, "containers": [{"name": "main", "image": "example.org/web:1"}]}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": {"phase": "Pending"}}
    body["metadata"] |= changes.pop("metadata", {})
    body["spec"] = {**spec, **changes.pop("spec", {})}
    return {**body, **changes}


def job(name: str, **spec: Any) -> dict[str, Any]:
    meta = {
        "name": name,
        "namespace": "shop",
        "uid": f"uid-{name}",
        "resourceVersion": str(next(_VERSIONS)),
        "generation": 1,
    }
    meta["labels"] = {"gatehold.dev/pods": "dear"}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {"suspend": True, **spec}}


def question(name: str, owner: str, **status: Any) -> dict[str, Any]:
    made = request_body(name, "shop", subject=owner)
    made["spec"]["subject"] |= {"apiVersion": "apps/v1", "kind": "Deployment", "uid": f"uid-{owner}"}
    made["metadata"] |= {"uid": f"uid-{name}", "resourceVersion": str(next(_VERSIONS))}
    return made | {"status": status}


async def test_a_pod_wakes_what_controls_it_and_one_of_nobodys_itself(world: World) -> None:
    world.see(PODS, pod())
    assert await world.asked() == ["PodsOwner/rs"]
    world.see(PODS, pod("bare", ""))
    assert await world.asked() == ["PodsOwner/bare"]
    world.see(PODS, pod(), "DELETED")
    assert await world.asked() == ["PodsOwner/rs"]


@pytest.mark.parametrize(
    ("change", "wakes"),
    [
        ({"status": {"phase": "Running"}}, False),
        ({"metadata": {"annotations": {"example.org/note": "new"}}}, False),
        ({"spec": {"nodeName": "n1"}}, False),
        ({"spec": {"schedulingGates": []}}, True),
        ({"spec": {"schedulingGates": [{"name": "other.example.org/gate"}]}}, True),
        ({"spec": {"schedulingGates": [{"name": "gatehold.dev/approval"}]}}, False),
        ({"spec": {"containers": [{"name": "main", "image": "example.org/web:2"}]}}, True),
        ({"status": {"phase": "Succeeded"}, "spec": {"schedulingGates": []}}, True),
        ({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}, True),
        ({"metadata": {"annotations": {"gatehold.dev/released-by": "gate/dear"}}}, True),
    ],
)
async def test_what_nobody_decides_by_wakes_nobody(world: World, change: dict[str, Any], wakes: bool) -> None:
    world.see(PODS, pod())
    await world.asked()
    world.see(PODS, pod(**change))
    assert await world.asked() == (["PodsOwner/rs"] if wakes else [])


async def test_a_pod_that_was_let_go_and_taken_away_wakes_the_owner_that_it_counts_for(world: World) -> None:
    world.see(REQUESTS, question("ask-web", "web", phase="Released"))
    await world.asked()
    world.see(PODS, pod("stray", "", metadata={"annotations": {"gatehold.dev/released-by": "uid-ask-web"}}))
    assert await world.asked() == ["PodsOwner/stray", "PodsOwner/web"]
    assert [item.name for item in world.caches.pods.tagged("uid-ask-web")] == ["stray"]
    world.see(PODS, pod("stray", "", metadata={"annotations": {"gatehold.dev/released-by": "uid-ask-web"}}), "DELETED")
    assert world.caches.pods.tagged("uid-ask-web") == ()


async def test_a_gated_job_is_kept_apart_from_those_that_are_held_by_label(world: World) -> None:
    world.see(GATED_JOBS, job("train"))
    assert await world.asked() == ["PodsOwner/train"]
    assert len(world.caches.gated_jobs) == 1 and len(world.caches.jobs) == 0
    world.see(GATED_JOBS, job("train"))
    assert await world.asked() == []
    world.see(GATED_JOBS, job("train", suspend=False))
    assert await world.asked() == ["PodsOwner/train"]
    assert GATED_JOBS.path("shop", "train") == JOBS.path("shop", "train")
    assert GATED_JOBS != JOBS


async def test_namespace_gate_policy_and_take_over_wake_everything_there(world: World) -> None:
    world.see(PODS, pod())
    world.see(PODS, pod("q"))
    world.see(GATED_JOBS, job("train"))
    await world.asked()
    everything = ["PodsOwner/rs", "PodsOwner/train"]
    meta = {"name": "shop", "uid": "uid-shop", "resourceVersion": "1", "labels": {"gatehold.dev/pods": "dear"}}
    world.see(POD_NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
    assert await world.asked() == everything
    gate = {"metadata": {"name": "dear", "uid": "uid-dear", "resourceVersion": "2"}, "spec": {"policyRef": {"name": "cost"}}}
    world.see(GATES, {"apiVersion": GATES.api_version, "kind": "Gate", **gate})
    assert await world.asked() == ["Gate/dear", *everything]
    policy = {"metadata": {"name": "cost", "uid": "uid-cost", "resourceVersion": "3"}}
    world.see(POLICIES, {"apiVersion": POLICIES.api_version, "kind": "ApprovalPolicy", **policy})
    assert await world.asked() == ["ApprovalPolicy/cost", "Gate/dear", *everything]
    world.router.stand_down()
    await world.router.take_over()
    assert set(everything) <= set(await world.asked())


async def test_a_request_of_a_gate_wakes_the_owner_of_its_pods(world: World) -> None:
    world.see(REQUESTS, question("ask-web", "web"))
    assert await world.asked() == ["ApprovalRequest/ask-web", "PodsOwner/web"]
    assert [record.name for record in world.caches.requests.by_pods("uid-web")] == ["ask-web"]
    world.see(REQUESTS, question("ask-web", "web"), "DELETED")
    assert world.caches.requests.by_pods("uid-web") == ()


async def test_what_is_known_without_unpacking(world: World) -> None:
    world.see(PODS, pod())
    (item,) = world.caches.pods.grouped(pods.group("shop", "uid-rs"))
    assert pods.gate_of(item) == "dear"
    assert pods.is_held(item)
    assert pods.released_by(item) == ""
    assert pods.direct(item) == ("apps/v1", "ReplicaSet", "rs", "uid-rs")
    assert world.caches.pods.groups("shop/") == ("shop/uid-rs",)
    assert world.caches.pods.groups("shopping/") == ()


async def test_status_and_applied_manifests_are_not_kept_but_that_there_are_annotations_is(world: World) -> None:
    applied = {"kubectl.kubernetes.io/last-applied-configuration": "a long manifest"}
    status = {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False"}], "podIP": "10.0.0.1"}
    world.see(PODS, pod(metadata={"annotations": applied}, status=status))
    kept = world.caches.pods.by_uid("uid-p")
    assert kept is not None
    assert kept["status"] == {"phase": "Pending"}
    assert kept["metadata"]["annotations"] == {"kubectl.kubernetes.io/last-applied-configuration": "-"}
    assert kept["spec"]["containers"][0]["image"] == "example.org/web:1"
