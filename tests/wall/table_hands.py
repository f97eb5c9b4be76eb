"""The operator's own hand on children ends at its children, and break-glass is signed. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from collections.abc import Callable
from typing import Any

from tests.wall.api import Call
from tests.wall.attempt import CHILDREN, OPERATOR, PROVISION, RBAC, Check, field_is, notes_of
from tests.wall.behind import (
    BROKEN,
    EDIT,
    FOREIGN,
    IMAGE,
    KEPT,
    OTHER,
    OVERRIDE,
    OWN,
    SIZE,
    STANDS,
    WHY,
    delete,
    image_is,
    make,
    other,
    row,
    scaled,
    write,
)
from tests.wall.people import SYSTEM, Body
from tests.wall.places import GATED
from tests.wall.rollouts import (
    APPS,
    asked,
    by,
    canary,
    child,
    freed,
    marks,
    owned_by,
    pod_template,
    replica_set,
    revision,
    stable,
    stands,
    then,
)
from tests.wall.scene import Scene, notes
from tests.wall.writes import Do, joined, merged, write_on


def put_child(track: str = "stable", **changes: Any) -> Do:
    """The operator's write of a whole child."""

    def call(scene: Scene) -> Call:
        body = merged(child(scene.name, track, scene.uids["rollout"]), changes)
        return Call(stable()(scene) if track == "stable" else canary()(scene), body, "put")

    return call


def new_child(track: str = "stable", **changes: Any) -> Callable[[Scene], Body]:
    return lambda scene: merged(child(scene.name, track, scene.uids["rollout"]), changes)


CALLED = (
    "a child is called ROLLOUT-stable or ROLLOUT-canary and selects its pods by gatehold.dev/rollout and gatehold.dev/track"
)
CONTROLLED = "a child is controlled by its Rollout, by the same one as before"
KEEPS = "the operator keeps a template under the name of its Rollout, and never changes one"
SYSTEM_PLACES = "the operator makes no Deployment in the cluster's own namespaces"
NEVER_ON = "the operator takes gatehold.dev/override off, and never puts it on"


def loose(scene: Scene) -> Body:
    """The stable child set free, and changed by the way."""
    return merged(freed(scene), IMAGE)


def loose_canary(scene: Scene) -> Body:
    found = scene.people["admin"].get(canary()(scene)) or {}
    meta = {key: found["metadata"][key] for key in ("name", "namespace", "uid")}
    return {"apiVersion": APPS, "kind": "Deployment", "metadata": meta, "spec": found["spec"]}


OPERATOR_HAND = [
    make("the operator makes stable", "operator", new_child(), before=asked(), leaves=image_is("web:1")),
    make("the operator makes the canary, behind a gate", "operator", new_child("canary"), namespace=GATED, before=asked(GATED), leaves=image_is("web:1")),
    row("the operator writes stable whole", "operator", put_child(**IMAGE), target=stable(), leaves=image_is("evil:1")),
    row("the operator writes stable after its owner was taken off", "operator", put_child(**IMAGE), target=stable(), before=then(STANDS, by("collector", write_on(stable(), {"metadata": {"ownerReferences": None}}))), leaves=image_is("evil:1")),
    delete("the operator deletes the canary", "operator", target=canary()),
    delete("the operator drops a template", "operator", target=KEPT),
    row("the operator sets stable free", "operator", lambda scene: Call(stable()(scene), merged(freed(scene), {"spec": {"progressDeadlineSeconds": 601}}), "put"), target=stable(), leaves=lambda scene, after: not (after or {})["metadata"].get("labels")),
    row("the operator ends an override", "operator", put_child(), target=stable(), before=then(STANDS, BROKEN), leaves=lambda scene, after: "gatehold.dev/override" not in notes_of(after)),
    row("the operator sets stable free and changes it", "operator", lambda scene: Call(stable()(scene), loose(scene), "put"), CALLED, target=stable()),
    row("the operator sets the canary free", "operator", lambda scene: Call(canary()(scene), loose_canary(scene), "put"), CALLED, target=canary()),
    *(
        row(f"a stolen operator {says} an ordinary Deployment", "operator", do, "denied request: ", target=FOREIGN, before=OTHER, policy=f"{CHILDREN}|{PROVISION}")
        for says, do in {
            "changes": write_on(FOREIGN, IMAGE, "put"),
            "deletes": lambda scene: Call(FOREIGN(scene), None, "delete"),
            "takes over": write_on(FOREIGN, {"metadata": {"labels": marks("x", "stable")}}, "put"),
        }.items()
    ),
    make("a stolen operator makes an ordinary Deployment", "operator", other, OWN),
    make("a stolen operator makes a child of another name", "operator", new_child(metadata={"name": "evil"}), CALLED, before=asked()),
    make("a stolen operator makes a third child", "operator", lambda scene: merged(child(scene.name, "other", scene.uids["rollout"]), {}), CALLED, before=asked()),
    make("a stolen operator makes a child whose scale could not be guarded", "operator", lambda scene: _unchosen(scene), CALLED, before=asked()),
    make("a stolen operator makes a child that no Rollout owns", "operator", new_child(metadata={"ownerReferences": None}), CONTROLLED, before=asked()),
    make("a stolen operator makes a child of another Rollout's name", "operator", lambda scene: merged(child(scene.name, "stable", "u"), {"metadata": {"ownerReferences": owned_by("another", "u")}}), CONTROLLED, before=asked()),
    make("a stolen operator makes a child owned by something else", "operator", lambda scene: merged(child(scene.name, "stable", "u"), {"metadata": {"ownerReferences": owned_by(scene.name, "u", apiVersion="example.com/v1")}}), CONTROLLED, before=asked()),
    row("a stolen operator gives a child to another Rollout", "operator", lambda scene: Call(stable()(scene), merged(child(scene.name, "stable", "u"), {"metadata": {"ownerReferences": owned_by(scene.name, "another-uid")}}), "put"), CONTROLLED, target=stable()),
    row("a stolen operator moves a child to the other track", "operator", write_on(stable(), {"metadata": {"labels": {"gatehold.dev/track": "canary"}}}, "put"), CALLED, target=stable()),
    row("a stolen operator overrides", "operator", put_child(metadata=notes({"gatehold.dev/override": WHY})["metadata"]), NEVER_ON, target=stable()),
    row("a stolen operator overrides in a person's name", "operator", put_child(metadata=notes({"gatehold.dev/override-by": "oona"})["metadata"]), NEVER_ON, target=stable()),
    make("a stolen operator makes a child in kube-system", "operator", lambda scene: child(scene.name, "stable", "u"), SYSTEM_PLACES, namespace="kube-system"),
    make("a stolen operator makes a child in its own namespace", "operator", lambda scene: child(scene.name, "stable", "u"), "denied request: ", namespace=SYSTEM, policy=f"{CHILDREN}|{OPERATOR}"),
    make("a stolen operator keeps a template under another name", "operator", lambda scene: merged(revision(scene.name, scene.uids["rollout"]), {"metadata": {"name": "evil"}}), KEEPS, plural="controllerrevisions", before=asked()),
    make("a stolen operator keeps a template that no Rollout owns", "operator", lambda scene: merged(revision(scene.name, "u"), {"metadata": {"ownerReferences": None}}), CONTROLLED, plural="controllerrevisions", before=asked()),
    make("a stolen operator makes an ordinary ControllerRevision", "operator", lambda scene: merged(revision(scene.name, "u"), {"metadata": {"labels": None}}), OWN, plural="controllerrevisions", before=asked()),
    scaled("a stolen operator scales a child", "operator", 'cannot update resource "deployments/scale"', policy=RBAC),
    make("a stolen operator makes a pod", "operator", lambda scene: {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": scene.name}, "spec": pod_template()["spec"]}, 'cannot create resource "pods"', plural="pods", version="v1", policy=RBAC),
]  # fmt: skip


def _unchosen(scene: Scene) -> Body:
    body = child(scene.name, "stable", scene.uids["rollout"])
    del body["spec"]["selector"]["matchLabels"]["gatehold.dev/track"]
    return body


def broken_by(who: str) -> Check:
    """Changed, with the reason, and where stamping is installed with the name."""

    def check(scene: Scene, after: Body | None) -> bool:
        found = notes_of(after)
        rightly = found.get("gatehold.dev/override-by") == (who if scene.stamped else None)
        return rightly and found.get("gatehold.dev/override") == WHY and image_is("evil:1")(scene, after)

    return check


READABLE = "an override needs a readable reason: 8 letters or digits at least, 1024 characters at most"
WHOSE = "an override changes what runs, not whose it is; leave the gatehold.dev labels and annotations and the ownerReferences as they are"
BY = "annotation gatehold.dev/override-by is the user name of whoever overrides: remove it, or set it to "
TWICE = by("oona", write_on(stable(), joined(OVERRIDE, notes({"gatehold.dev/override-by": "oona"}))))

BREAK_GLASS = [
    *(write(f"a holder of override changes stable by {how}", "oona", OVERRIDE, how=how, leaves=broken_by("oona")) for how in ("merge", "strategic", "apply", "put")),
    write("a holder of override scales stable by hand", "oona", joined(SIZE, notes({"gatehold.dev/override": WHY})), leaves=field_is("spec.replicas", 5)),
    write("a holder of override on the gate changes the canary", "dana", OVERRIDE, target=canary(GATED), before=stands(GATED), leaves=broken_by("dana")),
    write("a second change, with a reason of its own", "oona", joined(SIZE, notes({"gatehold.dev/override": WHY + " again"})), before=then(STANDS, BROKEN), leaves=field_is("spec.replicas", 5)),
    write("he names himself", "oona", joined(OVERRIDE, notes({"gatehold.dev/override-by": "oona"})), leaves=lambda scene, after: notes_of(after)["gatehold.dev/override-by"] == "oona"),
    write("without the verb", "ada", OVERRIDE, "you may not override Rollout "),
    write("without the verb, behind a gate", "ada", OVERRIDE, "you may not override gate web: it takes verb override on gates with resourceName web", target=stable(GATED), before=stands(GATED)),
    write("with the verb on the Rollout, behind a gate", "oona", OVERRIDE, "you may not override gate web", target=stable(GATED), before=stands(GATED)),
    write("a service account with the verb", "gitops", OVERRIDE, "system accounts and service accounts cannot override; log in as a person"),
    *(write(f"a reason that {says}", "oona", {**IMAGE, **notes({"gatehold.dev/override": text})}, READABLE) for says, text in {"says hardly anything": "go", "cannot be seen": "\u3164" * 12, "turns the text around": WHY + "\u202e", "is too long": "x" * 1025}.items()),
    write("an empty reason", "oona", {**IMAGE, **notes({"gatehold.dev/override": ""})}, EDIT),
    write("no reason", "oona", IMAGE, EDIT),
    write("an old reason serves again", "oona", SIZE, EDIT, before=then(STANDS, BROKEN)),
    write("the reason is removed afterwards", "oona", notes({"gatehold.dev/override": None}), EDIT, before=then(STANDS, BROKEN)),
    write("in another's name", "oona", joined(OVERRIDE, notes({"gatehold.dev/override-by": "ada"})), BY + "oona"),
    write("the name of the last one stays, unstamped", "dana", joined(SIZE, notes({"gatehold.dev/override": WHY + " again"})), "denied request: ", before=then(STANDS, TWICE), only="unstamped stopped"),
    write("the name of the last one stays, of one who may", "admin", joined(SIZE, notes({"gatehold.dev/override": WHY + " again"})), BY + "", before=then(STANDS, TWICE), only="unstamped stopped"),
    write("the labels go in the same write", "oona", joined(OVERRIDE, {"metadata": {"labels": None}}), WHOSE),
    write("the owner goes in the same write", "oona", joined(OVERRIDE, {"metadata": {"ownerReferences": None}}), WHOSE),
    write("the digest is forged in the same write", "oona", joined(OVERRIDE, notes({"gatehold.dev/template-digest": "sha256:2"})), WHOSE),
    write("a mark in capitals in the same write", "oona", joined(OVERRIDE, notes({"GateHold.dev/override-by": "ada"})), WHOSE),
    write("through /status", "dora", OVERRIDE, EDIT, sub="status"),
    write("on a ReplicaSet", "admin", OVERRIDE, EDIT, target=replica_set()),
]  # fmt: skip


HAND_ROWS = [*OPERATOR_HAND, *BREAK_GLASS]
