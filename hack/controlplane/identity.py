"""Tokens as a real pod has them: bound to the pod, minted by the kubelet of its node.

An operator under test runs as a plain program, but the wall asks for the token of a pod, lets only
nodes mint it, and lets only the workload controllers create that pod. So we are, one after the
other, the ReplicaSet controller (creates the pod), the node (mints), and then the operator.
The pod names its node when it is created: a scheduling gate would keep it unbound, and the Node
authorizer gives tokens of a pod to the node it is bound to, to no other. The node is one that kwok
does not play, so nobody starts, changes or ends the pod; it tolerates every taint.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from controlplane.errors import KubectlError
from controlplane.kubeconfig import write_whole
from controlplane.readiness import wait_until

if TYPE_CHECKING:
    from controlplane.cluster import Cluster

NODE: Final = "operator-host"
CONTROLLER: Final = "system:serviceaccount:kube-system:replicaset-controller"
AUTHORIZER_SECONDS: Final = 60
"""The Node authorizer learns of a new pod by watching, so the node may be refused for a moment."""


@dataclass(frozen=True, slots=True)
class PodIdentity:
    """The service account as one of its pods: files a program may use, and how to renew or end them."""

    cluster: "Cluster"
    namespace: str
    service_account: str
    pod: str
    pod_uid: str
    seconds: int
    node: str = NODE
    """Whose kubelet mints: the node that the pod is bound to."""

    @property
    def directory(self) -> Path:
        """Folder with `token`, `ca.crt`, `namespace`, as mounted into a pod, and the kubeconfig."""
        return self.cluster.directory / "pods" / self.pod_uid

    @property
    def kubeconfig(self) -> Path:
        """Kubeconfig that holds the token, and names the token's file."""
        return self.directory / "kubeconfig"

    @property
    def token(self) -> str:
        """The latest token."""
        return (self.directory / "token").read_text()

    def refresh(self) -> None:
        """Mint a new token and replace the files, each in one step; the old token stays valid until it expires."""
        bound = [
            "--bound-object-kind=Pod",
            f"--bound-object-name={self.pod}",
            f"--bound-object-uid={self.pod_uid}",
        ]
        token = self.cluster.kubectl(
            *(
                "create",
                "token",
                self.service_account,
                f"--namespace={self.namespace}",
                f"--duration={self.seconds}s",
            ),
            *bound,
            user=self.cluster.user(f"system:node:{self.node}", "system:nodes"),
        ).stdout.strip()
        write_whole(self.directory / "token", token)
        self.cluster.endpoint.write_for_token(self.kubeconfig, self.pod, token, self.directory / "token")

    def delete(self) -> None:
        """Delete the pod at once: the API server refuses its tokens about 10 s later (it caches them)."""
        self.cluster.kubectl(
            "delete",
            "pod",
            self.pod,
            f"--namespace={self.namespace}",
            "--grace-period=0",
            "--force",
        )


def mint(cluster: "Cluster", namespace: str, service_account: str, *, seconds: int = 3600) -> PodIdentity:
    """Make a pod of the service account and return its identity; namespace and account are made where absent."""
    _make_absent(cluster, "node", NODE, _node())
    _make_absent(cluster, "namespace", namespace, {"apiVersion": "v1", "kind": "Namespace"})
    account = {"apiVersion": "v1", "kind": "ServiceAccount"}
    _make_absent(cluster, "serviceaccount", service_account, account, namespace)
    created = cluster.kubectl(
        *("create", "-o", "json", f"--namespace={namespace}", "-f", "-"),
        user=cluster.user(CONTROLLER),
        stdin=json.dumps(_pod(service_account)),
    )
    return of_pod(cluster, json.loads(created.stdout), seconds=seconds)


def of_pod(cluster: "Cluster", pod: Mapping[str, Any], *, seconds: int = 3600) -> PodIdentity:
    """Return the identity of a pod that is bound to a node, with the files that its kubelet would mount."""
    metadata, spec = pod["metadata"], pod["spec"]
    names = (metadata["namespace"], spec["serviceAccountName"], metadata["name"], metadata["uid"])
    identity = PodIdentity(cluster, *names, seconds, spec["nodeName"])
    identity.directory.mkdir(mode=0o700, parents=True)
    (identity.directory / "ca.crt").write_bytes(cluster.endpoint.authority)
    (identity.directory / "namespace").write_text(identity.namespace)
    wait_until(
        lambda: _minted(identity),
        f"a token for pod {identity.pod}, minted by its node",
        AUTHORIZER_SECONDS,
    )
    return identity


def _minted(identity: PodIdentity) -> bool:
    """Mint, unless the authorizer has not heard of the pod yet; any other refusal is the caller's to see."""
    try:
        identity.refresh()
    except KubectlError as error:
        if "no relationship found" in error.stderr:
            return False
        raise
    return True


def _make_absent(cluster: "Cluster", kind: str, name: str, content: dict[str, Any], namespace: str = "default") -> None:
    """Create the object unless one of that name exists; an existing one is left as it is."""
    where = f"--namespace={namespace}"
    if not cluster.kubectl("get", kind, name, where, "--ignore-not-found", "-o", "name").stdout:
        whole = {**content, "metadata": {**content.get("metadata", {}), "name": name}}
        cluster.kubectl("create", where, "-f", "-", stdin=json.dumps(whole))


def _node() -> dict[str, Any]:
    """A node for operators only: without kwok's annotation, closed to the scheduler and to DaemonSets."""
    taint = {"key": "gatehold.dev/operators-only", "effect": "NoExecute"}
    return {"apiVersion": "v1", "kind": "Node", "spec": {"unschedulable": True, "taints": [taint]}}


def _pod(service_account: str) -> dict[str, Any]:
    """A pod that passes the strictest pod security level and carries the usual token volume."""
    security = {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    spec = {
        "serviceAccountName": service_account,
        "automountServiceAccountToken": True,  # the kubelet may only mint for audiences of a volume of the pod
        "nodeName": NODE,
        "tolerations": [{"operator": "Exists"}],
        "containers": [{"name": "operator", "image": "operator", "securityContext": security}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"generateName": f"{service_account}-"},
        "spec": spec,
    }
