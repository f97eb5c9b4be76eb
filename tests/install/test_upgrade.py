"""From the release before this one by `helm upgrade`, with something under way at every gate; and then away with it all.

docs/how-to/uninstall.md is run by the letter, its first half on what the operator still ends itself, its second half on
what is held when it is gone.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from controlplane import ControlPlane
from controlplane.tools import tool
from gatehold.domain.phases import Phase
from gatehold.domain.status import EffectState
from tests.e2e.argo_pauses.dock import Dock, controller
from tests.e2e.drains.yard import Yard, is_cordoned, let_ci_drain, marks
from tests.e2e.operators import until_acting
from tests.e2e.provisioning.depot import Depot, is_gated, put_prices
from tests.e2e.rollouts.pages import Reader, blocks
from tests.e2e.rollouts.shop import TWENTY, Shop
from tests.e2e.stage import Body, Stage, new_stage
from tests.e2e.test_wall_upgrade import Scene, afterwards, build
from tests.install import chart, phases
from tests.install.asked import Asked, S, ask_everywhere, go_on
from tests.install.releases import NOW, Release, before
from tests.install.seat import Seat, after_a_roll, end, pods

PAGE = "uninstall.md"
LOOK, WHILE, AWAY, OPEN, RECORDS = (
    "1. See what is held",
    "2. While the operator runs",
    "3. Take it away",
    "4. Open what is still held",
    "5. The records",
)


@dataclass
class Life:
    """One installation from its first release to its end."""

    plane: ControlPlane
    first: Release
    seats: list[Seat] = field(default_factory=list)

    def stage(self, kind: type[S]) -> S:
        """A namespace with its people."""
        made = new_stage(self.plane, self.seats[0])
        return kind(made.cluster, made.namespace, made.operator)

    def dock(self) -> Dock:
        """A namespace for Argo Rollouts, whose controller is played by hand."""
        made = new_stage(self.plane, self.seats[0])
        return Dock(made.cluster, made.namespace, made.operator, controller(self.plane))

    def roll(self, release: Release) -> None:
        """Programs for the pods of the Deployment, as they are now; those whose pods are gone end. None acts afterwards."""
        self.seats = after_a_roll(self.plane, self.seats, release.operator)

    def act(self) -> None:
        """Both programs run, the first of them acts."""
        self.seats[0].start()
        until_acting(self.seats[0])
        self.seats[1].start()


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    """The former release is installed, and acts."""
    first = before(tmp_path_factory.mktemp("former"))
    with ControlPlane.start(nodes=2) as plane:
        chart.install(plane, "--set", chart.PATIENT, chart=first.chart)
        chart.wait_for_the_wall(plane)
        made = Life(plane, first)
        made.roll(first)
        made.act()
        let_ci_drain(plane)
        put_prices(plane)
        yield made


def test_an_upgrade_loses_nothing(life: Life) -> None:
    stage, over = life.stage(Stage), life.stage(Stage)
    records = phases.ended(over)
    with ExitStack() as jammed:
        scene = build(stage, jammed)
        asked = ask_everywhere(life, life.dock())
        _upgrade(life)
        life.roll(NOW)
        stage.request("unseen", f"one-{stage.namespace}")
        _every_phase_is_there(stage, records)
        life.act()
    _go_on(life, scene, asked)
    assert {name: over.get("apr", name) for name in records} == records


def _upgrade(life: Life) -> None:
    """As docs/how-to/upgrade.md says it: the kinds first, while the former operator goes on with them, then the rest."""
    kinds = chart.helm(life.plane, "show", "crds", str(NOW.chart)).stdout
    life.plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=kinds)
    chart.upgrade(life.plane, "--set", f"{chart.PATIENT},podAnnotations.build=next")
    shown = json.loads(chart.helm(life.plane, "history", chart.RELEASE, "-o", "json").stdout)
    assert [entry["status"] for entry in shown] == ["superseded", "deployed"]


def _every_phase_is_there(stage: Stage, records: dict[str, Body]) -> None:
    """No operator acts now, so that is how they stand. None is left out: each phase and state is at rest in one of them."""
    stand = phases.seen(stage.all("apr"))
    assert {name: stand[name] for name in phases.UNDER_WAY} == phases.UNDER_WAY
    ended = phases.seen(records.values())
    assert ended == phases.ENDS
    assert {phase for phase, _ in (*ended.values(), *stand.values())} == set(Phase)
    assert {state for _, state in (*ended.values(), *stand.values()) if state} == set(EffectState)


def _go_on(life: Life, scene: Scene, asked: Asked) -> None:
    """Every question is the same one as before, and ends as it would have; what runs goes on."""
    asked.operated_by(life.seats[0])
    scene.stage.operator = life.seats[0]
    scene.stage.request("fresh", f"one-{scene.stage.namespace}")
    afterwards(scene)
    scene.stage.until_prepared("unseen")
    go_on(asked)
    asked.yard.kubectl("delete", "poddisruptionbudget", "web")
    assert asked.yard.until_done("going")["status"]["phase"] == "Released"


@dataclass
class Held:
    """What waits when Gatehold goes: one of each kind."""

    jobs: Stage
    shop: Shop
    yard: Yard
    depot: Depot


@pytest.fixture(scope="module")
def held(life: Life) -> Held:
    """A Job that waits and one that runs, a canary, a node under maintenance, pods and a Job that are too dear."""
    jobs, shop, yard, depot = (life.stage(kind) for kind in (Stage, Shop, Yard, Depot))
    policy = jobs.policy(quorum=[{"role": "sre"}])
    waits, runs = jobs.job("waits", policy), jobs.job("runs", policy, fake="runs")
    for name, body in (("waits", waits), ("runs", runs)):
        jobs.request(name, policy, job=body)
        jobs.until_prepared(name)
    jobs.say("alice", "runs", "approve")
    jobs.until("runs", lambda body: body["status"].get("effect", {}).get("state") == "Running", "it runs")
    promotes = shop.promotes()
    shop.running(replicas=2)
    shop.rollout(image="2", replicas=2, steps=(*TWENTY, {"approval": {"policyRef": {"name": promotes}}}))
    shop.until_asked()
    yard.drains(quorum=[{"role": "sre"}])
    yard.drain(*yard.gated(policy=f"prod-{yard.namespace}"))
    yard.yes("drain", "alice")
    yard.until_done("drain")
    depot.gate()
    depot.deployment(replicas=2)
    depot.pod("solo")
    depot.batch("train")
    depot.until_waits("web", 2)
    return Held(jobs, shop, yard, depot)


def test_uninstalled_it_releases_nothing_and_everything_can_be_opened(life: Life, held: Held, tmp_path: Path) -> None:
    reader = Reader(life.plane, tmp_path)
    (reader.programs / "helm").symlink_to(tool("helm"))
    assert {block.section for block in blocks(PAGE)} == {LOOK, WHILE, AWAY, OPEN, RECORDS}

    said = _follow(reader, LOOK)
    assert all(name in said for name in ("waits", "runs", "train", "web", held.yard.node_of("n")["metadata"]["name"]))
    _follow(reader, WHILE)
    held.shop.until_gone("gro", "web")
    assert (held.shop.image("stable"), held.shop.find("deploy", "web-canary")) == ("1", None)
    assert "ownerReferences" not in held.shop.child("stable")["metadata"]
    held.shop.running("left", replicas=1)

    _follow(reader, AWAY)
    _pods_are_gone(life)
    _is_still_held(held)
    _follow(reader, OPEN)
    _is_open(life, held)
    _follow(reader, RECORDS)
    assert "alice" in (tmp_path / "gatehold-records.yaml").read_text()
    assert life.plane.kubectl("get", "crds", "-o", "name").stdout.count("gatehold.dev") == 0
    assert held.shop.child("stable", "left")["status"]["readyReplicas"] == 1


def _follow(reader: Reader, section: str) -> str:
    return "".join(reader.follow(block) for block in blocks(PAGE) if block.section == section)


def _pods_are_gone(life: Life) -> None:
    """The Deployment's pods end, so their programs do."""
    assert pods(life.plane, 0) == []
    end(life.seats)
    kinds = "validatingadmissionpolicies,clusterroles,clusterrolebindings,roles,rolebindings,deployments,services"
    left = life.plane.kubectl("get", kinds, "-A", "-l", "app.kubernetes.io/part-of=gatehold", "-o", "name").stdout
    assert left == ""


def _is_still_held(held: Held) -> None:
    """Nothing went on by itself."""
    assert held.jobs.get("job", "waits")["spec"]["suspend"] is True
    assert held.depot.get("job", "train")["spec"]["suspend"] is True
    assert all(is_gated(pod) for pod in [*held.depot.pods_named("web"), *held.depot.pods_named("solo")])
    assert is_cordoned(held.yard.node_of("n"))
    assert held.jobs.get("job", "runs")["metadata"]["finalizers"] == ["gatehold.dev/outcome"]


def _is_open(life: Life, held: Held) -> None:
    """Each of them goes on, or can be taken away."""
    held.depot.until_runs("web", 2)
    held.depot.until_runs("solo", 1)
    for stage, name in ((held.depot, "train"), (held.jobs, "waits")):
        stage.until(name, lambda body: body.get("status", {}).get("succeeded") == 1, "it is complete", kind="job")
    held.jobs.kubectl("delete", "job", "runs", "--wait=false")
    held.jobs.until_gone("job", "runs")
    node = held.yard.node_of("n")
    assert not is_cordoned(node)
    assert marks(node) == {}
    assert not any(key.startswith("gatehold.dev/") for key in node["metadata"]["labels"])
    assert life.plane.kubectl("get", "rollouts.gatehold.dev", "-A", "-o", "name").stdout == ""
    assert "ownerReferences" not in held.shop.child("stable", "left")["metadata"]
