"""`gatehold show`: the whole request. The deciding commands print the same before they ask."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gatehold.cli.deciders import find_out, who_decides, your_part
from gatehold.cli.question import Section, question
from gatehold.cli.record import record
from gatehold.cli.render import dump_object, say
from gatehold.cli.session import Session
from gatehold.cli.view import View, look
from gatehold.kube.resources import REQUESTS

if TYPE_CHECKING:
    from rich.console import RenderableType


async def show(session: Session, name: str, form: str | None) -> None:
    """Print one request for people, or as it is for programs."""
    if form is not None:
        dump_object(await session.cluster.get(REQUESTS, session.namespace, name), form)
        return
    await print_request(session, await look(session, name), commands=True)


async def print_request(session: Session, view: View, *, commands: bool) -> None:
    """Print the request; `commands` adds what the user may type next."""
    found = await find_out(session, view)
    now = session.time.now()
    print_sections(question(view, now))
    print_sections(record(view, now))
    print_section("Who decides", who_decides(view, found))
    if commands:
        print_section("Next", your_part(view, found))


def print_sections(sections: Iterable[Section]) -> None:
    """Print titles and what belongs to them, with air between."""
    for title, content in sections:
        print_section(title, [content])


def print_section(title: str, contents: Iterable[RenderableType]) -> None:
    """Print one part, indented below its title."""
    if title:
        say(f"\n[bold]{title}[/bold]")
    for content in contents:
        say(content, indent=2 if title else 0)
