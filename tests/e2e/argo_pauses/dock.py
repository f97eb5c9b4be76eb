"""The moves of a Rollout of Argo: what people do, what its controller does after them, and what must come of it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from controlplane import Cluster, wait_until
from playground.install import WALL
from tests.e2e import glass
from tests.e2e.stage import GROUP, PATIENCE, Body, Stage
from tests.wall.api import Answer, Api, Call, path
from tests.wall.argo import HASH, install_kind

ARGO: Final = "argoproj.io/v1alpha1"
CONTROLLER: Final = ("argo-rollouts", "argo-rollouts")
LABEL: Final = "gatehold.dev/argo-rollouts"
STEPS: Final = ({"setWeight": 20}, {"pause": {}}, {"setWeight": 60}, {"pause": {}})
BLUE_GREEN: Final = {"blueGreen": {"activeService": "active", "autoPromotionEnabled": False}}
RIGHTS: Final = "gatehold-operator-argo-rollouts"
OPERATOR: Final = "system:serviceaccount:gatehold-system:gatehold"
_READS_ONLY: Final = [{"op": "replace", "path": "/rules/2/verbs", "value": ["get"]}]


@cache
def controller(cluster: Cluster) -> Api:
    """Make Argo's reduced kind and account, once; answers what its controller writes with: a token of its pod."""
    install_kind(cluster)
    namespace, account = CONTROLLER
    names = {"kind": "ServiceAccount", "name": account, "namespace": namespace}
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
    meta = {"name": "test-argo-rollouts"}
    binding = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": meta}
    cluster.kubectl("create", "namespace", namespace, check=False)
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps(binding | {"roleRef": role, "subjects": [names]}))
    argo = Api.of(cluster.mint_pod_bound_token(*CONTROLLER, seconds=21_600).kubeconfig)
    until_known(cluster)
    wait_until(lambda: argo.send(Call(path(ARGO, "rollouts"), how="get")).ok, "the reduced kind is served", PATIENCE)
    return argo


def until_known(cluster: Cluster) -> None:
    """Wait until kubectl, too, knows Argo's kind: what is served comes to discovery a moment later."""
    asks = ("get", "rollouts.argoproj.io", "--namespace=default")
    wait_until(lambda: cluster.kubectl(*asks, check=False).returncode == 0, "kubectl knows Argo's kind", PATIENCE)


@dataclass
class Dock(Stage):
    """One namespace behind a Gate of type ArgoRollouts. `argo` is the controller's own connection."""

    argo: Api

    # ---- the gate

    def gate(self, policy: str = "", *, policy_is: bool = True, **members: Any) -> str:
        """A Gate of this namespace's own, on its label; its policy asks one of sre unless another is named."""
        name = f"gate-{self.namespace}"
        named = policy or (self.asks() if policy_is else f"prod-{self.namespace}")
        spec: Body = {"type": "ArgoRollouts", "policyRef": {"name": named}}
        spec |= {"argoRollouts": members} if members else {}
        self.apply({"apiVersion": GROUP, "kind": "Gate", "metadata": {"name": name}, "spec": spec})
        label = {"metadata": {"labels": {LABEL: name}}}
        self.api().must(Call(path("v1", "namespaces", None, self.namespace), label))
        return name

    def asks(self, **spec: Any) -> str:
        """The policy: one of sre."""
        return self.policy(**{"quorum": [{"role": "sre", "count": 1}], "effects": ["Promote"], **spec})

    def let_dana_override(self) -> None:
        """Dana may promote by hand behind this Gate."""
        argo = {
            "apiGroups": ["argoproj.io"],
            "resources": ["rollouts", "rollouts/status"],
            "verbs": ["get", "list", "patch"],
        }
        glass.let_dana_override(self.cluster, f"gate-{self.namespace}", argo)

    def let_the_operator_write(self, may: bool) -> None:
        """Give it its right on the status of Rollouts, or take it away, and wait until the API server goes by that."""
        if may:
            self.cluster.kubectl(
                "apply", "--server-side", "--force-conflicts", "-f", str(WALL / "35-rbac-argo-rollouts.yaml")
            )
        else:
            self.cluster.kubectl("patch", "clusterrole", RIGHTS, "--type=json", "-p", json.dumps(_READS_ONLY))
        asks = ("auth", "can-i", "patch", "rollouts.argoproj.io/web", "--subresource=status", f"--as={OPERATOR}")
        wait_until(
            lambda: self.cluster.kubectl("-n", self.namespace, *asks, check=False).stdout.startswith("yes") is may,
            f"the operator may write the status of Rollouts: {may}",
            PATIENCE,
        )

    # ---- what people do

    def rollout(self, name: str = "web", strategy: Body | None = None) -> Body:
        """Make a Rollout whose first version runs already."""
        pod = {"containers": [{"name": "main", "image": "example.org/web:1"}]}
        template = {"metadata": {"labels": {"app": name}}, "spec": pod}
        spec = {"replicas": 3, "selector": {"matchLabels": {"app": name}}, "template": template}
        spec["strategy"] = strategy or {"canary": {"steps": list(STEPS)}}
        meta = {"name": name, "namespace": self.namespace}
        made = self.create({"apiVersion": ARGO, "kind": "Rollout", "metadata": meta, "spec": spec})
        self.writes(name, currentPodHash="old", stableRS="old", phase="Healthy", updatedReplicas=3, availableReplicas=3)
        if strategy:
            self.writes(name, blueGreen={"activeSelector": "old"})
        return made

    def push(self, version: int, name: str = "web") -> None:
        """A new template."""
        change = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": f"example.org/web:{version}"}]
        self.api().must(Call(self.at(name), change, "json"))

    def status_as(self, user: str, status: Body, name: str = "web") -> Answer:
        """A write of its status by a person."""
        return self.api(user).send(Call(self.at(name, "status"), {"status": status}))

    # ---- what the controller does

    def pauses(self, pod_hash: str, step: int | None = 1, name: str = "web", seconds: float = 0) -> str:
        """It reaches a pause with that revision; answers since when. `seconds` tells two pauses of one second apart."""
        since = datetime.fromtimestamp(datetime.now(UTC).timestamp() + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        reason = "BlueGreenPause" if step is None else "CanaryPauseStep"
        self.writes(
            name,
            currentPodHash=pod_hash,
            currentStepIndex=step,
            controllerPause=True,
            pauseConditions=[{"reason": reason, "startTime": since}],
            phase="Paused",
            updatedReplicas=1,
            availableReplicas=3,
            abort=None,
            abortedAt=None,
        )
        return since

    def makes_set(self, rollout: Body, pod_hash: str, image: str) -> None:
        """The ReplicaSet of that revision, with what it really runs."""
        meta, labels = rollout["metadata"], {"app": rollout["metadata"]["name"], HASH: pod_hash}
        owner = {"apiVersion": ARGO, "kind": "Rollout", "name": meta["name"], "uid": meta["uid"], "controller": True}
        pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "main", "image": image}]}}
        own = {"name": f"{meta['name']}-{pod_hash}", "labels": labels, "ownerReferences": [owner]}
        spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": pod}
        body = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": own, "spec": spec}
        self.argo.must(Call(path("apps/v1", "replicasets", self.namespace), body, "post"))

    def goes_on(self, step: int, name: str = "web", **more: Any) -> None:
        """What it does once the pause was taken away."""
        self.until_resumed(name)
        self.writes(name, currentStepIndex=step, controllerPause=None, phase="Progressing", **more)

    def aborts(self, name: str = "web") -> None:
        """What it does once it was told to abort: stable serves again."""
        self.until(name, lambda body: body["status"].get("abort") is True, "it is told to abort", kind="argo")
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.writes(
            name,
            abortedAt=at,
            pauseConditions=None,
            controllerPause=None,
            currentStepIndex=0,
            phase="Degraded",
            updatedReplicas=0,
        )

    def writes(self, name: str, **status: Any) -> None:
        """Its own status, with the generation that it has seen."""
        generation = self.argo.must(Call(self.at(name), how="get"))["metadata"]["generation"]
        self.argo.must(Call(self.at(name, "status"), {"status": {**status, "observedGeneration": str(generation)}}))

    # ---- what must come of it

    def at(self, name: str, sub: str = "") -> str:
        """The path of a Rollout."""
        return path(ARGO, "rollouts", self.namespace, name, sub)

    def path(self, kind: str, name: str = "") -> str:
        """As of any stage, and `argo` is a Rollout of Argo."""
        return self.at(name) if kind == "argo" else super().path(kind, name)

    def until_resumed(self, name: str = "web") -> None:
        """Wait until its pause was taken away; its controller still knows that it had paused."""
        self.until(name, lambda body: not body["status"].get("pauseConditions"), "the pause is taken away", kind="argo")

    def asked(self, number: int = 1, name: str = "web", seconds: float = PATIENCE) -> Body:
        """Wait until so many questions about it were asked, and people can answer the newest."""
        found: list[Body] = []

        def look() -> bool:
            about = [apr for apr in self.all("apr") if apr["spec"]["subject"]["name"] == name]
            found[:] = sorted(about, key=lambda apr: int(apr["metadata"]["resourceVersion"]))
            open_ones = [apr for apr in about if apr.get("status", {}).get("phase") == "Pending"]
            found[:] = open_ones
            return len(about) == number and len(open_ones) == 1 and "requestDigest" in open_ones[0]["status"]

        try:
            wait_until(look, f"question {number} about {name} can be answered", seconds)
        except Exception as error:
            shown = json.dumps([apr.get("status") for apr in self.all("apr")], indent=1)
            raise AssertionError(f"{error}\n{shown}\n{self.operator.log(60)}") from error
        return found[0]

    def approve(self, request: Body) -> None:
        """Alice says yes."""
        self.say("alice", request["metadata"]["name"], "approve")

    def deny(self, request: Body) -> None:
        """Alice says no."""
        self.say("alice", request["metadata"]["name"], "deny")
