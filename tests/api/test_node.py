"""A Node as the API server gives it, and the Gate that it names."""

from typing import Any

import pytest

from gatehold.api import node as api
from gatehold.api.common import ParseError
from gatehold.domain.model import DrainGate, DrainMode
from gatehold.domain.nodes import GateOfNode, NodeFacts, PodToEvict
from tests.api.drains import Body, node

PLAIN = NodeFacts("n1", "node-uid", "7")
GATE = GateOfNode("gpu", DrainGate("gpu", "ops"))
GATED = {"gatehold.dev/drain": "gpu"}
TAINTS = [{"key": "spot", "effect": "NoSchedule"}, {"key": "a/b", "value": "c", "effect": "NoExecute", "timeAdded": "now"}]
NOTES = {
    "gatehold.dev/cordoned-by": "alice",
    "gatehold.dev/released-by": "request-uid",
    "gatehold.dev/request": "ops/drain",
    "other": "x",
}


def test_a_node_that_nobody_has_touched() -> None:
    assert api.facts(node()) == PLAIN
    assert api.facts(node() | {"spec": None}) == PLAIN
    assert api.facts(node(unschedulable=False, taints=[])) == PLAIN


def test_all_that_is_looked_at() -> None:
    wire = node(GATED, NOTES, unschedulable=True, taints=TAINTS)
    wire["metadata"]["deletionTimestamp"] = "2026-03-01T12:00:00Z"
    pods = (PodToEvict("shop", "web-1", "u", "n1"),)

    assert api.facts(wire, GATE, pods) == NodeFacts(
        "n1",
        "node-uid",
        "7",
        unschedulable=True,
        taints=("spot=:NoSchedule", "a/b=c:NoExecute"),
        gate=GATE,
        cordoned_by="alice",
        released_by="request-uid",
        request="ops/drain",
        deleting=True,
        pods=pods,
    )


@pytest.mark.parametrize(
    ("labels", "gate", "mode"),
    [
        (None, None, DrainMode.DENY),
        ({"a": "b"}, None, DrainMode.DENY),
        (GATED, "gpu", DrainMode.DENY),
        (GATED | {"gatehold.dev/drain-mode": "Hold"}, "gpu", DrainMode.HOLD),
        (GATED | {"gatehold.dev/drain-mode": "hold"}, "gpu", DrainMode.DENY),
        ({"gatehold.dev/drain": ""}, "", DrainMode.DENY),
    ],
    ids=str,
)
def test_what_its_labels_say(labels: Any, gate: str | None, mode: DrainMode) -> None:
    assert api.gate_of(node(labels)) == gate
    assert api.mode_of(node(labels)) == mode


@pytest.mark.parametrize(
    ("labels", "gate"),
    [(GATED, None), (None, GATE), ({"gatehold.dev/drain": "cpu"}, GATE), ({"gatehold.dev/drain": ""}, None)],
    ids=["a gate that nobody looked at", "no gate", "another gate", "a gate without a name"],
)
def test_a_gate_is_never_mistaken(labels: Any, gate: GateOfNode | None) -> None:
    with pytest.raises(ParseError, match="another gate than the one that was looked at"):
        api.facts(node(labels), gate)


def without(body: Body, part: str, name: str) -> Body:
    return body | {part: {key: value for key, value in body[part].items() if key != name}}


BROKEN: dict[str, tuple[Body, str]] = {
    "no metadata": (node() | {"metadata": None}, "metadata: model_type"),
    "no uid": (without(node(), "metadata", "uid"), "metadata.uid: missing"),
    "no version": (without(node(), "metadata", "resourceVersion"), "metadata.resourceVersion: missing"),
    "labels that are a list": (node() | {"metadata": {"labels": []}}, "metadata"),
    "half a cordon": (node(unschedulable="true"), "spec.unschedulable: bool_type"),
    "a taint without an effect": (node(taints=[{"key": "a"}]), "spec.taints.0.effect: missing"),
}


@pytest.mark.parametrize(("wire", "text"), BROKEN.values(), ids=BROKEN)
def test_it_is_no_node_with(wire: Body, text: str) -> None:
    with pytest.raises(ParseError, match=text):
        api.facts(wire)
