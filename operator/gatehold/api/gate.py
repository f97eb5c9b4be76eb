"""A Gate from the wire, its status back, and the Gate that a namespace names."""

from dataclasses import replace
from typing import Any

from gatehold.api.common import Body, ParseError, Wire, amount, read, sparse, word
from gatehold.api.conditions import render_condition
from gatehold.api.rollout import GATED_LABEL
from gatehold.domain.argo.model import ArgoGate
from gatehold.domain.model import DrainGate, DrainMode, GateType
from gatehold.domain.pricing.price import Threshold
from gatehold.domain.provision.model import OnDenied, PodGate
from gatehold.domain.rollout.model import GateFacts
from gatehold.domain.status import Condition

LEAST_COOLDOWN, MOST_COOLDOWN = 15, 86_400  # as in the CRD, and so is this
MOST_TIMEOUT = 31_536_000


class _PolicyRef(Wire):
    name: str


class _Rollouts(Wire):
    max_weight_before_approval: int | None = None


class _Drains(Wire):
    mode: str | None = None
    namespace: str | None = None
    cooldown_seconds: int | None = None


class _Amounts(Wire):
    hourly: str | None = None
    monthly: str | None = None


class _Pods(Wire):
    threshold: _Amounts = _Amounts()
    floor: _Amounts = _Amounts()
    on_denied: str | None = None


class _ArgoRollouts(Wire):
    timeout_seconds: int | None = None


class _Spec(Wire):
    type: str
    policy_ref: _PolicyRef
    rollouts: _Rollouts = _Rollouts()
    drains: _Drains = _Drains()
    pods: _Pods = _Pods()
    argo_rollouts: _ArgoRollouts = _ArgoRollouts()


class _Metadata(Wire):
    name: str
    labels: dict[str, str] | None = None


def parse(body: Body) -> GateFacts:
    """A Gate of type Rollouts as a value. Raises ParseError, also for one of another type."""
    meta, spec = _of_type(body, GateType.ROLLOUTS)
    given = spec.rollouts.max_weight_before_approval
    if given is None:
        return GateFacts(meta.name, spec.policy_ref.name)
    if not 0 <= given <= 100:
        raise ParseError("spec.rollouts.maxWeightBeforeApproval: not a percentage")
    return GateFacts(meta.name, spec.policy_ref.name, given)


def parse_drains(body: Body) -> DrainGate:
    """A Gate of type Drains as a value. Raises ParseError, also for one of another type."""
    meta, spec = _of_type(body, GateType.DRAINS)
    given = spec.drains
    mode = DrainMode.DENY if given.mode is None else word(DrainMode, given.mode, "spec.drains.mode")
    found = DrainGate(meta.name, spec.policy_ref.name, mode, given.namespace or "")
    if given.cooldown_seconds is None:
        return found
    if not LEAST_COOLDOWN <= given.cooldown_seconds <= MOST_COOLDOWN:
        raise ParseError("spec.drains.cooldownSeconds: out of its bounds")
    return replace(found, cooldown_seconds=given.cooldown_seconds)


def parse_pods(body: Body) -> PodGate:
    """A Gate of type Pods as a value. Raises ParseError, also for one of another type."""
    meta, spec = _of_type(body, GateType.PODS)
    given, where = spec.pods, "spec.pods"
    return PodGate(
        meta.name,
        spec.policy_ref.name,
        Threshold(
            amount(given.threshold.hourly, f"{where}.threshold.hourly"),
            amount(given.threshold.monthly, f"{where}.threshold.monthly"),
        ),
        amount(given.floor.hourly, f"{where}.floor.hourly"),
        OnDenied.KEEP if given.on_denied is None else word(OnDenied, given.on_denied, f"{where}.onDenied"),
    )


def parse_argo(body: Body) -> ArgoGate:
    """A Gate of type ArgoRollouts as a value. Raises ParseError, also for one of another type."""
    meta, spec = _of_type(body, GateType.ARGO_ROLLOUTS)
    given = spec.argo_rollouts.timeout_seconds
    if given is not None and not 1 <= given <= MOST_TIMEOUT:
        raise ParseError("spec.argoRollouts.timeoutSeconds: out of its bounds")
    return ArgoGate(meta.name, spec.policy_ref.name, given)


def type_of(body: Body) -> str:
    """The type of a Gate, which may be one that this operator does not know. Raises ParseError."""
    return read(_Spec, body.get("spec"), "spec").type


def _of_type(body: Body, wanted: GateType) -> tuple[_Metadata, _Spec]:
    meta = read(_Metadata, body.get("metadata"), "metadata")
    spec = read(_Spec, body.get("spec"), "spec")
    if spec.type != wanted:
        raise ParseError(f"spec.type: not {wanted}")
    return meta, spec


def of_namespace(body: Body) -> str | None:
    """The Gate that the label of a namespace names for Rollouts, None where there is no label. Raises ParseError."""
    return (read(_Metadata, body.get("metadata"), "metadata").labels or {}).get(GATED_LABEL)


def render_status(observed_generation: int, conditions: tuple[Condition, ...]) -> dict[str, Any]:
    """The status of a Gate for the wire."""
    return sparse(observedGeneration=observed_generation, conditions=[render_condition(c) for c in conditions])
