"""Which quorum a request needs: the policy's own, what its tiers add, or none where a tier decides alone."""

from dataclasses import dataclass, replace
from decimal import Decimal

from gatehold.domain.model import Declared, EffectType, Option, Policy, QuorumEntry, Request, Tier, UnknownRequester
from gatehold.domain.plan import Finding, Rules
from gatehold.domain.reasons import Reason
from gatehold.domain.status import Price

MAX_ROLES = 12  # roles and backups of one request; each is an authorizer check, and they share one cost limit
MAX_APPROVALS = 16
MAX_COUNT = 8
EVERYBODY = "*"
"""Stands among the authors where more changed the subject than there is room for."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who has to answer. `quorum` is empty exactly where tier `automatic` decides alone."""

    quorum: tuple[QuorumEntry, ...]
    automatic: str = ""


def ask(policy: Policy, request: Request, price: Price | None, rules: Rules) -> Asked | Finding:
    """Choose the quorum of a request. Whether an automatic tier may be used is asked separately (its RBAC verb).

    A request with options is always a question for people: a rule has no way to pick one.
    """
    matching = matching_tiers(policy, request, price)
    if len(matching) == 1 and matching[0].auto_approve and not request.options:
        return Asked((), matching[0].name)
    return people(policy, request, matching, rules)


def people(policy: Policy, request: Request, matching: list[Tier], rules: Rules) -> Asked | Finding:
    """The quorum of people: the base, plus every matching tier, plus one where the requester is not a known person."""
    quorum = policy.quorum
    for tier in matching:
        quorum = add(quorum, tier.quorum)
    if is_unknown(request, rules) and policy.on_unknown_requester is UnknownRequester.REQUIRE_EXTRA_REVIEWER and quorum:
        quorum = (replace(quorum[0], count=quorum[0].count + 1), *quorum[1:])
    flaw = flaw_of(quorum)
    if flaw:
        return Finding(Reason.POLICY_NOT_READY, f"policy {policy.name}: {flaw}")
    return Asked(tuple(replace(q, accepted=(q.role,)) for q in quorum))


def add(base: tuple[QuorumEntry, ...], more: tuple[QuorumEntry, ...]) -> tuple[QuorumEntry, ...]:
    """Add one quorum to another: counts of the same role add up, other roles become entries of their own."""
    found = {entry.role: entry for entry in base}
    for entry in more:
        old = found.get(entry.role)
        if old is None:
            found[entry.role] = entry
        else:
            backups = (*old.backups, *(b for b in entry.backups if b not in old.backups))
            found[entry.role] = replace(old, count=old.count + entry.count, backups=backups)
    return tuple(found.values())


def flaw_of(quorum: tuple[QuorumEntry, ...]) -> str:
    """What makes a quorum unusable, in words, or nothing. Empty never means passed."""
    names = [name for entry in quorum for name in (entry.role, *entry.backups)]
    if not quorum:
        return "its quorum is empty"
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        return f"role {twice[0]} stands in two places of the quorum, so one verdict would count twice"
    if len(names) > MAX_ROLES:
        return f"its quorum names {len(names)} roles and backups, at most {MAX_ROLES} fit"
    if any(not 1 <= entry.count <= MAX_COUNT for entry in quorum):
        return f"an entry asks for more than {MAX_COUNT} people"
    if sum(entry.count for entry in quorum) > MAX_APPROVALS:
        return f"its quorum asks for more than {MAX_APPROVALS} approvals in all"
    return ""


def is_unknown(request: Request, rules: Rules) -> bool:
    """Whether no person stands behind the request by name: every author (or the requester) is a robot.

    Where the operator asks for itself, it is the authors alone: none of them known (an API server that cannot stamp), or
    more than a request can name, is as good as nobody, since nobody can be kept from approving by name. About a held drain
    it asks in the name of who drains.
    """
    names = request.authors or (() if _has_authors(request) else (request.requester.username,))
    return EVERYBODY in names or all(name.startswith("system:") or name in rules.robot_users for name in names)


def nobody_known(request: Request) -> str:
    """Why that is so, in words."""
    if EVERYBODY in request.authors:
        return "more people changed the subject than a request can name"
    if not request.authors:
        robot = f"{request.requester.username} is a robot"
        return "nobody is known who changed the subject" if _has_authors(request) else robot
    return f"only robots changed the subject: {', '.join(request.authors)}"[:512]


def _has_authors(request: Request) -> bool:
    return bool(request.gate) and request.effect.type is not EffectType.RELEASE


def matching_tiers(policy: Policy, request: Request, price: Price | None) -> list[Tier]:
    """The tiers that apply to a request, in the policy's order."""
    return [tier for tier in policy.tiers if _matches(tier, request, price)]


def _matches(tier: Tier, request: Request, price: Price | None) -> bool:
    amount = None if price is None or price.unknown else price.amount  # what is not known is under no maximum
    known = meets(tier, request.effect.type, request.namespace, amount)
    return known and _declares(tier, request.declared, request.options)


def meets(tier: Tier, effect: EffectType, namespace: str, price: Decimal | None) -> bool:
    """Whether the facts that the operator knows are those of the tier: all members of `when` that are given."""
    if tier.effects and effect not in tier.effects:
        return False
    if tier.namespaces and namespace not in tier.namespaces:
        return False
    return tier.max_price is None or (price is not None and price <= tier.max_price)


def _declares(tier: Tier, declared: Declared, options: tuple[Option, ...]) -> bool:
    """Whether what is declared reaches the tier: any given member that is reached is enough, since it can only raise."""
    if tier.at_least_risk is None and tier.at_least_cost is None:
        return True
    costs = [c for c in (declared.cost, *(o.amount for o in options)) if c is not None]
    risky = tier.at_least_risk is not None and declared.risk is not None and declared.risk >= tier.at_least_risk
    dear = tier.at_least_cost is not None and any(c >= tier.at_least_cost for c in costs)
    return risky or dear


def policy_flaw(policy: Policy) -> str:
    """What makes a whole policy unusable whatever is asked: its base, or every combination with one tier."""
    base = flaw_of(policy.quorum)
    if base:
        return f"spec.quorum: {base}"
    for number, tier in enumerate(policy.tiers):
        flaw = "" if tier.auto_approve else flaw_of(add(policy.quorum, tier.quorum))
        if flaw:
            return f"spec.tiers[{number}].quorum, added to spec.quorum by tier {tier.name}: {flaw}"
    return ""


def needs_auto_approve(policy: Policy) -> bool:
    """Whether some tier of the policy decides alone."""
    return any(tier.auto_approve for tier in policy.tiers)


def is_allowed(policy: Policy, effect: EffectType) -> bool:
    """Whether the policy lists the effect; a policy that lists none allows effect None only."""
    return effect in (policy.effects or (EffectType.NONE,))
