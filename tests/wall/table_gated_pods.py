"""Pods of a gated namespace are created inert, and nobody smuggles a dearer one in. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from typing import Any

from tests.wall.api import Call, path
from tests.wall.attempt import GATED_PODS, RBAC, SCHEMA, Attempt, field_is, gone, notes_of
from tests.wall.gated import (
    APPROVAL,
    GATES,
    NOTHING,
    OPEN,
    OVERRIDE,
    OWNER_UID,
    POD,
    SIGN,
    WHY,
    doomed,
    gates_of,
    has,
    is_free,
    is_open,
    is_waiting,
    made,
    marked,
    new_pod,
    on_pod,
    owned,
    pod,
    removed,
    waits,
    went,
)
from tests.wall.people import Body
from tests.wall.places import PRICED
from tests.wall.rollouts import by, then
from tests.wall.scene import Scene, notes
from tests.wall.writes import joined, write_on

HOLDS = "gate dear holds the pods of namespace priced"
NOTHING_ADDS = (
    HOLDS
    + " and nothing here adds the gate for you: put schedulingGates: [{name: gatehold.dev/approval}] and label gatehold.dev/pods: dear into the pod (or its template)"
)
NO_NODE = "spec.nodeName may not be set here: " + HOLDS + " until they are approved; use node affinity"
NAMES = "label gatehold.dev/pods names the gate of the namespace, which is dear: leave it out of the pod (or its template)"
TOGETHER = "scheduling gate gatehold.dev/approval and label gatehold.dev/pods go together: this pod need not wait, so leave out both"
WAITS = "this pod waits for gate dear and the operator opens it; break-glass: in one write remove the scheduling gate and set gatehold.dev/override="
FROZEN = "a pod that waits for gate dear cannot be changed ("
OWNERS = "the owner of a pod is changed by its controller only"
STAYS = " of a pod never changes"
SET_BY_OPERATOR = " out of the pod (or its template): it is written by the operator only"
AS_IT_IS = "gate dear was asked for the pod as it is: change the template and ask again, or hold verb override on gates with resourceName dear"
ON_NODE: Body = {"spec": {"nodeName": "node-{name}"}}
MIRROR = notes(
    {
        "kubernetes.io/config.mirror": "0123456789abcdef",
        "kubernetes.io/config.hash": "x",
        "kubernetes.io/config.source": "file",
    }
)
ELSE: Body = {"spec": {"schedulingGates": [{"name": "example.com/quota"}, {"name": APPROVAL}]}}
DEARER: Body = {
    "spec": {
        "containers": [{"name": "main", "image": "web:1", "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "2"}}}]
    }
}


def claims(kind: str) -> str:
    return f"a pod gets an owner of kind {kind} from its controller only"


def on_node(scene: Scene) -> None:
    """A node of the row's own, its kubelet, and an account of the kubelet's name that is not of its group."""
    admin = scene.people["admin"]
    body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": f"node-{scene.name}"}}
    scene.uids["node"] = admin.must(Call(path("v1", "nodes"), body, "post"))["metadata"]["uid"]
    scene.people["kubelet"] = admin.impersonating(f"system:node:node-{scene.name}", "system:nodes")
    scene.people["stranger"] = admin.impersonating("system:node:another", "system:nodes")
    scene.people["namesake"] = admin.impersonating(f"system:node:node-{scene.name}", "launchers")


def mirror(scene: Scene) -> Body:
    owner = {"apiVersion": "v1", "kind": "Node", "name": f"node-{scene.name}", "uid": scene.uids["node"], "controller": True}
    return pod(scene, MIRROR, {"spec": {"nodeName": f"node-{scene.name}"}, "metadata": {"ownerReferences": [owner]}})


def placed(scene: Scene) -> Body:
    return pod(scene, {"spec": {"nodeName": f"node-{scene.name}"}})


def binding(scene: Scene, **meta: Any) -> Body:
    target = {"apiVersion": "v1", "kind": "Node", "name": "nowhere"}
    return {"apiVersion": "v1", "kind": "Binding", "metadata": {"name": scene.name, **meta}, "target": target}


def binds(says: str, who: str, refused: str = "", *, sub: bool = True, **more: Any) -> Attempt:
    meta = {key: more.pop(key) for key in ("labels", "annotations") if key in more}
    more = {"policy": GATED_PODS, "only": "stopped", "target": POD, "before": went(), **more}

    def call(scene: Scene) -> Call:
        where = POD(scene) + "/binding" if sub else path("v1", "bindings", PRICED)
        return Call(where, binding(scene, **meta), "post")

    return Attempt(f"a gated pod: {says}", by=who, do=call, refused=refused, ask=NOTHING, **more)


def named(scene: Scene) -> Body:
    body = pod(scene)
    return {**body, "metadata": {"generateName": f"{scene.name}-"}}


def all_wait(scene: Scene, after: Body | None) -> bool:
    """Whatever the API server has called it."""
    found = scene.people["admin"].must(Call(path("v1", "pods", PRICED), None, "get"))["items"]
    mine = [item for item in found if item["metadata"]["name"].startswith(f"{scene.name}-")]
    return len(mine) == 1 and is_waiting(scene, mine[0])


CREATED = [
    new_pod("as people write it", "dora", pod, unstamped=NOTHING_ADDS, leaves=is_waiting),
    new_pod("with gate and label by hand", "dora", marked, leaves=is_waiting),
    new_pod("under a generated name", "dora", named, unstamped=NOTHING_ADDS, leaves=all_wait),
    new_pod("by a cluster admin", "admin", pod, unstamped=NOTHING_ADDS, leaves=is_waiting),
    new_pod("by the ReplicaSet controller", "replicasets", lambda scene: pod(scene, owned("ReplicaSet")), unstamped=NOTHING_ADDS, leaves=is_waiting),
    new_pod("by the ReplicaSet controller, of a template with both", "replicasets", lambda scene: marked(scene, owned("ReplicaSet")), leaves=is_waiting),
    new_pod("by all controllers under one name", "kcm", lambda scene: marked(scene, owned("StatefulSet")), leaves=is_waiting),
    new_pod("with another gate beside", "dora", lambda scene: marked(scene, ELSE), leaves=lambda scene, after: gates_of(after) == ["example.com/quota", APPROVAL]),
    new_pod("with another gate, which comes first", "dora", lambda scene: pod(scene, {"spec": {"schedulingGates": [{"name": "example.com/quota"}]}}), unstamped=NOTHING_ADDS, leaves=lambda scene, after: gates_of(after) == ["example.com/quota", APPROVAL] and is_waiting(scene, after)),
    new_pod("with the label of another gate", "dora", lambda scene: marked(scene, {"metadata": {"labels": {"gatehold.dev/pods": "web"}}}), NAMES),
    new_pod("with an empty label", "dora", lambda scene: marked(scene, {"metadata": {"labels": {"gatehold.dev/pods": ""}}}), NAMES),
    new_pod("with the gate and no label", "dora", lambda scene: pod(scene, {"spec": {"schedulingGates": GATES}}), unstamped=NOTHING_ADDS, leaves=is_waiting),
    new_pod("with the label in capitals", "dora", lambda scene: marked(scene, {"metadata": {"labels": {"gatehold.dev/Pods": "dear"}}}), "take label gatehold.dev/Pods" + SET_BY_OPERATOR),
    new_pod("with another label of ours", "dora", lambda scene: marked(scene, {"metadata": {"labels": {"gatehold.dev/gate": "dear"}}}), "take label gatehold.dev/gate" + SET_BY_OPERATOR),
    new_pod("let go already, as it says", "dora", lambda scene: marked(scene, SIGN), "take gatehold.dev/released-by" + SET_BY_OPERATOR),
    new_pod("let go already, in capitals", "dora", lambda scene: marked(scene, notes({"GateHold.dev/released-by": "request-1"})), "take GateHold.dev/released-by" + SET_BY_OPERATOR),
    new_pod("overridden already, by who may", "dana", lambda scene: marked(scene, notes({"gatehold.dev/override": WHY})), "this pod is not waiting: there is nothing to override"),
    new_pod("overridden already, by who may not", "dora", lambda scene: marked(scene, notes({"gatehold.dev/override": WHY})), "you may not override gate dear: it takes verb override on gates with resourceName dear"),
    new_pod("with what its author says of it", "dora", lambda scene: marked(scene, notes({"gatehold.dev/expected-duration": "6h", "gatehold.dev/options": "[]"})), leaves=has(expected_duration="6h")),
    new_pod("by an exempt account", "launcher", pod, leaves=is_free),
    new_pod("by an exempt account, with both", "launcher", marked, leaves=is_waiting),
    new_pod("by an exempt account, with the label alone", "launcher", lambda scene: pod(scene, {"metadata": {"labels": {"gatehold.dev/pods": "dear"}}}), TOGETHER),
    new_pod("by an exempt account, with the gate alone", "launcher", lambda scene: pod(scene, {"spec": {"schedulingGates": GATES}}), TOGETHER),
    new_pod("by an exempt account, for another gate", "launcher", lambda scene: marked(scene, {"metadata": {"labels": {"gatehold.dev/pods": "web"}}}), NAMES),
    new_pod("by an exempt account, for a ReplicaSet", "launcher", lambda scene: pod(scene, owned("ReplicaSet")), claims("ReplicaSet")),
    new_pod("by an exempt account, on a node", "launcher", placed, NO_NODE),
    new_pod("by an account of the namespace that is named as exempt", "insider", pod, unstamped=NOTHING_ADDS, leaves=is_waiting),
    new_pod("by a person who is named as exempt", "mallory", pod, unstamped=NOTHING_ADDS, leaves=is_waiting),
    new_pod("run as an exempt account, by somebody else", "dora", lambda scene: pod(scene, {"spec": {"serviceAccountName": "launcher"}}), "error looking up service account priced/launcher", policy=SCHEMA),
    new_pod("by the DaemonSet controller", "daemons", lambda scene: pod(scene, owned("DaemonSet")), leaves=is_free),
    new_pod("of a DaemonSet, by all controllers under one name", "kcm", lambda scene: pod(scene, owned("DaemonSet")), leaves=is_free),
    new_pod("by the DaemonSet controller, of nobody", "daemons", pod, unstamped=NOTHING_ADDS, leaves=is_waiting),
    new_pod("by the DaemonSet controller, of an owner that does not control it", "daemons", lambda scene: pod(scene, owned("DaemonSet", controller=False)), unstamped=NOTHING_ADDS, leaves=is_waiting),
    new_pod("by the DaemonSet controller, of a DaemonSet of another group", "daemons", lambda scene: pod(scene, owned("DaemonSet", "example.com/v1")), unstamped=NOTHING_ADDS, leaves=is_waiting),
    new_pod("by the DaemonSet controller, for a ReplicaSet", "daemons", lambda scene: marked(scene, owned("ReplicaSet")), claims("ReplicaSet")),
    new_pod("of a DaemonSet, as somebody says", "dora", lambda scene: pod(scene, owned("DaemonSet")), claims("DaemonSet"), unstamped=NOTHING_ADDS),
    new_pod("of a DaemonSet, as an exempt account says", "launcher", lambda scene: pod(scene, owned("DaemonSet")), claims("DaemonSet")),
    *(new_pod(f"of an approved {kind}, as somebody says", "dora", lambda scene, kind=kind, version=version: marked(scene, owned(kind, version)), claims(kind)) for kind, version in (("ReplicaSet", "apps/v1"), ("StatefulSet", "apps/v1"), ("Deployment", "apps/v1"), ("Job", "batch/v1"), ("CronJob", "batch/v1"), ("ReplicationController", "v1"), ("Rollout", "gatehold.dev/v1alpha1"))),
    new_pod("of an approved ReplicaSet, as an account of the namespace says", "insider", lambda scene: marked(scene, owned("ReplicaSet")), claims("ReplicaSet")),
    new_pod("of an approved ReplicaSet, as a cluster admin says", "admin", lambda scene: marked(scene, owned("ReplicaSet")), claims("ReplicaSet")),
    new_pod("of an approved ReplicaSet of an old version", "dora", lambda scene: marked(scene, owned("ReplicaSet", "apps/v1beta2")), claims("ReplicaSet")),
    new_pod("of an approved ReplicaSet that does not control it", "dora", lambda scene: marked(scene, owned("ReplicaSet", controller=False)), claims("ReplicaSet")),
    new_pod("of a ReplicaSet, by the Job controller", "jobs", lambda scene: marked(scene, owned("ReplicaSet")), claims("ReplicaSet")),
    new_pod("of a Job, by the Job controller", "jobs", lambda scene: marked(scene, owned("Job", "batch/v1")), leaves=is_waiting),
    new_pod("of an owner of one's own kind", "dora", lambda scene: marked(scene, owned("Train", "example.com/v1")), leaves=is_waiting),
    new_pod("on a node", "dora", placed, NO_NODE),
    new_pod("on a node, with gate and label", "dora", lambda scene: marked(scene, {"spec": {"nodeName": "n"}}), "cannot be set until all schedulingGates have been cleared", policy=SCHEMA),
    new_pod("on a node, by a cluster admin", "admin", placed, NO_NODE),
    new_pod("on a node, by the ReplicaSet controller", "replicasets", lambda scene: joined(placed(scene), owned("ReplicaSet")), NO_NODE),
    new_pod("as a mirror pod, by somebody", "dora", mirror, "denied request: ", before=on_node),
    new_pod("as a mirror pod of its own, by a kubelet", "kubelet", mirror, before=on_node, leaves=is_free),
    new_pod("as a mirror pod of another node, by a kubelet", "stranger", mirror, "can only create pods with spec.nodeName set to itself", before=on_node, policy=SCHEMA),
    new_pod("as a mirror pod, by an account of its kubelet's name", "namesake", mirror, NO_NODE, before=on_node),
    new_pod("as no mirror pod, by a kubelet", "kubelet", placed, "pod does not have \"kubernetes.io/config.mirror\" annotation", before=on_node, policy=SCHEMA),
    Attempt("a new pod behind a gate: by the operator, who holds the right", by="operator", do=lambda scene: Call(path("v1", "pods", PRICED), marked(scene), "post"), refused="of pods the operator opens or deletes those that wait", policy="gatehold-provision", only="stopped", ask=NOTHING, target=POD),
]  # fmt: skip

REMOVES = [{"op": "remove", "path": "/spec/schedulingGates/0"}]
OPENS = [
    *(on_pod(f"somebody takes its gate off by {how}", "dora", OPEN, WAITS, how=how) for how in ("merge", "strategic", "put")),
    on_pod("somebody takes its gate off by JSON patch", "dora", REMOVES, WAITS, how="json"),
    *(on_pod(f"{who} takes its gate off", who, OPEN, WAITS) for who in ("admin", "mallory", "launcher", "insider", "gitops", "replicasets", "jobs", "kcm")),
    on_pod("somebody takes its gate off and signs", "dora", {**OPEN, **SIGN}, WAITS),
    on_pod("somebody takes all gates off", "dora", OPEN, WAITS, before=waits(ELSE)),
    on_pod("somebody takes another gate off", "dora", {"spec": {"schedulingGates": GATES}}, before=waits(ELSE), leaves=is_waiting),
    on_pod("the scheduler takes its gate off", "scheduler", OPEN, 'cannot patch resource "pods"', policy=RBAC),
    on_pod("somebody takes its gate off through /status: nothing happens", "dora", OPEN, sub="status", leaves=is_waiting),
    on_pod("somebody puts a second gate of another name for it", "dora", {"spec": {"schedulingGates": [{"name": "gatehold.dev/Approval"}]}}, "only deletion is allowed", policy=SCHEMA),
    on_pod("the operator opens it", "operator", {**OPEN, **SIGN}, leaves=lambda scene, after: is_open(scene, after) and has(released_by="request-1")(scene, after)),
    on_pod("the operator opens it under the threshold", "operator", {**OPEN, **notes({"gatehold.dev/released-by": "gate/dear"})}, leaves=has(released_by="gate/dear")),
    on_pod("the operator opens it and leaves another gate", "operator", joined({"spec": {"schedulingGates": [{"name": "example.com/quota"}]}}, SIGN), before=waits(ELSE), leaves=lambda scene, after: gates_of(after) == ["example.com/quota"]),
]  # fmt: skip


def added(name: str) -> list[Body]:
    return [{"op": "add", "path": "/spec/tolerations/-", "value": {"key": name, "operator": "Exists"}}]


OF_A_SET = made("replicasets", lambda scene: marked(scene, owned("ReplicaSet")))
IMAGE = [{"op": "replace", "path": "/spec/containers/0/image", "value": "dearer:1"}]
CHANGED = [
    on_pod("another image", "dora", IMAGE, FROZEN + "containers)", how="json"),
    on_pod("another image, by a cluster admin", "admin", IMAGE, FROZEN + "containers)", how="json"),
    on_pod("a node selector", "dora", {"spec": {"nodeSelector": {"pool": "gpu"}}}, FROZEN + "nodeSelector)"),
    on_pod("a toleration", "dora", added("nvidia.com/gpu"), FROZEN + "tolerations)", how="json"),
    on_pod("an affinity", "dora", {"spec": {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "pool", "operator": "In", "values": ["gpu"]}]}]}}}}}, FROZEN + "affinity)"),
    on_pod("a deadline", "dora", {"spec": {"activeDeadlineSeconds": 60}}, FROZEN + "activeDeadlineSeconds)"),
    on_pod("more processors", "dora", DEARER, "may not change fields other than", policy=SCHEMA, how="strategic"),
    on_pod("more processors, by resize", "dora", DEARER, AS_IT_IS, sub="resize", how="strategic", since=(1, 33)),
    on_pod("more processors, by resize, by who may override", "dana", DEARER, FROZEN + "containers)", sub="resize", how="strategic", since=(1, 33)),
    on_pod("more processors after it was let go, by resize", "dora", DEARER, AS_IT_IS, sub="resize", how="strategic", before=went(), since=(1, 33)),
    on_pod("more processors after it was let go, by a cluster admin, who holds every verb", "admin", DEARER, sub="resize", how="strategic", before=went(), since=(1, 33), leaves=lambda scene, after: (after or {})["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "2"),
    on_pod("more processors after it was let go, by the operator", "operator", DEARER, "denied request: ", sub="resize", how="strategic", before=went(), policy=f"{GATED_PODS}|gatehold-provision", since=(1, 33)),
    on_pod("a debug container", "dora", {"spec": {"ephemeralContainers": [{"name": "debug", "image": "busybox"}]}}, sub="ephemeralcontainers", how="strategic", leaves=is_waiting),
    on_pod("a debug container that asks for processors", "dora", {"spec": {"ephemeralContainers": [{"name": "debug", "image": "busybox", "resources": {"requests": {"cpu": "9"}}}]}}, "cannot be set for an Ephemeral Container", sub="ephemeralcontainers", how="strategic", policy=SCHEMA),
    on_pod("another image after it was let go", "dora", IMAGE, how="json", before=went(), leaves=is_open),
    on_pod("its gate comes again after it was let go", "dora", {"spec": {"schedulingGates": GATES}}, "only deletion is allowed", before=went(), policy=SCHEMA),
    on_pod("given an owner of another kind", "dora", owned("ConfigMap", "v1"), OWNERS),
    on_pod("given to an approved ReplicaSet", "dora", owned("ReplicaSet"), claims("ReplicaSet")),
    on_pod("given to an approved ReplicaSet by put", "dora", owned("ReplicaSet"), claims("ReplicaSet"), how="put"),
    on_pod("given to an approved ReplicaSet by a cluster admin", "admin", owned("ReplicaSet"), claims("ReplicaSet")),
    on_pod("given to a ReplicaSet by its controller", "replicasets", owned("ReplicaSet"), leaves=is_waiting),
    on_pod("given to a ReplicaSet by the Job controller", "jobs", owned("ReplicaSet"), claims("ReplicaSet")),
    on_pod("taken from its ReplicaSet", "dora", {"metadata": {"ownerReferences": None}}, OWNERS, before=then(OF_A_SET, doomed)),
    on_pod("taken from its ReplicaSet after it was let go", "dora", {"metadata": {"ownerReferences": None}}, OWNERS, before=then(OF_A_SET, by("operator", write_on(POD, {**OPEN, **SIGN})), doomed)),
    on_pod("given to an approved ReplicaSet after it was let go", "dora", owned("ReplicaSet"), claims("ReplicaSet"), before=went()),
    on_pod("given an owner of another kind after it was let go", "dora", owned("ConfigMap", "v1", controller=False), before=went(), leaves=lambda scene, after: (after or {})["metadata"]["ownerReferences"][0]["uid"] == OWNER_UID),
]  # fmt: skip

SIGNED_OFF = notes({"gatehold.dev/released-by": None})
LABELS: dict[str, Body] = {
    "loses its label": {"metadata": {"labels": {"gatehold.dev/pods": None}}},
    "is given to another gate": {"metadata": {"labels": {"gatehold.dev/pods": "web"}}},
    "loses all labels": {"metadata": {"labels": None}},
    "gets the label in capitals": {"metadata": {"labels": {"gatehold.dev/PODS": "dear"}}},
}
MARKS = [
    *(on_pod(f"it {says} {when}{' through /status' if sub else ''}", who, body, STAYS, before=before, sub=sub) for says, body in LABELS.items() for when, before in (("while it waits", waits()), ("after it was let go", went())) for who, sub in (("dora", ""), ("admin", "status"))),
    on_pod("a label of ours comes later", "dora", {"metadata": {"labels": {"gatehold.dev/gate": "dear"}}}, "label gatehold.dev/gate" + STAYS),
    on_pod("somebody signs it", "dora", SIGN, "take gatehold.dev/released-by" + SET_BY_OPERATOR),
    on_pod("somebody signs it through /status", "dora", SIGN, "take gatehold.dev/released-by" + SET_BY_OPERATOR, sub="status"),
    on_pod("somebody signs it in capitals", "dora", notes({"gateHold.dev/Released-by": "x"}), "take gateHold.dev/Released-by" + SET_BY_OPERATOR),
    on_pod("somebody takes the signature off", "dora", SIGNED_OFF, "take gatehold.dev/released-by" + SET_BY_OPERATOR, before=went()),
    on_pod("somebody takes all annotations off through /status", "dora", {"metadata": {"annotations": None}}, "take gatehold.dev/released-by" + SET_BY_OPERATOR, before=went(), sub="status"),
    on_pod("somebody signs it over to another request", "dora", notes({"gatehold.dev/released-by": "request-2"}), "take gatehold.dev/released-by" + SET_BY_OPERATOR, before=went()),
    on_pod("its author asks again", "dora", notes({"gatehold.dev/retry": "2"}), leaves=has(retry="2")),
    on_pod("another label", "dora", {"metadata": {"labels": {"team": "web"}}}, leaves=is_waiting),
    on_pod("another annotation", "dora", notes({"example.com/x": "y"}), leaves=lambda scene, after: notes_of(after)["example.com/x"] == "y"),
    on_pod("its kubelet's word of it", "admin", {"status": {"message": "x"}}, sub="status", leaves=is_waiting),
    Attempt("a gated pod: deleted by its creator", by="dora", do=removed(POD), ask=NOTHING, before=waits(), target=POD, only="stopped", leaves=gone),
    Attempt("a gated pod: deleted with many others", by="dora", do=lambda scene: Call(path("v1", "pods", PRICED), None, "delete", {"fieldSelector": f"metadata.name={scene.name}"}), ask=NOTHING, before=waits(), target=POD, only="stopped", leaves=gone),
    binds("bound while it waits", "dora", "schedulingGates", before=waits(), policy=SCHEMA),
    binds("bound after it was let go", "dora", leaves=field_is("spec.nodeName", "nowhere")),
    *(binds(f"bound, with a label of ours, {'by its subresource' if sub else 'by a Binding'}", "dora", STAYS, sub=sub, labels={"gatehold.dev/pods": "web"}) for sub in (True, False)),
    *(binds(f"bound, with a signature, {'by its subresource' if sub else 'by a Binding'}", "dora", "take gatehold.dev/released-by" + SET_BY_OPERATOR, sub=sub, annotations={"gatehold.dev/released-by": "request-2"}) for sub in (True, False)),
    binds("bound while it waits, with a signature", "dora", "take gatehold.dev/released-by" + SET_BY_OPERATOR, before=waits(), annotations={"gatehold.dev/released-by": "request-2"}),
    binds("bound by a cluster admin, with a signature", "admin", "take gatehold.dev/released-by" + SET_BY_OPERATOR, annotations={"gatehold.dev/released-by": "request-2"}),
]  # fmt: skip


def overridden(scene: Scene, after: Body | None) -> bool:
    return is_open(scene, after) and has(override=WHY, override_by="dana")(scene, after)


def reason(text: str) -> Body:
    return joined(OVERRIDE, notes({"gatehold.dev/override": text}))


SAY_WHY = notes({"gatehold.dev/override": WHY})
READABLE = "an override needs a readable reason: 8 letters or digits at least, 1024 characters at most"
NOT_WAITING = "this pod is not waiting: there is nothing to override"
MAY_NOT = "you may not override gate dear: it takes verb override on gates with resourceName dear"
BROKEN = by("dana", write_on(POD, OVERRIDE))
BREAK_GLASS = [
    on_pod("a holder of override says why, and no more", "dana", SAY_WHY, unstamped="this cluster does not open the gate for you: remove the scheduling gate gatehold.dev/approval in the same write", leaves=overridden),
    on_pod("a holder of override opens it by hand", "dana", OVERRIDE, leaves=overridden),
    on_pod("a holder of override opens it by put", "dana", OVERRIDE, how="put", leaves=overridden),
    on_pod("a holder of override leaves another gate", "dana", joined({"spec": {"schedulingGates": [{"name": "example.com/quota"}]}}, notes({"gatehold.dev/override": WHY, "gatehold.dev/override-by": "dana"})), before=waits(ELSE), leaves=lambda scene, after: gates_of(after) == ["example.com/quota"]),
    on_pod("a holder of override says why, where another gate is there", "dana", SAY_WHY, before=waits(ELSE), only="stamped stopped", leaves=lambda scene, after: gates_of(after) == ["example.com/quota"]),
    on_pod("without a word", "dana", OPEN, WAITS),
    *(on_pod(says, who, joined(OVERRIDE, notes({"gatehold.dev/override-by": who})), MAY_NOT) for says, who in (("without the verb", "dora"), ("with the verb on another gate", "oona"))),
    on_pod("a service account with the verb", "gitops", joined(OVERRIDE, notes({"gatehold.dev/override-by": "system:serviceaccount:shop:gitops"})), "system accounts and service accounts cannot override; log in as a person"),
    on_pod("the operator with a reason", "operator", joined({**OPEN, **SIGN}, SAY_WHY), "denied request: ", policy=f"{GATED_PODS}|gatehold-provision"),
    *(on_pod(f"a reason that {says}", "dana", reason(text), READABLE) for says, text in {"says hardly anything": "go", "cannot be seen": "\u3164" * 12, "turns the text around": WHY + "\u202e", "is too long": "x" * 1025}.items()),
    on_pod("an empty reason", "dana", reason(""), WAITS),
    on_pod("in another's name", "dana", joined(OVERRIDE, notes({"gatehold.dev/override-by": "olga"})), "an override is recorded under your own name: set gatehold.dev/override-by=dana", only="unstamped stopped"),
    on_pod("in another's name, which is mended", "dana", joined(OVERRIDE, notes({"gatehold.dev/override-by": "olga"})), only="stamped stopped", leaves=overridden),
    on_pod("with a signature of the operator's", "dana", joined(OVERRIDE, SIGN), "take gatehold.dev/released-by" + SET_BY_OPERATOR),
    on_pod("with another image", "dana", [*IMAGE, *REMOVES, {"op": "add", "path": "/metadata/annotations", "value": OVERRIDE["metadata"]["annotations"]}], FROZEN + "containers)", how="json"),
    on_pod("with a deadline", "dana", joined(OVERRIDE, {"spec": {"activeDeadlineSeconds": 60}}), FROZEN + "activeDeadlineSeconds)"),
    on_pod("without its label", "dana", joined(OVERRIDE, {"metadata": {"labels": {"gatehold.dev/pods": None}}}), STAYS),
    on_pod("with an owner", "dana", joined(OVERRIDE, owned("ConfigMap", "v1")), OWNERS),
    on_pod("when it was let go", "dana", SAY_WHY, NOT_WAITING, before=went()),
    on_pod("through /status", "dana", SAY_WHY, "this cluster does not open the gate for you", sub="status"),
    on_pod("the name alone", "dana", notes({"gatehold.dev/override-by": "dana"}), "take gatehold.dev/override-by" + SET_BY_OPERATOR),
    on_pod("the reason is removed afterwards", "dana", notes({"gatehold.dev/override": None}), "take gatehold.dev/override" + SET_BY_OPERATOR, before=then(waits(), BROKEN)),
    on_pod("the reason is changed afterwards", "dana", notes({"gatehold.dev/override": "something nicer"}), NOT_WAITING, before=then(waits(), BROKEN)),
]  # fmt: skip

GATED_POD_ROWS = [*CREATED, *OPENS, *CHANGED, *MARKS, *BREAK_GLASS]
