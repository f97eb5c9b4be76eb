"""Stories of the way back: every kind of no, pods that do not come up, what was rejected."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gatehold.domain.phases import Phase
from gatehold.domain.plan import Proof
from gatehold.domain.rollout.model import Approval, GateFacts, Pause, SetWeight
from gatehold.domain.rollout.record import Outcome, RolloutPhase, Track
from tests.domain.rollout.test_ends import held, last, promoting
from tests.domain.rollout.test_walk import GATE, said
from tests.domain.rollout.world import healthy


@pytest.mark.parametrize(
    ("phase", "outcome", "reason"),
    [
        (Phase.DENIED, Outcome.DENIED, "DeniedByReviewer"),
        (Phase.EXPIRED, Outcome.EXPIRED, "DeadlinePassed"),
        (Phase.LAPSED, Outcome.EXPIRED, "ValidityPassed"),
        (Phase.WITHDRAWN, Outcome.WITHDRAWN, "WithdrawnByRequester"),
        (Phase.FAILED, Outcome.FAILED, "RequestFailed"),
    ],
)
def test_a_no_of_any_kind_is_undone_read_back_and_rejected(phase: Phase, outcome: Outcome, reason: str) -> None:
    world = held(replicas=8, steps=(SetWeight(20),))
    world.answer(phase)
    plan = world.turn()
    assert plan.proof is Proof.NONE
    assert said(world) == ("RollingBack", "Undoing", "Reconciling")
    world.settle()
    assert said(world) == ("Degraded", reason, "Stalled RolledBack")
    assert (last(world).outcome, last(world).reason, last(world).rolled_back) == (outcome, reason, True)
    assert last(world).rolled_back_message == "stable runs template t1 with 8 pods, the canary is gone"
    assert "because" in last(world).message
    assert world.sizes() == (0, 8)
    world.later(7200)
    assert said(world) == ("Degraded", reason, "Stalled RolledBack")
    assert len(world.requests) == 1


def test_undo_goes_on_without_the_wall_and_with_an_answer_that_says_nothing() -> None:
    world = held()
    world.wall = False
    name = world.request().name
    world.requests[name] = replace(world.request(), phase=Phase.DENIED)
    world.settle()
    assert last(world).message == f"request {name} is Denied"
    assert last(world).rolled_back is True


def test_a_denial_counts_until_the_promotion_is_verified() -> None:
    world = promoting()
    name = next(iter(world.requests))
    world.live(pods=2)
    world.answer(Phase.DENIED, name=name)
    world.settle()
    assert (last(world).outcome, last(world).rolled_back, last(world).rolled_back_reason) == (
        Outcome.DENIED,
        True,
        "Restored",
    )
    assert world.children[Track.STABLE].template == "t1"
    assert world.sizes() == (0, 5)


def test_above_half_stable_is_whole_again_before_the_canary_goes() -> None:
    world = healthy(steps=(SetWeight(80), Approval("legal")))
    world.spec(template="t2")
    world.settle()
    assert world.sizes() == (5, 2)
    world.answer(Phase.DENIED)
    world.turn()
    assert world.sizes() == (5, 5)
    world.live(pods=2)
    world.turn()
    assert world.sizes() == (5, 5)
    world.settle()
    assert world.sizes() == (0, 5)


def test_a_canary_that_is_not_ready_in_time_is_rolled_back_before_anybody_is_asked() -> None:
    world = healthy(progress_deadline_seconds=100)
    world.gate, world.bad = GATE, {"t2"}
    world.spec(template="t2")
    plan = world.settle()
    assert plan.recheck_at is not None
    world.later(99)
    assert said(world) == ("Progressing", "CanaryProgressing", "Reconciling")
    world.later(1)
    assert said(world) == ("Degraded", "ProgressDeadlineExceeded", "Stalled RolledBack")
    assert world.requests == {}
    assert world.sizes() == (0, 5)


def test_the_deadline_starts_anew_at_each_weight_and_stands_while_gatehold_holds_the_pods() -> None:
    world = healthy(steps=(SetWeight(20), SetWeight(50), Pause(9)), progress_deadline_seconds=100)
    world.held = 1
    world.spec(template="t2")
    world.settle()
    assert said(world) == ("Held", "PodsHeld", "Reconciling Held")
    world.later(3600)
    assert world.record.phase is RolloutPhase.HELD
    world.held, world.bad = 0, {"t2"}
    world.later(0)
    world.later(99)
    assert world.record.phase is RolloutPhase.PROGRESSING
    world.bad = set()
    world.live()
    world.bad = {"t2"}
    world.turn()
    world.later(99)
    assert (world.record.phase, world.record.weight.asked) == (RolloutPhase.PROGRESSING, 50)
    world.later(1)
    assert world.record.phase is RolloutPhase.DEGRADED


def test_a_canary_that_was_ready_and_is_not_any_more_is_rolled_back_too() -> None:
    world = held()
    name = world.request().name
    world.children[Track.CANARY].pods[0].ready = False
    world.bad = {"t2"}
    world.settle()
    assert world.record.phase is RolloutPhase.HELD
    world.later(600)
    assert last(world).reason == "ProgressDeadlineExceeded"
    assert world.requests[name].phase is Phase.FAILED


def test_back_to_the_stable_template_is_undone_and_nothing_is_asked_or_rejected() -> None:
    world = held()
    name = world.request().name
    world.spec(template="t1")
    world.settle()
    assert said(world) == ("Healthy", "AsWanted", "Ready RolledBack")
    assert last(world).outcome is Outcome.SUPERSEDED
    assert world.requests[name].phase is Phase.SUPERSEDED
    assert len(world.requests) == 1


def test_what_was_rejected_stays_so_until_it_changes_or_somebody_asks_again() -> None:
    world = held()
    world.answer(Phase.DENIED)
    world.settle()
    first = next(iter(world.requests))
    world.spec(retry="1")
    world.settle()
    assert world.request().name != first
    assert world.record.retried == "1"
    world.answer(Phase.DENIED)
    world.settle()
    assert world.record.phase is RolloutPhase.DEGRADED  # once a value
    world.spec(strategy="s2")
    world.settle()
    assert world.record.phase is RolloutPhase.HELD
    assert world.record.rejected is None


def test_a_retry_that_was_there_at_the_beginning_of_a_run_does_not_count_later() -> None:
    world = held(retry="1")
    world.answer(Phase.DENIED)
    world.settle()
    assert world.record.phase is RolloutPhase.DEGRADED
    other = held()
    other.spec(retry="1")  # while it runs: it counts
    other.settle()
    other.answer(Phase.DENIED)
    other.settle()
    assert other.record.phase is RolloutPhase.HELD


def test_what_cannot_be_restored_in_time_is_said_and_tried_on() -> None:
    world = healthy(steps=(SetWeight(80), Approval("legal")))
    world.spec(template="t2")
    world.settle()
    world.bad = {"t1"}
    world.answer(Phase.DENIED)
    world.settle()
    assert said(world) == ("RollingBack", "Undoing", "Reconciling")
    world.later(600)
    assert said(world) == ("Degraded", "DeniedByReviewer", "Stalled")
    assert (last(world).rolled_back, last(world).rolled_back_reason) == (False, "NotRestored")
    assert last(world).rolled_back_message.startswith("stable is not back")
    assert world.sizes() == (3, 5)  # pod by pod now
    world.bad = set()
    world.settle()
    assert world.sizes() == (0, 5)


def test_a_canary_whose_pods_do_not_go_is_said() -> None:
    world = held()
    world.answer(Phase.DENIED)
    world.turn()
    world.children[Track.CANARY].pods.append(world.children[Track.STABLE].pods[0])
    world.now += timedelta(seconds=600)
    world.turn()
    assert last(world).rolled_back_message.startswith("the canary still has pods")


def test_nothing_was_begun_so_nothing_is_undone() -> None:
    world = healthy()
    world.gate = GateFacts("g", "prod", 0)
    world.spec(template="t2")
    world.settle()
    world.answer(Phase.EXPIRED)
    world.settle()
    assert (last(world).rolled_back, last(world).rolled_back_reason) == (True, "NothingToUndo")
    assert Track.CANARY not in world.children


def test_a_lost_revision_is_said() -> None:
    world = promoting()
    world.bad = {"t2"}
    world.settle()
    del world.revisions["t1"]
    world.later(600)
    assert (last(world).rolled_back, last(world).rolled_back_reason) == (False, "TemplateLost")
    assert said(world) == ("Degraded", "TemplateLost", "Stalled")
