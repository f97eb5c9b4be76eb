"""A cluster with the wall, people and a stand-in for the operator: it writes statuses with the operator's own token.

The stand-in decides nothing. Tests say what stands in a status, so that the CLI meets every state without an operator.
"""

import asyncio
import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from controlplane import ControlPlane, PodIdentity, wait_until
from gatehold.api.approval_request import parse_verdicts
from gatehold.api.digest import policy_digest, request_digest
from gatehold.api.job import resolved
from gatehold.api.request_status import render_resolved
from gatehold.cli.main import run
from gatehold.domain.status import Resolved, ResolvedDrain, ResolvedNode
from gatehold.kube.client import Cluster
from gatehold.kube.resources import REQUESTS
from playground import install

ROOT = Path(__file__).parents[2]
Json = dict[str, Any]

RIGHTS = """
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: shop}}
- apiVersion: gatehold.dev/v1alpha1
  kind: ApprovalPolicy
  metadata: {name: prod}
  spec:
    quorum: [{role: sre, backups: [duty]}, {role: finance}]
    effects: [None, Release, Promote]
    timeoutSeconds: {default: 3600, max: 86400}
    escalation: [{afterSeconds: 1800, roles: [duty]}]
- {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: asks}, rules: [
    {apiGroups: [gatehold.dev], resources: [approvalpolicies], resourceNames: [prod], verbs: [request]},
    {apiGroups: [gatehold.dev], resources: [approvalrequests], verbs: [get, list, watch, create, patch]},
    {apiGroups: [batch], resources: [jobs], verbs: [get, list, create, patch]}]}
- {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: reads}, rules: [
    {apiGroups: [gatehold.dev], resources: [approvalrequests], verbs: [get, list, watch, patch]},
    {apiGroups: [gatehold.dev], resources: [approvalpolicies], verbs: [get, list]},
    {apiGroups: [batch], resources: [jobs], verbs: [get]}]}
- {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: is-sre}, rules: [
    {apiGroups: [gatehold.dev], resources: [approvalpolicies/sre], resourceNames: [prod], verbs: [approve]}]}
- {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: is-finance}, rules: [
    {apiGroups: [gatehold.dev], resources: [approvalpolicies/finance], resourceNames: [prod], verbs: [approve]}]}
- {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: overrides}, rules: [
    {apiGroups: [gatehold.dev], resources: [approvalpolicies], resourceNames: [prod], verbs: [override]}]}
- {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: sees-rollouts}, rules: [
    {apiGroups: [gatehold.dev], resources: [rollouts], verbs: [get, list, watch]}]}
- {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: sees-pods}, rules: [
    {apiGroups: [""], resources: [pods, namespaces], verbs: [get, list]},
    {apiGroups: [apps], resources: [deployments], verbs: [get]}]}
- {apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: deploys}, rules: [
    {apiGroups: [gatehold.dev], resources: [rollouts], verbs: [create, patch, update]}]}
"""
BINDINGS = {"sees-rollouts": ("alice", "bob", "ci", "dana"), "sees-pods": ("alice", "ci"), "deploys": ("ci",),
            "asks": ("ci",), "reads": ("alice", "bob", "carol", "dana", "olga"), "is-sre": ("alice", "bob"),
            "is-finance": ("carol",), "overrides": ("olga",)}  # fmt: skip


PATIENCE = 60.0
"""Seconds for which the stand-in waits for an answer: no test is about that."""
_WITHOUT_PLACE = {"doctor", "--help", "drain", "uncordon", "certs", "price"}


class Tty(io.StringIO):
    """A stream where a person sits."""

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


class Stage:
    """People and requests in namespace shop."""

    def __init__(self, plane: ControlPlane, *, stamping: bool) -> None:
        self.plane = plane
        self.said = io.StringIO(), io.StringIO()
        """What the command that runs, or ran last, has said so far on both streams: for a thread that plays along."""
        self._install(stamping)

    def _install(self, stamping: bool) -> None:
        install(self.plane, stamping=stamping)
        self.plane.kubectl("apply", "--server-side", "-f", "-", stdin=RIGHTS)
        for role, people in BINDINGS.items():
            users = [f"--user={name}" for name in people]
            self.plane.kubectl("create", "rolebinding", role, "-n", "shop", f"--clusterrole={role}", *users)
        self.plane.kubectl("create", "clusterrolebinding", "reads-policies", "--clusterrole=reads", "--user=alice")
        self.operator: PodIdentity = self.plane.mint_pod_bound_token("gatehold-system", "gatehold", seconds=21_600)
        self.until_may("olga", "override", "approvalpolicies.gatehold.dev/prod", "-n", "shop")  # the last of the bindings
        self.until_may("alice", "list", "approvalpolicies.gatehold.dev")

    def until_may(self, person: str, *what: str) -> None:
        """Wait until the API server has taken up a right that was just granted: it watches roles and bindings."""
        user = self.plane.user(person)
        asked = ("auth", "can-i", *what)
        wait_until(
            lambda: not self.plane.kubectl(*asked, user=user, check=False).returncode, f"{person} may {what}", PATIENCE
        )

    def kubeconfig(self, person: str) -> str:
        return str(self.plane.admin_kubeconfig if person == "admin" else self.plane.user(person))

    def cli(self, person: str, *words: str, stdin: str = "", tty: int = 0, **environ: str) -> Ended:
        """Run one command in this process; `tty` is the width of a terminal, 0 means pipes."""
        out, err, given = (Tty() if tty else io.StringIO() for _ in range(3))
        self.said = out, err
        given.write(stdin)
        given.seek(0)
        with (
            self._streams(out, err, given),
            mock.patch.dict("os.environ", {"COLUMNS": str(tty), "TERM": "xterm", **environ}),
        ):
            place = () if words[0] in _WITHOUT_PLACE or "-A" in words else ("-n", "shop")
            code = run([*words, "--kubeconfig", self.kubeconfig(person), *place])
        return Ended(code, out.getvalue(), err.getvalue())

    def program(self, person: str, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run one command in a process of its own."""
        environ = {**os.environ, "PYTHONPATH": str(ROOT / "operator"), "KUBECONFIG": self.kubeconfig(person)}
        command = [sys.executable, "-m", "gatehold", *words, "-n", "shop"]
        return subprocess.run(command, capture_output=True, text=True, env=environ, timeout=180, check=False)

    @contextlib.contextmanager
    def waiting(self, person: str, *words: str, command: tuple[str, ...] = ("wait",)) -> Iterator["subprocess.Popen[str]"]:
        """Start a command that waits, in a process of its own; at its first line on stderr it is really waiting."""
        environ = {**os.environ, "PYTHONPATH": str(ROOT / "operator"), "KUBECONFIG": self.kubeconfig(person)}
        program = [
            sys.executable,
            "-m",
            "gatehold",
            *command,
            *words,
            *(() if command[0] in _WITHOUT_PLACE else ("-n", "shop")),
        ]
        pipes: Json = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(program, env=environ, **pipes) as process:
            try:
                yield process
            finally:
                process.kill()

    @staticmethod
    @contextlib.contextmanager
    def _streams(out: io.StringIO, err: io.StringIO, given: io.StringIO) -> Iterator[None]:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), mock.patch.object(sys, "stdin", given):
            yield

    def sweeps(self, policy: str) -> None:
        """A policy that ci and newcomer may ask under; alice and bob hold sre there, carol finance."""
        quorum = {"quorum": [{"role": "sre"}, {"role": "finance"}]}
        group, rbac = "gatehold.dev", "rbac.authorization.k8s.io"
        meta = {"name": policy}
        items: list[Json] = [{"apiVersion": f"{group}/v1alpha1", "kind": "ApprovalPolicy", "metadata": meta, "spec": quorum}]
        for role, resource, verbs, people in (
            (policy, "approvalpolicies", ["request", "get"], ("ci", "newcomer", "alice")),
            (f"{policy}-sre", "approvalpolicies/sre", ["approve"], ("alice", "bob")),
            (f"{policy}-finance", "approvalpolicies/finance", ["approve"], ("carol",)),
        ):
            named = {"apiGroups": [group], "resources": [resource], "resourceNames": [policy], "verbs": verbs}
            asking = {"apiGroups": [group], "resources": ["approvalrequests"], "verbs": ["create", "get", "list"]}
            whole: Json = {"apiVersion": f"{rbac}/v1", "metadata": {"name": role}}
            ref = {"apiGroup": rbac, "kind": "ClusterRole", "name": role}
            users = [{"kind": "User", "name": who} for who in people]
            items.append({**whole, "kind": "ClusterRole", "rules": [named, *([asking] if role == policy else [])]})
            items.append({**whole, "kind": "ClusterRoleBinding", "roleRef": ref, "subjects": users})
        self.plane.kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
        self.until_may("carol", "approve", f"approvalpolicies.gatehold.dev/{policy}", "--subresource=finance", "-n", "shop")

    # ---- objects

    def get(self, kind: str, name: str) -> Json:
        found: Json = json.loads(self.plane.kubectl("get", kind, name, "-n", "shop", "-o", "json").stdout)
        return found

    def request(self, name: str, spec: Json | None = None, by: str = "ci") -> Json:
        """Open a request as a person; without stamping they carry their own name."""
        whole = {"policyRef": {"name": "prod"}, "subject": {"kind": "Change", "name": name},
                 "requester": {"username": by}, **(spec or {})}  # fmt: skip
        body = {"apiVersion": "gatehold.dev/v1alpha1", "kind": "ApprovalRequest",
                "metadata": {"name": name, "namespace": "shop"}, "spec": whole}  # fmt: skip
        user = self.plane.user(by)
        created: Json = json.loads(
            self.plane.kubectl("create", "-o", "json", "-f", "-", user=user, stdin=json.dumps(body)).stdout
        )
        return created

    def job(self, name: str, hold: str = "prod", image: str = "example.org/migrate:4.2") -> Json:
        """Create a held Job as ci."""
        pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": image, "command": ["migrate", "--all"]}]}
        body = {"apiVersion": "batch/v1", "kind": "Job",
                "metadata": {"name": name, "namespace": "shop", "labels": {"gatehold.dev/hold": hold} if hold else {}},
                "spec": {"suspend": True, "template": {"spec": pod}}}  # fmt: skip
        made = self.plane.kubectl("create", "-o", "json", "-f", "-", user=self.plane.user("ci"), stdin=json.dumps(body))
        found: Json = json.loads(made.stdout)
        return found

    # ---- the operator's part

    def status(self, name: str, **members: Any) -> Json:
        """Write members of a status as the operator."""
        kubeconfig = str(self.operator.kubeconfig)

        async def write() -> Json:
            async with await Cluster.connect(kubeconfig=kubeconfig, timeout=PATIENCE) as cluster:
                return await cluster.patch_status(REQUESTS, "shop", name, {"status": members})

        return asyncio.run(write())

    def prepare(self, name: str, quorum: list[Json] | None = None, minutes: int = 60, *, read: Json | None = None) -> Json:
        """Pending with digest, quorum, what was read, deadline and escalation, as the operator writes it."""
        body = self.get("apr", name)
        under = body["spec"]["policyRef"]["name"]
        policy = json.loads(self.plane.kubectl("get", "apol", under, "-o", "json").stdout)
        read = self._read(body) if read is None else read
        now = datetime.now(UTC)
        digest = policy_digest(policy["spec"])
        wanted = quorum or [{"role": "sre", "count": 1, "backups": ["duty"], "acceptedRoles": ["sre"]},
                            {"role": "finance", "count": 1, "acceptedRoles": ["finance"]}]  # fmt: skip
        snapshot = {"name": under, "uid": policy["metadata"]["uid"], "generation": policy["metadata"]["generation"],
                    "digest": digest, "validitySeconds": 3600, "retentionSeconds": 86400}  # fmt: skip
        due = now + timedelta(minutes=minutes)
        waiting = [_condition(kind, value) for kind, value in (("Ready", "False"), ("Held", "True"), ("Approved", "False"))]
        return self.status(
            name,
            observedGeneration=1,
            phase="Pending",
            requestDigest=request_digest(body["metadata"]["uid"], body["spec"], read, digest),
            policy=snapshot,
            quorum=wanted,
            **({"resolved": read} if read else {}),
            approvals=f"0/{sum(entry['count'] for entry in wanted)}",
            preparedAt=stamp(now),
            deadline=stamp(due),
            escalations=[{"afterSeconds": 1800, "at": stamp(now + timedelta(minutes=30)), "roles": ["duty"]}],
            conditions=waiting,
        )

    def _read(self, body: Json) -> Json:
        effect = body["spec"].get("effect") or {}
        if effect.get("type") == "Drain":
            found = [ResolvedNode(node["name"], node["uid"], "gpu") for node in effect["drain"]["nodes"]]
            return render_resolved(Resolved(nodes=tuple(found), drain=ResolvedDrain(3, 1, ("Deployment shop/web: 3 pods",))))
        if effect.get("type") != "Release":
            return {}
        undo = (effect.get("release") or {}).get("undo")
        jobs = [self.get("job", body["spec"]["subject"]["name"]), self.get("job", undo["name"]) if undo else None]
        first, second = (resolved(job) if job else None for job in jobs)
        return render_resolved(Resolved(first, second))

    def record(self, name: str) -> list[Json]:
        """The ledger that the annotations give."""
        verdicts = parse_verdicts(self.get("apr", name)["metadata"].get("annotations"))
        return [
            {"id": v.id, "verdict": str(v.word), "digest": v.digest, "role": v.role, "username": v.username,
             "option": v.option, "comment": v.comment, "observedAt": stamp(datetime.now(UTC)), "counted": True}
            for v in verdicts
        ]  # fmt: skip

    def end(self, name: str, phase: str, by: str = "People", **members: Any) -> Json:
        """Write a phase with its decision and the record that backs it."""
        now = datetime.now(UTC)
        decision = {"outcome": phase, "by": by, "at": stamp(now), "reason": "QuorumMet", "message": "as the test says"}
        ledger = self.record(name)
        fixed = {"decision": decision, "verdicts": ledger, **members}
        return self.status(name, phase=phase, **fixed)


def _condition(kind: str, value: str) -> Json:
    return {"type": kind, "status": value, "reason": "AwaitingApproval", "message": "",
            "lastTransitionTime": stamp(datetime.now(UTC)), "observedGeneration": 1}  # fmt: skip


def stamp(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
