"""Stories of how a run ends: promoted and verified, or undone, read back, and rejected."""

from dataclasses import replace
from datetime import timedelta

from gatehold.domain.phases import Phase
from gatehold.domain.plan import Proof
from gatehold.domain.rollout.model import SetWeight, UnknownGate
from gatehold.domain.rollout.record import LastRun, Outcome, RolloutPhase, Stage, Track
from gatehold.domain.rollout.writes import Ask, ClearAuthors, DropRevision, KeepTemplate, PutChild
from tests.domain.rollout.test_walk import GATE, said
from tests.domain.rollout.world import World, healthy


def held(**spec: object) -> World:
    """A canary of t2 that is held at 20 % by the Gate's question."""
    world = healthy(**spec)
    world.gate = GATE
    world.spec(template="t2")
    world.settle()
    assert world.record.phase is RolloutPhase.HELD
    return world


def promoting(**spec: object) -> World:
    """An approved t2 whose first pods on stable are on their way."""
    world = held(**spec)
    world.answer(Phase.APPROVED)
    world.turn()
    assert world.record.phase is RolloutPhase.PROMOTING
    return world


def last(world: World) -> LastRun:
    assert world.record.last_run is not None
    return world.record.last_run


def test_a_promotion_is_recorded_before_it_is_written_and_the_canary_goes_last() -> None:
    world = held()
    world.answer(Phase.APPROVED)
    plan = world.turn()
    assert plan.record.run is not None
    assert (plan.record.run.stage, plan.record.run.former, plan.record.run.images) == (Stage.PROMOTING, "t1", ("app=t2",))
    assert [(type(w), w.track) for w in plan.writes if isinstance(w, PutChild)] == [(PutChild, Track.STABLE)]
    world.live(pods=2)
    world.turn()
    assert said(world) == ("Promoting", "Promoting", "Reconciling")
    assert world.sizes() == (1, 5)
    world.settle()
    assert world.sizes() == (0, 5)
    assert (last(world).outcome, last(world).rolled_back) == (Outcome.PROMOTED, None)
    assert world.record.promoted == world.rollout.target
    assert world.record.promoted_images == ("app=t2",)


def test_a_stable_that_does_not_come_up_gets_its_former_template_back() -> None:
    world = promoting()
    world.bad = {"t2"}
    world.settle()
    world.later(600)
    assert said(world) == ("Degraded", "ProgressDeadlineExceeded", "Stalled RolledBack")
    assert (last(world).outcome, last(world).rolled_back) == (Outcome.FAILED, True)
    assert world.children[Track.STABLE].template == "t1"
    assert world.sizes() == (0, 5)


def test_a_stable_with_image_ids_that_nobody_approved_is_rolled_back() -> None:
    world = held()
    world.images["t2"] = "moved"
    world.answer(Phase.APPROVED)
    world.settle()
    assert said(world) == ("Degraded", "ImageChanged", "Stalled RolledBack")
    assert "app=moved" in last(world).message
    assert world.children[Track.STABLE].template == "t1"


def test_stables_image_ids_are_waited_for() -> None:
    world = promoting()
    world.unread = True
    plan = world.settle()
    assert world.record.phase is RolloutPhase.PROMOTING
    assert plan.recheck_at is not None
    world.unread = False
    world.settle()
    assert world.record.phase is RolloutPhase.HEALTHY


def test_while_gatehold_holds_stables_pods_the_clock_stands() -> None:
    world = promoting()
    world.held = 2
    world.settle()
    world.later(3600)
    assert said(world) == ("Promoting", "PodsHeld", "Reconciling Held")
    world.held = 0
    world.settle()
    assert world.record.phase is RolloutPhase.HEALTHY


def test_a_promotion_ends_before_a_newer_template_is_looked_at() -> None:
    world = promoting()
    world.spec(template="t3")
    world.settle()
    assert last(world).target.template == "t2"
    assert last(world).outcome is Outcome.PROMOTED
    assert world.record.run is not None
    assert (world.record.run.target.template, world.record.run.former) == ("t3", "t2")
    assert world.request().digest == world.digest("t3", "s1", ("app=t3",))


def test_a_promotion_that_has_not_been_written_waits_for_the_wall_again_after_a_crash() -> None:
    world = held()
    world.answer(Phase.APPROVED)
    world.turn(crash_after=1)
    world.wall = False
    world.later(700)
    assert said(world) == ("Held", "WallNotProven", "Reconciling Held")
    assert world.children[Track.STABLE].template == "t1"
    world.wall = True
    assert world.plan().proof is Proof.BEFORE_WRITES
    world.settle()
    assert world.record.phase is RolloutPhase.HEALTHY


def test_a_promotion_that_has_not_been_written_is_held_to_the_gate_as_it_is_after_a_crash() -> None:
    world = held()
    world.answer(Phase.APPROVED)
    world.turn(crash_after=1)
    world.gate = UnknownGate("g", "there is none")
    world.settle()
    assert said(world) == ("Held", "GateNotFound", "Stalled Held")
    world.gate = replace(GATE, policy="board")
    world.settle()
    assert world.request().policy == "board"
    assert world.children[Track.STABLE].template == "t1"
    world.answer(Phase.APPROVED)
    world.settle()
    assert world.record.phase is RolloutPhase.HEALTHY


def test_a_new_template_or_steps_under_way_start_over() -> None:
    for change in ({"template": "t3"}, {"strategy": "s2", "steps": (SetWeight(10),)}):
        world = held()
        name = world.request().name
        world.spec(**change)
        world.turn()
        assert world.sizes() == (0, 5)
        world.settle()
        assert world.requests[name].phase is Phase.SUPERSEDED
        assert (last(world).outcome, last(world).reason, last(world).rolled_back) == ("Superseded", "SubjectChanged", True)
        assert world.record.rejected is None
        assert world.request().digest == world.digest(
            world.rollout.template, world.rollout.strategy, (f"app={world.rollout.template}",)
        )


def test_the_next_run_begins_once_the_requests_of_the_last_one_have_read_its_end() -> None:
    world = promoting()
    while world.record.run is not None:
        world.live()
        world.turn()
    name = last(world).requests[0].name
    world.requests[name] = replace(world.requests[name], phase=Phase.APPROVED)
    world.spec(template="t3")
    plan = world.turn()
    assert said(world) == ("Progressing", "RequestClosing", "Reconciling")
    assert plan.recheck_at is not None
    world.now += timedelta(seconds=60)  # for a minute at most
    world.turn()
    assert world.record.run is not None


def test_a_request_that_was_overtaken_before_it_was_prepared_is_no_answer() -> None:
    world = held()
    name = world.request().name
    world.requests[name] = replace(world.request(), phase=Phase.FAILED, reason="SubjectChanged")
    world.settle()
    assert world.request().name != name


def test_the_canary_before_has_to_be_gone_before_the_next_one_begins() -> None:
    world = promoting()
    while world.record.run is not None:
        world.live()
        world.turn()  # verified, and the canary of t2 is told to go
    world.mirror()
    world.children[Track.CANARY].replicas = 0
    world.children[Track.CANARY].pods.append(world.children[Track.STABLE].pods[0])
    world.spec(template="t3")
    world.turn()
    assert said(world) == ("Progressing", "OldCanaryGoing", "Reconciling")
    world.settle()
    assert world.request().digest == world.digest("t3", "s1", ("app=t3",))


def test_changed_steps_at_rest_ask_nothing() -> None:
    world = healthy()
    world.spec(strategy="s2", steps=())
    world.settle()
    assert (world.record.phase, world.log) == (RolloutPhase.HEALTHY, [])


def test_authors_are_done_with_once_what_they_changed_is_promoted() -> None:
    world = promoting(authors=("olga",))
    world.spec(authors=("olga", "dana"), template="t3")  # meanwhile: kept
    world.settle()
    assert world.rollout.authors == ("olga", "dana")
    world.answer(Phase.APPROVED)
    world.settle()
    assert world.rollout.authors == ()
    assert ClearAuthors() in world.log


def test_old_templates_go() -> None:
    world = healthy(revision_history_limit=1)
    for number in range(2, 6):
        world.spec(template=f"t{number}")
        world.settle()
    assert sorted(world.revisions) == ["t4", "t5"]
    assert sum(isinstance(write, DropRevision) for write in world.log) == 3
    assert sum(isinstance(write, KeepTemplate) for write in world.log) == 4
    assert not any(isinstance(write, Ask) for write in world.log)
