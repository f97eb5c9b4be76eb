"""Whether the nodes of a drain are those that were asked about and shown, by the record and in the cluster. For `verify`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from gatehold.cli.drain import sight
from gatehold.kube import errors
from gatehold.kube.resources import NODES

if TYPE_CHECKING:
    from gatehold.cli.session import Session
    from gatehold.cli.view import View


class Compared(NamedTuple):
    """One comparison; `fits` is None where nothing can be said."""

    name: str
    fits: bool | None
    detail: str


def recorded(view: View) -> Iterator[Compared]:
    """What was asked about against what was read, and against what was worked on. Needs no cluster."""
    if not sight.is_drain(view):
        return
    drain, resolved, effect = view.request.effect.drain, view.status.resolved, view.status.effect
    asked = {node.name: node.uid for node in (drain.nodes if drain is not None else ())}
    read = {node.name: node.uid for node in (resolved.nodes if resolved is not None else ())}
    worked = {node.name: node.uid for node in (effect.nodes if effect is not None else ())}
    wrong = [f"{name} asked, not read" for name in asked if name not in read]
    wrong += [f"{name} read, not asked" for name in read if asked and name not in asked]
    wrong += [f"{n}: uid {uid} asked, {read[n]} read" for n, uid in asked.items() if uid and n in read and read[n] != uid]
    wrong += [f"{n}: uid {uid} drained, {read.get(n, 'none')} read" for n, uid in worked.items() if read.get(n) != uid]
    yield Compared("Nodes", not wrong, "; ".join(wrong) or f"{', '.join(read)} are those that were asked about")


async def live(session: Session, view: View) -> list[Compared]:
    """The nodes as they are now: the same ones, cordoned, and under whose maintenance."""
    if not sight.about_nodes(view):
        return []
    subject = view.request.subject
    shown = [(n.name, n.uid) for n in sight.nodes_of(view) if n.uid] if subject is None else [(subject.name, subject.uid)]
    return [await _node(session, name, uid) for name, uid in shown]


async def _node(session: Session, name: str, uid: str) -> Compared:
    label = f"Node {name}"
    try:
        body = await session.cluster.get(NODES, None, name)
    except errors.Absent:
        return Compared(label, None, "it is not there any more")
    except errors.Forbidden:
        return Compared(label, None, "you may not read it")
    found = str(body["metadata"].get("uid") or "")
    if found != uid:
        return Compared(label, None, f"another node stands under this name (uid {found}, shown was {uid})")
    cordoned = "cordoned" if (body.get("spec") or {}).get("unschedulable") else "not cordoned"
    return Compared(label, True, f"is the one that was shown; it is {cordoned} now")
