"""Rights that are as good as every role: whoever holds one of them decides in anybody's name, or opens the wall. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from gatehold.cli.doctor.findings import Finding, Level
from gatehold.cli.doctor.rbac import GROUP, Grant, Rule, Subject
from gatehold.domain.installation import NAMESPACE, OPERATOR

_PART = "Bypass"
_UNHEARD_OF = "a-role-that-nobody-made"
_RBAC = "rbac.authorization.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"
_CERTIFICATES = "certificates.k8s.io"
_CLIENT_SIGNER = "kubernetes.io/kube-apiserver-client"
_CHANGES = ("update", "patch", "delete", "deletecollection")


class Power(NamedTuple):
    """One way past the gate. `everywhere` marks kinds without a namespace: a Role in a namespace does not reach them."""

    name: str
    held: Callable[[Rule], bool]
    everywhere: bool = False


def everything(rule: Rule) -> bool:
    """Whether it gives all there is."""
    return rule.allows("*", "*", "*") and "*" in rule.verbs and "*" in rule.groups and "*" in rule.resources


def _every_role(rule: Rule) -> bool:
    return not everything(rule) and rule.allows("approve", GROUP, f"approvalpolicies/{_UNHEARD_OF}")


def _impersonates(rule: Rule) -> bool:
    verb = any(verb == "*" or verb.startswith("impersonate") for verb in rule.verbs)
    users = any(rule.covers(group, kind) for group in ("", "authentication.k8s.io") for kind in ("users", "groups"))
    return verb and users and not everything(rule)


def _gives_itself_rights(rule: Rule) -> bool:
    kinds = ("roles", "clusterroles")
    return not everything(rule) and any(rule.allows(verb, _RBAC, kind) for verb in ("escalate", "bind") for kind in kinds)


def _opens_the_wall(rule: Rule) -> bool:
    # mutating ones too: what rewrites a reviewer's deny into an approve does it under the reviewer's own name
    kinds = (
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
        "mutatingwebhookconfigurations",
    )
    return not everything(rule) and any(rule.allows(verb, _ADMISSION, kind) for verb in _CHANGES for kind in kinds)


def _changes_kinds(rule: Rule) -> bool:
    kind = ("apiextensions.k8s.io", "customresourcedefinitions")
    ours = {f"{name}.{GROUP}" for name in ("approvalrequests", "approvalpolicies", "rollouts", "gates")}
    named = not rule.names or bool(ours & set(rule.names))
    return not everything(rule) and named and any(rule.allows(verb, *kind) for verb in _CHANGES)


POWERS = (
    Power("do everything (verbs, groups and resources are all *)", everything),
    Power("act in every role and override (a wildcard in group gatehold.dev)", _every_role),
    Power("decide as anybody (impersonate users or groups)", _impersonates, everywhere=True),
    Power("give themselves any role (escalate or bind on roles)", _gives_itself_rights),
    Power("open the wall (change validatingadmissionpolicies or their bindings)", _opens_the_wall, everywhere=True),
    Power("change what our kinds check (customresourcedefinitions)", _changes_kinds, everywhere=True),
)
BECOMES = "become the operator (impersonate its service account, and its pod by userextras)"
_POD = "userextras/authentication.kubernetes.io/pod-name"
_HALVES = {
    "serviceaccounts": "impersonate the operator's service account",
    _POD: "impersonate a pod's identity (userextras)",
}
_NAMED = 10
SIGNS = "become anybody (approve client certificates: certificatesigningrequests/approval and signers)"


def bypasses(grants: Iterable[Grant], trusted: frozenset[str]) -> list[Finding]:
    """Everybody who holds such a power. Whom --trust names, and Kubernetes itself, is said but is no problem."""
    known = list(grants)
    findings: list[Finding] = []
    for power, holders in _holders(known):
        own = sorted({str(grant.subject) for grant in holders if grant.is_built_in})
        if own:
            findings.append(Finding(_PART, Level.OK, f"Kubernetes itself may {power}: {', '.join(own)}"))
        findings += _others(power, [grant for grant in holders if not grant.is_built_in], trusted)
    return [*findings, *_half_operators(known)]


def _half_operators(grants: list[Grant]) -> Iterator[Finding]:
    """Who holds one half of becoming the operator: no way in by itself, and the other half is a binding away."""
    known = [grant for grant in grants if not grant.is_built_in and not everything(grant.rule)]
    whole = {grant.subject for grant in _operators(known)}
    for resource, power in _HALVES.items():
        names = sorted({str(g.subject) for g in known if _reaches_the_operator(g, resource)} - set(map(str, whole)))
        if names:
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            text = f"one half of becoming the operator: {', '.join(names[:_NAMED])}{more} may {power}"
            yield Finding(_PART, Level.NOTICE, text)


def _operators(grants: list[Grant]) -> Iterator[Grant]:
    """The wall knows the operator by its account and its pod: who may impersonate both is the operator."""
    known = [grant for grant in grants if not everything(grant.rule)]
    pods = {grant.subject for grant in known if _reaches_the_operator(grant, _POD)}
    yield from (g for g in known if g.subject in pods and _reaches_the_operator(g, "serviceaccounts"))


def _reaches_the_operator(grant: Grant, resource: str) -> bool:
    """Whether the grant lets its holder impersonate that part of the operator."""
    rule = grant.rule
    verb = any(verb == "*" or verb.startswith("impersonate") for verb in rule.verbs)
    covered = any(rule.covers(group, resource) for group in ("", "authentication.k8s.io"))
    if resource == _POD:  # the names are pods, and that of the operator's is no secret
        return verb and covered and not grant.namespace
    return verb and covered and grant.namespace in ("", NAMESPACE) and (not rule.names or OPERATOR in rule.names)


def _others(power: str, holders: list[Grant], trusted: frozenset[str]) -> Iterator[Finding]:
    by_subject: dict[Subject, list[Grant]] = defaultdict(list)
    for grant in holders:
        by_subject[grant.subject].append(grant)
    for subject, held in sorted(by_subject.items()):
        ways = sorted({f"{grant.binding}, {grant.place}" for grant in held})
        text = f"{subject} may {power}: {'; '.join(ways)}"
        if str(subject) in trusted:
            yield Finding(_PART, Level.NOTICE, f"{text} (trusted)")
        else:
            yield Finding(_PART, Level.PROBLEM, text, f"{_undo(held[0])}, or accept it: --trust {subject}")


def _undo(grant: Grant) -> str:
    kind, _, name = grant.binding.partition(" ")
    place = f" -n {grant.namespace}" if grant.namespace else ""
    return f"kubectl get {kind.lower()} {name}{place} -o yaml"


def _holders(grants: list[Grant]) -> Iterator[tuple[str, list[Grant]]]:
    for power in POWERS:
        yield power.name, [g for g in grants if power.held(g.rule) and not (power.everywhere and g.namespace)]
    yield BECOMES, list(_operators(grants))
    yield SIGNS, list(_signers([g for g in grants if not g.namespace and not everything(g.rule)]))


def _signers(grants: list[Grant]) -> Iterator[Grant]:
    """Approving a certificate takes two rights, which may come from two roles."""
    approves = [
        g
        for g in grants
        if any(g.rule.allows(v, _CERTIFICATES, "certificatesigningrequests/approval") for v in ("update", "patch"))
    ]
    signers = {g.subject for g in grants if _names_the_signer(g.rule)}
    yield from (grant for grant in approves if grant.subject in signers)


def _names_the_signer(rule: Rule) -> bool:
    names = (_CLIENT_SIGNER, "kubernetes.io/*")
    return any(rule.allows("approve", _CERTIFICATES, "signers", name) for name in names)
