"""`gatehold rollout watch`: follows until what the spec asks for is promoted or turned down; the exit code says which."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from gatehold.cli.exits import Exit, Leave
from gatehold.cli.render import dump_object
from gatehold.cli.rollout.outcome import outcome, sentence
from gatehold.cli.rollout.screen import Screen
from gatehold.cli.rollout.view import RolloutView, look, read
from gatehold.cli.session import Session
from gatehold.cli.terminal import out
from gatehold.cli.watching import lives
from gatehold.kube.resources import ROLLOUTS


@dataclass(frozen=True, slots=True)
class Aim:
    """What the command line says."""

    name: str
    timeout: int | None = None
    form: str | None = None


async def watch(session: Session, aim: Aim) -> None:
    """Follow one Rollout; ends by Leave unless it is promoted."""
    last = [await look(session, aim.name)]
    async with Screen(session, last[0]) as screen:
        try:
            async with asyncio.timeout(aim.timeout):
                code = await _follow(session, screen, last)
        except TimeoutError:
            code = Exit.TIMEOUT
    _end(aim, code, last[-1])


async def _follow(session: Session, screen: Screen, last: list[RolloutView]) -> Exit:
    """The end of what was asked for when watching began: another object, template or strategy is another matter."""
    meant = last[0].rollout
    async with contextlib.aclosing(lives(session, meant.name, ROLLOUTS)) as bodies:
        async for body in bodies:
            if body is None or body["metadata"]["uid"] != meant.uid:
                return Exit.GONE
            last[:] = [read(body, meant.name)]
            screen.tell(last[0])
            code = outcome(last[0], meant.target)
            if code is not None:
                return code
    raise AssertionError("a life has no end of its own")


def _end(aim: Aim, code: Exit, view: RolloutView) -> None:
    if aim.form is not None:
        dump_object(view.body, aim.form)
    said = sentence(view, code)
    if code is not Exit.OK:
        raise Leave(code, said, _next(view, code))
    if aim.form is None:
        out().print(said)


def _next(view: RolloutView, code: Exit) -> str:
    if code is Exit.GONE:
        return "kubectl get gro -A"
    if code is Exit.TIMEOUT or code is Exit.SUPERSEDED:
        return f"gatehold rollout watch {view.place}"
    verb = "retry" if view.rejected is not None else "show"
    return f"gatehold rollout {verb} {view.place}"
