"""A Rollout that the operator cannot read, as after an upgrade of the kinds alone: held, and says so, until it can."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from controlplane import wait_until
from playground import OperatorProcess
from tests.e2e.rollouts.shop import TWENTY, Shop
from tests.e2e.stage import PATIENCE, Body, Stage, condition, message, new_stage
from tests.wall.api import Call, path

CRD = path("apiextensions.k8s.io/v1", "customresourcedefinitions", None, "rollouts.gatehold.dev")
BOTH = ({"setWeight": 20, "pause": {"durationSeconds": 5}},)
SAYS = "nothing is touched: this operator cannot read it: "


@pytest.fixture
def stage(world: OperatorProcess) -> Stage:
    """A namespace of the test's own in a control plane of this file's own."""
    return new_stage(world.cluster, world)


@contextmanager
def newer_kind(shop: Shop) -> Iterator[None]:
    """A CRD that lets in what this operator does not know: a step that does two things, and another phase."""
    before = shop.api().must(Call(CRD, how="get"))["spec"]
    newer: Body = json.loads(json.dumps(before))
    properties = newer["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    steps = properties["spec"]["properties"]["strategy"]["properties"]["canary"]["properties"]["steps"]
    del steps["items"]["x-kubernetes-validations"]
    properties["status"]["properties"]["phase"]["enum"].append("Sunny")
    shop.api().must(Call(CRD, {"spec": newer}))
    try:
        wait_until(lambda: shop.api().send(_with_both(shop), dryRun="All").ok, "the newer kind is served", PATIENCE)
        yield
    finally:
        shop.api().must(Call(CRD, {"spec": before}))
        wait_until(lambda: not shop.api().send(_with_both(shop), dryRun="All").ok, "the kind is as shipped", PATIENCE)


def _with_both(shop: Shop) -> Call:
    return Call(shop.path("gro"), shop.rollout_body("probe", steps=BOTH), "post")


def until_unreadable(shop: Shop, name: str = "web") -> Body:
    """Wait until it says of its newest spec that it cannot be read."""

    def said(body: Body) -> bool:
        seen = body.get("status", {}).get("observedGeneration") == body["metadata"]["generation"]
        return seen and condition(body, "Stalled") == ("True", "Unreadable")

    found = shop.until_rollout(said, "Stalled, Unreadable", name)
    stated = {kind: condition(found, kind) for kind in ("Ready", "Reconciling", "Held")}
    assert stated == {kind: (status, "Unreadable") for kind, status in zip(stated, ("False", "False", "True"), strict=True)}
    shop.until_told(name, "Stalled")
    return found


def kept(status: Body) -> dict[str, Any]:
    """What is recorded, without what is said of it, and without figures, which may come a moment later."""
    return {key: status.get(key) for key in ("phase", "run", "lastRun", "promoted", "rejected", "attempts", "selector")}


def test_a_spec_that_cannot_be_read_holds_the_canary_as_it_is_until_it_can(shop: Shop) -> None:
    policy = shop.promotes()
    steps = (*TWENTY, {"approval": {"policyRef": {"name": policy}}})
    shop.running()
    shop.rollout(image="2", steps=steps)
    request = shop.until_asked()
    before, sizes = shop.get("gro", "web")["status"], shop.sizes()
    with newer_kind(shop):
        shop.rollout(image="2", steps=(*BOTH, *steps))
        found = until_unreadable(shop)
        assert message(found, "Stalled") == f"{SAYS}spec.strategy.canary.steps.0: a step has one member"
        assert (kept(found["status"]), shop.sizes(), shop.image("stable")) == (kept(before), sizes, "1")
        shop.yes(request)
        shop.until_phase(request, "Approved")
        assert shop.image("stable") == "1"
        shop.rollout(image="2", steps=steps)
        shop.until_healthy()
    assert shop.image("stable") == "2"
    ended = shop.get("gro", "web")
    assert [condition(ended, kind)[0] for kind in ("Ready", "Stalled", "Held")] == ["True", "False", "False"]


def test_a_first_deployment_that_cannot_be_read_says_so_and_runs_nothing(shop: Shop) -> None:
    with newer_kind(shop):
        shop.rollout(steps=BOTH)
        assert until_unreadable(shop)["status"]["phase"] == "Pending"
        assert shop.all("deploy") == []
        shop.rollout()
        shop.until_healthy()


def test_a_status_that_cannot_be_read_is_left_as_it_is(shop: Shop) -> None:
    shop.running()
    before = shop.get("gro", "web")["status"]
    with newer_kind(shop):
        where = f"{shop.path('gro', 'web')}/status"
        shop.as_operator(Call(where, {"status": {"phase": "Sunny"}}))
        found = until_unreadable(shop)
        assert message(found, "Stalled") == f"{SAYS}status: ValueError"
        assert kept(found["status"]) == {**kept(before), "phase": "Sunny"}
        shop.rollout(image="2", steps=())
        until_unreadable(shop)
        assert shop.image("stable") == "1"
        shop.as_operator(Call(where, {"status": {"phase": "Healthy"}}))
        # that phase is the test's own word, so what it stands for is waited for
        shop.until_image("stable", "2")
        shop.until_healthy()
