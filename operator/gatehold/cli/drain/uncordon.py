"""`gatehold uncordon`: lets pods back on nodes, and waits until the maintenance that a drain left there has ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gatehold.api.common import ParseError
from gatehold.api.maintenance import REQUEST, name_of
from gatehold.cli.exits import Exit, Leave
from gatehold.cli.refusals import leave_for
from gatehold.cli.render import dump_object
from gatehold.cli.session import Session
from gatehold.cli.terminal import err, out
from gatehold.cli.text import plain
from gatehold.cli.view import View, view_of
from gatehold.domain.installation import NAMESPACE
from gatehold.kube import errors
from gatehold.kube.resources import LEASES, NODES, REQUESTS

Json = dict[str, Any]
_LOOK_SECONDS = 0.5
_TRIES = 20


@dataclass(frozen=True, slots=True)
class Aim:
    """What the command line says."""

    nodes: tuple[str, ...]
    timeout: int = 90
    force: bool = False
    form: str | None = None


@dataclass(frozen=True, slots=True)
class Maintenance:
    """What holds a node: the request (`namespace/name`, empty for none), and that request where it may be read."""

    request: str = ""
    view: View | None = None

    @property
    def in_words(self) -> str:
        """Which request, about what, by whom; safe for a terminal."""
        if self.view is None:
            return f"request {plain(self.request)}"
        request = self.view.request
        return f"request {plain(self.request)} ({plain(request.summary)}; asked by {plain(request.requester.username)})"


async def uncordon(session: Session, aim: Aim) -> None:
    """Look at all of them first; nothing is written where one of them should not be."""
    names = tuple(dict.fromkeys(aim.nodes))
    found = {name: await _maintenance(session, name, await _node(session, name)) for name in names}
    for name, held in found.items():
        _check(name, held, force=aim.force)
    bodies = [await _open(session, name) for name in names]
    until = time.monotonic() + aim.timeout
    late = [name for name in names if found[name].request and not await _ends(session, name, until)]
    for body in bodies:
        if aim.form is not None:
            dump_object(body, aim.form)
        else:
            _tell(body["metadata"]["name"], found[body["metadata"]["name"]], late)
    if late:
        text = f"uncordoned, but the maintenance of {plain(', '.join(late))} has not ended yet: the operator ends it"
        raise Leave(Exit.TIMEOUT, text, f"gatehold doctor; kubectl describe node {plain(late[0])}")


async def _node(session: Session, name: str) -> Json:
    try:
        return await session.cluster.get(NODES, None, name)
    except errors.Absent as error:
        raise Leave(Exit.ABSENT, f"there is no node {plain(name)}", "kubectl get nodes") from error


async def _maintenance(session: Session, name: str, node: Json) -> Maintenance:
    """What stands on the node, else on its Lease, where this account may read that."""
    request = str((node["metadata"].get("annotations") or {}).get(REQUEST) or "")
    if not request:
        try:
            lease = await session.cluster.get(LEASES, NAMESPACE, name_of(name))
            request = str((lease["metadata"].get("annotations") or {}).get(REQUEST) or "")
        except errors.ApiError:
            return Maintenance()
    return Maintenance(request, await _view(session, request))


async def _view(session: Session, request: str) -> View | None:
    """The request itself; None where it is gone, or this account may not read it."""
    namespace, _, name = request.partition("/")
    try:
        return view_of(await session.cluster.get(REQUESTS, namespace, name)) if name else None
    except (errors.ApiError, ParseError):
        return None


def _check(name: str, held: Maintenance, *, force: bool) -> None:
    """A drain that is still at work would fail by it: that is said first."""
    view = held.view
    if force or view is None or view.over:
        return
    at = f"{plain(view.request.name)} -n {plain(view.request.namespace)}"
    text = f"the drain of node {plain(name)} is under way ({held.in_words}): uncordoning it would make the drain fail"
    raise Leave(Exit.NO, text, f'gatehold withdraw {at} -m "why" (uncordons what is not finished), or --force')


async def _open(session: Session, name: str) -> Json:
    """One write on exactly the node that was read; where it changed meanwhile, look again."""
    for _ in range(_TRIES):
        node = await _node(session, name)
        if not (node.get("spec") or {}).get("unschedulable"):
            return node
        version = {"resourceVersion": node["metadata"]["resourceVersion"]}
        try:
            patch = {"metadata": version, "spec": {"unschedulable": None}}
            return await session.cluster.merge_patch(NODES, None, name, patch)
        except errors.Conflict:
            continue
        except errors.ApiError as error:
            raise leave_for(error, plain(name)) from error
    raise Leave(Exit.API_ERROR, f"node {plain(name)} changes faster than it can be written", "kubectl uncordon NODE")


async def _ends(session: Session, name: str, until: float) -> bool:
    """Wait until the operator has taken its marks off and dropped the Lease, in this order."""
    while True:
        try:
            notes = (await session.cluster.get(NODES, None, name))["metadata"].get("annotations") or {}
        except errors.Absent:
            return True
        if REQUEST not in notes and not await _lease_stands(session, name):
            return True
        if time.monotonic() >= until:
            return False
        await asyncio.sleep(_LOOK_SECONDS)


async def _lease_stands(session: Session, name: str) -> bool:
    """Whether the Lease is still there; not for who may not see it."""
    try:
        await session.cluster.get(LEASES, NAMESPACE, name_of(name))
    except (errors.Absent, errors.Forbidden):
        return False
    return True


def _tell(name: str, held: Maintenance, late: Sequence[str]) -> None:
    out().print(f"node/{plain(name)} uncordoned", soft_wrap=True)
    if not held.request:
        err().print(f"[dim]{plain(name)} was under no maintenance of Gatehold[/dim]")
    elif name not in late:
        err().print(f"{plain(name)}: ended the maintenance of {held.in_words}", soft_wrap=True)
