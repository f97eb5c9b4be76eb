"""The parts of a request about nodes: what is affected, how far each node is, what time does, in words. Pure rendering."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from gatehold.cli.drain import sight
from gatehold.cli.drain.sight import AT_WORK, NodeLine
from gatehold.cli.render import columns
from gatehold.cli.text import plain
from gatehold.cli.times import ago, clock, lasting, left
from gatehold.domain.phases import Phase
from gatehold.domain.status import EffectState, NodeState

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gatehold.cli.view import View

_COLOURS = {
    NodeState.WAITING: "dim",
    NodeState.CORDONED: "yellow",
    NodeState.DRAINING: "cyan",
    NodeState.DRAINED: "green",
    NodeState.FAILED: "red",
    NodeState.UNCORDONED: "magenta",
}
_ORDER = (
    NodeState.DRAINING,
    NodeState.CORDONED,
    NodeState.FAILED,
    NodeState.WAITING,
    None,
    NodeState.DRAINED,
    NodeState.UNCORDONED,
)
"""What matters most stands first where there is no room for all."""


# ---- the question


def effect_words(view: View) -> str:
    """What happens once it is approved."""
    if sight.is_held_drain(view):
        who = plain(view.request.requester.username)
        return f"Release: the waiting evictions of {who} from node {plain(sight.names(view))} pass, and nobody else's"
    return "Drain: the operator cordons the nodes, then evicts their pods through the Eviction API" + _how(view)


def _how(view: View) -> str:
    drain, limit = view.request.effect.drain, view.request.effect.timeout_seconds
    if drain is None:
        return ""
    nodes = "node" if drain.parallel_nodes == 1 else "nodes"
    parts = [f"{drain.parallel_nodes} {nodes} at once, {drain.parallel_pods} evictions at once on each"]
    parts += [f"grace period {drain.grace_period_seconds} s"] if drain.grace_period_seconds is not None else []
    parts += [f"for {lasting(limit)} at most"] if limit else []
    parts += ["[bold]data in emptyDir volumes is lost[/bold]"] if drain.delete_empty_dir_data else []
    parts += ["[bold]pods without a controller go for good[/bold]"] if drain.evict_unmanaged_pods else []
    return "; " + ", ".join(parts)


def read_rows(view: View) -> Iterator[tuple[str, str]]:
    """What the operator found on the nodes; every line is part of the digest."""
    for node in sight.nodes_of(view):
        if node.read is not None:
            gate = f"gate {node.read.gate}" if node.read.gate else "behind no gate"
            more = ", cordoned already" if node.read.cordoned else ""
            yield "Node", plain(f"{node.name}, uid {node.uid}, {gate}{more}")
    found = sight.affected(view)
    if found is None:
        return
    stay = f", {found.skipped} stay (DaemonSets, static pods)" if found.skipped else ""
    yield "Pods", f"{found.pods} to evict{stay}"
    yield from _each("Owner", found.owners)
    yield from _each("Budget", found.budgets)
    for label, text in _each("Lost by it", found.losses):
        yield label, f"[yellow]{text}[/yellow]"


def _each(label: str, lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        yield label, plain(line)


# ---- how far it is


def nodes_table(view: View, now: datetime | None, *, most: int = 0) -> RenderableType:
    """Each node with what is left and what it waits for, those that are worked on first; `most` bounds the rows."""
    nodes = sorted(sight.nodes_of(view), key=lambda node: _ORDER.index(node.state)) if most else list(sight.nodes_of(view))
    table = columns(["NODE", "STATE", "PODS LEFT", "WAITS FOR", "SINCE"])
    for node in nodes[:most] if most else nodes:
        table.add_row(plain(node.name), _state(node), *_left(node, now))
    if most and len(nodes) > most:
        table.add_row(f"[dim]and {len(nodes) - most} more: {plain(_counts(nodes[most:]))}[/dim]", "", "", "", "")
    for column in table.columns:
        column.no_wrap, column.overflow = False, "fold"
    return table


def _state(node: NodeLine) -> str:
    return f"[{_COLOURS[node.state]}]{node.state}[/]" if node.state is not None else "[dim]not begun[/dim]"


def _left(node: NodeLine, now: datetime | None) -> tuple[str, str, str]:
    """Pods left, what it waits for, since when."""
    drain = node.drain
    if drain is None:
        return "", "", ""
    waits = f"[yellow]{plain(drain.blocked_by)}[/yellow]" if drain.blocked_by else plain(drain.message)
    span = ago(drain.blocked_since, now)
    since = clock(drain.blocked_since) + (f" ({span})" if span else "")
    return "" if drain.pods_left is None else str(drain.pods_left), waits, since


def _counts(nodes: Iterable[NodeLine]) -> str:
    """How many nodes are in which state, in a few words."""
    states = [str(node.state or "not begun") for node in nodes]
    return ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))


def shown(view: View) -> bool:
    """Whether there is anything to tell of each node."""
    return any(node.drain is not None for node in sight.nodes_of(view))


def prior_rows(view: View) -> Iterator[tuple[str, str]]:
    """What was found on each node before its first write, where that is not the ordinary."""
    for drain in (node.drain for node in sight.nodes_of(view) if node.drain is not None):
        found = ["cordoned"] if drain.was_unschedulable else []
        found += [f"taint {taint}" for taint in drain.taints]
        if found:
            yield "Before", plain(f"{drain.name}: {', '.join(found)}")


def progress(view: View) -> str:
    """How far it is in one line, safe for a console; empty where nothing is counted."""
    nodes = sight.nodes_of(view)
    if sight.is_held_drain(view):
        count = sight.pods_left(view)
        return "" if count is None else _pods(count)
    if not shown(view):
        return ""
    busy = [node for node in nodes if node.state in AT_WORK]
    text = f"{len(sight.drained(view))} of {len(nodes)} nodes drained"
    text += "".join(f", {node.name}: {_pods(node.pods_left)}" for node in busy[:3] if node.pods_left is not None)
    blocked = [node.drain.blocked_by for node in busy if node.drain is not None and node.drain.blocked_by]
    return plain(text + (f", waits for {blocked[0]}" if blocked else ""))


def _pods(count: int) -> str:
    return f"{count} pod{'' if count == 1 else 's'} left"


# ---- what time does


def time_rows(view: View, now: datetime | None) -> Iterator[tuple[str, str]]:
    """Instants of a drain under way, of an approved held drain, and of a refused one."""
    at = sight.ends_at(view)
    if at is not None:
        stays = "nodes that are not finished are uncordoned; evicted pods do not come back by themselves"
        yield _at(at, now), f"[bold]Failed[/bold]: {stays}"
    approved = view.status.phase is Phase.APPROVED and sight.is_held_drain(view) and view.status.valid_until is not None
    if approved and begun(view):
        yield _at(view.status.valid_until, now), "the approval is over, and evictions that are still missing wait again"
    cool = sight.cooldown_until(view)
    if cool is not None and view.over and (now is None or now < cool):
        who = plain(view.request.requester.username)
        yield _at(cool, now), f"until then evictions of {who} from node {plain(sight.names(view))} answer with this refusal"


def begun(view: View) -> bool:
    """Whether the effect has begun."""
    effect = view.status.effect
    return effect is not None and effect.state is not EffectState.WAITING


def nothing_ran(view: View) -> str:
    """What it means that nobody answered in time."""
    if sight.is_held_drain(view):
        who = plain(view.request.requester.username)
        return f"node {plain(sight.names(view))} is uncordoned if {who} cordoned it, and no pod of it was evicted"
    return "no node was touched; ask again"


def _at(instant: datetime | None, now: datetime | None) -> str:
    span = left(instant, now)
    return clock(instant) + (f" ({'in ' if span != 'due' else ''}{span})" if span else "")
