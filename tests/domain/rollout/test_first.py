"""Stories of first deployments that do not go well: nothing ran before, so there is nothing to go back to."""

from dataclasses import replace

from gatehold.domain.phases import Phase
from gatehold.domain.rollout.record import Outcome, RolloutPhase, Track
from gatehold.domain.rollout.writes import PutChild
from tests.domain.rollout.test_ends import last
from tests.domain.rollout.test_walk import GATE, said
from tests.domain.rollout.world import World


def test_a_first_deployment_that_is_denied_before_anything_ran() -> None:
    world = World(gate=GATE)
    world.settle()
    world.answer(Phase.DENIED)
    world.settle()
    assert said(world) == ("Degraded", "DeniedByReviewer", "Stalled RolledBack")
    assert last(world).rolled_back_reason == "NothingToUndo"
    assert world.children == {}


def first(bad: str = "t1") -> World:
    """An approved first deployment whose pods are on their way."""
    world = World(gate=GATE)
    world.bad = {bad}
    world.settle()
    world.answer(Phase.APPROVED)
    world.settle()
    assert world.record.phase is RolloutPhase.PROMOTING
    return world


def test_a_first_deployment_that_is_denied_while_it_comes_up_is_stopped() -> None:
    world = first()
    world.answer(Phase.DENIED, name=next(iter(world.requests)))
    world.settle()
    assert world.sizes() == (0, 0)
    assert (last(world).rolled_back, last(world).rolled_back_reason) == (True, "Restored")
    world.spec(replicas=7, restarted_at="now")
    world.settle()
    assert world.sizes() == (0, 0)
    world.bad = set()
    world.spec(template="t2")
    world.settle()
    assert world.request().digest == world.digest("t2", "s1", ())
    world.answer(Phase.APPROVED)
    world.settle()
    assert world.sizes() == (0, 7)


def test_a_denied_first_deployment_whose_pods_do_not_go_is_said() -> None:
    world = first()
    world.answer(Phase.DENIED, name=next(iter(world.requests)))
    world.refuses = PutChild
    world.settle()
    world.later(600)
    assert (last(world).rolled_back, last(world).rolled_back_reason) == (False, "NotRestored")
    world.refuses = None
    world.settle()
    assert world.sizes() == (0, 0)


def test_a_first_deployment_that_does_not_come_up_stays_as_it_is() -> None:
    world = first()
    world.later(600)
    assert said(world) == ("Degraded", "ProgressDeadlineExceeded", "Stalled")
    assert (last(world).rolled_back, last(world).rolled_back_reason) == (False, "NothingToRestore")
    assert world.sizes() == (0, 5)
    world.spec(replicas=6)
    world.settle()
    assert world.sizes() == (0, 6)
    world.spec(template="t2")  # asked about as a first deployment, since nothing was ever verified
    world.settle()
    assert world.request().digest == world.digest("t2", "s1", ())
    world.answer(Phase.APPROVED)
    world.settle()
    assert world.record.phase is RolloutPhase.HEALTHY


def test_a_free_first_deployment_that_does_not_come_up_is_tried_on_and_may_be_mended_at_any_time() -> None:
    world = World()
    world.bad = {"t1", "t2"}
    world.settle()
    world.later(600)
    assert said(world) == ("Degraded", "ProgressDeadlineExceeded", "Stalled")
    world.spec(template="t2")
    world.settle()
    assert world.children[Track.STABLE].template == "t2"
    assert last(world).outcome is Outcome.SUPERSEDED
    world.bad = set()
    world.settle()
    assert world.record.phase is RolloutPhase.HEALTHY


def test_a_first_deployment_of_which_nothing_was_written_yields_to_a_newer_spec() -> None:
    world = World(gate=GATE)
    world.settle()
    world.answer(Phase.APPROVED)
    world.turn(crash_after=1)
    world.spec(template="t2")
    world.settle()
    assert world.children == {}
    assert last(world).outcome is Outcome.SUPERSEDED
    assert world.request().digest == world.digest("t2", "s1", ())


def test_a_first_deployment_of_which_nothing_was_written_is_held_to_the_gate_as_it_is_then() -> None:
    for world in (World(gate=GATE), first()):
        world.later(600)
        world.spec(template="t2")
        world.settle()
        world.answer(Phase.APPROVED)
        world.turn(crash_after=1)
        world.gate = replace(GATE, policy="board")
        world.settle()
        assert [child.template for child in world.children.values()] in ([], ["t1"])
        assert world.request().policy == "board"
        world.answer(Phase.APPROVED)
        world.settle()
        assert world.record.phase is RolloutPhase.HEALTHY


def test_a_leftover_keeps_what_it_really_runs() -> None:
    world = first()
    world.later(600)
    world.spec(template="t2")
    world.settle()
    world.answer(Phase.APPROVED)
    world.turn(crash_after=1)
    world.spec(template="t3")
    world.settle()
    assert world.children[Track.STABLE].template == "t1"
    assert world.request().digest == world.digest("t3", "s1", ())
