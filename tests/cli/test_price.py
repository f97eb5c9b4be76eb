"""`gatehold price` on files: what it counts, what it says it does not count, and by which code it ends. Without a server."""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml

from gatehold.cli.exits import Exit
from gatehold.cli.main import run
from tests.cli.test_hostile import EVIL

Json = dict[str, Any]
TABLE = {"CPU": "0.03", "spotCPU": "0.01", "RAM": "0.004", "GPU.A100": "3", "storage": "0.0001", "currency": "USD",
         "source": "a test", "date": "2026-11"}  # fmt: skip
"""A pod of one core and 5 GiB costs 0.05 an hour, on spot 0.03."""


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Json:
        found: Json = json.loads(self.out)
        return found


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return written(tmp_path / "prices.yaml", {"apiVersion": "v1", "kind": "ConfigMap", "data": TABLE})


def written(path: Path, *bodies: Any) -> Path:
    path.write_text(yaml.safe_dump_all(bodies))
    return path


def gatehold(*words: str | Path, stdin: str = "") -> Ended:
    """As a pipeline runs it, without any kubeconfig."""
    out, err = io.StringIO(), io.StringIO()
    elsewhere = mock.patch.dict("os.environ", {"KUBECONFIG": "/nowhere"})
    given = mock.patch.object(sys, "stdin", io.StringIO(stdin))
    with redirect_stdout(out), redirect_stderr(err), given, elsewhere:
        code = run(["price", *map(str, words)])
    return Ended(code, out.getvalue(), err.getvalue())


def template(**requests: str | int) -> Json:
    given = requests or {"cpu": 1, "memory": "5Gi"}
    return {"spec": {"containers": [{"name": "c", "resources": {"requests": given}}]}}


def workload(api: str, kind: str, name: str = "web", meta: Json | None = None, **spec: Any) -> Json:
    return {
        "apiVersion": api,
        "kind": kind,
        "metadata": {"name": name, **(meta or {})},
        "spec": {"template": template(), **spec},
    }


POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "solo"}, "spec": template()["spec"]}
JOB = workload("batch/v1", "Job", parallelism=3, completions=10)
CRON = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly"},
        "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"parallelism": 2, "template": template()}}}}  # fmt: skip
ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0}}


@pytest.mark.parametrize(
    ("body", "pods", "size", "high"),
    [
        (POD, 1, "1", "0.05"),
        (workload("apps/v1", "Deployment", replicas=4), 5, "4 + 1 surge", "0.25"),
        (workload("apps/v1", "Deployment"), 2, "1 + 1 surge", "0.1"),
        (workload("apps/v1", "Deployment", replicas=4, strategy=ROLLING), 4, "4", "0.2"),
        (workload("apps/v1", "Deployment", replicas=4, strategy={"type": "Recreate"}), 4, "4", "0.2"),
        (workload("apps/v1", "Deployment", replicas=0), 0, "0", "0"),
        (workload("apps/v1", "StatefulSet", replicas=3), 3, "3", "0.15"),
        (workload("apps/v1", "ReplicaSet", replicas=2), 2, "2", "0.1"),
        (workload("v1", "ReplicationController", replicas=2), 2, "2", "0.1"),
        (JOB, 3, "3", "0.15"),
        (workload("batch/v1", "Job"), 1, "1", "0.05"),
        (CRON, 2, "2 a run", "0.1"),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else "",
)
def test_every_kind_of_workload(tmp_path: Path, table: Path, body: Json, pods: int, size: str, high: str) -> None:
    ended = gatehold(written(tmp_path / "m.yaml", body), "--table", table, "-o", "json")
    assert ended.code == Exit.OK
    (found,) = ended.json["workloads"]
    assert (found["pods"], found["size"], found["hourly"]["high"]) == (pods, size, high)
    assert ended.json["hourly"]["high"] == high
    assert (found["hours"], found["hoursFrom"]) == ("730", "a month of 730 h")


def test_a_gatehold_rollout_has_stable_and_canary_at_once(tmp_path: Path, table: Path) -> None:
    steps = [{"setWeight": 20}, {"setWeight": 50}]
    body = workload("gatehold.dev/v1alpha1", "Rollout", replicas=4, strategy={"canary": {"steps": steps}})
    ended = gatehold(written(tmp_path / "m.yaml", body), "--table", table, "-o", "json")
    assert ended.code == Exit.OK
    assert ended.json["workloads"][0]["pods"] >= 8


def test_a_job_with_a_deadline_counts_until_then(tmp_path: Path, table: Path) -> None:
    body = workload("batch/v1", "Job", parallelism=2, activeDeadlineSeconds=7200)
    ended = gatehold(written(tmp_path / "m.yaml", body), "--table", table, "--max-monthly", "0.2", "-o", "json")
    assert ended.code == Exit.OK
    (found,) = ended.json["workloads"]
    assert (found["hours"], found["total"]) == ("2", {"low": "0.12", "high": "0.2"})
    assert gatehold(tmp_path / "m.yaml", "--table", table, "--max-monthly", "0.19").code == Exit.ABOVE_LIMIT


def test_what_a_file_holds_beside_workloads_is_named_with_the_reason(tmp_path: Path, table: Path) -> None:
    others = [
        workload("apps/v1", "DaemonSet", "agent"),
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "lb"}, "spec": {"type": "LoadBalancer"}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "inner"}, "spec": {}},
        {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": {"name": "ray"}},
        {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "way"}},
    ]
    whole = {"apiVersion": "v1", "kind": "List", "items": [POD, {"apiVersion": "v1", "kind": "List", "items": others}]}
    ended = gatehold(written(tmp_path / "m.yaml", whole, None, JOB), "--table", table, "-o", "json")
    assert [w["kind"] for w in ended.json["workloads"]] == ["Pod", "Job"]
    said = {left["name"]: left["why"] for left in ended.json["notPriced"]}
    assert set(said) == {"agent", "data", "lb", "inner", "ray", "way"}
    for name, part in {"agent": "every node", "data": "ResourceQuota", "lb": "ResourceQuota", "inner": "runs no pods",
                       "ray": "custom resource", "way": "runs no pods"}.items():  # fmt: skip
        assert part in said[name], name
    assert ended.code == Exit.OK
    told = gatehold(tmp_path / "m.yaml", "--table", table)
    assert "not priced: DaemonSet agent: a pod on every node" in told.out


def test_a_file_without_workloads_costs_nothing_and_says_so(tmp_path: Path, table: Path) -> None:
    ended = gatehold(written(tmp_path / "m.yaml", {"apiVersion": "v1", "kind": "ConfigMap"}), "--table", table)
    assert ended.code == Exit.OK
    assert "Nothing here has a price." in ended.out
    assert "ConfigMap (no name)" in ended.out


def test_people_get_the_sum_the_parts_and_where_the_prices_are_from(tmp_path: Path, table: Path) -> None:
    first = workload("apps/v1", "StatefulSet", "db", {"namespace": "shop"}, replicas=2)
    ended = gatehold(written(tmp_path / "m.yaml", first, POD), "--table", table)
    lines = [" ".join(line.split()) for line in ended.out.splitlines()]
    for line in ("WORKLOAD PODS USD/HOUR USD IN ALL FOR",
                 "StatefulSet shop/db 2 0.06 to 0.10 43.80 to 73.00 730 h",
                 "all together 0.09 to 0.15 up to 109.50 a month",
                 "CPU: 1 core x 0.03 = 0.03 USD, 0.01 on spot",
                 "memory: 5 GiB x 0.004 = 0.02 USD",
                 "prices: a test, 2026-11; a month is 730 h"):  # fmt: skip
        assert line in lines, line
    assert (ended.code, ended.err) == (Exit.OK, "")


def test_notes_on_options_promises_claims_and_overhead(tmp_path: Path, table: Path) -> None:
    notes = {"gatehold.dev/options": '[{"name":"cheap","pods":1}]', "gatehold.dev/expected-duration": "6h"}
    claims = [{"metadata": {"name": "data"}}]
    body = workload("apps/v1", "StatefulSet", meta={"annotations": notes}, replicas=2, volumeClaimTemplates=claims)
    body["spec"]["template"]["spec"]["runtimeClassName"] = "kata"
    ended = gatehold(written(tmp_path / "m.yaml", body, CRON), "--table", table, "-o", "json")
    of_set, of_cron = (found["notes"] for found in ended.json["workloads"])
    assert of_set == [
        "option cheap: 1 pods, up to 0.05 an hour",
        "it says that it runs for 6h, which would cost up to 0.60; nothing enforces that",
        "its volume claims are not part of it: no gate holds them",
        "the overhead of runtime class kata is not known here",
    ]
    assert "one run at a time" in of_cron[0]


def test_options_that_cannot_be_read_are_said(tmp_path: Path, table: Path) -> None:
    body = workload("apps/v1", "StatefulSet", meta={"annotations": {"gatehold.dev/options": "[]"}})
    ended = gatehold(written(tmp_path / "m.yaml", body), "--table", table, "-o", "json")
    assert ended.json["workloads"][0]["notes"][0].startswith("the gate would hold it: annotation gatehold.dev/options")


GPU = {"cpu": 1, "memory": "5Gi", "nvidia.com/gpu": 1}


@pytest.mark.parametrize(
    ("requests", "unknown"),
    [
        (GPU, "1 of nvidia.com/gpu"),
        ({"cpu": 1}, "no request of memory, and no floor"),
        ({"cpu": 0, "memory": 0}, "no request of cpu and memory, and no floor"),
        ({"cpu": "-1", "memory": "1Gi"}, "container c: cpu '-1' is negative"),
        ({"cpu": "1e18", "memory": "1Gi"}, "container c: cpu '1e18' is more than any cluster has"),
        ({"cpu": "lots", "memory": "1Gi"}, "container c: cpu 'lots' is no quantity"),
        ({"cpu": 1, "memory": "1Gi", "example.com/qpu": 2}, "2 of example.com/qpu"),
    ],
)
def test_what_has_no_price_ends_with_a_code_of_its_own(tmp_path: Path, table: Path, requests: Json, unknown: str) -> None:
    body = workload("apps/v1", "StatefulSet", template=template(**requests))
    ended = gatehold(written(tmp_path / "m.yaml", body), "--table", table, "--max-hourly", "1000")
    assert ended.code == Exit.PRICE_UNKNOWN
    assert unknown in ended.out
    assert "+ ?" in ended.out
    assert "unknown:" in ended.err
    found = gatehold(tmp_path / "m.yaml", "--table", table, "-o", "json").json
    assert unknown in found["workloads"][0]["pod"]["unknown"]
    assert (found["outcome"], found["known"]) == ("PRICE_UNKNOWN", False)


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (("--max-hourly", "0.15"), Exit.OK),
        (("--max-hourly", "0.149999"), Exit.ABOVE_LIMIT),
        (("--max-monthly", "109.5"), Exit.OK),
        (("--max-monthly", "109.49"), Exit.ABOVE_LIMIT),
        (("--max-hourly", "1", "--max-monthly", "1"), Exit.ABOVE_LIMIT),
        (("--max-hourly", "0"), Exit.ABOVE_LIMIT),
    ],
)
def test_limits_are_of_all_together_and_of_the_high_figure(
    tmp_path: Path, table: Path, limits: tuple[str, ...], code: Exit
) -> None:
    ended = gatehold(written(tmp_path / "m.yaml", POD, POD, POD), "--table", table, *limits)
    assert ended.code == code
    assert ("above:" in ended.err) == (code is Exit.ABOVE_LIMIT)


def test_a_limit_is_exceeded_whatever_else_is_unknown(tmp_path: Path, table: Path) -> None:
    odd = workload("apps/v1", "StatefulSet", template=template(**GPU))
    ended = gatehold(written(tmp_path / "m.yaml", odd, POD), "--table", table, "--max-hourly", "0.06", "-o", "json")
    assert (ended.code, ended.json["outcome"]) == (Exit.ABOVE_LIMIT, "ABOVE_LIMIT")
    assert ended.json["exceeded"] == ["all together cost up to 0.10 an hour, the limit is 0.06"]


def test_manifests_from_standard_input_and_a_table_without_a_configmap(tmp_path: Path) -> None:
    flat = written(tmp_path / "t.json", TABLE)
    assert gatehold("-", "--table", flat, "-o", "json", stdin=json.dumps(POD)).json["hourly"]["high"] == "0.05"
    found = yaml.safe_load(gatehold("-", "--table", flat, "-o", "yaml", stdin=json.dumps(POD)).out)
    assert found["workloads"][0]["name"] == "solo"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no object"),
        ("---\n---\n", "holds no object"),
        ("[1, 2]", "holds something that is no object"),
        ("a: [", "neither YAML nor JSON"),
        ("a: 1\na: 2", "stands twice"),
        ("[" * 5000, "neither YAML nor JSON"),
        ("kind: Pod", "it has no kind or no apiVersion"),
        ("apiVersion: v1", "it has no kind or no apiVersion"),
        ("{apiVersion: v1, kind: Pod, metadata: {name: x}}", "Pod x: spec: not an object"),
        ("{apiVersion: v1, kind: Pod, metadata: [], spec: []}", "Pod (no name): spec: not an object"),
        ("{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, spec: {replicas: many, template: {spec: {}}}}",
         "Deployment x: spec.replicas: int_type"),
        ("{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, spec: {}}", "spec.template.spec: not an object"),
        ("{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: x}, spec: {replicas: -1, template: {spec: {}}}}",
         "it asks for less than no pods"),
        ("{apiVersion: apps/v1, kind: Deployment, spec: {strategy: {rollingUpdate: x}, template: {spec: {}}}}",
         "Deployment (no name): "),
        ("&a {apiVersion: v1, kind: List, items: [*a, *a]}", "holds more than 10000 objects"),
        ("{apiVersion: v1, kind: List, items: [1]}", "holds something that is no object"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_ends_with_64_and_names_the_place(table: Path, text: str, said: str) -> None:
    ended = gatehold("-", "--table", table, stdin=text)
    assert ended.code == Exit.USAGE
    assert said in " ".join(ended.err.split())
    assert ended.out == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"CPU": "-1"}, "CPU is not a rate"),
        ({"CPU": None}, "CPU is not a rate"),
        ({"source": ""}, "source is missing"),
        ({"Cpu": "1"}, "Cpu means nothing here"),
    ],
)
def test_by_a_broken_table_nothing_has_a_price(tmp_path: Path, change: Json, said: str) -> None:
    broken = written(tmp_path / "t.yaml", {"kind": "ConfigMap", "data": {**TABLE, **change}})
    ended = gatehold("-", "--table", broken, stdin=json.dumps(POD))
    assert ended.code == Exit.PRICE_UNKNOWN
    assert said in ended.err


@pytest.mark.parametrize("words", [("--max-hourly", "x"), ("--max-hourly", "-1"), ("--max-monthly", "NaN"), ("--nope",)])
def test_a_command_line_that_cannot_be_used(table: Path, words: tuple[str, ...]) -> None:
    assert gatehold("-", "--table", table, *words, stdin=json.dumps(POD)).code == Exit.USAGE


def test_files_that_are_not_there(tmp_path: Path, table: Path) -> None:
    assert gatehold(tmp_path / "none.yaml", "--table", table).code == Exit.USAGE
    assert gatehold("-", "--table", tmp_path / "none.yaml", stdin=json.dumps(POD)).code == Exit.USAGE


def test_hostile_text_steers_no_terminal(tmp_path: Path) -> None:
    hostile = written(tmp_path / "t.yaml", {"kind": "ConfigMap", "data": {**TABLE, "source": EVIL}})
    body = workload("apps/v1", "StatefulSet", EVIL, template=template(**{"cpu": EVIL, EVIL: EVIL}))
    more = {"apiVersion": EVIL, "kind": EVIL, "metadata": {"name": EVIL}}
    manifests = written(tmp_path / "m.yaml", body, more)
    for form in ((), ("-o", "json"), ("-o", "yaml")):
        ended = gatehold(manifests, "--table", hostile, *form)
        assert ended.code == Exit.PRICE_UNKNOWN
        for text in (ended.out, ended.err):
            assert not any(char in text for char in "\x1b\x07\x9b\r\x7f\u202e\u200b")
