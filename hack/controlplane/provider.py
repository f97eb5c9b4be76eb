"""Where the cluster of a test run comes from: our own control plane, or kind where Docker is."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from controlplane.cluster import Cluster
from controlplane.errors import ProviderError
from controlplane.kind import KindCluster
from controlplane.plane import ControlPlane

VARIABLE: Final = "GATEHOLD_CLUSTER"


class Provider(Protocol):
    """Makes clusters that differ in nothing the common `Cluster` interface shows."""

    def cluster(self) -> Cluster:
        """Return a running cluster; stop it with its `stop()` or by using it in a `with` statement."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """Our own control plane. Only here can components be killed, frozen and restarted."""

    nodes: int = 3

    def cluster(self) -> ControlPlane:
        """Start a whole control plane."""
        return ControlPlane.start(nodes=self.nodes)


@dataclass(frozen=True, slots=True)
class Kind:
    """The session cluster of the pytest-kind plugin, with fake nodes beside its real one."""

    getfixturevalue: Callable[[str], Any]
    nodes: int = 3

    def cluster(self) -> KindCluster:
        """Ask the plugin for its cluster, but only where Docker answers: it knows errors only, no better words."""
        docker = shutil.which("docker")
        if not docker or subprocess.run([docker, "info"], capture_output=True, check=False).returncode:
            raise ProviderError(f"{VARIABLE}=kind needs a running Docker.\nNext: start Docker, or unset {VARIABLE}.")
        return KindCluster.connect(self.getfixturevalue("kind_cluster").kubeconfig_path, nodes=self.nodes)


def provider(getfixturevalue: Callable[[str], Any], *, nodes: int = 3) -> Provider:
    """Return the provider that GATEHOLD_CLUSTER names; pass `request.getfixturevalue` of a session fixture."""
    match os.environ.get(VARIABLE, "embedded"):
        case "embedded":
            return Embedded(nodes)
        case "kind":
            return Kind(getfixturevalue, nodes)
        case other:
            raise ProviderError(f"{VARIABLE}={other} is unknown.\nNext: set it to embedded or kind.")
