"""The shipped texts: what they all have in common, and what counts as a difference. No server needed."""

import copy
from pathlib import Path
from typing import Any

import pytest

from gatehold.admission import texts
from gatehold.admission.texts import STAMPING, VALIDATING, Body, compare, shipped
from tests.wall.conftest import ROOT

SHIPPED = shipped()
POLICY = next(body for body in SHIPPED if body["kind"] == VALIDATING[0] and body["metadata"]["name"] == "gatehold-requests")
BINDING = next(body for body in SHIPPED if body["kind"] == VALIDATING[1] and body["metadata"]["name"] == "gatehold-requests")


def as_stored(body: Body) -> dict[str, Any]:
    """As an API server gives it back: with defaults, and what others and it added to metadata."""
    found = copy.deepcopy(dict(body))
    found["metadata"] |= {"uid": "u", "generation": 3, "annotations": {"helm.sh/x": "y"}}
    found["metadata"]["labels"] |= {"argocd.argoproj.io/instance": "gatehold"}
    found["status"] = {"observedGeneration": 3, "typeChecking": {}}
    spec = found["spec"]
    if body["kind"].endswith("Policy"):
        spec.setdefault("failurePolicy", "Fail")
        spec["matchConstraints"] |= {"matchPolicy": "Equivalent"}
        for selector in ("namespaceSelector", "objectSelector"):
            spec["matchConstraints"].setdefault(selector, {})
        for rule in spec["matchConstraints"]["resourceRules"]:
            rule.setdefault("scope", "*")
    return found


LIVE = [as_stored(body) for body in SHIPPED]


def test_every_policy_has_its_binding_and_both_are_labelled() -> None:
    names = {(body["kind"], body["metadata"]["name"]) for body in SHIPPED}
    wanted = {
        "gatehold-requests",
        "gatehold-status",
        "gatehold-token",
        "gatehold-jobs",
        "gatehold-operator",
        "gatehold-identity",
        "gatehold-rollouts",
        "gatehold-children",
        "gatehold-children-pods",
        "gatehold-marks",
        "gatehold-services",
        "gatehold-only-rollouts",
        "gatehold-namespaces",
        "gatehold-node-labels",
        "gatehold-nodes",
        "gatehold-own-evictions",
        "gatehold-webhook",
        "gatehold-pods",
        "gatehold-gated-jobs",
        "gatehold-provision",
        "gatehold-argo-rollouts",
        "gatehold-argo-children",
        "gatehold-argo-hand",
    }

    assert {name for kind, name in names if kind == VALIDATING[0]} == wanted
    assert {(f"{kind}Binding", name) for kind, name in names if kind.endswith("Policy")} == {
        n for n in names if n[0].endswith("Binding")
    }
    for body in SHIPPED:
        assert body["metadata"]["labels"] == {"app.kubernetes.io/part-of": "gatehold", "app.kubernetes.io/component": "wall"}


def test_every_policy_fails_closed_and_every_binding_denies_everywhere() -> None:
    for body in SHIPPED:
        if body["kind"].endswith("Policy"):
            assert body["spec"]["failurePolicy"] == "Fail"
            assert "paramKind" not in body["spec"]
        if body["kind"] == VALIDATING[1]:
            assert "Deny" in body["spec"]["validationActions"]
            assert set(body["spec"]) == {"policyName", "validationActions"}
        if body["kind"] == STAMPING[1]:
            assert set(body["spec"]) == {"policyName"}


def test_every_rule_tells_a_person_something() -> None:
    for body in SHIPPED:
        for rule in body["spec"].get("validations", []):
            assert len(rule["message"].strip()) > 20
            assert "\n" not in rule["message"]


def test_what_an_api_server_stores_is_no_difference() -> None:
    assert compare(SHIPPED, LIVE) == []


def test_objects_that_are_not_ours_are_no_difference() -> None:
    assert compare(SHIPPED, [*LIVE, {**LIVE[0], "metadata": {"name": "another"}}]) == []


CHANGES: dict[str, tuple[Body, list[Any], Any]] = {
    "set to Audit": (BINDING, ["spec", "validationActions"], ["Audit"]),
    "set to Audit besides": (BINDING, ["spec", "validationActions"], ["Deny"]),
    "bound to another policy": (BINDING, ["spec", "policyName"], "gatehold-status"),
    "an exclusion by namespace": (BINDING, ["spec", "matchResources"], {"namespaceSelector": {"matchLabels": {"a": "b"}}}),
    "an exclusion by resource": (BINDING, ["spec", "matchResources"], {"excludeResourceRules": [{"resources": ["*"]}]}),
    "an empty match": (BINDING, ["spec", "matchResources"], {}),
    "parameters": (BINDING, ["spec", "paramRef"], {"name": "x"}),
    "a parameter kind": (POLICY, ["spec", "paramKind"], {"apiVersion": "v1", "kind": "ConfigMap"}),
    "failures ignored": (POLICY, ["spec", "failurePolicy"], "Ignore"),
    "matched exactly": (POLICY, ["spec", "matchConstraints", "matchPolicy"], "Exact"),
    "matched by label": (POLICY, ["spec", "matchConstraints", "objectSelector"], {"matchLabels": {"a": "b"}}),
    "matched by namespace": (POLICY, ["spec", "matchConstraints", "namespaceSelector"], {"matchLabels": {"a": "b"}}),
    "an exception by resource": (POLICY, ["spec", "matchConstraints", "excludeResourceRules"], [{"resources": ["x"]}]),
    "fewer operations": (POLICY, ["spec", "matchConstraints", "resourceRules", 0, "operations"], ["CREATE"]),
    "another scope": (POLICY, ["spec", "matchConstraints", "resourceRules", 0, "scope"], "Cluster"),
    "a condition": (POLICY, ["spec", "matchConditions"], [{"name": "x", "expression": "false"}]),
    "another expression": (POLICY, ["spec", "validations", 5, "expression"], "true"),
    "another variable": (POLICY, ["spec", "variables", 3, "expression"], "true"),
    "no rules": (POLICY, ["spec", "validations"], []),
    "another message": (POLICY, ["spec", "validations", 5, "message"], "no"),
    "a member that this version does not know": (POLICY, ["spec", "except"], ["mallory"]),
}


@pytest.mark.parametrize("says", CHANGES)
def test_what_weakens_the_wall_is_a_difference(says: str) -> None:
    target, where, value = CHANGES[says]
    changed = as_stored(target)
    place: Any = changed
    for step in where[:-1]:
        place = place[step]
    place[where[-1]] = value
    live = [
        changed if body["kind"] == target["kind"] and body["metadata"]["name"] == target["metadata"]["name"] else body
        for body in LIVE
    ]

    found = compare(SHIPPED, live)

    assert [(d.kind, d.name) for d in found] == [(target["kind"], target["metadata"]["name"])]
    assert found[0].what.startswith("spec.")
    assert str(found[0]).endswith("differs from the shipped text")


@pytest.mark.parametrize("kind", VALIDATING)
def test_a_missing_object_is_a_difference(kind: str) -> None:
    live = [body for body in LIVE if (body["kind"], body["metadata"]["name"]) != (kind, "gatehold-jobs")]

    assert [str(d) for d in compare(SHIPPED, live)] == [f"{kind} gatehold-jobs: missing"]


def test_an_empty_cluster_lacks_the_whole_wall_but_not_the_stamp() -> None:
    found = compare(SHIPPED, [])

    assert {d.what for d in found} == {"missing"}
    assert {d.kind for d in found} == set(VALIDATING)


def test_the_truth_is_told_apart_from_the_number_one() -> None:
    expected = {"kind": VALIDATING[1], "metadata": {"name": "x"}, "spec": {"a": True}}

    assert compare([expected], [{**expected, "spec": {"a": 1}}])


def test_a_wheel_carries_the_texts_and_a_checkout_has_the_originals(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "wall").mkdir()
    (tmp_path / "wall" / "10.yaml").write_text(
        "kind: ValidatingAdmissionPolicyBinding\nmetadata: {name: packed}\nspec: {}\n"
    )
    checkout = [body["metadata"]["name"] for body in shipped()]
    monkeypatch.setattr(texts.resources, "files", lambda package: tmp_path)

    assert [body["metadata"]["name"] for body in shipped()] == ["packed"]
    assert len(checkout) == len(SHIPPED)


def test_every_object_of_the_folder_that_is_a_policy_is_shipped() -> None:
    kinds = (
        line.split(": ")[1]
        for file in (ROOT / "manifests/wall").glob("*.yaml")
        for line in file.read_text().splitlines()
        if line.startswith("kind: ")
    )

    assert len([kind for kind in kinds if kind in (*VALIDATING, *STAMPING)]) == len(SHIPPED)
