"""What a Rollout made is changed through the Rollout: its children, and what looks like them. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from tests.wall.api import Call, path
from tests.wall.attempt import CHILDREN, PROVISION, SCHEMA, field_is, notes_of
from tests.wall.behind import (
    EDIT,
    FOREIGN,
    IMAGE,
    JSON_IMAGE,
    KEPT,
    ONLY_OPERATOR,
    OTHER,
    SIZE,
    TEMPLATE_OURS,
    delete,
    image_is,
    make,
    other,
    row,
    scaled,
    write,
)
from tests.wall.people import SHOP, Body
from tests.wall.places import GATED
from tests.wall.rollouts import (
    APPS,
    asked,
    canary,
    child,
    deployment,
    left_behind,
    marks,
    pod_template,
    replica_set,
    revision,
    stable,
    stands,
)
from tests.wall.scene import Scene, notes

BELONGS = "this belongs to Rollout "
GLASS_ROLLOUT = '); break-glass on a Deployment: annotation gatehold.dev/override="why" in the same write (takes verb override on rollouts with resourceName '
GLASS_GATE = "(takes verb override on gates with resourceName web)"
SCALE = ": scale that instead (kubectl scale gro/"
AWAY = " and goes away with it: delete the Rollout instead"

OTHERS = [
    *(write(f"the image of stable by {how}", "dora", IMAGE, EDIT, how=how) for how in ("merge", "strategic", "apply", "put")),
    write("the image of stable by JSON patch", "dora", JSON_IMAGE, GLASS_ROLLOUT, how="json"),
    *(write(f"the image of stable by {who}", who, IMAGE, BELONGS) for who in ("admin", "wild", "editor", "ada", "gitops", "kcm", "collector")),
    write("the image of stable by the Deployment controller", "deployments", IMAGE, EDIT, how="put"),
    write("the image of the canary", "dora", IMAGE, EDIT, target=canary()),
    write("the image of stable, behind a gate", "ada", IMAGE, GLASS_GATE, target=stable(GATED), before=stands(GATED)),
    write("a robot applies stable with force", "gitops", IMAGE, EDIT, how="apply"),
    *(write(f"replicas of {says} by the Deployment itself", "dora", SIZE, EDIT, target=target) for says, target in (("stable", stable()), ("the canary", canary()))),
    *(scaled(f"{says} scaled by {who}", who, SCALE, target=target) for who in ("dora", "hpa", "kcm", "admin", "wild") for says, target in (("stable", stable()), ("the canary", canary()))),
    write("paused", "dora", {"spec": {"paused": True}}, EDIT),
    write("another update strategy", "dora", {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}}, EDIT),
    write("restarted by kubectl rollout restart", "dora", {"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}, EDIT, how="strategic"),
    *(write(f"its labels are taken off{says}", "dora", {"metadata": {"labels": None}}, EDIT, sub=sub) for says, sub in (("", ""), (" through /status", "status"))),
    write("one label is taken off", "dora", {"metadata": {"labels": {"gatehold.dev/rollout": None}}}, EDIT),
    write("it is moved to another Rollout", "dora", {"metadata": {"labels": {"gatehold.dev/rollout": "another"}}}, EDIT),
    write("another template digest", "dora", notes({"gatehold.dev/template-digest": "sha256:2"}), EDIT),
    write("another template digest through /status", "dora", notes({"gatehold.dev/template-digest": "sha256:2"}), EDIT, sub="status"),
    write("readiness is made up", "dora", {"status": {"availableReplicas": 9, "readyReplicas": 9, "replicas": 9}}, EDIT, sub="status", target=canary()),
    write("disowned", "dora", {"metadata": {"ownerReferences": None}}, EDIT),
    write("adopted by somebody else", "dora", {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "x"}]}}, EDIT),
    write("pinned by a finalizer", "dora", {"metadata": {"finalizers": ["example.com/mine"]}}, EDIT),
    delete("stable is deleted", "dora", AWAY),
    delete("the canary is deleted", "ada", AWAY, target=canary()),
    delete("stable is deleted by a cluster admin", "admin", AWAY),
    row("all Deployments are deleted", "dora", lambda scene: Call(path(APPS, "deployments", SHOP), None, "delete", {"labelSelector": f"gatehold.dev/rollout={scene.name}"}), AWAY, target=stable()),
    write("the ReplicaSet's image", "dora", IMAGE, EDIT, target=replica_set()),
    write("the ReplicaSet's size", "dora", SIZE, EDIT, target=replica_set()),
    scaled("the ReplicaSet scaled", "dora", SCALE, target=replica_set()),
    write("the ReplicaSet's labels through /status", "dora", {"metadata": {"labels": None}}, EDIT, target=replica_set(), sub="status"),
    write("the ReplicaSet disowned", "dora", {"metadata": {"ownerReferences": None}}, EDIT, target=replica_set()),
    delete("the ReplicaSet is deleted", "dora", AWAY, target=replica_set()),
    delete("a kept template is deleted", "dora", AWAY, target=KEPT),
    write("a kept template is labelled otherwise", "dora", {"metadata": {"labels": {"gatehold.dev/rollout": None}}}, EDIT, target=KEPT),
    write("a kept template is changed", "dora", {"data": {"template": pod_template("evil:1")}}, "field is immutable", target=KEPT, policy=SCHEMA),
    write("a write that changes nothing", "dora", {}, how="put", leaves=image_is("web:1")),
    write("an annotation of another tool", "dora", notes({"example.com/x": "y"}), EDIT),
]  # fmt: skip


def with_pods(scene: Scene, **labels: str) -> Body:
    """A Deployment (or ReplicaSet) whose pods bear these labels."""
    body = deployment(f"{scene.name}-other")
    body["spec"]["template"]["metadata"]["labels"] |= labels
    return body


def service(scene: Scene, selector: Body | None = None, **labels: str) -> Body:
    meta = {"name": f"{scene.name}-service", "labels": labels}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": meta,
        "spec": {"ports": [{"port": 80}], "selector": selector or {"app": "web"}},
    }


FORGED = [
    make("a Deployment made as a child", "dora", lambda scene: child(scene.name, "canary", scene.uids["rollout"]), ONLY_OPERATOR, before=asked()),
    make("a Deployment made as a child by a cluster admin", "admin", lambda scene: child(scene.name, "stable", scene.uids["rollout"]), ONLY_OPERATOR, before=asked()),
    *(make(f"a Deployment whose pods bear {label}", "dora", lambda scene, label=label: with_pods(scene, **{label: "stable"}), TEMPLATE_OURS) for label in ("gatehold.dev/track", "gatehold.dev/rollout")),
    make("a ReplicaSet whose pods bear our labels", "dora", lambda scene: {**with_pods(scene, **marks("x", "stable")), "kind": "ReplicaSet"}, TEMPLATE_OURS, plural="replicasets"),
    make("a kept template made by hand", "dora", lambda scene: revision(scene.name, scene.uids["rollout"]), ONLY_OPERATOR, plural="controllerrevisions", before=asked()),
    make("a Service labelled as ours", "dora", lambda scene: service(scene, **marks("x", "stable")), ONLY_OPERATOR, plural="services", version="v1"),
    make("an ordinary Service", "dora", service, plural="services", version="v1", leaves=field_is("spec.selector.app", "web")),
    make("an ordinary Deployment", "dora", other, leaves=image_is("other:1")),
    write("an ordinary Deployment is labelled as ours", "dora", {"metadata": {"labels": marks("x", "stable")}}, ONLY_OPERATOR, target=FOREIGN, before=OTHER),
    write("an ordinary Deployment is labelled as ours through /status", "dora", {"metadata": {"labels": marks("x", "stable")}}, target=FOREIGN, before=OTHER, sub="status", leaves=lambda scene, after: not (after or {})["metadata"].get("labels")),
    write("the pods of an ordinary Deployment get our labels", "dora", {"spec": {"template": {"metadata": {"labels": marks("x", "stable")}}}}, TEMPLATE_OURS, target=FOREIGN, before=OTHER),
    scaled("an ordinary Deployment is scaled by an HPA", "hpa", target=FOREIGN, before=OTHER, leaves=field_is("spec.replicas", 5)),
]  # fmt: skip

CONTROLLERS = [
    write("the Deployment controller copies an annotation", "deployments", notes({"example.com/x": "y"}), how="put", leaves=lambda scene, after: notes_of(after)["example.com/x"] == "y"),
    write("the Deployment controller writes a status", "deployments", {"status": {"observedGeneration": 1}}, how="put", sub="status"),
    write("the Deployment controller sizes a ReplicaSet", "deployments", notes({"example.com/x": "y"}), how="put", target=replica_set(), leaves=lambda scene, after: notes_of(after)["example.com/x"] == "y"),
    write("the ReplicaSet controller writes a status", "replicasets", {"status": {"observedGeneration": 1}}, how="put", target=replica_set(), sub="status"),
    write("all controllers under one name size a ReplicaSet", "kcm", notes({"example.com/x": "y"}), target=replica_set(), leaves=lambda scene, after: notes_of(after)["example.com/x"] == "y"),
    write("the collector takes an owner off", "collector", {"metadata": {"ownerReferences": None}}, leaves=lambda scene, after: not (after or {})["metadata"].get("ownerReferences")),
    delete("the collector deletes stable", "collector"),
    delete("the namespace's end takes the canary along", "namespaces", target=canary()),
    write("the collector takes a label off", "collector", {"metadata": {"labels": {"gatehold.dev/rollout": None}}}, EDIT),
    write("the Deployment controller takes a label off", "deployments", {"metadata": {"labels": {"gatehold.dev/rollout": None}}}, EDIT, how="put"),
]  # fmt: skip


LEFT = [
    write("what is left behind gets another image", "dora", IMAGE, before=left_behind, leaves=image_is("evil:1")),
    write("what is left behind gets another size", "dora", SIZE, before=left_behind, leaves=field_is("spec.replicas", 5)),
    scaled("what is left behind is scaled through its scale", "dora", "where that Rollout is gone, set spec.replicas of the Deployment itself", before=left_behind),
    scaled("what is left behind is scaled by a holder of orphan", "lena", before=left_behind, leaves=field_is("spec.replicas", 5)),
    write("what is left behind is labelled as ours again", "dora", {"metadata": {"labels": marks("x", "stable")}}, ONLY_OPERATOR, before=left_behind),
    write("what is left behind is written by the operator", "operator", IMAGE, "denied request: ", before=left_behind, how="put", policy=f"{CHILDREN}|{PROVISION}"),
    delete("what is left behind is deleted", "dora", before=left_behind),
    delete("a template that is left behind is deleted", "dora", before=left_behind, target=KEPT),
]  # fmt: skip


CHILD_ROWS = [*OTHERS, *FORGED, *CONTROLLERS, *LEFT]
