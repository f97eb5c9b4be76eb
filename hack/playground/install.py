"""Applies CRDs and the wall, and waits until they are in force. The same files a user applies."""

import json
from pathlib import Path
from typing import Final

from controlplane import Cluster, wait_until

ROOT: Final = Path(__file__).resolve().parents[2]
CRDS: Final = ROOT / "crds"
WALL: Final = ROOT / "manifests" / "wall"
STAMPS: Final = "2"
"""How the names of the files begin whose kinds came with 1.36."""


def install(cluster: Cluster, *, stamping: bool | None = None) -> None:
    """Install Gatehold's API and wall; `stamping` as the API server has it (from 1.36 on), unless it is said."""
    stamping = can_stamp(cluster) if stamping is None else stamping
    install_kinds(cluster)
    files = [path for path in sorted(WALL.glob("*.yaml")) if stamping or not path.name.startswith(STAMPS)]
    for path in files:  # in order: what a later file names stands in an earlier one
        cluster.kubectl("apply", "--server-side", "-f", str(path))
    if stamping:
        wait_until(lambda: _stamps(cluster), "the API server stamps requests", 30)


def can_stamp(cluster: Cluster) -> bool:
    """Whether this API server serves mutating policies, by which one word becomes a verdict."""
    found = cluster.kubectl("get", "--raw", "/apis/admissionregistration.k8s.io/v1").stdout
    return any(kind["name"] == "mutatingadmissionpolicies" for kind in json.loads(found)["resources"])


def install_kinds(cluster: Cluster, seconds: float = 60) -> None:
    """Install the CRDs and wait until they are served. `kubectl wait` fails on one so new that it has no conditions yet."""
    cluster.kubectl("apply", "--server-side", "-f", str(CRDS))
    names = [f"crd/{path.stem}.gatehold.dev" for path in sorted(CRDS.glob("*.yaml"))]
    shown = "jsonpath={.status.conditions[?(@.type=='Established')].status}"

    def served() -> bool:
        return all(cluster.kubectl("get", name, "-o", shown).stdout == "True" for name in names)

    wait_until(served, f"{', '.join(names)} are served", seconds)


def wait_enforced(cluster: Cluster, seconds: float = 40) -> None:
    """Wait until the operator has proven the wall."""
    wait_until(lambda: _enforced(cluster) == "True", "condition Enforced=True on policy gatehold-probe", seconds)


def _stamps(cluster: Cluster) -> bool:
    """Whether a request without a requester gets one: a mutating policy learns of a new kind up to 5 s late (measured)."""
    spec = {"policyRef": {"name": "any"}, "subject": {"kind": "Any", "name": "any"}}
    body = {"apiVersion": "gatehold.dev/v1alpha1", "kind": "ApprovalRequest", "metadata": {"name": "any"}, "spec": spec}
    tried = cluster.kubectl("create", "--dry-run=server", "-f", "-", stdin=json.dumps(body), check=False)
    return tried.returncode == 0


def _enforced(cluster: Cluster) -> str:
    done = cluster.kubectl("get", "approvalpolicy", "gatehold-probe", "-o", "json", check=False)
    if done.returncode:
        return ""
    conditions = json.loads(done.stdout).get("status", {}).get("conditions", [])
    return next((str(c["status"]) for c in conditions if c["type"] == "Enforced"), "")
