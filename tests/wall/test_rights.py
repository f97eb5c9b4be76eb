"""What RBAC gives away by itself: our deciding verbs to nobody, and to the operator no more than it needs."""

from typing import Any

import pytest
import yaml

from tests.wall import people
from tests.wall.api import path
from tests.wall.conftest import ROOT, Stage
from tests.wall.people import SHOP, SYSTEM

DECIDING = ("request", "approve", "deny", "override", "auto-approve", "bind", "drain", "orphan", "renew")
DEFAULT_ROLES = ("view", "edit", "admin")
ELSEWHERE = "default"
"""Where the operator has only what was installed: the table gives it more in other places, so that the wall has to speak."""


def may(stage: Stage, who: str, verb: str, group: str, resource: str, **more: str) -> bool:
    return people.may(stage.people[who], verb, group, resource, **more)


@pytest.mark.parametrize("role", DEFAULT_ROLES)
def test_no_deciding_verb_is_aggregated(stage: Stage, role: str) -> None:
    found = stage.people["admin"].get(path("rbac.authorization.k8s.io/v1", "clusterroles", None, role))
    assert found is not None
    ours = [rule for rule in found["rules"] if "gatehold.dev" in rule.get("apiGroups", [])]

    given = {(resource, verb) for rule in ours for resource in rule["resources"] for verb in rule["verbs"]}
    assert ("approvalrequests", "get") in given
    assert (("approvalrequests", "create") in given) is (role != "view")
    assert (("rollouts", "patch") in given) is (role != "view")
    assert (("rollouts/scale", "update") in given) is (role != "view")
    assert not [(r, verb) for r, verb in given if verb in DECIDING or ("/" in r and r != "rollouts/scale")]
    assert not [
        (resource, verb)
        for resource, verb in given
        if resource in ("approvalpolicies", "gates") and verb not in ("get", "list", "watch")
    ]


@pytest.mark.parametrize("verb", DECIDING)
@pytest.mark.parametrize("who", ["viewer", "editor", "gatehold-probe"])
def test_default_roles_hold_no_deciding_verb(stage: Stage, who: str, verb: str) -> None:
    asked = {"namespace": SHOP, "name": "prod"}

    assert not may(stage, who, verb, "gatehold.dev", "approvalpolicies", **asked)
    assert not may(stage, who, verb, "gatehold.dev", "approvalpolicies", subresource="sre", **asked)
    assert not may(stage, who, verb, "gatehold.dev", "gates", name="web")
    assert not may(stage, who, verb, "gatehold.dev", "rollouts", namespace=SHOP, name="web")
    assert not may(stage, who, verb, "", "nodes")
    assert not may(stage, who, verb, "", "secrets", namespace=SYSTEM, name="gatehold-webhook-tls")


def test_a_wildcard_holds_every_deciding_verb_which_is_why_doctor_lists_it(stage: Stage) -> None:
    asked = {"namespace": SHOP, "name": "prod"}

    assert all(may(stage, "wild", verb, "gatehold.dev", "approvalpolicies", **asked) for verb in DECIDING[:5])


MUST = [
    ("get", "gatehold.dev", "approvalrequests", {}),
    ("patch", "gatehold.dev", "approvalrequests", {"subresource": "status"}),
    ("request", "gatehold.dev", "approvalpolicies", {"name": "prod", "namespace": SHOP}),
    ("patch", "batch", "jobs", {}),
    ("patch", "gatehold.dev", "rollouts", {}),
    ("patch", "gatehold.dev", "rollouts", {"subresource": "status"}),
    ("watch", "gatehold.dev", "gates", {}),
    ("watch", "", "namespaces", {}),
    ("update", "apps", "deployments", {"namespace": SHOP}),
    ("create", "apps", "controllerrevisions", {"namespace": SHOP}),
    ("watch", "admissionregistration.k8s.io", "validatingadmissionpolicies", {}),
    ("update", "coordination.k8s.io", "leases", {"name": "gatehold-operator", "namespace": SYSTEM}),
    ("create", "", "serviceaccounts", {"subresource": "token", "name": "gatehold-probe", "namespace": SYSTEM}),
    *((verb, "", "nodes", {}) for verb in ("get", "list", "watch", "patch")),
    *((verb, "", "pods", {"namespace": SHOP}) for verb in ("get", "list", "watch")),
    ("create", "", "pods", {"subresource": "eviction", "namespace": SHOP}),
    ("list", "policy", "poddisruptionbudgets", {"namespace": SHOP}),
    *((verb, "coordination.k8s.io", "leases", {"namespace": SYSTEM}) for verb in ("get", "list", "create", "delete")),
    *((verb, "", "secrets", {"namespace": SYSTEM, "name": "gatehold-webhook-tls"}) for verb in ("get", "update")),
    ("get", "", "secrets", {"namespace": SYSTEM, "name": "gatehold-webhook-ca"}),
    ("get", "admissionregistration.k8s.io", "validatingwebhookconfigurations", {"name": "gatehold-evictions"}),
    ("create", "authorization.k8s.io", "subjectaccessreviews", {}),
    *((verb, "", "pods", {"namespace": SHOP}) for verb in ("patch", "delete")),
    *((verb, "batch", kind, {"namespace": SHOP}) for kind in ("jobs", "cronjobs") for verb in ("get", "patch", "delete")),
    *((verb, "apps", kind, {"namespace": SHOP}) for kind in ("deployments", "statefulsets") for verb in ("get", "delete")),
    ("get", "apps", "replicasets", {"namespace": SHOP}),
    ("get", "", "replicationcontrollers", {"namespace": SHOP}),
    *(
        ("patch", "apps", kind, {"subresource": "scale", "namespace": SHOP})
        for kind in ("deployments", "statefulsets", "replicasets")
    ),
    ("patch", "", "replicationcontrollers", {"subresource": "scale", "namespace": SHOP}),
    ("patch", "gatehold.dev", "rollouts", {"subresource": "scale", "namespace": SHOP}),
    ("get", "", "configmaps", {"namespace": SYSTEM, "name": "gatehold-prices"}),
]
MUST_NOT = [
    ("approve", "gatehold.dev", "approvalpolicies", {"subresource": "sre", "name": "prod", "namespace": ELSEWHERE}),
    ("override", "gatehold.dev", "approvalpolicies", {"name": "prod", "namespace": ELSEWHERE}),
    ("auto-approve", "gatehold.dev", "approvalpolicies", {"name": "prod", "namespace": ELSEWHERE}),
    ("update", "gatehold.dev", "approvalpolicies", {}),
    ("patch", "gatehold.dev", "approvalpolicies", {"name": "prod"}),
    ("patch", "admissionregistration.k8s.io", "validatingadmissionpolicies", {"name": "gatehold-requests"}),
    ("delete", "admissionregistration.k8s.io", "validatingadmissionpolicybindings", {"name": "gatehold-requests"}),
    ("get", "", "secrets", {"namespace": SYSTEM}),
    ("get", "", "secrets", {"namespace": ELSEWHERE}),
    ("create", "", "serviceaccounts", {"subresource": "token", "name": "gatehold", "namespace": SYSTEM}),
    ("impersonate", "", "users", {}),
    ("create", "", "pods", {"namespace": ELSEWHERE}),
    ("create", "batch", "jobs", {"namespace": ELSEWHERE}),
    ("create", "gatehold.dev", "rollouts", {"namespace": ELSEWHERE}),
    ("delete", "gatehold.dev", "rollouts", {"namespace": ELSEWHERE}),
    ("patch", "gatehold.dev", "gates", {}),
    ("bind", "gatehold.dev", "gates", {"name": "web"}),
    ("override", "gatehold.dev", "gates", {"name": "web"}),
    ("override", "gatehold.dev", "rollouts", {"namespace": ELSEWHERE, "name": "web"}),
    ("update", "apps", "deployments", {"subresource": "scale"}),
    ("patch", "apps", "deployments", {"subresource": "status"}),
    ("create", "apps", "replicasets", {"namespace": ELSEWHERE}),
    ("create", "apps", "statefulsets", {"namespace": ELSEWHERE}),
    ("update", "apps", "controllerrevisions", {"namespace": ELSEWHERE}),
    ("update", "coordination.k8s.io", "leases", {"name": "another", "namespace": SYSTEM}),
    ("create", "rbac.authorization.k8s.io", "clusterrolebindings", {}),
    ("drain", "", "nodes", {}),
    ("update", "", "nodes", {}),
    ("list", "policy", "poddisruptionbudgets", {"subresource": "status"}),
    ("patch", "policy", "poddisruptionbudgets", {"namespace": ELSEWHERE}),
    ("delete", "coordination.k8s.io", "leases", {"namespace": "kube-node-lease"}),
    *((verb, "", "secrets", {"namespace": SYSTEM, "name": "gatehold-webhook-tls"}) for verb in ("renew", "list", "watch")),
    ("update", "", "secrets", {"namespace": SYSTEM, "name": "gatehold-webhook-ca"}),
    ("get", "", "secrets", {"namespace": SYSTEM, "name": "another"}),
    ("get", "", "secrets", {"namespace": ELSEWHERE, "name": "gatehold-webhook-tls"}),
    *(
        (verb, "admissionregistration.k8s.io", "validatingwebhookconfigurations", {"name": "gatehold-evictions"})
        for verb in ("patch", "update", "delete", "list")
    ),
    ("get", "admissionregistration.k8s.io", "validatingwebhookconfigurations", {"name": "another"}),
    *(
        (verb, "admissionregistration.k8s.io", "mutatingwebhookconfigurations", {"name": "gatehold-pods"})
        for verb in ("create", "patch", "update", "delete")
    ),
    ("update", "", "pods", {"namespace": ELSEWHERE}),
    ("deletecollection", "", "pods", {"namespace": ELSEWHERE}),
    *(
        (verb, "", "pods", {"subresource": sub, "namespace": ELSEWHERE})
        for verb in ("patch", "update", "create")
        for sub in ("status", "resize", "ephemeralcontainers", "binding")
    ),
    ("patch", "apps", "deployments", {"namespace": ELSEWHERE}),
    ("patch", "apps", "statefulsets", {"namespace": ELSEWHERE}),
    ("patch", "apps", "replicasets", {"namespace": ELSEWHERE}),
    ("delete", "apps", "replicasets", {"namespace": ELSEWHERE}),
    ("create", "batch", "cronjobs", {"namespace": ELSEWHERE}),
    ("delete", "", "replicationcontrollers", {"namespace": ELSEWHERE}),
    ("get", "", "configmaps", {"namespace": SYSTEM, "name": "another"}),
    ("get", "", "configmaps", {"namespace": ELSEWHERE, "name": "gatehold-prices"}),
    *((verb, "", "configmaps", {"namespace": SYSTEM, "name": "gatehold-prices"}) for verb in ("patch", "update", "list")),
]


@pytest.mark.parametrize(("right", "wanted"), [*((r, True) for r in MUST), *((r, False) for r in MUST_NOT)])
def test_the_operator_holds_what_it_needs_and_no_more(
    stage: Stage, right: tuple[str, str, str, dict[str, str]], wanted: bool
) -> None:
    verb, group, resource, more = right

    assert may(stage, "operator", verb, group, resource, **more) is wanted


def test_the_probe_may_patch_its_one_request_and_its_status_and_nothing_else(stage: Stage) -> None:
    asked = {"namespace": SYSTEM, "name": "gatehold-probe"}

    assert may(stage, "gatehold-probe", "patch", "gatehold.dev", "approvalrequests", **asked)
    assert may(stage, "gatehold-probe", "patch", "gatehold.dev", "approvalrequests", subresource="status", **asked)
    for verb in ("get", "list", "watch", "create", "update", "delete"):
        assert not may(stage, "gatehold-probe", verb, "gatehold.dev", "approvalrequests", **asked)
    assert not may(stage, "gatehold-probe", "patch", "gatehold.dev", "approvalrequests", namespace=SYSTEM, name="other")
    assert not may(
        stage, "gatehold-probe", "patch", "gatehold.dev", "approvalrequests", namespace=SHOP, name="gatehold-probe"
    )


def test_the_probe_may_evict_its_one_pod_and_nothing_else(stage: Stage) -> None:
    def evicts(namespace: str, name: str) -> bool:
        return may(stage, "gatehold-probe", "create", "", "pods", subresource="eviction", namespace=namespace, name=name)

    assert evicts("default", "gatehold-probe")
    assert not evicts("default", "another")
    assert not evicts(SHOP, "gatehold-probe")
    assert not any(may(stage, "gatehold-probe", verb, "", "pods", namespace="default") for verb in ("get", "list", "delete"))


def roles() -> list[dict[str, Any]]:
    """Every role of the wall's files, whichever gate it is there for."""
    texts = [path.read_text() for path in sorted((ROOT / "manifests/wall").glob("3*.yaml"))]
    return [body for text in texts for body in yaml.safe_load_all(text) if body and "rules" in body]


def test_what_drains_take_can_be_left_out() -> None:
    bodies = roles()
    rules = {(b["kind"], b["metadata"]["name"]): b["rules"] for b in bodies}
    others = [
        rule
        for (_, name), found in rules.items()
        if name in ("gatehold-operator", "gatehold-operator-rollouts")
        for rule in found
    ]

    assert {kind for kind, name in rules if name == "gatehold-operator-drains"} == {"ClusterRole", "Role"}
    for kept in ("nodes", "pods/eviction", "poddisruptionbudgets", "subjectaccessreviews", "secrets"):
        assert not [rule for rule in others if kept in rule["resources"]]


def test_what_gates_of_pods_take_can_be_left_out() -> None:
    bodies = roles()
    apart = {b["kind"] for b in bodies if b["metadata"]["name"] == "gatehold-operator-pods"}
    others = [
        rule
        for b in bodies
        if b["metadata"]["name"].startswith("gatehold-operator")
        and b["metadata"]["name"] not in ("gatehold-operator-pods", "gatehold-operator-argo-rollouts")
        for rule in b["rules"]
    ]

    assert apart == {"ClusterRole", "Role"}
    assert not [rule for rule in others if "pods" in rule["resources"] and {"patch", "delete"} & set(rule["verbs"])]
    assert not [rule for rule in others if [r for r in rule["resources"] if r.endswith("/scale")]]
    for kept in ("cronjobs", "statefulsets", "replicasets", "replicationcontrollers", "configmaps"):
        assert not [rule for rule in others if kept in rule["resources"]]


def test_no_shipped_role_has_a_wildcard() -> None:
    texts = (ROOT / "manifests").rglob("*.yaml")
    rules = [
        rule for text in texts for body in yaml.safe_load_all(text.read_text()) if body for rule in body.get("rules", [])
    ]

    assert rules
    assert not [rule for rule in rules for member in ("apiGroups", "resources", "verbs") if "*" in rule.get(member, [])]
