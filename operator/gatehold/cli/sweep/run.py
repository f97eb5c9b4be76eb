"""The sweep from the look to the results: read, preview, be sure, write one verdict each, say what came of each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gatehold.api.approval_policy import parse
from gatehold.api.common import ParseError
from gatehold.cli.exits import Exit, Leave
from gatehold.cli.people import Person, demand_person
from gatehold.cli.render import columns, say
from gatehold.cli.session import Session
from gatehold.cli.stamping import Pen, Say
from gatehold.cli.sweep.batch import Bounds, Line, Reviewer, batch, chosen, currencies
from gatehold.cli.terminal import confirm, err, is_conversation, out
from gatehold.cli.text import plain
from gatehold.cli.view import View, readable, roles_held
from gatehold.domain.model import Policy, Word
from gatehold.domain.phases import Phase
from gatehold.domain.pricing.price import MONTH_HOURS, shown
from gatehold.kube.resources import POLICIES, REQUESTS


@dataclass(frozen=True, slots=True)
class SweepOrder:
    """What the command line says."""

    bounds: Bounds
    comment: str
    role: str = ""
    everywhere: bool = False
    yes: bool = False


async def sweep(session: Session, order: SweepOrder) -> None:
    """Approve what is within the bounds, after it was shown; nothing else is touched."""
    person = await session.me()
    demand_person(person)
    lines = await _read(session, order, person)
    going = chosen(lines)
    if lines:
        _one_currency(lines)
        _preview(lines, order)
    if not going:
        raise Leave(Exit.ABSENT, _nothing(session, order, lines), f"gatehold list{_place(order, session)}")
    _be_sure(going, lines, order, person)
    await _write(session, going, order, person)


async def _read(session: Session, order: SweepOrder, person: Person) -> list[Line]:
    bodies = await session.cluster.list_all(REQUESTS, None if order.everywhere else session.namespace)
    views = [view for view in map(readable, bodies) if view is not None]
    policy = _policy(await session.cluster.get(POLICIES, None, order.bounds.policy))
    mine = [v for v in views if v.request.policy == policy.name and v.status.phase is Phase.PENDING]
    held = await asyncio.gather(*(_roles(session, view, order.role) for view in mine))
    roles = {view.request.uid: found for view, found in zip(mine, held, strict=True)}
    return batch(views, order.bounds, Reviewer(person, roles, policy))


def _policy(body: dict[str, Any]) -> Policy:
    try:
        return parse(body)
    except ParseError as error:
        name = plain(body["metadata"]["name"])
        raise Leave(Exit.REFUSED, f"policy {name} cannot be read: {plain(error)}", "gatehold doctor") from error


async def _roles(session: Session, view: View, wanted: str) -> tuple[str, ...]:
    """The user's roles that this request still lacks; with --role that one alone."""
    lacking = {role for entry, _ in view.lacking() for role in entry.accepted}
    return tuple(role for role in await roles_held(session, view) if role in lacking and wanted in ("", role))


def _one_currency(lines: list[Line]) -> None:
    found = currencies(lines)
    if len(found) > 1:
        text = f"these prices are in {plain(', '.join(found))}: --max-cost can be meant in one of them only"
        raise Leave(Exit.USAGE, text, "approve them by name")


# ---- what is shown


def _preview(lines: list[Line], order: SweepOrder) -> None:
    space = ["NAMESPACE"] if order.everywhere else []
    option = ["OPTION"] if any(line.option for line in lines) else []
    titles = ["", *space, "REQUEST", "WHAT", *option, "PODS", "AN HOUR", "IN ALL", "LEFT OUT, SINCE"]
    table = columns(titles, flexible=["WHAT", "LEFT OUT, SINCE"])
    for line in sorted(lines, key=lambda line: bool(line.why)):
        table.add_row(*_cells(line, bool(space), bool(option)))
    for column in table.columns:
        column.no_wrap, column.overflow = False, "fold"  # nobody says yes to what is cut off
    say(table)


def _cells(line: Line, space: bool, option: bool) -> list[str]:
    request, cost = line.view.request, line.cost
    subject = f"{request.subject.kind} {request.subject.name}" if request.subject is not None else str(request.effect.type)
    hours = f" ({cost.hours.normalize():f} h)" if cost.hours is not None else ""
    return [
        "[yellow]-[/yellow]" if line.why else "[green]+[/green]",
        *([plain(request.namespace)] if space else []),
        plain(request.name),
        plain(subject),
        *([plain(line.option)] if option else []),
        "" if line.pods is None else str(line.pods),
        "unknown" if cost.hourly is None else plain(f"{shown(cost.hourly)} {cost.currency}"),
        "" if cost.whole is None else plain(f"{shown(cost.whole)} {cost.currency}{hours}"),
        plain(line.why),
    ]


def _nothing(session: Session, order: SweepOrder, lines: list[Line]) -> str:
    policy = plain(order.bounds.policy)
    place = "in any namespace" if order.everywhere else f"in namespace {plain(session.namespace)}"
    if not lines:
        return f"nothing waits under policy {policy} {place}: nothing was written"
    return f"all {len(lines)} that wait under policy {policy} {place} are left out: nothing was written"


def _place(order: SweepOrder, session: Session) -> str:
    return " -A" if order.everywhere else f" -n {plain(session.namespace)}"


def _together(lines: Iterable[Line]) -> str:
    """What all of them cost: many that are cheap one by one may be dear together."""
    known = [line for line in lines if line.cost.hourly is not None]
    hourly = sum((line.cost.hourly for line in known if line.cost.hourly is not None), Decimal(0))
    month = hourly * MONTH_HOURS
    currency = known[0].cost.currency if known else ""
    return plain(f"together {shown(hourly)} {currency} an hour, up to {shown(month)} {currency} a month of 730 h")


def _be_sure(going: list[Line], lines: list[Line], order: SweepOrder, person: Person) -> None:
    left = len(lines) - len(going)
    count = f"{len(going)} request{'' if len(going) == 1 else 's'} ({_together(going)})"
    out().print(f"\n{count}, {left} left out.")
    if order.yes:
        return
    if not is_conversation():
        text = "approve --all needs a terminal, where it asks, or --yes from a script; nothing was written"
        raise Leave(Exit.NOT_CONFIRMED, text, "the same command with --yes")
    if not confirm(f"Approve {'it' if len(going) == 1 else 'each of them'} as {plain(person.username)}?"):
        raise Leave(Exit.NOT_CONFIRMED, "nothing was written")


# ---- what is written


async def _write(session: Session, going: list[Line], order: SweepOrder, person: Person) -> None:
    """One verdict each, with the digest that was shown: what changed since is refused, and said."""
    failed = 0
    for place, line in enumerate(going):
        try:
            await _approve(session, line, order, person)
        except Leave as leave:
            failed += 1
            err().print(f"[red]not approved:[/red] {_named(line)}: {leave.text}")
            if leave.code is Exit.API_ERROR:
                rest = ", ".join(_named(other) for other in going[place + 1 :])
                more = f"; not tried: {rest}" if rest else ""
                raise Leave(Exit.API_ERROR, f"stopped after {place} of {len(going)}{more}", leave.next_command) from leave
    out().print(f"{len(going) - failed} of {len(going)} approved")
    if failed:
        raise Leave(Exit.NO, f"{failed} could not be approved")


async def _approve(session: Session, line: Line, order: SweepOrder, person: Person) -> None:
    view = line.view
    role = (await _roles(session, view, order.role))[0]
    word = Say(Word.APPROVE, view.status.request_digest, role, line.option, order.comment, person.username)
    verdict = await Pen(session, view, word).write()
    option = f", option {plain(verdict.option)}" if verdict.option else ""
    out().print(f"approved {_named(line)} as {plain(verdict.role)}{option} (verdict {verdict.id})")


def _named(line: Line) -> str:
    return f"{plain(line.view.request.namespace)}/{plain(line.view.request.name)}"
