"""The moves that stories of Rollouts are made of: two pods, and one more as a canary; `rollout_stories` has the table.

The pods stand on a node that nobody plays. They come up, crash and go when the story says so, and no deadline runs unless
somebody sets it: between any two writes of the operator there is as much time as a death takes.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from tests.e2e.stage import GROUP, Body
from tests.faults.rollout_story import RolloutLife, node
from tests.faults.stories import NODE, until_known
from tests.faults.story import Life
from tests.wall.api import Call, path

Look = Callable[[Any], bool]
_NOW: Final = "2026-01-01T00:00:00Z"

# ---- the setting


def first_version(**approval: object) -> Callable[[Life], None]:
    """A Rollout with one step and one question, `approval` being what is special about that; and its first version."""

    def make(life: Life) -> None:
        node(life, NODE)
        policy = f"{life.stage.namespace}-promotes"
        spec = {"quorum": [{"role": "sre"}], "effects": ["Promote"], "onUnknownRequester": "Allow"}
        body = {"apiVersion": GROUP, "kind": "ApprovalPolicy", "metadata": {"name": policy}, "spec": spec}
        answer = life.stage.api().send(Call(path(GROUP, "approvalpolicies"), body, "post"))
        assert answer.ok or answer.code == 409, answer.message
        until_known(life, "approvalpolicies", policy)
        asks = {"approval": {"policyRef": {"name": policy}, **approval}}
        life.stage.api("ci").must(Call(life.stage.path("gro"), _rollout(life, [{"setWeight": 20}, asks]), "post"))

    return make


def _rollout(life: Life, steps: list[Body]) -> Body:
    pods = {
        "metadata": {"labels": {"app": life.name}},
        "spec": {
            "nodeName": NODE,
            "tolerations": [{"operator": "Exists"}],
            "containers": [{"name": "web", "image": "example.org/web:1"}],
        },
    }
    spec = {
        "replicas": 2,
        "selector": {"matchLabels": {"app": life.name}},
        "strategy": {"canary": {"steps": steps}},
        "template": pods,
    }
    return {"apiVersion": GROUP, "kind": "Rollout", "metadata": {"name": life.name}, "spec": spec}


# ---- what people wait for


def answered(track: str, version: int) -> Look:
    """A child has that version, and the operator has recorded its write."""
    return lambda life: _version(life.child(track)) == version and life.is_answered(track)


def told(look: Look, *events: str) -> Look:
    """The same, and those of these Events are there that only the run under way tells of.

    Others can be late after a death: a request tells what is missing at its next write, or once retention has seen it.
    """
    wanted = Counter(event for event in events if event.startswith("rollout: "))
    return lambda life: look(life) and not wanted - Counter(life.told())


def rests(life: RolloutLife) -> bool:
    """The first version runs, and who made it is forgotten."""
    status, notes = life.status(), life.seen.get("metadata", {}).get("annotations", {})
    return status.get("phase") == "Healthy" and "run" not in status and not notes.get("gatehold.dev/authors")


def held(life: RolloutLife) -> bool:
    """People are asked, and the Rollout says until when; about its newest version."""
    prepared = "requestDigest" in life.question().get("status", {})
    return prepared and "until" in life.status() and life.is_current() and _version(life.child("canary")) == _asked(life)


def promoting(version: int) -> Look:
    """Stable was written with that version, and the request says that its yes was used."""

    def look(life: RolloutLife) -> bool:
        begun = life.question().get("status", {}).get("effect", {}).get("state") == "Running"
        return (begun or "run" not in life.status()) and answered("stable", version)(life)

    return look


def is_undone(life: RolloutLife) -> bool:
    """What was begun is being undone, or was."""
    status = life.status()
    return bool(status.get("run", {}).get("stage") == "Undoing" or status.get("lastRun", {}).get("outcome") == "Failed")


def at_once(life: RolloutLife) -> bool:
    """Nothing is waited for."""
    return True


def _asked(life: RolloutLife) -> int:
    return _version(life.seen)


def _version(body: Body) -> int:
    """The tag of the image; 0 where there is no such object."""
    return int(body["spec"]["template"]["spec"]["containers"][0]["image"].rsplit(":", 1)[1]) if body else 0


# ---- what people do, and pods


def runs(track: str) -> Look:
    """All pods of a child are ready, and those that were told to go are gone."""

    def act(life: RolloutLife) -> bool:
        for pod in life.pods(track):
            if "deletionTimestamp" in pod["metadata"]:
                life.stage.api().send(Call(life.pod_path(pod), {"gracePeriodSeconds": 0}, "delete"))
            elif pod["status"]["phase"] == "Pending":
                life.stage.api().send(Call(life.pod_path(pod, "status"), {"status": _ready(pod)}))
        return _is_whole(life.child(track))

    return act


def crashes(track: str) -> Look:
    """A pod that is not ready yet is in a crash loop."""

    def act(life: RolloutLife) -> bool:
        waiting = [pod for pod in life.pods(track) if pod["status"]["phase"] == "Pending"]
        for pod in waiting:
            life.stage.api().must(Call(life.pod_path(pod, "status"), {"status": _crash_loop(pod)}))
        return bool(waiting)

    return act


def deploys(version: int) -> Look:
    """The pipeline sends that version."""

    def act(life: RolloutLife) -> bool:
        containers = [{"name": "web", "image": f"example.org/web:{version}"}]
        change = {"spec": {"template": {"spec": {"containers": containers}}}}
        life.refusal = life.stage.api("ci").send(Call(life.stage.path("gro", life.name), change)).message
        life.look()
        return _asked(life) == version

    return act


def has_patience(seconds: int) -> Look:
    """Somebody says how long pods may take."""

    def act(life: RolloutLife) -> bool:
        change = {"spec": {"progressDeadlineSeconds": seconds}}
        return life.stage.api("ci").send(Call(life.stage.path("gro", life.name), change)).ok

    return act


def says(user: str, word: str, comment: str) -> Look:
    """Somebody's word about the question that is open. It counts as said once it stands there."""

    def act(life: RolloutLife) -> bool:
        if life.has_said(user, word):
            return True
        let_in, life.refusal = life.stage.word(user, life.question()["metadata"]["name"], word, comment)
        return let_in

    return act


def _ready(pod: Body) -> Body:
    (container,) = pod["spec"]["containers"]
    ids = {"image": container["image"], "imageID": f"example.org/web@{container['image']}"}
    running = {
        "name": "web",
        **ids,
        "ready": True,
        "started": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": _NOW}},
    }
    return {"phase": "Running", "containerStatuses": [running], "conditions": _conditions("True")}


def _crash_loop(pod: Body) -> Body:
    (container,) = pod["spec"]["containers"]
    waits = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}}
    ids = {"image": container["image"], "imageID": f"example.org/web@{container['image']}"}
    crashed = {"name": "web", **ids, "ready": False, "started": False, "restartCount": 5, "state": waits}
    return {"phase": "Running", "containerStatuses": [crashed], "conditions": _conditions("False")}


def _conditions(ready: str) -> list[Body]:
    kinds = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    status = {"Ready": ready, "ContainersReady": ready}
    return [{"type": kind, "status": status.get(kind, "True"), "lastTransitionTime": _NOW} for kind in kinds]


def _is_whole(child: Body) -> bool:
    meta, status, wanted = child["metadata"], child.get("status", {}), child["spec"]["replicas"]
    counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    return status.get("observedGeneration") == meta["generation"] and counts == [wanted] * 3
