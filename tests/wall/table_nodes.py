"""What drains a gated node, past the gate or as it should be. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from tests.wall.api import Call, path
from tests.wall.attempt import NODE_LABELS, NODES, RBAC, SCHEMA, Attempt, Check, field_is, gone
from tests.wall.nodes import (
    CORDON,
    CORDONED_BY,
    DENY,
    FREE,
    HOLD,
    NODE,
    NOTHING,
    RELEASED_BY,
    UNCORDON,
    born,
    both,
    cordoned,
    is_cordoned,
    is_open,
    on_node,
    removed,
    signed,
    stands,
    taint,
)
from tests.wall.people import Body
from tests.wall.scene import Scene, notes
from tests.wall.writes import joined

GUARDS = "gate gpu guards node node-"
ASK = ": ask for its drain with `kubectl gatehold drain node-"
OR_HOLD = " --reason ...`, or hold verb drain on nodes"
DRAINS = ":NoExecute would drain it; ask with `kubectl gatehold drain node-"
ENDS = ": deleting it would end its pods, and takes verb drain on nodes"
READY = (
    ": its condition Ready is written by its own kubelet and the node controllers, for a node that is not ready is drained"
)
OWNED = ": it would be deleted together with an owner, so changing its ownerReferences takes verb drain on nodes"
CLOUD = ": it would be deleted if its cloud did not know spec.providerID, so setting that takes verb drain on nodes"
STRICT: Body = {"metadata": {"labels": {"gatehold.dev/drain-mode": None}}}
RELAXED: Body = {"metadata": {"labels": {"gatehold.dev/drain-mode": "Hold"}}}
FREED: Body = {"metadata": {"labels": {"gatehold.dev/drain": None, "gatehold.dev/drain-mode": None}}}
BEHIND = " is behind gate gpu: changing that takes verb bind on gates with resourceName gpu"

JSON_CORDON = [{"op": "add", "path": "/spec/unschedulable", "value": True}]
JSON_TAINT = [{"op": "add", "path": "/spec/taints", "value": [{"key": "example.com/x", "effect": "NoExecute"}]}]
NOT_READY: Body = {"status": {"conditions": [{"type": "Ready", "status": "False", "reason": "x", "message": "x"}]}}
IS_READY: Body = {"status": {"conditions": [{"type": "Ready", "status": "True", "reason": "x", "message": "x"}]}}
WAS_READY: Body = {**DENY, **IS_READY}
NO_CONDITIONS: Body = {"status": {"conditions": None}}
OWNER: Body = {
    "metadata": {
        "ownerReferences": [
            {"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "00000000-0000-4000-8000-000000000000"}
        ]
    }
}
PROVIDER: Body = {"spec": {"providerID": "aws:///nowhere/i-0"}}
SOFT: Body = joined(DENY, taint("example.com/x", "NoSchedule"))
HARD: Body = joined(DENY, taint("example.com/x", value="a"))


def is_tainted(key: str, effect: str = "NoExecute") -> Check:
    return lambda scene, after: any(
        found["key"] == key and found["effect"] == effect for found in (after or {})["spec"].get("taints", [])
    )


def is_ready(status: str) -> Check:
    return lambda scene, after: (
        [c["status"] for c in (after or {})["status"]["conditions"] if c["type"] == "Ready"] == [status]
    )


def all_at_once(scene: Scene) -> Call:
    return Call(path("v1", "nodes"), None, "delete", {"fieldSelector": f"metadata.name=node-{scene.name}"})


CORDONS = [
    *(on_node(f"cordoned by {how}", "noah", CORDON, ASK, how=how) for how in ("merge", "strategic", "put", "apply")),
    on_node("cordoned, which names the gate", "noah", CORDON, GUARDS),
    on_node("cordoned, which names the right", "noah", CORDON, OR_HOLD),
    on_node("cordoned by JSON patch", "noah", JSON_CORDON, ASK, how="json"),
    on_node("cordoned by a holder of verb bind on its gate", "binder", CORDON, ASK),
    on_node("cordoned by a holder of verb bind on another gate", "nomad", CORDON, ASK),
    on_node("cordoned by an account of its kubelet's name, not of the group", "namesake", CORDON, ASK),
    on_node("cordoned by the collector's account", "collector", CORDON, ASK),
    on_node("cordoned in the write that takes it from behind its gate", "noah", joined(CORDON, FREED), "gpu", policy=f"{NODES}|{NODE_LABELS}"),
    on_node("cordoned and freed at once by a holder of verb bind, who may free it first", "binder", joined(CORDON, FREED), ASK),
    on_node("cordoned in the write that relaxes it", "noah", joined(CORDON, RELAXED), "gpu", policy=f"{NODES}|{NODE_LABELS}"),
    on_node("cordoned as if the operator had signed it", "noah", joined(CORDON, notes({RELEASED_BY: "u"})), ASK),
    on_node("cordoned in the operator's name", "noah", joined(CORDON, notes({CORDONED_BY: "system:serviceaccount:gatehold-system:gatehold"})), ASK),
    on_node("cordoned by a holder of verb drain", "wanda", CORDON, leaves=is_cordoned("wanda")),
    on_node("cordoned by a cluster admin, who holds every verb", "admin", CORDON, leaves=is_cordoned("admin")),
    on_node("cordoned by its own kubelet", "kubelet", CORDON, leaves=lambda scene, after: is_cordoned(f"system:node:node-{scene.name}")(scene, after)),
    *(on_node(f"cordoned by {who}", who, CORDON, leaves=field_is("spec.unschedulable", True)) for who in ("nodes", "cloud", "kcm", "ccm")),
    on_node("uncordoned by anybody", "noah", UNCORDON, before=cordoned(), leaves=is_open),
    on_node("uncordoned by anybody while the operator drains it", "noah", UNCORDON, before=signed(), leaves=is_open),
    on_node("touched while it is cordoned", "noah", {"metadata": {"labels": {"team": "web"}}}, before=cordoned(), leaves=is_cordoned("wanda", unstamped="wanda")),
    on_node("cordoned in mode Hold, where its evictions are held", "noah", CORDON, before=stands(HOLD), leaves=is_cordoned("noah")),
    on_node("cordoned where there is no gate", "noah", CORDON, before=stands(FREE), leaves=both(field_is("spec.unschedulable", True), lambda scene, after: CORDONED_BY not in ((after or {})["metadata"].get("annotations") or {}))),
    born("cordoned, and behind a gate", "noah", {**DENY, **CORDON}, leaves=is_cordoned("noah")),
    born("in mode Hold", "noah", HOLD, leaves=field_is("metadata.labels", HOLD["metadata"]["labels"])),
]  # fmt: skip

MODES = (("Deny", DENY), ("Hold", HOLD))
OTHERS = [
    *(row for mode, node in MODES for row in (
        on_node(f"tainted in mode {mode}", "noah", taint("example.com/x"), DRAINS, before=stands(node)),
        on_node(f"tainted by JSON patch in mode {mode}", "noah", JSON_TAINT, "taint example.com/x" + DRAINS, before=stands(node), how="json"),
        removed(f"deleted in mode {mode}", "noah", ENDS, before=stands(node)),
        on_node(f"said not to be ready in mode {mode}", "noah", NOT_READY, READY, before=stands(joined(node, IS_READY)), sub="status"),
        on_node(f"given an owner in mode {mode}", "noah", OWNER, OWNED, before=stands(node)),
        on_node(f"sent to another cloud in mode {mode}", "noah", PROVIDER, CLOUD, before=stands(node)),
    )),
    *(on_node(f"tainted by {how}", "noah", taint("example.com/x"), DRAINS, how=how) for how in ("put", "apply", "strategic")),
    on_node("taken for one whose machine is off", "noah", taint("node.kubernetes.io/out-of-service", value="nodeshutdown"), "taint node.kubernetes.io/out-of-service" + DRAINS),
    on_node("a soft taint becomes a hard one", "noah", taint("example.com/x"), DRAINS, before=stands(SOFT)),
    on_node("a hard taint gets another value", "noah", taint("example.com/x", value="b"), DRAINS, before=stands(HARD)),
    on_node("a hard taint comes beside another", "noah", {"spec": {"taints": [{"key": "example.com/x", "value": "a", "effect": "NoExecute"}, {"key": "example.com/y", "effect": "NoExecute"}]}}, "taint example.com/y" + DRAINS, before=stands(HARD)),
    on_node("tainted in the write that takes it from behind its gate", "noah", joined(taint("example.com/x"), FREED), "gpu", policy=f"{NODES}|{NODE_LABELS}"),
    on_node("tainted by a holder of verb bind on its gate", "binder", taint("example.com/x"), DRAINS),
    on_node("tainted by its own kubelet", "kubelet", taint("example.com/x"), "is not allowed to modify taints", policy=SCHEMA),
    on_node("tainted by a holder of verb drain", "wanda", taint("example.com/x"), leaves=is_tainted("example.com/x")),
    *(on_node(f"tainted by {who}", who, taint("example.com/x"), leaves=is_tainted("example.com/x")) for who in ("nodes", "cloud", "kcm", "ccm")),
    on_node("its hard taint is taken off", "noah", taint("example.com/x", "NoSchedule"), before=stands(HARD), leaves=is_tainted("example.com/x", "NoSchedule")),
    on_node("tainted so that nothing new comes", "noah", taint("example.com/x", "NoSchedule"), leaves=is_tainted("example.com/x", "NoSchedule")),
    on_node("tainted where there is no gate", "noah", taint("example.com/x"), before=stands(FREE), leaves=is_tainted("example.com/x")),
    removed("deleted by a holder of verb bind on its gate", "binder", 'cannot delete resource "nodes"', policy=RBAC),
    removed("deleted by the collector", "collector", ENDS),
    Attempt("a gated node: deleted with many others", by="noah", do=all_at_once, refused=ENDS, policy=NODES, only="stopped", ask=NOTHING, before=stands(), target=NODE),
    removed("deleted while it is drained", "noah", ENDS, before=signed()),
    *(removed(f"deleted by {who}", who, leaves=gone) for who in ("wanda", "nodes", "cloud", "kcm", "ccm")),
    removed("deleted where there is no gate", "noah", before=stands(FREE), leaves=gone),
    on_node("said not to be ready by put", "noah", NOT_READY, READY, before=stands(WAS_READY), how="put", sub="status"),
    on_node("its conditions are taken away", "noah", NO_CONDITIONS, READY, before=stands(WAS_READY), sub="status"),
    on_node("said to be ready", "noah", IS_READY, READY, sub="status"),
    on_node("said not to be ready by an account of its kubelet's name", "namesake", NOT_READY, READY, before=stands(WAS_READY), sub="status"),
    on_node("not ready, says its kubelet", "kubelet", NOT_READY, before=stands(WAS_READY), sub="status", leaves=is_ready("False")),
    *(on_node(f"not ready, says {who}", who, NOT_READY, before=stands(WAS_READY), sub="status", leaves=is_ready("False")) for who in ("nodes", "kcm", "ccm", "wanda")),
    on_node("given an owner by the collector", "collector", OWNER, OWNED),
    on_node("given an owner by a holder of verb drain", "wanda", OWNER, leaves=field_is("metadata.ownerReferences", OWNER["metadata"]["ownerReferences"])),
    on_node("another label", "noah", {"metadata": {"labels": {"team": "web"}}}, leaves=field_is("metadata.labels", {**DENY["metadata"]["labels"], "team": "web"})),
    on_node("another annotation through its status", "noah", notes({"example.com/x": "y"}), sub="status", leaves=lambda scene, after: (after or {})["metadata"]["annotations"]["example.com/x"] == "y"),
]  # fmt: skip

LABELS = [
    *(on_node(f"taken from behind its gate by {how}{' through /' + sub if sub else ''}", "noah", FREED, BEHIND, how=how, sub=sub, before=stands(HOLD), policy=NODE_LABELS) for how, sub in (("merge", ""), ("put", ""), ("put", "status"), ("strategic", "status"))),
    on_node("relaxed by who works on nodes", "noah", RELAXED, BEHIND, policy=NODE_LABELS),
    on_node("relaxed by its kubelet, through /status", "kubelet", RELAXED, BEHIND, sub="status", policy=NODE_LABELS),
    on_node("made strict by who works on nodes", "noah", STRICT, BEHIND, before=stands(HOLD), policy=NODE_LABELS),
    on_node("relaxed in a word that means nothing", "binder", {"metadata": {"labels": {"gatehold.dev/drain-mode": "hold"}}}, 'label gatehold.dev/drain-mode is "Hold", or absent: without it nobody cordons the node alone', policy=NODE_LABELS),
    on_node("relaxed in a word that means nothing, by the operator", "operator", {"metadata": {"labels": {"gatehold.dev/drain-mode": "Deny"}}}, 'label gatehold.dev/drain-mode is "Hold", or absent', policy=NODE_LABELS),
    on_node("the operator copies the mode of its Gate", "operator", RELAXED, leaves=field_is("metadata.labels", HOLD["metadata"]["labels"])),
    on_node("the operator takes the mode off", "operator", STRICT, before=stands(HOLD), leaves=field_is("metadata.labels", DENY["metadata"]["labels"])),
]  # fmt: skip

NODE_DRAINS = [*CORDONS, *OTHERS, *LABELS]
