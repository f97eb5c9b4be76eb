"""Which pods of a node have to go, which of them are in the way, what blocks them. Called by the drains' modules only."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from gatehold.domain.model import DrainSpec
from gatehold.domain.nodes import Block, Blocked, NodeFacts, PodToEvict

SOON, LATER = timedelta(seconds=1), timedelta(seconds=5)
"""How soon to look again: while pods are leaving, and where only others can change something."""

QUIET = timedelta(seconds=30)
"""After so long without any pod gone, LATER is soon enough."""

MOST = 256
"""Pods that one pass evicts: a no that comes in between is seen before the next."""

_NAMED = 3


@dataclass(frozen=True, slots=True)
class Load:
    """The pods of one node that still have to go, by what can be done about them."""

    left: tuple[PodToEvict, ...]
    due: tuple[PodToEvict, ...]
    leaving: bool
    in_the_way: tuple[str, ...]
    blocks: tuple[Blocked, ...]

    @property
    def blocked_by(self) -> str:
        """What holds the node up, fit for a status: the same as long as the same is first."""
        said = (*self.in_the_way, *sorted({block.by for block in self.blocks}))
        more = f"; and {len(said) - _NAMED} more" if len(said) > _NAMED else ""
        return "; ".join(text[:150] for text in said[:_NAMED]) + more

    @property
    def stuck_by_budgets(self) -> bool:
        """Whether a pod is covered by two budgets, which the API server never lets go."""
        return any(block.kind is Block.TWO_BUDGETS for block in self.blocks)

    def recheck(self, now: datetime, *, quiet: bool = False) -> datetime:
        """When to look at this node again. `quiet`: nothing has moved for a while, so nobody need look every second."""
        if self.due or (self.leaving and not quiet):
            return now + SOON
        return min((now + LATER, *(block.again_at for block in self.blocks if block.again_at > now)))


def is_evictable(pod: PodToEvict) -> bool:
    """Whether a drain has to see this pod gone. Mirror pods are the kubelet's, those of a DaemonSet come back at once."""
    return not pod.mirror and (pod.ended or not pod.daemon_set)


def load_of(node: NodeFacts, spec: DrainSpec, now: datetime) -> Load | None:
    """What is left on a node, or None where its pods were not read."""
    if node.pods is None:
        return None
    left = tuple(pod for pod in node.pods if is_evictable(pod))
    staying = [pod for pod in left if not pod.terminating]
    free = [pod for pod in staying if not missing_consent(pod, spec)]
    return Load(
        left,
        due=tuple(pod for pod in free if pod.blocked is None or pod.blocked.again_at <= now),
        leaving=len(staying) < len(left),
        in_the_way=tuple(needs(pod, field) for pod in staying if (field := missing_consent(pod, spec))),
        blocks=tuple(pod.blocked for pod in free if pod.blocked is not None),
    )


def missing_consent(pod: PodToEvict, spec: DrainSpec) -> str:
    """The field of the request that would have to be set for this pod, or nothing. Who ended, or goes, loses no more."""
    if pod.ended or pod.terminating or not is_evictable(pod):
        return ""
    if pod.empty_dir and not spec.delete_empty_dir_data:
        return "deleteEmptyDirData"
    if not pod.owner and not spec.evict_unmanaged_pods:
        return "evictUnmanagedPods"
    return ""


def needs(pod: PodToEvict, field: str) -> str:
    """What is missing for a pod, in words."""
    why = "has no controller that makes it again" if field == "evictUnmanagedPods" else "has data in an emptyDir volume"
    return f"pod {pod.namespace}/{pod.name} {why} (spec.effect.drain.{field})"
