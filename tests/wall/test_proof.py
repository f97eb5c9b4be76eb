"""The proof by itself: what each answer proves, who shares a proof, what a change of the wall does. No server needed."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from gatehold.admission.proof import (
    FORGED_STATUS,
    FORGED_VERDICT,
    LIFE_SECONDS,
    SETTLE_SECONDS,
    Proof,
    Reason,
    WallProof,
    judge,
)
from gatehold.admission.texts import Body


@dataclass(frozen=True)
class Reply:
    status: int
    message: str = ""


def refusal(policy: str) -> Reply:
    return Reply(403, f"ValidatingAdmissionPolicy '{policy}' with binding '{policy}' denied request: no")


TEXT: Body = {"kind": "ValidatingAdmissionPolicy", "metadata": {"name": "p", "uid": "u", "generation": 1}, "spec": {"a": 1}}


@dataclass
class Server:
    """An API server as the proof sees it; `gate` holds its answers back until it is set."""

    verdict: Reply = field(default_factory=lambda: refusal("gatehold-requests"))
    status: Reply = field(default_factory=lambda: refusal("gatehold-status"))
    live: Sequence[Body] = (TEXT,)
    error: Exception | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    proofs: int = 0
    tries: list[str] = field(default_factory=list)

    async def wall_objects(self) -> Sequence[Body]:
        self.proofs += 1
        await self.gate.wait()
        if self.error:
            raise self.error
        return self.live

    async def try_as_probe(self, body: Body, subresource: str = "") -> Reply:
        self.tries.append(subresource)
        return self.status if subresource else self.verdict


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    server: Server
    clock: Clock
    proof: WallProof

    async def once(self, max_age: float = 0.0) -> Proof:
        self.server.gate.set()
        return await self.proof.prove(max_age)


@pytest.fixture
def world() -> World:
    server, clock = Server(), Clock()
    return World(server, clock, WallProof(server, [TEXT], monotonic=clock))


async def test_texts_equal_and_both_forgeries_refused_is_proven(world: World) -> None:
    proof = await world.once()

    assert (proof.proven, proof.reason) == (True, Reason.PROVEN)
    assert proof.identity == (("ValidatingAdmissionPolicy/p", "u", 1),)
    assert proof.started_monotonic == 1000.0
    assert sorted(world.server.tries) == ["", "status"]
    assert world.proof.proven(1000.0)


ANSWERS: dict[str, tuple[Reply, Reason]] = {
    "refused by the policy": (refusal("gatehold-requests"), Reason.PROVEN),
    "accepted": (Reply(200), Reason.FORGERY_ACCEPTED),
    "refused by another policy": (refusal("gatehold-status"), Reason.PROBE_MISSING),
    "refused by RBAC": (Reply(403, 'User "x" cannot patch resource "approvalrequests"'), Reason.PROBE_MISSING),
    "no such request": (Reply(404, "not found"), Reason.PROBE_MISSING),
    "token refused": (Reply(401, "Unauthorized"), Reason.PROBE_UNREACHABLE),
    "refused by the schema": (Reply(422, "spec is immutable"), Reason.PROBE_UNREACHABLE),
    "too many requests": (Reply(429, "later"), Reason.PROBE_UNREACHABLE),
    "server error": (Reply(500, "ValidatingAdmissionPolicy 'gatehold-requests'"), Reason.PROBE_UNREACHABLE),
    "no answer": (Reply(0, "timeout"), Reason.PROBE_UNREACHABLE),
    "the policy could not be evaluated": (Reply(403, "policy 'gatehold-requests' with binding 'gatehold-requests' failed"), Reason.PROBE_MISSING),
}  # fmt: skip


@pytest.mark.parametrize("says", ANSWERS)
async def test_only_the_policys_own_refusal_proves_anything(world: World, says: str) -> None:
    world.server.verdict, wanted = ANSWERS[says]

    proof = await world.once()

    assert judge(world.server.verdict, "gatehold-requests") is wanted
    assert (proof.reason, proof.proven) == (wanted, wanted is Reason.PROVEN)
    assert proof.proven or proof.message.startswith("gatehold-requests: ")


async def test_the_forged_status_has_to_be_refused_too(world: World) -> None:
    world.server.status = Reply(200)

    proof = await world.once()

    assert (proof.proven, proof.reason) == (False, Reason.FORGERY_ACCEPTED)
    assert proof.message.startswith("gatehold-status: 200")


async def test_a_text_that_differs_is_not_proven_whatever_the_forgeries_show(world: World) -> None:
    world.server.live = ({**TEXT, "spec": {"a": 2}},)

    proof = await world.once()

    assert (proof.proven, proof.reason) == (False, Reason.TEXT_DIFFERS)
    assert proof.message == "ValidatingAdmissionPolicy p: spec.a differs from the shipped text"


@pytest.mark.parametrize("error", [ConnectionError("refused"), TimeoutError(), KeyError("kind")])
async def test_whatever_goes_wrong_nothing_is_proven_and_nothing_is_raised(world: World, error: Exception) -> None:
    world.server.error = error

    proof = await world.once()

    assert (proof.proven, proof.reason) == (False, Reason.PROBE_UNREACHABLE)
    assert type(error).__name__ in proof.message


async def test_a_server_that_does_not_answer_in_time_proves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatehold.admission.proof.ATTEMPT_SECONDS", 0.01)

    proof = await world.proof.prove()  # the gate stays shut

    assert (proof.proven, proof.reason) == (False, Reason.PROBE_UNREACHABLE)


# ---- sharing


async def test_callers_at_the_same_moment_share_one_proof(world: World) -> None:
    callers = [asyncio.create_task(world.proof.prove()) for _ in range(50)]
    await asyncio.sleep(0)
    world.server.gate.set()
    found = await asyncio.gather(*callers)

    assert world.server.proofs == 1
    assert len({id(proof) for proof in found}) == 1


async def test_a_proof_that_started_before_the_question_does_not_count(world: World) -> None:
    first = asyncio.create_task(world.proof.prove())
    await asyncio.sleep(0)
    world.clock.now += 0.5
    second = asyncio.create_task(world.proof.prove())
    await asyncio.sleep(0)
    world.server.gate.set()
    found = await asyncio.gather(first, second)

    assert world.server.proofs == 2
    assert [proof.started_monotonic for proof in found] == [1000.0, 1000.5]


async def test_a_running_proof_counts_if_it_is_young_enough(world: World) -> None:
    first = asyncio.create_task(world.proof.prove())
    await asyncio.sleep(0)
    world.clock.now += 0.5
    second = asyncio.create_task(world.proof.prove(max_age=1.0))
    await asyncio.sleep(0)
    world.server.gate.set()
    found = await asyncio.gather(first, second)

    assert world.server.proofs == 1
    assert found[0] is found[1]


@pytest.mark.parametrize(
    ("age", "max_age", "proofs"), [(0.5, 1.0, 1), (1.0, 1.0, 1), (1.1, 1.0, 2), (0.1, 0.0, 2), (30.0, 60.0, 1)]
)
async def test_a_finished_proof_counts_by_its_age_since_it_started(
    world: World, age: float, max_age: float, proofs: int
) -> None:
    await world.once()
    world.clock.now += age

    await world.once(max_age)

    assert world.server.proofs == proofs


async def test_a_failed_proof_is_shared_like_a_good_one(world: World) -> None:
    world.server.verdict = Reply(200)
    first = await world.once()
    second = await world.once(max_age=1.0)

    assert first is second
    assert not second.proven


async def test_a_caller_who_gives_up_does_not_end_the_proof_of_the_others(world: World) -> None:
    impatient = asyncio.create_task(world.proof.prove())
    patient = asyncio.create_task(world.proof.prove())
    await asyncio.sleep(0)
    impatient.cancel()
    await asyncio.sleep(0)
    world.server.gate.set()

    assert (await patient).proven
    assert impatient.cancelled()


# ---- gaps and age


async def test_nothing_is_proven_before_the_first_proof(world: World) -> None:
    assert not world.proof.proven(1000.0)


async def test_a_proof_stands_for_a_minute(world: World) -> None:
    await world.once()

    assert world.proof.proven(1000.0 + LIFE_SECONDS)
    assert not world.proof.proven(1000.0 + LIFE_SECONDS + 0.1)


async def test_a_change_ends_it_at_once(world: World) -> None:
    await world.once()
    world.proof.wall_changed(1001.0)

    assert not world.proof.proven(1001.0)


@pytest.mark.parametrize(("later", "counts"), [(0.0, False), (1.9, False), (SETTLE_SECONDS, True), (10.0, True)])
async def test_after_a_change_only_a_proof_that_started_two_seconds_later_counts(
    world: World, later: float, counts: bool
) -> None:
    await world.once()
    world.proof.wall_changed(1001.0)
    world.clock.now = 1001.0 + later
    proof = await world.once()

    assert proof.proven
    assert world.proof.proven(world.clock.now) is counts


async def test_a_change_while_the_proof_runs_counts_as_a_change(world: World) -> None:
    running = asyncio.create_task(world.proof.prove())
    await asyncio.sleep(0)
    world.clock.now += 0.1
    world.proof.wall_changed(world.clock.now)
    world.server.gate.set()
    await running

    assert not world.proof.proven(world.clock.now)


async def test_an_old_proof_is_not_handed_out_after_a_change(world: World) -> None:
    await world.once()
    world.clock.now += 0.1
    world.proof.wall_changed(world.clock.now)
    world.clock.now += 0.1
    await world.once(max_age=60.0)

    assert world.server.proofs == 2


async def test_late_news_of_an_earlier_change_does_not_shorten_a_later_one(world: World) -> None:
    world.proof.wall_changed(1005.0)
    world.proof.wall_changed(1001.0)
    world.clock.now = 1004.0
    await world.once()

    assert not world.proof.proven(1004.0)


@pytest.mark.parametrize("metadata", [{"uid": "another"}, {"generation": 2}])
async def test_a_change_that_the_watch_missed_is_seen_by_the_next_proof(world: World, metadata: dict[str, object]) -> None:
    await world.once()
    world.clock.now += 20.0
    world.server.live = ({**TEXT, "metadata": {**TEXT["metadata"], **metadata}},)
    await world.once()
    at_once = world.proof.proven(world.clock.now)
    world.clock.now += SETTLE_SECONDS
    await world.once()

    assert not at_once
    assert world.proof.proven(world.clock.now)


async def test_a_failed_proof_takes_the_state_back(world: World) -> None:
    await world.once()
    world.clock.now += 1.0
    world.server.verdict = Reply(0)
    await world.once()

    assert not world.proof.proven(world.clock.now)


def test_the_forgeries_are_valid_but_for_the_wall() -> None:
    """Another rule than the wall's own must not be what refuses them."""
    value = FORGED_VERDICT["metadata"]["annotations"]["verdict.gatehold.dev/0"]
    assert len(value.split("|")) == 6
    assert FORGED_STATUS == {"status": {"approvals": "99/99"}}
