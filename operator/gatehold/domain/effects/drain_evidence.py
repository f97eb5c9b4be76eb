"""What a drain would do, in lines, before anybody is asked: a reviewer's evidence. Pure; called by the drains' hands."""

from collections import Counter
from collections.abc import Iterable

from gatehold.domain.effects.drain_pods import is_evictable
from gatehold.domain.nodes import BudgetFacts, DrainFacts, NodeFacts, PodToEvict
from gatehold.domain.status import Resolved, ResolvedDrain, ResolvedNode

MOST_LINES = 64
_LONGEST = 256


def resolved(facts: DrainFacts) -> Resolved:
    """The nodes of a drain, and what it would hit: part of the digest."""
    nodes = tuple(
        ResolvedNode(node.name, node.uid, node.gate.name if node.gate is not None else "", node.unschedulable)
        for node in facts.nodes
    )
    return Resolved(nodes=nodes, drain=evidence(facts.nodes, facts.budgets))


def evidence(nodes: Iterable[NodeFacts], budgets: Iterable[BudgetFacts]) -> ResolvedDrain:
    """Pods to evict and to skip, and whose they are, which budgets cover them, and what would be lost."""
    pods = [pod for node in nodes for pod in node.pods or ()]
    going = [pod for pod in pods if is_evictable(pod)]
    covering = {name for pod in going for name in pod.budgets}
    return ResolvedDrain(
        pods=len(going),
        skipped=len(pods) - len(going),
        owners=_bounded(_owners(going)),
        budgets=_bounded(_budget(b) for b in budgets if f"{b.namespace}/{b.name}" in covering),
        losses=_bounded(_loss(pod) for pod in going if not pod.ended and (pod.empty_dir or not pod.owner)),
    )


def _owners(pods: list[PodToEvict]) -> list[str]:
    """Who loses most comes first."""
    count = Counter(pod.owner or "no controller" for pod in pods)
    most_first = sorted(count.items(), key=lambda item: (-item[1], item[0]))
    return [f"{owner}: {number} pod{'s' if number > 1 else ''}" for owner, number in most_first]


def _budget(budget: BudgetFacts) -> str:
    disruptions = "disruption" if budget.allowed == 1 else "disruptions"
    return f"{budget.namespace}/{budget.name}: {budget.allowed} {disruptions} allowed now, of {budget.pods} pods"


def _loss(pod: PodToEvict) -> str:
    lost = [*(["has emptyDir data"] if pod.empty_dir else []), *([] if pod.owner else ["has no controller"])]
    return f"{pod.namespace}/{pod.name} {' and '.join(lost)}"


def _bounded(lines: Iterable[str]) -> tuple[str, ...]:
    """At most 64 lines; the last one says how many are not shown."""
    found = [line[:_LONGEST] for line in lines]
    if len(found) <= MOST_LINES:
        return tuple(found)
    return (*found[: MOST_LINES - 1], f"and {len(found) - MOST_LINES + 1} more")
