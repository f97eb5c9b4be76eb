"""Stories of other hands: drift, break-glass, foreign Deployments, refused writes, deletion; and what is shown meanwhile."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gatehold.domain.phases import Phase
from gatehold.domain.rollout.model import Approval, SetWeight
from gatehold.domain.rollout.reasons import RolloutReason
from gatehold.domain.rollout.record import Outcome, RolloutPhase, Track
from gatehold.domain.rollout.refusals import opening
from gatehold.domain.rollout.writes import (
    Ask,
    ClearAuthors,
    DeleteChild,
    DropRevision,
    KeepTemplate,
    PutChild,
    SetFinalizer,
)
from tests.domain.rollout.deployment import Deployment
from tests.domain.rollout.test_ends import held, last, promoting
from tests.domain.rollout.test_walk import GATE, said
from tests.domain.rollout.world import World, healthy

NOBODY = Deployment("web-stable", "x", 3, owner="", uid="foreign", observed=1)


def test_what_others_change_is_put_back_and_counted() -> None:
    world = held()
    world.change(Track.STABLE, replicas=2)
    world.change(Track.CANARY, template="evil")
    world.settle()
    assert world.sizes() == (1, 5)
    assert world.children[Track.CANARY].template == "t2"
    assert world.record.stable is not None
    assert world.record.canary is not None
    assert (world.record.stable.put_back, world.record.canary.put_back) == (1, 1)
    assert len(world.requests) == 1


def test_our_own_write_is_no_drift_after_a_crash_and_is_written_again() -> None:
    world = healthy()
    world.spec(template="t2")
    world.turn(crash_after=3)
    world.settle()
    assert world.record.canary is None or world.record.canary.put_back == 0
    assert world.record.phase is RolloutPhase.HEALTHY


def test_a_child_that_is_deleted_or_loses_its_owner_comes_back() -> None:
    world = held()
    del world.children[Track.STABLE]
    world.children[Track.CANARY].owner = ""
    world.settle()
    assert world.sizes() == (1, 5)
    assert world.children[Track.CANARY].owner == world.rollout.uid
    assert world.record.stable is not None
    assert world.record.stable.put_back == 1


def test_a_child_that_is_being_deleted_is_waited_for() -> None:
    world = held()
    world.children[Track.STABLE].deleting = True
    world.spec(replicas=7)
    world.settle()
    assert world.sizes() == (1, 5)


def test_a_canary_at_rest_that_somebody_deletes_needs_no_replacing() -> None:
    world = healthy()
    world.spec(template="t2")
    world.settle()
    del world.children[Track.CANARY]
    world.settle()
    assert Track.CANARY not in world.children
    assert world.record.canary is None


def test_a_first_deployment_that_was_never_verified_is_not_made_again() -> None:
    world = World(gate=GATE)
    world.bad = {"t1"}
    world.settle()
    world.answer(Phase.APPROVED)
    world.settle()
    world.later(600)
    del world.children[Track.STABLE]
    world.settle()
    assert world.children == {}


def test_an_answer_that_is_newer_than_what_is_seen_is_waited_for() -> None:
    world = held()
    child = world.children[Track.STABLE]
    child.generation -= 1
    before = len(world.log)
    world.settle()
    assert len(world.log) == before


@pytest.mark.parametrize("track", list(Track))
def test_a_foreign_deployment_with_the_name_of_a_child_is_not_touched(track: Track) -> None:
    world = healthy() if track is Track.CANARY else World()
    world.children[track] = replace(NOBODY)
    world.spec(template="t2")
    plan = world.settle()
    assert said(world)[1:] == ("ChildNotOurs", "Stalled Held")
    assert plan.recheck_at is not None
    assert (world.children[track].version, world.children[track].replicas) == (1, 3)
    del world.children[track]
    world.settle()
    assert world.record.phase is RolloutPhase.HEALTHY


def test_a_status_that_was_lost_is_made_anew_and_asked_about() -> None:
    world = held()
    world.record = type(world.record)()
    world.settle()
    assert world.record.run is not None
    assert world.record.run.first
    assert world.sizes() == (1, 5)
    world.answer(Phase.APPROVED)
    world.settle()
    assert world.children[Track.STABLE].template == "t2"
    assert world.sizes() == (0, 5)


def test_break_glass_on_stable_stays_and_is_said_until_somebody_asks_for_the_old_state() -> None:
    world = healthy()
    world.change(Track.STABLE, template="hotfix", overridden="INC-1")
    world.later(3600)
    assert world.children[Track.STABLE].template == "hotfix"
    assert said(world) == ("Degraded", "SubjectOverridden", "Stalled Overridden")
    world.change(Track.STABLE, template="hotfix2", overridden="INC-2")
    world.settle()
    assert world.record.stable is not None
    assert world.record.stable.override is not None
    assert world.record.stable.override.message == "INC-2"
    world.spec(retry="1")
    world.settle()
    assert world.children[Track.STABLE].template == "t1"
    assert said(world) == ("Healthy", "AsWanted", "Ready")


def test_break_glass_on_stable_is_taken_over_by_the_promotion_of_another_template_only() -> None:
    world = healthy(replicas=8)
    world.gate = GATE
    world.change(Track.STABLE, template="hotfix", replicas=4, overridden="INC-1")
    world.settle()
    world.spec(template="t2")
    world.settle()
    assert world.sizes() == (1, 4)  # shares are taken of what is there
    assert world.children[Track.STABLE].template == "hotfix"
    world.answer(Phase.DENIED)
    world.settle()
    assert world.children[Track.STABLE].template == "hotfix"
    assert (last(world).rolled_back, last(world).rolled_back_reason) == (True, "Restored")
    world.spec(template="t3")
    world.settle()
    world.answer(Phase.APPROVED)
    world.settle()
    assert (world.children[Track.STABLE].template, world.sizes()) == ("t3", (0, 8))
    assert said(world) == ("Healthy", "AsWanted", "Ready")


def test_break_glass_on_the_canary_holds_the_run_and_its_undo_leaves_it() -> None:
    world = held()
    world.change(Track.CANARY, replicas=3, overridden="INC-1")
    name = world.request().name
    world.answer(Phase.APPROVED)
    world.later(700)
    assert said(world) == ("Held", "SubjectOverridden", "Stalled Held Overridden")
    world.answer(Phase.DENIED, name=name)
    world.settle()
    assert world.sizes() == (3, 5)
    assert (last(world).rolled_back, last(world).rolled_back_reason) == (False, "SubjectOverridden")
    world.spec(template="t3")
    world.settle()
    assert world.children[Track.CANARY].template == "t3"


def test_break_glass_on_stable_ends_its_promotion() -> None:
    world = promoting()
    world.change(Track.STABLE, template="hotfix", overridden="INC-1")
    world.settle()
    assert (last(world).outcome, last(world).reason) == (Outcome.FAILED, "SubjectOverridden")
    assert (last(world).rolled_back, last(world).rolled_back_reason) == (False, "SubjectOverridden")
    assert world.children[Track.STABLE].template == "hotfix"
    assert world.sizes() == (0, 5)


def test_a_write_that_the_platform_refuses_is_said_while_it_lasts_and_tried_again() -> None:
    world = healthy()
    world.spec(template="t2", authors=("olga",), revision_history_limit=0)
    for kind in (KeepTemplate, PutChild, Ask, ClearAuthors, DropRevision):
        world.gate = GATE
        world.refuses = kind
        world.settle()
        if kind is ClearAuthors:
            world.answer(Phase.APPROVED)
            world.settle()
        assert (said(world)[1], said(world)[2].split()[0]) == ("WriteRefused", "Stalled"), kind
        message = world.record.conditions[0].message
        assert "quota" in message
        told = len(world.told)
        world.settle()
        assert len(world.told) == told
    world.refuses = None
    world.settle()
    assert said(world) == ("Healthy", "AsWanted", "Ready")


def test_pods_of_stable_that_are_late_at_rest() -> None:
    world = healthy()
    world.bad = {"t1"}
    world.spec(replicas=6)
    world.settle()
    assert said(world) == ("Progressing", "PodsNotReady", "Reconciling")
    world.later(600)
    assert said(world) == ("Degraded", "ProgressDeadlineExceeded", "Stalled")
    world.bad = set()
    world.settle()
    assert said(world) == ("Healthy", "AsWanted", "Ready")


def test_image_ids_that_change_after_the_promotion_are_said() -> None:
    world = healthy()
    for pod in world.children[Track.STABLE].pods:
        pod.image = "moved"
    world.later(20)
    assert said(world) == ("Healthy", "ImagesDiffer", "Ready")


def test_figures_do_not_flood_the_status() -> None:
    world = healthy(replicas=30)
    for pod in world.children[Track.STABLE].pods:
        pod.ready = False
    world.turn()
    told = len(world.told)
    for _ in range(10):
        world.live(pods=1)
        world.turn()
    assert len(world.told) == told
    assert world.plan().recheck_at is not None
    world.now += timedelta(seconds=10)
    world.turn()
    assert len(world.told) == told + 1
    world.live()
    world.turn()
    assert world.record.stable is not None
    assert world.record.stable.ready == 30


def test_a_canary_that_was_planned_and_never_made_is_forgotten() -> None:
    world = healthy()
    world.spec(template="t2")
    world.turn(crash_after=1)
    world.spec(template="t3")
    world.turn(crash_after=1)
    world.spec(template="t1")
    world.settle()
    assert world.record.phase is RolloutPhase.HEALTHY
    assert world.record.canary is None
    assert sorted(world.revisions) == ["t1"]


def test_break_glass_does_not_lift_the_cap_of_a_gate() -> None:
    world = healthy(steps=(SetWeight(50), Approval("legal")))
    world.spec(template="t2")
    world.settle()
    world.change(Track.STABLE, overridden="INC-1")
    world.gate = GATE
    world.settle()
    assert world.sizes() == (1, 5)
    assert said(world)[1] == "SubjectOverridden"


def test_every_write_has_its_words() -> None:
    writes = (
        SetFinalizer(),
        DropRevision("web-1", "uid"),
        KeepTemplate("t", 1),
        ClearAuthors(),
        DeleteChild(Track.CANARY, "u"),
    )
    assert [opening(write).removeprefix("the API server refuses to ") for write in writes] == [
        "let the Rollout go",
        "delete ControllerRevision web-1",
        "keep the template as a ControllerRevision",
        "empty annotation gatehold.dev/authors",
        "let the Rollout go",
    ]


def test_every_reason_says_what_it_means() -> None:
    assert all(reason.meaning.endswith(".") for reason in RolloutReason)
