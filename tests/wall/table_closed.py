"""What a namespace takes that takes only Rollouts, and Services where Rollouts are gated. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from typing import Any

from tests.wall.api import Call, path
from tests.wall.attempt import ONLY, SERVICES, Attempt, field_is
from tests.wall.people import GROUP, SHOP, Body
from tests.wall.places import GATED
from tests.wall.places import ONLY as CLOSED
from tests.wall.rollouts import APPS, at, by, child, deployment, pod_template, scale_of, stable, stands, wait
from tests.wall.scene import Scene, notes
from tests.wall.table_gates import CLOSE, NOTHING, place
from tests.wall.writes import write_on


def make(
    says: str,
    who: str,
    version: str,
    plural: str,
    kind: str,
    spec: Body,
    refused: str = "",
    *,
    namespace: str = CLOSED,
    owner: Body | None = None,
    policy: str = ONLY,
) -> Attempt:
    """A creation, with an owner where one is forged."""

    def call(scene: Scene) -> Call:
        meta: Body = {"name": f"{kind.lower()}-{scene.name}"}
        meta |= {"ownerReferences": [{"uid": "u", "name": "x", "controller": True, **owner}]} if owner else {}
        return Call(
            path(version, plural, namespace), {"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec}, "post"
        )

    def there(scene: Scene) -> str:
        return path(version, plural, namespace, f"{kind.lower()}-{scene.name}")

    return Attempt(
        f"only Rollouts: {says}" if policy == ONLY else says,
        by=who,
        do=call,
        refused=refused,
        policy=policy,
        ask=NOTHING,
        target=there,
    )


SELECTOR: Body = {"matchLabels": {"app": "web"}}
SET: Body = {"replicas": 0, "selector": SELECTOR, "template": pod_template()}
POD: Body = pod_template()["spec"]
TAKES = "namespace only takes Rollouts only (label gatehold.dev/only-rollouts), and no "
INSTEAD = " of their own: make a Rollout instead"
NEW = "what was there before may be scaled and deleted, but runs nothing new; make a Rollout instead"
TASK: Body = {"template": {"spec": {**POD, "restartPolicy": "Never"}}}
IMAGE: Body = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "evil:1"}]}}}}


def was_there(scene: Scene) -> None:
    """A Deployment and a bare pod of before, in a namespace that was closed then."""
    place()(scene)
    admin, where = scene.people["admin"], f"place-{scene.name}"
    wait(lambda: admin.get(path("v1", "serviceaccounts", where, "default")) is not None)
    admin.must(Call(path(APPS, "deployments", where), deployment(f"{scene.name}-there"), "post"))
    spec = {**POD, "schedulerName": "nobody"}  # or it would be given a node while it is looked at
    bare = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"{scene.name}-bare"}, "spec": spec}
    admin.must(Call(path("v1", "pods", where), bare, "post"))
    admin.must(Call(path("v1", "namespaces", None, where), CLOSE))
    wait(lambda: not admin.send(Call(path(APPS, "deployments", where), deployment("new"), "post"), dryRun="All").ok)


def old_deployment(scene: Scene) -> str:
    return path(APPS, "deployments", f"place-{scene.name}", f"{scene.name}-there")


def old_pod(scene: Scene) -> str:
    return path("v1", "pods", f"place-{scene.name}", f"{scene.name}-bare")


def on_old(
    says: str,
    who: str,
    body: Any,
    refused: str = "",
    *,
    plural: str = "deployments",
    how: str = "strategic",
    sub: str = "",
    **more: Any,
) -> Attempt:
    """A write on what was there before."""

    there = old_deployment if plural == "deployments" else old_pod
    return Attempt(
        f"only Rollouts: {says}",
        by=who,
        do=write_on(there, body, how, sub),
        refused=refused,
        policy=ONLY,
        ask=NOTHING,
        before=was_there,
        target=there,
        **more,
    )


CLOSED_ROWS = [
    *(make(f"a {kind} by {who}", who, version, plural, kind, spec, TAKES + plural + INSTEAD) for who in ("ada", "admin") for version, plural, kind, spec in (
        (APPS, "deployments", "Deployment", SET), (APPS, "replicasets", "ReplicaSet", SET), (APPS, "statefulsets", "StatefulSet", {**SET, "serviceName": "x"}),
        (APPS, "daemonsets", "DaemonSet", {"selector": SELECTOR, "template": pod_template()}), ("v1", "replicationcontrollers", "ReplicationController", {**SET, "selector": {"app": "web"}}), ("v1", "pods", "Pod", POD),
    )),
    make("a Deployment that says a Rollout owns it", "ada", APPS, "deployments", "Deployment", SET, TAKES + "deployments" + INSTEAD, owner={"apiVersion": GROUP, "kind": "Rollout"}),
    make("a ReplicaSet that says a Deployment owns it", "ada", APPS, "replicasets", "ReplicaSet", SET, TAKES + "replicasets" + INSTEAD, owner={"apiVersion": APPS, "kind": "Deployment"}),
    make("a pod that says a ReplicaSet owns it", "ada", "v1", "pods", "Pod", POD, TAKES + "pods" + INSTEAD, owner={"apiVersion": APPS, "kind": "ReplicaSet"}),
    make("a pod that says a Rollout owns it", "ada", "v1", "pods", "Pod", POD, TAKES + "pods" + INSTEAD, owner={"apiVersion": GROUP, "kind": "Rollout"}),
    make("a Deployment by a robot", "gitops", APPS, "deployments", "Deployment", SET, TAKES + "deployments" + INSTEAD),
    make("a Deployment of no Rollout by the operator", "operator", APPS, "deployments", "Deployment", SET, "the operator writes the Deployments and ControllerRevisions of Rollouts, and no others", policy="gatehold-children"),
    make("a Job", "ada", "batch/v1", "jobs", "Job", TASK),
    make("a CronJob", "ada", "batch/v1", "cronjobs", "CronJob", {"schedule": "* * * * *", "jobTemplate": {"spec": TASK}}),
    Attempt("only Rollouts: a Rollout's own pods", by="operator", do=lambda scene: Call(stable(CLOSED)(scene), child(scene.name, "stable", scene.uids["rollout"], image="web:2", replicas=2), "put"), ask=NOTHING, only="stopped", before=stands(CLOSED, replicas=1), target=stable(CLOSED), leaves=field_is("spec.replicas", 2)),
    on_old("what was there gets another image", "admin", IMAGE, NEW),
    on_old("what was there gets another image by apply", "admin", IMAGE, NEW, how="apply"),
    on_old("what was there is scaled", "admin", {"spec": {"replicas": 1}}, leaves=field_is("spec.replicas", 1)),
    Attempt("only Rollouts: what was there is scaled through its scale", by="hpa", do=write_on(scale_of(old_deployment), {"spec": {"replicas": 1}}, "put"), policy=ONLY, ask=NOTHING, before=was_there, target=old_deployment, leaves=field_is("spec.replicas", 1)),
    on_old("a pod that was there gets another image", "admin", IMAGE["spec"]["template"], NEW, plural="pods"),
    on_old("a pod that was there is annotated", "admin", notes({"example.com/x": "y"}), plural="pods", leaves=lambda scene, after: (after or {})["metadata"]["annotations"]["example.com/x"] == "y"),
]  # fmt: skip

PORTS: Body = {"ports": [{"port": 80}]}
SELECTS = "in this namespace Rollouts are gated, and no Service selects by gatehold.dev/track or gatehold.dev/rollout"
SERVICE = at("services", namespace=GATED, version="v1")


def serve(scene: Scene, namespace: str = GATED) -> Call:
    body = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": scene.name},
        "spec": {**PORTS, "selector": {"app": "web"}},
    }
    return Call(path("v1", "services", namespace), body, "post")


def selects(**labels: str) -> Body:
    return {**PORTS, "selector": {f"gatehold.dev/{key}": value for key, value in labels.items()} | {"app": "web"}}


def on_service(says: str, body: Body, refused: str = "", **more: Any) -> Attempt:
    return Attempt(
        f"a Service: {says}",
        by="ada",
        do=write_on(SERVICE, body),
        refused=refused,
        policy=SERVICES,
        ask=NOTHING,
        before=by("admin", serve),
        target=SERVICE,
        **more,
    )


SERVICE_ROWS = [
    make("a Service that picks the canary", "ada", "v1", "services", "Service", selects(track="canary"), SELECTS, namespace=GATED, policy=SERVICES),
    make("a Service that picks a Rollout by our label", "admin", "v1", "services", "Service", selects(rollout="web"), SELECTS, namespace=GATED, policy=SERVICES),
    make("a Service that picks by the Rollout's own labels", "ada", "v1", "services", "Service", selects(), namespace=GATED, policy=SERVICES),
    make("a Service that picks a track where nothing is gated", "ada", "v1", "services", "Service", selects(track="stable"), namespace=SHOP, policy=SERVICES),
    on_service("it turns to the canary", {"spec": {"selector": {"gatehold.dev/track": "canary"}}}, SELECTS),
    on_service("another port", {"spec": {"ports": [{"port": 81}]}}, leaves=lambda scene, after: (after or {})["spec"]["ports"][0]["port"] == 81),
]  # fmt: skip

ONLY_ROWS = [*CLOSED_ROWS, *SERVICE_ROWS]
