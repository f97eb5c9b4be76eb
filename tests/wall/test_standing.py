"""Which verdict counts: the wall of one process over time, against an access that says what a test wants. No server."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from gatehold.admission.proof import SETTLE_SECONDS, Head, WallProof, head_of
from gatehold.admission.texts import Body
from gatehold.controllers.standing import Standing, Trust
from gatehold.controllers.wall import ROUTINE, SAID_AFTER, Wall
from gatehold.controllers.wall_access import GUARDS, OPEN, fingerprint
from gatehold.kube.errors import Unavailable
from gatehold.telemetry.metrics import Metrics
from tests.wall.test_proof import Clock, Reply, refusal

NAMES = [*sorted(GUARDS), "ValidatingAdmissionPolicy/gatehold-jobs"]


def text(name: str, generation: int = 1) -> dict[str, Any]:
    kind, name = name.split("/")
    meta = {"name": name, "uid": f"{kind}-{name}", "generation": generation}
    return {"kind": kind, "metadata": meta, "spec": {"policyName": name}}


@dataclass
class Server:
    """An API server, the requests on it, and what an earlier life of the operator wrote down."""

    live: dict[str, dict[str, Any]] = field(default_factory=lambda: {name: text(name) for name in NAMES})
    away: bool = False
    memory: str = OPEN
    leads: bool = True
    whole: bool = True
    recorded: bool = True
    forgery: Reply = field(default_factory=lambda: refusal("gatehold-requests"))
    looks: int = 0
    lists: int = 0
    proofs: int = 0
    before_list: Callable[[], None] = lambda: None
    beside_proof: Callable[[], None] = lambda: None
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def wall_objects(self) -> Sequence[Body]:
        self._answer()
        self.proofs += 1
        return [text(name, body["metadata"]["generation"]) for name, body in self.live.items()]

    async def try_as_probe(self, body: Body, subresource: str = "") -> Reply:
        self._answer()
        self.beside_proof()
        return refusal("gatehold-status") if subresource else self.forgery

    async def guards(self) -> frozenset[Head]:
        self.looks += 1
        await self.gate.wait()
        self._answer()
        return frozenset(head_of(self.live[name]) for name in GUARDS if name in self.live)

    async def catch_up(self) -> bool:
        self._answer()
        self.lists += 1
        self.before_list()
        return self.whole

    async def recall(self) -> str:
        self._answer()
        return self.memory

    async def remember(self, fingerprint: str) -> bool:
        if self.leads:
            self.memory = fingerprint
        return self.leads

    async def settled(self, trust: Callable[[float], Trust]) -> bool:
        return self.recorded

    def _answer(self) -> None:
        if self.away:
            raise Unavailable("away")


@dataclass
class World:
    server: Server
    clock: Clock
    wall: Wall

    def identity(self) -> frozenset[Head]:
        return frozenset(head_of(body) for body in self.server.live.values())

    def see(self) -> float:
        """A verdict is seen now; answers when."""
        self.later(0.01)
        seen = self.clock()
        self.later(0.01)
        return seen

    def later(self, seconds: float) -> None:
        self.clock.now += seconds

    def edit(self, name: str = NAMES[0]) -> None:
        self.server.live[name]["metadata"]["generation"] += 1

    async def mended(self) -> None:
        """Proven again, after what a change takes: the proof that finds it, and one some time later."""
        await self.prove()
        self.later(SETTLE_SECONDS + 0.1)
        assert await self.prove()

    async def hear(self) -> None:
        """The watch tells how it is now, and what that leads to is through."""
        self.later(0.01)
        self.wall.changed(self.identity())
        await asyncio.gather(*self.wall._asking)

    async def prove(self) -> bool:
        """A new proof, whatever there was a moment ago."""
        self.later(0.1)
        return await self.wall.prove(0)


def make(server: Server, clock: Clock) -> Wall:
    proof = WallProof(server, [text(name) for name in NAMES], monotonic=clock)
    return Wall(proof, server, Metrics(), monotonic=clock)


@pytest.fixture
async def world() -> World:
    """A wall that has stood since the operator's last life."""
    server, clock = Server(), Clock()
    server.gate.set()
    server.memory = fingerprint(await WallProof(server, list(server.live.values()), monotonic=clock).prove())
    wall = make(server, clock)
    clock.now += 100
    assert await wall.prove(0)
    return World(server, clock, wall)


async def test_a_yes_counts_once_a_look_that_began_after_it_found_the_same_objects(world: World) -> None:
    seen = world.see()
    assert world.wall.trust(seen) is Trust.OPEN
    assert await world.wall.confirm(seen) is Trust.GENUINE
    assert world.wall.trust(seen) is Trust.GENUINE
    assert world.server.looks == 1


async def test_a_change_that_no_watch_has_told_of_is_found_by_that_look(world: World) -> None:
    earlier = world.see()
    assert await world.wall.confirm(earlier) is Trust.GENUINE
    world.edit()
    seen = world.see()
    assert await world.wall.confirm(seen) is Trust.UNPROVEN
    assert not world.wall.proven()
    assert world.wall.fell()
    await world.mended()
    assert world.wall.trust(earlier) is Trust.GENUINE
    assert world.wall.trust(seen) is Trust.UNPROVEN


async def test_a_guard_that_was_taken_away_and_put_back_is_another_one(world: World) -> None:
    world.server.live[NAMES[0]]["metadata"]["uid"] = "another"
    assert await world.wall.confirm(world.see()) is Trust.UNPROVEN


async def test_a_look_that_began_before_the_yes_was_seen_says_nothing_of_it(world: World) -> None:
    world.server.gate.clear()
    world.wall.look_soon()
    await asyncio.sleep(0)
    seen = world.see()
    asked = asyncio.create_task(world.wall.confirm(seen))
    await asyncio.sleep(0)
    world.server.gate.set()
    assert await asked is Trust.GENUINE
    assert world.server.looks == 2


async def test_many_who_ask_at_once_share_a_look(world: World) -> None:
    seen = [world.see() for _ in range(50)]
    assert set(await asyncio.gather(*(world.wall.confirm(at) for at in seen))) == {Trust.GENUINE}
    assert world.server.looks == 1


async def test_a_proof_that_began_after_the_yes_was_seen_is_a_look_as_well(world: World) -> None:
    world.later(2)  # longer than a proof may stand for a release
    seen = world.see()
    assert await world.wall.prove()
    assert await world.wall.confirm(seen) is Trust.GENUINE
    assert world.server.looks == 0


async def test_one_that_began_before_is_none(world: World) -> None:
    world.later(0.1)
    seen = world.see()
    assert await world.wall.prove()
    assert await world.wall.confirm(seen) is Trust.GENUINE
    assert (world.server.proofs, world.server.looks) == (2, 1)  # of the two, one was the last life's


async def test_an_outage_costs_nobody_an_approval_and_lets_nothing_pass(world: World) -> None:
    world.server.away = True
    seen = world.see()
    assert await world.wall.confirm(seen) is Trust.OPEN
    assert not await world.prove()
    assert (world.wall.unknown(), world.wall.fell()) == (True, False)
    world.later(300)
    world.server.away = False
    assert await world.prove()
    assert world.wall.trust(seen) is Trust.GENUINE
    assert world.server.lists == 0


async def test_a_change_during_an_outage_costs_what_was_said_meanwhile(world: World) -> None:
    world.server.away = True
    assert not await world.prove()
    seen = world.see()
    world.edit()
    world.server.away = False
    await world.prove()
    await world.mended()
    assert world.wall.trust(seen) is Trust.UNPROVEN


async def test_how_long_nothing_is_known_is_known(world: World) -> None:
    turns: list[bool] = []
    world.wall.on_turn = lambda: turns.append(world.wall.unknown_for() >= SAID_AFTER)
    world.server.away = True
    await world.prove()
    world.later(SAID_AFTER)
    await world.wall.keep()
    await world.wall.keep()
    assert turns == [False, True]
    world.server.away = False
    world.later(1)
    await world.wall.keep()
    assert turns == [False, True, False]


async def test_after_a_gap_what_a_late_watch_brings_was_listed_before_the_wall_stands(world: World) -> None:
    world.edit()
    await world.hear()
    brought: list[float] = []
    world.server.before_list = lambda: brought.append(world.see())
    await world.mended()
    assert world.server.lists == 1
    assert world.wall.trust(brought[0]) is Trust.UNPROVEN
    assert await world.wall.confirm(world.see()) is Trust.GENUINE


async def test_what_the_watch_tells_is_found_at_once(world: World) -> None:
    world.edit()
    await world.hear()
    assert world.wall.fell()


async def test_a_release_does_not_go_by_a_proof_from_before_the_watch_told(world: World) -> None:
    world.later(0.1)
    world.edit()
    world.wall.changed(world.identity())
    assert not await world.wall.prove()


async def test_nor_by_one_during_which_it_told(world: World) -> None:
    def change() -> None:
        world.later(0.01)
        world.edit()
        world.wall.changed(world.identity())

    world.server.beside_proof = change
    assert not await world.prove()


async def test_a_watch_that_tells_what_was_proven_asks_for_nothing(world: World) -> None:
    proofs = world.server.proofs
    await world.hear()
    assert world.server.proofs == proofs


async def test_a_list_that_was_cut_off_closes_no_gap(world: World) -> None:
    world.edit()
    await world.hear()
    world.server.whole = False
    await world.prove()
    world.later(SETTLE_SECONDS + 0.1)
    assert not await world.prove()
    assert world.server.lists == 1
    world.server.whole = True
    assert await world.prove()


async def test_a_change_during_that_list_opens_the_gap_anew(world: World) -> None:
    world.edit()
    await world.hear()

    def change() -> None:
        world.later(0.01)
        world.edit()
        world.wall.changed(world.identity())

    world.server.before_list = change
    await world.prove()
    world.later(SETTLE_SECONDS + 0.1)
    assert not await world.prove()
    assert world.server.lists == 1
    world.server.before_list = lambda: None
    await world.mended()


async def test_a_watch_that_tells_late_what_a_proof_has_found_opens_no_second_gap(world: World) -> None:
    world.edit()
    assert not await world.prove()
    await world.mended()
    lists, now = world.server.lists, world.identity()
    world.wall.changed(frozenset(sorted(now)[1:]))  # how it was in between
    await asyncio.gather(*world.wall._asking)
    await world.hear()
    assert world.wall.proven()
    assert world.server.lists == lists


async def test_where_the_forgery_passes_though_nothing_was_changed_the_looks_since_the_last_proof_meant_nothing(
    world: World,
) -> None:
    before = world.see()
    assert await world.wall.confirm(before) is Trust.GENUINE
    assert await world.prove()
    world.server.forgery = Reply(200)
    seen = world.see()
    assert await world.wall.confirm(seen) is Trust.GENUINE
    assert not await world.prove()
    assert world.wall.trust(before) is Trust.GENUINE
    assert world.wall.trust(seen) is Trust.UNPROVEN
    assert world.wall.trust(seen, recorded=True) is Trust.UNPROVEN
    assert world.wall.trust(before, recorded=True) is Trust.GENUINE


async def test_what_stands_in_a_status_is_touched_by_no_change_of_the_wall(world: World) -> None:
    seen = world.see()
    world.edit()
    await world.prove()
    assert world.wall.trust(seen) is Trust.UNPROVEN
    assert world.wall.trust(seen, recorded=True) is Trust.GENUINE


# ---- what outlives the process


async def test_the_same_wall_as_in_the_last_life_has_stood_all_the_time(world: World) -> None:
    assert world.server.lists == 0
    assert world.wall.trust(world.clock() - 50) is Trust.GENUINE


@pytest.mark.parametrize("memory", [OPEN, "0" * 32], ids=["none", "another"])
async def test_another_wall_than_in_the_last_life_leaves_nothing_unrecorded_that_counts(world: World, memory: str) -> None:
    world.server.memory = memory
    world.wall = make(world.server, world.clock)
    seen = world.see()
    assert not await world.prove()  # it may have been put back a moment ago, and not be in force yet
    await world.mended()
    assert world.wall.trust(seen) is Trust.UNPROVEN
    assert world.wall.trust(seen, recorded=True) is Trust.GENUINE
    assert world.server.lists == 1


async def test_an_open_wall_is_written_down_at_once_and_a_mended_one_when_nothing_said_meanwhile_is_left(
    world: World,
) -> None:
    stood = world.server.memory
    world.edit()
    await world.prove()
    assert world.server.memory == OPEN
    world.server.recorded = False
    await world.mended()
    assert world.server.memory == OPEN
    world.server.recorded = True
    await world.wall.prove()
    assert world.wall.last is not None
    assert world.server.memory == fingerprint(world.wall.last) != stood


async def test_a_standby_writes_nothing_down_and_does_so_when_it_leads(world: World) -> None:
    stood = world.server.memory
    world.server.leads = False
    world.edit()
    await world.prove()
    await world.mended()
    assert world.server.memory == stood
    world.server.leads = True
    await world.wall.prove(ROUTINE)
    assert world.server.memory not in (stood, OPEN)


def test_only_the_newest_spans_are_kept_and_what_is_older_is_unproven() -> None:
    standing = Standing()
    for number in range(300):
        standing.begin(number)
        standing.unchanged_at(number + 0.5)
        standing.fall()
    assert standing.trust(299.5) is Trust.GENUINE
    assert standing.trust(0.2) is Trust.UNPROVEN
    assert standing.trust(299.7) is Trust.UNPROVEN
