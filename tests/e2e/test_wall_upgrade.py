"""An upgrade under way: the wall and two operators are replaced one after the other, in both orders, with requests in every
state. While they do not fit nothing is released, and afterwards every request ends as it would have.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from controlplane import Cluster, ControlPlane, wait_until
from playground import Launch, OperatorProcess, install
from playground.operator_process import PATIENT
from tests.e2e.gaps import Body, jam, put, recorded, until_enforced
from tests.e2e.next_release import CHANGED, TEXTS, shipped_next, shipped_now, write
from tests.e2e.operators import metric, site, until_acting
from tests.e2e.stage import Stage, condition, new_stage


@dataclass
class Release:
    """One release: what it ships, and its two replicas."""

    texts: list[Body]
    pair: tuple[OperatorProcess, OperatorProcess]

    def apply(self) -> None:
        """Replace what is not as shipped, as `kubectl replace` would."""
        for body in self.texts:
            if (body["kind"], body["metadata"]["name"]) in CHANGED:
                put(self.pair[0].cluster, body, body)


@dataclass
class World:
    """What runs now, and what comes next."""

    cluster: Cluster
    now: Release
    coming: Release

    def roll(self) -> None:
        """Replace the replicas one after the other, the leader last."""
        for old, new in zip(reversed(self.now.pair), self.coming.pair, strict=True):
            assert old.stop() == 0, old.log(60)
            new.start()
            wait_until(lambda new=new: site(new, "/readyz")[0] == 200, f"{new.name} is ready", 120)  # type: ignore[misc]
        wait_until(lambda: metric(self.coming.pair[0], "gatehold_leader") == 1, "the new release acts", 120)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """This release is installed and acts; the next one is at hand."""
    folder: Path = tmp_path_factory.mktemp("next")
    write(folder)
    following = Launch("tests.e2e.next_release", {TEXTS: str(folder)})
    with ControlPlane.start(nodes=2) as cluster:
        install(cluster)

        def release(name: str, texts: list[Body], launch: Launch | None) -> Release:
            first, second = (OperatorProcess(cluster, f"{name}-{n}", launch, **PATIENT) for n in (0, 1))
            return Release(texts, (first, second))

        world = World(cluster, release("this", shipped_now(), None), release("next", shipped_next(), following))
        world.now.pair[0].start()
        until_acting(world.now.pair[0])
        world.now.pair[1].start()
        wait_until(lambda: site(world.now.pair[1], "/readyz")[0] == 200, "the standby is ready", 120)
        yield world
        for process in (*world.now.pair, *world.coming.pair):
            if process.code() is None:
                assert "Traceback" not in process.log(100_000), process.log(400)


@dataclass
class Scene:
    """Requests in every state, before anything is replaced."""

    stage: Stage
    denied: Body
    jobs: dict[str, Body]

    def suspended(self, name: str) -> bool:
        """Whether that Job is still held."""
        return self.stage.get("job", name)["spec"]["suspend"] is True


def build(stage: Stage, jammed: ExitStack) -> Scene:
    """One of each; `jammed` lets go of what keeps the approved one waiting."""
    two, one = stage.policy(), stage.policy(f"one-{stage.namespace}", quorum=[{"role": "sre"}], validitySeconds=600)
    fakes = {"running": "runs", "undoing": "runs", "undo": "runs"}
    jobs = {
        name: stage.job(name, two if name in ("asked", "half") else one, fake=fakes.get(name, ""))
        for name in ("asked", "half", "waiting", "running", "undoing", "undo")
    }
    stage.request("undoing", one, job=jobs["undoing"], undo=jobs["undo"])
    for name in ("asked", "half", "waiting", "running"):
        stage.request(name, two if name in ("asked", "half") else one, job=jobs[name])
    stage.request("denied", one)
    stage.request("unprepared", f"later-{stage.namespace}")
    for name in ("asked", "half", "waiting", "running", "undoing", "denied"):
        stage.until_prepared(name)
    stage.say("alice", "denied", "deny", "no")
    for name in ("half", "running", "undoing"):
        stage.say("alice", name, "approve")
    for name in ("running", "undoing"):
        stage.until(name, lambda body: body["status"].get("effect", {}).get("state") == "Running", "it runs")
    stage.say("bob", "undoing", "deny", "it goes wrong")
    stage.until("undoing", lambda body: undo_of(body).get("state") == "Running", "its undo runs")
    stage.until("half", lambda body: body["status"]["approvals"] == "1/2", "1/2")
    stage.until_held("unprepared", "PolicyNotFound")
    jammed.enter_context(jam(stage))
    stage.say("alice", "waiting", "approve")
    stage.until_phase("waiting", "Approved")
    return Scene(stage, stage.until_done("denied"), jobs)


def undo_of(body: Body) -> Body:
    """How the undo of a request stands."""
    found: Body = body["status"].get("effect", {}).get("undo", {})
    return found


def while_they_do_not_fit(scene: Scene) -> None:
    """Nothing is released and nothing prepared; what people say is kept, what stops and what undoes goes on."""
    stage = scene.stage
    stage.request("fresh", f"one-{stage.namespace}")
    assert "requestDigest" not in stage.until_held("fresh", "WallNotProven")["status"]
    stage.say("bob", "half", "approve", "at the wrong moment")
    half = stage.until("half", lambda body: len(body["status"]["verdicts"]) == 2, "bob's word is recorded")
    assert recorded(half) == [("approve", "alice", True, ""), ("approve", "bob", False, "Unproven")]
    held = stage.until_held("waiting", "WallNotProven")
    assert (held["status"]["phase"], held["status"]["effect"]["state"]) == ("Approved", "Waiting")
    assert stage.until_done("expiring")["status"]["phase"] == "Expired"
    stage.until("undo", lambda body: body.get("status", {}).get("active") == 1, "a pod of it", kind="job")
    for pod in stage.pods_of(scene.jobs["undo"]):
        stage.kubectl("label", "pod", pod["metadata"]["name"], "example.org/fake-")
    undone = stage.until_done("undoing")
    assert (undone["status"]["phase"], condition(undone, "RolledBack")) == ("Denied", ("True", "UndoCompleted"))
    assert all(scene.suspended(name) for name in ("asked", "half", "waiting"))
    assert stage.get("apr", "denied") == scene.denied


def afterwards(scene: Scene) -> None:
    """Every request ends as it would have."""
    stage = scene.stage
    waited = stage.until_done("waiting")
    assert (waited["status"]["phase"], recorded(waited)) == ("Released", [("approve", "alice", True, "")])
    stage.say("bob", "half", "approve", "again, now that it counts")
    for person in ("alice", "bob"):
        stage.say(person, "asked", "approve")
    stage.policy(f"later-{stage.namespace}", quorum=[{"role": "sre"}])
    for name in ("fresh", "unprepared"):
        stage.until_prepared(name)
        stage.say("alice", name, "approve")
        assert stage.until_done(name)["status"]["phase"] == "Approved"
    for name in ("half", "asked"):
        done = stage.until_done(name)
        assert done["status"]["phase"] == "Released"
        assert [who for _, who, counted, _ in recorded(done) if counted] == ["alice", "bob"]
    assert stage.get("apr", "running")["status"]["effect"]["state"] == "Running"
    stage.say("bob", "running", "deny", "enough")
    assert stage.until_done("running")["status"]["phase"] == "Denied"
    assert scene.suspended("running")
    for name in ("waiting", "half", "asked"):
        assert len(stage.pods_of(scene.jobs[name])) == 1
    assert stage.get("apr", "denied") == scene.denied


@pytest.mark.parametrize("wall_first", [True, False], ids=["wall-then-operators", "operators-then-wall"])
def test_an_upgrade_releases_nothing_and_loses_nothing(world: World, *, wall_first: bool) -> None:
    stage = new_stage(world.cluster, world.now.pair[0])
    with ExitStack() as jammed:
        scene = build(stage, jammed)
        stage.request("expiring", f"one-{stage.namespace}", timeoutSeconds=8)
        stage.until_prepared("expiring")
        world.coming.apply() if wall_first else world.roll()
        until_enforced(world.cluster, "False")
        reason = until_enforced(world.cluster, "False")["reason"]
        assert reason in ("TextDiffers", "NotProven")
    stage.operator = world.now.pair[0] if wall_first else world.coming.pair[0]
    while_they_do_not_fit(scene)
    world.roll() if wall_first else world.coming.apply()
    stage.operator = world.coming.pair[0]
    until_enforced(world.cluster, "True")
    world.now, world.coming = world.coming, world.now
    afterwards(scene)
