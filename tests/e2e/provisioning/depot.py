"""The moves of a provision's story: a gated namespace, workloads that are dear or cheap, and what must come of them."""

import json
from collections.abc import Callable
from typing import Any, Final

from controlplane import Cluster, wait_until
from tests.e2e import glass
from tests.e2e.stage import GROUP, PATIENCE, Body, Stage
from tests.wall.api import Answer, Call, path

APPROVAL: Final = "gatehold.dev/approval"
LABEL: Final = "gatehold.dev/pods"
RELEASED_BY: Final = "gatehold.dev/released-by"
OPERATOR: Final = "system:serviceaccount:gatehold-system:gatehold"
PRICES: Final = {
    "CPU": "0.03",
    "spotCPU": "0.01",
    "RAM": "0.004",
    "spotRAM": "0.001",
    "storage": "0.0001",
    "GPU.NVIDIA-A100": "3.5",
    "GPU.NVIDIA-T4": "0.35",
    "currency": "USD",
    "source": "example rates of the tests",
    "date": "2026-11-01",
}
"""One core and 4 GiB, a dear pod, cost 0.046 an hour, and on spot 0.014."""
DEAR: Final = {"cpu": "1", "memory": "4Gi"}
CHEAP: Final = {"cpu": "100m", "memory": "128Mi"}
THRESHOLD: Final = {"hourly": "0.02"}
"""So one dear pod is asked about, and four cheap ones are not (0.0035 each)."""


def put_prices(cluster: Cluster, **figures: str | None) -> None:
    """Make the price table this: the test's own figures over PRICES, None takes one out. The operator sees it within 2 s."""
    data = {key: value for key, value in {**PRICES, **figures}.items() if value is not None}
    meta = {"name": "gatehold-prices", "namespace": "gatehold-system"}
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=json.dumps(body))


def let_dana_override(depot: "Depot", gate: str) -> None:
    """Dana may open what waits at that Gate by hand."""
    verbs = ["get", "list", "patch"]
    pods, jobs = ({"apiGroups": [g], "resources": [r], "verbs": verbs} for g, r in (("", "pods"), ("batch", "jobs")))
    glass.let_dana_override(depot.cluster, gate, pods, jobs)


class Depot(Stage):
    """One namespace with its people, its Gate, and what is to run there."""

    def clear(self) -> None:
        """Take everything away: pods that nobody can place slow down every later test."""
        self.cluster.kubectl("label", "namespace", self.namespace, f"{LABEL}-", check=False)
        kinds = "cronjobs,deployments,statefulsets,jobs,replicationcontrollers,rollouts.gatehold.dev,replicasets,pods"
        self.cluster.kubectl("-n", self.namespace, "delete", kinds, "--all", "--wait=false", check=False)

    # ---- the gate

    def provisions(self, name: str = "", **spec: Any) -> str:
        """A policy for pods: one of sre, unless it is said otherwise."""
        return self.policy(name, **{"quorum": [{"role": "sre", "count": 1}], "effects": ["Release"], **spec})

    def gate(self, policy: str = "", *, label: bool = True, **pods: Any) -> str:
        """A Gate of this namespace's own, on its label unless it is said otherwise; `pods` is its spec.pods."""
        name = f"gate-{self.namespace}"
        members = {"threshold": THRESHOLD, "floor": {"hourly": "0.01"}, **pods}
        members = {key: value for key, value in members.items() if value is not None}
        spec: Body = {"type": "Pods", "policyRef": {"name": policy or self.provisions()}, "pods": members}
        body = {"apiVersion": GROUP, "kind": "Gate", "metadata": {"name": name}, "spec": spec}
        self.cluster.kubectl("apply", "-f", "-", stdin=json.dumps(body))
        if label:
            self.gated(name)
        return name

    def gated(self, gate: str | None, exempt: str = "") -> None:
        """Put the namespace behind a Gate, or take it from there, and wait until the API server holds what comes."""
        change: Body = {"labels": {LABEL: gate}}
        change |= {"annotations": {"gatehold.dev/pods-exempt": exempt}} if exempt else {}
        self.api().must(Call(path("v1", "namespaces", None, self.namespace), {"metadata": change}))
        if gate is not None:
            wait_until(self._holds, f"namespace {self.namespace} is gated", PATIENCE)

    def _holds(self) -> bool:
        """Whether a pod that would be created now would wait."""
        tried = self.send_pod("probe", query={"dryRun": "All"})
        return tried.ok and is_gated(tried.body)

    # ---- workloads

    def template(self, needs: Body | None = None, *, fake: str = "", labels: Body | None = None, **spec: Any) -> Body:
        """A pod template of one container; `needs` are its requests (DEAR where nothing is said), `fake` how it behaves."""
        marks = {**(labels or {}), **({"example.org/fake": fake} if fake else {})}
        requests = DEAR if needs is None else needs
        main = {"name": "main", "image": "example.org/web:1", "resources": {"requests": requests} if requests else {}}
        full = {"containers": [main], "terminationGracePeriodSeconds": 1, **spec}
        return {"metadata": {"labels": marks}, "spec": full}

    def deployment(
        self, name: str = "web", replicas: int = 3, needs: Body | None = None, *, user: str = "ci", **more: Any
    ) -> Body:
        """Apply a Deployment as `deployment_body` has it; answers it as stored."""
        return self._applied(self.deployment_body(name, replicas, needs, **more), user)

    def deployment_body(self, name: str = "web", replicas: int = 3, needs: Body | None = None, **more: Any) -> Body:
        """The manifest, without surge, so `replicas` is its size.

        `notes` are annotations, `strategy` and `over` go into its own spec, the rest into the pod's.
        """
        strategy = more.pop("strategy", {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}})
        spec = {"replicas": replicas, "strategy": strategy, **more.pop("over", {})}
        return self._workload("apps/v1", "Deployment", name, needs, spec, more)

    def stateful_set(
        self, name: str = "db", replicas: int = 3, needs: Body | None = None, *, user: str = "ci", **more: Any
    ) -> Body:
        """Apply a StatefulSet that makes its pods at once."""
        spec = {"replicas": replicas, "serviceName": name, "podManagementPolicy": "Parallel", **more.pop("over", {})}
        return self._applied(self._workload("apps/v1", "StatefulSet", name, needs, spec, more), user)

    def batch(self, name: str = "train", needs: Body | None = None, *, user: str = "ci", **more: Any) -> Body:
        """Create a Job that is not held by label; `over` is the rest of its spec."""
        return self.create(self.batch_body(name, needs, **more), user=user)

    def batch_body(self, name: str = "train", needs: Body | None = None, **more: Any) -> Body:
        """The manifest of `batch`."""
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": self._meta(name, more),
            "spec": self._job_spec(needs, more.pop("over", {}), more),
        }

    def cron_job(self, name: str = "nightly", needs: Body | None = None, *, user: str = "ci", **more: Any) -> Body:
        """Apply a CronJob that `run_now` runs, and nothing else; `over` goes into its Jobs' spec, `cron` into its own."""
        meta, cron, over = self._meta(name, more), more.pop("cron", {}), more.pop("over", {})
        spec = {"schedule": "0 0 29 2 *", **cron, "jobTemplate": {"spec": self._job_spec(needs, over, more)}}
        return self._applied({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta, "spec": spec}, user)

    def send_pod(self, name: str, needs: Body | None = None, *, user: str = "ci", **more: Any) -> Answer:
        """Create a pod of nobody's by plain HTTP; `labels`, `notes` and `owners` go into its metadata."""
        query = more.pop("query", {})
        return self.api(user).send(Call(self.path("pods"), self.pod_body(name, needs, **more), "post", query=query))

    def pod(self, name: str = "solo", needs: Body | None = None, *, user: str = "ci", **more: Any) -> Body:
        """The same; it must get in."""
        answer = self.send_pod(name, needs, user=user, **more)
        assert answer.ok, answer.message
        return answer.body

    def pod_body(self, name: str = "solo", needs: Body | None = None, **more: Any) -> Body:
        """The manifest of `pod`."""
        meta, owners, labels = self._meta(name, more), more.pop("owners", ()), more.pop("labels", {})
        meta |= {"ownerReferences": list(owners)} if owners else {}
        made = self.template(needs, labels={"app": name, **labels}, **more)
        return {"apiVersion": "v1", "kind": "Pod", "metadata": {**meta, **made["metadata"]}, "spec": made["spec"]}

    def run_now(self, cron: str, name: str) -> None:
        """Make a run of a CronJob at once, as the CronJob controller would: owned by it."""
        owner = json.loads(self.kubectl("get", f"cronjob/{cron}", "-o", "json"))
        refs = [{**_ref(owner), "controller": True, "blockOwnerDeletion": True}]
        meta = {"name": name, "namespace": self.namespace, "ownerReferences": refs}
        spec = owner["spec"]["jobTemplate"]["spec"]
        body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": spec}
        self.cluster.kubectl(
            "create",
            "--as=system:serviceaccount:kube-system:cronjob-controller",
            "--as-group=system:serviceaccounts",
            "--as-group=system:authenticated",
            "-f",
            "-",
            stdin=json.dumps(body),
        )

    def scale(self, name: str, replicas: int, kind: str = "deployment", *, user: str = "ci") -> None:
        """As an autoscaler does."""
        self.kubectl("scale", f"{kind}/{name}", f"--replicas={replicas}", user=user)

    def _workload(self, version: str, kind: str, name: str, needs: Body | None, spec: Body, more: Body) -> Body:
        labels = {"app": name}
        meta, extra = self._meta(name, more), more.pop("labels", {})
        full = {
            "selector": {"matchLabels": labels},
            "template": self.template(needs, labels={**labels, **extra}, **more),
            **spec,
        }
        return {"apiVersion": version, "kind": kind, "metadata": meta, "spec": full}

    def _meta(self, name: str, more: Body) -> Body:
        notes = more.pop("notes", {})
        return {"name": name, "namespace": self.namespace, **({"annotations": notes} if notes else {})}

    def _job_spec(self, needs: Body | None, over: Body, more: Body) -> Body:
        return {"backoffLimit": 0, **over, "template": self.template(needs, restartPolicy="Never", **more)}

    def _applied(self, body: Body, user: str) -> Body:
        return dict(json.loads(self.kubectl("apply", "-o", "json", "-f", "-", user=user, stdin=json.dumps(body))))

    # ---- looking

    def pods_named(self, name: str) -> list[Body]:
        """The pods with label app=NAME that are not on their way out."""
        found = self.all("pods", labelSelector=f"app={name}")
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def held(self, name: str = "web") -> list[str]:
        """The names of those that wait for this gate."""
        return [pod["metadata"]["name"] for pod in self.pods_named(name) if is_gated(pod)]

    def running(self, name: str = "web") -> list[str]:
        """The names of those that run."""
        return [pod["metadata"]["name"] for pod in self.pods_named(name) if runs(pod)]

    def questions(self, about: str = "") -> list[Body]:
        """Every request that the Gate asked here, oldest first; about the subject of that name where one is given.

        Of two of the same second the one that is not decided is the newer: nothing is asked twice at the same time.
        """
        found = self.all("apr", labelSelector="gatehold.dev/gate")
        theirs = [body for body in found if about in ("", (body["spec"].get("subject") or {}).get("name"))]
        return sorted(theirs, key=_age)

    # ---- waiting

    def until_waits(self, name: str = "web", count: int = 1, seconds: float = PATIENCE) -> None:
        """Wait until so many pods of a workload are there, and wait."""
        self._patiently(lambda: len(self.held(name)) == count, f"{count} pods of {name} wait", seconds)

    def until_runs(self, name: str = "web", count: int = 1, seconds: float = PATIENCE) -> None:
        """Wait until exactly so many pods of a workload run."""
        self._patiently(lambda: len(self.running(name)) == count, f"{count} pods of {name} run", seconds)

    def asked(self, about: str = "web", count: int = 1, seconds: float = PATIENCE) -> Body:
        """Wait until so many questions were asked about it, and people can answer the newest; answers that."""
        self._patiently(lambda: len(self.questions(about)) >= count, f"{count} questions about {about}", seconds)
        return self.until_prepared(self.questions(about)[-1]["metadata"]["name"])

    def approve(self, about: str = "web", count: int = 1, user: str = "alice", **more: str) -> str:
        """Say yes to the newest question about it; answers its name."""
        name = str(self.asked(about, count)["metadata"]["name"])
        self.say(user, name, "approve", **more)
        return name

    def deny(self, about: str = "web", count: int = 1, user: str = "alice") -> str:
        """Say no to the newest question about it; answers its name."""
        name = str(self.asked(about, count)["metadata"]["name"])
        self.say(user, name, "deny", "too dear for what it does")
        return name

    def until_reason(self, about: str, reason: str, seconds: float = PATIENCE) -> None:
        """Wait until an Event about an object tells that."""
        self._patiently(
            lambda: any(told == reason for told, _ in self.events(about)), f"Event {reason} about {about}", seconds
        )

    def _patiently(self, holds: Callable[[], bool], what: str, seconds: float) -> None:
        """Wait; a failure shows what the operator says."""
        try:
            wait_until(holds, what, seconds)
        except Exception as error:
            raise AssertionError(f"{error}\n{self.operator.log(60)}") from error


def _age(body: Body) -> tuple[str, bool, str]:
    meta, phase = body["metadata"], body.get("status", {}).get("phase", "")
    return meta["creationTimestamp"], phase in ("", "Pending"), meta["name"]


def _ref(body: Body) -> Body:
    meta = body["metadata"]
    return {"apiVersion": body["apiVersion"], "kind": body["kind"], "name": meta["name"], "uid": meta["uid"]}


def is_gated(pod: Body) -> bool:
    """Whether a pod waits for this gate."""
    return any(gate["name"] == APPROVAL for gate in pod["spec"].get("schedulingGates", []))


def released_by(body: Body) -> str:
    """Who let a pod or Job go: the uid of a request, gate/NAME, or nobody yet."""
    return str(body["metadata"].get("annotations", {}).get(RELEASED_BY, ""))


def runs(pod: Body) -> bool:
    """Whether it runs."""
    conditions = pod.get("status", {}).get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
