"""What is odd about a policy that can be used: rules that never apply, and requests that it would hold for good.

Called by the controller of policies, which says it in condition Consistent. What makes a policy unusable for every request
is `tiers.policy_flaw`. Who holds its roles is not looked at: that takes rights which the operator does without.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import reduce
from itertools import combinations

from gatehold.domain.model import EffectType, Policy, QuorumEntry, Tier, UnknownRequester
from gatehold.domain.plan import Rules
from gatehold.domain.reasons import PolicyReason
from gatehold.domain.schedule import default_seconds
from gatehold.domain.tiers import add, flaw_of, meets

PRICED: frozenset[EffectType] = frozenset({EffectType.RELEASE})
"""Effects whose price this operator reads itself; whoever adds one names it here."""
LONGEST_SECONDS = 31_536_000
"""The most that a request may ask for where the policy names no maximum; as in the CRD."""
SHORTEST_RECORD_SECONDS = 60
_MOST_TIERS = 8  # as in the CRD; their combinations are looked through one by one


@dataclass(frozen=True, slots=True)
class Oddity:
    """One rule that does not do what it says. `field` is its path, `message` says why, and what to do."""

    reason: PolicyReason
    field: str
    message: str


Check = Callable[[Policy, Rules], Iterator[Oddity]]


def oddities(policy: Policy, rules: Rules) -> tuple[Oddity, ...]:
    """Everything that is odd about a policy, in the order in which a reader meets it."""
    return tuple(found for check in CHECKS for found in check(policy, rules))


def _backups_are_let_in(policy: Policy, rules: Rules) -> Iterator[Oddity]:
    opened = {role for rule in policy.escalation for role in rule.roles}
    for where, entry in _entries(policy):
        for backup in entry.backups:
            if backup not in opened:
                text = f"no escalation lets backup {backup} in; name it in spec.escalation, or leave it out"
                yield Oddity(PolicyReason.BACKUP_NEVER_ASKED, f"{where}.backups", text)


def _escalations_come(policy: Policy, rules: Rules) -> Iterator[Oddity]:
    longest, usual = policy.timeout_max or LONGEST_SECONDS, default_seconds(policy, rules)
    for number, rule in enumerate(policy.escalation):
        if rule.after_seconds < usual:
            continue
        never = f"no question stays open longer than {longest} s, so it never comes"
        seldom = f"it comes only where a request asks for more than the default of {usual} s"
        text = f"{never if rule.after_seconds >= longest else seldom}; let it come earlier, or raise spec.timeoutSeconds"
        yield Oddity(PolicyReason.ESCALATION_TOO_LATE, f"spec.escalation[{number}].afterSeconds", text)


def _escalations_add(policy: Policy, rules: Rules) -> Iterator[Oddity]:
    opened: set[str] = set()
    for rule in sorted(policy.escalation, key=lambda r: r.after_seconds):
        if opened.issuperset(rule.roles):
            text = f"after {rule.after_seconds} s nobody is let in who was not let in before; remove that step"
            yield Oddity(PolicyReason.ESCALATION_REPEATED, f"spec.escalation[{policy.escalation.index(rule)}].roles", text)
        opened.update(rule.roles)


def _records_last(policy: Policy, rules: Rules) -> Iterator[Oddity]:
    if policy.retention_seconds is not None and policy.retention_seconds < SHORTEST_RECORD_SECONDS:
        text = f"who waits for the outcome may find the request gone; keep it for {SHORTEST_RECORD_SECONDS} s at least"
        yield Oddity(PolicyReason.RETENTION_TOO_SHORT, "spec.retentionSeconds", text)


def _robots_fit(policy: Policy, rules: Rules) -> Iterator[Oddity]:
    """Whether the extra reviewer of a robot's request still fits, alone and beside each tier."""
    if policy.on_unknown_requester is not UnknownRequester.REQUIRE_EXTRA_REVIEWER or not policy.quorum:
        return
    first, *rest = policy.quorum
    raised = (replace(first, count=first.count + 1), *rest)
    for tier in (Tier(""), *_asking(policy)):
        flaw = flaw_of(add(raised, tier.quorum))
        if flaw:
            where = f" that match tier {tier.name}" if tier.name else ""
            text = (
                f"requests of robots{where} are held for good: with one reviewer more, {flaw}; lower a count, or say Allow"
            )
            yield Oddity(PolicyReason.EXTRA_REVIEWER_DOES_NOT_FIT, "spec.onUnknownRequester", text)
            return


def _tiers_match(policy: Policy, rules: Rules) -> Iterator[Oddity]:
    for number, tier in enumerate(policy.tiers):
        why = _why_never(policy, tier)
        if why:
            member, text = why
            where = f"spec.tiers[{number}].when.{member}"
            yield Oddity(PolicyReason.TIER_NEVER_MATCHES, where, f"tier {tier.name} never matches: {text}")


def _tiers_decide(policy: Policy, rules: Rules) -> Iterator[Oddity]:
    """An automatic tier decides only where it matches alone. Nothing that is declared is assumed."""
    for number, tier in enumerate(policy.tiers):
        if not tier.auto_approve or _why_never(policy, tier) or _is_alone_somewhere(policy, tier):
            continue
        text = f"tier {tier.name} never decides alone: wherever it matches, another tier does too, so people are asked"
        yield Oddity(PolicyReason.TIER_NEVER_DECIDES, f"spec.tiers[{number}].autoApprove", text)


def _tiers_fit(policy: Policy, rules: Rules) -> Iterator[Oddity]:
    """The smallest set of tiers that can match one request and add up to a quorum that nobody can use."""
    for size in range(2, _MOST_TIERS + 1):
        for some in combinations(_asking(policy)[:_MOST_TIERS], size):
            flaw = flaw_of(reduce(add, (tier.quorum for tier in some), policy.quorum)) if _meet(policy, some) else ""
            if flaw:
                names = ", ".join(tier.name for tier in some)
                text = f"requests that match tiers {names} together are held for good: {flaw}; lower a count, or part them"
                yield Oddity(PolicyReason.TIERS_CLASH, "spec.tiers", text)
                return


CHECKS: tuple[Check, ...] = (
    _backups_are_let_in,
    _escalations_come,
    _escalations_add,
    _records_last,
    _robots_fit,
    _tiers_match,
    _tiers_decide,
    _tiers_fit,
)


def _entries(policy: Policy) -> Iterator[tuple[str, QuorumEntry]]:
    yield from ((f"spec.quorum[{n}]", entry) for n, entry in enumerate(policy.quorum))
    for number, tier in enumerate(policy.tiers):
        yield from ((f"spec.tiers[{number}].quorum[{n}]", entry) for n, entry in enumerate(tier.quorum))


def _effects(policy: Policy, tier: Tier) -> tuple[EffectType, ...]:
    """The effects with which a request can match the tier."""
    allowed = policy.effects or (EffectType.NONE,)
    return tuple(effect for effect in allowed if not tier.effects or effect in tier.effects)


def _why_never(policy: Policy, tier: Tier) -> tuple[str, str] | None:
    """The member of `when` that no request can meet, and why."""
    effects = _effects(policy, tier)
    if not effects:
        return "effects", f"none of {', '.join(tier.effects)} stands in spec.effects; list it there, or remove the tier"
    if tier.max_price is not None and PRICED.isdisjoint(effects):
        return "maxPrice", f"this operator knows no price of effect {' or '.join(effects)}; remove the tier"
    return None


def _asking(policy: Policy) -> list[Tier]:
    """The tiers that ask people and can match at all."""
    return [tier for tier in policy.tiers if not tier.auto_approve and _why_never(policy, tier) is None]


def _is_alone_somewhere(policy: Policy, tier: Tier) -> bool:
    """Whether some request matches this tier and no other; `` stands for a namespace that no tier names."""
    others = [t for t in policy.tiers if t is not tier and t.at_least_risk is None and t.at_least_cost is None]
    places = tier.namespaces or ("", *(place for other in others for place in other.namespaces))
    points = ((effect, place) for effect in _effects(policy, tier) for place in places)
    return any(not any(meets(other, effect, place, tier.max_price) for other in others) for effect, place in points)


def _meet(policy: Policy, some: tuple[Tier, ...]) -> bool:
    """Whether one request can match all of them."""
    effects = set.intersection(*(set(_effects(policy, tier)) for tier in some))
    named = [set(tier.namespaces) for tier in some if tier.namespaces]
    return bool(effects) and (not named or bool(set.intersection(*named)))
