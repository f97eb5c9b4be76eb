"""`doctor` on RBAC as data: who may bypass, who may decide, and whether a quorum can be reached."""

from typing import Any

import pytest

from gatehold.api.approval_policy import parse
from gatehold.cli.doctor.findings import Finding, Level
from gatehold.cli.doctor.powers import bypasses
from gatehold.cli.doctor.rbac import Grant, Rule, Subject, grants
from gatehold.cli.doctor.reach import reach, rights
from tests.cli.bodies import policy

Json = dict[str, Any]


def grant(who: Subject, rule: Json, namespace: str = "", name: str = "r") -> list[Grant]:
    """One binding of one role with one rule, through the same join as in a cluster."""
    role = {"kind": "ClusterRole", "metadata": {"name": name}, "rules": [rule]}
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    meta = {"name": name} | ({"namespace": namespace} if namespace else {})
    subject = {"kind": who.kind, "name": who.name} | ({"namespace": who.namespace} if who.namespace else {})
    return list(
        grants(
            [role],
            [{"kind": kind, "metadata": meta, "roleRef": {"kind": "ClusterRole", "name": name}, "subjects": [subject]}],
        )
    )


def rule(groups: str, resources: str, verbs: str, names: str = "") -> Json:
    return {"apiGroups": groups.split(","), "resources": resources.split(","), "verbs": verbs.split(","),
            "resourceNames": [n for n in names.split(",") if n]}  # fmt: skip


ALICE, BOB, SRE = Subject("User", "alice"), Subject("User", "bob"), Subject("Group", "sre")
ARGO = Subject("ServiceAccount", "controller", "argocd")
SIGNS = [
    *grant(ALICE, rule("certificates.k8s.io", "certificatesigningrequests/approval", "update"), name="a"),
    *grant(ALICE, rule("certificates.k8s.io", "signers", "approve", "kubernetes.io/kube-apiserver-client"), name="b"),
]

BYPASS: dict[str, list[Grant]] = {
    "everything": grant(ALICE, rule("*", "*", "*")),
    "everything in a namespace": grant(ALICE, rule("*", "*", "*"), "shop"),
    "every resource of our group": grant(ALICE, rule("gatehold.dev", "*", "approve")),
    "every subresource of one name": grant(ALICE, rule("*", "*", "approve,deny"), "shop"),
    "impersonate users": grant(ALICE, rule("", "users", "impersonate")),
    "impersonate groups, any verb": grant(ALICE, rule("", "groups", "*")),
    "impersonate by a finer verb": grant(ALICE, rule("authentication.k8s.io", "users", "impersonate:user-info")),
    "escalate": grant(ALICE, rule("rbac.authorization.k8s.io", "clusterroles", "escalate")),
    "bind in a namespace": grant(ALICE, rule("rbac.authorization.k8s.io", "roles", "bind"), "shop"),
    "delete the wall": grant(ALICE, rule("admissionregistration.k8s.io", "validatingadmissionpolicies", "delete")),
    "patch bindings of the wall": grant(
        ALICE, rule("admissionregistration.k8s.io", "validatingadmissionpolicybindings", "patch")
    ),
    "all of admission": grant(ARGO, rule("admissionregistration.k8s.io", "*", "*")),
    "change kinds": grant(ALICE, rule("apiextensions.k8s.io", "customresourcedefinitions", "update")),
    "sign certificates by two roles": SIGNS,
    "everybody holds everything": grant(Subject("Group", "system:authenticated"), rule("*", "*", "*")),
    "a service account of the system's namespace": grant(
        Subject("ServiceAccount", "sneaky", "kube-system"), rule("*", "*", "*")
    ),
}

HARMLESS: dict[str, list[Grant]] = {
    "one role of one policy": grant(ALICE, rule("gatehold.dev", "approvalpolicies/sre", "approve", "prod")),
    "reads everything": grant(ALICE, rule("*", "*", "get,list,watch")),
    "impersonate service accounts, as edit does": grant(ALICE, rule("", "serviceaccounts", "impersonate")),
    "impersonate users in a namespace reaches nobody": grant(ALICE, rule("", "users", "impersonate"), "shop"),
    "admission in a namespace reaches nothing": grant(ALICE, rule("admissionregistration.k8s.io", "*", "*"), "shop"),
    "half of signing": SIGNS[:1],
    "other kinds": grant(ALICE, rule("apiextensions.k8s.io", "customresourcedefinitions", "update", "widgets.example.org")),
    "another signer": [*SIGNS[:1], *grant(ALICE, rule("certificates.k8s.io", "signers", "approve", "example.org/x"))],
    "a role that does not exist": list(
        grants([], [{"kind": "ClusterRoleBinding", "metadata": {"name": "b"}, "subjects": [{"kind": "User", "name": "a"}],
                     "roleRef": {"kind": "ClusterRole", "name": "no"}}])
    ),
}  # fmt: skip


@pytest.mark.parametrize("held", BYPASS.values(), ids=BYPASS.keys())
def test_a_way_past_the_gate_is_a_problem_with_a_next_command(held: list[Grant]) -> None:
    found = [finding for finding in bypasses(held, frozenset()) if finding.level is Level.PROBLEM]
    assert found
    assert all(finding.next for finding in found)


@pytest.mark.parametrize("held", HARMLESS.values(), ids=HARMLESS.keys())
def test_an_ordinary_right_is_none(held: list[Grant]) -> None:
    assert bypasses(held, frozenset()) == []


def test_whom_the_platform_trusts_is_said_but_no_problem() -> None:
    held = grant(ARGO, rule("*", "*", "*"))
    assert [finding.level for finding in bypasses(held, frozenset({"sa:argocd/controller"}))] == [Level.NOTICE]


def test_kubernetes_itself_is_no_problem() -> None:
    masters = grant(Subject("Group", "system:masters"), rule("*", "*", "*"), name="cluster-admin")
    name = "system:controller:namespace-controller"
    own = grant(Subject("ServiceAccount", "namespace-controller", "kube-system"), rule("*", "*", "delete"), name=name)
    assert {finding.level for finding in bypasses([*masters, *own], frozenset())} == {Level.OK}


def test_a_service_account_written_as_a_user_is_that_account() -> None:
    (held,) = grant(Subject("User", "system:serviceaccount:argocd:controller"), rule("*", "*", "*"))
    assert held.subject == ARGO
    assert not held.is_built_in


# ---- quorum

ASKS = grant(Subject("User", "ci"), rule("gatehold.dev", "approvalpolicies", "request", "prod"), "shop")


def sre(who: Subject, namespace: str = "shop") -> list[Grant]:
    return grant(who, rule("gatehold.dev", "approvalpolicies/sre", "approve", "prod"), namespace)


def finance(who: Subject, namespace: str = "shop") -> list[Grant]:
    return grant(who, rule("gatehold.dev", "approvalpolicies/finance", "approve", "prod"), namespace)


def reached(held: list[Grant], **spec: Any) -> list[Finding]:
    return reach(parse(policy(**spec)), held)


TWO_SRE = {"quorum": [{"role": "sre", "count": 2}]}
REACH: dict[str, tuple[list[Grant], Json, Level, str]] = {
    "one each": ([*ASKS, *sre(ALICE), *finance(BOB)], {}, Level.OK, "user:alice"),
    "a group may have any number": ([*ASKS, *sre(SRE)], TWO_SRE, Level.OK, "group:sre"),
    "two of two": ([*ASKS, *sre(ALICE), *sre(BOB)], TWO_SRE, Level.OK, "user:bob"),
    "granted everywhere": ([*ASKS, *sre(SRE, "")], TWO_SRE, Level.OK, "group:sre"),
    "a backup counts": ([*ASKS, *sre(ALICE)], {"quorum": [{"role": "boss", "backups": ["sre"]}]}, Level.OK, "user:alice"),
    "nobody holds it": ([*ASKS, *sre(ALICE)], {}, Level.PROBLEM, "nobody holds finance"),
    "too few people": ([*ASKS, *sre(ALICE)], TWO_SRE, Level.PROBLEM, "takes 2 people"),
    "in another namespace": ([*ASKS, *sre(ALICE, "other"), *finance(BOB)], {}, Level.PROBLEM, "nobody holds sre"),
    "one person for two entries": ([*ASKS, *sre(ALICE), *finance(ALICE)], {}, Level.PROBLEM, "share the same few people"),
    "a service account is nobody": ([*ASKS, *sre(ARGO), *finance(BOB)], {}, Level.PROBLEM, "nobody holds sre"),
    "a wildcard is not meant": ([*ASKS, *grant(ALICE, rule("*", "*", "*")), *finance(BOB)], {}, Level.PROBLEM, "holds sre"),
    "asked everywhere, answered in one place": (
        [*grant(BOB, rule("gatehold.dev", "approvalpolicies", "request", "prod")), *sre(SRE), *finance(SRE)],
        {}, Level.PROBLEM, "people are found in shop only",
    ),
    "nobody asks": ([*sre(SRE), *finance(SRE)], {}, Level.NOTICE, "nobody but the operator may ask"),
}  # fmt: skip


@pytest.mark.parametrize(("held", "spec", "level", "part"), REACH.values(), ids=REACH.keys())
def test_whether_a_quorum_can_be_met(held: list[Grant], spec: Json, level: Level, part: str) -> None:
    (finding,) = reached(held, **spec)
    assert finding.level is level
    assert part in finding.text
    assert finding.next or level is Level.OK


def test_rights_name_everybody_and_say_wildcards() -> None:
    held = [*ASKS, *sre(ALICE), *grant(BOB, rule("*", "*", "*"))]
    found = {(right.verb, right.role): [str(g.subject) for g in right.holders] for right in rights(parse(policy()), held)}
    assert found[("request", "")] == ["user:ci", "user:bob"]
    assert found[("approve", "sre")] == ["user:alice", "user:bob"]
    assert found[("override", "")] == ["user:bob"]


def test_a_rule_allows_what_the_authorizer_allows() -> None:
    one = Rule(("gatehold.dev",), ("*/sre",), ("prod",), ("approve",))
    assert one.allows("approve", "gatehold.dev", "approvalpolicies/sre", "prod")
    assert not one.allows("approve", "gatehold.dev", "approvalpolicies/sre", "dev")
    assert not one.allows("approve", "gatehold.dev", "approvalpolicies", "prod")
    assert not one.allows("deny", "gatehold.dev", "approvalpolicies/sre", "prod")
