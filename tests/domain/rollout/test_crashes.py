"""A process that dies between any two writes leads to the same end, once: every boundary of every kind of life."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from gatehold.domain.phases import Phase
from gatehold.domain.rollout.model import Approval, GateFacts, SetWeight
from gatehold.domain.rollout.record import Outcome, RolloutPhase, Track
from tests.domain.rollout.world import World, healthy

MANY = 10_000
Event = Callable[[World], object]


@dataclass(frozen=True)
class Life:
    """A Rollout from `start` on: what happens to it, one thing after the other, and how that ends."""

    events: tuple[Event, ...]
    phase: RolloutPhase
    outcome: Outcome | None
    start: Callable[[], World] = healthy


def gated(world: World) -> None:
    world.gate = GateFacts("g", "prod", 20)
    world.spec(template="t2", steps=(SetWeight(10), Approval("legal"), SetWeight(80)))


def to(template: str) -> Event:
    return lambda world: world.spec(template=template)


def say(phase: Phase) -> Event:
    return lambda world: world.answer(phase)


def sick(template: str) -> Event:
    return lambda world: world.bad.add(template)


def late(world: World) -> None:
    world.later(600)


def orphaned(world: World) -> None:
    world.spec(deleting=True, orphaning=True)


def moved(world: World) -> None:
    world.images["t2"] = "moved"


YES = say(Phase.APPROVED)
LIVES = {
    "first": Life((), RolloutPhase.HEALTHY, Outcome.PROMOTED, World),
    "first, gated": Life((YES,), RolloutPhase.HEALTHY, Outcome.PROMOTED, lambda: World(gate=GateFacts("g", "prod"))),
    "promoted": Life((gated, YES, YES), RolloutPhase.HEALTHY, Outcome.PROMOTED),
    "denied": Life((gated, YES, say(Phase.DENIED)), RolloutPhase.DEGRADED, Outcome.DENIED),
    "expired": Life((gated, say(Phase.EXPIRED)), RolloutPhase.DEGRADED, Outcome.EXPIRED),
    "withdrawn": Life((gated, YES, say(Phase.WITHDRAWN)), RolloutPhase.DEGRADED, Outcome.WITHDRAWN),
    "canary never ready": Life((sick("t2"), gated, late), RolloutPhase.DEGRADED, Outcome.FAILED),
    "stable never ready": Life((gated, YES, sick("t2"), YES, late), RolloutPhase.DEGRADED, Outcome.FAILED),
    "other image on stable": Life((gated, YES, moved, YES, YES, YES), RolloutPhase.HEALTHY, Outcome.PROMOTED),
    "superseded": Life((gated, YES, to("t3"), YES, YES), RolloutPhase.HEALTHY, Outcome.PROMOTED),
    "back": Life((gated, YES, to("t1")), RolloutPhase.HEALTHY, Outcome.SUPERSEDED),
    "scaled": Life((gated, lambda w: w.spec(replicas=9), YES, YES), RolloutPhase.HEALTHY, Outcome.PROMOTED),
    "orphaned": Life((gated, YES, orphaned), RolloutPhase.HELD, None),
}


def lived(life: Life, fuse: int | None) -> World:
    world = life.start()
    world.fuse = fuse
    world.settle()
    for event in life.events:
        event(world)
        world.settle()
    return world


def end(world: World) -> tuple[object, ...]:
    last = world.record.last_run
    return (
        world.record.phase,
        (last.target, last.outcome, last.reason, last.rolled_back) if last is not None else None,
        {track: (d.template, d.replicas, d.owner, d.available) for track, d in world.children.items()},
        world.record.promoted,
        world.rollout.has_finalizer,
        sorted((q.policy, q.phase) for q in world.requests.values()),
    )


@pytest.mark.parametrize("name", LIVES)
def test_the_end_is_the_same_wherever_the_process_dies(name: str) -> None:
    life = LIVES[name]
    undisturbed = lived(life, MANY)
    assert undisturbed.fuse is not None

    assert undisturbed.record.phase is life.phase
    if life.outcome is not None:
        assert undisturbed.record.last_run is not None
        assert undisturbed.record.last_run.outcome is life.outcome
    for fuse in range(MANY - undisturbed.fuse):
        assert end(lived(life, fuse)) == end(undisturbed), fuse


def test_drift_is_not_seen_in_our_own_writes_after_a_crash() -> None:
    for fuse in range(30):
        world = lived(LIVES["promoted"], fuse)
        for track in Track:
            known = world.record.track(track)
            assert known is None or known.put_back == 0
