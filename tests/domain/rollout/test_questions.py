"""Stories of the questions of a run: when they are asked, when a yes counts, when they are asked anew."""

from dataclasses import replace

import pytest

from gatehold.domain.phases import Phase
from gatehold.domain.plan import Proof
from gatehold.domain.rollout.asking import MOST_QUESTIONS
from gatehold.domain.rollout.model import Pause, SetWeight
from gatehold.domain.rollout.record import Outcome, RolloutPhase, Stage, Track
from tests.domain.rollout.test_walk import GATE, said
from tests.domain.rollout.world import healthy


def test_another_policy_in_the_gate_has_to_be_asked_too_and_the_open_question_stays() -> None:
    world = healthy()
    world.gate = GATE
    world.spec(template="t2")
    world.settle()
    first = world.request().name
    world.gate = replace(GATE, policy="board")
    world.settle()
    assert world.request().name == first
    world.answer(Phase.APPROVED)
    world.settle()
    assert world.request().policy == "board"
    world.gate = None  # not needed any more, but open: its answer is waited for
    world.settle()
    assert world.record.phase is RolloutPhase.HELD
    world.answer(Phase.APPROVED)
    world.settle()
    assert world.record.phase is RolloutPhase.HEALTHY
    assert len(world.requests) == 2


def test_a_yes_counts_only_while_the_wall_is_proven_and_in_time() -> None:
    world = healthy()
    world.gate = GATE
    world.spec(template="t2")
    world.settle()
    world.wall = False
    world.answer(Phase.APPROVED, validity=100)
    plan = world.settle()
    assert said(world) == ("Held", "WallNotProven", "Reconciling Held")
    assert plan.recheck_at is not None
    world.wall = True
    plan = world.plan()
    assert plan.proof is Proof.BEFORE_STATUS
    assert plan.record.run is not None
    assert plan.record.run.stage is Stage.PROMOTING
    world.now = plan.record.run.questions[0].passed_at or world.now
    world.later(100)
    assert world.record.last_run is not None
    assert (world.record.last_run.outcome, world.record.last_run.reason) == (Outcome.EXPIRED, "ValidityPassed")


def test_too_many_requests_wait_already() -> None:
    world = healthy()
    world.gate = GATE
    world.crowded = frozenset({"prod"})
    world.spec(template="t2")
    plan = world.settle()
    assert said(world) == ("Held", "TooManyPending", "Reconciling Held")
    assert plan.recheck_at is not None
    assert world.requests == {}
    world.crowded = frozenset()
    world.settle()
    assert world.request().policy == "prod"


def test_a_question_waits_until_the_image_ids_are_read() -> None:
    world = healthy()
    world.gate = GATE
    world.unread = True
    world.spec(template="t2")
    world.settle()
    assert said(world) == ("Progressing", "CanaryProgressing", "Reconciling")
    world.gate = None
    world.settle()
    assert world.record.phase is RolloutPhase.PROGRESSING
    world.gate, world.unread = GATE, False
    world.settle()
    assert world.request().digest == world.digest("t2", "s1", ("app=t2",))


def test_other_image_ids_are_asked_about_anew() -> None:
    world = healthy(replicas=8, steps=(SetWeight(20), SetWeight(50), Pause(60)))
    world.gate = GATE
    world.spec(template="t2")
    world.settle()
    world.answer(Phase.APPROVED)
    world.images["t2"] = "moved"
    world.settle()
    assert sorted(q.phase for q in world.requests.values()) == [Phase.PENDING, Phase.SUPERSEDED]
    assert world.sizes() == (2, 8)
    assert world.record.run is not None
    assert world.record.run.questions[0].attempt == 2


@pytest.mark.parametrize("gone", [True, False])
def test_a_question_that_was_superseded_or_taken_away_is_asked_anew(gone: bool) -> None:
    world = healthy()
    world.gate = GATE
    world.spec(template="t2")
    world.settle()
    name = world.request().name
    if gone:
        del world.requests[name]
    else:
        world.answer(Phase.SUPERSEDED)
    world.settle()
    assert world.request().name != name


def test_what_is_asked_anew_for_ever_ends() -> None:
    world = healthy()
    world.gate = GATE
    world.spec(template="t2")
    for _ in range(MOST_QUESTIONS):
        world.settle()
        world.answer(Phase.SUPERSEDED)
    world.settle()
    assert len(world.requests) == MOST_QUESTIONS
    assert world.record.last_run is not None
    assert (world.record.last_run.outcome, world.record.last_run.reason) == (Outcome.FAILED, "TooManyQuestions")


def test_a_request_that_is_there_already_is_found_by_its_name_after_a_crash() -> None:
    world = healthy()
    world.gate = GATE
    world.spec(template="t2")
    world.turn()
    world.live()
    world.turn(crash_after=1)
    assert world.requests == {}
    world.turn(crash_after=2)
    world.settle()
    assert len(world.requests) == 1


def test_a_name_that_is_taken_is_passed_over() -> None:
    world = healthy()
    world.gate = GATE
    world.spec(template="t2")
    world.settle()
    taken = world.request()
    other = healthy()
    other.gate = GATE
    other.requests = {taken.name: replace(taken, phase=Phase.SUPERSEDED)}
    other.spec(template="t2")
    other.settle()
    assert other.record.run is not None
    assert other.record.run.questions[0].attempt == 2


def test_a_yes_that_its_request_knows_nothing_of_moves_nothing() -> None:
    world = healthy()
    world.gate = GATE
    world.spec(template="t2")
    world.settle()
    run = world.record.run
    assert run is not None
    lie = replace(run, questions=(replace(run.questions[0], passed=True, passed_at=world.now),))
    for stage in (Stage.CANARY, Stage.PROMOTING):
        world.record = replace(world.record, run=replace(lie, stage=stage, written=stage is Stage.PROMOTING))
        world.settle()
        assert said(world) == ("Held", "AwaitingApproval", "Reconciling Held")
        assert world.children[Track.STABLE].template == "t1"
    world.answer(Phase.APPROVED)
    world.settle()
    assert world.record.phase is RolloutPhase.HEALTHY
