"""The way back of a drain: what is uncordoned, what stays, what is fenced, and what is said of it."""

from dataclasses import replace

import pytest

from gatehold.domain.decide import decide
from gatehold.domain.effects.drain import DrainRules
from gatehold.domain.nodes import CloseNode, DropLease, LeaseFacts, NodeFacts, UncordonNode
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Facts, MarkDone, Plan, Refusal, Write
from gatehold.domain.reasons import ConditionType
from gatehold.domain.status import EffectState, NodeDrain, NodeState, Status
from tests.builders import NOW, concluded, why
from tests.drains import (
    MARK,
    TAINT,
    cordoned,
    drain_observed,
    drain_request,
    going,
    lease,
    node,
    record,
    row,
    stopped,
    there,
)

CORDONED, DRAINING, DRAINED, FAILED, UNCORDONED = (
    NodeState.CORDONED,
    NodeState.DRAINING,
    NodeState.DRAINED,
    NodeState.FAILED,
    NodeState.UNCORDONED,
)


def turn(rows: tuple[NodeDrain, ...], nodes: tuple[NodeFacts, ...], leases: tuple[LeaseFacts, ...] = ()) -> Plan:
    return decide(drain_observed(stopped(*rows), there(*nodes, leases=leases)), NOW)


def rolled(plan: Plan) -> tuple[str, str, str]:
    found = plan.status.condition(ConditionType.ROLLED_BACK)
    assert found is not None
    return (found.status, found.reason, found.message)


def rows_of(plan: Plan) -> tuple[NodeDrain, ...]:
    assert plan.status.effect is not None
    return plan.status.effect.nodes


OPEN, BEFORE = row(state=DRAINING), row(state=DRAINING, was_unschedulable=True, taints=(TAINT,))
LEFT = cordoned("n1", released_by="", request="")
STEPS: dict[str, tuple[NodeDrain, NodeFacts | None, bool, NodeState, tuple[Write, ...]]] = {
    "ours": (OPEN, cordoned(), True, DRAINING, (UncordonNode(cordoned(), uncordon=True, drop_taint=True),)),
    "ours, and its taint not there yet": (
        OPEN,
        cordoned(taints=("a=:NoSchedule",)),
        True,
        DRAINING,
        (UncordonNode(cordoned(taints=("a=:NoSchedule",)), uncordon=True, drop_taint=False),),
    ),
    "ours, with a taint that was there before": (
        replace(OPEN, taints=(TAINT,)),
        cordoned(),
        True,
        DRAINING,
        (UncordonNode(cordoned(), uncordon=True, drop_taint=False),),
    ),
    "ours, cordoned before": (BEFORE, cordoned(), True, DRAINING, (UncordonNode(cordoned(), uncordon=False),)),
    "ours, uncordoned by hand": (
        OPEN,
        cordoned(unschedulable=False, taints=()),
        True,
        DRAINING,
        (UncordonNode(cordoned(unschedulable=False, taints=()), uncordon=False),),
    ),
    "ours, and not recorded yet": (
        row(),
        cordoned(),
        True,
        CORDONED,
        (UncordonNode(cordoned(), uncordon=True, drop_taint=True),),
    ),
    "put back": (OPEN, node(), True, UNCORDONED, (DropLease(lease()),)),
    "put back, the Lease gone": (OPEN, node(), False, UNCORDONED, ()),
    "put back, recorded": (row(state=UNCORDONED), node(), True, UNCORDONED, (DropLease(lease()),)),
    "put back, cordoned before": (BEFORE, LEFT, True, UNCORDONED, (DropLease(lease()),)),
    "gone": (OPEN, None, True, FAILED, (DropLease(lease()),)),
    "going": (OPEN, cordoned(deleting=True), True, FAILED, (DropLease(lease()),)),
    "made again": (OPEN, node(uid="new"), True, FAILED, (DropLease(lease()),)),
    "cordoned by somebody else": (OPEN, LEFT, True, FAILED, (DropLease(lease()),)),
    "drained": (row(state=DRAINED), cordoned(), True, DRAINED, ()),
    "not touched": (row(), node(), False, NodeState.WAITING, (CloseNode(node()),)),
    "not touched, marked by a dead one": (
        row(),
        node(released_by="dead", request="ops/dead"),
        False,
        NodeState.WAITING,
        (UncordonNode(node(released_by="dead", request="ops/dead"), uncordon=False),),
    ),
    "leased and not touched": (row(), node(), True, NodeState.WAITING, (CloseNode(node()),)),
    "leased and fenced": (row(), node(request=MARK), True, NodeState.WAITING, (DropLease(lease()),)),
    "not touched and gone": (row(), None, True, NodeState.WAITING, (DropLease(lease()),)),
}


@pytest.mark.parametrize(("was", "found", "leased", "state", "writes"), STEPS.values(), ids=STEPS)
def test_every_node_goes_back_step_by_step(
    was: NodeDrain, found: NodeFacts | None, leased: bool, state: NodeState, writes: tuple[Write, ...]
) -> None:
    plan = turn((was,), (found,) if found is not None else (), (lease(),) if leased else ())

    assert rows_of(plan)[0].state is state
    assert (rows_of(plan)[0].was_unschedulable, rows_of(plan)[0].taints) == (was.was_unschedulable, was.taints)
    assert tuple(w for w in plan.writes if w != MarkDone()) == writes
    if writes:
        assert rolled(plan)[:2] == ("False", "Undoing")
        assert MarkDone() not in plan.writes


def test_somebody_elses_maintenance_is_left_alone() -> None:
    plan = turn((row(),), (node(),), (lease(holder="other"),))

    assert rolled(plan)[:2] == ("True", "NothingToUndo")
    assert plan.writes == (MarkDone(),)


def test_only_the_nodes_whose_turn_it_was_are_fenced() -> None:
    plan = turn((row("n1"), row("n2")), (node("n1"), node("n2")))
    bare = replace(drain_request("n1", "n2"), effect=replace(drain_request().effect, drain=None))
    all_of_them = DrainRules().undo(
        drain_observed(going(row("n1"), row("n2")), request=bare), going(row("n1"), row("n2")), NOW
    )

    assert plan.writes == (CloseNode(node("n1")),)
    assert len(all_of_them.writes) == 2


def test_a_fence_is_taken_off_once_the_outcome_stands() -> None:
    over = concluded(stopped())
    plan = decide(drain_observed(over, there(node(request=MARK))), NOW)

    assert plan.writes == (UncordonNode(node(request=MARK), uncordon=False), MarkDone())
    assert decide(drain_observed(over, there(node())), NOW).writes == (MarkDone(),)
    assert decide(drain_observed(over, there(node(deleting=True, request=MARK))), NOW).writes == (MarkDone(),)
    assert decide(drain_observed(over, Facts()), NOW).writes == (MarkDone(),)


def test_of_a_released_drain_everything_stays() -> None:
    released = replace(going(row(state=DRAINED)), phase=Phase.RELEASED)
    plan = decide(drain_observed(released, there(cordoned(), leases=(lease(),))), NOW)

    assert plan.writes == (MarkDone(),)


ALL = (
    row("n1", UNCORDONED),
    row("n2", UNCORDONED, was_unschedulable=True),
    row("n3", DRAINED),
    row("n4", FAILED, message="is gone"),
    row("n5"),
)
CLOSED = row("n6", FAILED, message="is cordoned, though not by this request any more")
DRAINED_BEFORE = "drained before the end and left cordoned: n3 (kubectl gatehold uncordon)"
NOT_BACK = "evicted pods do not come back by themselves"
BACK: dict[str, tuple[tuple[NodeDrain, ...], tuple[str, str, str]]] = {
    "nothing was touched": ((row(),), ("True", "NothingToUndo", "nothing had been begun")),
    "all kinds": (
        ALL,
        (
            "True",
            "UndoCompleted",
            f"uncordoned: n1; cordoned before and left so: n2; {DRAINED_BEFORE}; gone by themselves: n4; {NOT_BACK}",
        ),
    ),
    "one is cordoned by somebody else": (
        (row("n1", UNCORDONED), CLOSED),
        (
            "False",
            "UndoFailed",
            f"uncordoned: n1; cordoned, though not by this request any more: n6 (kubectl uncordon); {NOT_BACK}",
        ),
    ),
}


@pytest.mark.parametrize(("rows", "says"), BACK.values(), ids=BACK)
def test_it_is_said_how_it_stands_at_the_end(rows: tuple[NodeDrain, ...], says: tuple[str, str, str]) -> None:
    plan = turn(rows, (node("n5", request=MARK), node("n1", request=MARK)))

    assert rolled(plan) == says
    assert plan.status.effect is not None
    assert plan.status.effect.state is (EffectState.FAILED if says[0] == "False" else EffectState.UNDONE)
    assert plan.status.effect.finished_at == NOW
    assert plan.status.effect.message == says[2]
    assert MarkDone() in plan.writes


def test_nodes_that_cannot_be_read_are_waited_for() -> None:
    plan = decide(drain_observed(stopped(row(state=DRAINING)), Facts()), NOW)

    assert rolled(plan)[:2] == ("False", "Undoing")
    assert plan.writes == ()
    assert plan.recheck_at is not None


def test_without_a_record_there_is_nothing_to_undo() -> None:
    for effect in (None, replace(record(), nodes=())):
        plan = decide(drain_observed(stopped(effect=effect)), NOW)
        assert rolled(plan)[:2] == ("True", "NothingToUndo")


def test_it_began_though_that_was_not_recorded() -> None:
    plan = turn((row(),), (cordoned(),), (lease(),))

    assert plan.status.effect is not None
    assert (plan.status.effect.state, plan.status.effect.started_at) == (EffectState.UNDOING, NOW)
    assert rolled(plan)[2] == "uncordoning n1"


def test_a_refused_uncordon_is_said_until_it_lands() -> None:
    seen = drain_observed(stopped(OPEN), there(cordoned(), leases=(lease(),)))
    write = UncordonNode(cordoned(), uncordon=True, drop_taint=True)
    plan = decide(replace(seen, refusal=Refusal(write, "jammed")), NOW)

    assert plan.writes == ()
    assert rolled(plan)[:2] == ("False", "WriteRefused")
    assert why(plan.status, ConditionType.STALLED)[0] == "True"


@pytest.mark.parametrize("status", [going(row(state=DRAINING)), Status()])
def test_nothing_is_settled_while_nothing_is_over(status: Status) -> None:
    assert DrainRules().settle(drain_observed(status, there(cordoned()))) == ()
    assert DrainRules().keep_until(drain_observed(status), status) is None
