"""A Rollout of Argo from the wire: where it stands, for whom it waits, and which pause is which question."""

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest

from gatehold.api import argo_rollout, argo_status
from gatehold.api.argo_rollout import gate_of, images_of, parse
from gatehold.api.common import ParseError
from gatehold.api.request_status import parse_status, render_resolved, render_status
from gatehold.domain.argo.model import ArgoRollout
from gatehold.domain.status import Resolved, ResolvedArgo, Status
from tests.api.schema import misfits, schema

Json = dict[str, Any]
RESOLVED = schema("approvalrequests", "status")["properties"]["resolved"]
STEPS: list[Json] = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {"duration": "1h"}}]
SINCE = datetime(2026, 3, 1, 11, 0, tzinfo=UTC)
PAUSED: Json = {
    "currentPodHash": "new",
    "stableRS": "old",
    "currentStepIndex": 1,
    "controllerPause": True,
    "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-03-01T11:00:00Z"}],
    "observedGeneration": "4",
    "phase": "Paused",
    "updatedReplicas": 1,
    "availableReplicas": 3,
}
BLUE_GREEN: Json = {"blueGreen": {"activeService": "active", "autoPromotionEnabled": False}}
SWITCH: Json = {
    "pauseConditions": [{"reason": "BlueGreenPause", "startTime": "2026-03-01T11:00:00Z"}],
    "blueGreen": {"activeSelector": "old"},
}
CANARY: Json = {"canary": {"steps": STEPS}}


def body(spec: Json | None = None, status: Json | None = None, **meta: Any) -> Json:
    """Rollout web at its first pause; the members that are given replace those that are there."""
    pod = {"initContainers": [{"name": "init", "image": "init:1"}], "containers": [{"name": "main", "image": "web:2"}]}
    full = {"replicas": 3, "strategy": deepcopy(CANARY), "template": {"spec": pod}, **(spec or {})}
    base = {"name": "web", "namespace": "shop", "uid": "argo-uid", "resourceVersion": "7", "generation": 4}
    return {"metadata": {**base, **meta}, "spec": full, "status": {**deepcopy(PAUSED), **(status or {})}}


def test_a_canary_at_its_pause() -> None:
    found = parse(body())

    assert found == ArgoRollout(
        "shop",
        "web",
        "argo-uid",
        "7",
        "new",
        "old",
        step=1,
        steps=4,
        weight=20,
        asks=found.asks,
        paused_at=SINCE,
        observed=True,
        phase="Paused",
        replicas=3,
        updated=1,
        available=3,
        images=("init:1", "web:2"),
    )
    assert found.asks.startswith("sha256:")
    assert (found.promoted, found.switched, found.serves_stable) == (False, False, False)


def test_a_blue_green_rollout_before_its_switch() -> None:
    found = parse(body({"strategy": BLUE_GREEN}, SWITCH))

    assert (found.step, found.steps, found.weight, found.blue_green, found.active_hash) == (None, 0, 0, True, "old")
    assert found.asks
    assert found.paused_at == SINCE


QUIET: dict[str, Json] = {
    "no status yet": body(status=dict.fromkeys(PAUSED)),
    "a pause that ends by itself": body(status={"currentStepIndex": 3}),
    "a step that is no pause": body(status={"currentStepIndex": 2}),
    "beyond its steps": body(status={"currentStepIndex": 4}),
    "no steps": body({"strategy": {"canary": {}}}),
    "no strategy": body({"strategy": None}),
    "a pause that its controller does not know of": body(status={"controllerPause": False}),
    "a pause that was taken away": body(status={"pauseConditions": None}),
    "a pause for another reason": body(
        status={"pauseConditions": [{"reason": "InconclusiveAnalysisRun", "startTime": "2026-03-01T11:00:00Z"}]}
    ),
    "aborted": body(status={"abort": True}),
    "promoted": body(status={"stableRS": "new"}),
    "a switch by itself": body({"strategy": {"blueGreen": {"activeService": "active"}}}, SWITCH),
}


@pytest.mark.parametrize("wire", QUIET.values(), ids=QUIET)
def test_it_waits_for_nobody_with(wire: Json) -> None:
    found = parse(wire)

    assert (found.asks, found.paused_at) == ("", None)


SAME: dict[str, Json] = {
    "another size": body({"replicas": 9}),
    "a restart": body({"restartAt": "2026-03-01T11:30:00Z"}),
    "a newer version": body(resourceVersion="8"),
    "stopped by hand": body({"paused": True}),
    "a spec that its controller has not seen": body(generation=5),
}
OTHERS: dict[str, Json] = {
    "another template": body({"template": {"spec": {"containers": [{"image": "web:3"}]}}}),
    "a template elsewhere": body({"workloadRef": {"kind": "Deployment", "name": "web"}}),
    "other steps": body({"strategy": {"canary": {"steps": [*STEPS, {"setWeight": 90}]}}}),
    "another revision": body(status={"currentPodHash": "newer"}),
    "another stable revision": body(status={"stableRS": "older"}),
    "another pause there": body(
        status={"pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-03-01T11:00:01Z"}]}
    ),
    "another Rollout of its name": body(uid="other"),
    "another reason besides": body(
        status={
            "pauseConditions": [
                {"reason": "InconclusiveAnalysisRun", "startTime": "2026-03-01T11:20:00Z"},
                *PAUSED["pauseConditions"],
            ]
        }
    ),
    "another step": body({"strategy": {"canary": {"steps": [{"pause": {}}, *STEPS]}}}, {"currentStepIndex": 0}),
}


@pytest.mark.parametrize("wire", SAME.values(), ids=SAME)
def test_it_is_the_same_question_with(wire: Json) -> None:
    assert parse(wire).asks == parse(body()).asks


@pytest.mark.parametrize("wire", OTHERS.values(), ids=OTHERS)
def test_it_is_another_question_with(wire: Json) -> None:
    assert parse(wire).asks not in ("", parse(body()).asks)


def test_what_else_is_read_of_it() -> None:
    routed = {"canary": {"steps": STEPS, "trafficRouting": {"nginx": {}}}}
    back = {
        "abort": True,
        "abortedAt": "2026-03-01T11:10:00Z",
        "pauseConditions": None,
        "canary": {
            "weights": {"canary": {"weight": 5}},
            "currentStepAnalysisRunStatus": {"name": "web-1", "status": "Failed", "message": "error rate"},
            "currentBackgroundAnalysisRunStatus": {"status": "Running"},
        },
        "blueGreen": {"prePromotionAnalysisRunStatus": {"name": "web-2"}},
    }
    spec = {"strategy": routed, "replicas": None, "paused": True, "workloadRef": {"kind": "Deployment", "name": "web"}}
    found = parse(body(spec, back, deletionTimestamp="2026-03-01T11:10:00Z"))

    assert (found.routed, found.routed_weight, found.replicas, found.stopped) == (True, 5, 1, True)
    assert (found.aborted, found.abort_seen, found.deleting, found.resuming) == (True, True, True, True)
    assert found.workload == "Deployment/web"
    assert found.analyses == (
        ("analysis of this step", "web-1: Failed: error rate"),
        ("analysis in the background", "unnamed: Running"),
        ("analysis before the switch", "web-2: Unknown"),
    )
    assert parse(body(status={"abort": True})).abort_seen is False
    assert parse(body(status=OTHERS["another reason besides"]["status"])).other_pauses == ("InconclusiveAnalysisRun",)


@pytest.mark.parametrize(
    "wire",
    [
        {},
        body({"replicas": "many"}),
        body({"template": {"spec": {"containers": [{"name": "main"}]}}}),
        body({"strategy": {"canary": {"steps": [{"setWeight": 20}, {"pause": "soon"}]}}}),
        body(status={"pauseConditions": [{"reason": "CanaryPauseStep"}]}),
        body(status={"pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "soon"}]}),
        body({"template": {"spec": {"containers": [], "x": 2**60}}}),
    ],
)
def test_what_its_controller_cannot_have_written(wire: Json) -> None:
    with pytest.raises(ParseError):
        parse(wire)


OWNER = {"uid": "argo-uid", "controller": True}
TEMPLATE = {"template": {"spec": {"containers": [{"image": "web:1"}]}}}


@pytest.mark.parametrize(
    ("owners", "spec", "expected"),
    [
        ([OWNER], TEMPLATE, ("web:1",)),
        ([OWNER], {}, ()),
        ([OWNER | {"controller": False}, OWNER | {"uid": "other"}], TEMPLATE, ()),
        (None, TEMPLATE, ()),
    ],
)
def test_the_images_of_a_revision(owners: Any, spec: Json, expected: tuple[str, ...]) -> None:
    assert images_of({"metadata": {"ownerReferences": owners}, "spec": spec}, "argo-uid") == expected


def test_a_revision_that_cannot_be_read() -> None:
    with pytest.raises(ParseError, match="ReplicaSet: KeyError"):
        images_of(
            {"metadata": {"ownerReferences": [OWNER]}, "spec": {"template": {"spec": {"containers": [{}]}}}}, "argo-uid"
        )


@pytest.mark.parametrize(("labels", "gate"), [(None, ""), ({}, ""), ({argo_rollout.LABEL: "tide"}, "tide")])
def test_the_gate_that_a_namespace_names(labels: Any, gate: str) -> None:
    assert gate_of({"metadata": {"name": "shop", "labels": labels}}) == gate


# ---- what a request keeps of it
SHOWN = ResolvedArgo("new", "old", SINCE, 0, 4, 0, ("web:2",), ("web:1",))


@pytest.mark.parametrize("argo", [SHOWN, ResolvedArgo("new", "", SINCE)], ids=["a canary", "blue-green"])
def test_what_was_resolved_comes_back_as_it_was_written(argo: ResolvedArgo) -> None:
    back = parse_status({"status": render_status(Status(resolved=Resolved(argo=argo)))})

    assert back.resolved == Resolved(argo=argo)
    assert list(misfits(render_resolved(back.resolved), RESOLVED)) == []


def test_nothing_was_resolved() -> None:
    assert (argo_status.parse_argo(None), argo_status.render_argo(None)) == (None, {})


def test_images_fit_however_many_and_long() -> None:
    pod = {"spec": {"containers": [{"image": "é" * 3000}] * 40}}
    argo = ResolvedArgo("new", "old", SINCE, images=argo_rollout.images(pod))

    assert list(misfits(render_resolved(Resolved(argo=argo)), RESOLVED)) == []
