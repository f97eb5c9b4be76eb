"""PodDisruptionBudgets from the wire, and which of them cover a pod."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gatehold.api.common import Body, Wire, read
from gatehold.domain.nodes import BudgetFacts

Labels = Mapping[str, str]


class _Metadata(Wire):
    name: str
    namespace: str


class _Expression(Wire):
    key: str
    operator: str
    values: list[str] | None = None


class _Selector(Wire):
    match_labels: dict[str, str] | None = None
    match_expressions: list[_Expression] | None = None


class _Spec(Wire):
    selector: _Selector | None = None


class _Status(Wire):
    disruptions_allowed: int = 0
    desired_healthy: int = 0
    current_healthy: int = 0
    expected_pods: int = 0


@dataclass(frozen=True, slots=True)
class Demand:
    """One line of a selector: what a label has to be."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def is_met(self, labels: Labels) -> bool:
        """Whether the labels of a pod are so. An operator that is not known selects nothing, as with the API server."""
        value = labels.get(self.key)
        match self.operator:
            case "In":
                return value in self.values
            case "NotIn":
                return value not in self.values
            case "Exists":
                return value is not None
            case "DoesNotExist":
                return value is None
            case _:
                return False


@dataclass(frozen=True, slots=True)
class Budget:
    """A budget with what it selects: None where it selects nothing; without any demand it selects every pod there."""

    facts: BudgetFacts
    demands: tuple[Demand, ...] | None = None

    @property
    def address(self) -> str:
        """The budget for people, as namespace/name."""
        return f"{self.facts.namespace}/{self.facts.name}"

    def covers(self, namespace: str, labels: Labels) -> bool:
        """Whether a pod of that namespace with these labels is counted by it."""
        here = self.facts.namespace == namespace
        return here and self.demands is not None and all(demand.is_met(labels) for demand in self.demands)


def parse(body: Body) -> Budget:
    """One budget. Raises ParseError."""
    meta = read(_Metadata, body.get("metadata"), "metadata")
    spec = read(_Spec, body.get("spec") or {}, "spec")
    status = read(_Status, body.get("status") or {}, "status")
    facts = BudgetFacts(
        namespace=meta.namespace,
        name=meta.name,
        allowed=status.disruptions_allowed,
        needed=status.desired_healthy,
        healthy=status.current_healthy,
        pods=status.expected_pods,
    )
    return Budget(facts, None if spec.selector is None else _demands(spec.selector))


def _demands(selector: _Selector) -> tuple[Demand, ...]:
    labels = (Demand(key, "In", frozenset({value})) for key, value in (selector.match_labels or {}).items())
    lines = selector.match_expressions or []
    return (*labels, *(Demand(line.key, line.operator, frozenset(line.values or ())) for line in lines))


def covering(budgets: Iterable[Budget], namespace: str, labels: Labels) -> tuple[str, ...]:
    """The budgets that cover a pod, as namespace/name, in order. More than one, and the API server does not evict it."""
    return tuple(sorted(budget.address for budget in budgets if budget.covers(namespace, labels)))
