"""What Argo Rollouts reads before it pauses: its ReplicaSets, and its marks on Services. Rows of the wall's table."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from typing import Any

from tests.wall.api import Call, path
from tests.wall.argo import (
    ARGOPROJ,
    EXPERIMENT,
    HASH,
    MANAGED,
    NOTHING,
    RUN,
    SERVICE,
    SET,
    WAVES,
    has_owner,
    has_run,
    has_service,
    own_set,
    owned_set,
    removed,
    replica_set,
    run,
    service,
)
from tests.wall.attempt import ARGO_CHILDREN, Attempt, field_is, gone
from tests.wall.people import Body
from tests.wall.rollouts import Before, Target
from tests.wall.scene import notes
from tests.wall.writes import Do, write_on

ITS_OWN = " belongs to a Rollout of Argo Rollouts, whose controller alone makes, changes and deletes it: change the Rollout instead"
ITS_RUN = " belongs to another object of Argo Rollouts, whose controller alone makes it, says how it went and deletes it: a run that is called successful lets a version through."
ITS_MARKS = " carries the version of a Rollout (selector rollouts-pod-template-hash, annotation argo-rollouts.argoproj.io/managed-by-rollouts): its controller alone writes these; "


def row(says: str, who: str, do: Do, refused: str = "", *, target: Target, before: Before | None, **more: Any) -> Attempt:
    more = {"policy": ARGO_CHILDREN, "only": "once stopped", **more}
    return Attempt(f"behind an Argo Rollout: {says}", by=who, do=do, refused=refused, ask=NOTHING, target=target, before=before, **more)  # fmt: skip


def on_set(says: str, who: str, body: Any, refused: str = "", *, how: str = "merge", sub: str = "", **more: Any) -> Attempt:
    more = {"before": owned_set, **more}
    return row(f"a ReplicaSet: {says}", who, write_on(SET, body, how, sub), refused, target=SET, **more)


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


def on_run(says: str, who: str, body: Any, refused: str = "", *, how: str = "merge", **more: Any) -> Attempt:
    more = {"target": RUN, "before": has_run(), **more}
    return row(f"a run: {says}", who, write_on(more["target"], body, how), refused, **more)


def new_run(says: str, who: str, refused: str = "", *, owner: str | None = "Rollout") -> Attempt:
    do: Do = lambda scene: Call(path(ARGOPROJ, "analysisruns", WAVES), run(scene, owner=owner), "post")  # noqa: E731
    return row(f"a new run: {says}", who, do, refused, target=RUN, before=has_owner())


STRIPPED: Body = {"metadata": {"ownerReferences": None, "labels": {HASH: None}}, "spec": {"selector": {"matchLabels": {HASH: None}}, "template": {"metadata": {"labels": {HASH: None}}}}}  # fmt: skip
DEADLINE = notes({"scale-down-deadline": "2036-01-01T00:00:00Z"})


SETS = [
    on_set("another image", "dora", {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "evil:1"}]}}}}, ITS_OWN),
    on_set("its size", "dora", {"spec": {"replicas": 5}}, ITS_OWN),
    on_set("its size, through scale", "dora", {"spec": {"replicas": 5}}, ITS_OWN, sub="scale"),
    on_set("its size, through scale by JSON patch", "dora", [{"op": "replace", "path": "/spec/replicas", "value": 5}], ITS_OWN, sub="scale", how="json"),
    on_set("its size, through scale by who may override the gate", "dana", {"spec": {"replicas": 5}}, ITS_OWN, sub="scale"),
    on_set("its size, through scale by its controller", "argo", {"spec": {"replicas": 0}}, sub="scale"),
    on_set("of its own: its size, through scale", "dora", {"spec": {"replicas": 0}}, sub="scale", before=own_set),
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
SUCCESS: Body = {"status": {"phase": "Successful"}}
RUNS = [
    on_run("called successful", "dora", SUCCESS, ITS_RUN),
    on_run("called successful by put", "dora", SUCCESS, ITS_RUN, how="put"),
    on_run("called successful by who may override the gate", "dana", SUCCESS, ITS_RUN),
    on_run("called successful by the name of its controller, without its pod", "unbound", SUCCESS, ITS_RUN),
    on_run("called successful by its controller", "argo", SUCCESS, leaves=field_is("status.phase", "Successful")),
    on_run("an experiment is called successful", "dora", SUCCESS, ITS_RUN, target=EXPERIMENT, before=has_run("Experiment")),
    on_run("what an experiment measures is called successful", "dora", SUCCESS, ITS_RUN, before=has_run(owner="Experiment")),
    on_run("it measures something else", "dora", {"spec": {"metrics": []}}, ITS_RUN),
    on_run("it measures nothing", "dora", [{"op": "remove", "path": "/spec/metrics"}], ITS_RUN, how="json"),
    on_run("its owner goes", "dora", {"metadata": {"ownerReferences": None}}, ITS_RUN),
    on_run("its owner goes, by the collector", "collector", {"metadata": {"ownerReferences": None}}),
    on_run("it is ended", "dora", {"spec": {"terminate": True}}, leaves=field_is("spec.terminate", True)),
    on_run("a label", "gitops", {"metadata": {"labels": {"a": "b"}}}),
    on_run("anybody's own is called successful", "dora", SUCCESS, before=has_run(owner=None)),
    row("a run: deleted", "dora", removed(RUN), ITS_RUN, target=RUN, before=has_run()),
    row("a run: deleted by its controller", "argo", removed(RUN), target=RUN, before=has_run(), leaves=gone),
    row("a run: deleted by the collector", "collector", removed(RUN), target=RUN, before=has_run(), leaves=gone),
    row("a run: anybody's own is deleted", "dora", removed(RUN), target=RUN, before=has_run(owner=None), leaves=gone),
    new_run("of a Rollout", "dora", ITS_RUN),
    new_run("of a Rollout, under another kind", "dora", ITS_RUN, owner="Whatever"),
    new_run("of a Rollout, by the controller", "argo"),
    new_run("of one's own", "dora", owner=None),
]  # fmt: skip
ARGO_CHILD_ROWS = [*SETS, *SERVICES, *RUNS]
