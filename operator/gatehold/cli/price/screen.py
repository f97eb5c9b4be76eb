"""A bill as people and programs read it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from gatehold.cli.exits import Exit
from gatehold.cli.price.manifests import Bill, Limits, Priced, Thing
from gatehold.cli.render import columns, say
from gatehold.cli.terminal import err
from gatehold.cli.text import plain
from gatehold.domain.pricing.price import Part, shown
from gatehold.domain.pricing.table import PriceTable

Json = dict[str, Any]


def outcome(bill: Bill, limits: Limits) -> Exit:
    """How the command ends. A limit that is exceeded is so whatever else is unknown."""
    if bill.exceeded(limits):
        return Exit.ABOVE_LIMIT
    return Exit.OK if bill.known else Exit.PRICE_UNKNOWN


def tell(bill: Bill, table: PriceTable, limits: Limits) -> None:
    """The table, its parts and notes below it, and what follows from it."""
    if bill.workloads:
        _print(bill, table, limits)
        for priced in bill.workloads:
            _explain(priced, table)
    else:
        say("Nothing here has a price.")
    if bill.workloads:
        say("")
    for left in bill.left:
        say(f"[dim]not priced:[/dim] {plain(left.thing)}: {plain(left.why)}")
    if bill.workloads:
        say(f"[dim]{plain(f'prices: {table.source}, {table.date}; a month is 730 h')}[/dim]")
    for line in bill.exceeded(limits):
        err().print(f"[bold red]above:[/bold red] {plain(line)}")
    if not bill.known:
        err().print("[bold yellow]unknown:[/bold yellow] not everything has a price; figures are what the rest costs")


def _print(bill: Bill, table: PriceTable, limits: Limits) -> None:
    money = plain(table.currency)
    gate = ["GATE"] if limits.gate else []
    drawn = columns(["WORKLOAD", "PODS", f"{money}/HOUR", f"{money} IN ALL", "FOR", *gate], flexible=["WORKLOAD"])
    for priced in bill.workloads:
        drawn.add_row(*_cells(priced), *([_verdict(priced)] if limits.gate else []))
    if len(bill.workloads) > 1:
        more = "" if bill.known else " + ?"
        cells = [
            "[bold]all together[/bold]",
            "",
            _range(bill.hourly) + more,
            f"up to {shown(bill.monthly)}{more}",
            "a month",
        ]
        drawn.add_row(*cells)
    say(drawn)


def _cells(priced: Priced) -> list[str]:
    found = priced.estimate
    more = "" if found.known else " + ?"
    hours = f"{found.duration.hours.normalize():f} h"
    return [
        plain(priced.thing),
        plain(priced.size),
        _range(found.hourly) + more,
        _range(found.total) + more,
        hours if not found.duration.enforced else f"{hours}, enforced",
    ]


def _verdict(priced: Priced) -> str:
    return "goes at once" if priced.under else "[bold yellow]is asked about[/bold yellow]"


def _range(figures: tuple[Decimal, Decimal]) -> str:
    low, high = shown(figures[0]), shown(figures[1])
    return high if low == high else f"{low} to {high}"


def _explain(priced: Priced, table: PriceTable) -> None:
    """What one pod is made of, line by line."""
    lines = [_line(part, table.currency) for part in priced.estimate.pod.parts]
    lines += [f"no price: {text}" for text in priced.estimate.pod.unknown]
    lines += [f"note: {text}" for text in priced.notes]
    say(f"\n[bold]{plain(priced.thing)}[/bold], an hour of one pod:")
    for line in lines:
        say(plain(line), indent=2)


def _line(part: Part, currency: str) -> str:
    unit = f" {part.unit}" if part.unit else ""
    low = f", {shown(part.low)} on spot" if part.low != part.amount else ""
    amount = f"{shown(part.amount)} {currency}"
    if part.quantity == 1 and part.rate != part.amount:  # a floor adds what is missing up to it
        return f"{part.name}: up to {shown(part.rate)} {currency}, {amount} more"
    return f"{part.name}: {_digits(part.quantity)}{unit} x {_digits(part.rate)} = {amount}{low}"


def as_json(bill: Bill, table: PriceTable, limits: Limits) -> Json:
    """Everything, as text where it is money: no figure passes through a float."""
    return {
        "outcome": outcome(bill, limits).name,
        "exceeded": list(bill.exceeded(limits)),
        "known": bill.known,
        "currency": table.currency,
        "source": table.source,
        "date": table.date,
        "hourly": _pair(bill.hourly),
        "monthly": {"high": _digits(bill.monthly)},
        "workloads": [_workload(priced) for priced in bill.workloads],
        "notPriced": [{**_object(left.thing), "why": left.why} for left in bill.left],
    }


def _workload(priced: Priced) -> Json:
    found = priced.estimate
    verdict = {} if priced.under is None else {"gate": "UnderThreshold" if priced.under else "Asked"}
    return {
        **_object(priced.thing),
        "pods": found.pods,
        "size": priced.size,
        "known": found.known,
        **verdict,
        "hourly": _pair(found.hourly),
        "hours": _digits(found.duration.hours),
        "hoursFrom": found.duration.source,
        "total": _pair(found.total),
        "pod": {
            "parts": [dict(_part(part)) for part in found.pod.parts],
            "unknown": list(found.pod.unknown),
        },
        "notes": list(priced.notes),
    }


def _part(part: Part) -> Iterator[tuple[str, str]]:
    yield "name", part.name
    yield "unit", part.unit
    for name in ("quantity", "rate", "amount", "low"):
        yield name, _digits(getattr(part, name))


def _object(thing: Thing) -> Json:
    return {"kind": thing.kind, "namespace": thing.namespace, "name": thing.name}


def _pair(figures: tuple[Decimal, Decimal]) -> Json:
    return {"low": _digits(figures[0]), "high": _digits(figures[1])}


def _digits(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
