"""How rows on Argo Rollouts are written: a Rollout behind a gate as its controller would leave it, and a write on it.

The kind is a reduced one of ours: what the wall reads of it, and any other field. The real kind with its real controller
stands in tests/e2e/argo.
"""

import json
import time
from typing import Any

from controlplane import Cluster
from tests.wall.api import Api, Call, path
from tests.wall.attempt import ARGO, Attempt, Check
from tests.wall.people import RBAC, Body, bind, named, ref, role, subject
from tests.wall.rollouts import Before, Target, at, by
from tests.wall.scene import Ask, Scene
from tests.wall.writes import Do, joined, merged, write_on

ARGOPROJ = "argoproj.io/v1alpha1"
WAVES = "waves"
"""A namespace whose Argo Rollouts are behind gate tide. Namespace other is behind none."""
TIDE = "tide"
CONTROLLER = "system:serviceaccount:argo-rollouts:argo-rollouts"
NOTHING = Ask(state="nothing")
ALL = ["get", "list", "watch", "create", "patch", "update", "delete", "deletecollection"]
WORK: list[Body] = [
    {"apiGroups": ["argoproj.io"], "resources": ["rollouts", "rollouts/status", "rollouts/scale"], "verbs": ALL},
    {"apiGroups": ["argoproj.io"], "resources": ["analysisruns", "experiments"], "verbs": ALL},
    {"apiGroups": ["apps"], "resources": ["replicasets", "replicasets/status", "replicasets/scale"], "verbs": ALL},
    {"apiGroups": [""], "resources": ["services", "services/status"], "verbs": ALL},
]
"""What people there hold, the controller, and what a stolen token of the operator might wish for."""
ROBOTS: dict[str, Body] = {
    "argocd": {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    "pruner": {"apiGroups": ["gatehold.dev"], "resources": ["gates"], "resourceNames": [TIDE], "verbs": ["bind"]},
}
"""Service accounts (argocd of namespace argocd): a GitOps tool as it comes, and one that may bind the gate by its name."""

HASH, MANAGED = "rollouts-pod-template-hash", "argo-rollouts.argoproj.io/managed-by-rollouts"
TEMPLATE: Body = {"metadata": {"labels": {"app": "tide"}}, "spec": {"containers": [{"name": "main", "image": "tide:1"}]}}
STEPS: list[Body] = [{"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {"duration": 10}}]
PAUSED: Body = {
    "currentPodHash": "new", "currentStepHash": "steps", "currentStepIndex": 1, "stableRS": "old", "phase": "Paused",
    "observedGeneration": "1", "controllerPause": True,
    "pauseConditions": [{"reason": "CanaryPauseStep", "startTime": "2026-01-01T00:00:00Z"}],
}  # fmt: skip
"""What the controller writes at the pause of a canary."""
ROLLOUT = at("rollouts", namespace=WAVES, version=ARGOPROJ)
ELSEWHERE = at("rollouts", namespace="other", version=ARGOPROJ)


def install_kind(cluster: Cluster) -> None:
    """The reduced kinds, with the subresources that the real ones have: of runs the status is a field like any other."""
    scale = {"specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.HPAReplicas"}
    for kind, subresources in (("Rollout", {"status": {}, "scale": scale}), ("AnalysisRun", {}), ("Experiment", {})):
        cluster.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(_kind(kind, subresources)))


def _kind(kind: str, subresources: Body) -> Body:
    free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": free, "status": free}}
    version = {"name": "v1alpha1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    names = {"kind": kind, "plural": f"{kind.lower()}s", "singular": kind.lower(), "shortNames": ["ro"][kind != "Rollout" :]}
    versions = [{**version, "subresources": subresources}]
    spec = {"group": "argoproj.io", "scope": "Namespaced", "names": names, "versions": versions}
    crd = named("apiextensions.k8s.io/v1", "CustomResourceDefinition", f"{kind.lower()}s.argoproj.io")
    return {**crd, "spec": spec}


def settle_argo(cluster: Cluster, people: dict[str, Api]) -> None:
    """The namespace behind the gate, who works there, and Argo's controller with and without its pod."""
    admin = people["admin"]
    for name, labels in ((WAVES, {"gatehold.dev/argo-rollouts": TIDE}), ("argo-rollouts", {})):
        admin.must(
            Call(path("v1", "namespaces"), joined(named("v1", "Namespace", name), {"metadata": {"labels": labels}}), "post")
        )
    people["argo"] = admin.with_token(cluster.mint_pod_bound_token("argo-rollouts", "argo-rollouts", seconds=7200).token)
    people["unbound"] = Api.of(cluster.user(CONTROLLER))
    for name, rule in ROBOTS.items():
        people[name] = Api.of(cluster.user(robot(name)))
        admin.must(Call(path(RBAC, "clusterroles"), {**named(RBAC, "ClusterRole", name), "rules": [rule]}, "post"))
        whom = {"roleRef": ref("ClusterRole", name), "subjects": [subject(robot(name))]}
        admin.must(Call(path(RBAC, "clusterrolebindings"), {**named(RBAC, "ClusterRoleBinding", name), **whom}, "post"))
    for namespace in (WAVES, "other"):
        role(admin, namespace, "waves", WORK, ["dora", "dana", "gitops", CONTROLLER, *map(robot, ROBOTS)], operator=True)
    controllers = [subject(f"system:serviceaccount:kube-system:{name}") for name in ("namespace-controller",)]
    controllers += [subject("system:kube-controller-manager")]
    bind(admin, WAVES, "waves-controllers", ref("Role", "waves"), [*controllers, subject("binder")])
    for name, verb, holders in (("overrides-tide", "override", ["dana", "gitops"]), ("binds-tide", "bind", ["binder"])):
        rule = {"apiGroups": ["gatehold.dev"], "resources": ["gates"], "resourceNames": [TIDE], "verbs": [verb]}
        admin.must(Call(path(RBAC, "clusterroles"), {**named(RBAC, "ClusterRole", name), "rules": [rule]}, "post"))
        binding = {"roleRef": ref("ClusterRole", name), "subjects": [subject(holder) for holder in holders]}
        admin.must(Call(path(RBAC, "clusterrolebindings"), {**named(RBAC, "ClusterRoleBinding", name), **binding}, "post"))
    wait_served(people)


def robot(name: str) -> str:
    """The user name of one of the robots."""
    return f"system:serviceaccount:{name}:{name}"


def wait_served(people: dict[str, Api], seconds: float = 60) -> None:
    """A new kind is served a moment after it was made."""
    end = time.monotonic() + seconds
    for kind in ("rollouts", "analysisruns", "experiments"):
        while not people["admin"].send(Call(path(ARGOPROJ, kind, WAVES), how="get")).ok:
            assert time.monotonic() < end, f"the reduced kind {kind} is not served"
            time.sleep(0.1)


# ---- what there is


def canary(*steps: Body, **more: Any) -> Body:
    return {"strategy": {"canary": {"steps": list(steps or STEPS), **more}}}


def blue_green(**more: Any) -> Body:
    strategy = {"activeService": "active", "previewService": "preview", "autoPromotionEnabled": False, **more}
    return {"strategy": {"blueGreen": {key: value for key, value in strategy.items() if value is not None}}}


def rollout(scene: Scene, spec: Body | None = None) -> Body:
    base = {"replicas": 3, "selector": {"matchLabels": {"app": "tide"}}, "template": TEMPLATE}
    full = {key: value for key, value in {**base, **(spec or canary())}.items() if value is not None}
    return {**named(ARGOPROJ, "Rollout", scene.name), "spec": full}


def stands(spec: Body | None = None, status: Body | None = None, *, place: str = WAVES) -> Before:
    """A Rollout of dora's; its controller has written its status. `spec` that no wall would let in is there from before."""

    def make(scene: Scene) -> None:
        where = path(ARGOPROJ, "rollouts", place)
        scene.people["dora"].must(Call(where, rollout(scene, spec), "post"))
        scene.people["argo"].must(Call(f"{where}/{scene.name}/status", {"status": PAUSED if status is None else status}))

    return make


def from_before(spec: Body) -> Before:
    """A Rollout that was there before its namespace was put behind a gate, as its controller may have written it."""
    return by("argo", lambda scene: Call(path(ARGOPROJ, "rollouts", WAVES), rollout(scene, spec), "post"))


def replica_set(scene: Scene, *changes: Body) -> Body:
    """A ReplicaSet as Argo's controller makes it."""
    labels = {"app": "tide", HASH: "old"}
    owner = {"apiVersion": ARGOPROJ, "kind": "Rollout", "name": scene.name, "uid": scene.uids.get("rollout", "u")}
    meta = {"name": f"{scene.name}-old", "labels": labels, "finalizers": ["example.com/kept"]}
    template = joined(TEMPLATE, {"metadata": {"labels": labels}})
    body: Body = {
        **named("apps/v1", "ReplicaSet", ""),
        "metadata": {**meta, "ownerReferences": [{**owner, "controller": True}]},
    }
    body["spec"] = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    for change in changes:
        body = merged(body, change)
    return body


def owned_set(scene: Scene) -> None:
    """A Rollout with its stable ReplicaSet."""
    stands()(scene)
    scene.uids["rollout"] = (scene.people["admin"].get(ROLLOUT(scene)) or {})["metadata"]["uid"]
    scene.people["argo"].must(Call(path("apps/v1", "replicasets", WAVES), replica_set(scene), "post"))


def own_set(scene: Scene) -> None:
    """A ReplicaSet of dora's own, with nothing of Argo's."""
    labels: Body = {"app": "own"}
    template = joined(TEMPLATE, {"metadata": {"labels": labels}})
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    body = {**named("apps/v1", "ReplicaSet", f"{scene.name}-old"), "spec": spec}
    scene.people["dora"].must(Call(path("apps/v1", "replicasets", WAVES), body, "post"))


def run(scene: Scene, kind: str = "AnalysisRun", *, owner: str | None = "Rollout") -> Body:
    """An analysis run or experiment that found out nothing, as Argo's controller makes it; `owner` None: anybody's own."""
    body: Body = {**named(ARGOPROJ, kind, scene.name), "spec": {"metrics": [{"name": "v"}]}}
    uid = scene.uids.get("rollout", f"uid-{scene.name}")
    owners = [{"apiVersion": ARGOPROJ, "kind": owner, "name": scene.name, "uid": uid, "controller": True}]
    body = body if owner is None else joined(body, {"metadata": {"ownerReferences": owners}})
    return {**body, "status": {"phase": "Inconclusive"}}


def has_owner(owner: str = "Rollout") -> Before:
    """What a run can belong to is there, or the collector would take the run away."""

    def make(scene: Scene) -> None:
        made = rollout(scene) if owner == "Rollout" else run(scene, owner, owner=None)
        whole = scene.people["argo"].must(Call(path(ARGOPROJ, f"{owner.lower()}s", WAVES), made, "post"))
        scene.uids["rollout"] = whole["metadata"]["uid"]

    return make


def has_run(kind: str = "AnalysisRun", owner: str | None = "Rollout") -> Before:
    """Argo's controller has made it, and says how it went."""

    def make(scene: Scene) -> None:
        if owner is not None:
            has_owner(owner)(scene)
        scene.people["argo"].must(Call(path(ARGOPROJ, f"{kind.lower()}s", WAVES), run(scene, kind, owner=owner), "post"))

    return make


SET = at("replicasets", "{name}-old", namespace=WAVES)
RUN, EXPERIMENT = (at(kind, namespace=WAVES, version=ARGOPROJ) for kind in ("analysisruns", "experiments"))
SERVICE = at("services", namespace=WAVES, version="v1")


def service(scene: Scene, *, marked: bool = False, mark: str = "old") -> Body:
    body = {**named("v1", "Service", scene.name), "spec": {"selector": {"app": "tide"}, "ports": [{"port": 80}]}}
    marks = {"metadata": {"annotations": {MANAGED: "web"}}, "spec": {"selector": {HASH: mark}}}
    return joined(body, marks) if marked else body


def has_service(scene: Scene) -> None:
    """A Service of dora's that the controller has marked."""
    scene.people["dora"].must(Call(path("v1", "services", WAVES), service(scene), "post"))
    scene.people["argo"].must(Call(SERVICE(scene), service(scene, marked=True)))


# ---- rows


def on_rollout(
    says: str, who: str, body: Any, refused: str = "", *, how: str = "merge", sub: str = "", **more: Any
) -> Attempt:
    """A write on a Rollout that is paused, unless it is said. Stamping has no part in it: each row is tried once."""
    more = {"policy": ARGO, "only": "once stopped", "target": ROLLOUT, "before": stands(), **more}
    do = write_on(more["target"], body, how, sub)
    return Attempt(f"an Argo Rollout: {says}", by=who, do=do, refused=refused, ask=NOTHING, **more)


def on_status(says: str, who: str, status: Any, refused: str = "", **more: Any) -> Attempt:
    body = {"status": status} if isinstance(status, dict) else status
    return on_rollout(says, who, body, refused, sub="status", **more)


def new_rollout(says: str, who: str, spec: Body, refused: str = "", **more: Any) -> Attempt:
    do: Do = lambda scene: Call(path(ARGOPROJ, "rollouts", WAVES), rollout(scene, spec), "post")  # noqa: E731
    more = {"policy": ARGO, "only": "once stopped", "target": ROLLOUT, "leaves": spec_is(spec), **more}
    return Attempt(f"a new Argo Rollout: {says}", by=who, do=do, refused=refused, ask=NOTHING, **more)


def removed(target: Target, how: str = "Background") -> Do:
    return lambda scene: Call(target(scene), None, "delete", {"propagationPolicy": how})


def spec_is(wanted: Body) -> Check:
    """These members of spec stand afterwards."""
    return lambda scene, after: all((after or {})["spec"].get(key) == value for key, value in wanted.items())


def status_is(**wanted: Any) -> Check:
    """These members of status stand afterwards (None: absent)."""
    return lambda scene, after: all((after or {})["status"].get(key) == value for key, value in wanted.items())
