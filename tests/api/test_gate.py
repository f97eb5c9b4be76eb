"""A Gate as the API server gives it, of each type, and the one that a namespace names."""

from decimal import Decimal
from typing import Any

import pytest

from gatehold.api import gate
from gatehold.api.common import ParseError
from gatehold.domain.argo.model import ArgoGate
from gatehold.domain.model import DrainGate, DrainMode, GateType
from gatehold.domain.pricing.price import Threshold
from gatehold.domain.provision.model import OnDenied, PodGate
from gatehold.domain.rollout.model import GateFacts


def body(**spec: Any) -> dict[str, Any]:
    """A Gate of type Rollouts."""
    return {"metadata": {"name": "prod"}, "spec": {"type": "Rollouts", "policyRef": {"name": "change"}} | spec}


ROWS: dict[str, tuple[dict[str, Any], GateFacts]] = {
    "with nothing that may be left out": (body(), GateFacts("prod", "change", 20)),
    "with an empty member": (body(rollouts={}), GateFacts("prod", "change", 20)),
    "that asks before anything runs": (body(rollouts={"maxWeightBeforeApproval": 0}), GateFacts("prod", "change", 0)),
    "that asks at the end": (body(rollouts={"maxWeightBeforeApproval": 100}), GateFacts("prod", "change", 100)),
}


@pytest.mark.parametrize(("wire", "expected"), ROWS.values(), ids=ROWS)
def test_a_gate(wire: dict[str, Any], expected: GateFacts) -> None:
    assert gate.parse(wire) == expected


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no metadata": (body() | {"metadata": None}, "metadata: model_type"),
    "no spec": (body() | {"spec": None}, "spec: model_type"),
    "no policy": (body(policyRef=None), "spec.policyRef: model_type"),
    "another type": (body(type="Drains"), "spec.type: not Rollouts"),
    "less than nothing": (body(rollouts={"maxWeightBeforeApproval": -1}), "not a percentage"),
    "more than everything": (body(rollouts={"maxWeightBeforeApproval": 101}), "not a percentage"),
}


@pytest.mark.parametrize(("wire", "text"), BROKEN.values(), ids=BROKEN)
def test_it_is_no_gate_with(wire: dict[str, Any], text: str) -> None:
    with pytest.raises(ParseError, match=text):
        gate.parse(wire)


def drains(**members: Any) -> dict[str, Any]:
    """A Gate of type Drains."""
    return body(type="Drains", drains=members)


DRAINS: dict[str, tuple[dict[str, Any], DrainGate]] = {
    "with nothing that may be left out": (body(type="Drains"), DrainGate("prod", "change", DrainMode.DENY, "", 300)),
    "with an empty member": (drains(), DrainGate("prod", "change")),
    "that denies": (drains(mode="Deny"), DrainGate("prod", "change")),
    "with everything": (
        drains(mode="Hold", namespace="ops", cooldownSeconds=15),
        DrainGate("prod", "change", DrainMode.HOLD, "ops", 15),
    ),
    "that cools down for a day": (drains(cooldownSeconds=86400), DrainGate("prod", "change", cooldown_seconds=86400)),
}


@pytest.mark.parametrize(("wire", "expected"), DRAINS.values(), ids=DRAINS)
def test_a_gate_of_drains(wire: dict[str, Any], expected: DrainGate) -> None:
    assert gate.parse_drains(wire) == expected


NO_DRAINS: dict[str, tuple[dict[str, Any], str]] = {
    "no metadata": (drains() | {"metadata": None}, "metadata: model_type"),
    "no spec": (drains() | {"spec": None}, "spec: model_type"),
    "another type": (body(), "spec.type: not Drains"),
    "a mode to come": (drains(mode="Warn"), "spec.drains.mode: unknown"),
    "a mode in small letters": (drains(mode="hold"), "spec.drains.mode: unknown"),
    "less than kubectl waits": (drains(cooldownSeconds=14), "cooldownSeconds: out of its bounds"),
    "more than a day": (drains(cooldownSeconds=86401), "cooldownSeconds: out of its bounds"),
    "seconds in words": (drains(cooldownSeconds="5"), "spec.drains.cooldownSeconds: int_type"),
}


@pytest.mark.parametrize(("wire", "text"), NO_DRAINS.values(), ids=NO_DRAINS)
def test_it_is_no_gate_of_drains_with(wire: dict[str, Any], text: str) -> None:
    with pytest.raises(ParseError, match=text):
        gate.parse_drains(wire)


def pods(**members: Any) -> dict[str, Any]:
    """A Gate of type Pods."""
    return body(type="Pods", pods=members)


EVERYTHING = {"threshold": {"hourly": "0.3", "monthly": "100"}, "floor": {"hourly": "0.01"}, "onDenied": "ScaleBack"}
PODS: dict[str, tuple[dict[str, Any], PodGate]] = {
    "with nothing that may be left out": (body(type="Pods"), PodGate("prod", "change", Threshold(), None, OnDenied.KEEP)),
    "with empty members": (pods(threshold={}, floor={}), PodGate("prod", "change")),
    "with one bound": (pods(threshold={"monthly": "5"}), PodGate("prod", "change", Threshold(monthly=Decimal(5)))),
    "with everything": (
        pods(**EVERYTHING),
        PodGate("prod", "change", Threshold(Decimal("0.3"), Decimal(100)), Decimal("0.01"), OnDenied.SCALE_BACK),
    ),
}


@pytest.mark.parametrize(("wire", "expected"), PODS.values(), ids=PODS)
def test_a_gate_of_pods(wire: dict[str, Any], expected: PodGate) -> None:
    assert gate.parse_pods(wire) == expected


NO_PODS: dict[str, tuple[dict[str, Any], str]] = {
    "no metadata": (pods() | {"metadata": None}, "metadata: model_type"),
    "no spec": (pods() | {"spec": None}, "spec: model_type"),
    "another type": (body(), "spec.type: not Pods"),
    "a threshold below nothing": (pods(threshold={"hourly": "-1"}), "spec.pods.threshold.hourly: not a finite"),
    "a threshold without an end": (pods(threshold={"monthly": "Infinity"}), "spec.pods.threshold.monthly: not a finite"),
    "a threshold that is a number": (pods(threshold={"hourly": 0.1}), "spec.pods.threshold.hourly: string_type"),
    "a floor in words": (pods(floor={"hourly": "low"}), "spec.pods.floor.hourly: not a decimal"),
    "an end to come": (pods(onDenied="Shrink"), "spec.pods.onDenied: unknown"),
}


@pytest.mark.parametrize(("wire", "text"), NO_PODS.values(), ids=NO_PODS)
def test_it_is_no_gate_of_pods_with(wire: dict[str, Any], text: str) -> None:
    with pytest.raises(ParseError, match=text):
        gate.parse_pods(wire)


MOST = gate.MOST_TIMEOUT


def argo(**members: Any) -> dict[str, Any]:
    """A Gate of type ArgoRollouts."""
    return body(type="ArgoRollouts", argoRollouts=members)


@pytest.mark.parametrize(
    ("wire", "seconds"),
    [(body(type="ArgoRollouts"), None), (argo(), None), (argo(timeoutSeconds=1), 1), (argo(timeoutSeconds=MOST), MOST)],
)
def test_a_gate_of_argo_rollouts(wire: dict[str, Any], seconds: int | None) -> None:
    assert gate.parse_argo(wire) == ArgoGate("prod", "change", seconds)


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        (body(), "spec.type: not ArgoRollouts"),
        (argo(timeoutSeconds=0), r"spec\.argoRollouts\.timeoutSeconds: out of its bounds"),
        (argo(timeoutSeconds=MOST + 1), "out of its bounds"),
        (argo(timeoutSeconds="1"), "int_type"),
    ],
)
def test_it_is_no_gate_of_argo_rollouts_with(wire: dict[str, Any], text: str) -> None:
    with pytest.raises(ParseError, match=text):
        gate.parse_argo(wire)


@pytest.mark.parametrize("known", [*GateType, "Others"])
def test_the_type_of_a_gate(known: str) -> None:
    assert gate.type_of(body(type=known)) == known


def test_a_gate_without_a_type() -> None:
    with pytest.raises(ParseError, match="type: string_type"):
        gate.type_of(body(type=None))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [(None, None), ({"a": "b"}, None), ({"gatehold.dev/rollouts": "prod"}, "prod"), ({"gatehold.dev/rollouts": ""}, "")],
    ids=str,
)
def test_the_gate_that_a_namespace_names(labels: Any, expected: str | None) -> None:
    assert gate.of_namespace({"metadata": {"name": "shop", "labels": labels}}) == expected
