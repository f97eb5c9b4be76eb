"""An approved drain, step by step: Lease, cordon, evictions, the next node, and how it ends."""

from dataclasses import replace

import pytest

from gatehold.domain.decide import decide
from gatehold.domain.effects.drain import DrainRules
from gatehold.domain.effects.drain_pods import MOST
from gatehold.domain.effects.drain_rows import names
from gatehold.domain.model import DrainSpec, NodeRef
from gatehold.domain.nodes import Block, CordonNode, EvictPods, NodeFacts, TakeLease
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Facts, MarkDone, Plan, Proof, Refusal
from gatehold.domain.reasons import ConditionType
from gatehold.domain.status import EffectState, NodeDrain, NodeState, Progress, Status
from tests.builders import NOW, after, deny, end, why
from tests.drains import (
    TAINT,
    blocked,
    cordoned,
    drain_observed,
    drain_request,
    going,
    lease,
    node,
    pod,
    record,
    row,
    there,
)

CORDONED, DRAINING, DRAINED = NodeState.CORDONED, NodeState.DRAINING, NodeState.DRAINED


def two_at_once(*names: str) -> object:
    return drain_request(spec=DrainSpec(tuple(NodeRef(name) for name in names), parallel_nodes=2))


def rows_of(plan: Plan) -> tuple[NodeDrain, ...]:
    assert plan.status.effect is not None
    return plan.status.effect.nodes


def states(plan: Plan) -> list[str]:
    return [one.state for one in rows_of(plan)]


# ---- the first write
def test_the_first_node_is_leased_and_cordoned_beside_a_proof() -> None:
    open_node = node("n1", pod())
    plan = decide(drain_observed(going(), there(open_node)), NOW)

    assert plan.writes == (TakeLease(open_node), CordonNode(open_node))
    assert (plan.proof, plan.recheck_at) == (Proof.BEFORE_WRITES, plan.status.valid_until)


def test_its_prior_state_is_recorded_again_before_its_first_write() -> None:
    there_now = node("n1", unschedulable=True, taints=(TAINT,))
    plan = decide(drain_observed(going(), there(there_now)), NOW)

    assert rows_of(plan) == (row(was_unschedulable=True, taints=(TAINT,)),)
    assert plan.writes == (TakeLease(there_now), CordonNode(there_now))


def test_a_lease_that_it_has_is_not_taken_again() -> None:
    plan = decide(drain_observed(going(), there(node(), leases=(lease(),))), NOW)

    assert plan.writes == (CordonNode(node()),)


def test_as_many_nodes_begin_as_may() -> None:
    seen = drain_observed(going(row(), row("n2"), row("n3")), request=two_at_once("n1", "n2", "n3"))
    plan = decide(seen, NOW)

    assert [w.node.name for w in plan.writes if isinstance(w, CordonNode)] == ["n1", "n2"]


@pytest.mark.parametrize("held", [True, False], ids=["over", "just in time"])
def test_the_validity_counts_before_the_first_write(*, held: bool) -> None:
    plan = decide(drain_observed(going(valid_until=NOW if held else after(1))), NOW)

    assert end(plan.status) == (("Lapsed", "Time", "ValidityPassed") if held else ("Approved", "People", "QuorumMet"))


def test_the_validity_does_not_count_for_the_nodes_that_follow() -> None:
    seen = drain_observed(
        going(row("n1", DRAINED), row("n2"), valid_until=after(-5)), there(cordoned(), node("n2"), leases=(lease(),))
    )
    plan = decide(seen, NOW)

    assert [type(write) for write in plan.writes] == [TakeLease, CordonNode]
    assert plan.proof is Proof.BEFORE_WRITES


def test_nothing_begins_while_the_wall_is_not_proven() -> None:
    plan = decide(drain_observed(going(), wall_proven=False), NOW)

    assert plan.writes == ()
    assert why(plan.status) == ("True", "WallNotProven")


def test_a_node_taken_meanwhile_is_not_touched() -> None:
    plan = decide(drain_observed(going(), there(node(), leases=(lease(holder="other"),))), NOW)

    assert end(plan.status) == ("Failed", "Operator", "SubjectTaken")
    assert why(plan.status, ConditionType.ROLLED_BACK) == ("True", "NothingToUndo")


@pytest.mark.parametrize("broken", ["no record", "an empty record", "no nodes", "no validity"])
def test_what_is_not_whole_begins_nothing(broken: str) -> None:
    status = going()
    if broken == "no record":
        status = replace(status, effect=None)
    elif broken == "an empty record":
        status = replace(status, effect=replace(record(), nodes=()))
    elif broken == "no validity":
        status = replace(status, valid_until=None)
    plan = decide(drain_observed(status, Facts() if broken == "no nodes" else None), NOW)

    assert plan.status.phase is (Phase.LAPSED if broken == "no validity" else Phase.FAILED)
    assert not any(isinstance(write, TakeLease | CordonNode) for write in plan.writes)


def test_a_node_of_the_record_that_nobody_was_asked_about_is_not_drained() -> None:
    plan = decide(drain_observed(going(resolved=None)), NOW)

    assert end(plan.status) == ("Failed", "Operator", "EffectFailed")


# ---- evictions
def test_the_mark_on_the_node_is_enough_to_go_on() -> None:
    """The process died after the cordon: the record follows what stands on the node."""
    pods = (pod("a"), pod("b"))
    plan = decide(drain_observed(going(valid_until=NOW), there(cordoned("n1", *pods), leases=(lease(),))), NOW)

    assert plan.writes == (EvictPods(pods, 16, None),)
    assert plan.proof is Proof.NONE
    assert plan.status.effect is not None
    assert (plan.status.effect.state, plan.status.effect.started_at) == (EffectState.RUNNING, NOW)
    assert rows_of(plan) == (row(state=DRAINING, pods=2, pods_left=2),)
    assert plan.status.effect.progress == Progress(NOW, active=2)
    assert DrainRules().begun(drain_observed(found=there(cordoned())))
    assert not DrainRules().begun(drain_observed(found=Facts()))


def test_pods_that_are_not_read_are_not_taken_for_gone() -> None:
    seen = drain_observed(going(), there(cordoned(pods=None), leases=(lease(),)))
    again = drain_observed(going(row(state=DRAINING)), there(cordoned(pods=None), leases=(lease(),)))

    assert (states(decide(seen, NOW)), decide(seen, NOW).writes) == (["Cordoned"], ())
    assert (states(decide(again, NOW)), decide(again, NOW).writes) == (["Draining"], ())


SKIPPED = (pod("mirror", mirror=True), pod("agent", daemon_set=True), pod("leaving", terminating=True))


def test_only_what_may_go_and_was_not_told_yet_is_evicted() -> None:
    waits = pod("tried", blocked=blocked())
    again = pod("tried-before", blocked=blocked(again_at=NOW))
    goes = (pod("web-1"), pod("ended", owner="", ended=True, empty_dir=True), again)
    stays = (pod("data", empty_dir=True), pod("alone", owner=""))
    seen = drain_observed(going(), there(cordoned("n1", *SKIPPED, waits, *goes, *stays)))

    assert decide(seen, NOW).writes == (EvictPods(goes, 16, None),)


def test_the_request_says_how_pods_are_evicted() -> None:
    given = DrainSpec((NodeRef("n1"),), parallel_pods=3, grace_period_seconds=7, delete_empty_dir_data=True)
    pods = (pod("data", empty_dir=True),)
    seen = drain_observed(going(), there(cordoned("n1", *pods)), request=drain_request(spec=given))

    assert decide(seen, NOW).writes == (EvictPods(pods, 3, 7),)


def test_one_pass_evicts_not_more_than_a_no_can_wait_for() -> None:
    pods = tuple(pod(f"p{n}") for n in range(MOST + 5))
    plan = decide(drain_observed(going(), there(cordoned("n1", *pods))), NOW)

    assert plan.writes == (EvictPods(pods[:MOST], 16, None),)


def test_a_deny_stops_the_evictions_and_puts_back() -> None:
    seen = drain_observed(going(row(state=DRAINING)), there(cordoned("n1", pod())), verdicts=(deny(1, "bob"),))
    plan = decide(seen, NOW)

    assert plan.status.phase is Phase.DENIED
    assert [type(write).__name__ for write in plan.writes] == ["UncordonNode"]


# ---- what is said
LATER: dict[str, tuple[NodeFacts, float]] = {
    "pods are leaving": (cordoned("n1", pod(terminating=True)), 1),
    "pods were told just now": (cordoned("n1", pod()), 1),
    "a budget blocks": (cordoned("n1", pod(blocked=blocked(again_at=after(3)))), 3),
    "two budgets block": (cordoned("n1", pod(blocked=blocked(Block.TWO_BUDGETS, again_at=after(60)))), 5),
    "a pod is in the way": (cordoned("n1", pod(owner="")), 5),
    "the pods are not read": (cordoned(pods=None), 5),
}


@pytest.mark.parametrize(("there_now", "seconds"), LATER.values(), ids=LATER)
def test_it_is_looked_at_again_as_soon_as_something_may_have_changed(there_now: NodeFacts, seconds: float) -> None:
    assert decide(drain_observed(going(), there(there_now)), NOW).recheck_at == after(seconds)


BLOCKS = (blocked(by="budget shop/web"), blocked(by="budget shop/db"), blocked(Block.NAMESPACE, "namespace old"))


def test_what_blocks_is_said_with_its_beginning() -> None:
    pods = (*(pod(f"p{n}", blocked=one) for n, one in enumerate(BLOCKS)), pod("data", empty_dir=True))
    plan = decide(drain_observed(going(), there(cordoned("n1", *pods))), NOW)

    said = rows_of(plan)[0]
    assert said.blocked_by == (
        "pod shop/data has data in an emptyDir volume (spec.effect.drain.deleteEmptyDirData); "
        "budget shop/db; budget shop/web; and 1 more"
    )
    assert said.blocked_since == after(-1)


def test_the_beginning_stays_as_long_as_it_is_blocked_and_goes_with_the_block() -> None:
    old = row(state=DRAINING, pods=1, pods_left=1, blocked_by="budget shop/web", blocked_since=after(-500))
    status = going(old, effect=record(old, progress=Progress(after(-60))))
    held = decide(drain_observed(status, there(cordoned("n1", pod(blocked=blocked(by="budget shop/db"))))), NOW)
    free = decide(drain_observed(status, there(cordoned("n1", pod(terminating=True)))), NOW)

    assert (rows_of(held)[0].blocked_by, rows_of(held)[0].blocked_since) == ("budget shop/db", after(-500))
    assert (rows_of(free)[0].blocked_by, rows_of(free)[0].blocked_since) == ("", None)


STUCK: dict[str, tuple[NodeFacts, str, str]] = {
    "two budgets": (
        cordoned("n1", pod(blocked=blocked(Block.TWO_BUDGETS, "budgets shop/a and shop/b")), pod("alone", owner="")),
        "TwoBudgets",
        "budgets shop/a and shop/b",
    ),
    "a pod in the way": (cordoned("n1", pod("alone", owner=""), pod()), "PodsInTheWay", "evictUnmanagedPods"),
}


@pytest.mark.parametrize(("there_now", "reason", "says"), STUCK.values(), ids=STUCK)
def test_a_drain_that_needs_somebody_is_stalled_at_once_and_not_twice(there_now: NodeFacts, reason: str, says: str) -> None:
    status = going(row(state=DRAINING, pods=2, pods_left=2))
    seen = drain_observed(status, there(there_now))
    plan = decide(seen, NOW)

    assert why(plan.status, ConditionType.STALLED) == ("True", reason)
    assert why(plan.status, ConditionType.READY) == ("False", reason)
    assert why(plan.status, ConditionType.RECONCILING)[0] == "False"
    condition = plan.status.condition(ConditionType.STALLED)
    assert condition is not None
    assert condition.message.startswith("node n1: ")
    assert says in condition.message
    assert decide(replace(seen, status=plan.status), after(1)).status == plan.status


def test_a_drain_that_gets_on_again_says_so_at_once() -> None:
    stalled = decide(drain_observed(going(row(state=DRAINING)), there(cordoned("n1", pod(owner="")))), NOW).status
    plan = decide(drain_observed(stalled, there(cordoned("n1", pod(terminating=True)))), after(1))

    assert why(plan.status, ConditionType.STALLED)[0] == "False"
    assert rows_of(plan)[0].blocked_by == ""


def test_figures_are_written_seldom_and_states_at_once() -> None:
    pods = [pod(f"p{n}", terminating=True) for n in range(5)]
    first = decide(drain_observed(going(row(), row("n2")), there(cordoned("n1", *pods), node("n2"))), NOW).status
    soon = decide(drain_observed(first, there(cordoned("n1", *pods[:3]), node("n2"))), after(9)).status
    late = decide(drain_observed(first, there(cordoned("n1", *pods[:3]), node("n2"))), after(10)).status
    same = decide(drain_observed(first, there(cordoned("n1", *pods), node("n2"))), after(60)).status
    gone = decide(drain_observed(first, there(cordoned("n1"), node("n2"))), after(1)).status

    assert soon == first == same
    assert late.effect is not None
    assert late.effect.progress == Progress(after(10), active=3, succeeded=2)
    assert late.effect.message == "0 of 2 nodes drained, 3 pods left on those at work"
    assert gone.effect is not None
    assert (gone.effect.nodes[0].state, gone.effect.progress) == (DRAINED, Progress(after(1), active=0, succeeded=5))


def test_more_pods_than_in_the_beginning_are_no_progress() -> None:
    old = row(state=DRAINING, pods=1, pods_left=1)
    status = going(old, effect=record(old, progress=None))
    plan = decide(drain_observed(status, there(cordoned("n1", pod("a"), pod("b")))), NOW)

    assert plan.status.effect is not None
    assert plan.status.effect.progress == Progress(NOW, active=2, succeeded=0)


# ---- the next nodes
def test_a_node_that_is_done_makes_room_for_the_next() -> None:
    seen = drain_observed(
        going(row("n1", DRAINING), row("n2")), there(cordoned("n1"), node("n2", pod(node="n2")), leases=(lease(),))
    )
    plan = decide(seen, NOW)

    assert states(plan) == ["Drained", "Waiting"]
    assert plan.writes == (TakeLease(node("n2", pod(node="n2"))), CordonNode(node("n2", pod(node="n2"))))


def test_a_cordon_that_is_not_recorded_yet_takes_its_room() -> None:
    seen = drain_observed(going(row("n1"), row("n2")), there(cordoned("n1", pod()), node("n2"), leases=(lease(),)))

    assert decide(seen, NOW).writes == (EvictPods((pod(),), 16, None),)


def test_without_a_proof_it_goes_on_with_its_node_and_not_to_the_next() -> None:
    rows = (row("n1", DRAINING), row("n2"))
    seen = drain_observed(
        going(*rows), there(cordoned("n1", pod()), node("n2")), request=two_at_once("n1", "n2"), wall_proven=False
    )
    plan = decide(seen, NOW)
    full = decide(replace(seen, request=drain_request("n1", "n2")), NOW)
    last = decide(drain_observed(going(rows[0]), there(cordoned("n1", pod())), wall_proven=False), NOW)

    assert plan.writes == full.writes == last.writes == (EvictPods((pod(),), 16, None),)
    assert why(plan.status) == ("True", "WallNotProven")
    assert why(full.status)[0] == why(last.status)[0] == "False"


def test_a_refused_cordon_is_said_as_long_as_it_is_due_and_stops_no_evictions() -> None:
    seen = drain_observed(
        going(row("n1", DRAINING), row("n2")),
        there(cordoned("n1", pod()), node("n2"), leases=(lease("n2"),)),
        request=two_at_once("n1", "n2"),
    )
    cordon = CordonNode(node("n2"))
    refused = decide(replace(seen, refusal=Refusal(cordon, "jammed")), NOW)
    again = decide(replace(seen, status=refused.status), NOW)

    assert refused.writes == ()
    assert why(refused.status) == ("True", "WriteRefused")
    assert again.status == refused.status
    assert again.writes == (EvictPods((pod(),), 16, None), cordon)


# ---- how it ends
def test_it_is_released_once_every_node_is_cordoned_and_empty() -> None:
    last = cordoned("n2", pod("agent", daemon_set=True), resource_version="9")
    seen = drain_observed(going(row("n1", DRAINED), row("n2", DRAINING)), there(cordoned(), last))
    plan = decide(seen, NOW)

    assert end(plan.status)[0] == "Released"
    assert plan.status.effect is not None
    assert (plan.status.effect.state, plan.status.effect.finished_at) == (EffectState.DONE, NOW)
    assert "n1, n2" in plan.status.effect.message
    assert why(plan.status, ConditionType.READY) == ("True", "EffectComplete")
    assert plan.writes == (MarkDone(),)


def test_what_becomes_of_a_drained_node_does_not_matter_any_more() -> None:
    seen = drain_observed(going(row("n1", DRAINED), row("n2", DRAINING)), there(cordoned("n2", pod(node="n2"))))

    assert decide(seen, NOW).status.phase is Phase.APPROVED


ENDS: dict[str, tuple[Status, tuple[NodeFacts, ...], tuple[str, str, str], str]] = {
    "deleted meanwhile": (going(row(state=DRAINING)), (), ("Superseded", "Operator", "SubjectDeleted"), "was deleted"),
    "made again meanwhile": (
        going(row(state=DRAINING)),
        (node(uid="new"),),
        ("Superseded", "Operator", "SubjectChanged"),
        "was replaced by another of the same name",
    ),
    "uncordoned meanwhile": (
        going(row(state=DRAINING)),
        (cordoned("n1", pod(), unschedulable=False),),
        ("Failed", "Operator", "EffectFailed"),
        "node n1 was uncordoned while it was drained",
    ),
    "its mark gone": (
        going(row(state=CORDONED)),
        (cordoned("n1", pod(), released_by=""),),
        ("Failed", "Operator", "EffectFailed"),
        "does not bear the mark of this request any more",
    ),
    "a later node gone before its turn": (
        going(row("n1", DRAINING), row("n2")),
        (cordoned("n1", pod()),),
        ("Superseded", "Operator", "SubjectDeleted"),
        "node n2 was deleted",
    ),
}


@pytest.mark.parametrize(("status", "nodes", "ended", "says"), ENDS.values(), ids=ENDS)
def test_a_node_that_is_lost_ends_it(
    status: Status, nodes: tuple[NodeFacts, ...], ended: tuple[str, str, str], says: str
) -> None:
    plan = decide(drain_observed(status, there(*nodes)), NOW)

    assert end(plan.status) == ended
    assert plan.status.decision is not None
    assert says in plan.status.decision.message


def test_it_may_not_take_longer_than_it_may() -> None:
    old = record(row("n1", DRAINED), row("n2", DRAINING), started_at=after(-600))
    facts = there(cordoned(), cordoned("n2", pod(node="n2", blocked=blocked())))
    plan = decide(drain_observed(going(effect=old, resolved=drain_observed().resolved), facts), NOW)

    assert end(plan.status) == ("Failed", "Time", "EffectTimedOut")
    assert plan.status.decision is not None
    assert plan.status.decision.message == ("the drain ran beyond its time; not drained: n2; node n2: budget shop/web")
    free = there(cordoned(), cordoned("n2", pod(node="n2", terminating=True)))
    other = decide(drain_observed(going(effect=old, resolved=drain_observed().resolved), free), NOW)
    assert other.status.decision is not None
    assert other.status.decision.message == "the drain ran beyond its time; not drained: n2"


def test_it_is_looked_at_when_its_time_is_over() -> None:
    old = record(row(state=DRAINING), started_at=after(-598))
    plan = decide(drain_observed(going(effect=old), there(cordoned("n1", pod(blocked=blocked())))), NOW)

    assert plan.recheck_at == after(2)


def test_a_node_that_is_empty_in_the_last_moment_is_drained() -> None:
    old = record(row(state=DRAINING), started_at=after(-600))

    assert decide(drain_observed(going(effect=old), there(cordoned())), NOW).status.phase is Phase.RELEASED


def test_not_too_many_names_are_said() -> None:
    assert names([row(f"n{n}") for n in range(10)]).endswith("n7 and 2 more")
