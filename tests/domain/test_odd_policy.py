"""Policies that work and in which some rule means nothing, or would hold some requests for good."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from gatehold.domain import odd_policy
from gatehold.domain.model import EffectType, EscalationRule, Policy, QuorumEntry, Tier, UnknownRequester
from gatehold.domain.odd_policy import oddities
from gatehold.domain.plan import Rules
from gatehold.domain.reasons import PolicyReason
from gatehold.domain.tiers import matching_tiers, policy_flaw
from tests.builders import policy, request
from tests.domain.strategies import policies

RULES = Rules(timeout_seconds=3600)
NONE, RELEASE, DRAIN = EffectType.NONE, EffectType.RELEASE, EffectType.DRAIN
BACKED = (QuorumEntry("sre", 2, ("duty",)),)
SRE = (QuorumEntry("sre"),)
BOSS = (QuorumEntry("boss"),)
ALLOW = UnknownRequester.ALLOW


def plain(**changes: Any) -> Policy:
    """A policy of one sre with nothing odd in it, and the one thing that is."""
    return policy(**{"quorum": SRE, "effects": (NONE, RELEASE), "escalation": (), "tiers": (), **changes})


def opens(*steps: tuple[int, tuple[str, ...]], **changes: Any) -> Policy:
    """A policy with backup duty, and these escalations."""
    return plain(quorum=BACKED, escalation=tuple(EscalationRule(*step) for step in steps), **changes)


def auto(name: str = "auto", **when: Any) -> Tier:
    return Tier(name, auto_approve=True, **when)


def asks(name: str = "more", count: int = 1, role: str = "sre", **when: Any) -> Tier:
    return Tier(name, quorum=(QuorumEntry(role, count),), **when)


FINE: dict[str, Policy] = {
    "the least": plain(),
    "a backup that is let in": opens((60, ("duty",))),
    "an escalation just before the default": opens((3599, ("duty",))),
    "an escalation before the policy's own default": opens((4000, ("duty",)), timeout_default=4001),
    "a record of a minute": plain(retention_seconds=60),
    "an extra reviewer that fits": plain(quorum=(QuorumEntry("sre", 7),)),
    "eight people, and robots allowed": plain(quorum=(QuorumEntry("sre", 8),), on_unknown_requester=ALLOW),
    "a tier of a listed effect": plain(tiers=(asks(effects=(DRAIN, RELEASE)),)),
    "an automatic tier beside one of another namespace": plain(
        tiers=(auto(namespaces=("dev",)), asks(namespaces=("prod",))),
    ),
    "an automatic tier beside one that covers a part of it": plain(
        tiers=(auto(namespaces=("dev", "test")), asks(namespaces=("dev",))),
    ),
    "an automatic tier for all, beside one for a namespace": plain(
        tiers=(auto(effects=(NONE,)), asks(namespaces=("prod",))),
    ),
    "an automatic tier beside one of what is declared": plain(
        tiers=(auto(namespaces=("dev",)), asks(at_least_risk=1), asks("dear", at_least_cost=Decimal(1))),
    ),
    "tiers that fit together": plain(tiers=(asks("a", 3), asks("b", 3))),
    "tiers that never meet by namespace": plain(
        tiers=(asks("a", 6, namespaces=("dev",)), asks("b", 6, namespaces=("prod",))),
    ),
    "tiers that never meet by effect": plain(
        on_unknown_requester=ALLOW, tiers=(asks("a", 7, effects=(NONE,)), asks("b", 7, effects=(RELEASE,)))
    ),
}


@pytest.mark.parametrize("sound", FINE.values(), ids=FINE)
def test_nothing_is_odd_about(sound: Policy) -> None:
    assert policy_flaw(sound) == ""
    assert oddities(sound, RULES) == ()


ODD: dict[str, tuple[Policy, PolicyReason, str, str]] = {
    "a backup that nothing lets in": (
        plain(quorum=BACKED), PolicyReason.BACKUP_NEVER_ASKED, "spec.quorum[0].backups", "lets backup duty in",
    ),
    "a tier's backup that nothing lets in": (
        plain(tiers=(Tier("dear", at_least_risk=1, quorum=(QuorumEntry("boss", 1, ("vice",)),)),)),
        PolicyReason.BACKUP_NEVER_ASKED, "spec.tiers[0].quorum[0].backups", "backup vice",
    ),
    "an escalation at the maximum": (
        opens((7200, ("duty",)), timeout_max=7200),
        PolicyReason.ESCALATION_TOO_LATE, "spec.escalation[0].afterSeconds", "longer than 7200 s, so it never comes",
    ),
    "an escalation after a year": (
        opens((odd_policy.LONGEST_SECONDS, ("duty",))), PolicyReason.ESCALATION_TOO_LATE, "spec.escalation[0].afterSeconds", "never",
    ),
    "an escalation at the operator's default": (
        opens((3600, ("duty",))), PolicyReason.ESCALATION_TOO_LATE, "spec.escalation[0].afterSeconds", "more than the default of 3600 s",
    ),
    "an escalation after the policy's default": (
        opens((60, ("duty",)), timeout_default=30, timeout_max=600),
        PolicyReason.ESCALATION_TOO_LATE, "spec.escalation[0].afterSeconds", "more than the default of 30 s",
    ),
    "an escalation to who is in already": (
        opens((120, ("duty",)), (60, ("duty",))), PolicyReason.ESCALATION_REPEATED, "spec.escalation[0].roles", "after 120 s nobody",
    ),
    "a record that goes at once": (plain(retention_seconds=0), PolicyReason.RETENTION_TOO_SHORT, "spec.retentionSeconds", "60 s at least"),
    "eight people, and one more for robots": (
        plain(quorum=(QuorumEntry("sre", 8),)),
        PolicyReason.EXTRA_REVIEWER_DOES_NOT_FIT, "spec.onUnknownRequester", "requests of robots are held for good: with one reviewer more, an entry",
    ),
    "eight people with a tier, and one more for robots": (
        plain(tiers=(asks("risky", 7, at_least_risk=1),)),
        PolicyReason.EXTRA_REVIEWER_DOES_NOT_FIT, "spec.onUnknownRequester", "of robots that match tier risky are held",
    ),
    "a tier of an effect that is not listed": (
        plain(tiers=(asks(effects=(DRAIN,)),)), PolicyReason.TIER_NEVER_MATCHES, "spec.tiers[0].when.effects", "none of Drain stands in spec.effects",
    ),
    "a tier of an effect where none is listed": (
        plain(effects=(), tiers=(auto(effects=(RELEASE,)),)), PolicyReason.TIER_NEVER_MATCHES, "spec.tiers[0].when.effects", "none of Release",
    ),
    "a price, where no price is known": (
        plain(tiers=(auto("cheap", max_price=Decimal(5), effects=(EffectType.NONE,)),)),
        PolicyReason.TIER_NEVER_MATCHES, "spec.tiers[0].when.maxPrice", "tier cheap never matches: this operator knows no price of effect None",
    ),
    "an automatic tier that another always joins": (
        plain(tiers=(asks(namespaces=("dev", "test")), auto(namespaces=("dev",)))),
        PolicyReason.TIER_NEVER_DECIDES, "spec.tiers[1].autoApprove", "tier auto never decides alone",
    ),
    "an automatic tier that two others cover together": (
        plain(tiers=(auto(namespaces=("dev", "test")), asks("a", namespaces=("dev",)), asks("b", namespaces=("test",)))),
        PolicyReason.TIER_NEVER_DECIDES, "spec.tiers[0].autoApprove", "another tier does too",
    ),
    "three tiers that do not fit together": (
        plain(on_unknown_requester=ALLOW, tiers=(asks("a", 3), asks("b", 3), asks("c", 3))),
        PolicyReason.TIERS_CLASH, "spec.tiers", "requests that match tiers a, b, c together are held for good: an entry asks for more than 8",
    ),
    "tiers of one namespace that share a role": (
        plain(tiers=(
            Tier("a", namespaces=("dev", "prod"), quorum=(QuorumEntry("boss", 1),)),
            Tier("b", namespaces=("prod",), quorum=(QuorumEntry("cfo", 1, ("boss",)),)),
        ), escalation=(EscalationRule(5, ("boss",)),)),
        PolicyReason.TIERS_CLASH, "spec.tiers", "tiers a, b together are held for good: role boss stands in two places",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("odd", "reason", "field", "text"), ODD.values(), ids=ODD)
def test_it_is_odd_to_have(odd: Policy, reason: PolicyReason, field: str, text: str) -> None:
    found = oddities(odd, RULES)

    assert policy_flaw(odd) == ""
    assert [(oddity.reason, oddity.field) for oddity in found] == [(reason, field)]
    assert text in found[0].message


def test_of_two_automatic_tiers_that_meet_neither_decides_there() -> None:
    inner, outer = auto("inner", namespaces=("dev",)), auto("outer")
    found = oddities(plain(tiers=(inner, outer)), RULES)

    assert [(oddity.reason, oddity.field) for oddity in found] == [
        (PolicyReason.TIER_NEVER_DECIDES, "spec.tiers[0].autoApprove")
    ]


def test_a_price_that_is_known_is_judged_by_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(odd_policy, "PRICED", frozenset({NONE, RELEASE}))
    cheap, cheaper = auto("cheap", max_price=Decimal(9)), asks("cheaper", max_price=Decimal(5))

    assert oddities(plain(tiers=(cheap, cheaper)), RULES) == ()
    assert [o.field for o in oddities(plain(tiers=(auto("cheap", max_price=Decimal(5)), asks("dear", max_price=Decimal(9)))), RULES)] == [
        "spec.tiers[0].autoApprove"
    ]  # fmt: skip


def test_every_oddity_has_a_row_here() -> None:
    ready = {PolicyReason.USABLE, PolicyReason.CONTRADICTORY, PolicyReason.UNREADABLE}
    others = {PolicyReason.GRANTED, PolicyReason.NOT_GRANTED, PolicyReason.EVERY_RULE_APPLIES}

    assert {reason for _, reason, _, _ in ODD.values()} == set(PolicyReason) - ready - others


@given(policies)
def test_whatever_the_policy_an_automatic_tier_called_idle_is_idle(any_policy: Policy) -> None:
    """It never raises, and what it says of automatic tiers is what `matching_tiers` does."""
    idle = {o.field for o in oddities(any_policy, RULES) if o.reason is PolicyReason.TIER_NEVER_DECIDES}
    for number, tier in enumerate(any_policy.tiers):
        if f"spec.tiers[{number}].autoApprove" not in idle:
            continue
        for place in (*tier.namespaces, "shop", "dev", "elsewhere"):
            assert matching_tiers(any_policy, request(namespace=place), None) != [tier]
