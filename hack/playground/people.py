"""The people of the stories, and their rights: who asks, who decides, who may break the glass."""

from typing import Final

from controlplane import Cluster

PEOPLE: Final = {
    "ci": ("pipelines",),
    "alice": ("sre",),
    "bob": ("sre",),
    "carol": ("finance",),
    "dana": ("duty",),
    "mallory": ("dev",),
}
"""User name -> groups. mallory may edit the namespace, and decide nothing."""

_RIGHTS: Final = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: gatehold-asks, namespace: {namespace}}}
rules:
- {{apiGroups: [gatehold.dev], resources: [approvalpolicies], verbs: [request]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: gatehold-reviewer, namespace: {namespace}}}
rules:
- {{apiGroups: [gatehold.dev], resources: [approvalrequests], verbs: [get, list, watch, patch]}}
- {{apiGroups: [gatehold.dev], resources: [rollouts], verbs: [get, list, watch]}}
- {{apiGroups: [batch], resources: [jobs], verbs: [get, list, watch]}}
- {{apiGroups: ["", apps], resources: [pods, deployments], verbs: [get, list, watch]}}
- {{apiGroups: [events.k8s.io, ""], resources: [events], verbs: [get, list, watch]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: gatehold-reads-policies}}
rules:
- {{apiGroups: [gatehold.dev], resources: [approvalpolicies], verbs: [get, list, watch]}}
"""
_ROLE: Final = """---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: gatehold-{role}, namespace: {namespace}}}
rules:
- {{apiGroups: [gatehold.dev], resources: [approvalpolicies/{role}], verbs: [approve]}}
"""
_OVERRIDE: Final = """---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: gatehold-override, namespace: {namespace}}}
rules:
- {{apiGroups: [gatehold.dev], resources: [approvalpolicies], verbs: [override]}}
- {{apiGroups: [batch], resources: [jobs], verbs: [get, patch]}}
"""
_BINDING: Final = """---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: {group}-{role}, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {kind}, name: {role}}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: Group, name: {group}}}]
"""
_READS: Final = """---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: gatehold-reads-policies-{namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: gatehold-reads-policies}}
subjects: [{{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:authenticated"}}]
"""


def bind_people(cluster: Cluster, namespace: str) -> None:
    """Make the namespace and give everybody their rights in it; their kubeconfigs are `cluster.user(name, *groups)`."""
    cluster.kubectl("create", "namespace", namespace, check=False)
    text = _RIGHTS.format(namespace=namespace) + _READS.format(namespace=namespace)
    for role in ("sre", "finance", "duty"):
        text += _ROLE.format(role=role, namespace=namespace)
        text += _BINDING.format(group=role, role=f"gatehold-{role}", kind="Role", namespace=namespace)
        text += _BINDING.format(group=role, role="gatehold-reviewer", kind="Role", namespace=namespace)
    text += _OVERRIDE.format(namespace=namespace)
    text += _BINDING.format(group="duty", role="gatehold-override", kind="Role", namespace=namespace)
    for group in ("pipelines", "dev"):
        text += _BINDING.format(group=group, role="edit", kind="ClusterRole", namespace=namespace)
    text += _BINDING.format(group="pipelines", role="gatehold-asks", kind="Role", namespace=namespace)
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin=text)
    for name, groups in PEOPLE.items():
        cluster.user(name, *groups)
