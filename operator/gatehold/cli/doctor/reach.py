"""Who holds which right on a policy, and whether its quorum can be met by people whom RBAC names. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gatehold.cli.doctor.findings import Finding, Level
from gatehold.cli.doctor.rbac import GROUP, Grant, Subject
from gatehold.domain import installation
from gatehold.domain.model import EffectType, Policy, QuorumEntry, Tier
from gatehold.domain.tiers import add

_PART = "Quorum"
Quorum = tuple[QuorumEntry, ...]
OPERATOR = f"sa:{installation.NAMESPACE}/{installation.OPERATOR}"


class Right(NamedTuple):
    """A verb on a policy, or in a role of it, with everybody who is granted it by name or by wildcard."""

    verb: str
    role: str
    holders: tuple[Grant, ...]


def roles_of(policy: Policy) -> list[str]:
    """Every role that may ever be asked under the policy, in its order."""
    entries = [*policy.quorum, *(entry for tier in policy.tiers for entry in tier.quorum)]
    return list(dict.fromkeys(role for entry in entries for role in (entry.role, *entry.backups)))


def rights(policy: Policy, grants: Iterable[Grant]) -> list[Right]:
    """Who may ask, approve, veto, override; Kubernetes itself aside."""
    known = [grant for grant in grants if not grant.is_built_in]
    plain = [Right(verb, "", holding(known, verb, policy.name)) for verb in ("request", "override", "auto-approve")]
    roles = roles_of(policy)
    approvers = [Right("approve", role, holding(known, "approve", policy.name, role)) for role in roles]
    return [plain[0], *approvers, *plain[1:]]


def holding(grants: Iterable[Grant], verb: str, policy: str, role: str = "") -> tuple[Grant, ...]:
    """Grants of that verb on the policy."""
    resource = f"approvalpolicies/{role}" if role else "approvalpolicies"
    return tuple(grant for grant in grants if grant.rule.allows(verb, GROUP, resource, policy))


def reach(policy: Policy, grants: Iterable[Grant]) -> list[Finding]:
    """Whether the quorum can be met in each place where questions under the policy may be asked."""
    known = [g for g in grants if not g.is_built_in and not g.rule.is_wildcard]
    places = sorted({g.namespace for g in holding(known, "request", policy.name) if str(g.subject) != OPERATOR})
    if not places:
        if EffectType.PROMOTE in policy.effects:
            return []  # the operator asks: said where a Gate names it
        text = f"policy {policy.name}: nobody but the operator may ask under it"
        return [Finding(_PART, Level.NOTICE, text, _bind("ROLE-WITH-VERB-request", "--group=TEAM"))]
    return [finding for place in places for finding in _in_place(policy, place, known)] + [
        finding for place in _only_tiers(policy, places) for finding in _with_tiers(policy, place, known)
    ]


def reach_in(policy: Policy, place: str, grants: Iterable[Grant]) -> list[Finding]:
    """Whether the quorum can be met in one namespace, where the operator asks for a Gate."""
    return list(_in_place(policy, place, [g for g in grants if not g.is_built_in and not g.rule.is_wildcard]))


def _in_place(policy: Policy, place: str, known: list[Grant]) -> Iterator[Finding]:
    """The policy's own quorum, then the most that its tiers can make of it; the second only where the first can be met."""
    where = f"in {place}" if place else "where nothing narrower is bound"
    found = _judge(policy, policy.quorum, (place, where), known)
    yield found
    if found.level is Level.OK:
        yield from _with_tiers(policy, place, known)


def _only_tiers(policy: Policy, places: list[str]) -> list[str]:
    """Namespaces that a tier names, where people ask by a grant that holds everywhere."""
    named = {namespace for tier in policy.tiers for namespace in tier.namespaces}
    return sorted(named - set(places)) if "" in places else []


def _with_tiers(policy: Policy, place: str, known: list[Grant]) -> Iterator[Finding]:
    """The hardest questions: for each effect every tier that can match at once does. Prices and risks can be any."""
    told: set[tuple[str, ...]] = set()
    for effect in policy.effects or (EffectType.NONE,):
        tiers = [tier for tier in policy.tiers if not tier.auto_approve and _can_match(tier, effect, place)]
        names = tuple(tier.name for tier in tiers)
        if not tiers or names in told:
            continue
        told.add(names)
        quorum = policy.quorum
        for tier in tiers:
            quorum = add(quorum, tier.quorum)
        where = f"in {place}" if place else "where nothing narrower is bound"
        yield _judge(policy, quorum, (place, f"{where}, tiers {', '.join(names)}"), known)


def _can_match(tier: Tier, effect: EffectType, place: str) -> bool:
    return (not tier.effects or effect in tier.effects) and (not tier.namespaces or place in tier.namespaces)


def _judge(policy: Policy, quorum: Quorum, where: tuple[str, str], known: list[Grant]) -> Finding:
    """Whether people exist for this quorum; `where` is the namespace, and how to say the question."""
    place, words = where
    entries = [_candidates(policy, entry, place, known) for entry in quorum]
    problems = [_lacking(entry, people) for entry, people in zip(quorum, entries, strict=True)]
    lacking = [text for text in problems if text]
    if not lacking and not _can_be_met(quorum, entries):
        names = sorted({str(s) for people in entries for s in people})
        lacking = [f"its entries share the same few people ({', '.join(names)}), and each of them counts once"]
    if not lacking:
        return Finding(_PART, Level.OK, f"policy {policy.name} {words}: {_who(quorum, entries)}")
    elsewhere = _elsewhere(policy, quorum, known) if not place else ""
    text = f"policy {policy.name} {words} cannot be met: {'; '.join(lacking)}{elsewhere}"
    return Finding(_PART, Level.PROBLEM, text, _bind("ROLE-WITH-VERB-approve", "--user=NAME", place))


def _candidates(policy: Policy, entry: QuorumEntry, place: str, known: list[Grant]) -> set[Subject]:
    """People and groups for an entry, its backups included, by grants that reach the place."""
    roles = (entry.role, *entry.backups)
    found = (g for role in roles for g in holding(known, "approve", policy.name, role) if g.namespace in ("", place))
    return {grant.subject for grant in found if grant.subject.is_person}


def _lacking(entry: QuorumEntry, people: set[Subject]) -> str:
    """A group may have any number of members; named users are as many as they are."""
    if not people:
        return f"nobody holds {entry.role}"
    if any(subject.kind == "Group" for subject in people) or len(people) >= entry.count:
        return ""
    return f"{entry.role} takes {entry.count} people, RBAC names {', '.join(sorted(map(str, people)))}"


def _can_be_met(quorum: Quorum, entries: list[set[Subject]]) -> bool:
    """Whether different people can be found for every approval: a matching of seats and people; groups fill theirs."""
    seats = [people for entry, people in zip(quorum, entries, strict=True) for _ in range(entry.count)]
    seats = [people for people in seats if not any(subject.kind == "Group" for subject in people)]
    taken: dict[Subject, int] = {}

    def sit(seat: int, tried: set[Subject]) -> bool:
        for person in seats[seat] - tried:
            tried.add(person)
            if person not in taken or sit(taken[person], tried):
                taken[person] = seat
                return True
        return False

    return all(sit(seat, set()) for seat in range(len(seats)))


def _who(quorum: Quorum, entries: list[set[Subject]]) -> str:
    parts = [f"{e.count} of {e.role} ({', '.join(sorted(map(str, p)))})" for e, p in zip(quorum, entries, strict=True)]
    return ", ".join(parts)


def _elsewhere(policy: Policy, quorum: Quorum, known: list[Grant]) -> str:
    """Where a question would find its people, if not everywhere."""
    spaces = sorted({g.namespace for g in known if g.namespace})
    good = [s for s in spaces if not any(_lacking(e, _candidates(policy, e, s, known)) for e in quorum)]
    return f" (people are found in {', '.join(good)} only)" if good else ""


def _bind(role: str, whom: str, place: str = "") -> str:
    return f"kubectl create rolebinding NAME -n {place or 'NAMESPACE'} --clusterrole={role} {whom}"
