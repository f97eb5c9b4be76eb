"""A Gate as the API server gives it, and the one that a namespace names."""

from typing import Any

import pytest

from gatehold.api import gate
from gatehold.api.common import ParseError
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


@pytest.mark.parametrize(
    ("labels", "expected"),
    [(None, None), ({"a": "b"}, None), ({"gatehold.dev/rollouts": "prod"}, "prod"), ({"gatehold.dev/rollouts": ""}, "")],
    ids=str,
)
def test_the_gate_that_a_namespace_names(labels: Any, expected: str | None) -> None:
    assert gate.of_namespace({"metadata": {"name": "shop", "labels": labels}}) == expected
