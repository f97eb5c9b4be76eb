"""Gates: can they ask, who is behind them, can people there answer, who may open them. Pure but for `read`.

What is behind a Gate for drains is nodes: see `drains`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from gatehold.api import gate as wire
from gatehold.api.argo_rollout import LABEL as ARGO_LABEL
from gatehold.api.argo_rollout import gate_of
from gatehold.api.common import ParseError
from gatehold.api.rollout import GATED_LABEL
from gatehold.cli.doctor.findings import Finding, Level
from gatehold.cli.doctor.rbac import GROUP, Grant
from gatehold.cli.doctor.reach import Right, reach_in
from gatehold.cli.session import Session
from gatehold.domain.argo.model import ArgoGate
from gatehold.domain.gate import GateReason
from gatehold.domain.installation import NAMESPACE
from gatehold.domain.model import DrainGate, GateType, Policy
from gatehold.domain.provision.model import PodGate
from gatehold.domain.rollout.model import GateFacts
from gatehold.domain.stamping import PODS_LABEL
from gatehold.kube import errors
from gatehold.kube.resources import GATES, NAMESPACES

Json = dict[str, Any]
_PART = "Gate"


class Gates(NamedTuple):
    """Gates as they stand, and the namespaces that name one: for their Rollouts, for their pods, for those of Argo."""

    bodies: tuple[Json, ...]
    places: tuple[tuple[str, str], ...]  # namespace, gate
    pods: tuple[tuple[str, str], ...] = ()  # the same by label gatehold.dev/pods
    argo: tuple[tuple[str, str], ...] = ()  # the same by label gatehold.dev/argo-rollouts


async def read(session: Session) -> Gates:
    """Read both. A cluster without the kind has none."""
    try:
        bodies = await session.cluster.list_all(GATES)
    except errors.Absent:
        return Gates((), ())
    spaces = await session.cluster.list_all(NAMESPACES)
    rollouts = ((str(body["metadata"]["name"]), wire.of_namespace(body) or "") for body in spaces)
    pods = (
        (str(body["metadata"]["name"]), str((body["metadata"].get("labels") or {}).get(PODS_LABEL) or "")) for body in spaces
    )
    argo = ((str(body["metadata"]["name"]), gate_of(body)) for body in spaces)
    return Gates(tuple(bodies), *(tuple(named for named in all_of if named[1]) for all_of in (rollouts, pods, argo)))


def findings(gates: Gates, policies: Iterable[Policy], grants: Iterable[Grant]) -> list[Finding]:
    """Everything there is to say about them."""
    known, held = {policy.name: policy for policy in policies}, list(grants)
    names = {str(body["metadata"]["name"]) for body in gates.bodies}
    found = [finding for body in gates.bodies for finding in _gate(body, gates, known, held)]
    found += [_without(space, gate, "Rollout") for space, gate in gates.places if gate not in names]
    found += [_without(space, gate, "pod") for space, gate in gates.pods if gate not in names]
    return [
        *found,
        *(_without(space, gate, "pause of an Argo Rollout") for space, gate in gates.argo if gate not in names),
    ]


def _gate(body: Json, gates: Gates, policies: dict[str, Policy], grants: list[Grant]) -> Iterator[Finding]:
    name = str(body["metadata"]["name"])
    facts = _facts(body)
    if facts is None:
        yield Finding(_PART, Level.PROBLEM, f"gate {name} cannot be read: everything behind it is held", _look(name))
        return
    yield _ready(name, body)
    if isinstance(facts, DrainGate):
        if facts.policy in policies:
            yield from reach_in(policies[facts.policy], facts.namespace or NAMESPACE, grants)
        return
    places, label = _places(facts, gates)
    spaces = [space for space, gate in places if gate == name]
    if not spaces and not is_left_out(body):
        command = f"kubectl label namespace NAME {label}={name}"
        yield Finding(_PART, Level.NOTICE, f"gate {name}: no namespace is behind it", command)
    policy = policies.get(facts.policy)
    for space in spaces:
        if policy is not None:
            yield from reach_in(policy, space, grants)


def _places(facts: GateFacts | PodGate | ArgoGate, gates: Gates) -> tuple[tuple[tuple[str, str], ...], str]:
    """The namespaces that name a Gate of that type, and the label by which they do."""
    if isinstance(facts, PodGate):
        return gates.pods, PODS_LABEL
    return (gates.argo, ARGO_LABEL) if isinstance(facts, ArgoGate) else (gates.places, GATED_LABEL)


def _facts(body: Json) -> GateFacts | DrainGate | PodGate | ArgoGate | None:
    try:
        match wire.type_of(body):
            case GateType.DRAINS:
                return wire.parse_drains(body)
            case GateType.PODS:
                return wire.parse_pods(body)
            case GateType.ARGO_ROLLOUTS:
                return wire.parse_argo(body)
            case _:
                return wire.parse(body)
    except ParseError:
        return None


def is_left_out(body: Json) -> bool:
    """Whether the operator says that this installation does without Gates of that type: nothing can get behind one."""
    return (_stated(body) or {}).get("reason") == GateReason.LEFT_OUT


def _stated(body: Json) -> Json | None:
    conditions = (body.get("status") or {}).get("conditions") or []
    return next((c for c in conditions if c.get("type") == "Ready"), None)


def _ready(name: str, body: Json) -> Finding:
    stated = _stated(body)
    if stated is None:
        return Finding(_PART, Level.PROBLEM, f"gate {name}: the operator has not looked at it", _look(name))
    text = f"gate {name}: {stated.get('message') or stated.get('reason')}"
    if stated.get("status") == "True":
        return Finding(_PART, Level.OK, text)
    return Finding(_PART, Level.PROBLEM, text, _look(name))


def _without(space: str, gate: str, held: str) -> Finding:
    text = f"namespace {space} names gate {gate}, which is not there: every {held} in it is held"
    return Finding(_PART, Level.PROBLEM, text, "kubectl get gates")


def _look(name: str) -> str:
    return f"kubectl describe gate {name}"


def rights(gates: Gates, grants: Iterable[Grant]) -> dict[str, list[Right]]:
    """Who may move namespaces behind each gate and out of it, and who may break its glass; Kubernetes itself aside."""
    known = [grant for grant in grants if not grant.is_built_in and not grant.namespace]
    names = [str(body["metadata"]["name"]) for body in gates.bodies]
    return {name: [_right(verb, name, known) for verb in ("bind", "override")] for name in names}


def _right(verb: str, name: str, grants: list[Grant]) -> Right:
    return Right(verb, "", tuple(grant for grant in grants if grant.rule.allows(verb, GROUP, "gates", name)))
