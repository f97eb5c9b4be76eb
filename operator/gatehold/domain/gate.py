"""Whether people can be asked at a Gate: its one condition. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from gatehold.domain.argo.decide import why_unasked
from gatehold.domain.argo.model import ArgoGate
from gatehold.domain.model import DrainGate, DrainMode, EffectType, Policy
from gatehold.domain.provision.model import PodGate
from gatehold.domain.reasons import ToldWord


class GateReason(ToldWord):
    """Why a Gate is Ready, or not. Where it is not, everything behind it is held."""

    POLICY_FOUND = "PolicyFound", "Its policy exists and lets the operator ask."
    POLICY_NOT_FOUND = "PolicyNotFound", "There is no ApprovalPolicy of that name: what is behind the Gate is held."
    POLICY_UNUSABLE = "PolicyUnusable", "Nobody can be asked by its policy: what is behind the Gate is held."
    EFFECT_NOT_ALLOWED = (
        "EffectNotAllowed",
        "Its policy lacks an effect (both kinds of Rollouts: Promote; Drains: Drain, and Release with Hold; Pods: Release).",
    )
    LEFT_OUT = (
        "LeftOut",
        "This installation leaves Gates of this type out (GATEHOLD_GATES): what is behind it is not acted on.",
    )
    UNREADABLE = "Unreadable", "This operator cannot read the Gate: what is behind it is held."
    PRICE_TABLE_MISSING = "PriceTableMissing", "There is no price table: what is not approved yet behind the Gate is held."
    PRICE_TABLE_BROKEN = "PriceTableBroken", "The price table has flaws: what is not approved yet behind the Gate is held."
    WEBHOOK_NOT_INSTALLED = (
        "WebhookNotInstalled",
        "Evictions are not looked at: its nodes stay in mode Deny, and a refused cordon alone does not stop kubectl drain.",
    )
    WEBHOOK_NOT_PROVEN = (
        "WebhookNotProven",
        "It is not proven that evictions are looked at: its nodes stay in mode Deny until it is.",
    )


class WebhookState(StrEnum):
    """What is known of the webhook that looks at evictions."""

    PROVEN = "Proven"
    NOT_INSTALLED = "NotInstalled"
    NOT_PROVEN = "NotProven"


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


def drains_readiness(gate: DrainGate, policy: Policy | None, flaw: str, webhook: WebhookState, why: str = "") -> Readiness:
    """The same of a Gate of type Drains; `why` says what is wrong with the webhook. The policy is looked at first."""
    held = f"nodes behind this gate are not drained by approval: ApprovalPolicy {gate.policy}"
    if policy is None:
        return Readiness(False, GateReason.POLICY_NOT_FOUND, f"{held} does not exist")
    if flaw:
        return Readiness(False, GateReason.POLICY_UNUSABLE, f"{held} is of no use: {flaw}")
    hold = gate.mode is DrainMode.HOLD
    wanted = (EffectType.DRAIN, EffectType.RELEASE) if hold else (EffectType.DRAIN,)
    missing = [effect for effect in wanted if effect not in policy.effects]
    if missing:
        text = f"{held} does not list effect {' and '.join(missing)}"
        return Readiness(False, GateReason.EFFECT_NOT_ALLOWED, text)
    if webhook is not WebhookState.PROVEN:
        return _no_webhook(webhook, why)
    what = "kubectl drain waits, and is asked about" if hold else "drains are asked for"
    return Readiness(True, GateReason.POLICY_FOUND, f"{what} under policy {gate.policy}")


def pods_readiness(gate: PodGate, policy: Policy | None, flaw: str, table: str = "", *, missing: bool = False) -> Readiness:
    """The same of a Gate of type Pods; `table` says what is wrong with the price table, or that it is `missing`."""
    held = f"pods behind this gate are held: ApprovalPolicy {gate.policy}"
    if policy is None:
        return Readiness(False, GateReason.POLICY_NOT_FOUND, f"{held} does not exist")
    if flaw:
        return Readiness(False, GateReason.POLICY_UNUSABLE, f"{held} is of no use: {flaw}")
    if EffectType.RELEASE not in policy.effects:
        return Readiness(False, GateReason.EFFECT_NOT_ALLOWED, f"{held} does not list effect {EffectType.RELEASE}")
    if table:
        reason = GateReason.PRICE_TABLE_MISSING if missing else GateReason.PRICE_TABLE_BROKEN
        return Readiness(False, reason, f"pods that are not approved yet are held: {table}")
    return Readiness(True, GateReason.POLICY_FOUND, f"dear pods behind this gate are asked about under policy {gate.policy}")


def argo_readiness(gate: ArgoGate, policy: Policy | None, flaw: str) -> Readiness:
    """The same of a Gate of type ArgoRollouts."""
    why = why_unasked(policy, flaw, gate.policy, gate.timeout_seconds)
    held = f"Argo Rollouts behind this gate stay at their pauses: {why}"
    if policy is None:
        return Readiness(False, GateReason.POLICY_NOT_FOUND, held)
    if why:
        listed = flaw or EffectType.PROMOTE in policy.effects
        return Readiness(False, GateReason.POLICY_UNUSABLE if listed else GateReason.EFFECT_NOT_ALLOWED, held)
    text = f"pauses of Argo Rollouts behind this gate are asked about under policy {gate.policy}"
    return Readiness(True, GateReason.POLICY_FOUND, text)


def _no_webhook(webhook: WebhookState, why: str) -> Readiness:
    because = f": {why}" if why else ""
    if webhook is WebhookState.NOT_INSTALLED:
        text = (
            f"the webhook for evictions is not installed{because}; run: gatehold certs init; until then every node is Deny"
        )
        return Readiness(False, GateReason.WEBHOOK_NOT_INSTALLED, text)
    text = f"the webhook for evictions is not proven{because}; until it is every node is Deny; look: gatehold doctor"
    return Readiness(False, GateReason.WEBHOOK_NOT_PROVEN, text)


def left_out(type_: str) -> Readiness:
    """The same of a Gate of a type that this installation does without."""
    text = f"this installation leaves Gates of type {type_} out (GATEHOLD_GATES): what waits behind it goes on waiting"
    return Readiness(False, GateReason.LEFT_OUT, text)


def unreadable(why: str) -> Readiness:
    """The same of a Gate that cannot be read."""
    return Readiness(False, GateReason.UNREADABLE, f"what is behind this gate is held: this operator cannot read it: {why}")
