"""A life of one drain, told as `tests.faults.story` tells those of requests about Jobs: same steps, same deaths, same end.

The request bears the name of the life, its nodes are LIFE-a and LIFE-b, with one pod each, LIFE-a-pod and LIFE-b-pod, and
the table calls the Leases of their maintenance `lease-a` and `lease-b`. Nobody plays the nodes, so a pod ends when the story
says so; and what the node controller thinks of such nodes (its taints) is no part of any story.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final

from tests.e2e.stage import Body, Stage
from tests.faults.operator import Written
from tests.faults.snapshot import Mask, ours, request_told
from tests.faults.story import Life, Story
from tests.wall.api import Call, path

NODES: Final = ("a", "b")
_LEASE: Final = "gatehold-node-{}-{}-????????"
UNSCHEDULABLE: Final = "node.kubernetes.io/unschedulable"
_CONTROLLERS: Final = "node.kubernetes.io/"


@dataclass(frozen=True, slots=True)
class Left:
    """How a node is left in the end."""

    cordoned: bool
    leased: bool = False
    """Its maintenance goes on, under this request."""
    pods: int = 0


@dataclass(frozen=True, slots=True)
class DrainStory(Story):
    """One row of the table."""

    nodes: Mapping[str, Left] = field(default_factory=dict)

    def new_life(self, stage: Stage, name: str) -> "DrainLife":
        """One that has not begun."""
        return DrainLife(self, stage, name)


@dataclass
class DrainLife(Life):
    """One telling."""

    story: DrainStory

    # ---- what the operator writes

    def object(self, about: str) -> str:
        """The name of one of its objects, or a pattern of it."""
        kind, _, node = about.partition("-")
        return _LEASE.format(self.name, node) if kind == "lease" else super().object(about)

    def about(self, write: Written) -> str:
        """Whose write it is."""
        leases = (f"lease-{node}" for node in NODES)
        return next((name for name in leases if fnmatchcase(write.name, self.object(name))), "") or super().about(write)

    # ---- what people see

    def node(self, key: str) -> Body:
        """One of its nodes."""
        return self.stage.api().get(path("v1", "nodes", None, f"{self.name}-{key}")) or {}

    def state(self, key: str) -> str:
        """How the status says that a node stands."""
        rows = self.status().get("effect", {}).get("nodes", [])
        return next((str(row["state"]) for row in rows if row["name"] == f"{self.name}-{key}"), "")

    def pods(self, key: str) -> list[Body]:
        """The pods of a node that are there now."""
        return self.stage.all("pods", fieldSelector=f"spec.nodeName={self.name}-{key}")

    def lease(self, key: str) -> Body:
        """The Lease of a node's maintenance; empty where there is none."""
        where = path("coordination.k8s.io/v1", "leases", "gatehold-system")
        found = self.stage.api().must(Call(where, how="get"), labelSelector="gatehold.dev/maintenance=true")["items"]
        return next((body for body in found if fnmatchcase(body["metadata"]["name"], self.object(f"lease-{key}"))), {})

    # ---- the end

    def snapshot(self) -> dict[str, Any]:
        """The end as everybody sees it, masked."""
        told = request_told(self.stage.get("apr", self.name))
        for row in told["status"].get("effect", {}).get("nodes", []):
            row["taints"] = [taint for taint in row.get("taints", []) if not taint.startswith(_CONTROLLERS)]
        whole = {
            "request": told,
            "nodes": {key: node_told(self.node(key)) for key in self.story.nodes},
            "leases": {key: self.lease(key).get("spec") for key in self.story.nodes},
            "events": sorted({f"{event['reason']}: {event['note']}" for event in self.events()}),
        }
        masked: dict[str, Any] = Mask({self.name: "LIFE", self.stage.namespace: "NAMESPACE"}).of(whole)
        return masked

    def wrongs(self) -> list[str]:
        """Whatever did not happen exactly once."""
        return super().wrongs() + [wrong for key, left in self.story.nodes.items() for wrong in self._node_wrongs(key, left)]

    def _node_wrongs(self, key: str, left: Left) -> list[str]:
        node, lease, uid = self.node(key), self.lease(key), self.seen["metadata"]["uid"]
        told, pods = node_told(node), len(self.pods(key))
        cordoned = told["unschedulable"]
        by, holder = ours(node["metadata"].get("annotations")).get("gatehold.dev/released-by"), lease.get("spec", {})
        wanted = uid if left.leased else None
        found = [f"node {key} is cordoned: {cordoned}"] * (cordoned != left.cordoned)
        found += [f"the node controller has not seen how {key} stands"] * (told["tainted"] != cordoned)
        found += [f"node {key} bears the mark of {by}, not {wanted}"] * (by != wanted)
        found += [f"the Lease of {key} is held by {holder}, not {wanted}"] * (holder.get("holderIdentity") != wanted)
        return found + [f"{pods} pods are left on {key}, not {left.pods}"] * (pods != left.pods)

    def forget(self) -> None:
        """Take its nodes and pods away."""
        for key in self.story.nodes:
            for pod in self.pods(key):
                self.stage.api().send(Call(self.pod_path(pod), {"gracePeriodSeconds": 0}, "delete"))
            self.stage.api().send(Call(path("v1", "nodes", None, f"{self.name}-{key}"), how="delete"))


def node_told(node: Body) -> Body:
    """A node in the end: our marks, and whether anything is scheduled there."""
    meta, spec = node["metadata"], node["spec"]
    return {
        "labels": ours(meta.get("labels")),
        "annotations": ours(meta.get("annotations")),
        "unschedulable": spec.get("unschedulable", False),
        "tainted": any(taint["key"] == UNSCHEDULABLE for taint in spec.get("taints", [])),
    }
