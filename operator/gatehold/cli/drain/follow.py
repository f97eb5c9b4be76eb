"""Follows a drain to its end; the exit code is the outcome, as with `wait`."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from gatehold.api.common import ParseError
from gatehold.cli.drain import parts, sight
from gatehold.cli.drain.screen import Screen
from gatehold.cli.exits import Exit, Leave
from gatehold.cli.options import Until
from gatehold.cli.render import dump_object
from gatehold.cli.session import Session
from gatehold.cli.terminal import err, out
from gatehold.cli.text import plain
from gatehold.cli.view import View, view_of
from gatehold.cli.waiting import ended, outcome
from gatehold.cli.watching import lives
from gatehold.domain.phases import Phase
from gatehold.domain.reasons import ConditionType


@dataclass(frozen=True, slots=True)
class Aim:
    """Which request is followed, by its uid too."""

    name: str
    uid: str
    form: str | None = None


async def follow(session: Session, aim: Aim) -> None:
    """Follow it until it has ended and was undone where that was due; ends by Leave unless the nodes are drained."""
    last: list[View] = []
    with Screen(session) as screen:
        code = await _follow(session, aim, screen, last)
    if aim.form is not None and last:
        dump_object(last[-1].body, aim.form)
    if not last or code is Exit.GONE:
        raise Leave(Exit.GONE, f"{plain(aim.name)} is gone: it was deleted", f"gatehold list -n {plain(session.namespace)}")
    said = sentence(last[-1])
    if code is not Exit.OK:
        raise Leave(code, said, f"gatehold show {plain(aim.name)} -n {plain(session.namespace)}")
    if aim.form is None:
        out().print(said)
        nodes = plain(" ".join(sight.drained(last[-1])))
        err().print(f"[dim]next:[/dim] gatehold uncordon {nodes}   [dim]when the work is done[/dim]")


async def _follow(session: Session, aim: Aim, screen: Screen, last: list[View]) -> Exit:
    async with contextlib.aclosing(lives(session, aim.name)) as bodies:
        async for body in bodies:
            if body is None or body["metadata"]["uid"] != aim.uid:
                return Exit.GONE
            try:
                view = view_of(body)
            except ParseError as error:
                raise Leave(Exit.API_ERROR, f"{plain(aim.name)} cannot be read: {plain(error)}") from error
            last[:] = [view]
            screen.tell(view)
            code = outcome(view, Until.RELEASED, session.time.now())
            if code is not None and not _is_being_undone(view):
                return code
    raise AssertionError("a life has no end of its own")


def _is_being_undone(view: View) -> bool:
    """Whether nodes of it are still being put back, so that the last word is not said yet."""
    back = view.status.condition(ConditionType.RECONCILING)
    return back is not None and back.status == "True"


def sentence(view: View) -> str:
    """The end in words, with what was put back."""
    if view.status.phase is Phase.RELEASED:
        return f"{plain(view.request.name)} is Released: {parts.progress(view)}"
    back = view.status.condition(ConditionType.ROLLED_BACK)
    undone = f"; {plain(back.message)}" if back is not None and back.message else ""
    far = parts.progress(view)
    return ended(view) + (f"; {far}" if far else "") + undone
