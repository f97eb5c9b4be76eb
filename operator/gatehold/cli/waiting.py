"""`gatehold wait`: for pipelines. The exit code is the outcome, whatever --for says; see `exits`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime

from gatehold.api.common import ParseError
from gatehold.cli.exits import Exit, Leave
from gatehold.cli.options import Until
from gatehold.cli.render import dump_object
from gatehold.cli.session import Session
from gatehold.cli.telling import Teller
from gatehold.cli.terminal import out
from gatehold.cli.text import plain
from gatehold.cli.view import View, view_of
from gatehold.cli.watching import lives
from gatehold.domain.phases import Phase
from gatehold.domain.status import EffectState

_CODES = {
    Phase.DENIED: Exit.NO,
    Phase.EXPIRED: Exit.EXPIRED,
    Phase.LAPSED: Exit.LAPSED,
    Phase.SUPERSEDED: Exit.SUPERSEDED,
    Phase.WITHDRAWN: Exit.WITHDRAWN,
    Phase.FAILED: Exit.FAILED,
}


@dataclass(frozen=True, slots=True)
class Aim:
    """What the command line says. `uid` is empty where the first object seen is the one that is meant."""

    name: str
    until: Until | None = None
    timeout: int | None = None
    uid: str = ""
    form: str | None = None


async def wait(session: Session, aim: Aim) -> None:
    """Wait; always ends by Leave unless it passed."""
    last: list[View] = []
    with Teller(session) as teller:
        try:
            async with asyncio.timeout(aim.timeout):
                code = await _follow(session, aim, teller, last)
        except TimeoutError:
            code = Exit.TIMEOUT
    _end(aim, code, last[-1] if last else None)


async def _follow(session: Session, aim: Aim, teller: Teller, last: list[View]) -> Exit:
    uid = aim.uid
    async with contextlib.aclosing(_views(session, aim.name)) as views:
        async for view in views:
            if view is None:
                if uid:
                    return Exit.GONE
                text = f"there is no request {plain(aim.name)} in namespace {plain(session.namespace)}"
                raise Leave(Exit.ABSENT, text, "gatehold list -A --all")
            uid = uid or view.request.uid
            if view.request.uid != uid:
                return Exit.GONE
            last[:] = [view]
            code = outcome(view, aim.until, session.time.now())
            if code is not None:
                return code
            teller.tell(view)
    raise AssertionError("a life has no end of its own")


async def _views(session: Session, name: str) -> AsyncGenerator[View | None, None]:
    async with contextlib.aclosing(lives(session, name)) as bodies:
        async for body in bodies:
            try:
                yield None if body is None else view_of(body)
            except ParseError as error:
                raise Leave(Exit.API_ERROR, f"{plain(name)} cannot be read: {plain(error)}") from error


def outcome(view: View, until: Until | None, now: datetime | None) -> Exit | None:
    """The exit code, or None while there is something to wait for. Only the operator's record passes, never a hope."""
    phase = view.status.phase
    if phase is Phase.RELEASED:
        return Exit.OK
    if phase is Phase.APPROVED:
        return _approved(view, until, now)
    return _CODES.get(phase)


def _approved(view: View, until: Until | None, now: datetime | None) -> Exit | None:
    """An approval passes for as long as it is valid; with an effect it is the end only for who asked for no more."""
    target = until or (Until.RELEASED if view.request.has_effect else Until.APPROVED)
    if target is Until.RELEASED and view.request.has_effect:
        return None
    if _is_stale(view, now):
        return None if view.request.has_effect else Exit.LAPSED
    return Exit.OK


def _is_stale(view: View, now: datetime | None) -> bool:
    """Whether the validity is over before anything began. Without the server's time it counts as over."""
    effect, until = view.status.effect, view.status.valid_until
    begun = effect is not None and effect.state is not EffectState.WAITING
    return until is not None and not begun and (now is None or now >= until)


def _end(aim: Aim, code: Exit, view: View | None) -> None:
    if aim.form is not None and view is not None:
        dump_object(view.body, aim.form)
    sentence = _sentence(aim, code, view)
    if code is Exit.OK:
        if aim.form is None:
            out().print(sentence)
        return
    if code is Exit.GONE or view is None:
        raise Leave(code, sentence)
    raise Leave(code, sentence, f"gatehold show {plain(aim.name)} -n {plain(view.request.namespace)}")


def _sentence(aim: Aim, code: Exit, view: View | None) -> str:
    name = plain(aim.name)
    if code is Exit.GONE:
        return f"{name} is gone: it was deleted, or another request stands under its name"
    if view is None:
        return f"{name}: nothing was seen in time"
    if code is Exit.TIMEOUT:
        return f"{name} is still {view.status.phase or 'waiting for the operator'}: --timeout is over, nothing was changed"
    if code is Exit.LAPSED and view.status.phase is Phase.APPROVED:
        return f"{name} was approved, but its validity is over; ask again"
    return ended(view)


def ended(view: View) -> str:
    """How it ended, in words."""
    decision = view.status.decision
    reason = plain(f" ({decision.reason}: {decision.message})") if decision is not None and decision.reason else ""
    option = plain(f", option {decision.option}") if decision is not None and decision.option else ""
    return f"{plain(view.request.name)} is {view.status.phase}{option}{reason}"
