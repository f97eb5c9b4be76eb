"""A Gate from the wire, its status back, and the Gate that a namespace names."""

from typing import Any

from gatehold.api.common import Body, ParseError, Wire, read, sparse
from gatehold.api.conditions import render_condition
from gatehold.api.rollout import GATED_LABEL
from gatehold.domain.rollout.model import GateFacts
from gatehold.domain.status import Condition

ROLLOUTS = "Rollouts"


class _PolicyRef(Wire):
    name: str


class _Rollouts(Wire):
    max_weight_before_approval: int | None = None


class _Spec(Wire):
    type: str
    policy_ref: _PolicyRef
    rollouts: _Rollouts = _Rollouts()


class _Metadata(Wire):
    name: str
    labels: dict[str, str] | None = None


def parse(body: Body) -> GateFacts:
    """A Gate of type Rollouts as a value. Raises ParseError, also for one of another type."""
    meta = read(_Metadata, body.get("metadata"), "metadata")
    spec = read(_Spec, body.get("spec"), "spec")
    if spec.type != ROLLOUTS:
        raise ParseError(f"spec.type: not {ROLLOUTS}")
    given = spec.rollouts.max_weight_before_approval
    if given is None:
        return GateFacts(meta.name, spec.policy_ref.name)
    if not 0 <= given <= 100:
        raise ParseError("spec.rollouts.maxWeightBeforeApproval: not a percentage")
    return GateFacts(meta.name, spec.policy_ref.name, given)


def of_namespace(body: Body) -> str | None:
    """The Gate that the label of a namespace names for Rollouts, None where there is no label. Raises ParseError."""
    return (read(_Metadata, body.get("metadata"), "metadata").labels or {}).get(GATED_LABEL)


def render_status(observed_generation: int, conditions: tuple[Condition, ...]) -> dict[str, Any]:
    """The status of a Gate for the wire."""
    return sparse(observedGeneration=observed_generation, conditions=[render_condition(c) for c in conditions])
