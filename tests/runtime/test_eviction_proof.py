"""The proof of the webhook: what it takes, and what a no, a silence or a change makes of it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from gatehold.admission.eviction_proof import LIFE_SECONDS, MOST_SILENCES, PROOF_SECONDS, EvictionProof, difference, judge
from gatehold.admission.texts import eviction_webhook
from gatehold.domain.gate import WebhookState
from gatehold.kube.errors import Unavailable

GOOD = 'admission webhook "evict.gatehold.dev" denied the request: gatehold-probe'


@dataclass(frozen=True)
class Said:
    status: int
    message: str


def live(version: str = "7") -> dict[str, Any]:
    """As the API server gives it back: with defaults, an address and a caBundle."""
    body = copy.deepcopy(dict(eviction_webhook()))
    body["metadata"] = {**body["metadata"], "resourceVersion": version}
    for hook in body["webhooks"]:
        hook["clientConfig"] = {"url": "https://10.0.0.7:9443/evict", "caBundle": "eA=="}
        hook["objectSelector"] = {}
        hook["matchConditions"] = [*hook["matchConditions"], {"name": "exempt-accounts", "expression": "true"}]
    return body


@dataclass
class Access:
    body: dict[str, Any] | None = field(default_factory=live)
    said: Said = Said(403, GOOD)
    error: Exception | None = None
    proofs: int = 0

    async def configuration(self) -> dict[str, Any] | None:
        self.proofs += 1
        if self.error is not None:
            raise self.error
        return self.body

    async def version(self) -> str:
        return str(self.body["metadata"]["resourceVersion"]) if self.body is not None else ""

    async def try_eviction(self) -> Said:
        return self.said


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def made(access: Access) -> tuple[EvictionProof, Clock, list[WebhookState]]:
    clock, turns = Clock(), list[WebhookState]()
    proof = EvictionProof(access, lambda: True, clock)
    proof.on_turn = lambda: turns.append(proof.state()[0])
    return proof, clock, turns


async def test_it_is_proven_by_our_own_no_and_kept_so() -> None:
    access = Access()
    proof, clock, turns = made(access)
    assert (proof.proven(), proof.state()[0]) == (False, WebhookState.NOT_PROVEN)
    for _ in range(20):
        await proof.keep()
        assert proof.proven()
        clock.now += 5
    assert turns == [WebhookState.PROVEN]
    assert access.proofs == 1 + 95 // PROOF_SECONDS  # every 30 s


async def test_without_a_webhook_it_says_so() -> None:
    proof = EvictionProof(None, lambda: False)
    await proof.keep()
    assert (proof.proven(), proof.state()[0]) == (False, WebhookState.NOT_INSTALLED)


SPOILED: dict[str, Callable[[dict[str, Any]], object]] = {
    "failurePolicy": lambda hook: hook.update(failurePolicy="Ignore"),
    "no failurePolicy": lambda hook: hook.pop("failurePolicy"),
    "sideEffects": lambda hook: hook.update(sideEffects="None"),
    "matchPolicy": lambda hook: hook.update(matchPolicy="Exact"),
    "another namespace left out": lambda hook: hook["namespaceSelector"]["matchExpressions"][0]["values"].append("shop"),
    "no namespaceSelector": lambda hook: hook.update(namespaceSelector={}),
    "an objectSelector": lambda hook: hook.update(objectSelector={"matchLabels": {"a": "b"}}),
    "another rule": lambda hook: hook["rules"][0].update(operations=["UPDATE"]),
    "another resource": lambda hook: hook["rules"][0].update(resources=["pods"]),
    "no rule": lambda hook: hook.update(rules=[]),
    "another name": lambda hook: hook.update(name="other.gatehold.dev"),
    "a long wait": lambda hook: hook.update(timeoutSeconds=30),
}


@pytest.mark.parametrize("spoil", SPOILED.values(), ids=SPOILED)
async def test_any_other_text_is_no_proof(spoil: Callable[[dict[str, Any]], object]) -> None:
    body = live()
    assert difference(body) == ""
    spoil(body["webhooks"][0])
    assert difference(body)
    access = Access()
    proof, clock, _ = made(access)
    await proof.keep()
    body["metadata"]["resourceVersion"] = "8"
    access.body = body
    clock.now += 5
    await proof.keep()  # the change is seen long before the next proof is due
    assert (proof.proven(), proof.state()[0]) == (False, WebhookState.NOT_PROVEN)


async def test_no_configuration_is_not_installed() -> None:
    access = Access()
    proof, clock, _ = made(access)
    await proof.keep()
    access.body = None
    clock.now += 5
    await proof.keep()
    assert proof.state()[0] is WebhookState.NOT_INSTALLED


@pytest.mark.parametrize(
    "said",
    [
        Said(404, 'pods "gatehold-probe" not found'),  # nobody said no
        Said(201, "evicted"),
        Said(403, "admission webhook denied the request: gatehold-probe"),
        Said(403, f"{GOOD} and more"),
        Said(403, 'pods "gatehold-probe" is forbidden: User "x" cannot create resource "pods/eviction"'),
        Said(422, GOOD),
    ],
)
async def test_any_other_answer_ends_it_at_once(said: Said) -> None:
    access = Access()
    proof, clock, turns = made(access)
    await proof.keep()
    access.said = said
    clock.now += PROOF_SECONDS
    await proof.keep()
    assert (proof.proven(), turns) == (False, [WebhookState.PROVEN, WebhookState.NOT_PROVEN])


@pytest.mark.parametrize(
    "silence",
    [
        lambda access: setattr(access, "said", Said(500, 'failed calling webhook "evict.gatehold.dev"')),
        lambda access: setattr(access, "said", Said(0, "no answer in time")),
        lambda access: setattr(access, "said", Said(429, "held by gatehold, try again")),
        lambda access: setattr(access, "error", Unavailable("no connection")),
    ],
)
async def test_a_silence_ends_it_when_the_last_proof_is_old(silence: Callable[[Access], None]) -> None:
    access = Access()
    proof, clock, turns = made(access)
    await proof.keep()
    silence(access)
    clock.now += LIFE_SECONDS - 1
    await proof.keep()
    assert proof.proven()
    clock.now += 2
    await proof.keep()
    assert proof.state()[0] is WebhookState.NOT_PROVEN
    access.said, access.error = Said(403, GOOD), None
    clock.now += 5
    await proof.keep()  # while it is not proven each turn tries
    assert proof.proven()
    assert turns == [WebhookState.PROVEN, WebhookState.NOT_PROVEN, WebhookState.PROVEN]


async def test_what_was_not_asked_or_not_answered_yet_is_no_reason_to_leave_mode_hold() -> None:
    """The first tries of a process, and those after it or the API server stood still."""
    access = Access(error=Unavailable("no connection"))
    proof, clock, turns = made(access)
    assert proof.stands() is None
    for _ in range(2 * MOST_SILENCES):
        await proof.keep()
        clock.now += 5
    access.error, access.said = None, Said(500, 'failed calling webhook "evict.gatehold.dev"')
    await proof.keep()
    assert proof.stands() is None
    access.said = Said(403, GOOD)
    await proof.keep()
    assert proof.stands() is True
    clock.now += LIFE_SECONDS + 15
    assert (proof.proven(), proof.stands()) == (False, None)
    await proof.keep()
    assert (proof.stands(), turns[-1]) == (True, WebhookState.PROVEN)


async def test_a_webhook_that_does_not_answer_for_long_is_one_and_so_is_a_clear_no_at_once() -> None:
    access = Access(said=Said(500, 'failed calling webhook "evict.gatehold.dev"'))
    proof, _, turns = made(access)
    for _ in range(MOST_SILENCES - 1):
        await proof.keep()
        assert proof.stands() is None
    told = len(turns)
    await proof.keep()
    assert (proof.stands(), len(turns)) == (False, told + 1)
    access.said = Said(403, GOOD)
    await proof.keep()
    assert proof.stands() is True
    access.body = None
    await proof.prove()
    assert proof.stands() is False
    assert EvictionProof(None, lambda: False).stands() is False


async def test_a_server_that_comes_up_is_proven_at_once() -> None:
    access, serving, clock = Access(), False, Clock()
    proof = EvictionProof(access, lambda: serving, clock)
    await proof.keep()
    count = access.proofs
    serving = True
    clock.now += 1
    await proof.keep()
    assert access.proofs == count + 1


def test_a_judge_needs_both() -> None:
    assert judge(None, Said(403, GOOD))[0] is WebhookState.NOT_INSTALLED
    assert judge(live(), Said(403, GOOD))[0] is WebhookState.PROVEN
