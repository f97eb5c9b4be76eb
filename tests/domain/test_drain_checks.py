"""What is asked about a drain, where it may be asked, and what ends the question before anything is done."""

from dataclasses import replace

import pytest

from gatehold.domain.decide import decide
from gatehold.domain.effects.drain import DrainRules
from gatehold.domain.effects.drain_evidence import MOST_LINES, evidence, resolved
from gatehold.domain.model import DrainGate, DrainSpec, NodeRef
from gatehold.domain.nodes import BudgetFacts, GateOfNode, NodeFacts, PodToEvict
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Facts, MarkDone, Observed
from gatehold.domain.status import EffectState, ResolvedNode, Status
from tests.builders import NOW, approve, approved, end, pending
from tests.drains import (
    BUDGET,
    GPU,
    asked,
    drain_observed,
    drain_request,
    lease,
    node,
    pod,
    shown,
    there,
)

SELECTED = DrainSpec(match_labels=(("pool", "gpu"),))
EMPTY_DIR, ALONE = pod("cache", empty_dir=True), pod("once", owner="")
OTHER_GATE = GateOfNode("lab", DrainGate("lab", "lab-policy", namespace="lab"))
CROWD = node("n1", *(pod(f"p{n}", empty_dir=True) for n in range(5)))


def new(*nodes: NodeFacts, **changes: object) -> Observed:
    """A drain nobody has looked at, of nodes that are there."""
    return drain_observed(Status(), there(*nodes), **changes)


WRONG: dict[str, tuple[Observed, str, str]] = {
    "a node that is not there": (new(), "SubjectNotFound", "there is no node n1"),
    "a node that is going": (new(node(deleting=True)), "SubjectNotFound", "there is no node n1"),
    "another node of that name": (
        new(node(), request=drain_request(spec=DrainSpec((NodeRef("n1", "old"),)))),
        "SubjectChanged",
        "has uid n1-uid, the request is about old",
    ),
    "a selector that finds nothing": (new(request=drain_request(spec=SELECTED)), "SubjectNotFound", "these labels"),
    "a selector that finds too much": (
        drain_observed(Status(), there(node(), too_many=True), request=drain_request(spec=SELECTED)),
        "InvalidRequest",
        "more than 256 nodes",
    ),
    "nodes that were not read": (
        drain_observed(Status(), Facts()),
        "SubjectNotFound",
        "could not be read",
    ),
    "pods that were not read": (new(node(pods=None)), "SubjectNotFound", "the pods of node n1 could not be read"),
    "another namespace": (
        new(node(), request=drain_request(namespace="shop")),
        "PolicyMismatch",
        "node n1 is behind no gate: its drain is asked for under policy prod in namespace ops",
    ),
    "another policy": (new(node(), request=drain_request(policy="easy")), "PolicyMismatch", "under policy prod"),
    "no policy for nodes without a gate": (
        drain_observed(Status(), there(node(), policy="")),
        "PolicyMismatch",
        "no policy is configured",
    ),
    "another gate's policy": (
        new(node(gate=OTHER_GATE)),
        "PolicyMismatch",
        "node n1 is behind gate lab: its drain is asked for under policy lab-policy in namespace lab",
    ),
    "nodes of two gates": (
        new(node(gate=GPU), node("n2", gate=OTHER_GATE), request=drain_request("n1", "n2")),
        "PolicyMismatch",
        "node n2 is behind gate lab",
    ),
    "a gate of no use": (
        new(node(gate=GateOfNode("gpu", why="there is no Gate of that name"))),
        "GateNotFound",
        "node n1 names Gate gpu: there is no Gate of that name",
    ),
    "somebody else's maintenance": (
        drain_observed(Status(), there(node(), leases=(lease(holder="other-uid"),))),
        "SubjectTaken",
        "node n1 is under maintenance of request ops/other; when that is over: kubectl gatehold uncordon n1",
    ),
    "somebody else's drain": (
        new(node(), owner="ops/drain-1"),
        "SubjectTaken",
        "request ops/drain-1 is live and drains one of these nodes already",
    ),
    "data in an emptyDir": (
        new(node("n1", EMPTY_DIR)),
        "PodsInTheWay",
        "node n1: pod shop/cache has data in an emptyDir volume (spec.effect.drain.deleteEmptyDirData)",
    ),
    "a pod nobody makes again": (
        new(node("n1", ALONE)),
        "PodsInTheWay",
        "pod shop/once has no controller that makes it again (spec.effect.drain.evictUnmanagedPods)",
    ),
    "more in the way than can be said": (new(CROWD), "PodsInTheWay", "; and 2 more"),
}


@pytest.mark.parametrize(("seen", "reason", "says"), WRONG.values(), ids=WRONG)
def test_a_drain_that_should_not_be_asked_is_told_why(seen: Observed, reason: str, says: str) -> None:
    plan = decide(seen, NOW)

    assert end(plan.status) == ("Failed", "Operator", reason)
    assert plan.status.decision is not None
    assert says in plan.status.decision.message
    assert plan.writes == (MarkDone(),)


CONSENTS = DrainSpec((NodeRef("n1"),), delete_empty_dir_data=True, evict_unmanaged_pods=True)
RIGHT: dict[str, Observed] = {
    "one node": new(node("n1", pod())),
    "the very node": new(node(), request=drain_request(spec=DrainSpec((NodeRef("n1", "n1-uid"),)))),
    "by labels": new(node(), request=drain_request(spec=SELECTED)),
    "its gate's policy": new(node(gate=GPU)),
    "a gate with a namespace of its own": new(
        node(gate=GateOfNode("lab", DrainGate("lab", "prod", namespace="lab"))), request=drain_request(namespace="lab")
    ),
    "its own Lease": drain_observed(Status(), there(node(), leases=(lease(),))),
    "what the request gives up": new(node("n1", EMPTY_DIR, ALONE), request=drain_request(spec=CONSENTS)),
    "what is no loss": new(
        node(
            "n1",
            replace(ALONE, ended=True),
            replace(EMPTY_DIR, terminating=True),
            pod("mirror", mirror=True, owner="", empty_dir=True),
            pod("agent", daemon_set=True, empty_dir=True),
        )
    ),
}


@pytest.mark.parametrize("seen", RIGHT.values(), ids=RIGHT)
def test_a_drain_that_may_be_asked_is_asked(seen: Observed) -> None:
    plan = decide(seen, NOW)

    assert (plan.status.phase, plan.status.request_digest) == (Phase.PENDING, seen.request_digest)
    assert plan.writes == ()


CHANGED: dict[str, tuple[tuple[NodeFacts, ...], str]] = {
    "deleted": ((), "SubjectDeleted"),
    "going": ((node(deleting=True),), "SubjectDeleted"),
    "made again": ((node(uid="new"),), "SubjectChanged"),
    "going, and another one": ((node(uid="new", deleting=True),), "SubjectChanged"),
    "behind another gate": ((node(gate=GPU),), "SubjectChanged"),
}


@pytest.mark.parametrize(("nodes", "reason"), CHANGED.values(), ids=CHANGED)
@pytest.mark.parametrize("status", [asked("n1"), approved(resolved=shown("n1"), effect=None)], ids=["asked", "approved"])
def test_a_node_that_is_not_what_was_shown_ends_the_question(
    nodes: tuple[NodeFacts, ...], reason: str, status: Status
) -> None:
    seen = drain_observed(status, there(*nodes))
    if status.phase is Phase.APPROVED:
        seen = replace(seen, status=replace(status, effect=DrainRules().begin(drain_observed(), status)))
    plan = decide(seen, NOW)

    assert end(plan.status) == ("Superseded", "Operator", reason)


def test_a_gate_that_was_taken_off_while_it_waits_is_a_change() -> None:
    plan = decide(drain_observed(asked("n1", resolved=shown("n1", gate="gpu")), there(node())), NOW)

    assert plan.status.decision is not None
    assert plan.status.decision.message == "node n1 is behind no gate by now, and was behind gpu when asked"


@pytest.mark.parametrize("status", [asked("n1", resolved=None), asked("n1", resolved=shown())], ids=["no", "nodes"])
def test_what_was_not_resolved_is_not_drained(status: Status) -> None:
    facts = there() if status.resolved is None else Facts()

    assert end(decide(drain_observed(status, facts), NOW).status) == ("Failed", "Operator", "InvalidRequest")


def test_the_rules_say_the_same_of_a_request_without_a_drain() -> None:
    bare = drain_observed(request=replace(drain_request(), effect=replace(drain_request().effect, drain=None)))
    finding = DrainRules().check(bare)

    assert finding is not None
    assert finding.reason == "InvalidRequest"
    assert not DrainRules().supports(bare.request)
    assert DrainRules().begin(drain_observed(found=Facts()), asked("n1")) is None
    assert DrainRules().begin(drain_observed(), pending()) is None


def test_the_prior_state_of_every_node_is_recorded_with_the_yes() -> None:
    taints = (*(f"t{n}=:NoSchedule" for n in range(70)), "node.kubernetes.io/unschedulable=:NoSchedule")
    found = there(node("n1"), node("n2", unschedulable=True, taints=taints))
    seen = drain_observed(asked("n1", "n2", "n3"), found, request=drain_request("n1", "n2", "n3"))
    effect = DrainRules().begin(seen, asked("n1", "n2", "n3"))

    assert effect is not None
    assert (effect.state, [row.was_unschedulable for row in effect.nodes]) == (EffectState.WAITING, [False, True, False])
    assert effect.nodes[1].taints == (taints[-1], *taints[:63])


def test_approved_records_and_begins_in_one_plan() -> None:
    plan = decide(drain_observed(asked("n1"), verdicts=(approve(),)), NOW)

    assert plan.status.phase is Phase.APPROVED
    assert plan.status.effect is not None
    assert [row.name for row in plan.status.effect.nodes] == ["n1"]
    assert [type(write).__name__ for write in plan.writes] == ["TakeLease", "CordonNode"]


def test_the_evidence_says_what_is_hit() -> None:
    pods = (
        pod("web-1", budgets=("shop/web",)),
        pod("web-2", budgets=("shop/web",), terminating=True),
        pod("db-0", owner="StatefulSet shop/db", empty_dir=True),
        replace(ALONE, empty_dir=True),
        pod("done", owner="", ended=True),
        pod("agent", daemon_set=True, owner="DaemonSet kube-system/agent"),
        pod("mirror", mirror=True),
    )
    found = there(node("n1", *pods), node("n2", gate=GPU, unschedulable=True), budgets=(BUDGET, BudgetFacts("shop", "db")))
    assert found.drain is not None
    seen = resolved(found.drain)

    assert seen.nodes == (ResolvedNode("n1", "n1-uid"), ResolvedNode("n2", "n2-uid", "gpu", cordoned=True))
    assert seen.drain is not None
    assert (seen.drain.pods, seen.drain.skipped) == (5, 2)
    assert seen.drain.owners == ("Deployment shop/web: 2 pods", "no controller: 2 pods", "StatefulSet shop/db: 1 pod")
    assert seen.drain.budgets == ("shop/web: 1 disruption allowed now, of 3 pods",)
    assert seen.drain.losses == ("shop/db-0 has emptyDir data", "shop/once has emptyDir data and has no controller")


def test_the_evidence_is_bounded_and_says_so() -> None:
    def owned(number: int) -> PodToEvict:
        return pod(f"p{number}", owner=f"Job shop/{'x' * 300}{number}", budgets=("shop/none",), node="n1")

    nodes = [node("n1", *(owned(n) for n in range(70))), node("n2", pods=None)]
    found = evidence(nodes, [BudgetFacts("shop", "none")])

    assert len(found.owners) == MOST_LINES
    assert found.owners[-1] == "and 7 more"
    assert max(len(line) for line in found.owners) == 256
    assert found.budgets == ("shop/none: 0 disruptions allowed now, of 0 pods",)
