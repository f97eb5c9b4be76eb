"""Owners that are not a plain workload: many runs of one CronJob, a kind that nobody here knows, a Rollout of ours."""

import json
import time
from collections.abc import Iterator

import pytest

from controlplane import wait_until
from tests.e2e.provisioning.depot import DEAR, Depot
from tests.e2e.rollouts.shop import Shop, stands
from tests.e2e.stage import PATIENCE, Body, condition
from tests.wall.api import Call, path

RUNS = 20
KIND = "Widget"
WIDGETS: Body = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.org"},
    "spec": {
        "group": "example.org",
        "scope": "Namespaced",
        "names": {"plural": "widgets", "singular": "widget", "kind": KIND},
        "versions": [
            {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}},
        ],
    },
}
DEADLINE = 20
"""Seconds: more than a busy machine takes to make a pod ready."""


@pytest.fixture
def widget(depot: Depot) -> Iterator[Body]:
    """An object of a kind that the operator may not read."""
    depot.cluster.kubectl("apply", "-f", "-", stdin=json.dumps(WIDGETS))
    presses = path("example.org/v1", "widgets", depot.namespace)
    wait_until(lambda: depot.api().send(Call(presses, how="get")).ok, "widgets are served", PATIENCE)
    meta = {"name": "press", "namespace": depot.namespace}
    yield depot.api().must(Call(presses, {"apiVersion": "example.org/v1", "kind": KIND, "metadata": meta}, "post"))
    depot.cluster.kubectl("delete", "crd", "widgets.example.org", "--wait=false")


def test_twenty_runs_of_a_cron_job_are_one_question(depot: Depot) -> None:
    depot.gate()
    depot.cron_job(needs=DEAR)
    for number in range(RUNS):
        name = f"nightly-{number}"
        depot.run_now("nightly", name)
        if number == 0:
            assert depot.asked("nightly")["spec"]["subject"]["kind"] == "CronJob"
            assert depot.get("job", name)["spec"]["suspend"] is True
            depot.approve("nightly")
        depot.until(name, _is_complete, f"run {number} is complete", kind="job")
    assert len(depot.questions()) == 1


def test_another_template_of_a_cron_job_is_asked_about_anew(depot: Depot) -> None:
    depot.gate()
    depot.cron_job(needs=DEAR)
    depot.run_now("nightly", "nightly-1")
    depot.approve("nightly")
    depot.until("nightly-1", _is_complete, "the first run is complete", kind="job")
    depot.cron_job(needs={"cpu": "2", "memory": "4Gi"})
    depot.run_now("nightly", "nightly-2")
    depot.asked("nightly", 2)
    assert depot.get("job", "nightly-2")["spec"]["suspend"] is True
    depot.approve("nightly", 2)
    depot.until("nightly-2", _is_complete, "the second run is complete", kind="job")


def test_an_unknown_owner_counts_as_its_direct_pods(depot: Depot, widget: Body) -> None:
    depot.gate()
    owner = {key: widget[key] for key in ("apiVersion", "kind")}
    owner |= {key: widget["metadata"][key] for key in ("name", "uid")} | {"controller": True}
    for number in range(2):
        depot.pod(f"part-{number}", labels={"app": "part"}, owners=[owner])
    asked = depot.asked("press")
    assert asked["spec"]["subject"]["kind"] == KIND
    assert asked["status"]["resolved"]["provision"]["pods"] == 2
    depot.approve("press")
    depot.until_runs("part", 2)
    depot.pod("part-2", labels={"app": "part"}, owners=[owner])
    more = depot.asked("press", 2)["status"]["resolved"]["provision"]
    assert (more["pods"], more["approvedPods"]) == (3, 2)
    assert len(depot.running("part")) == 2
    depot.approve("press", 2)
    depot.until_runs("part", 3)


def test_both_tracks_of_a_rollout_are_asked_about_and_its_deadline_does_not_run_meanwhile(depot: Depot) -> None:
    depot.gate()
    shop = Shop(depot.cluster, depot.namespace, depot.operator)
    template = shop.rollout_body()["spec"]["template"]
    _apply(shop, template, "1")
    first = depot.asked("web")
    assert first["spec"]["subject"]["kind"] == "Rollout"
    assert first["status"]["resolved"]["provision"]["pods"] >= 6  # five, and a canary of one beside them
    _outlasts(depot, 5)
    assert condition(shop.get("gro", "web"), "Stalled")[0] != "True"
    depot.approve("web")
    shop.until_healthy()

    _apply(shop, template, "2")
    wait_until(lambda: len(depot.held("web")) == 1, "the canary waits", PATIENCE)
    asked = depot.asked("web", 2)
    assert asked["status"]["resolved"]["provision"]["images"] == ["example.org/web:2"]
    _outlasts(depot, 1)
    held = shop.get("gro", "web")
    assert condition(held, "Stalled")[0] != "True"
    assert stands(held) != "Degraded"
    assert shop.sizes() == (5, 1)
    depot.approve("web", 2)
    shop.until_rollout(lambda body: stands(body) == "Healthy" and shop.image("stable") == "2", "all of it is new")
    assert len(depot.questions("web")) == 2  # what the canary was allowed, stable is too


def _apply(shop: Shop, template: Body, image: str) -> None:
    main = {**template["spec"]["containers"][0], "image": f"example.org/web:{image}", "resources": {"requests": DEAR}}
    shop.rollout(template={**template, "spec": {"containers": [main]}}, progressDeadlineSeconds=DEADLINE)


def _outlasts(depot: Depot, count: int) -> None:
    """Wait until so many pods have waited for longer than the Rollout's deadline."""
    until = time.monotonic() + DEADLINE + 3
    wait_until(lambda: time.monotonic() > until and len(depot.held("web")) == count, f"{count} pods wait", PATIENCE)


def _is_complete(job: Body) -> bool:
    return condition(job, "Complete")[0] == "True"
