"""`gatehold rollout show`: the page once, or the object for programs."""

from __future__ import annotations

from gatehold.cli.render import dump_object
from gatehold.cli.rollout.page import page
from gatehold.cli.rollout.sight import look_around
from gatehold.cli.rollout.view import look
from gatehold.cli.session import Session
from gatehold.cli.show import print_sections


async def show(session: Session, name: str, form: str | None) -> None:
    """Print one Rollout for people, or as it is for programs."""
    view = await look(session, name)
    if form is not None:
        dump_object(view.body, form)
        return
    around = await look_around(session, view)
    print_sections(page(view, around, session.time.now()))
