"""A Kubernetes control plane on loopback, for tests and for developers.

etcd, the API server, controller manager, scheduler and kubectl are built from the pinned go.mod
beside this file, and kwok plays the nodes and pods. `ControlPlane.start()` gives one in a few
seconds; `provider(...)` gives that or a kind cluster, whichever GATEHOLD_CLUSTER asks for; `python -m
controlplane up` leaves one running for a person.
"""

from controlplane.cluster import Cluster
from controlplane.components import API_ONLY, EVERYTHING, Component
from controlplane.errors import ControlPlaneError, KubectlError
from controlplane.identity import PodIdentity
from controlplane.plane import ControlPlane
from controlplane.provider import Provider, provider
from controlplane.readiness import wait_until

__all__ = [
    "API_ONLY",
    "EVERYTHING",
    "Cluster",
    "Component",
    "ControlPlane",
    "ControlPlaneError",
    "KubectlError",
    "PodIdentity",
    "Provider",
    "provider",
    "wait_until",
]
