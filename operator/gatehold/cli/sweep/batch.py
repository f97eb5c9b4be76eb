"""Which requests of a policy one yes may be said to at once, and why the others are left out. Pure.

Nobody reads each of them, so whatever stands out is left to be looked at by itself: a price that is unknown, beyond the
bound or far from the others', a newcomer, a choice, a record that does not prove itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from statistics import median_low

from gatehold.cli.checks import Result, offline_checks
from gatehold.cli.deciders import Deciders, weaker
from gatehold.cli.people import Person
from gatehold.cli.view import View, barred
from gatehold.domain.model import Policy
from gatehold.domain.phases import Phase
from gatehold.domain.pricing.price import shown
from gatehold.domain.status import Price

FAR = 3
"""How many times the median of the batch is too far from it."""

_HOUR = "hour"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the command line allows: at most that price an hour each, and that option where options are offered."""

    policy: str
    most: Decimal
    option: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """What an hour of it costs at most, and the whole time; None: nobody knows."""

    hourly: Decimal | None = None
    whole: Decimal | None = None
    hours: Decimal | None = None
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One request of the batch. `why` says why it is left out; empty: it is approved, with `option` where it has any."""

    view: View
    cost: Cost = Cost()
    pods: int | None = None
    option: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Reviewer:
    """Who sweeps: the person, the roles held for each request (by uid), and the policy as it is now."""

    person: Person
    roles: dict[str, tuple[str, ...]]
    policy: Policy


def batch(views: Iterable[View], bounds: Bounds, reviewer: Reviewer) -> list[Line]:
    """Every request under the policy that waits, oldest first; `views` are also those that are over, as the history."""
    known = list(views)
    waiting = [v for v in known if v.request.policy == bounds.policy and v.status.phase in (Phase.UNSET, Phase.PENDING)]
    waiting.sort(key=lambda view: (view.request.created, view.request.namespace, view.request.name))
    old_hands = _old_hands(known)
    lines = [_line(view, bounds, reviewer, old_hands) for view in waiting]
    return _without_far_ones(lines, bounds)


def _line(view: View, bounds: Bounds, reviewer: Reviewer, old_hands: frozenset[str]) -> Line:
    option = bounds.option if view.request.options else ""
    line = replace(_priced(view, option), option=option)
    return replace(line, why=_why(line, bounds, reviewer, old_hands))


def _why(line: Line, bounds: Bounds, reviewer: Reviewer, old_hands: frozenset[str]) -> str:
    """The first reason that holds, the gravest first; the price of the others is looked at last."""
    view = line.view
    if not view.status.request_digest:
        return "the operator has not prepared it yet"
    reason = barred(view, reviewer.person)
    if reason:
        return reason
    if not reviewer.roles.get(view.request.uid):
        return "it lacks no approval in a role of yours"
    return _untrue(view, reviewer) or _no_choice(view, bounds) or _too_dear(line, bounds) or _new(view, old_hands)


def _untrue(view: View, reviewer: Reviewer) -> str:
    """Whether its record proves itself, and asks what its policy asks."""
    wrong = next((check for check in offline_checks(view.body) if check.result is Result.DIFFERS), None)
    if wrong is not None:
        return f"gatehold verify: {wrong.name} differs"
    gaps = weaker(view, Deciders(reviewer.person, frozenset(), False, reviewer.policy))
    return f"weaker than its policy: {gaps[0]}" if gaps else ""


def _no_choice(view: View, bounds: Bounds) -> str:
    names = [option.name for option in view.request.options]
    if not names or bounds.option in names:
        return ""
    return f"offers options ({', '.join(names)})" + (", and not that one" if bounds.option else ": pick one with --option")


def _too_dear(line: Line, bounds: Bounds) -> str:
    if line.cost.hourly is None:
        return "price unknown"
    if line.cost.hourly > bounds.most:
        return f"costs more than {bounds.most.normalize():f} {line.cost.currency} an hour"
    return ""


def _new(view: View, old_hands: frozenset[str]) -> str:
    fresh = [source for source in sources(view) if source not in old_hands]
    return f"no released request before from {', '.join(fresh)}" if fresh else ""


def sources(view: View) -> tuple[str, ...]:
    """From whom it comes. What a Gate asks is the operator's own: then its authors, else whoever creates pods there."""
    request = view.request
    if not request.gate:
        return (request.requester.username,)
    return request.authors or (f"namespace {request.namespace}, gate {request.gate}",)


def _old_hands(views: Iterable[View]) -> frozenset[str]:
    return frozenset(who for view in views if _passed(view) for who in sources(view))


def _passed(view: View) -> bool:
    """Whether people let it go, and it went; without an effect the approval itself is all there is."""
    approved = view.status.phase is Phase.APPROVED and not view.request.has_effect
    return approved or view.status.phase is Phase.RELEASED


def _without_far_ones(lines: list[Line], bounds: Bounds) -> list[Line]:
    """Without what costs far more than the others within the bound, so that no dear one makes another look usual.

    Of two in the middle the lower one counts: two requests do not vouch for each other.
    """
    figures = [line.cost.hourly for line in lines if line.cost.hourly is not None and line.cost.hourly <= bounds.most]
    if not figures:
        return lines
    limit = FAR * median_low(figures)
    return [_unless_far(line, limit) for line in lines]


def _unless_far(line: Line, limit: Decimal) -> Line:
    figure = line.cost.hourly
    if line.why or figure is None or figure <= limit:
        return line
    return replace(line, why=f"costs more than {FAR} times the median of the batch ({shown(limit / FAR)})")


def _priced(view: View, option: str) -> Line:
    """What the operator itself priced, never what is declared; of the option that would be picked."""
    read = view.status.resolved
    price, provision = (read.price, read.provision) if read is not None else (None, None)
    if provision is None or price is None:
        return Line(view, _cost(price, price.amount if price is not None else None))
    if not view.request.options:
        return Line(view, _cost(price, price.amount), provision.pods)
    chosen = next((found for found in provision.options if found.name == option), None)
    if chosen is None:
        return Line(view, Cost(), provision.pods)
    return Line(view, _cost(price, chosen.hourly_high), chosen.pods)


def _cost(price: Price | None, hourly: Decimal | None) -> Cost:
    if price is None or price.unknown or price.period != _HOUR or hourly is None:
        return Cost()
    whole = None if price.hours is None else hourly * price.hours
    return Cost(hourly, whole, price.hours, price.currency)


def chosen(lines: Iterable[Line]) -> list[Line]:
    """Those that are approved."""
    return [line for line in lines if not line.why]


def currencies(lines: Iterable[Line]) -> list[str]:
    """Of what has a price; one bound cannot mean several."""
    return sorted({line.cost.currency for line in lines if line.cost.hourly is not None})
