"""Names of the kinds that Gatehold reads or writes, and their paths; pure, anybody may use it."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote


class Resource(NamedTuple):
    """One kind as the API server addresses it; build your own for kinds that have no constant here."""

    group: str
    version: str
    plural: str
    namespaced: bool
    kind: str = ""
    part: str = ""
    """Which objects of the kind, where it is watched in two parts; no part of its address."""

    @property
    def api_version(self) -> str:
        """`batch/v1`, or `v1` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str | None = None, name: str | None = None, subresource: str | None = None) -> str:
        """URL path of the collection or of one object; a namespace of None or "" means all namespaces."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        parts = [root]
        if self.namespaced and namespace:
            parts.append(f"namespaces/{quote(namespace, safe='')}")
        parts.append(self.plural)
        parts.extend(quote(part, safe="") for part in (name, subresource) if part)
        return "/".join(parts)


REQUESTS = Resource("gatehold.dev", "v1alpha1", "approvalrequests", True, "ApprovalRequest")
POLICIES = Resource("gatehold.dev", "v1alpha1", "approvalpolicies", False, "ApprovalPolicy")
ROLLOUTS = Resource("gatehold.dev", "v1alpha1", "rollouts", True, "Rollout")
GATES = Resource("gatehold.dev", "v1alpha1", "gates", False, "Gate")
ARGO_ROLLOUTS = Resource("argoproj.io", "v1alpha1", "rollouts", True, "Rollout")
DEPLOYMENTS = Resource("apps", "v1", "deployments", True, "Deployment")
REPLICA_SETS = Resource("apps", "v1", "replicasets", True, "ReplicaSet")
STATEFUL_SETS = Resource("apps", "v1", "statefulsets", True, "StatefulSet")
REVISIONS = Resource("apps", "v1", "controllerrevisions", True, "ControllerRevision")
JOBS = Resource("batch", "v1", "jobs", True, "Job")
GATED_JOBS = JOBS._replace(part="behind a Gate of type Pods")
CRON_JOBS = Resource("batch", "v1", "cronjobs", True, "CronJob")
REPLICATION_CONTROLLERS = Resource("", "v1", "replicationcontrollers", True, "ReplicationController")
PODS = Resource("", "v1", "pods", True, "Pod")
RESOURCE_QUOTAS = Resource("", "v1", "resourcequotas", True, "ResourceQuota")
CONFIG_MAPS = Resource("", "v1", "configmaps", True, "ConfigMap")
NODES = Resource("", "v1", "nodes", False, "Node")
NAMESPACES = Resource("", "v1", "namespaces", False, "Namespace")
POD_NAMESPACES = NAMESPACES._replace(part="behind a Gate of type Pods")
ARGO_NAMESPACES = NAMESPACES._replace(part="behind a Gate of type ArgoRollouts")
SECRETS = Resource("", "v1", "secrets", True, "Secret")
SERVICE_ACCOUNTS = Resource("", "v1", "serviceaccounts", True, "ServiceAccount")
LEASES = Resource("coordination.k8s.io", "v1", "leases", True, "Lease")
BUDGETS = Resource("policy", "v1", "poddisruptionbudgets", True, "PodDisruptionBudget")
EVENTS = Resource("events.k8s.io", "v1", "events", True, "Event")
VAP = Resource("admissionregistration.k8s.io", "v1", "validatingadmissionpolicies", False, "ValidatingAdmissionPolicy")
VAP_BINDINGS = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "validatingadmissionpolicybindings",
    False,
    "ValidatingAdmissionPolicyBinding",
)
MAP = Resource("admissionregistration.k8s.io", "v1", "mutatingadmissionpolicies", False, "MutatingAdmissionPolicy")
MAP_BINDINGS = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "mutatingadmissionpolicybindings",
    False,
    "MutatingAdmissionPolicyBinding",
)
WEBHOOKS = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "validatingwebhookconfigurations",
    False,
    "ValidatingWebhookConfiguration",
)
STAMPING_WEBHOOKS = Resource(
    "admissionregistration.k8s.io",
    "v1",
    "mutatingwebhookconfigurations",
    False,
    "MutatingWebhookConfiguration",
)
CRDS = Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", False, "CustomResourceDefinition")
ROLES = Resource("rbac.authorization.k8s.io", "v1", "roles", True, "Role")
ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", True, "RoleBinding")
CLUSTER_ROLES = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", False, "ClusterRole")
CLUSTER_ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "clusterrolebindings", False, "ClusterRoleBinding")
