"""On a real API server: a template as it is stored and a pod as it is created from it have one digest."""

from collections.abc import Iterator
from typing import Any

import pytest

from controlplane import Cluster, wait_until
from gatehold.api import gated, workloads
from gatehold.api.pod_digest import digest, normalised
from tests.wall.api import Api, Call, path

Body = dict[str, Any]
SPACE = "digests"


@pytest.fixture(scope="module")
def api(bare_cluster: Cluster) -> Iterator[Api]:
    """A namespace whose pods nobody schedules: nothing here has to run."""
    api = Api.of(bare_cluster.admin_kubeconfig)
    api.must(Call(path("v1", "namespaces"), {"metadata": {"name": SPACE}}, "post"))
    wait_until(lambda: api.send(Call(path("v1", "serviceaccounts", SPACE, "default"), how="get")).ok, "its account", 60)
    for name, value, usual in (("ordinary", 10, True), ("digest-class", 1000, False)):
        body = {"metadata": {"name": name}, "value": value, "globalDefault": usual, "description": "of a test"}
        api.must(Call(path("scheduling.k8s.io/v1", "priorityclasses"), body, "post"))
    sandbox = {"metadata": {"name": "sandbox"}, "handler": "sandbox", "overhead": {"podFixed": {"cpu": "250m"}}}
    api.must(Call(path("node.k8s.io/v1", "runtimeclasses"), sandbox, "post"))
    # admission goes by a cache, which hears of classes a moment later
    wait_until(lambda: api.send(tried(RICH), dryRun="All").ok, "the class of a pod", 60)
    wait_until(lambda: filled_in(api, PLAIN).get("priorityClassName") == "ordinary", "the usual class", 60)
    yield api
    for group, plural, name in (
        ("scheduling.k8s.io/v1", "priorityclasses", "ordinary"),
        ("scheduling.k8s.io/v1", "priorityclasses", "digest-class"),
        ("node.k8s.io/v1", "runtimeclasses", "sandbox"),
    ):
        api.must(Call(path(group, plural, "", name), how="delete"))
    api.must(Call(path("v1", "namespaces", "", SPACE), how="delete"))


PROBE: Body = {"httpGet": {"port": 80}}
RICH: Body = {
    "terminationGracePeriodSeconds": 0,
    "priorityClassName": "digest-class",
    "hostNetwork": True,
    "nodeSelector": {"pool": "gpu"},
    "tolerations": [{"key": "gpu", "operator": "Exists"}],
    "topologySpreadConstraints": [
        {
            "maxSkew": 1,
            "topologyKey": "zone",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {"a": "b"}},
        }
    ],
    "initContainers": [
        {"name": "sidecar", "image": "example.org/s", "restartPolicy": "Always", "resources": {"limits": {"cpu": "0.5"}}}
    ],
    "containers": [
        {
            "name": "main",
            "image": "example.org/main:latest",
            "ports": [{"containerPort": 8080}],
            "env": [
                {"name": "EMPTY"},
                {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
                {"name": "CPU", "valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
            ],
            "resources": {"limits": {"cpu": "2", "memory": "1.5Gi", "example.org/gpu": 1}, "requests": {"cpu": "1000m"}},
            "livenessProbe": PROBE,
            "readinessProbe": {"grpc": {"port": 1}},
            "lifecycle": {"preStop": {"httpGet": {"port": 80}}},
            "securityContext": {"allowPrivilegeEscalation": False},
            "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}, {"name": "all", "mountPath": "/all"}],
        },
        {"name": "plain", "image": "example.org/plain@sha256:" + "a" * 64},
    ],
    "volumes": [
        {"name": "scratch", "emptyDir": {"sizeLimit": "0.5Gi"}},
        {"name": "all", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}, {"configMap": {"name": "m"}}]}},
        {"name": "maps", "configMap": {"name": "m"}},
        {"name": "secrets", "secret": {"secretName": "s"}},
        {"name": "down", "downwardAPI": {"items": [{"path": "p", "fieldRef": {"fieldPath": "metadata.name"}}]}},
        {"name": "host", "hostPath": {"path": "/x"}},
        {
            "name": "own",
            "ephemeral": {
                "volumeClaimTemplate": {
                    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}}
                }
            },
        },
    ],
}
PLAIN: Body = {"containers": [{"name": "c", "image": "example.org/web:1"}]}
SANDBOXED = {**PLAIN, "runtimeClassName": "sandbox"}
LIMITED = {
    "resources": {"limits": {"cpu": "2", "memory": "1Gi"}},
    "containers": [
        {"name": "c", "image": "example.org/web:1", "resources": {"requests": {"cpu": "100m"}}},
        {"name": "d", "image": "example.org/web:1", "resources": {"limits": {"cpu": "500m"}}},
    ],
}
CLAIMS = [
    {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    }
]


def of_kind(kind: str, name: str, template: Body, **spec: Any) -> Body:
    """A whole owner. A CronJob gets one that runs every minute, so that one of its Jobs is there soon."""
    labels = {"app": name}
    full = {"metadata": {"labels": labels}, "spec": template}
    meta = {"name": name, "namespace": SPACE}
    if kind in ("Job", "CronJob"):
        job = {"template": {"spec": {"restartPolicy": "Never", **template}}, **spec}
        body = {"schedule": "* * * * *", "jobTemplate": {"spec": job}} if kind == "CronJob" else job
        return {"apiVersion": "batch/v1", "kind": kind, "metadata": meta, "spec": body}
    if kind == "ReplicationController":
        return {"apiVersion": "v1", "kind": kind, "metadata": meta, "spec": {"selector": labels, "template": full}}
    body = {"selector": {"matchLabels": labels}, "template": full, **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": meta, "spec": body}


PLURALS = {
    "Deployment": "deployments",
    "ReplicaSet": "replicasets",
    "StatefulSet": "statefulsets",
    "ReplicationController": "replicationcontrollers",
    "Job": "jobs",
    "CronJob": "cronjobs",
}
OWNERS: dict[str, Body] = {
    "a Deployment": of_kind("Deployment", "plain", PLAIN),
    "a Deployment with everything": of_kind("Deployment", "rich", RICH),
    "a Deployment of a runtime class": of_kind("Deployment", "sandboxed", SANDBOXED),
    "a ReplicaSet": of_kind("ReplicaSet", "set", RICH),
    "a StatefulSet with claims": of_kind(
        "StatefulSet",
        "db-7",
        PLAIN,
        replicas=2,
        serviceName="db",
        volumeClaimTemplates=CLAIMS,
        podManagementPolicy="Parallel",
    ),
    "a StatefulSet with everything": of_kind("StatefulSet", "rich-db", RICH, serviceName="db", volumeClaimTemplates=CLAIMS),
    "a controller of replicas": of_kind("ReplicationController", "old", RICH),
    "a Job": of_kind("Job", "once", RICH),
    "an indexed Job": of_kind("Job", "indexed", RICH, completionMode="Indexed", completions=3, parallelism=2),
}


def pods_of(api: Api, uid: str) -> list[Body]:
    """The pods that this object, or one that it controls, controls."""
    owned = {uid}
    for group, plural in (("apps/v1", "replicasets"), ("batch/v1", "jobs")):
        owned |= {body["metadata"]["uid"] for body in listed(api, group, plural) if owners(body) & owned}
    return [body for body in listed(api, "v1", "pods") if owners(body) & owned]


def tried(spec: Body) -> Call:
    """A pod to be created dry."""
    return Call(path("v1", "pods", SPACE), {"metadata": {"name": "tried"}, "spec": spec}, "post")


def filled_in(api: Api, spec: Body) -> Body:
    """The spec of such a pod as the API server would store it now."""
    found: Body = api.must(tried(spec), dryRun="All")["spec"]
    return found


def owners(body: Body) -> set[str]:
    return {ref["uid"] for ref in body["metadata"].get("ownerReferences", ())}


def listed(api: Api, group: str, plural: str) -> list[Body]:
    found: list[Body] = api.must(Call(path(group, plural, SPACE), how="get"))["items"]
    return found


def made(api: Api, body: Body, pods: int = 1, seconds: float = 90) -> tuple[Body, list[Body]]:
    """The owner as the API server stored it, and as many of its pods as asked for."""
    kind = body["kind"]
    stored = api.must(Call(path(body["apiVersion"], PLURALS[kind], SPACE), body, "post"))
    uid = stored["metadata"]["uid"]
    wait_until(lambda: len(pods_of(api, uid)) >= pods, f"pods of {kind} {stored['metadata']['name']}", seconds)
    return stored | {"kind": kind, "apiVersion": body["apiVersion"]}, pods_of(api, uid)


@pytest.mark.parametrize("body", OWNERS.values(), ids=OWNERS)
def test_pods_have_the_digest_of_the_template_of(body: Body, api: Api) -> None:
    wanted = max(body["spec"].get("replicas", 1), body["spec"].get("parallelism", 1))
    stored, pods = made(api, body, wanted)

    assert {gated.pod(pod).digest for pod in pods} == {workloads.owner(stored).digest}


def test_a_job_of_a_cron_job_and_its_pods_have_the_digest_of_its_template(api: Api) -> None:
    stored, pods = made(api, of_kind("CronJob", "nightly", RICH), seconds=180)
    jobs = [body for body in listed(api, "batch/v1", "jobs") if owners(body) == {stored["metadata"]["uid"]}]

    assert jobs
    assert {gated.job(job).digest for job in jobs} == {workloads.owner(stored).digest}
    assert {gated.pod(pod).digest for pod in pods} == {workloads.owner(stored).digest}


@pytest.mark.since(1, 34)
def test_what_a_pod_as_a_whole_requests_follows_from_its_template(api: Api) -> None:
    stored, pods = made(api, of_kind("Deployment", "whole", LIMITED))

    assert "requests" in pods[0]["spec"]["resources"]
    assert "requests" not in stored["spec"]["template"]["spec"]["resources"]
    assert gated.pod(pods[0]).digest == workloads.owner(stored).digest


def test_a_rollouts_template_is_as_nobody_filled_it_in(api: Api) -> None:
    _, pods = made(api, of_kind("Deployment", "child", RICH))

    assert normalised(pods[0]["spec"]) == normalised(RICH)
    assert gated.pod(pods[0]).digest == digest(RICH)


def test_a_bare_pod_is_its_own_template(api: Api) -> None:
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bare"}, "spec": RICH}
    stored = api.must(Call(path("v1", "pods", SPACE), body, "post"))

    assert gated.pod(stored).digest == workloads.owner(stored).digest == digest(RICH)


def test_a_limit_range_makes_other_pods_of_a_template(api: Api) -> None:
    limits = {"limits": [{"type": "Container", "defaultRequest": {"cpu": "4"}}]}
    place = path("v1", "limitranges", SPACE)
    api.must(Call(place, {"metadata": {"name": "dear"}, "spec": limits}, "post"))
    try:
        wait_until(lambda: "requests" in filled_in(api, PLAIN)["containers"][0]["resources"], "the limits in force", 60)
        stored, pods = made(api, of_kind("Deployment", "ranged", PLAIN))
    finally:
        api.must(Call(path("v1", "limitranges", SPACE, "dear"), how="delete"))

    assert gated.pod(pods[0]).digest != workloads.owner(stored).digest
