"""What the status of a request holds about nodes, both ways: what a drain was asked about, and how far each node is."""

from typing import Any

from gatehold.api.common import optional_time, sparse, stamp
from gatehold.domain.status import NodeDrain, NodeState, ResolvedDrain, ResolvedNode

Json = dict[str, Any]


def parse_resolved(wire: Json) -> tuple[tuple[ResolvedNode, ...], ResolvedDrain | None]:
    """Nodes and losses out of status.resolved. Raises KeyError, TypeError or ValueError where it is none of ours."""
    nodes = tuple(
        ResolvedNode(node["name"], node["uid"], node.get("gate", ""), node.get("cordoned", False))
        for node in wire.get("nodes", ())
    )
    drain = wire.get("drain")
    if drain is None:
        return nodes, None
    owners, budgets, losses = (tuple(drain.get(name, ())) for name in ("owners", "budgets", "losses"))
    return nodes, ResolvedDrain(drain["pods"], drain["skipped"], owners, budgets, losses)


def render_resolved_nodes(nodes: tuple[ResolvedNode, ...]) -> list[Json]:
    """The nodes as they stand in the status and in the digest."""
    return [sparse(name=node.name, uid=node.uid, gate=node.gate, cordoned=node.cordoned) for node in nodes]


def render_resolved_drain(drain: ResolvedDrain | None) -> Json:
    """The same of what is taken away."""
    if drain is None:
        return {}
    lines = sparse(owners=list(drain.owners), budgets=list(drain.budgets), losses=list(drain.losses))
    return {"pods": drain.pods, "skipped": drain.skipped} | lines


def parse_node(wire: Json) -> NodeDrain:
    """One node of status.effect.nodes. Raises KeyError, TypeError or ValueError where it is none of ours."""
    return NodeDrain(
        name=wire["name"],
        uid=wire["uid"],
        state=NodeState(wire["state"]),
        was_unschedulable=wire.get("wasUnschedulable", False),
        taints=tuple(wire.get("taints", ())),
        pods=wire.get("pods"),
        pods_left=wire.get("podsLeft"),
        blocked_by=wire.get("blockedBy", ""),
        blocked_since=optional_time(wire.get("blockedSince")),
        message=wire.get("message", ""),
    )


def render_node(node: NodeDrain) -> Json:
    """The same for the wire."""
    return sparse(
        name=node.name,
        uid=node.uid,
        state=str(node.state),
        wasUnschedulable=node.was_unschedulable,
        taints=list(node.taints),
        pods=node.pods,
        podsLeft=node.pods_left,
        blockedBy=node.blocked_by,
        blockedSince=stamp(node.blocked_since),
        message=node.message,
    )
