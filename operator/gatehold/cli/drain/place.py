"""Which nodes are meant, who decides about their drain, and where it is asked: as their Gates say, or the flags."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gatehold.api.node import GATED_LABEL
from gatehold.cli.drain.sight import some
from gatehold.cli.exits import Exit, Leave
from gatehold.cli.refusals import leave_for
from gatehold.cli.session import Session
from gatehold.cli.text import plain
from gatehold.domain.installation import NAMESPACE
from gatehold.domain.model import GateType
from gatehold.kube import errors
from gatehold.kube.resources import GATES, NODES

Json = dict[str, Any]
_MOST = 256
_POLICIES = "kubectl get approvalpolicies"


@dataclass(frozen=True, slots=True)
class Node:
    """One node that is meant, with the Gate that its label names."""

    name: str
    uid: str
    gate: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Who decides, and where the request stands."""

    policy: str
    namespace: str


async def find_nodes(session: Session, names: Sequence[str], selector: str) -> list[Node]:
    """The nodes as they are now; what is asked is about these very ones, by uid."""
    if bool(names) == bool(selector):
        raise Leave(Exit.USAGE, "name the nodes or select them with -l, one of the two", "kubectl get nodes --show-labels")
    if names:
        found = [await _named(session, name) for name in dict.fromkeys(names)]
    else:
        try:
            found = await session.cluster.list_all(NODES, None, selector)
        except errors.ApiError as error:
            raise leave_for(error) from error
    if not found:
        raise Leave(Exit.ABSENT, f"no node has labels {plain(selector)}", "kubectl get nodes --show-labels")
    if len(found) > _MOST:
        raise Leave(Exit.USAGE, f"{len(found)} nodes are meant, a request takes {_MOST}: select fewer", "kubectl get nodes")
    return sorted((_node(body) for body in found), key=lambda node: node.name) if selector else [_node(b) for b in found]


async def _named(session: Session, name: str) -> Json:
    try:
        return await session.cluster.get(NODES, None, name)
    except errors.Absent as error:
        raise Leave(Exit.ABSENT, f"there is no node {plain(name)}", "kubectl get nodes") from error


def _node(body: Json) -> Node:
    meta = body["metadata"]
    return Node(str(meta["name"]), str(meta["uid"]), str((meta.get("labels") or {}).get(GATED_LABEL) or ""))


async def find_place(session: Session, nodes: Iterable[Node], policy: str) -> Place:
    """Policy and namespace that hold for all of these nodes. A flag that contradicts a Gate would only fail later."""
    asked = session.where.namespace or ""
    by_gate: dict[str, list[str]] = {}
    for node in nodes:
        by_gate.setdefault(node.gate, []).append(node.name)
    places = {gate: await _of_gate(session, gate, policy, asked) for gate in by_gate}
    if len(set(places.values())) > 1:
        lines = [f"{some(by_gate[gate])} under policy {p.policy} in {p.namespace}" for gate, p in places.items()]
        first = " ".join(next(iter(by_gate.values())))
        text = f"these nodes are asked about in different places ({'; '.join(lines)}): one request for each"
        raise Leave(Exit.USAGE, plain(text), plain(f'gatehold drain {first} --reason "why"'))
    return next(iter(places.values()))


async def _of_gate(session: Session, gate: str, policy: str, namespace: str) -> Place:
    if not gate:
        if policy:
            # the operator asks in its own namespace where neither a Gate nor its settings say
            return Place(policy, namespace or NAMESPACE)
        text = "no gate is behind these nodes, so nothing says who decides: give the policy that the operator is set up with"
        raise Leave(
            Exit.USAGE, text, f"gatehold drain ... --policy NAME (the operator's GATEHOLD_DRAIN_POLICY); {_POLICIES}"
        )
    said = await _read(session, gate)
    if said is None and policy and namespace:
        return Place(policy, namespace)  # a Gate that may not be read: the operator compares
    if said is None:
        text = f"you may not read gate {plain(gate)}, which says who decides: give what it says yourself"
        raise Leave(Exit.REFUSED, text, "gatehold drain ... --policy NAME -n NAMESPACE")
    for flag, given, meant in (("--policy", policy, said.policy), ("-n", namespace, said.namespace)):
        if given and meant and given != meant:
            text = f"gate {plain(gate)} says {plain(meant)}, {flag} says {plain(given)}: the operator would refuse it"
            raise Leave(Exit.USAGE, text, f"leave {flag} out; kubectl get gate {plain(gate)} -o yaml")
    return Place(said.policy, said.namespace or namespace or NAMESPACE)


async def _read(session: Session, gate: str) -> Place | None:
    """What the Gate says, namespace empty where it leaves that open; None where this account may not read it."""
    try:
        body = await session.cluster.get(GATES, None, gate)
    except errors.Forbidden:
        return None
    except errors.Absent as error:
        text = f"there is no gate {plain(gate)}, which the label of the nodes names: nobody can be asked"
        raise Leave(Exit.ABSENT, text, f"kubectl get gates; kubectl get nodes -l {GATED_LABEL}={plain(gate)}") from error
    spec = body.get("spec") or {}
    if spec.get("type") != GateType.DRAINS:
        kind, wanted = plain(spec.get("type")), GateType.DRAINS
        text = f"gate {plain(gate)} is of type {kind}, not {wanted}: nobody can be asked about a drain"
        raise Leave(Exit.USAGE, text, f"kubectl get gate {plain(gate)} -o yaml")
    place = str((spec.get("drains") or {}).get("namespace") or "")
    return Place(str((spec.get("policyRef") or {}).get("name") or ""), place)
