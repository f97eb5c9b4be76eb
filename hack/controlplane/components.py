"""The components of a control plane and their command lines: everything we ask of upstream programs is here."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from controlplane.certificates import Authority, write_signing_keys

STAGES: Final = Path(__file__).resolve().with_name("stages.yaml")
FAKE_NODE: Final = "kwok.x-k8s.io/node=fake"
"""kwok plays the nodes with this annotation, and leaves all others and their pods alone."""
SPARING: Final = "GOGC=400"
"""Memory for time: a fifth of an API server's processor time in the tests was its garbage collector's."""
_LET_NODES_BE: Final = ("--node-startup-grace-period=24h", "--node-monitor-grace-period=24h")
"""A node that nobody plays stays as it was made, and one that kwok plays late stays Ready.

Otherwise the node controller calls it Unknown after a minute, taints it, and marks its pods as not ready: once each, when it
comes to them, which may be after somebody has said that they run (`processPod` in pkg/controller/nodelifecycle)."""


class Component(StrEnum):
    """A program of the control plane; the value is the program's name."""

    ETCD = "etcd"
    API_SERVER = "kube-apiserver"
    CONTROLLERS = "kube-controller-manager"
    SCHEDULER = "kube-scheduler"
    KWOK = "kwok"


API_ONLY: Final = frozenset({Component.ETCD, Component.API_SERVER})
"""Objects are stored, admitted and watched; nothing acts on them: no default service accounts, no Job runs."""

EVERYTHING: Final = frozenset(Component)
"""A whole cluster, except that kwok plays nodes and containers."""


class Ports(NamedTuple):
    """Loopback ports, fixed for the life of the control plane so that a restarted component is found again."""

    etcd: int
    peer: int
    api: int
    controllers: int
    scheduler: int


@dataclass(frozen=True, slots=True)
class Installation:
    """Where things lie: what the command lines refer to."""

    directory: Path
    programs: Mapping[str, Path]
    ports: Ports
    apiserver_args: Sequence[str] = ()
    audit: bool = False
    """Whether the API server writes down who asked for what."""

    @property
    def audit_log(self) -> Path:
        """Audit events, a JSON object a line, without bodies; there only where `audit` says so."""
        return self.directory / "audit.log"

    @property
    def pki(self) -> Path:
        """Folder of certificates and keys."""
        return self.directory / "pki"

    @property
    def server(self) -> str:
        """URL of the API server."""
        return f"https://127.0.0.1:{self.ports.api}"

    def kubeconfig(self, user: str) -> Path:
        """Path of the kubeconfig of a component."""
        return self.directory / f"{user}.kubeconfig"


def write_certificates(installation: Installation, clients: Authority) -> None:
    """Lay out all files the command lines name; etcd trusts an authority of its own, so that no user reaches it."""
    pki, store = installation.pki, Authority("gatehold-etcd")
    pki.mkdir(mode=0o700)
    clients.pair.write(pki / "ca")
    store.pair.write(pki / "etcd-ca")
    store.server("etcd").write(pki / "etcd")
    store.client("kube-apiserver").write(pki / "etcd-client")
    inside = ("kubernetes", "kubernetes.default", "kubernetes.default.svc")
    for name, hosts in (("apiserver", inside), ("controllers", ()), ("scheduler", ())):
        clients.server(name, *hosts).write(pki / name)
    write_signing_keys(pki / "service-accounts")


def command(component: Component, installation: Installation) -> list[str]:
    """Return the whole command line of a component."""
    arguments = {
        Component.ETCD: _etcd,
        Component.API_SERVER: _api_server,
        Component.CONTROLLERS: _controllers,
        Component.SCHEDULER: _scheduler,
        Component.KWOK: _kwok,
    }[component](installation)
    return ["/usr/bin/env", SPARING, str(installation.programs[component]), *arguments]


def _etcd(at: Installation) -> list[str]:
    client, peer = (f"https://127.0.0.1:{port}" for port in (at.ports.etcd, at.ports.peer))
    files = {"cert-file": "etcd.crt", "key-file": "etcd.key", "trusted-ca-file": "etcd-ca.crt"}
    return [
        f"--data-dir={at.directory / 'etcd'}",
        "--unsafe-no-fsync",  # the data need not outlive the machine, only the process
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        "--client-cert-auth",
        "--peer-client-cert-auth",
        "--log-level=warn",
        *(f"--{prefix}{flag}={at.pki / name}" for prefix in ("", "peer-") for flag, name in files.items()),
    ]


def _api_server(at: Installation) -> list[str]:
    pki = at.pki
    return [
        f"--etcd-servers=https://127.0.0.1:{at.ports.etcd}",
        f"--etcd-cafile={pki / 'etcd-ca.crt'}",
        f"--etcd-certfile={pki / 'etcd-client.crt'}",
        f"--etcd-keyfile={pki / 'etcd-client.key'}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",  # needed where the machine has no default route
        "--endpoint-reconciler-type=none",
        f"--secure-port={at.ports.api}",
        f"--tls-cert-file={pki / 'apiserver.crt'}",
        f"--tls-private-key-file={pki / 'apiserver.key'}",
        f"--client-ca-file={pki / 'ca.crt'}",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={pki / 'service-accounts.pub'}",
        f"--service-account-signing-key-file={pki / 'service-accounts.key'}",
        "--service-cluster-ip-range=10.96.0.0/16",
        *(_audit(at) if at.audit else ()),
        *at.apiserver_args,
    ]


def _audit(at: Installation) -> list[str]:
    """Every answered request once, by whom and with which right; no bodies, which may hold tokens."""
    policy = at.directory / "audit-policy.json"
    content = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [{"level": "Metadata"}],
    }
    policy.write_text(json.dumps(content))
    written = [f"--audit-log-path={at.audit_log}", "--audit-log-mode=blocking"]
    whole = "--audit-log-maxsize=10000"  # at 100 MB, which is the default, another file would be begun
    return [f"--audit-policy-file={policy}", *written, whole]


def _controllers(at: Installation) -> list[str]:
    return [
        f"--kubeconfig={at.kubeconfig('controllers')}",
        "--leader-elect=false",
        "--use-service-account-credentials",  # each controller under its own name, as policies expect
        f"--service-account-private-key-file={at.pki / 'service-accounts.key'}",
        f"--root-ca-file={at.pki / 'ca.crt'}",
        f"--cluster-signing-cert-file={at.pki / 'ca.crt'}",
        f"--cluster-signing-key-file={at.pki / 'ca.key'}",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
        "--horizontal-pod-autoscaler-sync-period=1s",  # 15 s is long for who waits for an autoscaler
        *_LET_NODES_BE,
        "--bind-address=127.0.0.1",
        f"--secure-port={at.ports.controllers}",
        f"--tls-cert-file={at.pki / 'controllers.crt'}",
        f"--tls-private-key-file={at.pki / 'controllers.key'}",
    ]


def _scheduler(at: Installation) -> list[str]:
    settings = at.directory / "scheduler.json"
    content = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {
            "kubeconfig": str(at.kubeconfig("scheduler")),
            "qps": 500,
            "burst": 1000,
        },
        "leaderElection": {"leaderElect": False},
    }
    settings.write_text(json.dumps(content))
    return [
        f"--config={settings}",
        "--bind-address=127.0.0.1",
        f"--secure-port={at.ports.scheduler}",
        f"--tls-cert-file={at.pki / 'scheduler.crt'}",
        f"--tls-private-key-file={at.pki / 'scheduler.key'}",
    ]


def _kwok(at: Installation) -> list[str]:
    return kwok_arguments(at.kubeconfig("kwok"))


def kwok_arguments(kubeconfig: Path) -> list[str]:
    """Arguments of a kwok that plays the fake nodes of any cluster."""
    return [
        f"--kubeconfig={kubeconfig}",
        f"--config={STAGES}",
        f"--manage-nodes-with-annotation-selector={FAKE_NODE}",
        "--node-lease-duration-seconds=40",
        "--node-ip=127.0.0.1",
        "--cidr=10.244.0.0/16",
    ]
