"""A price table from its ConfigMap: the keys of OpenCost's default pricing, one rate an hour each, as decimal text.

Source of the names: OpenCost's configs/default.json (CPU, spotCPU, RAM, spotRAM, GPU, storage). Ours beside them:
`currency`, `source`, `date`, `GPU.<product>`, `resource.<name>` with its slash written `_` (which no name has before its
slash), and `GPUdefault`: only where it is "true" does GPU price a device whose product has no rate of its own.
"""

import hashlib
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from gatehold.api.common import Body, ParseError
from gatehold.domain.pricing.table import PriceTable

NAME: Final = "gatehold-prices"
"""Name of the ConfigMap, in the operator's namespace."""

MOST_RATE: Final = Decimal(1_000_000)
_REQUIRED: Final = ("currency", "source", "date", "CPU", "RAM")
_RATES: Final = ("CPU", "RAM", "spotCPU", "spotRAM", "GPU", "storage")
_TEXTS: Final = ("currency", "source", "date", "description", "provider")
_GPU_DEFAULT: Final = "GPUdefault"
_IGNORED: Final = (
    "zoneNetworkEgress",
    "regionNetworkEgress",
    "internetNetworkEgress",
    "internetEgress",
    "natGatewayEgress",
    "natGatewayIngress",
    "firstFiveForwardingRulesCost",
    "additionalForwardingRuleCost",
    "LBIngressDataCost",
)
"""OpenCost's keys for what no pod is held for: traffic and load balancers."""

_GPU: Final = "GPU."
_RESOURCE: Final = "resource."
_RESOURCE_KEY: Final = re.compile(r"resource\.[a-z0-9]([-a-z0-9.]*[a-z0-9])?_[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}(-[0-9]{2})?")
_AMOUNT: Final = re.compile(r"[0-9]{1,7}(\.[0-9]{1,18})?")
_MOST_TEXT: Final = 128
_MOST_KEYS: Final = 512
_MOST_FLAWS: Final = 12


def parse(body: Body) -> PriceTable:
    """Read a table. Raises ParseError that names every flaw: a table that is half right holds everything."""
    data = body.get("data")
    return parse_data(data if isinstance(data, Mapping) else {})


def parse_data(data: Mapping[str, Any]) -> PriceTable:
    """The same of the keys themselves, as a file has them."""
    if not data:
        raise ParseError("the table is empty")
    texts = {str(key): str(value).strip() for key, value in data.items()}
    flaws = [f"{key} is missing" for key in _REQUIRED if not texts.get(key)]
    flaws += _strange(texts)
    rates: dict[str, Decimal] = {}
    for key, text in texts.items():
        if key in _RATES or key.startswith((_GPU, _RESOURCE)):
            rate = _rate(text)
            if rate is None:
                flaws.append(f"{key[:64]} is not a rate between 0 and {MOST_RATE}")
            else:
                rates[key] = rate
    if flaws:
        raise ParseError(_told(flaws))
    return _table(texts, rates)


def _told(flaws: list[str]) -> str:
    more = f"; and {len(flaws) - _MOST_FLAWS} more" if len(flaws) > _MOST_FLAWS else ""
    return "; ".join(flaws[:_MOST_FLAWS]) + more


def _table(texts: Mapping[str, str], rates: Mapping[str, Decimal]) -> PriceTable:
    told = "\n".join(f"{key}={texts[key]}" for key in sorted(texts))
    return PriceTable(
        currency=texts["currency"],
        source=texts["source"],
        date=texts["date"],
        cpu=rates["CPU"],
        ram=rates["RAM"],
        storage=rates.get("storage"),
        spot_cpu=rates.get("spotCPU"),
        spot_ram=rates.get("spotRAM"),
        any_gpu=rates.get("GPU") if texts.get(_GPU_DEFAULT) == "true" else None,
        gpu=_under(_GPU, rates),
        extended={name.replace("_", "/", 1): rate for name, rate in _under(_RESOURCE, rates).items()},
        fingerprint=hashlib.sha256(told.encode(errors="replace")).hexdigest()[:16],
    )


def _under(prefix: str, rates: Mapping[str, Decimal]) -> dict[str, Decimal]:
    return {key.removeprefix(prefix): rate for key, rate in rates.items() if key.startswith(prefix)}


def _strange(texts: Mapping[str, str]) -> list[str]:
    """Keys that mean nothing here, and texts that are none: a slip in a key would price something as nothing."""
    found = [f"{key[:64]} means nothing here" for key in texts if not _is_known(key)]
    if texts.get(_GPU_DEFAULT, "false") not in ("true", "false"):
        found.append(f"{_GPU_DEFAULT} is neither true nor false")
    if texts.get(_GPU_DEFAULT) == "true" and "GPU" not in texts:
        found.append(f"{_GPU_DEFAULT} is true and GPU is missing")
    found += [f"{key} is longer than {_MOST_TEXT}" for key in _TEXTS if len(texts.get(key, "")) > _MOST_TEXT]
    if texts.get("currency") and not re.fullmatch(r"[A-Z]{3,8}", texts["currency"]):
        found.append("currency is not a code such as USD")
    if texts.get("date") and not _DATE.fullmatch(texts["date"]):
        found.append("date is not a day or month such as 2026-11-01")
    if len(texts) > _MOST_KEYS:
        found.append(f"more than {_MOST_KEYS} keys")
    return found


def _is_known(key: str) -> bool:
    if key.startswith(_RESOURCE):
        return _RESOURCE_KEY.fullmatch(key) is not None
    return key in (*_RATES, *_TEXTS, *_IGNORED, _GPU_DEFAULT) or (key.startswith(_GPU) and key != _GPU)


def _rate(text: str) -> Decimal | None:
    rate = Decimal(text) if _AMOUNT.fullmatch(text) else None
    return rate if rate is not None and rate <= MOST_RATE else None
