"""A resource metrics API, as metrics-server serves it: pods that run share a load that the test sets.

The API server reaches it as an aggregated API: kwok routes no Services, so the Service is one by name (ExternalName) of
this machine. Pods that wait have no metrics, there as here.
"""

import base64
import json
import ssl
import threading
from collections import Counter
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlsplit

from controlplane import Cluster, wait_until
from controlplane.certificates import Authority
from tests.e2e.stage import PATIENCE, Body, condition, connection
from tests.wall.api import Call, path

GROUP: Final = "metrics.k8s.io"
VERSION: Final = "v1beta1"
HOME: Final = "kube-system"
NAME: Final = "meter"
_SERVICE: Final = path("apiregistration.k8s.io/v1", "apiservices", None, f"{VERSION}.{GROUP}")


class Meter:
    """Serves `pods` of metrics.k8s.io; a context manager that takes itself out of the API again."""

    def __init__(self, cluster: Cluster) -> None:
        """Listen on a free port of loopback; nothing is registered yet."""
        self._api = connection(cluster.admin_kubeconfig)
        self._cluster = cluster
        self._load: dict[str, int] = {}
        self._asked = Counter[str]()
        self._authority = Authority("gatehold-meter")
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        pair = self._authority.server(NAME, f"{NAME}.{HOME}.svc")
        pair.write(cluster.directory / NAME)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cluster.directory / f"{NAME}.crt", cluster.directory / f"{NAME}.key")
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def load(self, namespace: str, millicores: int) -> None:
        """From now on the pods that run in that namespace share this much."""
        self._load[namespace] = millicores

    def until_read(self, namespace: str, times: int = 3) -> None:
        """Wait until somebody, the autoscaler that is, has read the figures of that namespace so many times more."""
        before = self._asked[namespace]
        wait_until(
            lambda: self._asked[namespace] >= before + times, f"metrics of {namespace} are read {times} times", PATIENCE
        )

    def pods(self, namespace: str, selector: str) -> Body:
        """The PodMetricsList that is true now."""
        listed = self._api.must(Call(path("v1", "pods", namespace), how="get"), labelSelector=selector)["items"]
        running = [pod for pod in listed if pod.get("status", {}).get("phase") == "Running"]
        each = self._load.get(namespace, 0) // max(1, len(running))
        self._asked[namespace] += 1
        items = [_measured(pod, each) for pod in running if "deletionTimestamp" not in pod["metadata"]]
        return {"kind": "PodMetricsList", "apiVersion": f"{GROUP}/{VERSION}", "metadata": {}, "items": items}

    def __enter__(self) -> Self:
        """Serve, register, and wait until the API server has found the way."""
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        port = self._server.server_port
        for body in (_service(port), _api_service(port, self._authority.pair.certificate)):
            self._cluster.kubectl("apply", "-f", "-", stdin=json.dumps(body))
        wait_until(
            lambda: condition(self._api.get(_SERVICE) or {}, "Available")[0] == "True", "metrics are served", PATIENCE
        )
        return self

    def __exit__(self, *_: object) -> None:
        """Out of the API first: a group that nobody serves keeps namespaces from going."""
        self._cluster.kubectl("delete", "apiservice", f"{VERSION}.{GROUP}")
        self._cluster.kubectl("-n", HOME, "delete", "service", NAME)
        self._server.shutdown()
        self._server.server_close()


def _measured(pod: Body, millicores: int) -> Body:
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    usage = {"cpu": f"{millicores}m", "memory": "16Mi"}
    return {
        "metadata": {"name": name, "namespace": namespace},
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "window": "1s",
        "containers": [{"name": container["name"], "usage": usage} for container in pod["spec"]["containers"]],
    }


def _service(port: int) -> Body:
    spec = {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME, "namespace": HOME}, "spec": spec}


def _api_service(port: int, certificate: bytes) -> Body:
    spec = {
        "group": GROUP,
        "version": VERSION,
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "caBundle": base64.b64encode(certificate).decode(),
        "service": {"name": NAME, "namespace": HOME, "port": port},
    }
    meta = {"name": f"{VERSION}.{GROUP}"}
    return {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": meta, "spec": spec}


def _handler(meter: Meter) -> type[BaseHTTPRequestHandler]:
    """What answers: discovery of the one kind, and its lists by namespace."""
    root = f"/apis/{GROUP}/{VERSION}"
    kind = {"name": "pods", "singularName": "", "namespaced": True, "kind": "PodMetrics", "verbs": ["get", "list"]}
    known = {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": f"{GROUP}/{VERSION}", "resources": [kind]}

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            at = urlsplit(self.path)
            match at.path.removeprefix(root).split("/"):
                case ["", "namespaces", namespace, "pods"] if at.path.startswith(root):
                    self._answer(200, meter.pods(namespace, parse_qs(at.query).get("labelSelector", [""])[0]))
                case [""]:
                    self._answer(200, known)
                case _:
                    self._answer(404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 404})

        def _answer(self, code: int, body: dict[str, Any]) -> None:
            text = json.dumps(body).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    return Door
