"""What Argo Rollouts reads before it pauses: its ReplicaSets, and its marks on Services. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from typing import Any

from tests.wall.api import Call, path
from tests.wall.argo import (
    HASH,
    MANAGED,
    NOTHING,
    SERVICE,
    SET,
    WAVES,
    has_service,
    owned_set,
    removed,
    replica_set,
    service,
)
from tests.wall.attempt import ARGO_CHILDREN, Attempt, field_is, gone
from tests.wall.people import Body
from tests.wall.rollouts import Before, Target
from tests.wall.scene import notes
from tests.wall.writes import Do, write_on

ITS_OWN = " belongs to a Rollout of Argo Rollouts, whose controller alone makes, changes and deletes it: change the Rollout instead"
ITS_MARKS = " carries the version of a Rollout (selector rollouts-pod-template-hash, annotation argo-rollouts.argoproj.io/managed-by-rollouts): its controller alone writes these; "


def row(says: str, who: str, do: Do, refused: str = "", *, target: Target, before: Before | None, **more: Any) -> Attempt:
    more = {"policy": ARGO_CHILDREN, "only": "once stopped", **more}
    return Attempt(f"behind an Argo Rollout: {says}", by=who, do=do, refused=refused, ask=NOTHING, target=target, before=before, **more)  # fmt: skip


def on_set(says: str, who: str, body: Any, refused: str = "", *, how: str = "merge", sub: str = "", **more: Any) -> Attempt:
    return row(f"a ReplicaSet: {says}", who, write_on(SET, body, how, sub), refused, target=SET, before=owned_set, **more)


def new_set(says: str, who: str, *changes: Body, refused: str = "") -> Attempt:
    do: Do = lambda scene: Call(path("apps/v1", "replicasets", WAVES), replica_set(scene, *changes), "post")  # noqa: E731
    return row(f"a new ReplicaSet: {says}", who, do, refused, target=SET, before=None)


def on_service(
    says: str, who: str, body: Any, refused: str = "", *, how: str = "merge", sub: str = "", **more: Any
) -> Attempt:
    do = write_on(SERVICE, body, how, sub)
    return row(f"a Service: {says}", who, do, refused, target=SERVICE, before=has_service, **more)


def new_service(says: str, who: str, refused: str = "", **more: Any) -> Attempt:
    do: Do = lambda scene: Call(path("v1", "services", WAVES), service(scene, **more), "post")  # noqa: E731
    return row(f"a new Service: {says}", who, do, refused, target=SERVICE, before=None)


STRIPPED: Body = {"metadata": {"ownerReferences": None, "labels": {HASH: None}}, "spec": {"selector": {"matchLabels": {HASH: None}}, "template": {"metadata": {"labels": {HASH: None}}}}}  # fmt: skip
DEADLINE = notes({"scale-down-deadline": "2036-01-01T00:00:00Z"})


SETS = [
    on_set("another image", "dora", {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "evil:1"}]}}}}, ITS_OWN),
    on_set("its size", "dora", {"spec": {"replicas": 5}}, ITS_OWN),
    on_set("as if it still ran from before", "dora", DEADLINE, ITS_OWN),
    on_set("as if it still ran from before, through /status", "dora", DEADLINE, ITS_OWN, sub="status"),
    on_set("its owner goes", "dora", {"metadata": {"ownerReferences": None}}, ITS_OWN),
    on_set("its label goes", "dora", {"metadata": {"labels": {HASH: None}}}, ITS_OWN),
    on_set("another image, by who may override the gate", "dana", {"spec": {"replicas": 5}}, ITS_OWN),
    on_set("its size, by the name of its controller, without its pod", "unbound", {"spec": {"replicas": 5}}, ITS_OWN),
    on_set("its size, by its controller", "argo", {"spec": {"replicas": 1}}, leaves=field_is("spec.replicas", 1)),
    on_set("its status, by its own controller", "kcm", {"status": {"observedGeneration": 1}}, sub="status"),
    on_set("its size, by a stolen operator", "operator", {"spec": {"replicas": 0}}, "denied request: ", policy=f"{ARGO_CHILDREN}|gatehold-provision|gatehold-children"),
    row("a ReplicaSet: the stable one is deleted", "dora", removed(SET), ITS_OWN, target=SET, before=owned_set),
    row("a ReplicaSet: one is deleted by its controller", "argo", removed(SET), target=SET, before=owned_set, leaves=gone),
    new_set("of a version that nobody approved", "dora", refused=ITS_OWN),
    new_set("that a Rollout would adopt as one that still runs", "dora", STRIPPED, DEADLINE, refused=ITS_OWN),
    new_set("of its own, with nothing of Argo's", "dora", STRIPPED),
    new_set("by the controller", "argo"),
]  # fmt: skip

SERVICES = [
    on_service("another version", "dora", {"spec": {"selector": {HASH: "new"}}}, ITS_MARKS),
    on_service("no version", "dora", {"spec": {"selector": {HASH: None}}}, ITS_MARKS),
    on_service("no selector", "dora", [{"op": "remove", "path": "/spec/selector"}], ITS_MARKS, how="json"),
    on_service("replaced by its manifest", "dora", {"metadata": {"annotations": None}, "spec": {"selector": {HASH: None}}}, ITS_MARKS, how="put"),
    on_service("it belongs to another Rollout, says somebody", "dora", notes({MANAGED: "absent"}), ITS_MARKS),
    on_service("it belongs to another Rollout, through /status", "dora", notes({MANAGED: "absent"}), ITS_MARKS, sub="status"),
    on_service("another version, by who may override the gate", "dana", {"spec": {"selector": {HASH: "new"}}}, ITS_MARKS),
    on_service("another version, by the name of its controller, without its pod", "unbound", {"spec": {"selector": {HASH: "new"}}}, ITS_MARKS),
    on_service("another version, by its controller", "argo", {"spec": {"selector": {HASH: "new"}}}, leaves=lambda scene, after: (after or {})["spec"]["selector"][HASH] == "new"),
    on_service("a port more", "dora", {"spec": {"ports": [{"port": 81}]}}),
    on_service("a label", "gitops", {"metadata": {"labels": {"a": "b"}}}),
    row("a Service: deleted", "dora", removed(SERVICE), ITS_MARKS, target=SERVICE, before=has_service),
    row("a Service: deleted by its controller", "argo", removed(SERVICE), target=SERVICE, before=has_service, leaves=gone),
    new_service("that shows a version", "dora", ITS_MARKS, marked=True, mark="new"),
    new_service("an ordinary one", "dora"),
]  # fmt: skip
ARGO_CHILD_ROWS = [*SETS, *SERVICES]
