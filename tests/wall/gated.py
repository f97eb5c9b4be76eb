"""How rows on pods and Jobs of a gated namespace are written: one of the row's own, as it has to be, and a write on it."""

from collections.abc import Callable, Sequence
from typing import Any

from tests.wall.api import Call, path
from tests.wall.attempt import GATED_JOBS, GATED_PODS, Attempt, Check, notes_of
from tests.wall.people import SHOP, Body
from tests.wall.places import PRICED
from tests.wall.rollouts import Before, Target, at, by, then, wait
from tests.wall.scene import Ask, Scene, notes
from tests.wall.writes import Do, joined, write_on

NOTHING = Ask(state="nothing")
DEAR = "dear"
"""The gate that pods of namespace PRICED wait for."""
WHY = "INC-4711: site down, sre asleep"
APPROVAL = "gatehold.dev/approval"
GATES: list[Body] = [{"name": APPROVAL}]
LABEL = {"gatehold.dev/pods": DEAR}
SIGN = notes({"gatehold.dev/released-by": "request-1"})
OPEN: Body = {"spec": {"schedulingGates": None}}
LET_GO: Body = {**OPEN, **SIGN}
GO: Body = {"spec": {"suspend": False}}
RESUME: Body = {**GO, **SIGN}
OVERRIDE = {**OPEN, **notes({"gatehold.dev/override": WHY, "gatehold.dev/override-by": "dana"})}
OVERRIDE_JOB = {**GO, **notes({"gatehold.dev/override": WHY, "gatehold.dev/override-by": "dana"})}

POD = at("pods", namespace=PRICED, version="v1")
JOB = at("jobs", namespace=PRICED, version="batch/v1")
CRON_JOB = at("cronjobs", namespace=PRICED, version="batch/v1")
SPEC: Body = {
    "containers": [{"name": "main", "image": "web:1", "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}}}],
    "schedulerName": "nobody",
}
TEMPLATE: Body = {"metadata": {"labels": {"app": "dear"}}, "spec": {**SPEC, "restartPolicy": "Never"}}
OWNER_UID = "0a1b2c3d-0000-4000-8000-00000000000a"


KEPT: Body = {"metadata": {"finalizers": ["example.com/kept"]}}
"""What this is on stays to be looked at, whoever deletes it meanwhile."""


def doomed(scene: Scene) -> None:
    """The collector has found that the owner of this pod is not there."""
    wait(lambda: "deletionTimestamp" in (scene.people["admin"].get(POD(scene)) or {})["metadata"])


def owned(kind: str, api_version: str = "apps/v1", *, controller: bool = True, name: str = "approved") -> Body:
    """Metadata that says who owns it; that owner was never there, so the finalizer keeps the collector from finishing."""
    owner = {"apiVersion": api_version, "kind": kind, "name": name, "uid": OWNER_UID, "controller": controller}
    return {"metadata": {"ownerReferences": [owner], **KEPT["metadata"]}}


def pod(scene: Scene, *changes: Body) -> Body:
    """A pod as somebody writes it who knows nothing of gates."""
    body: Body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": scene.name}, "spec": SPEC}
    for change in changes:
        body = joined(body, change)
    return body


MARKED: Body = {"metadata": {"labels": LABEL}, "spec": {"schedulingGates": GATES}}
"""What stamping adds to a pod, and a template has to bring where nothing stamps."""


def marked(scene: Scene, *changes: Body) -> Body:
    return pod(scene, MARKED, *changes)


def job(scene: Scene, *changes: Body) -> Body:
    body: Body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": scene.name}, "spec": {"template": TEMPLATE}}
    for change in changes:
        body = joined(body, change)
    return body


SUSPENDED: Body = {"metadata": {"labels": LABEL}, "spec": {"suspend": True}}


def made(who: str, body: Callable[[Scene], Body], version: str = "v1", plural: str = "pods", place: str = PRICED) -> Before:
    return by(who, lambda scene: Call(path(version, plural, place), body(scene), "post"))


def waits(*changes: Body) -> Before:
    """A pod that waits, made by dora."""
    return made("dora", lambda scene: marked(scene, *changes))


def went(*changes: Body) -> Before:
    """The same, let go by the operator."""
    return then(waits(*changes), by("operator", write_on(POD, LET_GO)))


def job_waits(*changes: Body) -> Before:
    return made("dora", lambda scene: job(scene, SUSPENDED, *changes), "batch/v1", "jobs")


def job_runs(*changes: Body) -> Before:
    return then(job_waits(*changes), by("operator", write_on(JOB, RESUME)))


def on_pod(says: str, who: str, body: Any, refused: str = "", *, how: str = "merge", sub: str = "", **more: Any) -> Attempt:
    """A write on a pod that waits, unless it is said."""
    more = {"policy": GATED_PODS, "only": "stopped", "target": POD, "before": waits(), **more}
    return Attempt(f"a gated pod: {says}", by=who, do=write_on(POD, body, how, sub), refused=refused, ask=NOTHING, **more)


def new_pod(says: str, who: str, body: Callable[[Scene], Body], refused: str = "", **more: Any) -> Attempt:
    """A creation of one."""
    more = {"policy": GATED_PODS, "only": "stopped", "target": POD, **more}
    do: Do = lambda scene: Call(path("v1", "pods", PRICED), body(scene), "post")  # noqa: E731
    return Attempt(f"a new pod behind a gate: {says}", by=who, do=do, refused=refused, ask=NOTHING, **more)


def on_job(says: str, who: str, body: Any, refused: str = "", *, how: str = "merge", sub: str = "", **more: Any) -> Attempt:
    """A write on a Job that waits, unless it is said."""
    more = {"policy": GATED_JOBS, "only": "stopped", "target": JOB, "before": job_waits(), **more}
    return Attempt(f"a gated Job: {says}", by=who, do=write_on(JOB, body, how, sub), refused=refused, ask=NOTHING, **more)


def new_job(says: str, who: str, body: Callable[[Scene], Body], refused: str = "", **more: Any) -> Attempt:
    more = {"policy": GATED_JOBS, "only": "stopped", "target": JOB, **more}
    do: Do = lambda scene: Call(path("batch/v1", "jobs", PRICED), body(scene), "post")  # noqa: E731
    return Attempt(f"a new Job behind a gate: {says}", by=who, do=do, refused=refused, ask=NOTHING, **more)


def removed(target: Target) -> Do:
    return lambda scene: Call(target(scene), None, "delete", {"propagationPolicy": "Background"})


def elsewhere(target: Target, namespace: str = SHOP) -> Target:
    """The same in a namespace without a gate."""
    return lambda scene: target(scene).replace(f"/namespaces/{PRICED}/", f"/namespaces/{namespace}/")


# ---- how it stands afterwards


def gates_of(after: Body | None) -> Sequence[str]:
    return [gate["name"] for gate in (after or {})["spec"].get("schedulingGates") or []]


def label_of(after: Body | None) -> str | None:
    found: str | None = ((after or {})["metadata"].get("labels") or {}).get("gatehold.dev/pods")
    return found


def is_waiting(scene: Scene, after: Body | None) -> bool:
    return APPROVAL in gates_of(after) and label_of(after) == DEAR


def is_free(scene: Scene, after: Body | None) -> bool:
    """Neither gate nor label, as those have it that are left alone."""
    return gates_of(after) == [] and label_of(after) is None


def is_open(scene: Scene, after: Body | None) -> bool:
    """It was let go: the label stays, by which it is still counted."""
    return gates_of(after) == [] and label_of(after) == DEAR


def is_suspended(scene: Scene, after: Body | None) -> bool:
    return bool((after or {})["spec"].get("suspend")) and label_of(after) == DEAR


def has(**wanted: str | None) -> Check:
    """Annotations of ours afterwards, as released_by=UID (None: absent)."""
    return lambda scene, after: all(
        notes_of(after).get(f"gatehold.dev/{key.replace('_', '-')}") == value for key, value in wanted.items()
    )
