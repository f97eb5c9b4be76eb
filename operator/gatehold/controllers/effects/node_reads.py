"""What the hands of both effects on nodes read: nodes, their pods, budgets, Leases and Gates. Nothing is written here."""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gatehold.api import budgets, drain_pods, gate, maintenance, node
from gatehold.api.budgets import Budget
from gatehold.api.common import ParseError
from gatehold.api.refusal import shown
from gatehold.domain.model import GateType
from gatehold.domain.nodes import Blocked, GateOfNode, LeaseFacts, NodeFacts, PodToEvict
from gatehold.kube.errors import Absent, ApiError, Forbidden
from gatehold.kube.resources import BUDGETS, LEASES, NODES, PODS
from gatehold.runtime.parts import Runtime

Body = dict[str, Any]
_AT_ONCE = 16
_BAD_REQUEST = 400


@contextlib.contextmanager
def rights_needed() -> Iterator[None]:
    """Have a request say it where this operator was not given what drains take. Raises ParseError then."""
    try:
        yield
    except Forbidden as error:
        raise ParseError(f"it lacks the rights of ClusterRole gatehold-operator-drains: {shown(error.message)}") from error


class NodeReads:
    """Reads for one operator."""

    def __init__(self, runtime: Runtime) -> None:
        """Use the runtime's caches, and its account."""
        self._runtime = runtime
        self._doubted = set[str]()

    # ---- nodes

    def doubt(self, name: str) -> None:
        """The cache has not heard yet that the node is gone: read it live the next time."""
        self._doubted.add(name)

    async def nodes(self, names: Iterable[str], *, live: frozenset[str] | None = None) -> list[Body]:
        """Those of the nodes that are there: from the API server where it is asked for (None: all) or the cache has none."""
        slots = asyncio.Semaphore(_AT_ONCE)

        async def one(name: str) -> Body | None:
            kept = live is not None and name not in live and name not in self._doubted
            cached = self._runtime.nodes.get("", name) if kept else None
            if cached is not None:
                return cached
            async with slots:
                return await self.node(name)

        found = await asyncio.gather(*(one(name) for name in names))
        return [body for body in found if body is not None]

    async def node(self, name: str) -> Body | None:
        """The node as it is now; None where it is gone."""
        self._doubted.discard(name)
        try:
            body = await self._runtime.cluster.get(NODES, None, name)
        except Absent:
            return None
        self._runtime.answered(NODES, body)  # what somebody changed is no news to the watch any more, but to others it is
        return body

    async def selected(self, labels: Iterable[tuple[str, str]], most: int) -> tuple[list[Body], bool]:
        """The nodes with these labels, and whether there are more than that. Raises ParseError for what are no labels."""
        selector = ",".join(f"{key}={value}" for key, value in labels)
        found = list[Body]()
        try:
            async for page in self._runtime.cluster.list_pages(NODES, label_selector=selector):
                found += page.items
                if len(found) > most:
                    return found[:most], True
        except ApiError as error:
            if error.status != _BAD_REQUEST:
                raise
            raise ParseError(f"spec.effect.drain.selector: {shown(error.message)}") from error
        return found, False

    def facts(self, body: Body, pods: tuple[PodToEvict, ...] | None = None) -> NodeFacts:
        """A node as the core sees it."""
        return node.facts(body, self._gate(node.gate_of(body)), pods)

    def _gate(self, name: str | None) -> GateOfNode | None:
        """The Gate that a label names; one that cannot be used is there, and says why."""
        if name is None:
            return None
        body = self._runtime.gates.get("", name)
        if body is None:
            return GateOfNode(name, why=f"there is no Gate {name}")
        try:
            if gate.type_of(body) != GateType.DRAINS:
                return GateOfNode(name, why=f"Gate {name} is not of type {GateType.DRAINS}")
            return GateOfNode(name, gate.parse_drains(body))
        except ParseError as error:
            return GateOfNode(name, why=f"Gate {name} cannot be read: {error}")

    # ---- what is on them

    async def pods(
        self, nodes: Iterable[str], known: Iterable[Budget] = (), blocked: Mapping[str, Blocked] | None = None
    ) -> dict[str, tuple[PodToEvict, ...]]:
        """All pods of these nodes, by node."""
        slots, read = asyncio.Semaphore(_AT_ONCE), tuple(known)

        async def one(name: str) -> tuple[str, tuple[PodToEvict, ...]]:
            async with slots:
                bodies = await self.pod_bodies(name)
            return name, drain_pods.facts(bodies, read, blocked)

        return dict(await asyncio.gather(*(one(name) for name in nodes)))

    async def pod_bodies(self, name: str) -> list[Body]:
        """All pods of a node."""
        pages = self._runtime.cluster.list_pages(PODS, field_selector=f"spec.nodeName={name}")
        return [body async for page in pages for body in page.items]

    async def budgets(self, namespace: str | None = None) -> tuple[Budget, ...]:
        """Every PodDisruptionBudget of a namespace, or of all."""
        return tuple(budgets.parse(body) for body in await self._runtime.cluster.list_all(BUDGETS, namespace))

    async def leases(self, names: Iterable[str]) -> tuple[LeaseFacts, ...]:
        """The Leases of those nodes that are under maintenance."""
        wanted = frozenset(names)
        if not wanted:
            return ()
        listed = await self._runtime.cluster.list_all(LEASES, self._runtime.settings.namespace, maintenance.SELECTOR)
        found = (lease.facts for body in listed if (lease := maintenance.read(body)) is not None)
        return tuple(lease for lease in found if lease.node in wanted)
