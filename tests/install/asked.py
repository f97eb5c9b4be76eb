"""Something under way at every gate, for what outlives an operator: questions that people can answer, and a drain that runs.

Not here is a held `kubectl drain`: while one waits, somebody's program runs, and the webhook has to stand.
"""

from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from playground import OperatorProcess
from tests.e2e.argo_pauses.dock import Dock
from tests.e2e.drains.yard import Yard, is_cordoned
from tests.e2e.provisioning.depot import Depot
from tests.e2e.rollouts.shop import TWENTY, Shop
from tests.e2e.stage import Body, Stage, condition, failure, message

S = TypeVar("S", bound=Stage)
ONE: Final = [{"role": "sre"}]
TWO: Final = [{"role": "sre", "count": 2}]
LEFT_OUT: Final = ("True", "GateLeftOut")


class Stages(Protocol):
    """Whoever makes namespaces with their people."""

    def stage(self, kind: type[S]) -> S:
        """One of that kind."""
        ...


@dataclass
class Asked:
    """Who asked, and the names of the questions: about a canary, priced pods, and a pause of an Argo Rollout.

    The canary takes two, and alice has said yes already. In the yard people are asked about `drain`, and `going` was
    approved: a budget keeps it from its end.
    """

    shop: Shop
    yard: Yard
    depot: Depot
    dock: Dock
    canary: str
    pods: str
    pause: str

    @property
    def questions(self) -> tuple[tuple[Stage, str, str], ...]:
        """Those that people can answer, each with whose yes it takes yet."""
        return (
            (self.shop, self.canary, "bob"),
            (self.depot, self.pods, "alice"),
            (self.dock, self.pause, "alice"),
            (self.yard, "drain", "alice"),
        )

    def operated_by(self, operator: OperatorProcess) -> None:
        """Whose log failures show from now on."""
        for stage, _, _ in self.questions:
            stage.operator = operator


def ask_everywhere(stages: Stages, dock: Dock) -> Asked:
    """All of it, with one person to convince at each gate."""
    shop, yard, depot = stages.stage(Shop), stages.stage(Yard), stages.stage(Depot)
    policy = shop.promotes(quorum=TWO)
    shop.running(replicas=2)
    shop.rollout(image="2", replicas=2, steps=(*TWENTY, {"approval": {"policyRef": {"name": policy}}}))
    depot.gate()
    depot.deployment(replicas=2)
    dock.gate()
    dock.rollout()
    dock.push(2)
    dock.pauses("new")
    _drain_one_of_two(yard)
    canary, pods = shop.until_asked(), depot.asked("web")["metadata"]["name"]
    shop.say("alice", canary, "approve")
    shop.until(canary, lambda body: body["status"]["approvals"] == "1/2", "her yes is recorded")
    return Asked(shop, yard, depot, dock, canary, pods, dock.asked()["metadata"]["name"])


def _drain_one_of_two(yard: Yard) -> None:
    yard.drains(quorum=ONE)
    waits, goes = yard.gated("n", "busy", policy=f"prod-{yard.namespace}")
    yard.service("web", 1, node="busy")
    yard.budget("web")
    yard.drain(goes, name="going")
    yard.yes("going", "alice")
    yard.until_state("busy", "Draining", name="going")
    yard.drain(waits)
    yard.until_prepared("drain")


def go_on(asked: Asked) -> None:
    """Every question is the same one as before, and people say yes to it."""
    for stage, name, person in asked.questions:
        stage.say(person, name, "approve")
    ends_well(asked)


def ends_well(asked: Asked) -> None:
    """Whoever had to said yes: each effect is carried out, and nothing is asked a second time."""
    shop, yard, depot, dock = asked.shop, asked.yard, asked.depot, asked.dock
    dock.goes_on(2)
    shop.until_healthy()
    depot.until_runs("web", 2)
    assert shop.image("stable") == "2"
    assert yard.until_done("drain")["status"]["phase"] == "Released"
    for stage, name, _ in asked.questions:
        assert stage.until_phase(name, "Released")["status"]["decision"]["outcome"] == "Approved"
    assert len(shop.requests()) == len(depot.questions()) == len(dock.all("apr")) == 1


def held_without_their_gates(asked: Asked) -> None:
    """Every gate is left out now: each waits, says why, keeps a yes, and lets a no wait for its undo."""
    yard = asked.yard
    for stage, name, _ in asked.questions:
        told = message(stage.until_held(name, "GateLeftOut"), "Held")
        assert all(word in told for word in ("gates.", "GATEHOLD_GATES", "docs/how-to/uninstall.md"))
    for stage, name, person in asked.questions[:3]:
        stage.say(person, name, "approve")
        answered = stage.until(name, lambda body: body["status"]["approvals"] in ("1/1", "2/2"), "it is recorded")
        assert (answered["status"]["phase"], condition(answered, "Held")) == ("Pending", LEFT_OUT)
    going = yard.until_held("going", "GateLeftOut")
    assert (going["status"]["phase"], condition(going, "Stalled")) == ("Approved", LEFT_OUT)
    yard.say("bob", "going", "deny", "not with that budget")
    denied = yard.until_phase("going", "Denied")
    assert (condition(denied, "RolledBack"), condition(denied, "Stalled")) == (("False", "GateLeftOut"), LEFT_OUT)
    yard.drain(f"{yard.namespace}-n", name="fresh")
    assert failure(yard.until_done("fresh")) == "GateLeftOut"
    _is_untouched(asked, denied)


def _is_untouched(asked: Asked, denied: Body) -> None:
    """Nothing was released by those words, and nothing taken back."""
    yard, dock = asked.yard, asked.dock
    assert asked.shop.image("stable") == "1"
    assert len(asked.depot.held("web")) == len(("web-1", "web-2"))
    assert dock.get("argo", "web")["status"]["pauseConditions"]
    assert (is_cordoned(yard.node_of("n")), is_cordoned(yard.node_of("busy"))) == (False, True)
    assert "gatehold.dev/done" not in denied["metadata"].get("labels", {})


def goes_on_with_their_gates(asked: Asked) -> None:
    """They are there again: what was approved meanwhile goes, what was denied is put back, the rest can be answered."""
    yard = asked.yard
    undone = yard.until_done("going")
    assert (undone["status"]["phase"], condition(undone, "RolledBack")) == ("Denied", ("True", "UndoCompleted"))
    assert not is_cordoned(yard.node_of("busy"))
    yard.until_held("drain", "AwaitingApproval")
    yard.say("alice", "drain", "approve")
    ends_well(asked)
