"""What a question about pods says, read anew in the moment in which it is prepared; it is part of the digest."""

from gatehold.domain.pricing.price import Estimate, Part, price, shown
from gatehold.domain.provision.groups import covered, group
from gatehold.domain.provision.model import Sight
from gatehold.domain.status import Price, Resolved, ResolvedOption, ResolvedProvision

MOST_LINES = 16  # as in the CRD


def resolved(sight: Sight, digest: str) -> Resolved:
    """The size, the price and what is approved already; without a Gate or a table the price is missing."""
    found, yes = group(sight, digest), covered(sight.asked)
    gate, table = sight.gate, sight.table
    if gate is None or table is None or not (found.pods or found.jobs):
        return Resolved(provision=ResolvedProvision(digest, found.size))
    pod = price(found.shape, table, gate.floor)
    options = () if found.odd else tuple(o for o in sight.owner.options if o.pods <= found.size)
    provision = ResolvedProvision(
        digest=digest,
        pods=found.size,
        images=found.images[:MOST_LINES],
        differences=differences(sight, digest),
        on_denied=str(gate.on_denied),
        approved_pods=yes.covered if yes is not None else 0,
        options=tuple(ResolvedOption(o.name, o.pods, Estimate(o.pods, pod).hourly[1]) for o in options),
    )
    estimate = Estimate(found.size, pod, sight.owner.duration)
    return Resolved(price=_price(estimate, table.currency, table.source, table.date), provision=provision)


def differences(sight: Sight, digest: str) -> tuple[str, ...]:
    """Why these pods are asked about by themselves: they are not as their owner's template says, or it cannot be read."""
    owner = sight.owner
    if owner.known and digest == owner.digest:
        return ()
    if not owner.known:
        return (f"{owner.kind} {owner.name} is not a kind that this operator reads, so its pods are counted as they are",)
    lines = [f"these pods are not as the template of {owner.kind} {owner.name} says"]
    there = group(sight, digest)
    now, then = set(there.images), set(owner.images)
    lines += [f"image {image} is not in the template" for image in sorted(now - then)]
    return tuple(lines[:MOST_LINES])


def _price(estimate: Estimate, currency: str, source: str, date: str) -> Price:
    (hourly_low, hourly_high), (low, high) = estimate.hourly, estimate.total
    return Price(
        amount=hourly_high,
        currency=currency,
        period="hour",
        hourly_low=hourly_low,
        hourly_high=hourly_high,
        low=low,
        high=high,
        hours=estimate.duration.hours,
        hours_from=estimate.duration.source,
        parts=tuple(line(part, currency) for part in estimate.pod.parts)[:MOST_LINES],
        unknown=estimate.pod.unknown[:MOST_LINES],
        source=source,
        date=date,
    )


def line(part: Part, currency: str) -> str:
    """One part of the price of a pod, for people."""
    unit = f" {part.unit}" if part.unit else ""
    return (
        f"{part.name}: {part.quantity.normalize():f}{unit} x {part.rate.normalize():f} = {shown(part.amount)} {currency}/h"
    )
