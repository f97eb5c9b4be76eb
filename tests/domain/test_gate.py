"""When people can be asked at a Gate."""

from dataclasses import replace

import pytest

from gatehold.domain.gate import GateReason, readiness, unreadable
from gatehold.domain.model import EffectType, Policy, QuorumEntry

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
