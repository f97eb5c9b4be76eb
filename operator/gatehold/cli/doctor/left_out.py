"""Types of Gates that this installation leaves out: said. What is behind such a Gate, or waits for it, is a problem."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from gatehold.admission.texts import PART_OF, gates_of
from gatehold.api import argo_rollout, node, rollout
from gatehold.api.approval_request import NOT_DONE
from gatehold.cli.doctor.findings import Finding, Level
from gatehold.cli.session import Session
from gatehold.domain.model import GateType
from gatehold.domain.reasons import Reason
from gatehold.domain.stamping import PODS_LABEL
from gatehold.kube.resources import NAMESPACES, NODES, REQUESTS, VAP, Resource

Json = dict[str, Any]
PART = "Left out"
_NAMED: Final = 3
_BEHIND: dict[GateType, tuple[Resource, str]] = {
    GateType.ARGO_ROLLOUTS: (NAMESPACES, argo_rollout.LABEL),
    GateType.DRAINS: (NODES, node.GATED_LABEL),
    GateType.PODS: (NAMESPACES, PODS_LABEL),
    GateType.ROLLOUTS: (NAMESPACES, rollout.GATED_LABEL),
}
"""Type of Gate -> what is behind one, and by which label."""


async def look(session: Session) -> list[Finding]:
    """Nothing where every type is there. Raises ApiError."""
    there = gates_of(await session.cluster.list_all(VAP, None, PART_OF))
    found: list[Finding] = []
    for gate in (gate for gate in GateType if gate not in there):
        resource, label = _BEHIND[gate]
        text = f"Gates of type {gate} are left out of this installation; label {label} is refused"
        found.append(Finding(PART, Level.NOTICE, text))
        found += [_open(resource, label, gate, body) for body in await session.cluster.list_all(resource, None, label)]
    if found:
        found += waiting(await session.cluster.list_all(REQUESTS, None, NOT_DONE))
    return found


def waiting(bodies: Iterable[Json]) -> list[Finding]:
    """What such a Gate had asked and nobody goes on with, in one sentence; each says itself what to do."""
    held = [body["metadata"] for body in bodies if _waits(body)]
    if not held:
        return []
    names = ", ".join(f"{meta['namespace']}/{meta['name']}" for meta in held[:_NAMED])
    more = f" and {len(held) - _NAMED} more" if len(held) > _NAMED else ""
    text = f"requests go no further until their type of Gates is there again: {names}{more}"
    command = f"kubectl -n {held[0]['namespace']} describe apr {held[0]['name']}"
    return [Finding(PART, Level.PROBLEM, text, command)]


def _waits(body: Json) -> bool:
    return any(c.get("reason") == Reason.GATE_LEFT_OUT for c in (body.get("status") or {}).get("conditions") or ())


def _open(resource: Resource, label: str, gate: str, body: Json) -> Finding:
    kind, name = resource.kind.lower(), body["metadata"]["name"]
    text = f"{kind} {name} has label {label}, which holds nothing: Gates of type {gate} are left out of this installation"
    return Finding(PART, Level.PROBLEM, text, f"kubectl label {kind} {name} {label}-")
