"""What a pod costs an hour, and what a number of them cost in a time: a range, its parts, and what has no price."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Final

from gatehold.domain.pricing.pod import CPU, EPHEMERAL, HUGE_PAGES, MEMORY, PodShape, needs
from gatehold.domain.pricing.table import PriceTable

GIB: Final = Decimal(2**30)
MONTH_HOURS: Final = Decimal(730)
_PLACES: Final = Decimal("0.000001")  # as in the CRDs
_MOST: Final = Decimal(10) ** 15 - 1  # as in the CRDs: beyond any threshold anyway
_DIGITS: Final = (Decimal("0.01"), Decimal("0.0001"))
_GPU: Final = "/gpu"
_WIDE: Final = Context(prec=80, rounding=ROUND_HALF_UP)  # the most of everything at the dearest rate, and no overflow


@dataclass(frozen=True, slots=True)
class Part:
    """One line of a price: so much of something at that rate, an hour of one pod. `low` is the same where it is cheapest."""

    name: str
    quantity: Decimal
    unit: str
    rate: Decimal
    amount: Decimal
    low: Decimal


@dataclass(frozen=True, slots=True)
class PodPrice:
    """An hour of one pod: `low` all on spot where the table knows that, `high` on demand. `unknown` is what has no price."""

    low: Decimal
    high: Decimal
    parts: tuple[Part, ...] = ()
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Duration:
    """For how long it is paid. `enforced`: the cluster ends it then, so it may be counted on."""

    hours: Decimal = MONTH_HOURS
    source: str = "a month of 730 h"
    enforced: bool = False


@dataclass(frozen=True, slots=True)
class Threshold:
    """Up to which price nobody is asked, of all pods together: an hour, a month. Both hold where both are given."""

    hourly: Decimal | None = None
    monthly: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    """What so many pods cost: an hour, and in the time that they run."""

    pods: int
    pod: PodPrice
    duration: Duration = Duration()

    @property
    def hourly(self) -> tuple[Decimal, Decimal]:
        """Low and high of an hour of all pods."""
        return _fine(self.pod.low * self.pods), _fine(self.pod.high * self.pods)

    @property
    def total(self) -> tuple[Decimal, Decimal]:
        """Low and high of the whole time."""
        hours = self.duration.hours * self.pods
        return _fine(self.pod.low * hours), _fine(self.pod.high * hours)

    @property
    def counted(self) -> Decimal:
        """The high figure of a month, or of less where the cluster ends it before. A stated duration binds nobody."""
        hours = min(self.duration.hours, MONTH_HOURS) if self.duration.enforced else MONTH_HOURS
        return self.pod.high * self.pods * hours

    @property
    def known(self) -> bool:
        """Whether everything about it has a price."""
        return not self.pod.unknown


def price(shape: PodShape, table: PriceTable, floor: Decimal | None = None) -> PodPrice:
    """Price an hour of one pod. Without a request of CPU or memory it costs the `floor` at least; without one, unknown."""
    taken = needs(shape)
    parts = list(_priced(shape, taken, table))
    unknown = [*shape.flaws, *(f"device claim {name}" for name in shape.claims), *_unpriced(shape, taken, table)]
    low, high = sum((p.low for p in parts), Decimal(0)), sum((p.amount for p in parts), Decimal(0))
    missing = [name for name in (CPU, MEMORY) if not taken.get(name)]
    if missing and floor is None:
        unknown.append(f"no request of {' and '.join(missing)}, and no floor")
    elif missing and floor is not None and floor > high:
        parts.append(Part("floor of the Gate", Decimal(1), "", floor, floor - high, max(floor - low, Decimal(0))))
        low, high = floor, floor
    return PodPrice(low, high, tuple(parts), tuple(unknown))


def is_under(estimate: Estimate, threshold: Threshold) -> bool:
    """Whether nobody need be asked: by the high figure, and never where a price is unknown or no threshold is given."""
    limits = [
        (threshold.hourly, estimate.pod.high * estimate.pods),
        (threshold.monthly, estimate.counted),
    ]
    given = [(limit, figure) for limit, figure in limits if limit is not None]
    return estimate.known and bool(given) and all(figure <= limit for limit, figure in given)


def shown(amount: Decimal) -> str:
    """Render for people: two digits, half up; more where that would read as nothing."""
    places = next((digits for digits in _DIGITS if amount >= digits or not amount), _PLACES)
    return f"{amount.quantize(places, context=_WIDE):f}"


def _priced(shape: PodShape, taken: Mapping[str, Decimal], table: PriceTable) -> Iterator[Part]:
    """What has a rate, line by line. Huge pages are memory."""
    if taken.get(CPU):
        yield _part("CPU", taken[CPU], "core", table.cpu, table.spot_cpu)
    memory = sum((amount for name, amount in taken.items() if name == MEMORY or name.startswith(HUGE_PAGES)), Decimal(0))
    if memory:
        yield _part("memory", memory / GIB, "GiB", table.ram, table.spot_ram)
    size = _storage(shape, taken)
    if size and table.storage is not None:
        yield _part("storage", size, "GiB", table.storage)
    for name, amount in _others(taken):
        rate = _rate(name, shape.products, table)
        if rate is not None:
            yield _part(_called(name, shape.products), amount, "", rate)


def _unpriced(shape: PodShape, taken: Mapping[str, Decimal], table: PriceTable) -> Iterator[str]:
    """What has none."""
    size = _storage(shape, taken)
    if size and table.storage is None:
        yield f"{_plain(size)} GiB of storage"
    for name, amount in _others(taken):
        if _rate(name, shape.products, table) is None:
            yield f"{_plain(amount)} of {_called(name, shape.products)}"


def _storage(shape: PodShape, taken: Mapping[str, Decimal]) -> Decimal:
    return (taken.get(EPHEMERAL, Decimal(0)) + shape.volumes) / GIB


def _others(taken: Mapping[str, Decimal]) -> list[tuple[str, Decimal]]:
    """Everything that is counted in pieces: accelerators and other extended resources."""
    basic = (CPU, MEMORY, EPHEMERAL)
    return [(n, taken[n]) for n in sorted(taken) if taken[n] and n not in basic and not n.startswith(HUGE_PAGES)]


def _rate(name: str, products: tuple[str, ...], table: PriceTable) -> Decimal | None:
    """The rate of a piece: of a GPU the dearest that the pod may get, and none where one of them has none."""
    if not name.endswith(_GPU):
        return table.extended.get(name)
    other = table.extended.get(name, table.any_gpu)
    rates = [table.gpu.get(product, other) for product in products] or [other]
    known = [rate for rate in rates if rate is not None]
    return max(known) if len(known) == len(rates) else None


def _called(name: str, products: tuple[str, ...]) -> str:
    return f"{name} {' or '.join(products)}" if products and name.endswith(_GPU) else name


def _plain(amount: Decimal) -> str:
    return f"{amount.quantize(_PLACES, context=_WIDE).normalize():f}"


def _part(name: str, quantity: Decimal, unit: str, rate: Decimal, spot: Decimal | None = None) -> Part:
    cheapest = rate if spot is None else min(rate, spot)
    return Part(name, quantity, unit, rate, quantity * rate, quantity * cheapest)


def _fine(amount: Decimal) -> Decimal:
    """As the API carries it, without zeros at its end."""
    exact = min(amount, _MOST).quantize(_PLACES, context=_WIDE)
    whole = exact.to_integral_value()
    return whole if whole == exact else exact.normalize()
