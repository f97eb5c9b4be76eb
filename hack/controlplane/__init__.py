"""A Kubernetes control plane on loopback, for tests and for developers.

etcd, the API server, controller manager, scheduler and kubectl are built from a pinned go.mod, and
kwok plays the nodes and pods. `ControlPlane.start()` gives one in a few seconds, of the Kubernetes
version that GATEHOLD_KUBERNETES names; `provider(...)` gives that or a kind cluster, whichever
GATEHOLD_CLUSTER asks for; `python -m controlplane up` leaves one running for a person.
"""

from controlplane.cluster import Cluster
from controlplane.components import API_ONLY, EVERYTHING, Component
from controlplane.errors import ControlPlaneError, KubectlError
from controlplane.identity import PodIdentity
from controlplane.pins import kubernetes
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
    "kubernetes",
    "provider",
    "wait_until",
]
