"""Whole lives of drains as the core decides them: every status on the way, for a real API server to take or refuse."""

from collections.abc import Callable
from dataclasses import replace

from gatehold.domain.effects.drain_evidence import evidence, resolved
from gatehold.domain.model import Verdict
from gatehold.domain.nodes import Block, NodeFacts
from gatehold.domain.status import Resolved, ResolvedNode
from tests.builders import DIGEST, NOW, UID, approve, deny, withdraw
from tests.domain.node_world import Nodes
from tests.domain.world import World
from tests.drains import BUDGET, MARK, POLICY, TAINT, closed, drain_request, held_request, node, pod


class Life:
    """A toy world that goes on second by second. Pods that were told to go are gone a second later, `stuck` ones never."""

    def __init__(self, *nodes: NodeFacts, held: bool = False, stuck: tuple[str, ...] = ()) -> None:
        """Ask about these nodes; what people are shown is what is there by then."""
        self.yard = Nodes(UID, MARK, nodes={node.name: node for node in nodes})
        asked = held_request() if held else drain_request(*self.yard.nodes)
        shown = self._held(nodes[0]) if held else resolved(replace(self.yard.facts(), budgets=(BUDGET,)))
        self.world = World(replace(asked, noted=True), NOW, {}, POLICY, shown, DIGEST, yard=self.yard)
        self.stuck = stuck
        self.run(2)

    def _held(self, node: NodeFacts) -> Resolved:
        return Resolved(nodes=(ResolvedNode(node.name, node.uid, "gpu", cordoned=True),), drain=evidence([node], (BUDGET,)))

    def run(self, seconds: int) -> None:
        """Look every second."""
        for _ in range(seconds):
            self.world.settle()
            self.world.later(1)
            for name, found in self.yard.nodes.items():
                left = tuple(p for p in found.pods or () if not p.terminating or p.name in self.stuck)
                self.yard.nodes[name] = replace(found, pods=left)

    def say(self, *words: Verdict, seconds: int) -> None:
        """Somebody gives a word, and time goes on."""
        self.world.verdicts += words
        self.run(seconds)

    def wait(self, seconds: int) -> None:
        """Nobody looks for so long."""
        self.world.later(seconds)
        self.run(5)

    def evict(self, name: str) -> None:
        """Somebody evicts a pod of n1 himself."""
        left = tuple(p for p in self.yard.nodes["n1"].pods or () if p.name != name)
        self.yard.nodes["n1"] = replace(self.yard.nodes["n1"], pods=left)
        self.run(15)


def two_nodes(*stuck: str) -> Life:
    """n1 has been cordoned by somebody before, n2 is open; a Deployment has pods on both."""
    first = node("n1", pod("a"), pod("b"), unschedulable=True, taints=("spot=gpu:NoSchedule", TAINT))
    second = node("n2", pod("c", "n2"), pod("d", "n2", daemon_set=True), taints=("spot=gpu:NoSchedule",))
    return Life(first, second, stuck=stuck)


def drained() -> Life:
    life = two_nodes()
    life.say(approve(), seconds=10)
    return life


def denied_on_the_way() -> Life:
    life = two_nodes("c")
    life.say(approve(), seconds=15)
    life.say(deny(1, "bob"), seconds=5)
    return life


def withdrawn_at_the_first_node() -> Life:
    life = two_nodes("a")
    life.say(approve(), seconds=5)
    life.say(withdraw(1), seconds=5)
    return life


def denied_at_once() -> Life:
    life = two_nodes()
    life.say(deny(), seconds=5)
    return life


def too_slow() -> Life:
    """A pod does not go, another has two budgets, and its time is over."""
    life = two_nodes("a")
    life.yard.blocks["b-uid"] = Block.TWO_BUDGETS
    life.say(approve(), seconds=70)
    life.wait(600)
    return life


def replaced_on_the_way() -> Life:
    life = two_nodes("a")
    life.say(approve(), seconds=5)
    life.yard.nodes["n1"] = node("n1", uid="another")
    life.run(5)
    return life


def never_answered() -> Life:
    life = two_nodes()
    life.wait(4000)
    return life


def held(*words: Verdict) -> Life:
    """A drain of alice that waits."""
    life = Life(closed(pod("a"), pod("b")), held=True)
    life.say(*words, seconds=5)
    return life


def let_go_and_done() -> Life:
    life = held(approve(0, "bob"))
    life.evict("a")
    life.evict("b")
    return life


def let_go_and_too_slow() -> Life:
    life = held(approve(0, "bob"))
    life.evict("a")
    life.wait(900)
    return life


def let_go_and_not_used() -> Life:
    life = held(approve(0, "bob"))
    life.wait(900)
    return life


def refused() -> Life:
    return held(deny(0, "bob"))


def uncordoned_by_hand() -> Life:
    life = held()
    life.yard.change("n1", unschedulable=False, cordoned_by="")
    life.run(5)
    return life


def held_and_never_answered() -> Life:
    life = held()
    life.wait(4000)
    return life


LIVES: dict[str, tuple[Callable[[], Life], str]] = {
    "drained": (drained, "Released"),
    "denied on the way": (denied_on_the_way, "Denied"),
    "withdrawn at the first node": (withdrawn_at_the_first_node, "Withdrawn"),
    "denied at once": (denied_at_once, "Denied"),
    "too slow": (too_slow, "Failed"),
    "replaced on the way": (replaced_on_the_way, "Superseded"),
    "never answered": (never_answered, "Expired"),
    "held, let go and done": (let_go_and_done, "Released"),
    "held, let go and too slow": (let_go_and_too_slow, "Failed"),
    "held, let go and not used": (let_go_and_not_used, "Lapsed"),
    "held and refused": (refused, "Denied"),
    "held and uncordoned by hand": (uncordoned_by_hand, "Superseded"),
    "held and never answered": (held_and_never_answered, "Expired"),
}
