"""Stable takes what was approved, or what it had before comes back, verified."""

import pytest

from tests.e2e.rollouts.capacity import watched
from tests.e2e.rollouts.meddling import meddling
from tests.e2e.rollouts.shop import TWENTY, Shop, last
from tests.e2e.stage import condition

pytestmark = pytest.mark.since(1, 36)

PROBED = "object.metadata.?labels[?'meddle'].hasValue()"
NEW = (
    "object.metadata.labels[?'gatehold.dev/track'].orValue('') == 'stable' && object.spec.containers[0].image.endsWith(':2')"
)
WHEN = f"{PROBED} || ({NEW})"
CRASHES = "Object{metadata: Object.metadata{annotations: {'meddled': 'true'}, labels: {'example.org/fake': 'crashloop'}}}"
MOVED = (
    "Object{metadata: Object.metadata{annotations: {'meddled': 'true', 'example.org/fake-image-id': 'web@sha256:moved'}}}"
)
MARKED = "metadata: Object.spec.template.metadata{annotations: {'meddled': 'true'}}"
ADDED = (
    "Object{metadata: Object.metadata{annotations: {'meddled': 'true'}},"
    f" spec: Object.spec{{template: Object.spec.template{{{MARKED}}}}}}}"
)


def test_a_stable_that_does_not_come_up_gets_its_former_template_back(shop: Shop) -> None:
    policy = shop.promotes()
    shop.running()
    with watched(shop) as capacity, meddling(shop, "pods", CRASHES, WHEN):
        shop.rollout(image="2", steps=(*TWENTY, {"approval": {"policyRef": {"name": policy}}}), progressDeadlineSeconds=30)
        request = shop.until_asked()
        shop.yes(request)
        ended = shop.until_ended("Failed")
    assert last(ended)["reason"] == "ProgressDeadlineExceeded"
    assert "CrashLoopBackOff" in last(ended)["message"]
    assert condition(ended, "RolledBack") == ("True", "Restored")
    assert (shop.image("stable"), shop.sizes()) == ("1", (5, 0))
    assert capacity.least >= 5
    done = shop.until_done(request)
    assert done["status"]["phase"] == "Failed"
    assert condition(done, "RolledBack") == ("True", "UndoCompleted")
    shop.until_told("web", "Undoing", "RolledBack")


def test_a_tag_that_was_moved_since_the_approval_is_not_promoted(shop: Shop) -> None:
    policy = shop.promotes()
    shop.running()
    with meddling(shop, "pods", MOVED, WHEN):
        shop.rollout(image="2", steps=(*TWENTY, {"approval": {"policyRef": {"name": policy}}}))
        request = shop.until_asked()
        shop.yes(request)
        ended = shop.until_ended("Failed")
    assert last(ended)["reason"] == "ImageChanged"
    assert shop.image("stable") == "1"
    assert shop.until_done(request)["status"]["phase"] == "Failed"


def test_what_admission_adds_to_children_is_no_drift(shop: Shop) -> None:
    with meddling(shop, "deployments", ADDED):
        policy = shop.promotes()
        shop.running()
        shop.rollout(image="2", steps=(*TWENTY, {"approval": {"policyRef": {"name": policy}}}))
        shop.yes(shop.until_asked())
        shop.until_healthy()
        assert shop.child("stable")["metadata"]["annotations"]["meddled"] == "true"
    assert "ChildChanged" not in shop.until_told("web", "Promoting")
