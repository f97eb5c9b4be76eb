"""The hands of effect Release on Nodes, a held `kubectl drain`: they read, and take the cordon back in an undo."""

from gatehold.api.budgets import Budget
from gatehold.controllers.effects.drain import write_node
from gatehold.controllers.effects.node_reads import NodeReads, rights_needed
from gatehold.domain.effects.drain_evidence import evidence
from gatehold.domain.model import Request
from gatehold.domain.nodes import NodeFacts, UncordonNode
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Facts, Write
from gatehold.domain.status import Resolved, ResolvedNode, Status
from gatehold.kube.resources import NODES
from gatehold.runtime.parts import Runtime


class NodeHands:
    """Reads one node and its pods."""

    def __init__(self, runtime: Runtime) -> None:
        """Use the runtime's cache of nodes, and its account."""
        self._runtime = runtime
        self._reads = NodeReads(runtime)

    def knows(self, request: Request) -> bool:
        """Nodes only."""
        return request.subject is not None and request.subject.kind == NODES.kind

    async def resolve(self, request: Request) -> tuple[Facts, Resolved]:
        """Read it live, with everything on it."""
        with rights_needed():
            budgets = await self._reads.budgets()
            node = await self._live(request, budgets)
        if node is None:
            return Facts(), Resolved()
        gate = node.gate.name if node.gate is not None else ""
        seen = ResolvedNode(node.name, node.uid, gate, node.unschedulable)
        shown = evidence((node,), (budget.facts for budget in budgets))
        return Facts(node=node), Resolved(nodes=(seen,), drain=shown)

    async def facts(self, request: Request, status: Status) -> Facts:
        """The node as cached while people are asked; from the answer on as it is, and while it is drained its pods."""
        name = _name(request)
        if status.phase is Phase.APPROVED:
            return Facts(node=await self._live(request, ()))
        live = frozenset[str]() if status.phase in (Phase.UNSET, Phase.PENDING) else frozenset({name})
        found = await self._reads.nodes((name,), live=live)
        return Facts(node=self._reads.facts(found[0]) if found else None)

    async def write(self, request: Request, write: Write) -> None:
        """The uncordon of the undo."""
        if not isinstance(write, UncordonNode):
            raise TypeError(f"a held drain has no write {type(write).__name__}")
        await write_node(self._runtime, self._reads, request, write)

    async def _live(self, request: Request, budgets: tuple[Budget, ...]) -> NodeFacts | None:
        body = await self._reads.node(_name(request))
        if body is None:
            return None
        name = str(body["metadata"]["name"])
        return self._reads.facts(body, (await self._reads.pods((name,), budgets))[name])


def _name(request: Request) -> str:
    return request.subject.name if request.subject is not None else ""
