"""`doctor` on RBAC as data: who may bypass the gate, and what an ordinary right is."""

import pytest

from gatehold.cli.doctor.findings import Level
from gatehold.cli.doctor.powers import bypasses
from gatehold.cli.doctor.rbac import Grant, Rule, Subject, grants
from tests.cli.grants import ALICE, ARGO, grant, rule

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
    "impersonate service accounts in another namespace, as edit does": grant(
        ALICE, rule("", "serviceaccounts", "impersonate"), "shop"
    ),
    "impersonate another service account": grant(ALICE, rule("", "serviceaccounts", "impersonate", "runner")),
    "impersonate scopes": grant(ALICE, rule("authentication.k8s.io", "userextras/scopes", "impersonate")),
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


HALF_ACCOUNT = grant(ALICE, rule("", "serviceaccounts", "impersonate"), name="a")
HALF_POD = grant(
    ALICE, rule("authentication.k8s.io", "userextras/authentication.kubernetes.io/pod-name", "impersonate"), name="b"
)
HALVES: dict[str, tuple[list[Grant], Level, str]] = {
    "the account": (HALF_ACCOUNT, Level.NOTICE, "one half of becoming the operator: user:alice may"),
    "the account, in the operator's namespace": (
        grant(ALICE, rule("", "serviceaccounts", "impersonate", "gatehold"), "gatehold-system"),
        Level.NOTICE, "user:alice may impersonate the operator's service account",
    ),
    "the pod": (HALF_POD, Level.NOTICE, "user:alice may impersonate a pod's identity (userextras)"),
    "both, by two roles": ([*HALF_ACCOUNT, *HALF_POD], Level.PROBLEM, "user:alice may become the operator"),
    "both, by every kind of one group": (
        [*HALF_ACCOUNT, *grant(ALICE, rule("authentication.k8s.io", "*", "impersonate:user-info"), name="b")],
        Level.PROBLEM, "user:alice may become the operator",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("held", "level", "text"), HALVES.values(), ids=HALVES.keys())
def test_who_may_become_the_operator(held: list[Grant], level: Level, text: str) -> None:
    found = [finding for finding in bypasses(held, frozenset()) if text in finding.text]
    assert [finding.level for finding in found] == [level]


def test_many_who_hold_a_half_are_one_line() -> None:
    held = [g for n in range(13) for g in grant(Subject("User", f"u{n:02}"), rule("", "serviceaccounts", "impersonate"))]
    (found,) = bypasses(held, frozenset())
    assert "user:u09 and 3 more may" in found.text


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


def test_a_rule_allows_what_the_authorizer_allows() -> None:
    one = Rule(("gatehold.dev",), ("*/sre",), ("prod",), ("approve",))
    assert one.allows("approve", "gatehold.dev", "approvalpolicies/sre", "prod")
    assert not one.allows("approve", "gatehold.dev", "approvalpolicies/sre", "dev")
    assert not one.allows("approve", "gatehold.dev", "approvalpolicies", "prod")
    assert not one.allows("deny", "gatehold.dev", "approvalpolicies/sre", "prod")
