"""`kubectl apply --server-side -f manifests/install.yaml` makes what `helm install` makes; Helm leaves the CRDs behind."""

import json
import shlex
from collections.abc import Iterator
from typing import Any, Final

import pytest

from controlplane import API_ONLY, ControlPlane, kubernetes, wait_until
from tests.install import chart

KINDS: Final = (
    "clusterrolebindings",
    "clusterroles",
    "configmaps",
    "customresourcedefinitions",
    "deployments",
    "networkpolicies",
    "poddisruptionbudgets",
    "rolebindings",
    "roles",
    "secrets",
    "serviceaccounts",
    "services",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    *(("mutatingadmissionpolicies", "mutatingadmissionpolicybindings") if kubernetes() >= (1, 36) else ()),
)
BUNDLE: Final = chart.ROOT / "manifests" / ("install.yaml" if kubernetes() >= (1, 36) else "install-1.30.yaml")
Name = tuple[str, str, str]


@pytest.fixture(scope="module")
def bare() -> Iterator[ControlPlane]:
    """Nothing of ours, and nothing that acts."""
    with ControlPlane.start(components=API_ONLY) as plane:
        yield plane


def test_the_bundle_installs_what_helm_installs(bare: ControlPlane) -> None:
    with ControlPlane.start(components=API_ONLY) as other:
        there = set(_objects(other))
        chart.install(other)
        by_helm = {name: body for name, body in _objects(other).items() if name not in there}
        assert len(by_helm) > 60
        chart.uninstall(other)
        left = set(_objects(other)) - there
        assert {kind for kind, _, _ in left} == {"CustomResourceDefinition"}

    there = set(_objects(bare))
    _apply(bare)
    by_bundle = {name: body for name, body in _objects(bare).items() if name not in there}
    assert sorted(by_bundle) == sorted(by_helm)
    assert [name for name in by_helm if by_bundle[name] != by_helm[name]] == []


def test_the_page_takes_away_what_the_bundle_installed(bare: ControlPlane) -> None:
    text = (chart.ROOT / "docs/how-to/uninstall.md").read_text()
    block = text.partition("Say instead:\n\n")[2].partition("\n\n")[0]
    lines = [shlex.split(line, comments=True) for line in block.splitlines()]
    assert {line[0] for line in lines} == {"kubectl"}

    for line in lines:
        if kubernetes() >= (1, 36) or not line[2].startswith("mutating"):
            bare.kubectl(*line[1:], timeout=120)

    ours = [name for name, body in _objects(bare).items() if body["labels"].get("app.kubernetes.io/part-of") == "gatehold"]
    left = {(kind, namespace) for kind, namespace, _ in ours if kind != "CustomResourceDefinition"}
    assert left == {("ServiceAccount", chart.NAMESPACE)}, "which goes with its namespace"


def test_helm_takes_over_what_the_bundle_installed(bare: ControlPlane) -> None:
    _apply(bare)
    applied = _objects(bare)

    chart.install(bare, "--take-ownership", "--force-conflicts")

    taken = _objects(bare)
    assert sorted(taken) == sorted(applied)
    assert [name for name in applied if taken[name] != applied[name]] == []
    shared = chart.helm(bare, "upgrade", chart.RELEASE, str(chart.CHART), "--set", "replicas=3", check=False)
    assert 'conflict with "kubectl"' in shared.stderr
    chart.upgrade(bare, "--force-conflicts", "--set", "replicas=3")
    deployment = json.loads(bare.kubectl("-n", chart.NAMESPACE, "get", "deployment", "gatehold", "-o", "json").stdout)
    assert deployment["spec"]["replicas"] == 3


def _apply(plane: ControlPlane) -> None:
    """As the README says: twice where the policy of the probe comes before its kind is served."""

    def applied() -> bool:
        done = plane.kubectl("apply", "--server-side", "-f", str(BUNDLE), check=False, timeout=240)
        assert done.returncode == 0 or "no matches for kind" in done.stderr, done.stderr
        return done.returncode == 0

    wait_until(applied, f"{BUNDLE.name} is applied", 240)


def _objects(plane: ControlPlane) -> dict[Name, Any]:
    """What the kinds of the chart have, without what tells how it came there; Helm keeps its own record in a Secret."""
    listed = plane.kubectl("get", ",".join(KINDS), "--all-namespaces", "-o", "json").stdout
    bodies = [body for body in json.loads(listed)["items"] if body.get("type") != "helm.sh/release.v1"]
    return {_name(body): _stripped(body) for body in bodies}


def _name(body: dict[str, Any]) -> Name:
    return body["kind"], body["metadata"].get("namespace", ""), body["metadata"]["name"]


def _stripped(body: dict[str, Any]) -> dict[str, Any]:
    """The body as somebody wrote it."""
    meta = body["metadata"]
    labels = {key: value for key, value in meta.get("labels", {}).items() if key != "app.kubernetes.io/managed-by"}
    notes = {key: value for key, value in meta.get("annotations", {}).items() if not key.startswith("meta.helm.sh/")}
    rest = {key: value for key, value in body.items() if key not in ("metadata", "status")}
    if body["kind"] == "Service":
        rest["spec"] = {key: value for key, value in rest["spec"].items() if not key.startswith("clusterIP")}
    return {**rest, "labels": labels, "annotations": notes}
