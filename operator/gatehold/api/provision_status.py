"""What a question about pods was resolved to, in the status of its request, both ways: the price, the size, the options."""

from decimal import Decimal
from typing import Any

from gatehold.api.common import ParseError, amount, shortened, sparse
from gatehold.domain.status import Price, ResolvedOption, ResolvedProvision

_MOST_LINE = 256  # as in the CRD, and so are these
_MOST_DIFFERENCE = 512
_MOST_IMAGE = 1024

Json = dict[str, Any]


def parse_price(wire: Json | None) -> Price | None:
    """The operator's own price, or None. Raises ParseError, KeyError or TypeError where it is none of ours."""
    value = amount(wire.get("amount"), "status.resolved.price.amount") if wire is not None else None
    if wire is None or value is None:
        return None
    return Price(
        amount=value,
        currency=wire.get("currency", ""),
        period=wire.get("period", ""),
        hourly_low=_amount(wire, "hourlyLow"),
        hourly_high=_amount(wire, "hourlyHigh"),
        low=_amount(wire, "low"),
        high=_amount(wire, "high"),
        hours=_amount(wire, "hours"),
        hours_from=wire.get("hoursFrom", ""),
        parts=tuple(wire.get("parts", ())),
        unknown=tuple(wire.get("unknown", ())),
        source=wire.get("source", ""),
        date=wire.get("date", ""),
    )


def render_price(price: Price | None) -> Json:
    """For the status, and for the digest of the request."""
    if price is None:
        return {}
    return sparse(
        amount=_text(price.amount),
        currency=price.currency,
        period=price.period,
        hourlyLow=_text(price.hourly_low),
        hourlyHigh=_text(price.hourly_high),
        low=_text(price.low),
        high=_text(price.high),
        hours=_text(price.hours),
        hoursFrom=price.hours_from,
        parts=[shortened(line, _MOST_LINE) for line in price.parts],
        unknown=[shortened(line, _MOST_LINE) for line in price.unknown],
        source=price.source,
        date=price.date,
    )


def parse_provision(wire: Json | None) -> ResolvedProvision | None:
    """The size and what belongs to it, or None. Raises KeyError or TypeError where it is none of ours."""
    if wire is None:
        return None
    return ResolvedProvision(
        digest=wire["digest"],
        pods=wire["pods"],
        images=tuple(wire.get("images", ())),
        differences=tuple(wire.get("differences", ())),
        on_denied=wire.get("onDenied", ""),
        approved_pods=wire.get("approvedPods", 0),
        options=tuple(ResolvedOption(o["name"], o["pods"], _amount(o, "hourlyHigh")) for o in wire.get("options", ())),
    )


def render_provision(provision: ResolvedProvision | None) -> Json:
    """For the status, and for the digest of the request."""
    if provision is None:
        return {}
    options = [sparse(name=o.name, pods=o.pods, hourlyHigh=_text(o.hourly_high)) for o in provision.options]
    return sparse(
        digest=provision.digest,
        pods=provision.pods,
        images=[shortened(image, _MOST_IMAGE) for image in provision.images],
        differences=[shortened(line, _MOST_DIFFERENCE) for line in provision.differences],
        onDenied=provision.on_denied,
        approvedPods=provision.approved_pods or None,
        options=options,
    )


def _amount(wire: Json, name: str) -> Decimal | None:
    """A figure that is shown only: one that cannot be read is none, and hides nothing else from who looks."""
    try:
        return amount(wire.get(name), name)
    except ParseError:
        return None


def _text(value: Decimal | None) -> str | None:
    """As it was read or made: the status and the digest hold the same text."""
    return None if value is None else f"{value:f}"
