"""What wakes whom behind a Gate of type ArgoRollouts, and what the cache keeps. No server."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from gatehold.kube.clock import ServerClock
from gatehold.kube.resources import ARGO_NAMESPACES, ARGO_ROLLOUTS, GATES, POLICIES, REQUESTS
from gatehold.runtime import argo
from gatehold.runtime.gauges import refresh
from gatehold.telemetry.metrics import Metrics
from tests.runtime.support import World, request_body, summarise

_VERSIONS = itertools.count(1)
PAUSED = {"currentPodHash": "new", "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-03-01T11:00:00Z"}]}


@pytest.fixture
async def world() -> World:
    return World(summarise)


def rollout(status: dict[str, Any] | None = None, name: str = "web", **meta: Any) -> dict[str, Any]:
    base = {"name": name, "namespace": "shop", "uid": f"uid-{name}", "resourceVersion": str(next(_VERSIONS))}
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {**base, **meta}}
    return {**body, "spec": {"replicas": 3}, "status": PAUSED if status is None else status}


def named(name: str, kind: str, labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    meta = {"name": name, "uid": f"uid-{name}", "resourceVersion": str(next(_VERSIONS)), "labels": labels or {}}
    return {"apiVersion": "v1", "kind": kind, "metadata": meta, "spec": spec}


def space(gate: str = "tide") -> dict[str, Any]:
    return named("shop", "Namespace", {"gatehold.dev/argo-rollouts": gate})


def asks_about(name: str) -> dict[str, Any]:
    made = request_body(f"{name}-a0", "shop", subject=name)
    made["spec"]["subject"] |= {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "uid": f"uid-{name}"}
    made["metadata"] |= {"uid": f"uid-{name}-a0", "resourceVersion": str(next(_VERSIONS))}
    return made


async def test_one_that_pauses_behind_a_gate_has_a_cycle(world: World) -> None:
    world.see(ARGO_ROLLOUTS, rollout())
    assert await world.asked() == []
    world.see(ARGO_NAMESPACES, space())
    assert await world.asked() == ["ArgoRollout/web"]
    world.see(ARGO_ROLLOUTS, rollout({**PAUSED, "currentPodHash": "newer"}))
    world.see(ARGO_ROLLOUTS, rollout(PAUSED | {"replicas": 4, "conditions": [{"type": "Paused"}]}, "cart"))
    assert await world.asked() == ["ArgoRollout/cart", "ArgoRollout/web"]


async def test_what_nobody_decides_by_wakes_nobody(world: World) -> None:
    world.see(ARGO_NAMESPACES, space())
    world.see(ARGO_ROLLOUTS, rollout())
    await world.asked()
    world.see(ARGO_ROLLOUTS, rollout(PAUSED | {"replicas": 4, "availableReplicas": 4, "message": "pods come up"}))
    assert await world.asked() == []
    world.see(ARGO_ROLLOUTS, rollout({"currentPodHash": "new", "phase": "Progressing"}))
    assert await world.asked() == ["ArgoRollout/web"]  # once, for what it was
    world.see(ARGO_ROLLOUTS, rollout({"currentPodHash": "new", "phase": "Healthy"}))
    assert await world.asked() == []


async def test_its_requests_see_every_step_and_how_stable_comes_back(world: World) -> None:
    world.see(REQUESTS, asks_about("web"))
    await world.asked()
    for status in ({"currentStepIndex": 2}, {"abort": True}, {"abort": True, "updatedReplicas": 0, "availableReplicas": 3}):
        world.see(ARGO_ROLLOUTS, rollout(status))
        assert await world.asked() == ["ApprovalRequest/web-a0"]
    world.see(ARGO_ROLLOUTS, rollout({}), "DELETED")
    assert await world.asked() == ["ApprovalRequest/web-a0"]


async def test_gates_policies_and_requests_wake_what_waits(world: World) -> None:
    world.see(ARGO_NAMESPACES, space())
    world.see(ARGO_ROLLOUTS, rollout())
    world.see(ARGO_ROLLOUTS, rollout({}, "calm"))
    await world.asked()
    world.see(GATES, named("tide", "Gate", type="ArgoRollouts", policyRef={"name": "prod"}))
    assert await world.asked() == ["ArgoRollout/web", "Gate/tide"]
    world.see(POLICIES, named("prod", "ApprovalPolicy"))
    assert await world.asked() == ["ApprovalPolicy/prod", "ArgoRollout/web", "Gate/tide"]
    world.see(REQUESTS, asks_about("web"))
    assert await world.asked() == ["ApprovalRequest/web-a0", "ArgoRollout/web"]
    world.see(REQUESTS, asks_about("calm"))
    assert await world.asked() == ["ApprovalRequest/calm-a0"]
    world.see(ARGO_NAMESPACES, space("other"))
    assert await world.asked() == ["ApprovalRequest/calm-a0", "ApprovalRequest/web-a0", "ArgoRollout/web"]


async def test_who_takes_over_looks_at_all_that_waits(world: World) -> None:
    world.router.acting = False
    world.see(ARGO_NAMESPACES, space())
    world.see(ARGO_ROLLOUTS, rollout())
    world.see(ARGO_ROLLOUTS, rollout({}, "calm"))
    await world.router.take_over()
    assert await world.asked() == ["ArgoRollout/web"]
    metrics = Metrics()
    refresh(metrics, world.caches, ServerClock(), 0)
    assert b"gatehold_argo_rollouts_paused 1.0" in metrics.render()


def test_what_the_cache_keeps() -> None:
    notes = {"kubectl.kubernetes.io/last-applied-configuration": "{}", "team": "web"}
    kept = argo.trimmed(rollout(PAUSED | {"conditions": [{"type": "Paused"}]}, annotations=notes))

    assert kept["metadata"]["annotations"] == {"team": "web"}
    assert kept["status"] == PAUSED
    assert argo.note_of(rollout()).startswith("paused new ")
    assert argo.note_of(rollout({})).startswith("on ")
