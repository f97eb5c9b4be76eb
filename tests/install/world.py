"""What one installation lives through: a Job, a canary, drains, priced pods, and every word by which a Gate undoes."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, TypeVar

from controlplane import ControlPlane, wait_until
from tests.e2e.argo_pauses.dock import Dock, controller
from tests.e2e.drains.yard import let_ci_drain
from tests.e2e.held_drains.doors import until_proven
from tests.e2e.held_drains.hall import Hall, certs_init, let_people_drain
from tests.e2e.operators import until_acting
from tests.e2e.provisioning.depot import Depot, put_prices
from tests.e2e.rollouts.shop import TWENTY, Shop
from tests.e2e.stage import PATIENCE, Stage, condition, new_stage
from tests.install.asked import Asked, ask_everywhere, goes_on_with_their_gates, held_without_their_gates
from tests.install.gates import bring_back, leave_out
from tests.install.seat import Seat, after_a_roll
from tests.wall.api import Api

S = TypeVar("S", bound=Stage)
SCALED: Final = ("web", "db", "set", "controller", "shop")


@dataclass
class World:
    """The installation: its control plane, its replicas (the leader first), and what Helm said. Each life is lived once."""

    plane: ControlPlane
    replicas: tuple[Seat, ...]
    notes: str
    asked: Asked = field(init=False)
    """What is under way when the gates are left out."""

    @property
    def leader(self) -> Seat:
        """Who acts."""
        return self.replicas[0]

    def stage(self, kind: type[S]) -> S:
        """A namespace with its people."""
        made = new_stage(self.plane, self.leader)
        return kind(made.cluster, made.namespace, made.operator)

    @cached_property
    def job(self) -> Stage:
        """A Job is released, then taken back by a late no, and undone; its request goes when its time is over."""
        return undone(self.stage(Stage))

    @cached_property
    def canary(self) -> Shop:
        """Canaries are asked about and promoted; the last one is left to itself."""
        return promoted(self.stage(Shop))

    @cached_property
    def drains(self) -> Hall:
        """One node is drained by the operator on request, another by a person who waits for a yes."""
        let_ci_drain(self.plane)
        let_people_drain(self.plane)
        certs_init(self.plane, f"https://127.0.0.1:{self.leader.webhook_port}/evict")
        until_proven(self.leader)
        return drained(self.stage(Hall))

    @cached_property
    def controller(self) -> Api:
        """What Argo's controller, played by hand, writes with."""
        return controller(self.plane)

    @cached_property
    def argo(self) -> Dock:
        """A pause of an Argo Rollout is taken away after a yes, another ends by a no."""
        return promoted_by_argo(self.dock())

    def dock(self) -> Dock:
        """A namespace for Argo Rollouts."""
        made = new_stage(self.plane, self.leader)
        return Dock(made.cluster, made.namespace, made.operator, self.controller)

    @cached_property
    def priced(self) -> Depot:
        """A Deployment that is approved, and one so cheap that nobody is asked."""
        put_prices(self.plane)
        return approved(self.stage(Depot))

    @cached_property
    def taken_back(self) -> dict[str, Depot]:
        """Every word of onDenied, by it, each with one of every kind that it is for."""
        put_prices(self.plane)
        lives = {"ScaleBack": scaled_back, "Suspend": suspended, "Delete": deleted}
        return {word: live(self.stage(Depot)) for word, live in lives.items()}

    @cached_property
    def without_gates(self) -> Stage:
        """Every gate is left out with something under way at each; what was asked waits, and Jobs are held as ever."""
        put_prices(self.plane)
        let_ci_drain(self.plane)
        self.asked = ask_everywhere(self, self.dock())
        self.plane.kubectl("delete", "validatingwebhookconfiguration", "gatehold-evictions", "--ignore-not-found")
        leave_out(self.plane)
        self._roll()
        held_without_their_gates(self.asked)
        return undone(self.stage(Stage))

    @cached_property
    def with_gates_again(self) -> Asked:
        """The last life: all of them are there again, and go on with what was asked."""
        _ = self.without_gates
        bring_back(self.plane)
        self._roll()
        goes_on_with_their_gates(self.asked)
        return self.asked

    def _roll(self) -> None:
        """The Deployment has other pods; the program of the first of them acts, and there is no standby from then on."""
        self.replicas = tuple(after_a_roll(self.plane, self.replicas)[:1])
        self.asked.operated_by(self.leader)
        self.leader.start()
        until_acting(self.leader)


def undone(stage: Stage) -> Stage:
    """The life of `World.job`."""
    policy = stage.policy(quorum=[{"role": "sre"}], validitySeconds=600, retentionSeconds=1)
    held, undo = stage.job("load", policy, fake="runs"), stage.job("unload", policy)
    stage.request("load", policy, job=held, undo=undo)
    stage.until_prepared("load")
    stage.say("alice", "load", "approve")
    stage.until("load", lambda body: body["status"].get("effect", {}).get("state") == "Running", "it runs")
    stage.say("bob", "load", "deny", "it goes wrong")
    stage.until("unload", lambda body: body.get("status", {}).get("succeeded") == 1, "the undo is complete", kind="job")
    stage.until_gone("apr", "load")
    return stage


def promoted(shop: Shop) -> Shop:
    """The life of `World.canary`."""
    policy = shop.promotes(quorum=[{"role": "sre"}])
    steps = (*TWENTY, {"approval": {"policyRef": {"name": policy}}})
    shop.running(replicas=2, revisionHistoryLimit=1)
    name = ""
    for image in ("2", "3", "4"):
        shop.rollout(image=image, steps=steps, replicas=2, revisionHistoryLimit=1)
        name = shop.until_asked(beside=(name,))
        if image != "4":
            shop.yes(name, "alice")
            shop.until_healthy()
    shop.kubectl("delete", "gro/web", "--cascade=orphan", "--wait=false", user="ci")
    shop.until_gone("gro", "web")
    return shop


def drained(hall: Hall) -> Hall:
    """The life of `World.drains`."""
    policy = hall.drains(quorum=[{"role": "sre"}], effects=["Drain", "Release"])
    held = hall.held("held", count=1, policy={"quorum": [{"role": "sre"}]})
    drain = hall.kubectl_drain(held)
    question = hall.asked(PATIENCE)["metadata"]["name"]
    hall.say("alice", question, "approve")
    assert drain.ends(240) == 0, drain.said
    hall.node("shut", gate=_denying(hall, policy))
    hall.pod("kept", "shut")
    wait_until(lambda: "guards node" in hall.evict("kept")[1], "she may not drain, and is told how to ask", PATIENCE)
    hall.node("asked", gate=f"gate-{hall.namespace}")
    hall.pod("rest", "asked")
    hall.drain(f"{hall.namespace}-asked", policy=policy, evictUnmanagedPods=True)
    hall.yes("drain", "alice")
    hall.until_done("drain")
    hall.cluster.kubectl("uncordon", f"{hall.namespace}-asked")
    hall.until_free("asked")
    hall.until_done(question)
    return hall


def _denying(hall: Hall, policy: str) -> str:
    """A Gate of mode Deny, which is the default."""
    name = f"deny-{hall.namespace}"
    spec = {"type": "Drains", "policyRef": {"name": policy}, "drains": {"namespace": hall.namespace}}
    hall.apply({"apiVersion": "gatehold.dev/v1alpha1", "kind": "Gate", "metadata": {"name": name}, "spec": spec})
    return name


def promoted_by_argo(dock: Dock) -> Dock:
    """The life of `World.argo`."""
    dock.gate()
    dock.rollout()
    dock.push(2)
    dock.pauses("new")
    dock.approve(dock.asked())
    dock.goes_on(2)
    dock.pauses("new", 3)
    dock.deny(dock.asked(2))
    dock.aborts()
    return dock


def scaled_back(depot: Depot) -> Depot:
    """One of each kind that has replicas, each denied."""
    depot.gate(onDenied="ScaleBack")
    depot.deployment(replicas=1)
    depot.stateful_set("db", 1)
    depot.create(_replicas(depot, "apps/v1", "ReplicaSet", "set"), user="ci")
    controller = _replicas(depot, "v1", "ReplicationController", "controller")
    controller["spec"]["selector"] = controller["spec"]["selector"]["matchLabels"]
    depot.create(controller, user="ci")
    rollout = _replicas(depot, "gatehold.dev/v1alpha1", "Rollout", "shop")
    rollout["spec"]["strategy"] = {"canary": {"steps": [{"setWeight": 20}]}}
    depot.create(rollout, user="ci")
    return _denied(depot, SCALED)


def suspended(depot: Depot) -> Depot:
    """A Job and a CronJob, both denied."""
    depot.gate(onDenied="Suspend")
    depot.batch("train")
    depot.cron_job("nightly")
    depot.run_now("nightly", "nightly-1")
    return _denied(depot, ("train", "nightly"))


def deleted(depot: Depot) -> Depot:
    """One of each that the Gate deletes where it never ran."""
    depot.gate(onDenied="Delete")
    depot.deployment(replicas=1)
    depot.stateful_set("db", 1)
    depot.pod("solo")
    depot.batch("train")
    depot.cron_job("nightly")
    depot.run_now("nightly", "nightly-1")
    return _denied(depot, ("web", "db", "solo", "train", "nightly"))


def approved(depot: Depot) -> Depot:
    """The life of `World.priced`."""
    depot.gate()
    depot.deployment(replicas=2)
    depot.deployment("small", 1, {"cpu": "50m", "memory": "64Mi"})
    depot.approve("web")
    depot.until_runs("web", 2)
    depot.until_runs("small", 1)
    return depot


def _denied(depot: Depot, about: tuple[str, ...]) -> Depot:
    """Say no to all, and wait for all: most of the time is the operator's, and it works on them side by side."""
    names = [str(depot.asked(name)["metadata"]["name"]) for name in about]
    for name in names:
        depot.say("alice", name, "deny", "too dear")
    for name in names:
        depot.until(name, lambda body: condition(body, "RolledBack")[0] == "True", "it is taken back")
    return depot


def _replicas(depot: Depot, version: str, kind: str, name: str) -> dict[str, Any]:
    labels = {"app": name}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": depot.template(labels=labels)}
    meta = {"name": name, "namespace": depot.namespace}
    return dict(json.loads(json.dumps({"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec})))
