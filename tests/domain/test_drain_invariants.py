"""What must hold of every decision about a drain, and about a held one, whatever is observed."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from gatehold.domain.decide import decide
from gatehold.domain.effects.drain_pods import is_evictable, missing_consent
from gatehold.domain.model import Word
from gatehold.domain.nodes import CloseNode, CordonNode, DropLease, EvictPods, TakeLease, UncordonNode
from gatehold.domain.phases import Phase, is_refused
from gatehold.domain.plan import Observed, Plan, Proof
from gatehold.domain.status import EffectState, NodeState
from tests.builders import UID
from tests.domain.drain_strategies import drain_observeds, held_observeds
from tests.domain.strategies import instants
from tests.domain.test_invariants import CHECKS
from tests.domain.world import World

AT_WORK = (NodeState.CORDONED, NodeState.DRAINING)


def nothing_is_cordoned_but_what_was_approved(seen: Observed, plan: Plan, now: datetime) -> None:
    status, drain = plan.status, seen.facts.drain
    assert drain is not None
    for write in plan.writes:
        if not isinstance(write, TakeLease | CordonNode):
            continue
        assert (status.phase, plan.proof, seen.wall_proven) == (Phase.APPROVED, Proof.BEFORE_WRITES, True)
        assert status.resolved is not None
        assert (write.node.name, write.node.uid) in {(node.name, node.uid) for node in status.resolved.nodes}
        assert not any(lease.node == write.node.name and lease.holder != UID for lease in drain.leases)
        assert not any(e.counted and e.verdict.word in (Word.DENY, Word.WITHDRAW) for e in status.verdicts)
        effect = status.effect
        assert effect is not None
        row = next(row for row in effect.nodes if row.name == write.node.name)
        assert (row.state, row.was_unschedulable) == (NodeState.WAITING, write.node.unschedulable)
        assert set(row.taints) == set(write.node.taints)
        if effect.state is EffectState.WAITING:
            assert status.valid_until is not None
            assert now < status.valid_until


def nothing_is_evicted_but_from_our_own_nodes(seen: Observed, plan: Plan, now: datetime) -> None:
    drain, spec = seen.facts.drain, seen.request.effect.drain
    assert drain is not None
    assert spec is not None
    ours = {node.name for node in drain.nodes if node.released_by == UID and node.unschedulable}
    for write in plan.writes:
        if not isinstance(write, EvictPods):
            continue
        assert plan.status.phase is Phase.APPROVED
        for pod in write.pods:
            assert pod.node in ours
            assert is_evictable(pod)
            assert not missing_consent(pod, spec)
            assert pod.blocked is None or pod.blocked.again_at <= now


def not_more_nodes_than_may_are_begun(seen: Observed, plan: Plan, now: datetime) -> None:
    spec, effect = seen.request.effect.drain, plan.status.effect
    assert spec is not None
    cordons = [write for write in plan.writes if isinstance(write, CordonNode)]
    at_work = [row for row in effect.nodes if row.state in AT_WORK] if effect is not None else []
    assert not cordons or len(cordons) + len(at_work) <= spec.parallel_nodes


def what_is_drained_stays(seen: Observed, plan: Plan, now: datetime) -> None:
    was = seen.status.effect
    drained = {row.name for row in (was.nodes if was is not None else ()) if row.state is NodeState.DRAINED}
    for write in plan.writes:
        if isinstance(write, UncordonNode | CloseNode | CordonNode | TakeLease):
            assert write.node.name not in drained
        if isinstance(write, DropLease):
            assert write.lease.node not in drained
            assert write.lease.holder == UID
    after = plan.status.effect
    assert drained <= {row.name for row in (after.nodes if after is not None else ()) if row.state is NodeState.DRAINED}


def only_our_own_is_put_back_and_only_after_the_end(seen: Observed, plan: Plan, now: datetime) -> None:
    for write in plan.writes:
        if isinstance(write, UncordonNode):
            assert is_refused(plan.status.phase)
            assert not write.uncordon or write.node.released_by == UID


def released_means_cordoned_and_empty(seen: Observed, plan: Plan, now: datetime) -> None:
    if plan.status.phase is not Phase.RELEASED or seen.status.phase is Phase.RELEASED:
        return
    effect, was = plan.status.effect, seen.status.effect
    drain = seen.facts.drain
    assert effect is not None
    assert was is not None
    assert drain is not None
    fresh = {row.name for row in was.nodes if row.state is not NodeState.DRAINED}
    assert {row.state for row in effect.nodes} == {NodeState.DRAINED}
    for node in drain.nodes:
        if node.name in fresh:
            assert (node.unschedulable, node.released_by) == (True, UID)
            assert node.pods is not None
            assert not any(is_evictable(pod) for pod in node.pods)


RULES = (
    *CHECKS,
    nothing_is_cordoned_but_what_was_approved,
    nothing_is_evicted_but_from_our_own_nodes,
    not_more_nodes_than_may_are_begun,
    what_is_drained_stays,
    only_our_own_is_put_back_and_only_after_the_end,
    released_means_cordoned_and_empty,
)


@settings(max_examples=settings.default.max_examples * 2)
@given(drain_observeds(), instants)
def test_every_plan_of_a_drain_keeps_every_rule_and_comes_to_rest(seen: Observed, now: datetime) -> None:
    plan = decide(seen, now)
    for check in RULES:
        check(seen, plan, now)
    world = World.of(seen, now)
    world.settle()
    rest = world.settle(limit=2)
    assert rest.status == world.status
    assert not any(isinstance(write, TakeLease | CordonNode | UncordonNode | CloseNode) for write in rest.writes)


def a_held_drain_touches_a_node_only_to_uncordon_it(seen: Observed, plan: Plan, now: datetime) -> None:
    """And only of the person who asked, after a no, where no maintenance runs."""
    for write in plan.writes:
        if not isinstance(write, UncordonNode):
            assert not isinstance(write, CordonNode | EvictPods | CloseNode | TakeLease | DropLease)
            continue
        assert is_refused(plan.status.phase)
        assert plan.status.phase is not Phase.SUPERSEDED
        assert seen.request.subject is not None
        assert (write.node.uid, write.node.released_by) == (seen.request.subject.uid, "")
        assert write.node.cordoned_by == seen.request.requester.username


def a_held_drain_is_let_go_by_a_status_that_was_proven(seen: Observed, plan: Plan, now: datetime) -> None:
    if plan.status.phase is Phase.APPROVED and seen.status.phase is not Phase.APPROVED:
        assert (plan.proof, plan.writes, seen.wall_proven) == (Proof.BEFORE_STATUS, (), True)


@given(held_observeds(), instants)
def test_every_plan_of_a_held_drain_keeps_every_rule_and_comes_to_rest(seen: Observed, now: datetime) -> None:
    plan = decide(seen, now)
    for check in (
        *CHECKS,
        a_held_drain_touches_a_node_only_to_uncordon_it,
        a_held_drain_is_let_go_by_a_status_that_was_proven,
    ):
        check(seen, plan, now)
    world = World.of(seen, now)
    world.settle()
    assert world.settle(limit=2).status == world.status


@given(drain_observeds() | held_observeds(), instants, st.integers(1, 3600))
def test_until_the_recheck_nothing_becomes_new(seen: Observed, now: datetime, seconds: int) -> None:
    world = World.of(seen, now)
    world.settle()
    rest, later = world.settle(limit=2), now + timedelta(seconds=seconds)

    if rest.recheck_at is None or later < rest.recheck_at:
        assert decide(world.observe(), later).status == world.status
