"""Applies CRDs and the wall, and waits until they are in force. The same files a user applies."""

import json
import secrets
from pathlib import Path
from typing import Final

from controlplane import Cluster, wait_until

ROOT: Final = Path(__file__).resolve().parents[2]
CRDS: Final = ROOT / "crds"
WALL: Final = ROOT / "manifests" / "wall"
STAMPS: Final = "2"
"""How the names of the files begin whose kinds came with 1.36."""
LAST: Final = "last-policy"
"""How the name of a policy begins that comes after all others, and goes again."""


def install(cluster: Cluster, *, stamping: bool | None = None, asked: bool = True) -> None:
    """Install Gatehold's API and wall; `stamping` as the API server has it (from 1.36 on), unless it is said.

    `asked`: whether that API server asks validating policies at all. Where it does not, nothing comes into force.
    """
    stamping = can_stamp(cluster) if stamping is None else stamping
    install_kinds(cluster)
    files = [path for path in sorted(WALL.glob("*.yaml")) if stamping or not path.name.startswith(STAMPS)]
    for path in files:  # in order: what a later file names stands in an earlier one
        cluster.kubectl("apply", "--server-side", "-f", str(path))
    if asked:
        wait_in_force(cluster)
    if stamping:
        wait_stamping(cluster)


def can_stamp(cluster: Cluster) -> bool:
    """Whether this API server serves mutating policies, by which one word becomes a verdict."""
    found = cluster.kubectl("get", "--raw", "/apis/admissionregistration.k8s.io/v1").stdout
    return any(kind["name"] == "mutatingadmissionpolicies" for kind in json.loads(found)["resources"])


def install_kinds(cluster: Cluster, seconds: float = 120) -> None:
    """Install the CRDs and wait until kubectl finds them: they are established before clients are told of them."""
    cluster.kubectl("apply", "--server-side", "-f", str(CRDS))
    names = ",".join(f"{path.stem}.gatehold.dev" for path in sorted(CRDS.glob("*.yaml")))

    def served() -> bool:
        return cluster.kubectl("get", names, "--all-namespaces", check=False).returncode == 0

    wait_until(served, f"{names} are served", seconds)


def wait_in_force(cluster: Cluster, seconds: float = 120) -> None:
    """Wait until every policy that is there is in force: each second the API server takes up all that it knows of.

    Each call has a name of its own: the policy of the call before is in force until it is taken up that it is gone.
    """
    last = f"{LAST}-{secrets.token_hex(4)}"
    resources = {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"], "resourceNames": [last]}
    matched = {"resourceRules": [{**resources, "operations": ["CREATE"]}]}
    policy = {"matchConstraints": matched, "validations": [{"expression": "false", "message": "the last one is in force"}]}
    binding = {"policyName": last, "validationActions": ["Deny"]}
    bodies = [
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": last}, "spec": spec}
        for kind, spec in (("ValidatingAdmissionPolicy", policy), ("ValidatingAdmissionPolicyBinding", binding))
    ]
    wire = json.dumps({"apiVersion": "v1", "kind": "List", "items": bodies})
    tried = ("create", "configmap", last, "--dry-run=server")

    def refused() -> bool:
        return "the last one is in force" in cluster.kubectl(*tried, check=False).stderr

    cluster.kubectl("create", "-f", "-", stdin=wire)
    wait_until(refused, "the policies in force", seconds)
    cluster.kubectl("delete", "-f", "-", stdin=wire)


def wait_stamping(cluster: Cluster, seconds: float = 120) -> None:
    """Wait until the API server writes into a request who asks."""
    wait_until(lambda: _stamps(cluster), "the API server stamps requests", seconds)


def wait_enforced(cluster: Cluster, seconds: float = 120) -> None:
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
