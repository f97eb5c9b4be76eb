"""The real Horizontal Pod Autoscaler, by figures of a metrics API: inside the approved size, beyond it, and with a no."""

import json
from collections.abc import Iterator

import pytest

from controlplane import Cluster, wait_until
from tests.e2e.provisioning.depot import Depot
from tests.e2e.provisioning.meter import Meter
from tests.e2e.stage import PATIENCE, Body, condition, message

TARGET = 50
"""Per cent of one core: a load of N times 500 millicores wants N pods."""


@pytest.fixture(scope="module")
def meter(prices: Cluster) -> Iterator[Meter]:
    """The metrics API, in place of metrics-server."""
    with Meter(prices) as meter:
        yield meter


def autoscale(depot: Depot, name: str, most: int) -> None:
    """An autoscaler that goes as far as its figures say at once, and down without waiting."""
    at_once = {"stabilizationWindowSeconds": 0, "policies": [{"type": "Pods", "value": 100, "periodSeconds": 1}]}
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": TARGET}}
    spec: Body = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": 1,
        "maxReplicas": most,
        "metrics": [{"type": "Resource", "resource": cpu}],
        "behavior": {"scaleUp": at_once, "scaleDown": at_once},
    }
    meta = {"name": name, "namespace": depot.namespace}
    depot.apply({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": meta, "spec": spec})


def wants(depot: Depot, name: str = "web") -> int:
    """How many pods it has made the Deployment ask for."""
    return int(depot.get("deploy", name)["spec"]["replicas"])


def until_wants(depot: Depot, count: int) -> None:
    wait_until(lambda: wants(depot) == count, f"the autoscaler wants {count}", PATIENCE)


def test_it_moves_inside_the_size_asks_beyond_it_does_not_run_away_and_takes_a_no(depot: Depot, meter: Meter) -> None:
    depot.gate()
    depot.deployment(replicas=4)
    depot.approve("web")
    depot.until_runs("web", 4)
    meter.load(depot.namespace, 1000)
    autoscale(depot, "web", 12)
    until_wants(depot, 2)
    depot.until_runs("web", 2)
    meter.load(depot.namespace, 2000)
    until_wants(depot, 4)
    depot.until_runs("web", 4)
    assert len(depot.questions()) == 1  # inside what was approved nobody is asked
    meter.until_read(depot.namespace)  # it counts a pod once that has been ready for a second

    meter.load(depot.namespace, 3400)
    until_wants(depot, 7)
    provision = depot.asked("web", 2)["status"]["resolved"]["provision"]
    assert (provision["pods"], provision["approvedPods"]) == (7, 4)
    depot.until_waits("web", 3)
    meter.until_read(depot.namespace)  # four pods carry the load of seven, and it looks again and again
    assert (wants(depot), len(depot.running("web"))) == (7, 4)

    depot.deny("web", 2)
    meter.until_read(depot.namespace)
    assert (wants(depot), len(depot.running("web"))) == (7, 4)
    meter.load(depot.namespace, 1000)
    until_wants(depot, 2)
    depot.until_runs("web", 2)
    meter.load(depot.namespace, 3400)
    until_wants(depot, 7)
    depot.until_runs("web", 4)
    depot.until_waits("web", 3)
    assert len(depot.questions()) == 2  # a no is a no, however often it goes up and down

    depot.kubectl("annotate", "deploy/web", "gatehold.dev/retry=1", user="ci")
    depot.approve("web", 3)
    depot.until_runs("web", 7)
    meter.until_read(depot.namespace)
    assert wants(depot) == 7


def until_lets_go(depot: Depot, count: int) -> None:
    """Wait until the budget of the Deployment allows so many evictions."""

    def allowed() -> bool:
        seen = json.loads(depot.kubectl("get", "pdb/web", "-o", "json"))
        return seen.get("status", {}).get("disruptionsAllowed") == count

    wait_until(allowed, f"the budget allows {count} evictions", PATIENCE)


def test_a_no_that_scales_back_is_no_fight_with_the_autoscaler_and_what_waits_is_not_healthy(
    depot: Depot, meter: Meter
) -> None:
    depot.gate(onDenied="ScaleBack")
    depot.deployment(replicas=2)
    depot.approve("web")
    depot.until_runs("web", 2)
    depot.kubectl("create", "pdb", "web", "--selector=app=web", "--min-available=50%")
    until_lets_go(depot, 1)
    meter.load(depot.namespace, 1900)
    autoscale(depot, "web", 6)
    until_wants(depot, 4)
    name = depot.deny("web", 2)
    rolled = depot.until(name, lambda body: condition(body, "RolledBack")[0] == "True", "it was scaled back")
    assert message(rolled, "RolledBack") == "Deployment web wants 2 pods, as was approved before"
    until_wants(depot, 4)  # the autoscaler sees the same load, and wants the same again
    depot.until_waits("web", 2)
    until_lets_go(depot, 0)  # two of four have to stay, and two wait
    generation = depot.get("deploy", "web")["metadata"]["generation"]
    meter.until_read(depot.namespace, 5)
    assert depot.get("deploy", "web")["metadata"]["generation"] == generation  # both have had their say, and leave it
    assert len(depot.running("web")) == 2
    assert len(depot.questions()) == 2
