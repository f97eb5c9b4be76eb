"""Nodes, pods, budgets and Leases as the API server gives them, with what a test is about by name."""

from typing import Any

Body = dict[str, Any]


def node(labels: Body | None = None, annotations: Body | None = None, **spec: Any) -> Body:
    """Node n1."""
    metadata = {"name": "n1", "uid": "node-uid", "resourceVersion": "7", "labels": labels, "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": spec, "status": {"phase": "ignored"}}


def owner(kind: str = "ReplicaSet", name: str = "web-5d9f", **changes: Any) -> Body:
    """A controlling owner."""
    return {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "o", "controller": True} | changes


def pod(name: str = "web-1", owners: list[Body] | None = None, phase: str = "Running", **changes: Any) -> Body:
    """A pod of Deployment web on node n1, with other metadata."""
    metadata = {
        "name": name,
        "namespace": "shop",
        "uid": f"{name}-uid",
        "labels": {"app": "web", "pod-template-hash": "5d9f"},
        "ownerReferences": [owner()] if owners is None else owners,
    }
    volumes = [{"name": "token", "projected": {"sources": []}}, {"name": "c", "configMap": {"name": "c"}}]
    spec = {"nodeName": "n1", "containers": [{"name": "web"}], "volumes": volumes}
    return {"metadata": metadata | changes, "spec": spec, "status": {"phase": phase}}


def budget(name: str = "web", namespace: str = "shop", selector: Body | None = None, **status: Any) -> Body:
    """A budget over the pods of web."""
    spec = {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}} if selector is None else selector}
    return {"metadata": {"name": name, "namespace": namespace}, "spec": spec, "status": status}
