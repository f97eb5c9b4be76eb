"""Types of Gates that this installation leaves out: said, and what is behind such a Gate all the same is a problem."""

from __future__ import annotations

from typing import Any

from gatehold.admission.texts import PART_OF, gates_of
from gatehold.api import argo_rollout, node, rollout
from gatehold.cli.doctor.findings import Finding, Level
from gatehold.cli.session import Session
from gatehold.domain.stamping import PODS_LABEL
from gatehold.kube.resources import NAMESPACES, NODES, VAP, Resource
from gatehold.settings import GATE_TYPES

Json = dict[str, Any]
PART = "Left out"
_BEHIND: dict[str, tuple[Resource, str]] = {
    "ArgoRollouts": (NAMESPACES, argo_rollout.LABEL),
    "Drains": (NODES, node.GATED_LABEL),
    "Pods": (NAMESPACES, PODS_LABEL),
    "Rollouts": (NAMESPACES, rollout.GATED_LABEL),
}
"""Type of Gate -> what is behind one, and by which label."""


async def look(session: Session) -> list[Finding]:
    """Nothing where every type is there. Raises ApiError."""
    there = gates_of(await session.cluster.list_all(VAP, None, PART_OF))
    found: list[Finding] = []
    for gate in (gate for gate in GATE_TYPES if gate not in there):
        resource, label = _BEHIND[gate]
        text = f"Gates of type {gate} are left out of this installation; label {label} is refused"
        found.append(Finding(PART, Level.NOTICE, text))
        found += [_open(resource, label, gate, body) for body in await session.cluster.list_all(resource, None, label)]
    return found


def _open(resource: Resource, label: str, gate: str, body: Json) -> Finding:
    kind, name = resource.kind.lower(), body["metadata"]["name"]
    text = f"{kind} {name} has label {label}, which holds nothing: Gates of type {gate} are left out of this installation"
    return Finding(PART, Level.PROBLEM, text, f"kubectl label {kind} {name} {label}-")
