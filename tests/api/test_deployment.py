"""A child as it is, and as it should be."""

import json
from typing import Any

import pytest

from gatehold.api import deployment
from gatehold.api.common import ParseError
from gatehold.domain.rollout.model import Answer, Child
from gatehold.domain.rollout.record import Track, Wanted
from tests.api.rollouts import TEMPLATE, UID, body

DIGEST = "sha256:" + "1" * 64
WANTED = Wanted(DIGEST, 5, 7, 3)
OWNER = {
    "apiVersion": "gatehold.dev/v1alpha1",
    "kind": "Rollout",
    "name": "web",
    "uid": UID,
    "controller": True,
    "blockOwnerDeletion": True,
}
OURS = {"gatehold.dev/rollout": "web", "gatehold.dev/track": "stable"}


def child(**changes: Any) -> dict[str, Any]:
    """web-stable as the API server gives it; `metadata` and `status` are merged in."""
    wire = deployment.whole(body(), Track.STABLE, WANTED, TEMPLATE)
    given = {"uid": "child-uid", "resourceVersion": "41", "generation": 2, "creationTimestamp": "2026-03-01T12:00:00Z"}
    status = {"observedGeneration": 2, "replicas": 5, "updatedReplicas": 4, "readyReplicas": 3, "availableReplicas": 2}
    return wire | {
        "metadata": wire["metadata"] | given | changes.pop("metadata", {}),
        "status": status | changes.pop("status", {}),
        **changes,
    }


AS_MADE = Child(
    "web-stable", "child-uid", "41", 2, UID, DIGEST, 5, observed_generation=2, total=5, updated=4, ready=3, available=2
)


def failure(status: str = "True", kind: str = "ReplicaFailure") -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": status, "reason": "FailedCreate", "message": "quota, token=abc"}]}


ROWS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "made by us": (child(), {}),
    "not looked at yet": (
        child() | {"status": None},
        {"observed_generation": 0, "total": 0, "updated": 0, "ready": 0, "available": 0},
    ),
    "somebody else's": (
        child(metadata={"labels": None, "annotations": None, "ownerReferences": [OWNER | {"controller": False}]}),
        {"owner": "", "template": "", "ours_on_it": False},
    ),
    "orphaned": (child(metadata={"ownerReferences": None}), {"owner": ""}),
    "changed by break-glass": (
        child(metadata={"annotations": {"gatehold.dev/override": "INC-1\nat night" + "!" * 600}}),
        {"template": "", "overridden": ("INC-1 at night" + "!" * 600)[:383] + "…"},
    ),
    "changed by somebody whom the API server knows": (
        child(metadata={"annotations": {"gatehold.dev/override": "INC-1", "gatehold.dev/override-by": "dana"}}),
        {"template": "", "overridden": "INC-1 (dana)"},
    ),
    "deleted": (child(metadata={"deletionTimestamp": "2026-03-01T12:00:00Z"}), {"deleting": True}),
    "without room for its pods": (child(status=failure()), {"trouble": "FailedCreate: quota, (not shown)"}),
    "with room again": (child(status=failure("False")), {}),
    "not progressing, which says nothing new": (child(status=failure(kind="Progressing")), {}),
}


@pytest.mark.parametrize(("wire", "changes"), ROWS.values(), ids=ROWS)
def test_the_facts_of_a_child_that_is(wire: dict[str, Any], changes: dict[str, Any]) -> None:
    found = deployment.facts(wire)

    assert {name: getattr(found, name) for name in changes} == changes
    assert all(getattr(found, n) == getattr(AS_MADE, n) for n in Child.__slots__ if n not in changes)


def test_it_carries_the_answer_to_the_last_write() -> None:
    assert deployment.facts(child(), Answer(4, 2)).answer == Answer(4, 2)


@pytest.mark.parametrize("part", ["metadata", "spec"])
def test_it_is_no_child_without(part: str) -> None:
    with pytest.raises(ParseError, match=f"{part}: model_type"):
        deployment.facts(child() | {part: None})


def test_a_new_child_is_written_whole() -> None:
    labels = {"app": "web"} | OURS

    assert deployment.whole(body(), Track.STABLE, WANTED, TEMPLATE) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "web-stable",
            "namespace": "shop",
            "labels": OURS,
            "annotations": {"gatehold.dev/template-digest": DIGEST},
            "ownerReferences": [OWNER],
        },
        "spec": {
            "replicas": 5,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": TEMPLATE["spec"]},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": "25%"}},
            "minReadySeconds": 7,
            "revisionHistoryLimit": 3,
            "progressDeadlineSeconds": 2147483647,
        },
    }


def test_the_selectors_of_the_tracks_are_disjoint() -> None:
    stable, canary = (deployment.whole(body(), track, WANTED, TEMPLATE) for track in Track)

    assert stable["spec"]["selector"]["matchLabels"]["gatehold.dev/track"] == "stable"
    assert canary["spec"]["selector"]["matchLabels"]["gatehold.dev/track"] == "canary"
    assert canary["metadata"]["name"] == "web-canary"


def test_what_is_not_ours_stays_and_everything_else_is_as_wanted() -> None:
    foreign = {"uid": "x", "apiVersion": "v1", "kind": "ConfigMap", "name": "c"}
    before = child(
        metadata={
            "labels": {"team": "shop", "gatehold.dev/track": "canary", "gatehold.dev/odd": "1"},
            "annotations": {"deployment.kubernetes.io/revision": "2", "gatehold.dev/override": "INC-1"},
            "finalizers": ["x/y"],
            "ownerReferences": [foreign, OWNER | {"controller": False}, foreign | {"uid": "y", "controller": True}],
            "managedFields": [{"manager": "m"}],
        },
        spec={"replicas": 1, "paused": True, "selector": {}, "template": {}},
    )
    found = deployment.whole(body(), Track.STABLE, WANTED, TEMPLATE, before)

    assert found["spec"] == deployment.whole(body(), Track.STABLE, WANTED, TEMPLATE)["spec"]
    assert found["metadata"] == {
        "name": "web-stable",
        "namespace": "shop",
        "uid": "child-uid",
        "resourceVersion": "41",
        "labels": {"team": "shop"} | OURS,
        "annotations": {"deployment.kubernetes.io/revision": "2", "gatehold.dev/template-digest": DIGEST},
        "finalizers": ["x/y"],
        "ownerReferences": [OWNER, foreign | {"controller": False}],
    }


def test_while_the_rollout_goes_and_the_children_stay_they_are_not_its_own() -> None:
    foreign = {"uid": "x", "apiVersion": "v1", "kind": "ConfigMap", "name": "c", "controller": False}
    found = deployment.whole(
        body(), Track.STABLE, WANTED, TEMPLATE, child(metadata={"ownerReferences": [OWNER, foreign]}), owned=False
    )

    assert found["metadata"]["ownerReferences"] == [foreign]


@pytest.mark.parametrize("template", [TEMPLATE, {"spec": {}}, {"metadata": {"labels": None, "annotations": None}}], ids=str)
def test_a_restart_is_an_annotation_of_the_pods(template: dict[str, Any]) -> None:
    wanted = Wanted(DIGEST, 5, restarted_at="2026-03-01T12:00:00Z")
    before = json.dumps(template)
    found = deployment.whole(body(), Track.CANARY, wanted, template)

    assert found["spec"]["template"]["metadata"]["annotations"] == {"gatehold.dev/restarted-at": "2026-03-01T12:00:00Z"}
    assert json.dumps(template) == before


@pytest.mark.parametrize(("min_ready", "deadline"), [(0, 600), (900, 901)])
def test_set_free_it_is_an_ordinary_deployment(min_ready: int, deadline: int) -> None:
    before = child(metadata={"annotations": {"deployment.kubernetes.io/revision": "2", "gatehold.dev/override": "INC-1"}})
    before["spec"]["minReadySeconds"] = min_ready
    del before["metadata"]["namespace"]
    found = deployment.freed(before, UID)

    assert found["metadata"] == {
        "name": "web-stable",
        "uid": "child-uid",
        "resourceVersion": "41",
        "labels": {},
        "annotations": {"deployment.kubernetes.io/revision": "2"},
        "finalizers": [],
        "ownerReferences": [],
    }
    assert found["spec"] == before["spec"] | {"progressDeadlineSeconds": deadline}
