"""The toy world's nodes, pods, budgets and Leases: what the API server does with the writes of a drain."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from gatehold.domain.nodes import (
    Block,
    Blocked,
    CloseNode,
    CordonNode,
    DrainFacts,
    DropLease,
    EvictPods,
    LeaseFacts,
    NodeFacts,
    PodToEvict,
    TakeLease,
    UncordonNode,
)
from gatehold.domain.plan import Write
from gatehold.domain.status import NodeState, Status

TAINT = "node.kubernetes.io/unschedulable=:NoSchedule"
AGAIN = {Block.BUDGET: timedelta(seconds=5), Block.TWO_BUDGETS: timedelta(seconds=60), Block.NAMESPACE: timedelta(seconds=5)}


@dataclass(frozen=True)
class Cordon:
    """A cordon that landed: on which node as it was before, and the status of that moment."""

    before: NodeFacts
    status: Status


@dataclass(frozen=True)
class Eviction:
    """An eviction that landed, and the status of that moment."""

    pod: PodToEvict
    status: Status


@dataclass
class Nodes:
    """All nodes by name, with their pods. `blocks` says which pods a budget holds; `cordons` and `evictions` what landed."""

    uid: str
    mark: str
    policy: str = "prod"
    namespace: str = "ops"
    nodes: dict[str, NodeFacts] = field(default_factory=dict)
    leases: dict[str, LeaseFacts] = field(default_factory=dict)
    blocks: dict[str, Block] = field(default_factory=dict)
    cordons: list[Cordon] = field(default_factory=list)
    evictions: list[Eviction] = field(default_factory=list)
    version: int = 100

    def facts(self) -> DrainFacts:
        """All of it, as the operator reads it."""
        return DrainFacts(tuple(self.nodes.values()), tuple(self.leases.values()), self.policy, self.namespace)

    def change(self, name: str, **changes: object) -> None:
        """Somebody changes a node."""
        self.version += 1
        self.nodes[name] = replace(self.nodes[name], **{"resource_version": str(self.version)} | changes)

    def write(self, write: Write, now: datetime, status: Status, most: int = 9999) -> bool:
        """One write of the operator; False is a conflict. `most` pods are evicted before the operator dies."""
        match write:
            case TakeLease(node):
                lease = self.leases.setdefault(node.name, LeaseFacts(node.name, node.uid, self.uid, self.mark))
                return lease.holder == self.uid
            case CordonNode(node):
                return self._cordon(node, status)
            case EvictPods(pods):
                for pod in pods[:most]:
                    self._evict(pod, now, status)
                return most >= len(pods)
            case CloseNode(node):
                assert not node.released_by, "the wall refuses that"
                return self._patch(node, request=self.mark)
            case UncordonNode():
                return self._uncordon(write, status)
            case DropLease(lease):
                if lease.node in self.leases and self.leases[lease.node].holder == self.uid:
                    del self.leases[lease.node]
                return True
        raise AssertionError(write)

    def _patch(self, node: NodeFacts, **changes: object) -> bool:
        found = self.nodes.get(node.name)
        if found is None or (found.uid, found.resource_version) != (node.uid, node.resource_version):
            return False
        self.change(node.name, **changes)
        return True

    def _cordon(self, node: NodeFacts, status: Status) -> bool:
        before = self.nodes.get(node.name)
        taints = node.taints if TAINT in node.taints else (*node.taints, TAINT)
        changes = {"unschedulable": True, "released_by": self.uid, "request": self.mark, "taints": taints}
        landed = self._patch(node, **changes)
        if landed and before is not None:
            self.cordons.append(Cordon(before, status))
        return landed

    def _uncordon(self, write: UncordonNode, status: Status) -> bool:
        node, effect = write.node, status.effect
        row = next((row for row in (effect.nodes if effect is not None else ()) if row.name == node.name), None)
        assert row is None or row.state is not NodeState.DRAINED, "what is drained stays"
        changes: dict[str, object] = {"released_by": "", "request": ""}
        if write.uncordon:
            changes |= {"unschedulable": False, "cordoned_by": ""}
        if write.drop_taint:
            changes["taints"] = tuple(taint for taint in node.taints if taint != TAINT)
        return self._patch(node, **changes)

    def _evict(self, pod: PodToEvict, now: datetime, status: Status) -> None:
        """A pod that is gone is no error; a blocked one is remembered, as the operator's hands do."""
        found = self.nodes.get(pod.node)
        if found is None or pod.uid not in {one.uid for one in found.pods or ()}:
            return
        kind = self.blocks.get(pod.uid)
        answer = Blocked(kind, f"{kind.value} of {pod.name}", now, now + AGAIN[kind]) if kind is not None else None
        self.set_pod(pod, blocked=answer, terminating=answer is None)
        if answer is None:
            self.evictions.append(Eviction(pod, status))

    def set_pod(self, pod: PodToEvict, **changes: object) -> None:
        """A pod changes, which does not change its node."""
        pods = tuple(replace(p, **changes) if p.uid == pod.uid else p for p in self.nodes[pod.node].pods or ())
        self.nodes[pod.node] = replace(self.nodes[pod.node], pods=pods)

    def drop_pods(self, name: str, *, only_leaving: bool = True) -> None:
        """Pods that were told to go are gone."""
        pods = self.nodes[name].pods
        left = tuple(pod for pod in pods or () if only_leaving and not pod.terminating)
        self.nodes[name] = replace(self.nodes[name], pods=left if pods is not None else None)

    def add_pod(self, pod: PodToEvict) -> None:
        """A pod comes."""
        found = self.nodes[pod.node]
        self.nodes[pod.node] = replace(found, pods=(*(found.pods or ()), pod))

    def snapshot(self) -> tuple[object, ...]:
        """All that can be seen of it."""
        return (dict(self.nodes), dict(self.leases))
