"""`gatehold list`: what waits, for the user first, the oldest first."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gatehold.api.approval_request import DONE_LABEL
from gatehold.cli import provision
from gatehold.cli.drain import parts, sight
from gatehold.cli.question import phase_text
from gatehold.cli.render import columns, dump, print_name, say, tidy
from gatehold.cli.session import Session
from gatehold.cli.terminal import err, out
from gatehold.cli.text import plain
from gatehold.cli.times import ago, clock, left
from gatehold.cli.view import View, readable, waits_for
from gatehold.domain.installation import NAMESPACE, PROBE
from gatehold.domain.model import Request
from gatehold.domain.phases import Phase
from gatehold.domain.tiers import EVERYBODY
from gatehold.kube.resources import REQUESTS

_PROBE = (NAMESPACE, PROBE)
"""The operator's own request, by which it tests the wall; nobody is asked there."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asks for."""

    everywhere: bool = False
    done: bool = False
    mine_only: bool = False
    form: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A request with the answer to the first question: is it the user's turn."""

    view: View
    mine: bool


async def list_requests(session: Session, wish: Wish) -> None:
    """Print them."""
    bodies = await session.cluster.list_all(
        REQUESTS, None if wish.everywhere else session.namespace, "" if wish.done else f"{DONE_LABEL}!=true"
    )
    rows = await _sorted_rows(session, bodies, wish)
    if wish.form in ("json", "yaml"):
        items = [tidy(row.view.body) for row in rows]
        dump({"apiVersion": "v1", "kind": "List", "metadata": {}, "items": items}, wish.form)
    elif wish.form == "name":
        for row in rows:
            print_name(row.view.body)
    else:
        _print(session, rows, wish)


async def _sorted_rows(session: Session, bodies: list[dict[str, Any]], wish: Wish) -> list[Row]:
    person = await session.me()
    views = [view for view in map(readable, bodies) if view is not None]
    views = [view for view in views if (view.request.namespace, view.request.name) != _PROBE]
    if not wish.done:
        views = [view for view in views if not view.over]
    turns = await asyncio.gather(*(waits_for(session, view, person) for view in views))
    rows = [Row(view, mine) for view, mine in zip(views, turns, strict=True) if mine or not wish.mine_only]
    return sorted(rows, key=lambda row: (not row.mine, row.view.over, row.view.request.created, row.view.request.name))


def _print(session: Session, rows: list[Row], wish: Wish) -> None:
    if not rows:
        place = "in any namespace" if wish.everywhere else f"in namespace {plain(session.namespace)}"
        err().print(f"Nothing waits {'for you ' if wish.mine_only else ''}{place}.")
        return
    now = session.time.now()
    wide = wish.form == "wide"
    titles = ["NAME", "PHASE", "QUESTION", "ASKED BY", "WAITS FOR", "LEFT"]
    more = ["SUBJECT", "EFFECT", "COST", "POLICY", "UNTIL", "AGE"]
    header = ["", *(["NAMESPACE"] if wish.everywhere else []), *titles, *(more if wide else [])]
    table = columns(header, flexible=["QUESTION"])
    for row in rows:
        space = [plain(row.view.request.namespace)] if wish.everywhere else []
        cells = [_mark(row), *space, *_cells(row.view, now), *(_more(row.view, now) if wide else [])]
        table.add_row(*cells)
    _narrow(table, wide)
    say(table, overflowing=wide)
    _count(rows)


def _narrow(table: Any, wide: bool) -> None:  # noqa: ANN401 (rich's own)
    """On a narrow terminal the question keeps some room and long names of others are cut; a pipe cuts nothing."""
    console = out()
    if not console.is_terminal or wide:
        for column in table.columns:
            column.ratio = None
        return
    table.expand = True
    room = max(console.width - 40, 40)
    limits = {"NAME": room // 3, "NAMESPACE": room // 4, "ASKED BY": room // 4, "WAITS FOR": room // 2}
    for column in table.columns:
        column.max_width = limits.get(str(column.header))


def _mark(row: Row) -> str:
    return "[bold yellow]>[/bold yellow]" if row.mine else ""


def _cells(view: View, now: datetime | None) -> list[str]:
    request = view.request
    subject = f"{request.subject.kind} {request.subject.name}" if request.subject else f"nodes {sight.names(view)}"
    until = view.status.deadline if view.status.phase is Phase.PENDING else view.status.valid_until
    open_until = until if not view.over else None
    return [
        plain(request.name),
        phase_text(view) if view.status.phase else "[dim]new[/dim]",
        plain(request.summary or subject),
        asker(request),
        _waits(view),
        left(open_until, now),
    ]


def asker(request: Request) -> str:
    """Who asks; of a question that a Gate asks, the Gate and whose change it is: its account is the same everywhere."""
    if not request.gate:
        return plain(request.requester.username)
    authors = ", ".join(name for name in request.authors if name != EVERYBODY)
    return plain(f"gate {request.gate}" + (f" for {authors}" if authors else ""))


def _waits(view: View) -> str:
    """Who has to move next, or through whom it ended."""
    status = view.status
    if view.over:
        return plain(f"({status.decision.by})" if status.decision is not None else "")
    if status.phase is Phase.APPROVED:
        far = parts.progress(view) if sight.about_nodes(view) else ""
        return far or plain(f"effect {status.effect.state}" if status.effect is not None else "effect")
    if not status.request_digest:
        return "the operator"
    return plain(", ".join(f"{need} {'/'.join(entry.accepted)}" for entry, need in view.lacking())) or "the operator"


def _more(view: View, now: datetime | None) -> list[str]:
    request = view.request
    subject = f"{request.subject.kind}/{request.subject.name}" if request.subject else f"nodes/{sight.names(view)}"
    texts = [plain(subject), str(request.effect.type), provision.cost_text(view), plain(request.policy)]
    return [*texts, clock(view.status.deadline), ago(request.created, now)]


def _count(rows: list[Row]) -> None:
    mine = sum(row.mine for row in rows)
    if out().is_terminal:
        for_you = f"[bold]{mine}[/bold] for you (>)" if mine else "none of them for you"
        err().print(f"\n{len(rows)} shown, {for_you}. Next: gatehold show NAME")
