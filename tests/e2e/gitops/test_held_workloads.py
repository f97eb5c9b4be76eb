"""Who waits for workloads whose pods are held, by its own code: rows of docs/explanation/provisioning.md, in one life."""

import json
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from controlplane import wait_until
from controlplane.tools import tool
from tests.e2e.provisioning.depot import Depot
from tests.e2e.stage import condition
from tests.onlookers import argo_health, ended, flux_waits, kstatus

Body = dict[str, Any]
Process = subprocess.Popen[str]
KINDS = ("web", "late", "db", "train", "nightly", "solo")


def seen(depot: Depot, kind: str, name: str) -> Body:
    found: Body = json.loads(depot.kubectl("get", kind, name, "-o", "json"))
    return found


def workloads(depot: Depot) -> dict[str, Body]:
    """Everything that was applied, as it stands."""
    kinds = zip(("deploy", "deploy", "statefulset", "job", "cronjob", "pod"), KINDS, strict=True)
    return {name: seen(depot, kind, name) for kind, name in kinds}


def chart(folder: Path, depot: Depot, name: str, **over: Any) -> Path:
    """A chart with one Deployment of that name, whose strategy is the API server's unless `over` says otherwise."""
    place = folder / name
    (place / "templates").mkdir(parents=True)
    (place / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n")
    body = depot.deployment_body(name, 1, over=over, strategy=over.pop("strategy", {"type": "RollingUpdate"}))
    (place / "templates" / "deployment.yaml").write_text(json.dumps(body))
    return place


@pytest.fixture
def helm(depot: Depot, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """`helm install` of a chart of one held Deployment, under way."""
    started: list[Process] = []

    def start(name: str, *flags: str, **over: Any) -> Process:
        place = chart(tmp_path, depot, name, **over)
        command: list[str | Path] = [tool("helm"), "install", name, place, "-n", depot.namespace, *flags]
        environ = {**depot.cluster.environment(), "HELM_CACHE_HOME": str(tmp_path), "HELM_DATA_HOME": str(tmp_path)}
        started.append(subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True))
        return started[-1]

    yield start
    for process in started:
        with process:
            process.kill()


def older(body: Body) -> Body:
    """The same object, made an hour ago: kstatus gives a pod 15 seconds to be scheduled, by its own clock."""
    ago = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    conditions = [{**one, "lastTransitionTime": ago} for one in body["status"].get("conditions", [])]
    return {
        **body,
        "metadata": {**body["metadata"], "creationTimestamp": ago},
        "status": {**body["status"], "conditions": conditions},
    }


def apply_all(depot: Depot) -> None:
    depot.deployment("web", 1)
    depot.deployment("late", 1, over={"progressDeadlineSeconds": 2})
    depot.stateful_set("db", 1)
    depot.batch("train", fake="runs")
    depot.cron_job("nightly")
    depot.pod("solo")


def until_held(depot: Depot) -> None:
    """Until each shows what waiting does to it."""
    for name in ("web", "late", "db", "solo"):
        depot.until_waits(name, 1)
    wait_until(lambda: condition(seen(depot, "job", "train"), "Suspended")[0] == "True", "the Job says Suspended", 120)
    exceeded = ("False", "ProgressDeadlineExceeded")
    wait_until(lambda: condition(seen(depot, "deploy", "late"), "Progressing") == exceeded, "a deadline is exceeded", 120)
    gated = ("False", "SchedulingGated")
    wait_until(lambda: condition(seen(depot, "pod", "solo"), "PodScheduled") == gated, "the pod says why it waits", 120)


BEFORE = {
    "web": ("InProgress", "Progressing"),
    "late": ("Failed", "Degraded"),
    "db": ("InProgress", "Progressing"),
    "train": ("InProgress", "Suspended"),
    "nightly": ("Current", "Healthy"),
    "solo": ("InProgress", "Progressing"),
}
"""What kstatus and Argo CD say while people are asked."""


def test_who_waits_for_held_workloads(depot: Depot, helm: Callable[..., Process]) -> None:
    """Helm and Flux wait for real; kstatus and Argo CD are asked about what stands there, before the yes and after it."""
    depot.gate()
    kubeconfig = str(depot.cluster.admin_kubeconfig)
    apply_all(depot)
    stalled = helm("stalled", "--wait", "--timeout=90s", progressDeadlineSeconds=2)
    impatient = [
        helm("impatient", "--wait", "--timeout=10s"),
        helm("legacy", "--wait=legacy", "--timeout=10s"),
        helm("undone", "--rollback-on-failure", "--timeout=10s"),
    ]
    one = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}}
    lenient = helm("lenient", "--wait=legacy", "--timeout=120s", strategy=one)
    until_held(depot)
    for process in impatient:
        code, text = ended(process)
        assert (code, "deadline exceeded" in text) == (1, True), text
    code, text = ended(stalled)  # it does not wait until its time is up
    assert (code, "status: Failed" in text) == (1, True), text
    assert depot.find("deploy", "impatient") is not None  # it failed, and what it made is still there, and held
    depot.until_gone("deploy", "undone")  # what people were asked about is taken away
    code, text = ended(lenient)  # all of its replicas may be unavailable, so this check is content with none
    assert (code, depot.running("lenient")) == (0, []), text

    before = workloads(depot)
    said = zip(kstatus(older(body) for body in before.values()), argo_health(before.values(), None), strict=True)
    assert {name: (k.status, a.status) for name, (k, a) in zip(KINDS, said, strict=True)} == BEFORE
    with flux_waits([before["late"]], kubeconfig, 60) as late, flux_waits([before["web"]], kubeconfig, 2) as web:
        assert (ended(late)[0], ended(web)[0]) == (1, 1)  # the one at once, since it failed, the other when its time is up

    with flux_waits([before["web"], before["db"]], kubeconfig, 240) as waits:
        patient = helm("patient", "--wait", "--timeout=240s")
        for name in ("web", "late", "db", "train", "solo", "patient"):
            depot.asked(name)
            depot.approve(name)
        assert (ended(waits), ended(patient)[0]) == ((0, ""), 0)
    healed = ("web", "late", "db", "solo")
    for name in healed:
        depot.until_runs(name, 1)
    wait_until(lambda: all_well([workloads(depot)[name] for name in healed]), "all of them are well", 120)
    wait_until(lambda: kstatus([workloads(depot)["train"]])[0].status == "Current", "a Job that has begun is current", 60)


def all_well(bodies: list[Body]) -> bool:
    """Whether Flux would go on, and Argo CD too."""
    return {said.status for said in [*kstatus(bodies), *argo_health(bodies, None)]} == {"Current", "Healthy"}
