"""The price table from its ConfigMap: what OpenCost's keys and ours mean, and every flaw of a broken one by its name."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gatehold.api.common import ParseError
from gatehold.api.price_table import parse, parse_data
from gatehold.domain.pricing.table import PriceTable

D = Decimal
EXAMPLE = Path(__file__).parents[2] / "manifests" / "examples" / "prices.yaml"
LEAST = {"CPU": "0.03", "RAM": "0.004", "currency": "USD", "source": "a test", "date": "2026-11-01"}
OPENCOST = {
    "provider": "custom", "description": "Default prices based on GCP us-central1", "CPU": "0.031611",
    "spotCPU": "0.006655", "RAM": "0.004237", "spotRAM": "0.000892", "GPU": "0.95", "storage": "0.00005479452",
    "zoneNetworkEgress": "0.01", "regionNetworkEgress": "0.01", "internetNetworkEgress": "0.12",
    "natGatewayEgress": "0.045", "natGatewayIngress": "0.045", "firstFiveForwardingRulesCost": "0.0",
    "additionalForwardingRuleCost": "0.0", "LBIngressDataCost": "0.0",
}  # fmt: skip
"""OpenCost's configs/default.json as it stands."""


def flaw(data: Any) -> str:
    with pytest.raises(ParseError) as found:
        parse({"data": data})
    return str(found.value)


def test_the_least_that_a_table_needs() -> None:
    found = parse({"data": LEAST})
    assert found == PriceTable("USD", "a test", "2026-11-01", D("0.03"), D("0.004"), fingerprint=found.fingerprint)
    assert (found.storage, found.any_gpu, found.spot_cpu, found.spot_ram) == (None, None, None, None)


def test_opencosts_own_file_with_where_it_is_from() -> None:
    found = parse_data({**OPENCOST, **{key: LEAST[key] for key in ("currency", "source", "date")}})
    assert (found.cpu, found.spot_cpu, found.ram, found.spot_ram) == (
        D("0.031611"),
        D("0.006655"),
        D("0.004237"),
        D("0.000892"),
    )
    assert found.storage == D("0.00005479452")
    assert found.any_gpu is None  # its figure for a GPU is that of an old card


def test_rates_of_accelerators_and_other_resources() -> None:
    more = {"GPU.NVIDIA-A100": "2.93", "GPU.nvidia-tesla-t4": "0.35", "resource.example.com_dongle_v2": "0.5",
            "resource.amd.com_gpu": "2", "resource.nvidia.com_mig-1g.5gb": "0.4"}  # fmt: skip
    found = parse({"data": {**LEAST, **more}})
    assert found.gpu == {"NVIDIA-A100": D("2.93"), "nvidia-tesla-t4": D("0.35")}
    assert found.extended == {"example.com/dongle_v2": D("0.5"), "amd.com/gpu": D(2), "nvidia.com/mig-1g.5gb": D("0.4")}


@pytest.mark.parametrize(
    ("default", "rate"), [({}, None), ({"GPUdefault": "false"}, None), ({"GPUdefault": "true"}, "0.95")]
)
def test_a_gpu_without_a_rate_of_its_own_has_one_only_where_the_table_says_so(
    default: dict[str, str], rate: str | None
) -> None:
    assert parse({"data": {**LEAST, "GPU": "0.95", **default}}).any_gpu == (D(rate) if rate else None)


@pytest.mark.parametrize("missing", LEAST)
def test_what_it_cannot_be_without(missing: str) -> None:
    assert flaw({key: value for key, value in LEAST.items() if key != missing}) == f"{missing} is missing"


@pytest.mark.parametrize("data", [None, {}, [], "x", 1])
def test_an_empty_table(data: object) -> None:
    assert flaw(data) == "the table is empty"
    with pytest.raises(ParseError, match="empty"):
        parse({})


RATE = "is not a rate between 0 and 1000000"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"CPU": "-0.03"}, f"CPU {RATE}"),
        ({"CPU": "cheap"}, f"CPU {RATE}"),
        ({"RAM": "NaN"}, f"RAM {RATE}"),
        ({"RAM": "Infinity"}, f"RAM {RATE}"),
        ({"RAM": "1e3"}, f"RAM {RATE}"),
        ({"RAM": "1_000"}, f"RAM {RATE}"),
        ({"RAM": "0,004"}, f"RAM {RATE}"),
        ({"RAM": "$0.004"}, f"RAM {RATE}"),
        ({"RAM": "٣"}, f"RAM {RATE}"),
        ({"spotCPU": ""}, f"spotCPU {RATE}"),
        ({"storage": "1000000.1"}, f"storage {RATE}"),
        ({"GPU.A100": "-1"}, f"GPU.A100 {RATE}"),
        ({"GPU." + "x" * 90: "-1"}, f"GPU.{'x' * 60} {RATE}"),
        ({"resource.example.com_x": "?"}, f"resource.example.com_x {RATE}"),
        ({"cpu": "1"}, "cpu means nothing here"),
        ({"GPU.": "1"}, "GPU. means nothing here"),
        ({"gpu.A100": "1"}, "gpu.A100 means nothing here"),
        ({"resource.": "1"}, "resource. means nothing here"),
        ({"resource.dongle": "1"}, "resource.dongle means nothing here"),
        ({"resource.example.com/x": "1"}, "resource.example.com/x means nothing here"),
        ({"resource.nvidia.com--gpu": "1"}, "resource.nvidia.com--gpu means nothing here"),
        ({"GPUdefault": "yes"}, "GPUdefault is neither true nor false"),
        ({"GPUdefault": "true"}, "GPUdefault is true and GPU is missing"),
        ({"currency": "$"}, "currency is not a code such as USD"),
        ({"currency": "usd"}, "currency is not a code such as USD"),
        ({"date": "yesterday"}, "date is not a day or month such as 2026-11-01"),
        ({"date": "01.11.2026"}, "date is not a day or month such as 2026-11-01"),
        ({"source": "x" * 129}, "source is longer than 128"),
        ({"description": "x" * 129}, "description is longer than 128"),
        ({f"GPU.{i}": "1" for i in range(600)}, "more than 512 keys"),
    ],
)
def test_a_flaw_is_named(more: dict[str, str], said: str) -> None:
    assert flaw({**LEAST, **more}) == said


def test_all_flaws_are_named_and_of_very_many_how_many_there_are() -> None:
    assert flaw({"CPU": "x", "currency": "USD", "Ram": "1"}) == (
        f"source is missing; date is missing; RAM is missing; Ram means nothing here; CPU {RATE}"
    )
    assert flaw({**LEAST, **{f"x{i}": "1" for i in range(20)}}).endswith("x11 means nothing here; and 8 more")


def test_two_tables_are_told_apart_by_any_key_and_by_nothing_else() -> None:
    same = parse({"data": dict(reversed(LEAST.items()))})
    assert parse({"data": LEAST}).fingerprint == same.fingerprint
    for key, value in {"CPU": "0.031", "date": "2026-11-02", "description": "new", "GPU.A": "1"}.items():
        assert parse({"data": {**LEAST, key: value}}).fingerprint != same.fingerprint


def test_the_example_is_a_table() -> None:
    body = yaml.safe_load(EXAMPLE.read_text())
    found = parse(body)
    assert (body["kind"], body["metadata"]) == ("ConfigMap", {"name": "gatehold-prices", "namespace": "gatehold-system"})
    assert (found.cpu, found.ram, found.storage) == (D("0.031611"), D("0.004237"), D("0.00005479452"))
    assert (found.spot_cpu, found.spot_ram, found.any_gpu) == (D("0.006655"), D("0.000892"), None)
    assert "opencost" in found.source.lower()


TEXT = st.text(max_size=12)


@given(st.dictionaries(st.sampled_from([*LEAST, "GPU.A", "storage"]) | TEXT, TEXT | st.integers() | st.none()))
def test_any_table_is_read_or_refused(data: dict[str, object]) -> None:
    try:
        found = parse({"data": data})
    except ParseError:
        return
    assert min(found.cpu, found.ram, *found.gpu.values()) >= 0
