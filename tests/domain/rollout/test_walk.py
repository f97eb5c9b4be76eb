"""Stories of a canary on its way: first deployments, steps, caps, pauses, questions, and what holds it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gatehold.domain.phases import Phase
from gatehold.domain.plan import Proof
from gatehold.domain.rollout.model import Approval, GateFacts, Link, Pause, SetWeight, UnknownGate
from gatehold.domain.rollout.record import Outcome, RolloutPhase, Track, Weight
from gatehold.domain.rollout.writes import Ask, KeepTemplate, PutChild, SetFinalizer
from tests.domain.rollout.world import World, healthy

GATE = GateFacts("g", "prod", 20)


def said(world: World) -> tuple[str, str, str]:
    """Phase, the reason of Ready, and the conditions that are true."""
    record = world.record
    true = " ".join(c.type for c in record.conditions if c.status == "True")
    return (record.phase, record.conditions[0].reason, true)


def test_a_first_deployment_in_a_free_namespace_is_made_at_once() -> None:
    world = World()
    assert world.turn().writes == (SetFinalizer(),)
    plan = world.turn()

    assert [type(write) for write in plan.writes] == [KeepTemplate, PutChild]
    assert plan.proof is Proof.NONE
    assert said(world) == ("Promoting", "Promoting", "Reconciling")
    world.settle()
    assert said(world) == ("Healthy", "AsWanted", "Ready")
    assert world.sizes() == (0, 5)


def test_a_first_deployment_behind_a_gate_is_asked_about_before_anything_runs() -> None:
    world = World(gate=GATE)
    world.settle()

    assert world.children == {}
    assert said(world) == ("Held", "AwaitingApproval", "Reconciling Held")
    assert (world.request().policy, world.request().digest) == ("prod", world.digest("t1", "s1", ()))
    world.answer(Phase.APPROVED)
    plan = world.turn()
    assert plan.proof is Proof.BEFORE_STATUS
    assert [type(write) for write in plan.writes] == [KeepTemplate, PutChild]
    world.settle()
    assert said(world) == ("Healthy", "AsWanted", "Ready")
    assert world.requests[world.record.last_run.requests[0].name].phase is Phase.RELEASED  # type: ignore[union-attr]


def test_deleted_and_made_again_with_a_new_template_is_a_first_deployment() -> None:
    world = healthy()
    world.rollout = replace(world.rollout, deleting=True)
    world.settle()
    again = World(gate=GATE).spec(template="t2")
    again.settle()

    assert not world.rollout.has_finalizer
    assert again.children == {}
    assert again.request().digest == again.digest("t2", "s1", ())


def test_a_canary_walks_its_steps() -> None:
    steps = (
        SetWeight(20),
        Pause(60),
        SetWeight(50),
        Approval("legal", 900, (Link("board", "https://b"),)),
        SetWeight(80),
        Pause(9),
    )
    world = healthy(steps=steps)
    world.spec(template="t2")
    world.turn()
    assert said(world) == ("Progressing", "CanaryProgressing", "Reconciling")
    world.settle()
    assert said(world) == ("Paused", "Paused", "Reconciling")
    assert (world.record.step, world.sizes(), world.record.weight) == ("2/6", (1, 5), Weight(20, 16))
    assert world.record.until is not None
    world.later(59)
    assert world.record.phase is RolloutPhase.PAUSED
    world.later(1)
    assert said(world) == ("Held", "AwaitingApproval", "Reconciling Held")
    assert (world.record.step, world.sizes(), world.record.weight) == ("4/6", (5, 5), Weight(50, 50))
    assert world.record.waiting_for == world.request().name
    (ask,) = [write for write in world.log if isinstance(write, Ask)]
    assert (ask.timeout_seconds, ask.links, ask.question.gate) == (900, (("board", "https://b"),), "rollouts")
    assert ask.question.images == ("app=t2",)
    world.answer(Phase.APPROVED)
    world.settle()
    assert (world.record.step, world.sizes(), world.record.weight) == ("6/6", (5, 2), Weight(80, 71))
    world.later(9)
    assert said(world) == ("Healthy", "AsWanted", "Ready")
    puts = [(w.track, w.wanted.template, w.wanted.replicas) for w in world.log if isinstance(w, PutChild)]
    assert puts == [
        ("canary", "t2", 1),
        ("canary", "t2", 5),
        ("stable", "t1", 2),
        ("stable", "t2", 5),
        ("canary", "t2", 0),
    ]


def test_a_whole_canary_behind_a_gate_costs_few_writes() -> None:
    world = healthy(replicas=10)
    world.gate = GATE
    world.spec(template="t2")
    world.settle()
    world.answer(Phase.APPROVED)
    world.settle()

    assert len(world.log) == 5  # template, canary, request, stable, canary
    assert len(world.told) <= 9


def test_above_half_stable_shrinks_only_once_the_canary_is_there() -> None:
    world = healthy(steps=(SetWeight(80), Pause(60)))
    world.spec(template="t2")
    world.turn()
    world.live(pods=4)
    world.turn()
    assert world.sizes() == (5, 5)
    world.live(pods=1)
    world.settle()
    assert world.sizes() == (5, 2)
    assert world.record.weight == Weight(80, 71)


def test_down_in_weight_stable_grows_first() -> None:
    world = healthy(steps=(SetWeight(80), Pause(30), SetWeight(20), Pause(60)))
    world.spec(template="t2")
    world.settle()
    assert world.sizes() == (5, 2)
    world.now += timedelta(seconds=30)
    world.turn()
    assert world.sizes() == (5, 5)
    world.live(pods=0)
    world.turn()
    assert world.sizes() == (5, 5)
    world.settle()
    assert world.sizes() == (1, 5)


@pytest.mark.parametrize(("cap", "sizes"), [(20, (1, 5)), (40, (3, 5)), (0, (0, 5))])
def test_the_canary_is_held_at_the_cap_of_the_gate(cap: int, sizes: tuple[int, int]) -> None:
    world = healthy(steps=(SetWeight(100),))
    world.gate = GateFacts("g", "prod", cap)
    world.spec(template="t2")
    world.settle()

    assert world.sizes() == sizes
    assert world.record.run is not None
    (question,) = world.record.run.questions
    assert (question.gate, question.policy) == ("g", "prod")
    assert question.images == (("app=t2",) if cap else ())
    world.answer(Phase.APPROVED)
    world.settle()
    assert world.record.phase is RolloutPhase.HEALTHY


def test_a_namespace_labelled_while_a_canary_is_under_way_is_held_to_its_gate_from_then_on() -> None:
    world = healthy(steps=(SetWeight(50), Pause(60)))
    world.spec(template="t2")
    world.settle()
    assert world.sizes() == (5, 5)
    world.gate = GATE
    world.settle()
    assert world.sizes() == (1, 5)
    assert world.request().policy == "prod"
    world.answer(Phase.APPROVED)
    world.settle()
    assert world.sizes() == (5, 5)
    assert world.record.phase is RolloutPhase.PAUSED


def test_an_unknown_gate_holds_everything_but_the_way_back() -> None:
    world = healthy(steps=(SetWeight(20), SetWeight(50)))
    world.gate = GATE
    world.spec(template="t2")
    world.settle()
    name = world.request().name
    world.gate = UnknownGate("g", "there is none")
    world.answer(Phase.APPROVED)
    plan = world.settle()
    assert said(world) == ("Held", "GateNotFound", "Stalled Held")
    assert plan.recheck_at is not None
    assert world.sizes() == (1, 5)
    world.spec(replicas=10)
    world.settle()
    assert world.sizes() == (2, 10)
    world.answer(Phase.DENIED, name=name)
    world.settle()
    assert world.record.last_run is not None
    assert world.record.last_run.outcome is Outcome.DENIED
    first = World(gate=UnknownGate("g", "there is none"))
    first.settle()
    assert first.children == {}
    assert said(first) == ("Held", "GateNotFound", "Stalled Held")


def test_no_promotion_begins_while_the_wall_is_not_proven_even_where_nobody_is_asked() -> None:
    world = healthy()
    world.wall = False
    world.spec(template="t2")
    world.settle()
    assert said(world) == ("Held", "WallNotProven", "Reconciling Held")
    assert world.sizes() == (1, 5)
    world.wall = True
    world.settle()
    assert world.record.phase is RolloutPhase.HEALTHY


def test_scaling_is_followed_at_every_phase() -> None:
    world = healthy(steps=(SetWeight(20), Approval("legal")))
    world.spec(replicas=20)
    world.settle()
    assert world.sizes() == (0, 20)
    world.spec(template="t2")
    world.settle()
    assert world.sizes() == (5, 20)
    world.spec(replicas=8)
    world.settle()
    assert world.sizes() == (2, 8)
    world.spec(replicas=0)
    world.settle()
    assert world.sizes() == (0, 0)
    world.spec(replicas=12)
    world.settle()
    assert world.sizes() == (3, 12)
    world.bad.add("t2")
    world.answer(Phase.APPROVED)
    world.turn()
    world.spec(replicas=16)
    world.settle()
    assert world.record.phase is RolloutPhase.PROMOTING
    assert world.sizes() == (4, 16)
    assert world.children[Track.STABLE].template == "t2"


def test_restarts_and_ready_seconds_reach_both_children_outside_of_the_digest() -> None:
    world = healthy(steps=(SetWeight(20), Approval("legal")))
    world.spec(template="t2")
    world.settle()
    world.log.clear()
    world.spec(restarted_at="now", min_ready_seconds=5, revision_history_limit=3)
    world.settle()

    puts = [(w.track, w.wanted.restarted_at, w.wanted.min_ready_seconds, w.wanted.history) for w in world.log]  # type: ignore[union-attr]
    assert puts == [("stable", "now", 5, 3), ("canary", "now", 5, 3)]
    assert len(world.requests) == 1
