"""Who acts in the wall's table, and what RBAC gives them. No wildcards but admin's, and wild's to show what that means."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from collections.abc import Sequence
from typing import Any

from controlplane import Cluster
from tests.wall.api import Api, Call, path

Body = dict[str, Any]

SHOP, OTHER, SYSTEM = "shop", "other", "gatehold-system"
OPERATOR = f"system:serviceaccount:{SYSTEM}:gatehold"
RBAC = "rbac.authorization.k8s.io/v1"
GROUP = "gatehold.dev/v1alpha1"

DECIDERS = (
    "ci", "alice", "bob", "carol", "dave", "erin", "frank", "grace", "nora", "vic", "oz", "mallory", "auth0|123", "100%",
    "system:admin-like",
)  # fmt: skip
"""They may annotate requests in shop. ci asks, frank is asked for (onBehalfOf), grace wrote the subject (authors)."""

PEOPLE = (*DECIDERS, "wild", "eve", "adam", "viewer", "editor", "drainer", "half", "debugger")
"""Each comes with a client certificate of that name. eve has edit, adam admin in the operator's namespace."""

APPROVE, DENY, OVERRIDE, REQUEST = "approve", "deny", "override", "request"


def _policy_right(verb: str, policies: list[str], role: str = "") -> Body:
    resource = f"approvalpolicies/{role}" if role else "approvalpolicies"
    return {"apiGroups": ["gatehold.dev"], "resources": [resource], "resourceNames": policies, "verbs": [verb]}


EVERY = ["solo", "prod", "auto", "auto-refused", "choice", "absent"]
ANNOTATE: Body = {
    "apiGroups": ["gatehold.dev"],
    "resources": ["approvalrequests"],
    "verbs": ["get", "list", "patch", "update"],
}
REQUESTS: Body = {
    "apiGroups": ["gatehold.dev"],
    "resources": ["approvalrequests"],
    "verbs": ["get", "list", "watch", "create", "patch", "update", "delete", "deletecollection"],
}
JOBS: Body = {
    "apiGroups": ["batch"],
    "resources": ["jobs", "jobs/status"],
    "verbs": ["get", "list", "create", "patch", "update", "delete"],
}
STATUSES: Body = {
    "apiGroups": ["gatehold.dev"],
    "resources": ["approvalrequests/status", "approvalpolicies/status", "approvalpolicies", "rollouts/status"],
    "verbs": ["get", "patch", "update"],
}
ROLES: dict[str, tuple[list[Body], list[str]]] = {
    "asks": ([REQUESTS, JOBS, _policy_right(REQUEST, EVERY)], ["ci", "robot", "gitops", "mallory", "frank"]),
    "annotates": ([ANNOTATE], [*DECIDERS, "robot", "gitops"]),
    "sre": ([_policy_right(APPROVE, EVERY, "sre")], ["ci", "alice", "bob", "erin", "frank", "grace", "auth0|123", "100%", "gitops", "system:admin-like"]),
    "finance": ([_policy_right(APPROVE, EVERY, "finance")], ["carol", "erin"]),
    "duty": ([_policy_right(APPROVE, EVERY, "duty")], ["dave"]),
    "veto": ([_policy_right(DENY, EVERY, "security")], ["vic"]),
    "overrides": ([_policy_right(OVERRIDE, EVERY), JOBS], ["oz", "ci", "frank", "grace", "gitops"]),
    "half": ([REQUESTS, _policy_right(REQUEST, ["solo"]), {**JOBS, "resourceNames": ["mine"]}], ["half"]),
    "wild": ([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}], ["wild"]),
    "writes-status": ([STATUSES], ["mallory", "alice", "ci"]),
    "works-on-jobs": ([JOBS], ["mallory", "nora", "drainer"]),
}  # fmt: skip
"""Roles in namespace shop: rules, and who holds them. `robot` and `gitops` are service accounts of shop."""

POLICIES: dict[str, Body] = {
    "solo": {
        "quorum": [{"role": "sre"}],
        "effects": ["None", "Release", "Drain"],
        "timeoutSeconds": {"default": 3600, "max": 86400},
        "onUnknownRequester": "Allow",
    },
    "prod": {
        "quorum": [{"role": "sre", "count": 2, "backups": ["duty"]}, {"role": "finance"}],
        "effects": ["None", "Release"],
        "escalation": [{"afterSeconds": 3600, "roles": ["duty"]}],
        "onUnknownRequester": "Allow",
    },
    "choice": {"quorum": [{"role": "sre", "count": 2}], "effects": ["None", "Release"], "onUnknownRequester": "Allow"},
    "auto": {
        "quorum": [{"role": "sre"}],
        "effects": ["None"],
        "tiers": [{"name": "shop", "when": {"namespaces": [SHOP]}, "autoApprove": True}],
    },
    "auto-refused": {
        "quorum": [{"role": "sre"}],
        "effects": ["None"],
        "tiers": [{"name": "shop", "when": {"namespaces": [SHOP]}, "autoApprove": True}],
    },
}


def settle(admin: Api) -> None:
    """Make namespaces, accounts, roles and policies. Needs the CRDs and the wall."""
    for namespace in (SHOP, OTHER):
        admin.must(Call(path("v1", "namespaces"), named("v1", "Namespace", namespace), "post"))
    for account in ("robot", "gitops"):
        admin.must(Call(path("v1", "serviceaccounts", SHOP), named("v1", "ServiceAccount", account), "post"))
    for name, (rules, holders) in ROLES.items():
        role(admin, SHOP, name, rules, holders)
    role(admin, OTHER, "asks", ROLES["asks"][0], ["ci"])
    role(admin, SHOP, "auto-approve", [_policy_right("auto-approve", ["auto"])], [], operator=True)
    for namespace, given, holder in (
        (SHOP, "view", "viewer"), (SHOP, "edit", "editor"), (SYSTEM, "edit", "eve"), (SYSTEM, "admin", "adam"),
    ):  # fmt: skip
        bind(admin, namespace, f"{given}-{holder}", ref("ClusterRole", given), [subject(holder)])
    bind(admin, SYSTEM, "debugs", ref("ClusterRole", "debugs"), [subject("debugger")])
    debugs = {"rules": [{"apiGroups": [""], "resources": ["pods/ephemeralcontainers"], "verbs": ["patch"]}]}
    admin.must(Call(path(RBAC, "clusterroles"), {**named(RBAC, "ClusterRole", "debugs"), **debugs}, "post"))
    drain = {"rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["drain"]}]}
    admin.must(Call(path(RBAC, "clusterroles"), {**named(RBAC, "ClusterRole", "drains"), **drain}, "post"))
    binding = {"roleRef": ref("ClusterRole", "drains"), "subjects": [subject("drainer")]}
    admin.must(Call(path(RBAC, "clusterrolebindings"), {**named(RBAC, "ClusterRoleBinding", "drains"), **binding}, "post"))
    role(admin, SHOP, "asks-for-drains", [REQUESTS, _policy_right(REQUEST, ["solo"])], ["drainer"])
    for name, spec in POLICIES.items():
        body = {**named("gatehold.dev/v1alpha1", "ApprovalPolicy", name), "spec": spec}
        admin.must(Call(path("gatehold.dev/v1alpha1", "approvalpolicies"), body, "post"))


def connect(cluster: Cluster) -> dict[str, Api]:
    """Everybody's connection by name, and `operator` and `probe` by the tokens of their accounts."""
    found = {name: Api.of(cluster.user(name)) for name in PEOPLE}
    found["admin"] = Api.of(cluster.admin_kubeconfig)
    return found


def service_account_token(admin: Api, namespace: str, name: str) -> str:
    """A token as `kubectl create token` makes one."""
    request = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 7200}}
    return str(admin.must(Call(path("v1", "serviceaccounts", namespace, name, "token"), request, "post"))["status"]["token"])


def may(someone: Api, verb: str, group: str, resource: str, **more: str) -> bool:
    """Ask the API server whether that account may do that."""
    version, asked = "authorization.k8s.io/v1", {"verb": verb, "group": group, "resource": resource, **more}
    body = {"apiVersion": version, "kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": asked}}
    return bool(someone.must(Call(path(version, "selfsubjectaccessreviews"), body, "post"))["status"]["allowed"])


def named(version: str, kind: str, name: str) -> Body:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name}}


def ref(kind: str, name: str) -> Body:
    return {"apiGroup": RBAC.split("/")[0], "kind": kind, "name": name}


def subject(holder: str) -> Body:
    if holder in ("robot", "gitops"):
        return {"kind": "ServiceAccount", "name": holder, "namespace": SHOP}
    return {"kind": "User", "name": holder, "apiGroup": RBAC.split("/")[0]}


def role(
    admin: Api,
    namespace: str,
    name: str,
    rules: list[Body],
    holders: list[str],
    *,
    operator: bool = False,
    more: Sequence[Body] = (),
) -> None:
    admin.must(Call(path(RBAC, "roles", namespace), {**named(RBAC, "Role", name), "rules": rules}, "post"))
    subjects = [*(subject(holder) for holder in holders), *more]
    subjects += [{"kind": "ServiceAccount", "name": "gatehold", "namespace": SYSTEM}] if operator else []
    bind(admin, namespace, name, ref("Role", name), subjects)


def bind(admin: Api, namespace: str, name: str, ref: Body, subjects: list[Body]) -> None:
    body = {**named(RBAC, "RoleBinding", name), "roleRef": ref, "subjects": subjects}
    admin.must(Call(path(RBAC, "rolebindings", namespace), body, "post"))
