"""`gatehold rollout retry`: asks again for what was rejected, or takes a break-glass back, by a new gatehold.dev/retry."""

from __future__ import annotations

from datetime import datetime

from gatehold.api.rollout import RETRY
from gatehold.cli.exits import Exit, Leave
from gatehold.cli.refusals import leave_for
from gatehold.cli.render import dump_object
from gatehold.cli.rollout.view import RolloutView, look, read
from gatehold.cli.session import Session
from gatehold.cli.terminal import err, out
from gatehold.cli.text import plain
from gatehold.cli.times import clock
from gatehold.kube import errors
from gatehold.kube.resources import ROLLOUTS

_TRIES = 20


async def retry(session: Session, name: str, form: str | None) -> None:
    """Write a value that was not there before, on exactly the object that was looked at: else look again."""
    for _ in range(_TRIES):
        view = await look(session, name)
        if view.is_asked_again and (view.rejected is not None or view.overrides):
            out().print(f"Rollout {plain(name)} is asked again already ({RETRY}={plain(view.rollout.retry)})")
            return
        _check(view)
        value = new_value((view.rollout.retry, view.record.retried), session.time.now())
        metadata = {"resourceVersion": view.body["metadata"]["resourceVersion"], "annotations": {RETRY: value}}
        try:
            body = await session.cluster.merge_patch(ROLLOUTS, session.namespace, name, {"metadata": metadata})
        except errors.Conflict:
            continue
        except errors.ApiError as error:
            raise leave_for(error, view.place) from error
        _report(view, read(body, name), value, form)
        return
    text = f"Rollout {plain(name)} changes faster than it can be written; nothing was written"
    raise Leave(Exit.API_ERROR, text, f"gatehold rollout retry {plain(name)} -n {plain(session.namespace)}")


def new_value(used: tuple[str, ...], now: datetime | None) -> str:
    """A value that was not used before: the API server's time, and a number where that one is taken."""
    stem = clock(now) or "again"
    found, number = stem, 2
    while found in used:
        found, number = f"{stem}-{number}", number + 1
    return found


def _check(view: RolloutView) -> None:
    """Say plainly where there is nothing to ask again; an annotation then would only begin a run nobody meant."""
    what, show = f"Rollout {plain(view.rollout.name)}", f"gatehold rollout show {view.place}"
    if view.rejected is not None or view.overrides:
        return
    if view.unread or not view.is_looked_at:
        raise Leave(Exit.NO, f"{what} is held, and nothing of it was rejected: nothing was written", show)
    if view.record.rejected is not None:
        text = f"the spec of {what} was changed after the rejection, so it is tried without being asked: nothing was written"
        raise Leave(Exit.NO, text, f"gatehold rollout watch {view.place}")
    doing = "a run is under way" if view.record.run is not None else f"it is {view.record.phase}"
    raise Leave(Exit.NO, f"nothing of {what} was rejected ({doing}): nothing was written", show)


def _report(before: RolloutView, after: RolloutView, value: str, form: str | None) -> None:
    if form is not None:
        dump_object(after.body, form)
        return
    if before.rejected is not None:
        out().print(
            f"asked again: {plain(before.rejected.reason)} of {clock(before.rejected.at)} no longer stands in the way"
        )
    else:
        out().print("asked for: what was changed by break-glass is put back")
    out().print(f"{RETRY}={plain(value)}")
    err().print(f"[dim]next:[/dim] gatehold rollout watch {after.place}")
