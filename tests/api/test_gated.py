"""Pods and Jobs of a gated namespace as they are on the wire."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gatehold.api import gated, pod_shape
from gatehold.api.common import ParseError
from gatehold.api.pod_digest import digest
from gatehold.domain.provision.model import JobSeen, OwnerRef, PodSeen

Json = dict[str, Any]
SPEC: Json = {
    "containers": [{"name": "c", "image": "web:1"}, {"name": "d", "image": "web:1"}],
    "initContainers": [{"name": "i", "image": "init:1"}],
}
CREATED = datetime(2026, 11, 1, tzinfo=UTC)
OWNER: Json = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-1", "uid": "rs", "controller": True}


def meta(**members: Any) -> Json:
    found: Json = {"name": "p1", "namespace": "shop", "uid": "u", "resourceVersion": "7"}
    return found | {"creationTimestamp": "2026-11-01T00:00:00Z"} | members


def pod(spec: Json | None = None, status: Json | None = None, **members: Any) -> Json:
    """A pod that waits."""
    waits = SPEC | {"schedulingGates": [{"name": "gatehold.dev/approval"}]}
    return {"metadata": meta(**members), "spec": waits if spec is None else spec, "status": status}


def job(status: Json | None = None, notes: Json | None = None, **spec: Any) -> Json:
    """A Job that waits."""
    found = {"suspend": True, "template": {"spec": SPEC}} | spec
    return {"metadata": meta(**(notes or {})), "spec": found, "status": status}


def test_a_pod_that_waits() -> None:
    marks = {"labels": {"gatehold.dev/pods": "gpu"}, "ownerReferences": [OWNER | {"controller": False, "uid": "x"}, OWNER]}

    assert gated.pod(pod(**marks)) == PodSeen(
        namespace="shop",
        name="p1",
        uid="u",
        resource_version="7",
        gate="gpu",
        digest=digest(SPEC, "ReplicaSet"),
        shape=pod_shape.shape(SPEC),
        gated=True,
        live=True,
        created=CREATED,
        owner=OwnerRef("apps/v1", "ReplicaSet", "web-1", "rs"),
        images=("init:1", "web:1"),
    )


def test_a_pod_that_was_let_go_and_one_that_has_ended() -> None:
    marks = {"annotations": {"gatehold.dev/released-by": "r"}, "deletionTimestamp": "2026-11-01T00:00:00Z"}
    found = gated.pod(pod(SPEC | {"nodeName": "n1", "schedulingGates": [{"name": "other"}]}, {"phase": "Running"}, **marks))

    assert (found.gated, found.live, found.deleting, found.released_by, found.has_node) == (False, True, True, "r", True)
    assert not gated.pod(pod(SPEC, {"phase": "Succeeded"})).live
    assert not gated.pod(pod(SPEC, {"phase": "Failed"})).live


def test_a_job_that_waits() -> None:
    found = gated.job(job(parallelism=4, completions=3, activeDeadlineSeconds=60))

    assert found == JobSeen(
        namespace="shop",
        name="p1",
        uid="u",
        resource_version="7",
        gate="",
        digest=digest(SPEC, "Job"),
        shape=pod_shape.shape(SPEC),
        suspended=True,
        created=CREATED,
        size=3,
        active_deadline_seconds=60,
        images=("init:1", "web:1"),
    )


def test_a_job_that_was_resumed_and_one_that_has_ended() -> None:
    notes = {"labels": {"gatehold.dev/hold": "change"}, "annotations": {"gatehold.dev/released-by": "r"}}
    done = {"startTime": "x", "conditions": [{"type": "Complete", "status": "True"}, {"type": "Other", "status": "True"}]}
    found = gated.job(job(done, notes, suspend=False))

    assert (found.suspended, found.finished, found.started) == (False, True, True)
    assert (found.hold, found.released_by) == ("change", "r")
    assert not gated.job(job({"conditions": [{"type": "Failed", "status": "False"}]})).finished


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        (pod() | {"metadata": None}, "metadata: model_type"),
        (pod() | {"status": "Running"}, "status: not an object"),
        (pod(creationTimestamp="soon"), "not an RFC 3339 time"),
        (pod(SPEC | {"schedulingGates": "all"}), "spec.schedulingGates: list_type"),
        (pod(SPEC | {"containers": ["c"]}), "spec.containers.0: model_type"),
    ],
    ids=["no metadata", "a status in a word", "no time", "gates in a word", "a container in a word"],
)
def test_it_is_no_pod(wire: Json, text: str) -> None:
    with pytest.raises(ParseError, match=text):
        gated.pod(wire)


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        (job(template="x"), "template: not an object"),
        (job(template={"spec": SPEC | {"initContainers": {"": None}}}), "spec.initContainers: list_type"),
        (job(suspend="yes"), "spec.suspend: bool_type"),
        (job({"conditions": ["Complete"]}), "status.conditions.0: model_type"),
    ],
    ids=["a template in a word", "containers by name", "suspended in words", "conditions in words"],
)
def test_it_is_no_job(wire: Json, text: str) -> None:
    with pytest.raises(ParseError, match=text):
        gated.job(wire)
