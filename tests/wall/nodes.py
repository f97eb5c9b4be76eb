"""How rows on nodes are written: a node of the row's own, in the state that it needs, and one write on it."""

from collections.abc import Callable
from typing import Any

from tests.wall.api import Call, path
from tests.wall.attempt import NODES, Attempt, Check, notes_of
from tests.wall.people import SHOP, Body
from tests.wall.rollouts import Before, at, by, then, wait
from tests.wall.scene import Ask, Scene, notes
from tests.wall.writes import write_on

NOTHING = Ask(state="nothing")
NODE = at("nodes", "node-{name}", namespace="", version="v1")
CORDONED_BY, RELEASED_BY, REQUEST = "gatehold.dev/cordoned-by", "gatehold.dev/released-by", "gatehold.dev/request"
UID = "0a1b2c3d-0000-4000-8000-000000000001"
OTHER_UID = "0a1b2c3d-0000-4000-8000-000000000002"
MANAGER = "system:serviceaccount:gatehold-system:gatehold"

DENY: Body = {"metadata": {"labels": {"gatehold.dev/drain": "gpu"}}}
HOLD: Body = {"metadata": {"labels": {"gatehold.dev/drain": "gpu", "gatehold.dev/drain-mode": "Hold"}}}
FREE: Body = {}
"""What a node is born with: a gate, whose mode is Deny; one whose mode is Hold; nothing."""

CORDON: Body = {"spec": {"unschedulable": True}}
UNCORDON: Body = {"spec": {"unschedulable": None}}
SIGNS: Body = notes({RELEASED_BY: UID, REQUEST: "shop/drain-1"})
UNSIGNS: Body = notes({RELEASED_BY: None, REQUEST: None})


def taint(key: str, effect: str = "NoExecute", **more: str) -> Body:
    """The taints of a node, all of them: a merge patch replaces the list."""
    return {"spec": {"taints": [{"key": key, "effect": effect, **more}]}}


def body_of(scene: Scene, born: Body) -> Body:
    """A node as whoever registers it writes it."""
    meta = {"name": f"node-{scene.name}", **born.get("metadata", {})}
    return {"apiVersion": "v1", "kind": "Node", "metadata": meta, **{k: v for k, v in born.items() if k != "metadata"}}


def stands(born: Body = DENY) -> Before:
    """The node, its kubelet, and an account of the kubelet's name that is not of its group."""

    def make(scene: Scene) -> None:
        admin = scene.people["admin"]
        admin.must(Call(path("v1", "nodes"), body_of(scene, born), "post"))
        scene.people["kubelet"] = admin.impersonating(f"system:node:node-{scene.name}", "system:nodes")
        scene.people["namesake"] = admin.impersonating(f"system:node:node-{scene.name}", "node-workers")

    return make


def cordoned(born: Body = DENY, who: str = "wanda") -> Before:
    """The same, cordoned by that person, who says so, as stamping would."""
    return then(stands(born), by(who, write_on(NODE, {**CORDON, **notes({CORDONED_BY: who})})))


def signed(born: Body = DENY) -> Before:
    """The same, cordoned by the operator for a request."""
    return then(stands(born), by("operator", write_on(NODE, {**CORDON, **SIGNS})))


def tainted(*keys: str) -> Before:
    """Wait until the cluster's controllers have put the taints of a new node to what they think of it."""

    def settle(scene: Scene) -> None:
        read = scene.people["admin"].get
        wait(lambda: {found["key"] for found in (read(NODE(scene)) or {})["spec"].get("taints", [])} == set(keys))

    return settle


def on_node(
    says: str,
    who: str,
    body: Any,
    refused: str = "",
    *,
    before: Before | None = None,
    how: str = "merge",
    sub: str = "",
    **more: Any,
) -> Attempt:
    """A write on a node of gate gpu in mode Deny, unless it is said; an operator at work has nothing to do with that one."""
    more = {"policy": NODES, "only": "stopped" if before or who == "operator" else "", "target": NODE, **more}
    do = write_on(NODE, body, how, sub)
    return Attempt(f"a gated node: {says}", by=who, do=do, refused=refused, ask=NOTHING, before=before or stands(), **more)


def removed(says: str, who: str, refused: str = "", *, before: Before | None = None, **more: Any) -> Attempt:
    """A deletion of it."""
    more = {"policy": NODES, "only": "stopped" if before else "", "target": NODE, **more}
    do = lambda scene: Call(NODE(scene), None, "delete")  # noqa: E731
    return Attempt(f"a gated node: {says}", by=who, do=do, refused=refused, ask=NOTHING, before=before or stands(), **more)


def born(says: str, who: str, body: Body, refused: str = "", **more: Any) -> Attempt:
    """A registration."""
    more = {"policy": NODES, "only": "stopped", "target": NODE, **more}
    do = lambda scene: Call(path("v1", "nodes"), body_of(scene, body), "post")  # noqa: E731
    return Attempt(f"a new node: {says}", by=who, do=do, refused=refused, ask=NOTHING, **more)


def pod_of(scene: Scene) -> str:
    return path("v1", "pods", SHOP, f"{scene.name}-pod")


def with_pod(scene: Scene) -> None:
    """A pod in namespace shop that nothing schedules."""
    body: Body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"{scene.name}-pod"}}
    body["spec"] = {"containers": [{"name": "main", "image": "web:1"}], "schedulerName": "nobody"}
    scene.uids["pod"] = scene.people["admin"].must(Call(path("v1", "pods", SHOP), body, "post"))["metadata"]["uid"]


def evicts(says: str, who: str, options: Callable[[Scene], Body], refused: str = "", **more: Any) -> Attempt:
    """An eviction of that pod."""

    def call(scene: Scene) -> Call:
        body: Body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": f"{scene.name}-pod"}}
        return Call(pod_of(scene) + "/eviction", body | {"deleteOptions": options(scene)}, "post")

    return Attempt(
        f"an eviction: {says}", by=who, do=call, refused=refused, ask=NOTHING, before=with_pod, target=pod_of, **more
    )


# ---- how it stands afterwards


def is_cordoned(by: str | None = None, *, unstamped: str | None = None) -> Check:
    """It takes no new pods, and its stamp says who cordoned it (where nothing stamps: what was written by hand)."""
    return lambda scene, after: bool(
        (after or {})["spec"].get("unschedulable")
        and notes_of(after).get(CORDONED_BY) == (by if scene.stamped else unstamped)
    )


def is_open(scene: Scene, after: Body | None) -> bool:
    """It takes pods; where something stamps, nobody is said to have cordoned it."""
    return not (after or {})["spec"].get("unschedulable") and not (scene.stamped and CORDONED_BY in notes_of(after))


def has_notes(**wanted: str | None) -> Check:
    """Annotations of ours afterwards, as released_by=UID (None: absent)."""
    return lambda scene, after: all(
        notes_of(after).get(f"gatehold.dev/{key.replace('_', '-')}") == value for key, value in wanted.items()
    )


def both(*checks: Check) -> Check:
    return lambda scene, after: all(check(scene, after) for check in checks)
