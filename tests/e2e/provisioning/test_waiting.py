"""What waiting does to others, and what the gate does not hold: each "run" of docs/explanation/provisioning.md."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from controlplane import wait_until
from tests.e2e.provisioning.depot import APPROVAL, CHEAP, Depot
from tests.e2e.stage import PATIENCE
from tests.wall.api import Answer, Call, path

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "provisioning.md"
Json = dict[str, Any]
SERVICE = ("v1", "services", "Service")
BALANCER: Json = {"type": "LoadBalancer", "ports": [{"port": 80}], "selector": {"app": "web"}}


def condition(body: Json, kind: str) -> tuple[str, str]:
    found = next((c for c in body.get("status", {}).get("conditions", []) if c["type"] == kind), {})
    return str(found.get("status", "")), str(found.get("reason", ""))


def seen(depot: Depot, kind: str, name: str) -> Json:
    found: Json = json.loads(depot.cluster.kubectl("-n", depot.namespace, "get", kind, name, "-o", "json").stdout)
    return found


def rollout_status(depot: Depot, name: str) -> "subprocess.CompletedProcess[str]":
    """As a pipeline waits."""
    return depot.cluster.kubectl(
        "-n",
        depot.namespace,
        "rollout",
        "status",
        f"deploy/{name}",
        f"--timeout={PATIENCE}s",
        user="ci",
        check=False,
        timeout=2 * PATIENCE,
    )


def test_a_progress_deadline_runs_out_and_heals_and_rollout_status_says_both(depot: Depot) -> None:
    depot.gate()
    depot.deployment(replicas=2, over={"progressDeadlineSeconds": 3})
    depot.until_waits("web", 2)
    late = rollout_status(depot, "web")
    assert late.returncode == 1
    assert "exceeded its progress deadline" in late.stderr + late.stdout
    assert condition(depot.get("deploy", "web"), "Progressing") == ("False", "ProgressDeadlineExceeded")
    assert len(depot.held("web")) == 2  # nothing is taken away
    depot.approve("web")
    depot.until_runs("web", 2)
    wait_until(lambda: condition(depot.get("deploy", "web"), "Progressing")[0] == "True", "it progresses again", PATIENCE)
    assert rollout_status(depot, "web").returncode == 0


def test_no_autoscaler_sees_a_pod_before_the_yes_and_then_it_does(depot: Depot) -> None:
    """Autoscalers add nodes for pods with reason Unschedulable, and for no others."""
    depot.gate()
    depot.pod("huge", {"cpu": "900000", "memory": "1Gi"})
    wait_until(
        lambda: condition(seen(depot, "pod", "huge"), "PodScheduled")[0] == "False", "the pod has a condition", PATIENCE
    )
    assert condition(seen(depot, "pod", "huge"), "PodScheduled") == ("False", "SchedulingGated")
    depot.approve("huge")
    wait_until(
        lambda: condition(seen(depot, "pod", "huge"), "PodScheduled") == ("False", "Unschedulable"),
        "it fits nowhere",
        PATIENCE,
    )


def quota_of_the_page(namespace: str) -> Json:
    """The ResourceQuota that the page tells people to put in: `name: figure` lines below `hard:`."""
    lines = PAGE.read_text().split("      hard:\n", 1)[1].split("\n\n", 1)[0].splitlines()
    hard = {key.strip(): value.strip().strip('"') for key, _, value in (line.partition(":") for line in lines)}
    meta = {"name": "bounds", "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": {"hard": hard}}


@pytest.fixture
def bounded(depot: Depot) -> Depot:
    """A gated namespace with the quota of the page, in force."""
    depot.gate()
    body = quota_of_the_page(depot.namespace)
    assert {"pods", "requests.cpu", "requests.storage", "services.loadbalancers"} <= set(body["spec"]["hard"])
    depot.cluster.kubectl("apply", "-f", "-", stdin=json.dumps(body))
    wait_until(lambda: "used" in seen(depot, "resourcequota", "bounds").get("status", {}), "the quota counts", PATIENCE)
    wait_until(lambda: refused(send(depot, *SERVICE, BALANCER, dryRun="All")), "the API server knows the quota", PATIENCE)
    return depot


def used(depot: Depot, name: str) -> str:
    return str(seen(depot, "resourcequota", "bounds")["status"]["used"][name])


def refused(answer: Answer) -> bool:
    return not answer.ok and "exceeded quota" in answer.message


def send(depot: Depot, version: str, plural: str, kind: str, spec: Json, **query: str) -> Answer:
    body = {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"generateName": "x-", "namespace": depot.namespace},
        "spec": spec,
    }
    return depot.api("admin").send(Call(path(version, plural, depot.namespace), body, "post"), **query)


def test_the_quota_of_the_page_covers_what_the_gate_does_not_hold(bounded: Depot) -> None:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "600Gi"}}}
    assert send(bounded, "v1", "persistentvolumeclaims", "PersistentVolumeClaim", claim).ok
    assert refused(send(bounded, "v1", "persistentvolumeclaims", "PersistentVolumeClaim", claim))
    assert refused(send(bounded, *SERVICE, BALANCER))
    assert send(bounded, *SERVICE, {**BALANCER, "type": "ClusterIP"}).ok


def test_it_bounds_many_small_owners_under_the_threshold_and_counts_what_waits(bounded: Depot) -> None:
    for number in range(3):
        bounded.deployment(f"small-{number}", 19, {"cpu": "1m", "memory": "1Mi"})
    wait_until(lambda: used(bounded, "pods") == "57", "three small owners are there", PATIENCE)
    assert bounded.questions() == []
    bounded.deployment("small-3", 19, {"cpu": "1m", "memory": "1Mi"})
    wait_until(lambda: used(bounded, "pods") == "60", "the quota is full", PATIENCE)
    assert refused(bounded.send_pod("one-more", CHEAP))


def test_pods_that_wait_count_against_the_quota(bounded: Depot) -> None:
    bounded.deployment(replicas=2)
    bounded.until_waits("web", 2)
    wait_until(lambda: used(bounded, "requests.cpu") == "2", "what waits counts", PATIENCE)


def test_pods_of_a_daemon_set_are_not_held(depot: Depot) -> None:
    depot.gate()
    labels = {"app": "agent"}
    spec = {"selector": {"matchLabels": labels}, "template": depot.template({"cpu": "1m"}, labels=labels)}
    meta = {"name": "agent", "namespace": depot.namespace}
    body = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta, "spec": spec}
    depot.cluster.kubectl("apply", "-f", "-", stdin=json.dumps(body))
    try:
        wait_until(lambda: len(depot.pods_named("agent")) > 0, "its pods are there", PATIENCE)
        gates = [gate["name"] for pod in depot.pods_named("agent") for gate in pod["spec"].get("schedulingGates", [])]
        assert APPROVAL not in gates
    finally:
        depot.cluster.kubectl("-n", depot.namespace, "delete", "daemonset", "agent", "--wait=false")
