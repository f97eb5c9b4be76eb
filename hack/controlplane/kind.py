"""A cluster that somebody else made (kind): people through certificate requests, fake nodes through our kwok."""

import base64
import json
from pathlib import Path
from typing import Any, Final, Self

from controlplane import build
from controlplane.certificates import Pair, signing_request
from controlplane.children import Children
from controlplane.cluster import ADMIN, Cluster
from controlplane.components import Component, kwok_arguments
from controlplane.kubeconfig import Endpoint, write_whole
from controlplane.workspace import claim

NODE_USER: Final = "system:node:"
REAL_NODE: Final = "gatehold.dev/real-node:NoSchedule"
"""Taint that keeps the pods of tests on fake nodes, where nothing is pulled and faults can be ordered by label."""


class KindCluster(Cluster):
    """An existing cluster, given back as it was found. Nobody here can be made a member of system:masters."""

    def __init__(self, directory: Path, kubeconfig: Path, kubectl: Path, children: Children) -> None:
        """Adopt the admin of `kubeconfig`. Callers use `connect`."""
        super().__init__(directory, Endpoint.of(kubeconfig), kubectl, children)
        own = directory / "users" / "admin.kubeconfig"
        write_whole(own, kubeconfig.read_text())
        self._users[ADMIN] = own
        self._holders[ADMIN] = (ADMIN, ())
        self._added: list[str] = []

    @classmethod
    def connect(cls, kubeconfig: Path, *, nodes: int = 3) -> Self:
        """Return the cluster behind an admin's kubeconfig, with this many fake nodes Ready."""
        programs = build.programs()
        workspace = claim()
        children = Children(workspace)
        try:
            cluster = cls(workspace.path, kubeconfig, programs["kubectl"], children)
            cluster.kubectl("taint", "nodes", "--all", "--overwrite", REAL_NODE)
            children.start(Component.KWOK, [str(programs["kwok"]), *kwok_arguments(cluster.admin_kubeconfig)])
            cluster._added = cluster.add_fake_nodes(nodes)
        except BaseException:
            children.close()
            raise
        return cluster

    def stop(self) -> None:
        """Take the fake nodes and the taint away again, then end what runs here."""
        added, self._added = self._added, []
        if added:
            self.kubectl("delete", "nodes", *added, check=False)
            self.kubectl("taint", "nodes", "--all", f"{REAL_NODE}-", check=False)
        super().stop()

    def _issue(self, name: str, groups: tuple[str, ...]) -> Pair:
        """Ask for a certificate, approve it as admin, fetch it: the same for people and for nodes."""
        request, key = signing_request(name, groups)
        created = self.kubectl("create", "-o", "json", "-f", "-", stdin=json.dumps(_request(name, request)))
        object_name = json.loads(created.stdout)["metadata"]["name"]
        self.kubectl("certificate", "approve", object_name)
        self.kubectl("wait", f"csr/{object_name}", "--for=jsonpath={.status.certificate}", "--timeout=120s", timeout=130)
        signed = self.kubectl("get", "csr", object_name, "-o", "jsonpath={.status.certificate}").stdout
        return Pair(base64.b64decode(signed), key)


def _request(name: str, pem: bytes) -> dict[str, Any]:
    kubelet = "-kubelet" if name.startswith(NODE_USER) else ""
    return {
        "apiVersion": "certificates.k8s.io/v1",
        "kind": "CertificateSigningRequest",
        "metadata": {"generateName": "gatehold-"},
        "spec": {
            "request": base64.b64encode(pem).decode(),
            "signerName": f"kubernetes.io/kube-apiserver-client{kubelet}",
            "usages": ["digital signature", "client auth"],
        },
    }
