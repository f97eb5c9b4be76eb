"""What a drain is measured on: a node of its own with its pods, drained by the operator or by `kubectl drain`."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from bench import stage
from bench.rig import Rig, metrics
from bench.seen import Seen, watching
from bench.stage import NAMESPACE, PATIENCE, Hands
from gatehold.kube.resources import BUDGETS, GATES, LEASES, NODES, PODS, POLICIES, REQUESTS, Resource

Body = dict[str, Any]
GATE: Final = "bench-drains"
_OF: Final = "bench.example.org/node"
_CLUSTER_ROLES: Final = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", False, "ClusterRole")
_BINDINGS: Final = Resource("rbac.authorization.k8s.io", "v1", "clusterrolebindings", False, "ClusterRoleBinding")
_EVERYTHING: Final = [{"operator": "Exists"}]
_WRITTEN: Final = re.compile(r'^gatehold_writes_total\{resource="(\w+)"\} (\S+)$', re.MULTILINE)
_EVICTED: Final = re.compile(
    r'^apiserver_request_total\{(?=[^}]*resource="pods")(?=[^}]*subresource="eviction")([^}]*)\} (\S+)$', re.MULTILINE
)


async def begin(who: Hands) -> None:
    """A policy that one word decides, a Gate that asks under it, and the right to ask."""
    spec = {"quorum": [{"role": "sre"}], "effects": ["Drain"], "onUnknownRequester": "Allow"}
    await _apply(who, POLICIES, {"metadata": {"name": GATE}, "spec": spec})
    gate = {"type": "Drains", "policyRef": {"name": GATE}, "drains": {"namespace": NAMESPACE}}
    await _apply(who, GATES, {"metadata": {"name": GATE}, "spec": gate})
    rule = {"apiGroups": [""], "resources": ["nodes"], "verbs": ["drain"]}
    await _apply(who, _CLUSTER_ROLES, {"metadata": {"name": GATE}, "rules": [rule]})
    subject = {"kind": "User", "name": "ci", "apiGroup": _CLUSTER_ROLES.group}
    ref = {"apiGroup": _CLUSTER_ROLES.group, "kind": _CLUSTER_ROLES.kind, "name": GATE}
    await _apply(who, _BINDINGS, {"metadata": {"name": GATE}, "roleRef": ref, "subjects": [subject]})


async def _apply(who: Hands, resource: Resource, body: Body) -> None:
    await who.admin.apply(resource, None, {"apiVersion": resource.api_version, "kind": resource.kind, **body})


@asynccontextmanager
async def full_node(rig: Rig, count: int, *, gated: bool, blocked: bool) -> AsyncIterator[tuple[str, list[str], Seen]]:
    """A new node with so many running pods: its name, theirs, and when each of them was gone. `remove` ends all of them."""
    (node,) = await asyncio.to_thread(rig.plane.add_fake_nodes, 1)
    change: Body = {"spec": {"taints": [{"key": _OF, "effect": "NoSchedule"}]}}
    change["metadata"] = {"labels": {_OF: node} | ({"gatehold.dev/drain": GATE} if gated else {})}
    await rig.who.admin.merge_patch(NODES, None, node, change)
    names = [f"{node}-{number}" for number in range(count)]
    selector = f"{_OF}={node}"
    async with (
        watching(rig.who.admin, PODS, NAMESPACE, _runs, selector) as running,
        watching(rig.who.admin, PODS, NAMESPACE, _gone, selector) as gone,
    ):
        await asyncio.gather(*(rig.who.patiently(_pod, rig.who, node, name) for name in names))
        await running.wait(names, PATIENCE)
        if blocked:
            await _block(rig.who, node, count)
        yield node, names, gone


async def remove(who: Hands) -> None:
    """Delete the nodes; not before the last round, since the next one's would have the same names."""
    for node in await who.admin.list_all(NODES, None, _OF):
        await who.admin.delete(NODES, None, node["metadata"]["name"])


async def _pod(who: Hands, node: str, name: str) -> None:
    """A pod of nobody's, so that nothing makes another while it is measured."""
    spec = {
        "nodeName": node,
        "tolerations": _EVERYTHING,
        "terminationGracePeriodSeconds": 1,
        "containers": [{"name": "main", "image": "example.org/web:1"}],
    }
    await who.admin.create(PODS, NAMESPACE, {"metadata": {"name": name, "labels": {_OF: node}}, "spec": spec})


async def _block(who: Hands, node: str, count: int) -> None:
    """A budget that lets no pod of the node go, counted by its controller."""
    spec = {"minAvailable": count, "selector": {"matchLabels": {_OF: node}}}
    await who.admin.create(BUDGETS, NAMESPACE, {"metadata": {"name": node}, "spec": spec})
    async with asyncio.timeout(PATIENCE):
        while True:
            if (await who.admin.get(BUDGETS, NAMESPACE, node)).get("status", {}).get("expectedPods") == count:
                return
            await asyncio.sleep(0.1)


async def free(who: Hands, node: str, at: float) -> None:
    """Take the budget away at that time."""
    await asyncio.sleep(max(0.0, at - time.perf_counter()))
    await who.admin.delete(BUDGETS, NAMESPACE, node)


async def ask(rig: Rig, node: str) -> str:
    """Ask for its drain, and wait until people can answer."""
    uid = (await rig.who.admin.get(NODES, None, node))["metadata"]["uid"]
    drain = {"nodes": [{"name": node, "uid": uid}], "evictUnmanagedPods": True}
    spec = {"policyRef": {"name": GATE}, "effect": {"type": "Drain", "drain": drain}}
    name = f"drain-{uid}"
    await rig.who.ci.create(REQUESTS, NAMESPACE, {"metadata": {"name": name}, "spec": spec})
    await stage.prepared(rig.who, name)
    return name


async def released(who: Hands, request: str) -> None:
    """Wait until the operator has said that the node is drained."""
    async with asyncio.timeout(PATIENCE):
        while True:
            meta = (await who.admin.get(REQUESTS, NAMESPACE, request))["metadata"]
            if "gatehold.dev/done" in (meta.get("labels") or {}):
                return
            await asyncio.sleep(0.1)


async def kubectl_drain(rig: Rig, node: str) -> None:
    """The real program, to its end."""
    argv = [str(rig.plane.kubectl_program), "drain", node, "--force", "--ignore-daemonsets", "--delete-emptydir-data"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*argv, env=rig.plane.environment(), stdout=pipe, stderr=pipe)
    _, said = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"kubectl drain: {said.decode()[-500:]}")


async def evictions(rig: Rig) -> tuple[float, float]:
    """Evictions that the API server has taken, and refused, since it started."""
    text = await asyncio.to_thread(lambda: rig.plane.kubectl("get", "--raw", "/metrics").stdout)
    found = [(labels, float(count)) for labels, count in _EVICTED.findall(text)]
    taken = sum(count for labels, count in found if 'code="201"' in labels)
    return taken, sum(count for _, count in found) - taken


async def written(rig: Rig) -> float:
    """All writes of the operator that the API server has taken, apart from Leases."""
    text = await asyncio.to_thread(metrics, rig.operator)
    return sum(float(count) for resource, count in _WRITTEN.findall(text) if resource != LEASES.plural)


def _runs(kind: str, pod: Body) -> str:
    return pod["metadata"]["name"] if pod.get("status", {}).get("phase") == "Running" else ""


def _gone(kind: str, pod: Body) -> str:
    return pod["metadata"]["name"] if kind == "DELETED" else ""


__all__: Sequence[str] = (
    "ask",
    "begin",
    "evictions",
    "free",
    "full_node",
    "kubectl_drain",
    "released",
    "remove",
    "written",
)
