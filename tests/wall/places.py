"""Who acts in the rows on Rollouts and gates, and what RBAC gives them; the controllers of the cluster among them."""

from controlplane import Cluster
from tests.wall.api import Api, Call, path
from tests.wall.people import GROUP, RBAC, SHOP, SYSTEM, Body, bind, named, ref, role, subject

GATED, ONLY = "gated", "only"
"""Namespaces behind gate web: its Rollouts are asked about; ONLY takes nothing but Rollouts, too."""
PRICED = "priced"
"""A namespace whose pods wait for gate dear. Of those named as exempt only the account of another namespace counts."""
EXEMPT = "system:serviceaccount:other:launcher, system:serviceaccount:priced:launcher,mallory"
NODERS = ("noah", "nina", "wanda", "smith", "renewer")
PLACES = ("ada", "ben", "odd,*%", "dana", "oona", "dora", "lena", "binder", "nomad", "chief", *NODERS)
"""ada, ben and "odd,*%" edit (so do dana, oona and robot gitops); dana may override gate web, oona the Rollouts of shop.
dora has every right on Deployments and what is like them, and none on Rollouts; lena, besides, verb orphan. binder, nomad
and chief write namespaces and nodes: binder may bind gates web and gpu, nomad another, chief all. noah and nina do all that
Kubernetes lets one do with nodes, and wanda holds verb drain besides. smith writes what leads to the webhook, and so does
renewer, with verb renew on its certificate and its configuration, as cert-manager's accounts have it."""

CONTROLLERS = {
    "collector": "generic-garbage-collector",
    "namespaces": "namespace-controller",
    "deployments": "deployment-controller",
    "replicasets": "replicaset-controller",
    "hpa": "horizontal-pod-autoscaler",
    "nodes": "node-controller",
    "cloud": "cloud-controller-manager",
    "statefulsets": "statefulset-controller",
    "daemons": "daemon-set-controller",
    "jobs": "job-controller",
    "crons": "cronjob-controller",
}
"""Accounts of the controller manager, by the name that the table gives them. `kcm` is all of them, where they have none."""

CONTROLLER = "system:serviceaccount:kube-system:"
LAUNCHERS = {"launcher": "system:serviceaccount:other:launcher", "insider": "system:serviceaccount:priced:launcher"}
"""Accounts named in the annotation of PRICED."""
MANAGERS = (
    "system:kube-controller-manager",
    "system:cloud-controller-manager",
    "system:serviceaccount:kube-system:cloud-controller-manager",
)
BEHIND = {"gatehold.dev/rollouts": "web"}
ALL = ["get", "list", "watch", "create", "patch", "update", "delete", "deletecollection"]
WORKLOADS: list[Body] = [
    {
        "apiGroups": ["apps"],
        "resources": [
            *(f"{kind}{sub}" for kind in ("deployments", "replicasets") for sub in ("", "/scale", "/status")),
            *("controllerrevisions", "statefulsets"),
        ],
        "verbs": ALL,
    },
    {
        "apiGroups": [""],
        "resources": ["services", "services/status", "pods", "pods/binding", "bindings", "configmaps"],
        "verbs": ALL,
    },
]
PODS: list[Body] = [
    {"apiGroups": [""], "resources": [f"pods/{sub}" for sub in ("status", "resize", "ephemeralcontainers")], "verbs": ALL},
    {"apiGroups": [""], "resources": ["replicationcontrollers", "replicationcontrollers/scale"], "verbs": ALL},
    {"apiGroups": ["batch"], "resources": ["jobs", "jobs/status", "cronjobs", "cronjobs/status"], "verbs": ALL},
    {"apiGroups": ["apps"], "resources": ["statefulsets/scale", "daemonsets"], "verbs": ALL},
]
LAUNCHES: Body = {"apiGroups": ["", "batch"], "resources": ["pods", "jobs"], "verbs": ALL}
PODS_WISHED: list[Body] = [*WORKLOADS, *PODS]
"""What a stolen operator's token might wish for behind a gate of pods."""
PLACES_RULE: Body = {
    "apiGroups": [""],
    "resources": ["namespaces", "namespaces/status", "namespaces/finalize", "nodes", "nodes/status"],
    "verbs": ["get", "create", "patch", "update"],
}
NODE_WORK: Body = {
    "apiGroups": [""],
    "resources": ["nodes", "nodes/status"],
    "verbs": ["get", "list", "create", "patch", "update", "delete", "deletecollection"],
}
DRAIN: Body = {"apiGroups": [""], "resources": ["nodes"], "verbs": ["drain"]}
WISHED: Body = {
    "apiGroups": [""],
    "resources": ["nodes", "nodes/status", "namespaces"],
    "verbs": ["create", "patch", "delete"],
}
"""What a stolen operator's token might wish for, and RBAC does not give it."""


WAY: Body = {"apiGroups": [""], "resources": ["secrets", "services", "endpoints"], "verbs": ALL}
SLICES: Body = {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ALL}
LEASES: Body = {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ALL}
RENEW: Body = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["gatehold-webhook-tls"], "verbs": ["renew"]}
HOOKS: Body = {
    "apiGroups": ["admissionregistration.k8s.io"],
    "resources": ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"],
    "verbs": ALL,
}
RENEW_HOOK: Body = {**HOOKS, "resourceNames": ["gatehold-evictions", "gatehold-pods"], "verbs": ["renew"]}
SECRETS: Body = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create", "patch", "delete"]}


def _ours(resource: str, verb: str, *names: str) -> Body:
    """A right on our own kind; without names on all of it."""
    rule: Body = {"apiGroups": ["gatehold.dev"], "resources": [resource], "verbs": [verb]}
    return rule | ({"resourceNames": list(names)} if names else {})


def settle_places(admin: Api) -> None:
    """The places behind a gate, and who works there."""
    for name, kind in (("web", "Rollouts"), ("mine", "Rollouts"), ("gpu", "Drains"), ("dear", "Pods")):
        gate = {**named(GROUP, "Gate", name), "spec": {"type": kind, "policyRef": {"name": "solo"}}}
        admin.must(Call(path(GROUP, "gates"), gate, "post"))
    for name, labels in ((GATED, BEHIND), (ONLY, {**BEHIND, "gatehold.dev/only-rollouts": "true"})):
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
        admin.must(Call(path("v1", "namespaces"), body, "post"))
    meta = {"name": PRICED, "labels": {"gatehold.dev/pods": "dear"}, "annotations": {"gatehold.dev/pods-exempt": EXEMPT}}
    admin.must(Call(path("v1", "namespaces"), {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}, "post"))
    editors = [subject(name) for name in ("ada", "ben", "odd,*%", "dana", "oona", "gitops")]
    editors += [{"kind": "Group", "name": "authors", "apiGroup": RBAC.split("/")[0]}]
    for namespace in (SHOP, GATED, ONLY, PRICED):
        bind(admin, namespace, "edits", ref("ClusterRole", "edit"), editors)
        role(admin, namespace, "deploys", WORKLOADS, ["dora", "lena"], more=[subject("system:kube-controller-manager")])
    controllers = [subject(CONTROLLER + CONTROLLERS[name]) for name in ("replicasets", "statefulsets", "daemons", "jobs")]
    controllers += [{"kind": "Group", "name": "launchers", "apiGroup": RBAC.split("/")[0]}]
    role(admin, PRICED, "works-on-pods", PODS, ["dora", "dana"], more=[subject("system:kube-controller-manager")])
    role(admin, PRICED, "launches", [LAUNCHES], ["mallory", *LAUNCHERS.values()], more=controllers)
    role(admin, PRICED, "wishes", PODS_WISHED, [], operator=True)
    role(admin, SHOP, "works-on-pods", PODS, ["dora"], operator=True)
    role(admin, SHOP, "overrides-rollouts", [_ours("rollouts", "override")], ["oona", "gitops"])
    role(admin, SHOP, "scales-what-is-left", [_ours("rollouts", "orphan")], ["lena"])
    role(admin, SYSTEM, "leads-to-the-webhook", [WAY, SLICES, LEASES], ["smith"])
    role(admin, SYSTEM, "renews", [WAY, RENEW], ["renewer"])
    role(admin, SYSTEM, "wishes", [SECRETS], [], operator=True)
    for name, rule, holder in (
        ("overrides-gate", _ours("gates", "override", "web", "dear"), "dana"),
        ("overrides-dear", _ours("gates", "override", "dear"), "gitops"),
        ("binds-web", _ours("gates", "bind", "web", "gpu", "dear"), "binder"),
        ("binds-mine", _ours("gates", "bind", "mine"), "nomad"),
        ("binds-all", _ours("gates", "bind"), "chief"),
        *((f"places-{who}", PLACES_RULE, who) for who in ("binder", "nomad", "chief")),
        *((f"works-on-nodes-{who}", NODE_WORK, who) for who in ("noah", "nina", "wanda", "node-workers", *MANAGERS)),
        ("drains-wanda", DRAIN, "wanda"),
        *((f"writes-webhooks-{who}", HOOKS, who) for who in ("smith", "renewer")),
        ("renews-webhook", RENEW_HOOK, "renewer"),
        ("wishes", WISHED, "operator"),
    ):
        subjects = [_whose(holder)]
        admin.must(Call(path(RBAC, "clusterroles"), {**named(RBAC, "ClusterRole", name), "rules": [rule]}, "post"))
        binding = {"roleRef": ref("ClusterRole", name), "subjects": subjects}
        admin.must(Call(path(RBAC, "clusterrolebindings"), {**named(RBAC, "ClusterRoleBinding", name), **binding}, "post"))


def _whose(holder: str) -> Body:
    match holder:
        case "operator":
            return {"kind": "ServiceAccount", "name": "gatehold", "namespace": SYSTEM}
        case "node-workers":
            return {"kind": "Group", "name": holder, "apiGroup": RBAC.split("/")[0]}
    return subject(holder)


def connect_places(cluster: Cluster, people: dict[str, Api]) -> None:
    """Add their connections to everybody's."""
    people |= {name: Api.of(cluster.user(name)) for name in PLACES}
    for name, account in CONTROLLERS.items():
        people[name] = Api.of(cluster.user(f"system:serviceaccount:kube-system:{account}"))
    people |= {name: Api.of(cluster.user(account)) for name, account in LAUNCHERS.items()}
    people["scheduler"] = Api.of(cluster.user("system:kube-scheduler"))
    people["kcm"] = Api.of(cluster.user("system:kube-controller-manager"))
    people["ccm"] = Api.of(cluster.user("system:cloud-controller-manager"))
    people["seventeenth"] = people["admin"].impersonating("seventeenth", "authors")
