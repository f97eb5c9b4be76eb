"""The moves of a story with the real Argo Rollouts: what people type, what its controller does, what is asked."""

import json
import signal
import subprocess
from collections.abc import Iterator
from typing import Any, Final

import yaml

from controlplane import wait_until
from controlplane.tools import tool
from foreign import crds
from tests.e2e import glass
from tests.e2e.argo_pauses.dock import until_known
from tests.e2e.rollouts.shop import until_seen
from tests.e2e.stage import GROUP, Body, Stage
from tests.wall.api import Call, path

ARGO: Final = "argoproj.io/v1alpha1"
ACCOUNT: Final = ("argo-rollouts", "argo-rollouts")
PLACE: Final = "store"
GATE: Final = "argo"
"""Namespace and Gate as docs/how-to/gate-argo-rollouts.md has them."""
STEPS: Final = ({"setWeight": 50}, {"pause": {}}, {"setWeight": 80}, {"pause": {}})
SECONDS: Final = 120
"""How long a step of a story may take where everything is slow."""
_RIGHTS: Final = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {{name: real-argo-rollouts}}
rules:
- {{apiGroups: [argoproj.io], resources: ["*"], verbs: ["*"]}}
- {{apiGroups: [apps], resources: [replicasets], verbs: [create, get, list, watch, update, patch, delete]}}
- {{apiGroups: ["", apps], resources: [deployments, podtemplates], verbs: [get, list, watch, update]}}
- {{apiGroups: [""], resources: [services], verbs: [get, list, watch, patch, create, delete]}}
- {{apiGroups: [""], resources: [secrets, configmaps], verbs: [get, list, watch]}}
- {{apiGroups: [""], resources: [pods], verbs: [list, update, watch]}}
- {{apiGroups: [""], resources: [pods/eviction, events], verbs: [create, update, patch]}}
- {{apiGroups: [networking.k8s.io, batch], resources: [ingresses, jobs], verbs: [get, list, watch]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {{name: real-argo-rollouts}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: real-argo-rollouts}}
subjects: [{{kind: ServiceAccount, name: argo-rollouts, namespace: argo-rollouts}}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {{name: works-with-argo, namespace: {namespace}}}
rules:
- {{apiGroups: [argoproj.io], resources: ["*"], verbs: ["*"]}}
- {{apiGroups: [apps], resources: [replicasets], verbs: ["*"]}}
- {{apiGroups: [""], resources: [services], verbs: ["*"]}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {{name: works-with-argo, namespace: {namespace}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: works-with-argo}}
subjects:
- {{apiGroup: rbac.authorization.k8s.io, kind: Group, name: pipelines}}
- {{apiGroup: rbac.authorization.k8s.io, kind: Group, name: dev}}
- {{apiGroup: rbac.authorization.k8s.io, kind: Group, name: duty}}
"""


class Harbour(Stage):
    """The namespace of the page. dana (group duty) may override its Gate; mallory has every right on Argo's kinds there."""

    # ---- setting up

    def open(self) -> None:
        """Install Argo's kinds and start its controller, which sees this namespace only."""
        for body in _kinds():
            self.cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(body))
        until_known(self.cluster)
        self.cluster.kubectl("apply", "--server-side", "-f", "-", stdin=_RIGHTS.format(namespace=self.namespace))
        glass.let_dana_override(self.cluster, GATE)
        identity = self.cluster.mint_pod_bound_token(*ACCOUNT, seconds=21_600)
        ports = [
            *(f"--{port}={self.cluster.reserve_port()}" for port in ("metricsPort", "healthzPort")),
            "--leader-elect=false",
        ]
        where = ["--kubeconfig", str(identity.kubeconfig), "--namespaced", "--namespace", self.namespace]
        program = [str(tool("rollouts-controller")), *where, *ports, "--qps=200", "--burst=400"]
        self.cluster.start_program(f"argo-{self.namespace}", program)

    def close(self) -> None:
        """End the controller."""
        self.cluster.signal_program(f"argo-{self.namespace}", signal.SIGKILL)

    def asks_for(self, seconds: int) -> None:
        """How long the Gate lets a question stand that is asked from now on."""
        change = {"spec": {"argoRollouts": {"timeoutSeconds": seconds}}}
        self.api().must(Call(path(GROUP, "gates", None, GATE), change))
        until_seen(self.api(), GATE)

    # ---- what people do

    def rollout(self, name: str, version: int = 1, strategy: Body | None = None, **spec: Any) -> None:
        """Apply a Rollout of two pods, as ci, and wait until its first version runs."""
        pod = {"containers": [{"name": "main", "image": f"example.org/{name}:{version}"}]}
        full = {"replicas": 2, "selector": {"matchLabels": {"app": name}}, **spec}
        full["template"] = {"metadata": {"labels": {"app": name}}, "spec": pod}
        full["strategy"] = strategy or {"canary": {"steps": list(STEPS)}}
        body = {"apiVersion": ARGO, "kind": "Rollout", "metadata": {"name": name, "namespace": self.namespace}, "spec": full}
        self.apply(body, user="ci")
        self.until_serves(name, version)

    def push(self, name: str, version: int) -> None:
        """A new image, as ci."""
        at = "/spec/template/spec/containers/0/image"
        change = [{"op": "replace", "path": at, "value": f"example.org/{name}:{version}"}]
        self.api("ci").must(Call(self.path("argo", name), change, "json"))

    def argo(self, *args: str, user: str = "mallory") -> str:
        """Run `kubectl argo rollouts ARGS`; answers what it says. `argo_refused` is for what has to fail."""
        done = self._plugin(*args, user=user)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def argo_refused(self, *args: str, user: str = "mallory") -> str:
        """The same, where it has to be refused; answers what a person reads."""
        done = self._plugin(*args, user=user)
        assert done.returncode != 0, f"{' '.join(args)} was let through: {done.stdout}"
        return done.stderr

    def _plugin(self, *args: str, user: str) -> "subprocess.CompletedProcess[str]":
        command = [str(tool("kubectl-argo-rollouts")), *args, "-n", self.namespace]
        environment = self.cluster.environment(user)
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS)

    def yes(self, request: str) -> None:
        """Alice approves."""
        self.say("alice", request, "approve")

    # ---- looking

    def path(self, kind: str, name: str = "") -> str:
        """As of any stage; `argo` is a Rollout of Argo, `rs` a ReplicaSet, `svc` a Service."""
        kinds = {"argo": (ARGO, "rollouts"), "rs": ("apps/v1", "replicasets"), "svc": ("v1", "services")}
        return path(*kinds[kind], self.namespace, name or None) if kind in kinds else super().path(kind, name)

    def status(self, name: str) -> Body:
        """What Argo's controller says."""
        return dict(self.get("argo", name).get("status") or {})

    def version(self, name: str, pod_hash: str) -> int:
        """The image tag behind a hash; 0 where there is no such ReplicaSet."""
        found = self.find("rs", f"{name}-{pod_hash}")
        images = [box["image"] for box in found["spec"]["template"]["spec"]["containers"]] if found else ["none:0"]
        return int(images[0].rpartition(":")[2])

    def requests(self, name: str) -> list[Body]:
        """Every request about it, the oldest first."""
        found = [apr for apr in self.all("apr") if apr["spec"]["subject"].get("name") == name]
        return sorted(found, key=lambda apr: str(apr["metadata"]["creationTimestamp"]) + apr["metadata"]["name"])

    # ---- waiting

    def until_argo(self, name: str, holds: Any, what: str) -> Body:
        """Wait for its status, with its newest spec taken into account."""

        def ready(body: Body) -> bool:
            status = body.get("status") or {}
            return status.get("observedGeneration") == str(body["metadata"]["generation"]) and bool(holds(status))

        try:
            return self.until(name, ready, what, SECONDS, kind="argo")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.cluster.program_log(f'argo-{self.namespace}', 30)}") from error

    def until_serves(self, name: str, version: int) -> None:
        """Wait until this version is the stable one, and nothing is under way."""
        self.until_argo(
            name,
            lambda status: (
                status.get("phase") == "Healthy" and self.version(name, str(status.get("stableRS", ""))) == version
            ),
            f"version {version} serves",
        )

    def until_aborted(self, name: str, stable: int) -> None:
        """Wait until it was aborted, and the stable version has all of its pods."""

        def back(status: Body) -> bool:
            served = self.version(name, str(status.get("stableRS", ""))) == stable
            return bool(status.get("abort")) and status.get("phase") == "Degraded" and served

        self.until_argo(name, back, f"aborted, and version {stable} serves")

    def until_paused(self, name: str, version: int, step: int | None = 1) -> None:
        """Wait until this version stands at a pause."""

        def paused(status: Body) -> bool:
            there = self.version(name, str(status.get("currentPodHash", ""))) == version
            return there and bool(status.get("pauseConditions")) and status.get("currentStepIndex") == step

        self.until_argo(name, paused, f"version {version} is paused at step {step}")

    def until_asked(self, name: str, *beside: str) -> str:
        """Wait until people can answer a question about it, other than these; answers its name."""
        found: list[str] = []

        def asked() -> bool:
            for body in self.requests(name):
                status = body.get("status", {})
                if body["metadata"]["name"] not in beside and status.get("phase") == "Pending" and "requestDigest" in status:
                    found.append(body["metadata"]["name"])
            return bool(found)

        try:
            wait_until(asked, f"a question about {name}", SECONDS)
        except Exception as error:
            shown = json.dumps([self.status(name), [apr.get("status") for apr in self.requests(name)]], indent=1)
            raise AssertionError(f"{error}\n{shown}\n{self.operator.log(60)}") from error
        return found[-1]


def _kinds() -> Iterator[Body]:
    """Argo's kinds as its module has them: the Rollout whole, of the others what is served, for they are large.

    Descriptions are left out. Three megabytes of schema keep an API server on a loaded machine busy for longer than a
    lease lasts.
    """
    for file in crds("argo-rollouts"):
        body = yaml.load(file.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        for version in body["spec"]["versions"]:
            schema = _bare(version["schema"]["openAPIV3Schema"])
            free = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
            version["schema"]["openAPIV3Schema"] = schema if body["spec"]["names"]["kind"] == "Rollout" else free
        yield body


def _bare(schema: Any) -> Any:
    """A schema without its descriptions. A field of that name is an object, not a text."""
    if isinstance(schema, dict):
        return {k: _bare(v) for k, v in schema.items() if not (k == "description" and isinstance(v, str))}
    return [_bare(item) for item in schema] if isinstance(schema, list) else schema
