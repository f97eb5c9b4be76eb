"""Fake nodes: ordinary Node objects, kept Ready by kwok."""

import json
from typing import TYPE_CHECKING, Any, Final

from controlplane.components import FAKE_NODE

if TYPE_CHECKING:
    from controlplane.cluster import Cluster

READY_SECONDS: Final = 120
CAPACITY: Final = {"cpu": "32", "memory": "256Gi", "ephemeral-storage": "1Ti", "pods": "500"}


def add(cluster: "Cluster", count: int) -> list[str]:
    """Create the next `count` nodes (n0, n1, ...) and return their names when they are Ready."""
    if not count:
        return []
    known = json.loads(cluster.kubectl("get", "nodes", "-o", "json").stdout)["items"]
    names = {node["metadata"]["name"] for node in known}
    fresh = [name for number in range(len(names) + count) if (name := f"n{number}") not in names][:count]
    content = {"apiVersion": "v1", "kind": "List", "items": [_node(name) for name in fresh]}
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(content))
    paths = [f"node/{name}" for name in fresh]
    cluster.kubectl(
        "wait",
        "--for=condition=Ready",
        f"--timeout={READY_SECONDS}s",
        *paths,
        timeout=READY_SECONDS + 10,
    )
    return fresh


def _node(name: str) -> dict[str, Any]:
    key, value = FAKE_NODE.split("=")
    labels = {
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels, "annotations": {key: value}},
        "status": {"capacity": CAPACITY, "allocatable": CAPACITY},
    }
