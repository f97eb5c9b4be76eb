"""RBAC for tests of `doctor`: bindings of one role with one rule, and whom they name."""

from typing import Any

from gatehold.cli.doctor.rbac import Grant, Subject, grants

Json = dict[str, Any]
ALICE, BOB, SRE = Subject("User", "alice"), Subject("User", "bob"), Subject("Group", "sre")
ARGO = Subject("ServiceAccount", "controller", "argocd")


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
