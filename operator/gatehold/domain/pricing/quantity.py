"""Kubernetes quantities as exact decimals: 500m, 1.5Gi, 2e3.

The grammar is that of the API: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import re
from decimal import Decimal
from typing import Final

MOST: Final = Decimal(10) ** 18
"""More than that of anything in one place is a slip or an attack: it has no price."""

_GRAMMAR: Final = re.compile(
    r"([+-]?(?:[0-9]{1,32}(?:\.[0-9]{0,32})?|\.[0-9]{1,32}))([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,2}|)"
)
_DECIMAL: Final = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY: Final = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}


class QuantityError(ValueError):
    """It is no quantity, or none that anything could ask for."""


def parse(text: str) -> Decimal:
    """Read a quantity that asks for something. Raises QuantityError: malformed, negative, or more than `MOST`."""
    found = _GRAMMAR.fullmatch(text)
    if found is None:
        raise QuantityError(f"{text[:40]!r} is no quantity")
    number, suffix = Decimal(found[1]), found[2]
    if suffix in _BINARY:
        value = number * Decimal(1024) ** _BINARY[suffix]
    elif suffix in _DECIMAL:
        value = number.scaleb(_DECIMAL[suffix])
    else:
        value = number.scaleb(int(suffix[1:]))
    if value < 0:
        raise QuantityError(f"{text[:40]!r} is negative")
    if value >= MOST:
        raise QuantityError(f"{text[:40]!r} is more than any cluster has")
    return value
