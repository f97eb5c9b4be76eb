"""Whether people can be asked at a Gate: its one condition. Pure."""

from dataclasses import dataclass

from gatehold.domain.model import EffectType, Policy
from gatehold.domain.reasons import ToldWord


class GateReason(ToldWord):
    """Why a Gate is Ready, or not. Where it is not, everything behind it is held."""

    POLICY_FOUND = "PolicyFound", "Its policy exists and lets the operator ask."
    POLICY_NOT_FOUND = "PolicyNotFound", "There is no ApprovalPolicy of that name: what is behind the Gate is held."
    POLICY_UNUSABLE = "PolicyUnusable", "Nobody can be asked by its policy: what is behind the Gate is held."
    EFFECT_NOT_ALLOWED = "EffectNotAllowed", "Its policy does not list effect Promote: what is behind the Gate is held."
    UNREADABLE = "Unreadable", "This operator cannot read the Gate: what is behind it is held."


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether it is Ready, why, and in words."""

    ready: bool
    reason: GateReason
    message: str


def readiness(name: str, policy: Policy | None, flaw: str) -> Readiness:
    """Judge a Gate of type Rollouts that names this policy; `flaw` says why the policy cannot be used."""
    held = f"Rollouts behind this gate are held: ApprovalPolicy {name}"
    if policy is None:
        return Readiness(False, GateReason.POLICY_NOT_FOUND, f"{held} does not exist")
    if flaw:
        return Readiness(False, GateReason.POLICY_UNUSABLE, f"{held} is of no use: {flaw}")
    if EffectType.PROMOTE not in policy.effects:
        return Readiness(False, GateReason.EFFECT_NOT_ALLOWED, f"{held} does not list effect {EffectType.PROMOTE}")
    return Readiness(True, GateReason.POLICY_FOUND, f"Rollouts behind this gate are asked about under policy {name}")


def unreadable(why: str) -> Readiness:
    """The same of a Gate that cannot be read."""
    return Readiness(False, GateReason.UNREADABLE, f"what is behind this gate is held: this operator cannot read it: {why}")
