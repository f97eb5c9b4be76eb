"""`gatehold price` by what a cluster says: its price table, a Gate's threshold and floor, and who may read them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gatehold.cli.exits import Exit
from tests.cli.stage import ROOT, Ended, Stage

Json = dict[str, Any]
EXAMPLE = ROOT / "manifests" / "examples" / "prices.yaml"
READS = """
apiVersion: v1
kind: List
items:
- {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: prices}, rules: [
    {apiGroups: [""], resources: [configmaps], resourceNames: [gatehold-prices], verbs: [get]},
    {apiGroups: [gatehold.dev], resources: [gates], verbs: [get]}]}
- {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: prices},
   roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: prices},
   subjects: [{kind: User, name: ci}]}
- apiVersion: gatehold.dev/v1alpha1
  kind: Gate
  metadata: {name: spend}
  spec: {type: Pods, policyRef: {name: prod}, pods: {threshold: {hourly: "0.1"}, floor: {hourly: "0.06"}}}
- apiVersion: gatehold.dev/v1alpha1
  kind: Gate
  metadata: {name: always}
  spec: {type: Pods, policyRef: {name: prod}}
- apiVersion: gatehold.dev/v1alpha1
  kind: Gate
  metadata: {name: nodes}
  spec: {type: Drains, policyRef: {name: prod}}
"""


@pytest.fixture(scope="module", autouse=True)
def _gates(stage: Stage) -> None:
    stage.plane.kubectl("apply", "-f", "-", stdin=READS)
    stage.until_may("ci", "get", "gates.gatehold.dev")


@pytest.fixture
def table(stage: Stage) -> Iterator[Json]:
    """The example's table in the cluster."""
    stage.plane.kubectl("apply", "-f", str(EXAMPLE))
    yield yaml.safe_load(EXAMPLE.read_text())["data"]
    stage.plane.kubectl("-n", "gatehold-system", "delete", "configmap", "gatehold-prices")


def pods(replicas: int, **requests: str) -> str:
    given = requests or {"cpu": "1", "memory": "1Gi"}
    template = {"spec": {"containers": [{"name": "c", "resources": {"requests": given}}]}}
    spec = {"replicas": replicas, "template": template}
    return json.dumps({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": spec})


def price(stage: Stage, manifests: str, *words: str, person: str = "ci") -> Ended:
    return stage.cli(person, "price", "-", *words, stdin=manifests)


def test_the_clusters_own_table(stage: Stage, table: Json) -> None:
    ended = price(stage, pods(2), "-o", "json")
    assert ended.code == Exit.OK, ended.err
    found = json.loads(ended.out)
    assert found["hourly"] == {"low": "0.015094", "high": "0.071696"}
    assert (found["source"], found["date"]) == (table["source"], table["date"])


@pytest.mark.parametrize(
    ("replicas", "requests", "words", "code", "verdict"),
    [
        (2, {}, (), Exit.OK, "UnderThreshold"),
        (3, {}, (), Exit.ABOVE_LIMIT, "Asked"),
        (1, {"cpu": "1"}, (), Exit.OK, "UnderThreshold"),  # the floor
        (2, {"cpu": "1"}, (), Exit.ABOVE_LIMIT, "Asked"),
        (2, {}, ("--max-hourly", "0.07"), Exit.ABOVE_LIMIT, "UnderThreshold"),
        (1, {"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": "1"}, (), Exit.PRICE_UNKNOWN, "Asked"),
    ],
)
@pytest.mark.usefixtures("table")
def test_a_gates_threshold_and_floor(
    stage: Stage, replicas: int, requests: Json, words: tuple[str, ...], code: Exit, verdict: str
) -> None:
    manifests = pods(replicas, **requests)
    ended = price(stage, manifests, "--gate", "spend", "-o", "json", *words)
    assert ended.code == code, ended.err
    assert json.loads(ended.out)["workloads"][0]["gate"] == verdict
    told = price(stage, manifests, "--gate", "spend", *words).out
    assert ("goes at once" in told) == (verdict == "UnderThreshold")
    assert ("is asked about" in told) == (verdict == "Asked")


@pytest.mark.usefixtures("table")
def test_a_gate_without_a_threshold_asks_about_everything(stage: Stage) -> None:
    ended = price(stage, pods(1), "--gate", "always")
    assert ended.code == Exit.ABOVE_LIMIT
    assert "people are asked" in ended.err


def test_a_table_of_ones_own_beside_a_gate(stage: Stage, tmp_path: Path) -> None:
    data = {"CPU": "1", "RAM": "1", "currency": "EUR", "source": "ours", "date": "2026-11"}
    (tmp_path / "t.json").write_text(json.dumps(data))
    ended = price(stage, pods(1), "--table", str(tmp_path / "t.json"), "--gate", "spend", "-o", "json")
    assert ended.code == Exit.ABOVE_LIMIT
    assert json.loads(ended.out)["currency"] == "EUR"


def test_without_a_table_there_is_a_way_on(stage: Stage) -> None:
    ended = price(stage, pods(1))
    assert ended.code == Exit.ABSENT
    assert "there is no price table: ConfigMap gatehold-prices" in ended.err
    assert "--table FILE" in ended.err


@pytest.mark.usefixtures("table")
def test_who_may_not_read_the_table_gives_one(stage: Stage) -> None:
    ended = price(stage, pods(1), person="dana")
    assert ended.code == Exit.REFUSED
    assert "you may not read ConfigMap gatehold-prices" in ended.err
    assert price(stage, pods(1), "--table", str(EXAMPLE), person="dana").code == Exit.OK


@pytest.mark.usefixtures("table")
def test_gates_that_are_none_of_type_pods(stage: Stage) -> None:
    assert price(stage, pods(1), "--gate", "none").code == Exit.ABSENT
    ended = price(stage, pods(1), "--gate", "nodes")
    assert ended.code == Exit.USAGE
    assert "none of type Pods" in ended.err
    assert price(stage, pods(1), "--gate", "spend", person="dana").code == Exit.REFUSED


def test_a_broken_table_in_the_cluster_prices_nothing(stage: Stage, table: Json) -> None:
    broken = {"data": {**table, "CPU": "-1"}}
    stage.plane.kubectl("-n", "gatehold-system", "patch", "configmap", "gatehold-prices", "-p", json.dumps(broken))
    ended = price(stage, pods(1))
    assert ended.code == Exit.PRICE_UNKNOWN
    assert "CPU is not a rate" in ended.err
