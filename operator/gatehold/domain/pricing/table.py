"""A price table: what an hour of each resource costs, where that is from and of when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class PriceTable:
    """Rates an hour in `currency`: `cpu` a core, `ram` and `storage` a GiB, `gpu` a device of that product.

    What is None has no price, so what takes it has none: `storage`, and `any_gpu`, which is for a product without a rate of
    its own. `spot_cpu` and `spot_ram` are None where the table has none. `extended` is a rate of each other resource, by
    its name; of a GPU resource it is the rate of a device of any product. `fingerprint` tells two tables apart.
    """

    currency: str
    source: str
    date: str
    cpu: Decimal
    ram: Decimal
    storage: Decimal | None = None
    spot_cpu: Decimal | None = None
    spot_ram: Decimal | None = None
    any_gpu: Decimal | None = None
    gpu: Mapping[str, Decimal] = field(default_factory=dict)
    extended: Mapping[str, Decimal] = field(default_factory=dict)
    fingerprint: str = ""
