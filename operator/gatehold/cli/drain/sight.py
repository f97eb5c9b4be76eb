"""What a request about nodes says, as values for readers: effect Drain, and the held drain of one node. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gatehold.domain.model import EffectType
from gatehold.domain.phases import Phase
from gatehold.domain.status import NodeDrain, NodeState, ResolvedDrain, ResolvedNode

if TYPE_CHECKING:
    from gatehold.cli.view import View

AT_WORK = (NodeState.CORDONED, NodeState.DRAINING)


@dataclass(frozen=True, slots=True)
class NodeLine:
    """One node: how it was read, and how far it is; None for what nobody has done yet."""

    name: str
    uid: str = ""
    read: ResolvedNode | None = None
    drain: NodeDrain | None = None

    @property
    def state(self) -> NodeState | None:
        """How far it is, None before the drain was approved."""
        return self.drain.state if self.drain is not None else None

    @property
    def pods_left(self) -> int | None:
        """Pods that still have to go, None where they were not counted."""
        return self.drain.pods_left if self.drain is not None else None


def is_drain(view: View) -> bool:
    """Whether the operator drains nodes."""
    return view.request.effect.type is EffectType.DRAIN


def is_held_drain(view: View) -> bool:
    """Whether somebody's `kubectl drain` of one node waits for it."""
    subject = view.request.subject
    return view.request.effect.type is EffectType.RELEASE and subject is not None and subject.kind == "Node"


def about_nodes(view: View) -> bool:
    """Whether nodes are what it is about."""
    return is_drain(view) or is_held_drain(view)


def nodes_of(view: View) -> tuple[NodeLine, ...]:
    """Its nodes in order, as far as they are known: first asked for, then read, then worked on."""
    status, drain = view.status, view.request.effect.drain
    read = {node.name: node for node in (status.resolved.nodes if status.resolved is not None else ())}
    worked = {node.name: node for node in (status.effect.nodes if status.effect is not None else ())}
    asked = {node.name: node for node in (drain.nodes if drain is not None else ())}
    known = worked or read or asked
    return tuple(NodeLine(name, node.uid, read.get(name), worked.get(name)) for name, node in known.items())


def names(view: View) -> str:
    """The nodes in a few words: their names, or the labels by which they are found."""
    subject, drain = view.request.subject, view.request.effect.drain
    found = [subject.name] if is_held_drain(view) and subject is not None else [node.name for node in nodes_of(view)]
    if found or drain is None:
        return some(found)
    return ",".join(f"{key}={value}" for key, value in drain.match_labels)


def some(found: list[str]) -> str:
    """The first names, and how many more there are."""
    return ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")


def affected(view: View) -> ResolvedDrain | None:
    """What the operator found on the nodes before anybody was asked."""
    return view.status.resolved.drain if view.status.resolved is not None else None


def ends_at(view: View) -> datetime | None:
    """When a drain under way is given up; None where the request leaves that to the operator, or nothing is under way."""
    seconds, effect = view.request.effect.timeout_seconds, view.status.effect
    if not seconds or effect is None or effect.started_at is None or view.status.phase is not Phase.APPROVED:
        return None
    return effect.started_at + timedelta(seconds=seconds)


def cooldown_until(view: View) -> datetime | None:
    """Until when evictions of a refused held drain answer with the refusal."""
    return view.status.effect.cooldown_until if view.status.effect is not None else None


def pods_left(view: View) -> int | None:
    """Pods that still have to go, of all nodes that are worked on; None where nothing was counted."""
    counted = [node.pods_left for node in nodes_of(view) if node.pods_left is not None]
    return sum(counted) if counted else None


def drained(view: View) -> list[str]:
    """Nodes that are drained, and stay under maintenance until somebody uncordons them."""
    return [node.name for node in nodes_of(view) if node.state is NodeState.DRAINED]
