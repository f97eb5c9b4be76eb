"""Stories of a deleted Rollout: what goes, what stays, in which order."""

from dataclasses import replace

import pytest

from gatehold.domain.rollout.model import Approval, SetWeight
from gatehold.domain.rollout.record import Track
from gatehold.domain.rollout.writes import (
    DropFinalizer,
    SetChildFree,
)
from tests.domain.rollout.test_ends import held, promoting
from tests.domain.rollout.test_hands import NOBODY
from tests.domain.rollout.world import World, healthy


@pytest.mark.parametrize("world", [World(), healthy(), held(), promoting()], ids=["new", "healthy", "held", "promoting"])
def test_a_deleted_rollout_goes_at_once_and_the_collector_takes_the_children(world: World) -> None:
    world.spec(has_finalizer=True, deleting=True)
    world.log.clear()
    world.settle()
    assert world.log == [DropFinalizer()]
    assert not world.rollout.has_finalizer


@pytest.mark.parametrize("seen", [True, False], ids=["in time", "after the collector"])
def test_orphaned_the_canary_goes_first_and_stable_stays_as_an_ordinary_deployment(seen: bool) -> None:
    world = healthy(steps=(SetWeight(80), Approval("legal")))
    world.spec(template="t2")
    world.settle()
    assert world.sizes() == (5, 2)
    world.log.clear()
    world.spec(deleting=True, orphaning=seen)
    for child in world.children.values():
        child.owner = ""
    world.turn()
    assert world.sizes() == (5, 5)
    world.settle()
    stable = world.children[Track.STABLE]
    assert Track.CANARY not in world.children
    assert (stable.template, stable.replicas, stable.owner, stable.labelled) == ("t1", 5, "", False)
    assert isinstance(world.log[-2], SetChildFree)
    assert world.log[-1] == DropFinalizer()


def test_orphaned_with_a_stable_that_does_not_come_up_or_is_gone() -> None:
    world = healthy(steps=(SetWeight(80), Approval("legal")))
    world.spec(template="t2")
    world.settle()
    world.bad = {"t1"}
    world.spec(deleting=True, orphaning=True)
    world.turn()
    world.children[Track.CANARY].deleting = False
    world.settle()
    assert world.sizes() == (5, 5)
    world.later(600)
    assert world.sizes() == (0, 5)
    other = held()
    del other.children[Track.STABLE]
    other.spec(deleting=True, orphaning=True)
    other.later(600)
    other.later(600)
    assert other.children == {}
    assert not other.rollout.has_finalizer


def test_orphaned_while_the_canary_is_being_deleted() -> None:
    world = held()
    world.children[Track.CANARY].deleting = True
    world.spec(deleting=True, orphaning=True)
    plan = world.turn()
    assert plan.writes == ()
    assert plan.recheck_at is not None


def test_a_deleted_rollout_leaves_foreign_deployments_alone() -> None:
    world = World(children={Track.STABLE: replace(NOBODY, owner="somebody")})
    world.spec(has_finalizer=True, deleting=True, orphaning=True)
    world.settle()
    assert (world.children[Track.STABLE].version, world.children[Track.STABLE].owner) == (1, "somebody")
    assert not world.rollout.has_finalizer
