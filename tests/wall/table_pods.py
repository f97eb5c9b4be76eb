"""The pods of a Rollout stay its own, and nothing else bears our marks. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from typing import Any

from tests.wall.api import Call, path
from tests.wall.attempt import MARKS, PODS, Attempt, field_is, notes_of
from tests.wall.behind import make, other, row, write
from tests.wall.people import SHOP, Body
from tests.wall.rollouts import (
    APPS,
    at,
    by,
    canary,
    marks,
    pod,
    pod_template,
    stands,
)
from tests.wall.scene import Scene, notes
from tests.wall.writes import merged, write_on

RUNS = stands(replicas=1)
STAY = "the labels gatehold.dev/rollout, gatehold.dev/track and pod-template-hash of a pod are set by Rollout "
BARE: Body = {"apiVersion": "v1", "kind": "Pod", "spec": pod_template()["spec"]}


def on_pod(says: str, who: str, body: Any, refused: str = "", *, how: str = "merge", sub: str = "", **more: Any) -> Attempt:
    """A write on a running pod of stable. Its status moves, so only the metadata of interest is compared."""
    return row(says, who, write_on(pod(), body, how, sub), refused, target=pod(), before=RUNS, policy=PODS, **more)


def bare(scene: Scene, **labels: str) -> Body:
    return {**BARE, "metadata": {"name": scene.name, "labels": labels}}


def bound(scene: Scene, **labels: str) -> Body:
    return {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": f"{scene.name}-bare", "labels": labels},
        "target": {"kind": "Node", "name": "nowhere"},
    }


WAITS = by(
    "dora",
    lambda scene: Call(
        path("v1", "pods", SHOP),
        {**BARE, "metadata": {"name": f"{scene.name}-bare"}, "spec": {**BARE["spec"], "schedulerName": "nobody"}},
        "post",
    ),
)
PODS_ROWS = [
    *(on_pod(f"a pod loses {label}", "dora", {"metadata": {"labels": {label: None}}}, STAY) for label in ("gatehold.dev/rollout", "gatehold.dev/track", "pod-template-hash")),
    on_pod("a pod changes its track", "ada", {"metadata": {"labels": {"gatehold.dev/track": "canary"}}}, STAY),
    on_pod("a pod loses its labels, by a cluster admin through /status", "admin", {"metadata": {"labels": None}}, STAY, sub="status"),
    on_pod("a pod is taken from its ReplicaSet", "dora", {"metadata": {"ownerReferences": None}}, " stays in the hands of its ReplicaSet; delete the pod if it should go"),
    on_pod("a pod is given to another owner", "dora", {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "x", "controller": True}]}}, " stays in the hands of its ReplicaSet"),
    on_pod("a pod gets another image", "dora", {"spec": {"containers": [{"name": "main", "image": "evil:1"}]}}, "what this pod runs is changed through Rollout ", how="strategic"),
    on_pod("a pod is annotated", "dora", notes({"example.com/x": "y"}), leaves=lambda scene, after: notes_of(after)["example.com/x"] == "y"),
    row("a pod is deleted", "dora", lambda scene: Call(pod()(scene), None, "delete", {"gracePeriodSeconds": "0"}), target=canary(), before=RUNS),
    make("a pod labelled as ours", "dora", lambda scene: bare(scene, app="web", **marks("x", "stable")), "only the ReplicaSets of a Rollout make pods with label gatehold.dev/rollout", plural="pods", version="v1", policy=PODS),
    make("a pod labelled as ours, with an owner that is not", "dora", lambda scene: merged(bare(scene, **marks("x", "stable")), {"metadata": {"ownerReferences": [{"apiVersion": APPS, "kind": "ReplicaSet", "name": "x", "uid": "x", "controller": True}]}}), "only the ReplicaSets of a Rollout make pods", plural="pods", version="v1", policy=PODS),
    row("a pod is labelled as ours by its binding", "dora", lambda scene: Call(path("v1", "pods", SHOP, f"{scene.name}-bare", "binding"), bound(scene, **marks("x", "stable")), "post"), "only the ReplicaSets of a Rollout make pods", target=at("pods", "{name}-bare", version="v1"), before=WAITS, policy=PODS),
    row("a pod is labelled as ours by a bare binding", "dora", lambda scene: Call(path("v1", "bindings", SHOP), bound(scene, **{"gatehold.dev/rollout": "x"}), "post"), "only the ReplicaSets of a Rollout make pods", target=at("pods", "{name}-bare", version="v1"), before=WAITS, policy=PODS),
]  # fmt: skip

BEARS = "only what a Rollout made carries label gatehold.dev/track; leave it out"
TRACK = {"gatehold.dev/track": "stable"}


def config(scene: Scene, **labels: str) -> Body:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"{scene.name}-config", "labels": labels}}


CONFIG = by("dora", lambda scene: Call(path("v1", "configmaps", SHOP), config(scene), "post"))
MARKED = [
    make("a ConfigMap on a track", "dora", lambda scene: config(scene, **TRACK), BEARS, plural="configmaps", version="v1", policy=MARKS),
    make("a ConfigMap on a track by a cluster admin", "admin", lambda scene: config(scene, **TRACK), BEARS, plural="configmaps", version="v1", policy=MARKS),
    make("a StatefulSet on a track", "dora", lambda scene: {**other(scene), "kind": "StatefulSet", "metadata": {"name": f"{scene.name}-other", "labels": TRACK}, "spec": {**other(scene)["spec"], "serviceName": "x"}}, BEARS, plural="statefulsets", policy=MARKS),
    make("a pod on a track and of no Rollout", "dora", lambda scene: bare(scene, app="web", **TRACK), BEARS, plural="pods", version="v1", policy=MARKS),
    row("a pod is put on a track by its binding", "dora", lambda scene: Call(path("v1", "pods", SHOP, f"{scene.name}-bare", "binding"), bound(scene, **TRACK), "post"), BEARS, target=at("pods", "{name}-bare", version="v1"), before=WAITS, policy=MARKS),
    write("a ConfigMap is put on a track", "dora", {"metadata": {"labels": TRACK}}, BEARS, target=at("configmaps", "{name}-config", version="v1"), before=CONFIG, policy=MARKS),
    make("an ordinary ConfigMap", "dora", lambda scene: config(scene, app="web"), plural="configmaps", version="v1", leaves=field_is("metadata.labels.app", "web")),
]  # fmt: skip


POD_ROWS = [*PODS_ROWS, *MARKED]
