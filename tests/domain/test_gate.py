"""When people can be asked at a Gate."""

from dataclasses import replace

import pytest

from gatehold.domain.gate import GateReason, WebhookState, drains_readiness, left_out, pods_readiness, readiness, unreadable
from gatehold.domain.model import DrainGate, DrainMode, EffectType, Policy, QuorumEntry
from gatehold.domain.provision.model import PodGate

PROD = Policy("prod", "uid", 1, "digest", (QuorumEntry("sre"),), effects=(EffectType.PROMOTE,))


@pytest.mark.parametrize(
    ("policy", "flaw", "reason"),
    [
        (PROD, "", GateReason.POLICY_FOUND),
        (None, "", GateReason.POLICY_NOT_FOUND),
        (PROD, "the quorum is empty", GateReason.POLICY_UNUSABLE),
        (replace(PROD, effects=(EffectType.RELEASE,)), "", GateReason.EFFECT_NOT_ALLOWED),
    ],
)
def test_a_gate_is_ready_where_its_policy_lets_the_operator_ask(
    policy: Policy | None, flaw: str, reason: GateReason
) -> None:
    found = readiness("prod", policy, flaw)
    assert (found.ready, found.reason) == (reason is GateReason.POLICY_FOUND, reason)
    assert "prod" in found.message
    assert flaw in found.message


def test_a_gate_that_cannot_be_read_holds() -> None:
    found = unreadable("spec.type: not Rollouts")
    assert (found.ready, found.reason) == (False, GateReason.UNREADABLE)
    assert found.message.endswith("spec.type: not Rollouts")


def test_a_gate_of_a_type_that_is_left_out_holds() -> None:
    found = left_out("Pods")
    assert (found.ready, found.reason) == (False, GateReason.LEFT_OUT)
    assert "Gates of type Pods" in found.message


DENY, HOLD = DrainGate("gpu", "prod"), DrainGate("gpu", "prod", DrainMode.HOLD)
BOTH = replace(PROD, effects=(EffectType.DRAIN, EffectType.RELEASE))
ASKED = replace(PROD, effects=(EffectType.DRAIN,))


@pytest.mark.parametrize(
    ("gate", "policy", "flaw", "webhook", "reason", "says"),
    [
        (DENY, ASKED, "", WebhookState.PROVEN, GateReason.POLICY_FOUND, "drains are asked for under policy prod"),
        (HOLD, BOTH, "", WebhookState.PROVEN, GateReason.POLICY_FOUND, "kubectl drain waits"),
        (HOLD, ASKED, "", WebhookState.PROVEN, GateReason.EFFECT_NOT_ALLOWED, "does not list effect Release"),
        (HOLD, PROD, "", WebhookState.PROVEN, GateReason.EFFECT_NOT_ALLOWED, "does not list effect Drain and Release"),
        (DENY, PROD, "", WebhookState.PROVEN, GateReason.EFFECT_NOT_ALLOWED, "does not list effect Drain"),
        (HOLD, None, "", WebhookState.NOT_PROVEN, GateReason.POLICY_NOT_FOUND, "prod does not exist"),
        (HOLD, BOTH, "empty", WebhookState.PROVEN, GateReason.POLICY_UNUSABLE, "is of no use: empty"),
        (HOLD, BOTH, "", WebhookState.NOT_INSTALLED, GateReason.WEBHOOK_NOT_INSTALLED, "gatehold certs init"),
        (DENY, BOTH, "", WebhookState.NOT_PROVEN, GateReason.WEBHOOK_NOT_PROVEN, "is not proven: no answer; until"),
    ],
)
def test_a_gate_of_drains_is_ready_where_it_may_ask_and_evictions_are_looked_at(
    gate: DrainGate, policy: Policy | None, flaw: str, webhook: WebhookState, reason: GateReason, says: str
) -> None:
    found = drains_readiness(gate, policy, flaw, webhook, "no answer" if webhook is WebhookState.NOT_PROVEN else "")

    assert (found.ready, found.reason) == (reason is GateReason.POLICY_FOUND, reason)
    assert says in found.message


PODS = PodGate("gpu", "prod")
SPENDS = replace(PROD, effects=(EffectType.RELEASE,))


@pytest.mark.parametrize(
    ("policy", "flaw", "table", "missing", "reason", "says"),
    [
        (SPENDS, "", "", False, GateReason.POLICY_FOUND, "dear pods behind this gate are asked about under policy prod"),
        (None, "", "CPU: missing", False, GateReason.POLICY_NOT_FOUND, "prod does not exist"),
        (SPENDS, "empty", "CPU: missing", False, GateReason.POLICY_UNUSABLE, "is of no use: empty"),
        (PROD, "", "CPU: missing", False, GateReason.EFFECT_NOT_ALLOWED, "does not list effect Release"),
        (SPENDS, "", "CPU: missing", False, GateReason.PRICE_TABLE_BROKEN, "not approved yet are held: CPU: missing"),
        (SPENDS, "", "there is none", True, GateReason.PRICE_TABLE_MISSING, "not approved yet are held: there is none"),
    ],
)
def test_a_gate_of_pods_is_ready_where_it_may_ask_and_can_price(
    policy: Policy | None, flaw: str, table: str, missing: bool, reason: GateReason, says: str
) -> None:
    found = pods_readiness(PODS, policy, flaw, table, missing=missing)

    assert (found.ready, found.reason) == (reason is GateReason.POLICY_FOUND, reason)
    assert says in found.message
