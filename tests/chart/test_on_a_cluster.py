"""The chart on a real API server: valid by its own schemas, and what Helm refuses once it can look at the cluster.

In one life: installed with every gate, then with none and an operator that knows it, then with all of them again.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import bundles
import foreign
from controlplane import ControlPlane, KubectlError, kubernetes, wait_until
from controlplane.tools import tool
from gatehold.settings import GATE_TYPES
from playground import OperatorProcess, wait_enforced
from playground.install import wait_in_force
from playground.operator_process import PATIENT
from tests.chart.rendering import EVERYTHING, environment, left_out, parsed, template
from tests.chart.schemas import described, write
from tests.e2e.operators import until_acting
from tests.e2e.stage import PATIENCE, condition, new_stage
from tests.install import chart

VERSION = ".".join(map(str, kubernetes())) + ".0"
NONE = ",".join(f"gates.{gate}.enabled=false" for gate in ("argoRollouts", "drains", "pods", "rollouts"))


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """Installed by Helm; no operator yet."""
    with ControlPlane.start(nodes=1) as made:
        chart.install(made)
        yield made


# ---- valid


@pytest.fixture(scope="module")
def location(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Schemas of what the API server serves, with the kinds of others that the chart can render."""
    for name in ("prometheus-operator", "cert-manager"):
        for file in foreign.crds(name):
            body = yaml.load(file.read_text(), Loader=yaml.CSafeLoader)
            if body["spec"]["names"]["kind"] in ("PodMonitor", "PrometheusRule", "Certificate", "Issuer"):
                plane.kubectl("apply", "--server-side", "-f", str(file))
    kinds = {(body["apiVersion"], body["kind"]) for body in parsed(template(EVERYTHING, kubernetes=VERSION))}
    versions = {version for version, _ in kinds}

    def served() -> bool:
        return kinds <= {kind for version in versions for kind in described(plane, version)}

    wait_until(served, f"the API server describes {sorted(kinds)}", 240)
    return write(plane, tmp_path_factory.mktemp("schemas"), versions)


def conform(location: str, text: str) -> "subprocess.CompletedProcess[str]":
    argv = [tool("kubeconform"), "-strict", "-summary", "-schema-location", location, "-"]
    return subprocess.run(argv, input=text, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("values", [{}, EVERYTHING, left_out(GATE_TYPES)], ids=["defaults", "everything", "no gate"])
def test_what_is_rendered_is_valid_by_the_api_servers_own_schemas(location: str, values: dict[str, Any]) -> None:
    done = conform(location, template(values, kubernetes=VERSION))

    assert done.returncode == 0, done.stdout
    assert "Invalid: 0, Errors: 0, Skipped: 0" in done.stdout


def test_kubeconform_notices_a_slip(location: str) -> None:
    text = template(kubernetes=VERSION)

    assert conform(location, text.replace("topologyKey:", "topologyKeys:")).returncode == 1
    assert conform(location, text.replace("replicas: 2", "replicas: two")).returncode == 1


# ---- what Helm refuses


def test_an_upgrade_waits_for_the_kinds_of_its_version(plane: ControlPlane) -> None:
    chart.upgrade(plane)  # those are there: nothing is in the way
    change = [{"op": "replace", "path": "/spec/versions/0/schema/openAPIV3Schema/description", "value": "of long ago"}]
    plane.kubectl("patch", "crd", "gates.gatehold.dev", "--type=json", "-p", json.dumps(change))

    done = chart.helm(plane, "upgrade", chart.RELEASE, str(chart.CHART), check=False)

    assert done.returncode != 0
    assert "CustomResourceDefinition gates.gatehold.dev is not that of this version" in done.stderr
    assert "helm show crds CHART | kubectl apply --server-side --force-conflicts -f -" in done.stderr
    kinds = chart.helm(plane, "show", "crds", str(chart.CHART)).stdout
    plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=kinds)
    chart.upgrade(plane)


def test_an_upgrade_puts_the_wall_back(plane: ControlPlane) -> None:
    weaker = '{"spec": {"failurePolicy": "Ignore"}}'
    plane.kubectl("patch", "validatingadmissionpolicy", "gatehold-jobs", "--type=merge", "-p", weaker)
    plane.kubectl("delete", "mutatingadmissionpolicy", "gatehold-stamp-authors")

    (mend,) = {told["next"] for told in _findings(plane) if told["part"] == "Wall" and told["level"] != "ok"}
    program, *arguments = mend.replace("CHART", str(chart.CHART)).split()
    assert program == "helm"
    chart.helm(plane, *arguments)

    shown = "jsonpath={.spec.failurePolicy}"
    assert plane.kubectl("get", "validatingadmissionpolicy", "gatehold-jobs", "-o", shown).stdout == "Fail"
    assert "ok" in [level for level, text in _doctor(plane) if text.startswith("gatehold-stamp-authors names who")]


def test_a_gate_is_not_left_out_while_something_is_behind_it(plane: ControlPlane) -> None:
    plane.kubectl("create", "namespace", "batch", check=False)
    plane.kubectl("label", "namespace", "batch", "gatehold.dev/pods=nobody")

    done = chart.helm(plane, "upgrade", chart.RELEASE, str(chart.CHART), "--set", NONE, check=False)

    assert done.returncode != 0
    assert "namespace batch is behind a gate that gates.pods.enabled=false would leave out" in done.stderr
    plane.kubectl("label", "namespace", "batch", "gatehold.dev/pods-")
    plane.kubectl("-n", "batch", "create", "-f", "-", stdin=json.dumps(_object("Rollout", "web", ROLLOUT)))
    done = chart.helm(plane, "upgrade", chart.RELEASE, str(chart.CHART), "--set", NONE, check=False)
    assert "kubectl -n batch delete gro web --cascade=orphan" in done.stderr
    plane.kubectl("-n", "batch", "delete", "gro", "web")  # no operator has put its finalizer on it


# ---- without gates, and with them again


@pytest.fixture
def bare(plane: ControlPlane, tmp_path: Path) -> Iterator[OperatorProcess]:
    """No gate, and the operator told so, as its pod is; afterwards both have all of them again."""
    _changed(plane, "--set", NONE)
    told = environment(list(parsed(chart.helm(plane, "get", "manifest", chart.RELEASE).stdout)))
    operator = OperatorProcess(plane, gates=told["GATEHOLD_GATES"], **PATIENT)
    operator.start()
    until_acting(operator, 150)
    yield operator
    operator.stop(90)
    _changed(plane, "--set", NONE.replace("false", "true"))


MORE: dict[str, Any] = {"Pods": {"pods": {"threshold": {"hourly": "1"}}}, "Drains": {"drains": {"mode": "Deny"}}}
CONTAINER = {"name": "main", "image": "example.org/web:1"}
ROLLOUT = {
    "replicas": 1,
    "selector": {"matchLabels": {"app": "web"}},
    "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [CONTAINER]}},
}
REFUSED = {
    "namespace/shut gatehold.dev/pods=x": "leaves the gate of pods out",
    "namespace/shut gatehold.dev/rollouts=x": "leaves the gate of Rollouts out",
    "namespace/shut gatehold.dev/only-rollouts=true": "leaves the gate of Rollouts out",
    "namespace/shut gatehold.dev/argo-rollouts=x": "leaves the gate of Argo Rollouts out",
    "node/{node} gatehold.dev/drain=x": "leaves the gate of drains out",
}


def test_without_gates_jobs_are_held_and_nothing_else_is_promised(plane: ControlPlane, bare: OperatorProcess) -> None:
    wait_enforced(plane, 150)
    stage = new_stage(plane, bare)
    policy = stage.policy(quorum=[{"role": "sre"}], effects=["Release", "Promote", "Drain"])
    for gate in GATE_TYPES:
        stage.apply(_object("Gate", gate.lower(), {"type": gate, "policyRef": {"name": policy}, **MORE.get(gate, {})}))
    plane.kubectl("create", "namespace", "shut")
    node = plane.kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}").stdout
    for label, sentence in REFUSED.items():
        with pytest.raises(KubectlError, match=sentence):
            plane.kubectl("label", *label.format(node=node).split())
    with pytest.raises(KubectlError, match="leaves Rollouts out"):
        plane.kubectl("create", "-f", "-", stdin=json.dumps(_object("Rollout", "web", ROLLOUT)))
    plane.kubectl("label", "namespace", "shut", "team=a")  # what is not ours is as free as it was
    born = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "born", "labels": {"gatehold.dev/drain": "x"}}}
    plane.kubectl("create", "-f", "-", stdin=json.dumps(born))  # no node is kept from joining; doctor says what it is

    told = _doctor(plane)
    assert [level for level, text in told if "policies and bindings are as version" in text] == ["ok"]
    assert [level for level, text in told if "has label gatehold.dev/drain, which holds nothing" in text] == ["problem"]
    assert [text for _, text in told if text.startswith("gatehold-stamp") and "is not installed" in text] == []
    assert len([text for _, text in told if "are left out of this installation; label" in text]) == len(GATE_TYPES)

    stage.request("about", policy, job=stage.job("work", policy))
    stage.until_prepared("about")
    stage.say("alice", "about", "approve")
    assert stage.until_done("about")["status"]["phase"] == "Released"

    def told() -> bool:
        found = [json.loads(plane.kubectl("get", "gate", gate.lower(), "-o", "json").stdout) for gate in GATE_TYPES]
        return all(condition(body, "Ready") == ("False", "LeftOut") for body in found)

    wait_until(told, "each Gate says that its type is left out", PATIENCE)
    assert "forbidden" not in bare.log(100_000).lower(), "it asks for what it has no right to"


def test_with_the_gates_again_the_operator_finds_its_wall(plane: ControlPlane) -> None:
    operator = OperatorProcess(plane, **PATIENT)
    operator.start()
    until_acting(operator, 150)
    try:
        wait_enforced(plane, 150)
        left = plane.kubectl("get", "validatingadmissionpolicies", "-o", "name").stdout
        assert "gatehold-no-" not in left
        plane.kubectl("create", "namespace", "batch", check=False)
        plane.kubectl("label", "namespace", "batch", "gatehold.dev/pods=nobody")
    finally:
        operator.stop(90)


def _changed(plane: ControlPlane, *arguments: str) -> None:
    """Helm's upgrade, and the API server has taken the policies up: what the operator proves is not about these."""
    chart.upgrade(plane, *arguments)
    wait_in_force(plane)


def _doctor(plane: ControlPlane) -> list[tuple[str, str]]:
    return [(finding["level"], finding["text"]) for finding in _findings(plane)]


def _findings(plane: ControlPlane) -> list[dict[str, str]]:
    """What `gatehold doctor` finds, with an admin's rights."""
    environment_ = {**plane.environment(), "PYTHONPATH": str(bundles.ROOT / "operator")}
    argv = [sys.executable, "-m", "gatehold", "doctor", "-o", "json"]
    done = subprocess.run(argv, env=environment_, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return list(json.loads(done.stdout)["findings"])


def _object(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "gatehold.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
