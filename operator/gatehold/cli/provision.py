"""The parts of a question about pods of a gated namespace: how many, what they cost, what is odd, what a no brings. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING

from gatehold.cli.render import columns
from gatehold.cli.text import plain
from gatehold.domain.model import EffectType
from gatehold.domain.pricing.price import shown
from gatehold.domain.status import Price, ResolvedProvision

if TYPE_CHECKING:
    from rich.console import RenderableType

    from gatehold.cli.view import View

_OTHERWISE = {
    "Keep": "what waits stays inert",
    "ScaleBack": "the owner goes back to the size that was approved last, without what never ran",
    "Suspend": "the Job or CronJob is suspended",
    "Delete": "the owner is deleted, if nothing of it ever ran",
}


def is_provision(view: View) -> bool:
    """Whether a Gate of type Pods asks about what an owner in its namespace is to run."""
    request = view.request
    about_a_node = request.subject is None or request.subject.kind == "Node"
    return request.effect.type is EffectType.RELEASE and bool(request.gate) and not about_a_node


def read(view: View) -> tuple[ResolvedProvision | None, Price | None]:
    """What the operator found; nothing before it has looked."""
    resolved = view.status.resolved
    return (resolved.provision, resolved.price) if resolved is not None else (None, None)


def effect_words(view: View) -> str:
    """What happens once it is approved."""
    subject, (provision, _) = view.request.subject, read(view)
    owner = plain(f"{subject.kind} {subject.name}") if subject is not None else "its owner"
    if provision is None:
        return f"Release: the waiting pods of {owner} are let go"
    if view.request.options:
        return f"Release: as many pods of {owner} as the option says run at the same time"
    return f"Release: up to {provision.pods} pods of {owner} run at the same time"


def nothing_ran(view: View) -> str:
    """What becomes of them without a yes."""
    provision, _ = read(view)
    return otherwise(provision.on_denied if provision is not None else "")


def otherwise(on_denied: str) -> str:
    """The word of the Gate as a sentence."""
    return _OTHERWISE.get(on_denied, _OTHERWISE["Keep"])


def cost_text(view: View) -> str:
    """An hour in a cell of a list: the operator's own high figure, never what is declared."""
    _, price = read(view)
    if price is None or price.unknown:
        return "unknown" if is_provision(view) else ""
    return plain(f"{shown(price.amount)} {price.currency}/h" if price.period == "hour" else "")


def read_rows(view: View) -> Iterator[tuple[str, str]]:
    """Every line of what the operator read; all of it is part of the digest."""
    provision, price = read(view)
    if provision is None:
        return
    approved = f", {provision.approved_pods} of this owner are approved already" if provision.approved_pods else ""
    yield "Pods", f"{provision.pods} at the same time, rolling updates included{approved}"
    for text in provision.differences:
        yield "[bold yellow]Odd[/bold yellow]", plain(text)
    if price is None:
        yield "Price", "[bold]unknown[/bold]: there is no price table"
    else:
        yield from _price(provision, price)
    for image in provision.images:
        yield "Image", plain(image)
    yield "Without a yes", otherwise(provision.on_denied)


def _price(provision: ResolvedProvision, price: Price) -> Iterator[tuple[str, str]]:
    least = "at least " if price.unknown else ""
    for text in price.unknown:
        yield "[bold red]Price unknown[/bold red]", plain(text)
    yield "Price", f"[bold]{least}{_span(price.hourly_low, price.hourly_high, price.currency)} an hour[/bold]"
    change = _change(provision, price)
    if change:
        yield "Change", change
    if price.hours is not None:
        hours = f"{price.hours.normalize():f} h: {price.hours_from}"
        yield "In all", f"{least}{_span(price.low, price.high, price.currency)} in {plain(hours)}"
    for number, part in enumerate(price.parts):
        yield "" if number else "One pod", plain(part)
    yield "Prices from", plain(", ".join(text for text in (price.source, price.date) if text))


def _span(low: Decimal | None, high: Decimal | None, currency: str) -> str:
    """A range; one figure where there is no spot price."""
    figures = [shown(figure) for figure in (low, high) if figure is not None]
    return plain(f"{' to '.join(dict.fromkeys(figures))} {currency}")


def _change(provision: ResolvedProvision, price: Price) -> str:
    """Against what is approved of this owner, at the price of these pods."""
    if not provision.pods or not provision.approved_pods or price.hourly_high is None:
        return ""
    more = provision.pods - provision.approved_pods
    amount = price.hourly_high * abs(more) / provision.pods
    word = "more" if more >= 0 else "fewer"
    return plain(
        f"{abs(more)} pods {word} than approved: {'+' if more >= 0 else '-'}{shown(amount)} {price.currency} an hour"
    )


def options_table(view: View) -> RenderableType | None:
    """The variants as the operator priced them; None where this is no such question or offers none."""
    provision, price = read(view)
    if provision is None or not provision.options:
        return None
    currency = price.currency if price is not None else ""
    hours = price.hours if price is not None else None
    summaries = {str(o.get("name")): o.get("summary") for o in view.spec.get("options") or []}
    table = columns(["OPTION", "PODS", "AN HOUR", "IN ALL", "MEANS"], flexible=["MEANS"])
    for option in provision.options:
        unknown = option.hourly_high is None or price is None or bool(price.unknown)
        hourly = option.hourly_high or Decimal(0)
        whole = "" if unknown or hours is None else f"{shown(hourly * hours)} {currency}"
        cost = "unknown" if unknown else f"{shown(hourly)} {currency}"
        table.add_row(*map(plain, (option.name, str(option.pods), cost, whole, summaries.get(option.name))))
    for column in table.columns:
        column.no_wrap, column.overflow = False, "fold"
    return table
