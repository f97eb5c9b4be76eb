"""The moves of a held drain: an operator with its webhook, people who drain with the real kubectl, what they are told."""

import itertools
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from controlplane import Cluster, wait_until
from playground import Launch, OperatorProcess
from playground.install import ROOT
from playground.operator_process import PATIENT
from tests.e2e.drains.yard import Yard
from tests.e2e.stage import PATIENCE, Body
from tests.wall.api import Call, path

FLAGS: Final = ("--ignore-daemonsets", "--delete-emptydir-data", "--force")
_NUMBERS = itertools.count()
_DRAINERS: Final = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: example-kubectl-drain}
rules:
- {apiGroups: [""], resources: [nodes], verbs: [get, list, patch]}
- {apiGroups: [""], resources: [pods], verbs: [get, list, delete]}
- {apiGroups: [""], resources: [pods/eviction], verbs: [create]}
- {apiGroups: [apps], resources: [daemonsets], verbs: [get]}
- {apiGroups: [gatehold.dev], resources: [approvalrequests], verbs: [get, list, patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: example-kubectl-drain}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: example-kubectl-drain}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: olga}
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: oscar}
"""


def with_webhook(cluster: Cluster, name: str, port: int, launch: Launch | None = None, **settings: str) -> OperatorProcess:
    """An operator whose webhook listens there. It keeps its Lease also while a test has it frozen."""
    defaults = {"default_timeout_seconds": "600", "webhook_port": str(port), "webhook_address": "127.0.0.1"}
    return OperatorProcess(cluster, name, launch, **{**defaults, **PATIENT, **settings})


def certs_init(cluster: Cluster, url: str, *more: str) -> str:
    """What the installer runs."""
    argv = [sys.executable, "-m", "gatehold", "certs", "init", "--url", url, *more]
    environment = {**cluster.environment(), "PYTHONPATH": str(ROOT / "operator"), "NO_COLOR": "1"}
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def let_people_drain(cluster: Cluster) -> None:
    """olga and oscar may do what `kubectl drain` does; neither holds verb drain."""
    for name in ("olga", "oscar"):
        cluster.user(name, "ops")
    cluster.kubectl("apply", "--server-side", "-f", "-", stdin=_DRAINERS)


@dataclass
class Drain:
    """One `kubectl drain` of somebody's, as it runs."""

    process: "subprocess.Popen[str]"
    log: Path

    @property
    def said(self) -> str:
        """All that the person has read, line by line: kubectl may be in the middle of the next."""
        return self.log.read_bytes().rpartition(b"\n")[0].decode()

    def until_says(self, text: str, seconds: float = PATIENCE) -> str:
        """Wait until the person has read that."""
        wait_until(lambda: text in self.said, f"kubectl says {text!r}; it said: {self.said}", seconds)
        return self.said

    def until_told(self, times: int, seconds: float = PATIENCE) -> None:
        """Wait until kubectl has said so often that it will try again."""
        wait_until(
            lambda: told_times(self.said) >= times, f"kubectl tries again {times} times; it said: {self.said}", seconds
        )

    def ends(self, seconds: float = PATIENCE) -> int:
        """Wait until it ends; answers its exit code."""
        return self.process.wait(seconds)

    @property
    def waits(self) -> bool:
        """Whether it is still at it."""
        return self.process.poll() is None


@dataclass
class Hall(Yard):
    """A yard where people drain by themselves."""

    drains_running: list[Drain] = field(default_factory=list)

    def held(self, *names: str, count: int = 0, policy: Body | None = None, **gate: Any) -> str:
        """Nodes behind a Gate of mode Hold, in that mode; on the first one so many pods. Answers its full name."""
        chosen = self.drains(**{"quorum": [{"role": "sre", "count": 1}], **(policy or {})})
        names = names or ("n",)
        full = self.gated(*names, policy=chosen, mode="Hold", **gate)
        for name in names:
            self.until_mode(name, "Hold")
        for number in range(count):
            self.pod(f"{names[0]}-{number}", names[0])
        return full[0]

    def until_mode(self, name: str, mode: str, seconds: float = PATIENCE) -> None:
        """Wait until the label of a node says so."""

        def says() -> bool:
            return (self.node_of(name)["metadata"]["labels"].get("gatehold.dev/drain-mode") or "") == mode

        self._patiently(says, f"node {name} is in mode {mode or 'Deny'}", seconds)

    def kubectl_drain(self, node: str, *more: str, user: str = "olga") -> Drain:
        """Begin to drain, as that person."""
        log = self.cluster.directory / f"drain-{next(_NUMBERS)}.log"
        argv = [str(self.cluster.kubectl_program), "drain", node, *FLAGS, *more]
        with log.open("w") as target:
            process = subprocess.Popen(argv, env=self.cluster.environment(user), stdout=target, stderr=target, text=True)
        drain = Drain(process, log)
        self.drains_running.append(drain)
        return drain

    def evict(self, pod: str, user: str = "olga", **options: Any) -> tuple[int, str]:
        """One eviction by plain HTTP: code and sentence."""
        query = options.pop("query", {})
        wanted: Body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": pod, "namespace": self.namespace},
        }
        wanted |= {"deleteOptions": options} if options else {}
        where = path("v1", "pods", self.namespace, pod) + "/eviction"
        answer = self.api(user).send(Call(where, wanted, "post", query=query))
        return answer.code, answer.message

    def until_evicts(self, pod: str, code: int, user: str = "olga", text: str = "", **options: Any) -> None:
        """Try as kubectl does, until the answer is this one; meanwhile each is to try again.

        What a test has read of the API server the webhook learns by its watches, which may be later than that.
        """

        def answered() -> bool:
            found, said = self.evict(pod, user, **options)
            assert found in (code, 429), f"{found} {said}"
            return found == code and text in said

        self._patiently(answered, f"the eviction of {pod} by {user} is answered {code} {text}", PATIENCE)

    def asked(self, seconds: float = PATIENCE, count: int = 1, user: str = "") -> Body:
        """Wait for the question that the operator opens; answers the newest, of that person where one is named."""
        self._patiently(lambda: len(self.questions()) >= count, f"{count} questions", seconds)
        theirs = [body for body in self.questions() if user in ("", body["spec"]["requester"]["username"])]
        return self.until_prepared(theirs[-1]["metadata"]["name"])

    def questions(self) -> list[Body]:
        """Every request about a node here, oldest first."""
        found = [body for body in self.all("apr") if body["spec"].get("subject", {}).get("kind") == "Node"]
        return sorted(found, key=lambda body: (body["metadata"]["creationTimestamp"], body["metadata"]["name"]))

    def _patiently(self, holds: Callable[[], bool], what: str, seconds: float) -> None:
        """Wait; a failure shows what the operator says."""
        try:
            wait_until(holds, what, seconds)
        except Exception as error:
            raise AssertionError(f"{error}\n{self.operator.log(60)}") from error

    def end_drains(self) -> None:
        """Whatever still runs ends with its test."""
        for drain in self.drains_running:
            if drain.waits:
                drain.process.send_signal(signal.SIGKILL)
                drain.process.wait(60)


def address(body: Body) -> str:
    """As kubectl drain shows a request."""
    return f"{body['metadata']['namespace']}/{body['metadata']['name']}"


def told_times(said: str) -> int:
    """How often kubectl has said that it will try again."""
    return len(re.findall(r"will retry after", said))
