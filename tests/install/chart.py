"""The real Helm on the local control plane."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

from controlplane import Cluster
from controlplane.tools import tool
from playground.install import can_stamp, wait_in_force, wait_stamping

ROOT: Final = Path(__file__).resolve().parents[2]
CHART: Final = ROOT / "charts" / "gatehold"
NAMESPACE: Final = "gatehold-system"
RELEASE: Final = "gatehold"
PATIENT: Final = ",".join(
    f"settings.{key}={value}"
    for key, value in {
        "leaseSeconds": 300,
        "leaseRenewSeconds": 240,
        "requestTimeoutSeconds": 30,
        "watchdogSeconds": 240,
        "retentionSweepSeconds": 1,
    }.items()
)
"""Values for a slow machine: no kubelet is here to start an operator again that a pause of the machine has ended."""


def helm(cluster: Cluster, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    """Run Helm as admin in the operator's namespace; an error shows what it said."""
    argv = [str(tool("helm")), "--namespace", NAMESPACE, *arguments]
    environment = {**cluster.environment(), "TMPDIR": os.environ.get("TMPDIR", "/tmp")}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert not check or done.returncode == 0, f"helm {' '.join(arguments)}\n{done.stdout}{done.stderr}"
    return done


def install(cluster: Cluster, *arguments: str, chart: Path = CHART) -> str:
    """`helm install`, as its NOTES and the README say it; answers the NOTES."""
    return helm(cluster, "install", RELEASE, str(chart), "--create-namespace", *arguments).stdout


def wait_for_the_wall(cluster: Cluster) -> None:
    """Wait until the API server goes by what was installed: of policies, and of new kinds, it learns some seconds later."""
    wait_in_force(cluster)
    if can_stamp(cluster):
        wait_stamping(cluster)


def upgrade(cluster: Cluster, *arguments: str, chart: Path = CHART) -> str:
    """`helm upgrade`; Helm does not touch CRDs."""
    return helm(cluster, "upgrade", RELEASE, str(chart), *arguments).stdout


def uninstall(cluster: Cluster) -> str:
    """`helm uninstall`."""
    return helm(cluster, "uninstall", RELEASE).stdout


def with_version(folder: Path, version: str) -> Path:
    """A copy of the chart that says it is of another version."""
    copy = folder / "gatehold"
    shutil.copytree(CHART, copy)
    text = (copy / "Chart.yaml").read_text().splitlines()
    changed = [_versioned(line, version) for line in text]
    (copy / "Chart.yaml").write_text("\n".join(changed) + "\n")
    return copy


def manifests(cluster: Cluster) -> list[dict[str, Any]]:
    """What the release consists of, as the API server has it."""
    listed = helm(cluster, "get", "manifest", RELEASE).stdout
    found = cluster.kubectl("get", "-o", "json", "-f", "-", stdin=listed).stdout
    return list(json.loads(found)["items"])


def _versioned(line: str, version: str) -> str:
    key = line.partition(":")[0]
    return f'{key}: "{version}"' if key in ("version", "appVersion") else line
