"""Places behind a gate: namespaces and nodes, and who puts them there. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from typing import Any

from tests.wall.api import Call, path
from tests.wall.attempt import NAMESPACES, NODE_LABELS, RBAC, SCHEMA, STATUS, Attempt, Check, field_is
from tests.wall.people import GROUP, Body
from tests.wall.rollouts import Before, at, by
from tests.wall.scene import Ask, Scene, notes
from tests.wall.writes import joined, merged, write_on

NOTHING = Ask(state="nothing")
PLACE = at("namespaces", "place-{name}", namespace="", version="v1")
NODE = at("nodes", "node-{name}", namespace="", version="v1")
GATE, ONLY_LABEL, DRAIN, MODE = (
    "gatehold.dev/rollouts",
    "gatehold.dev/only-rollouts",
    "gatehold.dev/drain",
    "gatehold.dev/drain-mode",
)


def named(kind: str, name: str, **labels: str) -> Body:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "labels": labels}}


def label(**labels: str | None) -> Body:
    """Labels of ours: rollouts="web", only_rollouts=None."""
    return {"metadata": {"labels": {f"gatehold.dev/{key.replace('_', '-')}": value for key, value in labels.items()}}}


def ours(body: Body) -> dict[str, str]:
    return {key: value for key, value in body["metadata"]["labels"].items() if value is not None}


def labelled(body: Body) -> Check:
    """Afterwards these labels are there, and those that are None are not."""
    wanted = body["metadata"]["labels"]
    return lambda scene, after: all(
        ((after or {})["metadata"].get("labels") or {}).get(key) == value for key, value in wanted.items()
    )


def place(body: Body | None = None) -> Before:
    """A namespace of the row's own, with these labels."""
    return by(
        "admin",
        lambda scene: Call(
            path("v1", "namespaces"), named("Namespace", f"place-{scene.name}", **ours(body or label())), "post"
        ),
    )


def node(body: Body | None = None) -> Before:
    """A node of the row's own, with these labels, and its kubelet."""

    def make(scene: Scene) -> None:
        admin = scene.people["admin"]
        admin.must(Call(path("v1", "nodes"), named("Node", f"node-{scene.name}", **ours(body or label())), "post"))
        scene.people["kubelet"] = admin.impersonating(f"system:node:node-{scene.name}", "system:nodes")

    return make


def on_place(
    says: str,
    who: str,
    body: Any,
    refused: str = "",
    *,
    was: Body | None = None,
    how: str = "merge",
    sub: str = "",
    **more: Any,
) -> Attempt:
    """A write on a namespace that was labelled so. Let through, it has to leave what was written."""
    if not refused and isinstance(body, dict):
        more = {"leaves": labelled(body), **more}
    more = {"policy": NAMESPACES, **more}
    return Attempt(
        f"a namespace: {says}",
        by=who,
        do=write_on(PLACE, body, how, sub),
        refused=refused,
        ask=NOTHING,
        before=place(was),
        target=PLACE,
        **more,
    )


def new_place(says: str, who: str, body: Body, refused: str = "", **more: Any) -> Attempt:
    def call(scene: Scene) -> Call:
        return Call(path("v1", "namespaces"), merged(named("Namespace", f"place-{scene.name}"), body), "post")

    more = {"policy": NAMESPACES, **more}
    return Attempt(f"a new namespace: {says}", by=who, do=call, refused=refused, ask=NOTHING, target=PLACE, **more)


def is_behind(gate: str) -> str:
    return f" is behind gate {gate}: changing that takes verb bind on gates with resourceName {gate}"


def would_be(gate: str) -> str:
    return f" would be behind gate {gate}: that takes verb bind on gates with resourceName {gate}"


WEB, MINE, NONE = label(rollouts="web"), label(rollouts="mine"), label(rollouts=None)
CLOSE, OPEN = label(only_rollouts="true"), label(only_rollouts=None)
NO_GATE = " has no gate: changing label gatehold.dev/only-rollouts there takes verb bind on gates without a resourceName"
IS_CLOSED = " has no gate and takes Rollouts only: changing label gatehold.dev/"
NO_NAME = " there takes verb bind on gates without a resourceName"

BEHIND_GATES = [
    new_place("behind a gate, without the right", "nomad", WEB, would_be("web")),
    new_place("behind a gate, with the right", "binder", WEB, leaves=labelled(WEB)),
    new_place("behind a gate that is not there", "binder", label(rollouts="absent"), would_be("absent")),
    new_place("an ordinary one", "nomad", {}, leaves=field_is("kind", "Namespace")),
    new_place("closed, with the right on all gates", "chief", CLOSE, leaves=labelled(CLOSE)),
    new_place("closed, with the right on one gate", "binder", CLOSE, NO_GATE),
    new_place("closed and behind a gate, with the right on it", "binder", joined(WEB, CLOSE), leaves=labelled(joined(WEB, CLOSE))),
    new_place("a label of ours that means nothing", "chief", label(rollout="web"), "gatehold.dev/rollout means nothing on a Namespace; known are the labels gatehold.dev/rollouts, gatehold.dev/argo-rollouts, gatehold.dev/pods and gatehold.dev/only-rollouts, and annotation gatehold.dev/pods-exempt"),
    on_place("put behind a gate without the right", "nomad", WEB, would_be("web")),
    on_place("put behind a gate with the right", "binder", WEB),
    on_place("put behind a gate by the operator", "operator", WEB, would_be("web")),
    on_place("taken from behind a gate without the right", "nomad", NONE, is_behind("web"), was=WEB),
    *(on_place(f"taken from behind a gate by {how}{' through /' + sub if sub else ''}", "nomad", NONE, is_behind("web"), was=WEB, how=how, sub=sub) for how, sub in (("put", ""), ("strategic", ""), ("merge", "status"), ("put", "status"), ("put", "finalize"))),
    on_place("taken from behind a gate by JSON patch", "nomad", [{"op": "remove", "path": "/metadata/labels/gatehold.dev~1rollouts"}], is_behind("web"), was=WEB, how="json"),
    on_place("all its labels are taken off", "nomad", {"metadata": {"labels": None}}, is_behind("web"), was=WEB),
    on_place("taken from behind a gate with the right", "binder", NONE, was=WEB),
    on_place("taken from behind a gate by the operator", "operator", NONE, is_behind("web"), was=WEB),
    on_place("moved to a gate of one's own", "nomad", MINE, is_behind("web"), was=WEB),
    on_place("moved to a gate of one's own by apply", "nomad", MINE, is_behind("web"), was=WEB, how="apply"),
    on_place("moved away to another's gate", "binder", MINE, would_be("mine"), was=WEB),
    on_place("moved by who may bind all", "chief", MINE, was=WEB),
    on_place("an empty gate", "chief", label(rollouts=""), "label gatehold.dev/rollouts names the Gate that asks about the Rollouts of this namespace", was=WEB),
    on_place("closed with the right on its gate", "binder", CLOSE, was=WEB),
    on_place("closed without it", "nomad", CLOSE, "label gatehold.dev/only-rollouts of namespace ", was=WEB),
    on_place("opened without it", "nomad", OPEN, " takes verb bind on gates with resourceName web", was=joined(WEB, CLOSE)),
    on_place("opened without it through /status", "nomad", OPEN, "label gatehold.dev/only-rollouts of namespace ", was=joined(WEB, CLOSE), sub="status"),
    on_place("opened with the right on its gate", "binder", OPEN, was=joined(WEB, CLOSE)),
    on_place("one without a gate is opened with the right on another", "nomad", OPEN, IS_CLOSED + "only-rollouts" + NO_NAME, was=CLOSE),
    on_place("one without a gate gets one's own, to open it then", "nomad", MINE, IS_CLOSED + "rollouts" + NO_NAME, was=CLOSE),
    on_place("one without a gate gets one's own and is opened at once", "nomad", joined(MINE, OPEN), IS_CLOSED + "only-rollouts" + NO_NAME, was=CLOSE),
    on_place("one without a gate gets one by who may bind all", "chief", WEB, was=CLOSE),
    on_place("half closed", "chief", label(only_rollouts="yes"), 'label gatehold.dev/only-rollouts is "true", or absent', was=WEB),
    on_place("the label in capitals", "chief", {"metadata": {"labels": {"GateHold.dev/rollouts": "web"}}}, "a lowercase RFC 1123 subdomain", policy=SCHEMA),
    on_place("an annotation of ours that means nothing", "chief", notes({"gatehold.dev/pods-exempted": "x"}), "gatehold.dev/pods-exempted means nothing on a Namespace"),
    on_place("another label", "nomad", {"metadata": {"labels": {"team": "web"}}}, was=joined(WEB, CLOSE)),
    Attempt("a namespace: kube-system takes Rollouts only", by="chief", do=lambda scene: Call(path("v1", "namespaces", None, "kube-system"), CLOSE), refused="Rollouts do not run in the cluster's own namespaces; remove label gatehold.dev/only-rollouts", policy=NAMESPACES, ask=NOTHING, target=lambda scene: path("v1", "namespaces", None, "kube-system")),
    Attempt("a gate by an editor", by="ada", do=lambda scene: Call(path(GROUP, "gates"), {"apiVersion": GROUP, "kind": "Gate", "metadata": {"name": scene.name}, "spec": {"type": "Rollouts", "policyRef": {"name": "solo"}}}, "post"), refused='cannot create resource "gates"', policy=RBAC, ask=NOTHING, target=at("gates", namespace="", version=GROUP)),
    Attempt("a gate asks by another policy, says the operator", by="operator", do=lambda scene: Call(path(GROUP, "gates", None, "web"), {"spec": {"policyRef": {"name": "auto"}}}), refused='cannot patch resource "gates"', policy=RBAC, ask=NOTHING, target=at("gates", "web", namespace="", version=GROUP)),
    Attempt("a gate's status by a cluster admin", by="admin", do=lambda scene: Call(path(GROUP, "gates", None, "web", "status"), {"status": {"observedGeneration": 9}}), refused="status is written by the operator only", policy=STATUS, ask=NOTHING, target=at("gates", "web", namespace="", version=GROUP)),
]  # fmt: skip


DEAR, UNGATED = label(pods="dear"), label(pods=None)
EXEMPT = notes({"gatehold.dev/pods-exempt": "system:serviceaccount:ci:builder"})
UNEXEMPT = notes({"gatehold.dev/pods-exempt": None})
PODS_ARE = " are behind gate dear: changing that takes verb bind on gates with resourceName dear"
PODS_WOULD = " would be behind gate dear: that takes verb bind on gates with resourceName dear"
EXEMPTS = "annotation gatehold.dev/pods-exempt of namespace "
NO_POD_GATE = "annotation gatehold.dev/pods-exempt names who need not wait for the gate of label gatehold.dev/pods, and this namespace has none"
NEVER_GATED = "pods of this namespace are never gated (nothing could then open the gate); remove label gatehold.dev/pods"


def exempt(value: str = "system:serviceaccount:ci:builder") -> Before:
    """A namespace whose pods wait, but for those of that account."""
    body = joined(DEAR, notes({"gatehold.dev/pods-exempt": value}))
    return by(
        "admin",
        lambda scene: Call(path("v1", "namespaces"), merged(named("Namespace", f"place-{scene.name}"), body), "post"),
    )


def exempts(says: str, who: str, body: Any, refused: str = "", **more: Any) -> Attempt:
    """A write on that namespace."""
    wanted = body["metadata"]["annotations"]["gatehold.dev/pods-exempt"]

    def leaves(scene: Scene, after: Body | None) -> bool:
        return ((after or {})["metadata"].get("annotations") or {}).get("gatehold.dev/pods-exempt") == wanted

    do = write_on(PLACE, body, sub=more.pop("sub", ""))
    return Attempt(
        f"a namespace: {says}",
        by=who,
        do=do,
        refused=refused,
        policy=NAMESPACES,
        ask=NOTHING,
        before=exempt(),
        target=PLACE,
        leaves=leaves,
    )


POD_GATES = [
    new_place("whose pods wait, without the right", "nomad", DEAR, PODS_WOULD),
    new_place("whose pods wait, with the right", "binder", DEAR, leaves=labelled(DEAR)),
    new_place("whose pods wait, by the operator", "operator", DEAR, PODS_WOULD),
    new_place("whose pods wait for no name", "chief", label(pods=""), "label gatehold.dev/pods names the Gate that asks about the price of what runs in this namespace"),
    new_place("whose pods wait, and an account that need not", "binder", joined(DEAR, EXEMPT), leaves=labelled(DEAR)),
    new_place("whose pods wait, and an account that need not, without the right", "nomad", joined(DEAR, EXEMPT), PODS_WOULD),
    new_place("with an account that need not wait, and no gate", "chief", EXEMPT, NO_POD_GATE),
    on_place("its pods are put behind a gate without the right", "nomad", DEAR, PODS_WOULD),
    on_place("its pods are put behind a gate with the right", "binder", DEAR),
    *(on_place(f"its pods are taken from behind a gate by {how}{' through /' + sub if sub else ''}", "nomad", UNGATED, PODS_ARE, was=DEAR, how=how, sub=sub) for how, sub in (("merge", ""), ("put", ""), ("strategic", ""), ("merge", "status"), ("put", "status"), ("put", "finalize"))),
    on_place("all its labels are taken off, that of its pods among them", "nomad", {"metadata": {"labels": None}}, PODS_ARE, was=DEAR),
    on_place("its pods are taken from behind a gate with the right on another", "nomad", UNGATED, PODS_ARE, was=DEAR),
    on_place("its pods are taken from behind a gate by the operator", "operator", UNGATED, PODS_ARE, was=DEAR),
    on_place("its pods are taken from behind a gate with the right", "binder", UNGATED, was=DEAR),
    on_place("its pods are moved to a gate of one's own", "nomad", label(pods="mine"), PODS_ARE, was=DEAR),
    on_place("its pods are moved to another's gate", "binder", label(pods="mine"), " would be behind gate mine: that takes verb bind", was=DEAR),
    on_place("its pods are moved by who may bind all", "chief", label(pods="mine"), was=DEAR),
    on_place("an account that need not wait, where no pod does", "chief", EXEMPT, NO_POD_GATE),
    on_place("the label of its pods in capitals", "chief", label(Pods="dear"), "gatehold.dev/Pods means nothing on a Namespace"),
    exempts("another account need not wait, without the right", "nomad", notes({"gatehold.dev/pods-exempt": "system:serviceaccount:mine:me"}), EXEMPTS),
    exempts("another account need not wait, without the right, through /status", "nomad", notes({"gatehold.dev/pods-exempt": "system:serviceaccount:mine:me"}), EXEMPTS, sub="status"),
    exempts("another account need not wait, says the operator", "operator", notes({"gatehold.dev/pods-exempt": "system:serviceaccount:gatehold-system:gatehold"}), EXEMPTS),
    exempts("another account need not wait, with the right", "binder", notes({"gatehold.dev/pods-exempt": "system:serviceaccount:mine:me"})),
    exempts("nobody is exempt any more, without the right", "nomad", UNEXEMPT, EXEMPTS),
    exempts("nobody is exempt any more, with the right", "binder", UNEXEMPT),
    *(Attempt(f"a namespace: the pods of {place} wait", by="chief", do=lambda scene, place=place: Call(path("v1", "namespaces", None, place), DEAR), refused=NEVER_GATED, policy=NAMESPACES, ask=NOTHING, target=lambda scene, place=place: path("v1", "namespaces", None, place)) for place in ("kube-system", "kube-public", "kube-node-lease", "gatehold-system")),
]  # fmt: skip


def on_node(
    says: str,
    who: str,
    body: Any,
    refused: str = "",
    *,
    was: Body | None = None,
    how: str = "merge",
    sub: str = "",
    **more: Any,
) -> Attempt:
    if not refused and isinstance(body, dict):
        more = {"leaves": labelled(body), **more}
    more = {"policy": NODE_LABELS, **more}
    return Attempt(
        f"a node: {says}",
        by=who,
        do=write_on(NODE, body, how, sub),
        refused=refused,
        ask=NOTHING,
        before=node(was),
        target=NODE,
        **more,
    )


GPU = label(drain="web")
HOLD = label(drain_mode="Hold")
BOTH = joined(GPU, HOLD)
NODE_ROWS = [
    Attempt("a node: born behind a gate", by="nomad", do=lambda scene: Call(path("v1", "nodes"), named("Node", f"node-{scene.name}", **ours(GPU)), "post"), policy=NODE_LABELS, ask=NOTHING, target=NODE, leaves=labelled(GPU)),
    on_node("put behind a gate without the right", "nomad", GPU, would_be("web")),
    on_node("put behind a gate with the right", "binder", GPU),
    on_node("put behind a gate by its kubelet", "kubelet", GPU, would_be("web")),
    on_node("taken from behind a gate without the right", "nomad", label(drain=None), is_behind("web"), was=GPU),
    *(on_node(f"taken from behind a gate by {how}{' through /' + sub if sub else ''}", "nomad", label(drain=None), is_behind("web"), was=GPU, how=how, sub=sub) for how, sub in (("put", ""), ("strategic", ""), ("merge", "status"), ("put", "status"))),
    on_node("taken from behind a gate by its kubelet, through /status", "kubelet", label(drain=None), is_behind("web"), was=GPU, sub="status"),
    on_node("taken from behind a gate by the operator", "operator", label(drain=None), is_behind("web"), was=GPU),
    on_node("taken from behind a gate with the right", "binder", label(drain=None), was=GPU),
    on_node("moved to a gate of one's own", "nomad", label(drain="mine"), is_behind("web"), was=GPU),
    on_node("moved to another's gate", "binder", label(drain="mine"), would_be("mine"), was=GPU),
    on_node("an empty gate", "chief", label(drain=""), "label gatehold.dev/drain names the Gate that asks about drains of this node", was=GPU),
    on_node("relaxed without the right", "nomad", HOLD, is_behind("web"), was=GPU),
    on_node("relaxed with the right", "binder", HOLD, was=GPU, only="stopped"),
    on_node("relaxed by the operator", "operator", HOLD, was=GPU, only="stopped"),
    on_node("relaxed before there is a gate", "nomad", HOLD, "label gatehold.dev/drain-mode goes together with gatehold.dev/drain, which names a gate"),
    on_node("made strict without the right", "nomad", label(drain_mode=None), is_behind("web"), was=BOTH, only="stopped"),
    on_node("another label", "nomad", {"metadata": {"labels": {"team": "web"}}}, was=BOTH, only="stopped"),
]  # fmt: skip

GATE_ROWS = [*BEHIND_GATES, *POD_GATES, *NODE_ROWS]
