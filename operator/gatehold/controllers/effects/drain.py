"""The hands of effect Drain: a write on a node is guarded by uid and resourceVersion, an eviction by the pod's uid."""

from dataclasses import replace
from typing import Any

from gatehold.api import maintenance
from gatehold.api.maintenance import Maintenance
from gatehold.api.node import CORDONED_BY, RELEASED_BY, REQUEST, UNSCHEDULABLE
from gatehold.controllers.effects.evictions import Evictions
from gatehold.controllers.effects.node_reads import NodeReads, rights_needed
from gatehold.domain.effects.drain_evidence import resolved
from gatehold.domain.model import DrainSpec, Request
from gatehold.domain.nodes import (
    CloseNode,
    CordonNode,
    DrainFacts,
    DropLease,
    EvictPods,
    LeaseFacts,
    NodeFacts,
    TakeLease,
    UncordonNode,
)
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Facts, Write
from gatehold.domain.status import NodeState, Resolved, Status
from gatehold.kube.errors import Absent, AlreadyExists, Conflict
from gatehold.kube.resources import LEASES, NODES
from gatehold.runtime.parts import Runtime

Body = dict[str, Any]
MOST_NODES = 256
_ENDED = (NodeState.DRAINED, NodeState.UNCORDONED, NodeState.FAILED)


class DrainHands:
    """Reads and writes nodes, evicts their pods."""

    def __init__(self, runtime: Runtime) -> None:
        """Use the runtime's cache of nodes, and its account."""
        self._runtime = runtime
        self._reads = NodeReads(runtime)
        self._evictions = Evictions(runtime, self._reads)

    def knows(self, request: Request) -> bool:
        """Whatever says which nodes."""
        return request.effect.drain is not None

    async def resolve(self, request: Request) -> tuple[Facts, Resolved]:
        """Read the nodes live, with everything on them: what is shown must not be older than the question."""
        with rights_needed():
            facts = await self._read_all(request.effect.drain or DrainSpec())
        return Facts(drain=facts), resolved(facts)

    async def facts(self, request: Request, status: Status) -> Facts:
        """The nodes, live where this request is at work on them, and the pods of those that it has cordoned."""
        names = _names(request, status)
        bodies = await self._reads.nodes(names, live=_at_work(status))
        nodes = [self._reads.facts(body) for body in bodies]
        if status.phase is Phase.APPROVED:
            nodes = await self._with_pods(request, status, nodes)
        leases = await self._reads.leases(names)
        return Facts(drain=replace(self._settings(), nodes=tuple(nodes), leases=leases))

    async def write(self, request: Request, write: Write) -> None:
        """One write, and what it answers into the cache."""
        match write:
            case EvictPods():
                await self._evictions.carry_out(write)
            case TakeLease():
                await self._take_lease(request, write.node)
            case DropLease():
                await self._drop_lease(request, write.lease)
            case CordonNode() | CloseNode() | UncordonNode():
                await write_node(self._runtime, self._reads, request, write)
            case _:
                raise TypeError(f"a drain has no write {type(write).__name__}")

    # ---- reading

    async def _read_all(self, spec: DrainSpec) -> DrainFacts:
        bodies, too_many = await self._asked_for(spec)
        if too_many:
            return replace(self._settings(), too_many=True)
        names = [str(body["metadata"]["name"]) for body in bodies]
        budgets = await self._reads.budgets() if names else ()
        pods = await self._reads.pods(names, budgets)
        return replace(
            self._settings(),
            nodes=tuple(self._reads.facts(body, pods[name]) for name, body in zip(names, bodies, strict=True)),
            leases=await self._reads.leases(names),
            budgets=tuple(budget.facts for budget in budgets),
        )

    async def _asked_for(self, spec: DrainSpec) -> tuple[list[Body], bool]:
        if spec.match_labels:
            return await self._reads.selected(spec.match_labels, MOST_NODES)
        return await self._reads.nodes(ref.name for ref in spec.nodes), False

    async def _with_pods(self, request: Request, status: Status, nodes: list[NodeFacts]) -> list[NodeFacts]:
        """Read the pods of the nodes that are being drained: it has cordoned them, whether that is recorded or not."""
        over = {entry.name for entry in status.effect.nodes if entry.state in _ENDED} if status.effect is not None else set()
        ours = [node.name for node in nodes if node.released_by == request.uid and node.name not in over]
        pods = await self._reads.pods(ours, blocked=self._evictions.memory.blocked())
        return [replace(node, pods=pods.get(node.name)) for node in nodes]

    def _settings(self) -> DrainFacts:
        """What holds for nodes that no Gate has."""
        settings = self._runtime.settings
        return DrainFacts(policy=settings.drain_policy or "", namespace=settings.drain_namespace or settings.namespace)

    # ---- Leases

    async def _take_lease(self, request: Request, node: NodeFacts) -> None:
        """To make it is to take it. Where another request was faster, the facts tell of it from then on."""
        namespace = self._runtime.settings.namespace
        body = maintenance.lease(node.name, node.uid, request, namespace)
        try:
            await self._runtime.cluster.create(LEASES, namespace, body)
        except AlreadyExists as error:
            found = await self._lease(node.name)
            if found is None or (found.facts.holder, found.facts.node_uid) != (request.uid, node.uid):
                raise Conflict(f"the Lease of node {node.name} is held by another", status=409) from error

    async def _drop_lease(self, request: Request, lease: LeaseFacts) -> None:
        """Give it away, if this request holds it still."""
        found = await self._lease(lease.node)
        if found is None or found.facts.holder != request.uid:
            return
        namespace = self._runtime.settings.namespace
        try:
            await self._runtime.cluster.delete(
                LEASES, namespace, found.name, uid=found.uid, resource_version=found.resource_version
            )
        except Absent:
            return

    async def _lease(self, node: str) -> Maintenance | None:
        namespace = self._runtime.settings.namespace
        try:
            return maintenance.read(await self._runtime.cluster.get(LEASES, namespace, maintenance.name_of(node)))
        except Absent:
            return None


async def write_node(
    runtime: Runtime, reads: NodeReads, request: Request, write: CordonNode | CloseNode | UncordonNode
) -> None:
    """One guarded patch of a node. One that is gone is no error, and a newer one is seen when it is decided again."""
    node = write.node
    try:
        patch = await _patch(runtime, request, write)
        answer = await runtime.cluster.merge_patch(NODES, None, node.name, patch)
    except Absent:
        reads.doubt(node.name)
    except Conflict:
        await reads.node(node.name)
        raise
    else:
        runtime.answered(NODES, answer)  # it is no news to the watch any more, but to whoever else waits for the node it is


async def _patch(runtime: Runtime, request: Request, write: CordonNode | CloseNode | UncordonNode) -> Body:
    """The merge patch: null takes away, and a list is written whole."""
    node, asked = write.node, request.address
    meta: Body = {"uid": node.uid, "resourceVersion": node.resource_version}
    match write:
        case CordonNode():
            meta["annotations"] = {RELEASED_BY: request.uid, REQUEST: asked}
            return {"metadata": meta, "spec": {"unschedulable": True}}
        case CloseNode():
            meta["annotations"] = {REQUEST: asked}
            return {"metadata": meta}
        case UncordonNode():
            meta["annotations"] = {RELEASED_BY: None, REQUEST: None}
            if not write.uncordon:
                return {"metadata": meta}
            meta["annotations"] |= {CORDONED_BY: None} if node.cordoned_by else {}
            taints = {"taints": await _other_taints(runtime, node)} if write.drop_taint else {}
            return {"metadata": meta, "spec": {"unschedulable": None, **taints}}


async def _other_taints(runtime: Runtime, node: NodeFacts) -> list[Body] | None:
    """The taints of that very version of the node, without the one that a cordon brings."""
    body = runtime.nodes.by_uid(node.uid)
    if body is None or body["metadata"]["resourceVersion"] != node.resource_version:
        body = await runtime.cluster.get(NODES, None, node.name)
    if body["metadata"]["resourceVersion"] != node.resource_version:
        raise Conflict(f"node {node.name} has changed", status=409)
    return [taint for taint in body["spec"].get("taints") or () if taint["key"] != UNSCHEDULABLE] or None


def _names(request: Request, status: Status) -> tuple[str, ...]:
    """The nodes that were resolved; before that, those that are named."""
    if status.effect is not None and status.effect.nodes:
        return tuple(entry.name for entry in status.effect.nodes)
    if status.resolved is not None and status.resolved.nodes:
        return tuple(entry.name for entry in status.resolved.nodes)
    return tuple(ref.name for ref in request.effect.drain.nodes) if request.effect.drain is not None else ()


def _at_work(status: Status) -> frozenset[str]:
    """The nodes that are read live: those under work, and in an undo all that are not put back yet."""
    if status.effect is None:
        return frozenset()
    rest = (NodeState.DRAINED,) if status.phase is Phase.APPROVED else ()
    waits = (NodeState.WAITING,) if status.phase is Phase.APPROVED else ()
    skipped = (*waits, *rest, NodeState.UNCORDONED)
    return frozenset(entry.name for entry in status.effect.nodes if entry.state not in skipped)
