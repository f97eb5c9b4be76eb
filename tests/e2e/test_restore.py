"""Backup and restore, as docs/how-to/backup-and-restore.md says: what comes back, what is refused, and what is asked anew.

Objects are re-created as backup tools do it: name, labels, annotations and spec, without status, under a new uid. The store
of an API server is set back as a snapshot of etcd does it: everything as it was, and what came later is forgotten.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from controlplane import API_ONLY, Component, ControlPlane, wait_until
from controlplane.errors import TimeIsUpError
from playground import OperatorProcess, install, wait_enforced
from playground.operator_process import PATIENT
from tests.e2e.stage import STAMPED, Stage, failure, new_stage
from tests.wall.api import Answer, Call, path
from tests.wall.rollouts import child, rollout

Body = dict[str, Any]
GENERATED = ("controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name")


def as_restored(body: Body, namespace: str, **changes: Any) -> Body:
    """An object as a backup tool makes it again, elsewhere."""
    meta = {key: value for key, value in body["metadata"].items() if key in ("name", "labels", "annotations", "finalizers")}
    spec = {**body["spec"], **changes}
    if body["kind"] == "Job":  # what the API server fills in anew for each Job
        spec.pop("selector", None)
        labels = spec["template"]["metadata"].get("labels") or {}
        kept = {key: value for key, value in labels.items() if key not in GENERATED}
        spec["template"] = {**spec["template"], "metadata": {"labels": kept}}
    return {
        "apiVersion": body["apiVersion"],
        "kind": body["kind"],
        "metadata": {**meta, "namespace": namespace},
        "spec": spec,
    }


def bare(body: Body) -> Body:
    """The same without our marks, and without who asked: what a person would write."""
    meta = {key: body["metadata"][key] for key in ("name", "namespace")}
    return {**body, "metadata": meta, "spec": {key: value for key, value in body["spec"].items() if key != "requester"}}


def create(stage: Stage, body: Body, user: str = "admin", **query: str) -> Answer:
    """Create it in this namespace; the answer says whether it got in."""
    plural = {"Job": ("batch/v1", "jobs"), "Deployment": ("apps/v1", "deployments")}
    version, name = plural.get(body["kind"], (body["apiVersion"], f"{body['kind'].lower()}s"))
    return stage.api(user).send(Call(path(version, name, stage.namespace), body, "post", query=query))


def test_re_created_objects_are_held_refused_or_asked_about_anew(stage: Stage) -> None:
    policy = stage.policy()
    waiting, released = stage.job("waits", policy), stage.job("ran", policy)
    stage.request("asked", policy, job=waiting)
    stage.request("over", policy, job=released)
    for name in ("asked", "over"):
        stage.until_prepared(name)
        stage.say("alice", name, "approve")
    stage.say("bob", "over", "approve")
    stage.until_done("over")
    asked = stage.until("asked", lambda body: body["status"]["approvals"] == "1/2", "1/2")
    there = new_stage(stage.cluster, stage.operator)
    # a held Job comes back held; one that was let go does not come back as it was, and does if it is suspended and unsigned
    assert create(there, as_restored(stage.get("job", "waits"), there.namespace)).ok
    ran = as_restored(stage.get("job", "ran"), there.namespace)
    assert "created with spec.suspend: true" in create(there, ran).message
    unsigned = {**as_restored(stage.get("job", "ran"), there.namespace, suspend=True)}
    unsigned["metadata"] = {**unsigned["metadata"], "annotations": {}, "finalizers": []}
    assert create(there, unsigned).ok
    # a request does not come back with its answers, nor in another's name
    restored = as_restored(asked, there.namespace)
    assert not create(there, restored).ok
    assert not create(there, {**bare(restored), "spec": restored["spec"]}).ok
    # asked again by who had asked: the Job has another uid, so it is a question about something that is not there any more
    if STAMPED:
        assert create(there, bare(restored), "ci").ok
        over = there.until_done("asked")
        assert (over["status"]["phase"], failure(over)) == ("Failed", "SubjectChanged")
    # what people do: a new question, which nobody has answered
    there.request("anew", policy, job=there.get("job", "waits"))
    new = there.until_prepared("anew")
    assert (new["status"]["phase"], new["status"]["approvals"]) == ("Pending", "0/2")
    assert new["status"]["requestDigest"] != asked["status"]["requestDigest"]
    assert there.pods_of(there.get("job", "waits")) == []
    assert there.get("job", "ran")["spec"]["suspend"] is True


def test_a_rollout_comes_back_without_its_marks_and_its_children(stage: Stage) -> None:
    made = rollout("web")
    marked = {**made, "metadata": {"name": "web", "annotations": {"gatehold.dev/authors": "somebody"}}}
    held = {**made, "metadata": {"name": "web", "finalizers": ["gatehold.dev/rollout"]}}
    dry = {"dryRun": "All"}

    came = create(stage, made, **dry)
    assert came.ok
    again = create(stage, marked, **dry)
    if STAMPED:  # whoever restores it is its author, whatever the backup says
        assert [answer.body["metadata"]["annotations"]["gatehold.dev/authors"] for answer in (came, again)] == [
            "admin",
            "admin",
        ]
    else:
        assert "gatehold.dev/authors" in again.message
    assert "finalizer" in create(stage, held, **dry).message
    assert not create(stage, child("web", "stable", "another-uid"), **dry).ok


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A control plane whose store can be set back. Nothing fills ClusterRole edit there, so admin asks instead of ci."""
    with ControlPlane.start(components=API_ONLY, nodes=0) as made:
        install(made)
        yield made


def set_back(plane: ControlPlane, work: Callable[[Path], None]) -> None:
    """Stop API server and etcd, do this with the folder of the data, and start both again."""
    for component in (Component.API_SERVER, Component.ETCD):
        plane.kill(component)
    work(plane.directory / "etcd")
    for component in (Component.ETCD, Component.API_SERVER):
        plane.restart(component)


def test_a_store_that_is_set_back_forgets_answers_and_people_give_them_again_before_the_operator_starts(
    plane: ControlPlane, tmp_path: Path
) -> None:
    operator = OperatorProcess(plane, **PATIENT)
    operator.start()
    try:
        wait_enforced(plane, 120)
    except TimeIsUpError as error:
        raise AssertionError(operator.log(60)) from error
    stage, snapshot = new_stage(plane, operator, pods=False), tmp_path / "snapshot"
    policy = stage.policy(effects=["None"])
    for name in ("regretted", "kept", "short"):
        stage.request(name, policy, user="admin", timeoutSeconds=20 if name == "short" else 600)
        stage.until_prepared(name)
    for name in ("regretted", "kept"):
        stage.say("alice", name, "approve")
        stage.until(name, lambda body: body["status"]["approvals"] == "1/2", "1/2")
    uid = stage.get("apr", "kept")["metadata"]["uid"]
    assert operator.stop() == 0
    set_back(plane, lambda data: shutil.copytree(data, snapshot) and None)
    until_it_takes_words(stage, "kept")
    # after the snapshot: a no, and a request
    stage.say("alice", "regretted", "deny", "p99 doubled, do not")
    stage.request("later", policy, user="admin")

    def from_snapshot(data: Path) -> None:
        shutil.rmtree(data)
        shutil.copytree(snapshot, data)

    set_back(plane, from_snapshot)
    until_it_takes_words(stage, "kept")
    # forgotten: the request, and the no; the wall stands, and takes the word again with the operator down
    assert stage.find("apr", "later") is None
    assert [entry for entry in words(stage, "regretted") if entry.startswith("deny")] == []
    stage.say("alice", "regretted", "deny", "p99 doubled, do not; said again after the restore")
    operator.start()
    denied = stage.until_done("regretted")
    assert denied["status"]["phase"] == "Denied"
    assert stage.until_done("short")["status"]["phase"] == "Expired"
    stage.say("bob", "kept", "approve")
    kept = stage.until_done("kept")
    assert (kept["status"]["phase"], kept["metadata"]["uid"]) == ("Approved", uid)
    assert operator.stop() == 0


def until_it_takes_words(stage: Stage, name: str) -> None:
    """An API server that has just started learns our kinds some seconds later; until then it answers 503 to a word."""
    if not STAMPED:
        return
    deny = {"metadata": {"annotations": {"gatehold.dev/deny": "only a look"}}}
    call = Call(stage.path("apr", name), deny, query={"dryRun": "All"})

    def taken() -> bool:
        try:
            return stage.api("alice").send(call).ok
        except urllib3.exceptions.HTTPError:
            return False

    wait_until(taken, "the API server takes a word", 120)


def words(stage: Stage, name: str) -> list[str]:
    """The verdicts that stand in a request's annotations."""
    notes = stage.get("apr", name)["metadata"].get("annotations", {})
    return [value for key, value in notes.items() if key.startswith("verdict.gatehold.dev/")]
