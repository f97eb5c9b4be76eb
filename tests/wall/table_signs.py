"""Who cordoned a node, whose request it is drained for, and what the operator itself may write on it. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from tests.wall.attempt import EVICTIONS, NODE_LABELS, NODES, RBAC, field_is, gone
from tests.wall.nodes import (
    CORDON,
    CORDONED_BY,
    DENY,
    FREE,
    HOLD,
    MANAGER,
    NODE,
    OTHER_UID,
    RELEASED_BY,
    REQUEST,
    SIGNS,
    UID,
    UNCORDON,
    UNSIGNS,
    born,
    both,
    cordoned,
    evicts,
    has_notes,
    is_cordoned,
    is_open,
    on_node,
    removed,
    signed,
    stands,
    taint,
    tainted,
)
from tests.wall.people import Body
from tests.wall.rollouts import by, then
from tests.wall.scene import notes
from tests.wall.writes import joined, write_on

STAMPED, UNSTAMPED = "stamped stopped", "unstamped stopped"
SAME_WRITE = "gatehold.dev/cordoned-by is written in the same write that cordons the node, and only as noah"
STAYS = "gatehold.dev/cordoned-by stays as long as the node is cordoned"
STILL = "gatehold.dev/cordoned-by still says noah: remove it, or set it to nina, in the same write"
BLAMED: Body = notes({CORDONED_BY: "nina"})
HELD = cordoned(HOLD, "noah")
OPENED = then(HELD, by("nina", write_on(NODE, UNCORDON)))
REMAINS = then(HELD, by("nina", write_on(NODE, UNCORDON)))

STAMPS = [
    on_node("cordoned in another's name, where it is stamped", "noah", joined(CORDON, BLAMED), before=stands(HOLD), only=STAMPED, leaves=is_cordoned("noah")),
    on_node("cordoned in another's name, where nothing is stamped", "noah", joined(CORDON, BLAMED), SAME_WRITE, before=stands(HOLD), only=UNSTAMPED),
    on_node("cordoned in one's own name", "noah", joined(CORDON, notes({CORDONED_BY: "noah"})), before=stands(HOLD), leaves=is_cordoned("noah", unstamped="noah")),
    on_node("another is blamed later, where it is stamped", "noah", BLAMED, before=HELD, only=STAMPED, leaves=is_cordoned("noah")),
    on_node("another is blamed later, where nothing is stamped", "noah", BLAMED, SAME_WRITE, before=HELD, only=UNSTAMPED),
    *(on_node(f"another is blamed later through /status by {how}", "noah", BLAMED, SAME_WRITE, before=HELD, how=how, sub="status") for how in ("merge", "put", "strategic")),
    on_node("another is blamed by the kubelet, through /status", "kubelet", BLAMED, "gatehold.dev/cordoned-by is written in the same write that cordons the node, and only as system:node:node-", before=HELD, sub="status"),
    on_node("another is blamed by the operator, through /status", "operator", BLAMED, "gatehold.dev/cordoned-by is written in the same write that cordons the node, and only as " + MANAGER, before=HELD, sub="status"),
    on_node("who cordoned it takes the name off, where it is stamped", "noah", notes({CORDONED_BY: None}), before=HELD, only=STAMPED, leaves=is_cordoned("noah")),
    on_node("who cordoned it takes the name off, where nothing is stamped", "noah", notes({CORDONED_BY: None}), STAYS, before=HELD, only=UNSTAMPED),
    on_node("who cordoned it takes the name off through /status", "noah", notes({CORDONED_BY: None}), STAYS, before=HELD, sub="status"),
    on_node("all its annotations are taken off, where it is stamped", "noah", {"metadata": {"annotations": None}}, before=HELD, only=STAMPED, leaves=is_cordoned("noah")),
    on_node("all its annotations are taken off, where nothing is stamped", "noah", {"metadata": {"annotations": None}}, STAYS, before=HELD, only=UNSTAMPED),
    on_node("uncordoned by another, where it is stamped", "nina", UNCORDON, before=HELD, only=STAMPED, leaves=both(is_open, has_notes(cordoned_by=None))),
    on_node("uncordoned by another with the name, where nothing is stamped", "nina", joined(UNCORDON, notes({CORDONED_BY: None})), before=HELD, only=UNSTAMPED, leaves=both(is_open, has_notes(cordoned_by=None))),
    on_node("cordoned again by another, where it is stamped", "nina", CORDON, before=OPENED, only=STAMPED, leaves=is_cordoned("nina")),
    on_node("cordoned again by another, where the old name remained", "nina", CORDON, STILL, before=REMAINS, only=UNSTAMPED),
    on_node("cordoned again by another in its own name", "nina", joined(CORDON, BLAMED), before=REMAINS, only=UNSTAMPED, leaves=is_cordoned(None, unstamped="nina")),
    on_node("somebody is said to have cordoned an open one, where it is stamped", "noah", BLAMED, before=stands(HOLD), only=STAMPED, leaves=both(is_open, has_notes(cordoned_by=None))),
    on_node("somebody is said to have cordoned an open one, where nothing is stamped", "noah", BLAMED, SAME_WRITE, before=stands(HOLD), only=UNSTAMPED),
    on_node("somebody is said to have cordoned one without a gate, through /status", "noah", BLAMED, SAME_WRITE, before=stands(FREE), sub="status"),
    born("somebody is said to have cordoned it, where nothing is stamped", "noah", joined(HOLD, joined(CORDON, BLAMED)), SAME_WRITE, only=UNSTAMPED),
    born("somebody is said to have cordoned it, where it is stamped", "noah", joined(HOLD, joined(CORDON, BLAMED)), only=STAMPED, leaves=is_cordoned("noah")),
]  # fmt: skip

ALONE = " of a Node is written by the operator only; `kubectl gatehold uncordon node-"
NODES_OF = (("gated", DENY), ("ungated", FREE))
SIGNED = [
    *(row for kind, node in NODES_OF for row in (
        *(on_node(f"{key} forged on a {kind} one by {how}{' through /' + sub if sub else ''}", "noah", notes({f"gatehold.dev/{key}": "u"}), f"annotation gatehold.dev/{key}{ALONE}", before=stands(node), how=how, sub=sub)
          for key, how, sub in (("released-by", "merge", ""), ("released-by", "apply", ""), ("released-by", "put", "status"), ("request", "merge", ""), ("request", "strategic", "status"))),
        on_node(f"the signs are taken off a {kind} one", "wanda", UNSIGNS, ALONE, before=signed(node)),
        on_node(f"the signs of a {kind} one are turned to another request", "wanda", notes({RELEASED_BY: OTHER_UID}), ALONE, before=signed(node)),
        on_node(f"a {kind} one is uncordoned with all annotations", "wanda", joined(UNCORDON, {"metadata": {"annotations": None}}), ALONE, before=signed(node)),
        on_node(f"a {kind} one is uncordoned, and its signs stay for the operator", "noah", UNCORDON, before=signed(node), leaves=both(is_open, has_notes(released_by=UID))),
    )),
    on_node("the signs are forged by a cluster admin", "admin", SIGNS, ALONE),
    on_node("the signs are forged by its kubelet, through /status", "kubelet", SIGNS, ALONE, sub="status"),
    on_node("the signs are forged by the operator's name without its pod", "pretender", SIGNS, "operator", policy=f"{NODES}|gatehold-identity"),
    born("signed for a request", "noah", joined(FREE, SIGNS), ALONE),
    on_node("a sign in capitals", "noah", notes({"GateHold.dev/request": "shop/x"}), "GateHold.dev/request means nothing on a Node; known are the labels gatehold.dev/drain and gatehold.dev/drain-mode"),
    on_node("a label that means nothing", "noah", {"metadata": {"labels": {"gatehold.dev/drains": "gpu"}}}, "gatehold.dev/drains means nothing on a Node", before=stands(FREE)),
    on_node("an annotation that means nothing, by the operator", "operator", notes({"gatehold.dev/x": "y"}), "gatehold.dev/x means nothing on a Node"),
    on_node("a label that meant nothing goes", "noah", {"metadata": {"labels": {"gatehold.dev/drains": None}}}, before=stands({"metadata": {"labels": {"gatehold.dev/drains": "gpu"}}}), leaves=field_is("metadata.labels", None)),
]  # fmt: skip

NOTHING_ELSE = "of a Node the operator changes spec.unschedulable, label gatehold.dev/drain-mode and its own annotations, and nothing else"
TAINTS = "of the taints of a Node the operator takes node.kubernetes.io/unschedulable off, and changes no other"
NO_STATUS = "the operator neither makes nor deletes Nodes, and writes no status of theirs"
NEW_SIGN = "the operator cordons a node with a new gatehold.dev/released-by in the same write, once for each request"
SIGNS_CLOSED = "the operator signs a node that it cordons in the same write, or that is cordoned, with gatehold.dev/released-by and gatehold.dev/request"
NOT_OVER = "a node that one request signed is not signed over to another by gatehold.dev/request alone"
TAKES_OFF = "the operator takes gatehold.dev/released-by and gatehold.dev/request off in the write that uncordons a node"
CLOSED_TAINT: Body = taint("node.kubernetes.io/unschedulable", "NoSchedule")
SOILED: Body = {
    "spec": {
        "taints": [
            {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"},
            {"key": "example.com/x", "effect": "NoSchedule"},
        ]
    }
}
CLEAN: Body = taint("example.com/x", "NoSchedule")
SETTLED = then(signed(joined(DENY, SOILED)), tainted("example.com/x", "node.kubernetes.io/unschedulable"))
HAND = [
    *(row for kind, node in NODES_OF for row in (
        on_node(f"the operator cordons a {kind} one for a request", "operator", joined(CORDON, SIGNS), before=stands(node), leaves=both(field_is("spec.unschedulable", True), has_notes(released_by=UID, request="shop/drain-1"))),
        on_node(f"the operator cordons a {kind} one without saying for what", "operator", CORDON, NEW_SIGN, before=stands(node)),
        on_node(f"the operator cordons a {kind} one again for a request that is over", "operator", CORDON, NEW_SIGN, before=then(signed(node), by("noah", write_on(NODE, UNCORDON)))),
        on_node(f"the operator uncordons a {kind} one", "operator", joined(UNCORDON, joined(UNSIGNS, notes({CORDONED_BY: None}))), before=signed(node), leaves=both(is_open, has_notes(released_by=None, request=None, cordoned_by=None))),
        on_node(f"the operator uncordons a {kind} one and leaves its signs", "operator", UNCORDON, TAKES_OFF, before=signed(node)),
        on_node(f"the operator ends the maintenance of a {kind} one that stays cordoned", "operator", UNSIGNS, before=signed(node), leaves=both(field_is("spec.unschedulable", True), has_notes(released_by=None, request=None))),
        on_node(f"the operator labels a {kind} one", "operator", {"metadata": {"labels": {"team": "web"}}}, NOTHING_ELSE, before=stands(node)),
        on_node(f"the operator taints a {kind} one", "operator", taint("example.com/x", "NoSchedule"), TAINTS, before=stands(node)),
        removed(f"the operator deletes a {kind} one", "operator", ": deleting it would end its pods" if node else NO_STATUS, before=stands(node)),
    )),
    on_node("the operator signs one that somebody had cordoned", "operator", joined(CORDON, SIGNS), before=cordoned(), leaves=both(is_cordoned("wanda", unstamped="wanda"), has_notes(released_by=UID))),
    on_node("the operator cordons one, and is said to have", "operator", joined(CORDON, SIGNS), only=STAMPED, leaves=is_cordoned(MANAGER)),
    on_node("the operator blames somebody, where it is stamped", "operator", joined(CORDON, joined(SIGNS, BLAMED)), only=STAMPED, leaves=is_cordoned(MANAGER)),
    on_node("the operator blames somebody, where nothing is stamped", "operator", joined(CORDON, joined(SIGNS, BLAMED)), "and only as " + MANAGER, only=UNSTAMPED),
    on_node("the operator signs an open one", "operator", SIGNS, SIGNS_CLOSED),
    on_node("the operator signs with half of it", "operator", joined(CORDON, notes({RELEASED_BY: UID})), SIGNS_CLOSED),
    on_node("the operator closes an open one to a cordon that is on its way", "operator", notes({REQUEST: "shop/drain-1"}), leaves=both(is_open, has_notes(request="shop/drain-1", released_by=None))),
    on_node("the operator signs one over to another request", "operator", notes({REQUEST: "shop/drain-2"}), NOT_OVER, before=signed()),
    on_node("the operator takes the next drain of one that is cordoned", "operator", notes({RELEASED_BY: OTHER_UID, REQUEST: "shop/drain-2"}), before=signed(), leaves=has_notes(released_by=OTHER_UID, request="shop/drain-2")),
    on_node("the operator takes the taint of a cordon off", "operator", joined(joined(UNCORDON, UNSIGNS), CLEAN), before=SETTLED, leaves=both(is_open, lambda scene, after: "example.com/x" in [t["key"] for t in (after or {})["spec"]["taints"]])),
    on_node("the operator takes somebody else's taint off", "operator", joined(joined(UNCORDON, UNSIGNS), CLOSED_TAINT), TAINTS, before=SETTLED),
    on_node("the operator drains one by a taint", "operator", taint("example.com/x"), ":NoExecute would drain it"),
    on_node("the operator annotates one for another tool", "operator", notes({"cluster-autoscaler.kubernetes.io/scale-down-disabled": "true"}), NOTHING_ELSE),
    on_node("the operator puts a finalizer on one", "operator", {"metadata": {"finalizers": ["example.com/mine"]}}, NOTHING_ELSE),
    on_node("the operator gives one to another cloud", "operator", {"spec": {"providerID": "aws:///nowhere/i-0"}}, NOTHING_ELSE, before=stands(FREE)),
    on_node("the operator gives one an owner", "operator", {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "u"}]}}, NOTHING_ELSE, before=stands(FREE)),
    on_node("the operator writes a status", "operator", {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}, NO_STATUS, sub="status", before=stands(FREE)),
    on_node("the operator puts one behind a gate", "operator", {"metadata": {"labels": {"gatehold.dev/drain": "gpu"}}}, "would be behind gate gpu", before=stands(FREE), policy=NODE_LABELS),
    born("the operator makes one", "operator", FREE, NO_STATUS),
]  # fmt: skip

BY_UID = "the operator evicts a pod by its uid (deleteOptions.preconditions.uid), so that no other pod of that name goes"
EVICTED = [
    evicts("by the operator, of whatever has that name", "operator", lambda scene: {}, BY_UID, policy=EVICTIONS),
    evicts("by the operator, dry in the options only", "operator", lambda scene: {"dryRun": ["All"]}, BY_UID, policy=EVICTIONS),
    evicts("by the operator, with an empty uid", "operator", lambda scene: {"preconditions": {"uid": ""}}, BY_UID, policy=EVICTIONS),
    evicts("by the operator, with another precondition", "operator", lambda scene: {"preconditions": {"resourceVersion": "1"}}, BY_UID, policy=EVICTIONS),
    evicts("by the operator, by uid", "operator", lambda scene: {"preconditions": {"uid": scene.uids["pod"]}}, leaves=gone),
    evicts("by an editor, which the webhook judges", "ada", lambda scene: {}, leaves=gone),
    evicts("by the probe's account", "gatehold-probe", lambda scene: {}, 'cannot create resource "pods/eviction"', policy=RBAC),
]  # fmt: skip

SIGN_ROWS = [*STAMPS, *SIGNED, *HAND, *EVICTED]
