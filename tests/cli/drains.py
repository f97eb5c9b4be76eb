"""Requests about nodes for tests of the CLI: drains of any kind of status, and somebody's held `kubectl drain`."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from gatehold.api.approval_request import parse
from gatehold.api.digest import request_digest
from gatehold.api.maintenance import lease, name_of
from gatehold.kube.client import Cluster
from gatehold.kube.resources import LEASES, NODES
from tests.cli.bodies import request
from tests.cli.stage import PATIENCE, Stage, stamp

SYSTEM = "gatehold-system"
Json = dict[str, Any]
SINCE = "2030-01-01T11:20:00Z"
STARTED = "2030-01-01T11:10:00Z"
VALID = "2030-01-01T12:00:00Z"


def node(name: str, state: str = "", **more: Any) -> Json:
    """One line of status.effect.nodes."""
    return {"name": name, "uid": f"uid-{name}", "state": state, **more}


def resolved(*names: str, **drain: Any) -> Json:
    """What the operator read of these nodes."""
    found = {"pods": 14, "skipped": 2, "owners": ["Deployment shop/web: 3 pods"],
             "budgets": ["shop/web: 1 disruption allowed now, of 3 pods"],
             "losses": ["shop/cache-0: its emptyDir is lost"], **drain}  # fmt: skip
    nodes = [{"name": name, "uid": f"uid-{name}", "gate": "gpu"} for name in names]
    return {"nodes": nodes, "drain": found}


def drain_request(
    *names: str, phase: str = "Pending", nodes: tuple[Json, ...] = (), spec: Json | None = None, status: Json | None = None
) -> Json:
    """A drain of these nodes; `nodes` are the lines of its effect."""
    names = names or ("n1", "n2")
    drain = {"nodes": [{"name": name, "uid": f"uid-{name}"} for name in names], **(spec or {})}
    state: Json = {"phase": phase, "resolved": resolved(*names), **(status or {})}
    if nodes:
        effect = {"type": "Drain", "state": "Running", "startedAt": STARTED, "nodes": list(nodes)}
        state["effect"] = effect | (status or {}).get("effect", {})
    if phase not in ("", "Pending"):
        state.setdefault("validUntil", VALID)
    asked = {
        "effect": {"type": "Drain", "drain": drain},
        "summary": "drain n1, n2: kernel update",
        "requester": {"username": "dora"},
    }
    body = request(spec=asked, status=state)
    del body["spec"]["subject"]
    return resigned(body)


def held_request(phase: str = "Pending", *, status: Json | None = None) -> Json:
    """alice's `kubectl drain n1`, held."""
    subject = {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "uid-n1"}
    asked = {"effect": {"type": "Release"}, "subject": subject, "summary": "drain of n1 by alice: 14 pods",
             "requester": {"username": "alice"}}  # fmt: skip
    body = request(spec=asked, status={"phase": phase, **(status or {})})
    body["metadata"]["labels"] = {"gatehold.dev/gate": "gpu"}
    return resigned(body)


def resigned(body: Json) -> Json:
    """The same with the digest of what it says now."""
    status = body["status"]
    status["requestDigest"] = request_digest(
        body["metadata"]["uid"], body["spec"], status.get("resolved") or {}, status["policy"]["digest"]
    )
    return body


class Played:
    """A drain on a real API server, its status written by the operator's hand. One person of role sre is asked."""

    def __init__(self, stage: Stage, name: str) -> None:
        self.stage, self.name = stage, name
        spec = stage.get("apr", name)["spec"]["effect"]["drain"]
        self.nodes = [{"name": node["name"], "uid": node["uid"]} for node in spec["nodes"]]

    @property
    def uid(self) -> str:
        return str(self.stage.get("apr", self.name)["metadata"]["uid"])

    def asked(self) -> None:
        """Pending: alice can answer."""
        self.stage.prepare(self.name, [{"role": "sre", "count": 1, "acceptedRoles": ["sre"]}])

    def approved(self) -> None:
        """alice says yes, and the operator takes it up."""
        self._says("approve", "go")
        self.stage.end(
            self.name, "Approved", validUntil=VALID.replace("2030", "2060"), effect=self._effect("Waiting"), approvals="1/1"
        )

    def says(self, state: str, **more: Any) -> None:
        """How far its nodes are."""
        self.stage.status(self.name, effect=self._effect("Running", state, **more))

    def released(self) -> None:
        """All of it is drained."""
        self.stage.status(self.name, phase="Released", effect=self._effect("Done", "Drained", podsLeft=0))

    def denied(self) -> None:
        """alice says no while it runs."""
        self._says("deny", "stop")
        known = self.stage.get("apr", self.name)["status"]["verdicts"]
        ledger = [*known, *self.stage.record(self.name)[len(known) :]]
        self.stage.end(
            self.name, "Denied", verdicts=ledger, conditions=[condition("Reconciling", "True", "Undoing", "being put back")]
        )

    def undone(self, message: str) -> None:
        """Put back, and verified."""
        said = [condition("Reconciling", "False", "Undone", ""), condition("RolledBack", "True", "Restored", message)]
        self.stage.status(self.name, conditions=said, effect=self._effect("Undone", "Uncordoned"))

    def cordoned(self, node: str) -> None:
        """The node as an approved drain leaves it: cordoned by the operator, its Lease held."""
        notes = {"gatehold.dev/released-by": self.uid, "gatehold.dev/request": f"shop/{self.name}"}
        patch = {"metadata": {"annotations": notes}, "spec": {"unschedulable": True}}
        self._write(lambda cluster: cluster.merge_patch(NODES, None, node, patch))
        request = parse(self.stage.get("apr", self.name))
        uid = next(found["uid"] for found in self.nodes if found["name"] == node)
        self._write(lambda cluster: cluster.create(LEASES, SYSTEM, lease(node, uid, request, SYSTEM)))

    def ends_maintenance(self, node: str) -> None:
        """What the operator does once it sees the node uncordoned."""
        self._write(lambda cluster: cluster.delete(LEASES, SYSTEM, name_of(node)))
        notes = dict.fromkeys(("gatehold.dev/released-by", "gatehold.dev/request"))
        self._write(lambda cluster: cluster.merge_patch(NODES, None, node, {"metadata": {"annotations": notes}}))

    def _says(self, word: str, why: str) -> None:
        """alice's word, in a process of its own: another command may be running in this one."""
        done = self.stage.program("alice", word, self.name, "-m", why, "--yes")
        assert done.returncode == 0, done.stderr

    def _effect(self, state: str, of_node: str = "Waiting", **more: Any) -> Json:
        nodes = [{**found, "state": of_node, "wasUnschedulable": False, **more} for found in self.nodes]
        started = {} if state == "Waiting" else {"startedAt": stamp(datetime.now(UTC))}
        return {"type": "Drain", "state": state, "nodes": nodes, **started}

    def _write(self, write: Callable[[Cluster], Awaitable[Json]]) -> None:
        kubeconfig = str(self.stage.operator.kubeconfig)

        async def run() -> None:
            async with await Cluster.connect(kubeconfig=kubeconfig, timeout=PATIENCE) as cluster:
                await write(cluster)

        asyncio.run(run())


def condition(kind: str, status: str, reason: str, message: str) -> Json:
    return {"type": kind, "status": status, "reason": reason, "message": message, "observedGeneration": 1,
            "lastTransitionTime": stamp(datetime.now(UTC))}  # fmt: skip
