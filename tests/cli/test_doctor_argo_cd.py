"""`doctor` on Argo CD: whether it waits for our kinds, and what to apply where it does not."""

import json
from typing import Any

import pytest

from gatehold.cli.doctor.argo_cd import findings, shipped
from gatehold.cli.doctor.findings import Level
from tests.cli.stage import ROOT, Stage

Json = dict[str, Any]
HEALTH = "resource.customizations.health."
PATCH = "kubectl -n argocd patch configmap argocd-cm --type=merge --patch-file manifests/argo-cd/argocd-cm.yaml"
OURS = {HEALTH + kind.replace("/", "_"): script for kind, script in shipped().items()}
REQUEST, ROLLOUT = f"{HEALTH}gatehold.dev_ApprovalRequest", f"{HEALTH}gatehold.dev_Rollout"
WHOLE = "resource.customizations"
OLD = "gatehold.dev/ApprovalRequest:\n  health.lua: |\n    return {}\n"


def told(data: Json | None, namespace: str = "argocd") -> tuple[Level, str, str]:
    (found,) = findings([{"metadata": {"name": "argocd-cm", "namespace": namespace}, "data": data}])
    return found.level, found.text, found.next


def without(*keys: str, **more: str) -> Json:
    return {key: script for key, script in OURS.items() if key not in keys} | more


def test_every_kind_of_ours_has_a_health_check() -> None:
    kinds = {path.stem for path in (ROOT / "manifests" / "argo-cd" / "health").glob("*.lua")}
    assert set(shipped()) == {f"gatehold.dev/{kind}" for kind in kinds}
    assert len(kinds) == 4


MISSING = "does not say how gatehold.dev/ApprovalRequest are: a sync does not wait for them"
OTHER = "has another health check of gatehold.dev/"
AS_SHIPPED = "has the health checks that this version ships"
SETTINGS: dict[str, tuple[Json | None, Level, str]] = {
    "all": (OURS, Level.OK, AS_SHIPPED),
    "all and more": (OURS | {"url": "https://argo.example.org"}, Level.OK, AS_SHIPPED),
    "none": (None, Level.PROBLEM, ", ".join(shipped())),
    "one is missing": (without(REQUEST), Level.PROBLEM, MISSING),
    "one is empty": (OURS | {REQUEST: ""}, Level.PROBLEM, MISSING),
    "another text": (OURS | {ROLLOUT: "return {}"}, Level.NOTICE, f"{OTHER}Rollout"),
    "the older key": (without(REQUEST) | {WHOLE: OLD}, Level.NOTICE, f"{OTHER}ApprovalRequest"),
    "the older key, no YAML": (without(REQUEST) | {WHOLE: "]["}, Level.PROBLEM, MISSING),
    "the older key, no map": (without(REQUEST) | {WHOLE: "- a"}, Level.PROBLEM, MISSING),
    "a wildcard": (without(REQUEST) | {f"{HEALTH}gatehold.dev_*": "return {}"}, Level.NOTICE, f"{OTHER}ApprovalRequest"),
    "another's wildcard": (without(REQUEST) | {f"{HEALTH}example.org_*": "return {}"}, Level.PROBLEM, MISSING),
}


@pytest.mark.parametrize(("data", "level", "text"), SETTINGS.values(), ids=SETTINGS)
def test_what_is_said_of_the_settings(data: Json | None, level: Level, text: str) -> None:
    found = told(data)
    assert found[0] is level
    assert text in found[1]
    assert found[2] == ("" if level is Level.OK else PATCH)


def test_an_argo_cd_elsewhere_is_named_and_one_without_settings_too() -> None:
    assert told({}, "gitops")[1].startswith("gitops/argocd-cm does not say")
    assert told({}, "gitops")[2] == PATCH.replace("-n argocd", "-n gitops")
    (found,) = findings([])
    assert (found.level, found.next) == (Level.PROBLEM, "kubectl -n argocd create -f manifests/argo-cd/argocd-cm.yaml")


APPLICATIONS = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {
        "name": "applications.argoproj.io",
        "annotations": {"api-approved.kubernetes.io": "unapproved, stands in for Argo CD in a test"},
    },
    "spec": {
        "group": "argoproj.io",
        "scope": "Namespaced",
        "names": {"plural": "applications", "singular": "application", "kind": "Application", "listKind": "ApplicationList"},
        "versions": [
            {"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}},
        ],
    },
}
"""All that doctor looks at: that the kind is there."""


def said(stage: Stage) -> list[tuple[str, str]]:
    report = json.loads(stage.cli("admin", "doctor", "-o", "json").out)
    return [(f["level"], f["next"]) for f in report["findings"] if f["part"] == "Argo CD"]


def test_it_is_silent_without_argo_cd_and_the_command_that_it_names_mends_it(old_stage: Stage) -> None:
    plane = old_stage.plane
    assert said(old_stage) == []
    plane.kubectl("create", "namespace", "argocd")
    own = {"url": "https://argo.example.org"}
    labels = {"app.kubernetes.io/part-of": "argocd"}
    meta = {"name": "argocd-cm", "namespace": "argocd", "labels": labels}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": own}
    plane.kubectl("apply", "-f", "-", stdin=json.dumps(body))
    plane.kubectl("create", "-f", "-", stdin=json.dumps(APPLICATIONS))
    try:
        assert said(old_stage) == [("problem", PATCH)]
        command = PATCH.removeprefix("kubectl ").replace("manifests/", f"{ROOT}/manifests/")
        plane.kubectl(*command.split())
        assert said(old_stage) == [("ok", "")]
        plane.kubectl("apply", "-f", "-", stdin=json.dumps(body))  # whoever applies their own settings again keeps ours
        assert said(old_stage) == [("ok", "")]
        kept = json.loads(plane.kubectl("-n", "argocd", "get", "cm", "argocd-cm", "-o", "json").stdout)["data"]
        assert kept["url"] == own["url"]
    finally:
        plane.kubectl("delete", "crd", "applications.argoproj.io", "--ignore-not-found")
        plane.kubectl("delete", "namespace", "argocd", "--wait=false")
