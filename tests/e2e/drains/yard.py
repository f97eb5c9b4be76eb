"""The moves of a drain's story: nodes behind a Gate, pods and budgets on them, and waiting for what must come of it."""

import json
from collections.abc import Callable
from typing import Any, Final

from controlplane import Cluster, wait_until
from tests.e2e.rights import until_allowed
from tests.e2e.stage import GROUP, PATIENCE, Body, Stage, connection
from tests.wall.api import Call, path

PLAYED: Final = {"kwok.x-k8s.io/node": "fake"}
POOL: Final = "example.org/pool"
UNSCHEDULABLE: Final = "node.kubernetes.io/unschedulable"
EVERYTHING: Final = [{"operator": "Exists"}]
_DRAINS: Final = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: example-drains}
rules:
- {apiGroups: [""], resources: [nodes], verbs: [get, list, watch, drain]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: example-drains}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: example-drains}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: ci}]
"""


def let_ci_drain(cluster: Cluster) -> None:
    """Who asks for drains holds verb drain on nodes."""
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin=_DRAINS)
    until_allowed(connection(cluster.admin_kubeconfig), "ci", verb="drain", resource="nodes")


class Yard(Stage):
    """One namespace with its people, and nodes that only its pods run on."""

    def clear(self) -> None:
        """Take services and nodes away: the scheduler would try their pods again at whatever happens in later tests."""
        self.cluster.kubectl("-n", self.namespace, "delete", "deployments", "--all", "--wait=false")
        self.cluster.kubectl("delete", "nodes", "-l", f"{POOL}={self.namespace}", "--wait=false")

    # ---- objects

    def drains(self, name: str = "", **spec: Any) -> str:
        """A policy for drains: two of sre, unless it is said otherwise."""
        return self.policy(name, **{"effects": ["Drain", "Release"], **spec})

    def gate(self, policy: str = "", **drains: Any) -> str:
        """A Gate of this namespace's own."""
        name = f"gate-{self.namespace}"
        spec: Body = {"type": "Drains", "policyRef": {"name": policy or self.drains()}}
        spec["drains"] = {"namespace": self.namespace, **drains}
        body = {"apiVersion": GROUP, "kind": "Gate", "metadata": {"name": name}, "spec": spec}
        self.cluster.kubectl("apply", "-f", "-", stdin=json.dumps(body))
        return name

    def node(
        self, name: str = "n", *, gate: str | None = None, played: bool = True, cordoned: bool = False, **labels: str
    ) -> Body:
        """A node of the test's own, NAMESPACE-NAME; one that nobody plays runs nothing and ends nothing."""
        full = f"{self.namespace}-{name}"
        marks = {"kubernetes.io/hostname": full, POOL: self.namespace, **labels}
        marks |= {"gatehold.dev/drain": gate} if gate else {}
        taint = {"key": POOL, "value": self.namespace, "effect": "NoSchedule"}
        room = {"cpu": "32", "memory": "256Gi", "pods": "500"}
        body = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": full, "labels": marks, "annotations": PLAYED if played else {}},
            "spec": {"taints": [taint], **({"unschedulable": True} if cordoned else {})},
            "status": {"capacity": room, "allocatable": room},
        }
        self.api().must(Call(path("v1", "nodes"), body, "post"))
        if played:
            wait_until(lambda: is_ready(self.node_of(name)), f"node {full} is ready", PATIENCE)
        return self.node_of(name)

    def gated(self, *names: str, **gate: Any) -> list[str]:
        """Nodes behind a Gate of this yard; answers their full names."""
        of = self.gate(**gate)
        return [str(self.node(name, gate=of)["metadata"]["name"]) for name in names or ("n",)]

    def service(
        self, name: str = "web", replicas: int = 3, *, node: str = "", running: bool = True, **template: Any
    ) -> None:
        """A Deployment on this yard's nodes, or on one of them, with all its pods running."""
        chosen = {"kubernetes.io/hostname": f"{self.namespace}-{node}"} if node else {POOL: self.namespace}
        spec = {
            "nodeSelector": chosen,
            "tolerations": [{"key": POOL, "operator": "Exists"}],
            "terminationGracePeriodSeconds": 1,
            "containers": [{"name": "main", "image": "example.org/web:1"}],
            **template,
        }
        labels = {"app": name}
        body = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": spec},
            },
        }
        self.apply(body)
        self.until_running(name, replicas)

    def pod(self, name: str, node: str, **more: Any) -> Body:
        """A pod of nobody's on a node; it runs where the node is played."""
        meta = {"name": name, "namespace": self.namespace, **more.pop("metadata", {})}
        spec = {
            "nodeName": f"{self.namespace}-{node}",
            "tolerations": EVERYTHING,
            "containers": [{"name": "main", "image": "example.org/tool:1"}],
            **more,
        }
        return self.api().must(
            Call(self.path("pods"), {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}, "post")
        )

    def budget(self, name: str = "web", *, of: str = "", **spec: Any) -> None:
        """A PodDisruptionBudget for the pods of a service."""
        spec = spec or {"maxUnavailable": 0}
        body = {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {"selector": {"matchLabels": {"app": of or name}}, **spec},
        }
        self.apply(body)
        where = path("policy/v1", "poddisruptionbudgets", self.namespace, name)

        def counts() -> bool:
            healthy = sum(map(runs, self.all("pods", labelSelector=f"app={of or name}")))
            return _counts(self.api().get(where) or {}, healthy)

        wait_until(counts, f"budget {name} counts its pods", PATIENCE)

    def drain(self, *nodes: str, name: str = "drain", user: str = "ci", policy: str = "", **drain: Any) -> Body:
        """Ask for the drain of nodes (full names). Other members of the request's spec come as `spec`."""
        more = drain.pop("spec", {})
        full: Body = {
            "type": "Drain",
            "drain": {**({"nodes": [{"name": node} for node in nodes]} if nodes else {}), **drain},
        }
        question = self.question(name, policy or f"prod-{self.namespace}", effect=full, **more)
        del question["spec"]["subject"]
        return self.create(question, user=user)

    # ---- looking

    def node_of(self, name: str) -> Body:
        """A node of this yard, by its short name."""
        found = self.api().get(path("v1", "nodes", None, f"{self.namespace}-{name}"))
        assert found is not None, f"there is no node {name}"
        return found

    def change_node(self, name: str, change: Body) -> Body:
        """Patch a node as admin."""
        return self.api().must(Call(path("v1", "nodes", None, f"{self.namespace}-{name}"), change))

    def forget_node(self, name: str) -> None:
        """Delete a node."""
        self.api().must(Call(path("v1", "nodes", None, f"{self.namespace}-{name}"), how="delete"))

    def pods_on(self, name: str) -> list[Body]:
        """The pods of a node."""
        return self.all("pods", fieldSelector=f"spec.nodeName={self.namespace}-{name}")

    def lease_of(self, name: str) -> Body | None:
        """The Lease of a node's maintenance."""
        where = path("coordination.k8s.io/v1", "leases", "gatehold-system")
        listed = self.api().must(Call(where, how="get"), labelSelector="gatehold.dev/maintenance=true")["items"]
        full = f"{self.namespace}-{name}"
        return next((body for body in listed if body["metadata"]["annotations"]["gatehold.dev/node"] == full), None)

    # ---- waiting

    def until_running(self, name: str, count: int, seconds: float = PATIENCE) -> None:
        """Wait until so many pods of a service run."""

        def running() -> bool:
            pods = self.all("pods", labelSelector=f"app={name}")
            return sum(runs(pod) for pod in pods) >= count

        wait_until(running, f"{count} pods of {name} run", seconds)

    def until_state(self, node: str, state: str, name: str = "drain", seconds: float = PATIENCE) -> Body:
        """Wait until a node of a drain stands so; answers its row."""
        full = f"{self.namespace}-{node}"
        body = self.until(name, lambda body: row(body, full).get("state") == state, f"{node} is {state}", seconds)
        return row(body, full)

    def until_row(
        self, node: str, holds: Callable[[Body], object], what: str, name: str = "drain", seconds: float = PATIENCE
    ) -> Body:
        """Wait until something holds for the row of a node."""
        full = f"{self.namespace}-{node}"
        body = self.until(name, lambda body: holds(row(body, full)), what, seconds)
        return row(body, full)

    def until_tainted(self, name: str, *, tainted: bool, seconds: float = PATIENCE) -> None:
        """Wait until the node controller's taint follows whether the node is cordoned: it has a queue of its own."""
        what = f"the taint of {name} is {'there' if tainted else 'gone'}"
        wait_until(lambda: (UNSCHEDULABLE in taint_keys(self.node_of(name))) is tainted, what, seconds)

    def until_free(self, name: str, seconds: float = PATIENCE) -> None:
        """Wait until no maintenance holds the node."""
        wait_until(lambda: self.lease_of(name) is None, f"the Lease of {name} is gone", seconds)

    # ---- words

    def yes(self, request: str = "drain", *people: str) -> None:
        """Approve it once people can, as many as it takes."""
        self.until_prepared(request)
        for person in people or ("alice", "bob"):
            self.say(person, request, "approve")


def row(body: Body, node: str) -> Body:
    """What the status says of a node."""
    nodes = body.get("status", {}).get("effect", {}).get("nodes", [])
    return next((dict(entry) for entry in nodes if entry["name"] == node), {})


def is_ready(node: Body) -> bool:
    """Whether the node is Ready, and the control plane has taken note of that."""
    taints = {taint["key"] for taint in node["spec"].get("taints", [])}
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in node.get("status", {}).get("conditions", []))
    return ready and "node.kubernetes.io/not-ready" not in taints


def is_cordoned(node: Body) -> bool:
    """Whether nothing more is scheduled there."""
    return bool(node["spec"].get("unschedulable"))


def taint_keys(node: Body) -> set[str]:
    """The keys of its taints."""
    return {taint["key"] for taint in node["spec"].get("taints", [])}


def marks(node: Body) -> Body:
    """Our annotations of a node."""
    notes = node["metadata"].get("annotations", {})
    return {key: value for key, value in notes.items() if key.startswith("gatehold.dev/")}


def runs(pod: Body) -> bool:
    """Whether it runs, and is not on its way out."""
    conditions = pod.get("status", {}).get("conditions", [])
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def _counts(budget: Body, healthy: int) -> bool:
    """Whether what it says is of this version of it, and of all pods that are there."""
    status = budget.get("status", {})
    seen = bool(budget) and status.get("observedGeneration") == budget["metadata"].get("generation")
    return seen and status.get("currentHealthy") == healthy
