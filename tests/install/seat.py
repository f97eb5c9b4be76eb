"""The operator in the place of a pod of its Deployment.

kwok runs no containers. So the program of such a pod runs here: with the arguments and the environment of its container,
with the token that its node's kubelet mints for it, and with nothing else of what this machine has. Told otherwise than in
a real pod: where the token lies (GATEHOLD_KUBECONFIG), and on which ports of loopback it serves, since all share a machine.
"""

import base64
import contextlib
import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from controlplane import Cluster, ControlPlaneError, wait_until
from playground import OperatorProcess
from playground.operator_process import ROOT
from tests.e2e.stage import PATIENCE
from tests.install.chart import NAMESPACE

Body = dict[str, Any]
SELECTOR: Final = "app.kubernetes.io/name=gatehold,app.kubernetes.io/component=operator"


class Seat(OperatorProcess):
    """One replica, in the place of that pod."""

    def __init__(self, cluster: Cluster, pod: Body, source: Path = ROOT / "operator") -> None:
        """Take the pod's identity; the program, imported from `source`, does not run yet."""
        self.cluster = cluster
        self.pod = pod
        self.name = pod["metadata"]["name"]
        self.port = cluster.reserve_port()
        self.webhook_port = cluster.reserve_port()
        self.source = source
        self.identity = cluster.take_pod_identity(pod, seconds=21_600)

    def start(self) -> None:
        """Start what the container would."""
        (container,) = self.pod["spec"]["containers"]
        assert "command" not in container, "the image's own entry point is `gatehold`"
        told = environment(self.cluster, self.pod)
        mine = {
            "PYTHONPATH": str(self.source),
            "GATEHOLD_KUBECONFIG": str(self.identity.kubeconfig),
            "GATEHOLD_HTTP_PORT": str(self.port),
            "GATEHOLD_HTTP_ADDRESS": "127.0.0.1",
        }
        if "GATEHOLD_WEBHOOK_PORT" in told:
            mine |= {"GATEHOLD_WEBHOOK_PORT": str(self.webhook_port), "GATEHOLD_WEBHOOK_ADDRESS": "127.0.0.1"}
        pairs = [f"{key}={value}" for key, value in {**told, **mine}.items()]
        argv = ["/usr/bin/env", "-i", *pairs, sys.executable, "-m", "gatehold", *container["args"]]
        self.cluster.start_program(self.name, argv)


def environment(cluster: Cluster, pod: Body) -> dict[str, str]:
    """The container's variables as a kubelet fills them in."""
    (container,) = pod["spec"]["containers"]
    return {entry["name"]: _value(cluster, pod, entry) for entry in container.get("env", [])}


def pods(cluster: Cluster, count: int, seconds: float = PATIENCE) -> list[Body]:
    """Wait until the Deployment's newest pods, so many, are bound to nodes and no others are left; answers them."""
    found: list[Body] = []

    def there() -> bool:
        found[:] = [pod for pod in _listed(cluster) if pod["spec"].get("nodeName")]
        return len(found) == count == len(_listed(cluster))

    wait_until(there, f"{count} pods of the Deployment are bound to nodes", seconds)
    return found


def take_seats(cluster: Cluster, count: int = 2, source: Path = ROOT / "operator") -> list[Seat]:
    """A program for each pod of the Deployment; they do not run yet."""
    return [Seat(cluster, pod, source) for pod in pods(cluster, count)]


def after_a_roll(cluster: Cluster, old: Iterable[Seat], source: Path = ROOT / "operator") -> list[Seat]:
    """Once the Deployment is rolled out: the programs of its former pods end, and those of its new pods do not run yet."""
    cluster.kubectl("-n", NAMESPACE, "rollout", "status", "deployment/gatehold", "--timeout=240s", timeout=250)
    end(old)
    # its token may be refused before it could give the Lease back: who is surely gone need not be waited for
    cluster.kubectl("-n", NAMESPACE, "delete", "lease", "gatehold-operator", "--ignore-not-found")
    return take_seats(cluster, source=source)


def end(seats: Iterable[Seat]) -> None:
    """SIGTERM, as kubelets send it to containers of pods that end. Those whose token is refused meanwhile are gone."""
    for seat in seats:
        assert "Traceback" not in seat.log(100_000), seat.log(400)
        with contextlib.suppress(ControlPlaneError):
            seat.stop(60)
        assert seat.code() is not None


def _listed(cluster: Cluster) -> list[Body]:
    listed = cluster.kubectl("-n", NAMESPACE, "get", "pods", "-l", SELECTOR, "-o", "json").stdout
    return [pod for pod in json.loads(listed)["items"] if "deletionTimestamp" not in pod["metadata"]]


def _value(cluster: Cluster, pod: Body, entry: Body) -> str:
    if "valueFrom" not in entry:
        return str(entry.get("value", ""))
    ((kind, source),) = entry["valueFrom"].items()
    readers: dict[str, Callable[[], str]] = {
        "fieldRef": lambda: _field(pod, source["fieldPath"]),
        "secretKeyRef": lambda: base64.b64decode(_data(cluster, "secret", source)).decode(),
        "configMapKeyRef": lambda: _data(cluster, "configmap", source),
    }
    return readers[kind]()


def _field(pod: Body, where: str) -> str:
    found: Any = pod
    for part in where.split("."):
        found = found[part]
    return str(found)


def _data(cluster: Cluster, kind: str, source: Body) -> str:
    found = cluster.kubectl("-n", NAMESPACE, "get", kind, source["name"], "-o", "json").stdout
    return str(json.loads(found)["data"][source["key"]])
