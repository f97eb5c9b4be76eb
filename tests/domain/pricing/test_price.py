"""What an hour of a pod costs, what so many of them cost, and when nobody need be asked. Every figure worked out by hand."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.domain.pricing.pod import ContainerShape, PodShape
from gatehold.domain.pricing.price import Duration, Estimate, Part, PodPrice, Threshold, is_under, price, shown
from gatehold.domain.pricing.table import PriceTable

D = Decimal  # there are many
GIB = D(2**30)
GPU, AMD, DONGLE = "nvidia.com/gpu", "amd.com/gpu", "example.com/dongle"
TABLE = PriceTable(
    currency="USD",
    source="a test",
    date="2026-11",
    cpu=D("0.031611"),
    ram=D("0.004237"),
    storage=D("0.00005479452"),
    spot_cpu=D("0.006655"),
    spot_ram=D("0.000892"),
    gpu={"T4": D("0.35"), "A100": D("2.93")},
    extended={DONGLE: D("0.5")},
)
"""The figures of OpenCost's default.json, and three of our own."""


def pod(requests: Mapping[str, str | int], **more: Any) -> PodShape:
    """A pod of one container; memory and disk in GiB."""
    sizes = {name: D(amount) * (GIB if name not in ("cpu", GPU, AMD, DONGLE) else 1) for name, amount in requests.items()}
    return PodShape((ContainerShape("c", sizes),), **more)


NODE = pod({"cpu": 4, "memory": 16})
SMALL = pod({"cpu": 1, "memory": 1})


@pytest.mark.parametrize(
    ("shape", "low", "high"),
    [
        (SMALL, "0.007547", "0.035848"),
        (NODE, "0.040892", "0.194236"),  # the documentation's 4 CPU and 16 GiB: 0.194 an hour
        (pod({"cpu": "0.5", "memory": "0.25"}), "0.0035505", "0.01686475"),
        (pod({"cpu": "0.001", "memory": 1}), "0.000898655", "0.004268611"),
        (pod({"cpu": 96, "memory": 1360}), "1.852", "8.796976"),
        (pod({"cpu": 1, "memory": 1, "ephemeral-storage": 100}), "0.013026452", "0.041327452"),
        (pod({"cpu": 1, "memory": 1, "hugepages-2Mi": 2, "hugepages-1Gi": 1}), "0.010223", "0.048559"),
        (pod({"cpu": 1, "memory": 1, DONGLE: 3}), "1.507547", "1.535848"),
        (pod({"cpu": 1, "memory": 1, GPU: 8}, products=("A100",)), "23.447547", "23.475848"),
        (pod({"cpu": 1, "memory": 1, GPU: 1}, products=("T4",)), "0.357547", "0.385848"),
        (pod({"cpu": 1, "memory": 1, GPU: 1}, products=("A100", "T4")), "2.937547", "2.965848"),  # it may get the dear one
        (pod({"cpu": 1, "memory": 1}, products=("A100",)), "0.007547", "0.035848"),  # a GPU node, and no GPU asked for
        (pod({"cpu": 1, "memory": 1}, volumes=500 * GIB), "0.03494426", "0.06324526"),
        (pod({"cpu": 1, "memory": 1, "ephemeral-storage": 50}, volumes=50 * GIB), "0.013026452", "0.041327452"),
        (pod({"cpu": 1, "memory": 1, GPU: 0, "ephemeral-storage": 0}), "0.007547", "0.035848"),
    ],
)
def test_an_hour_of_one_pod(shape: PodShape, low: str, high: str) -> None:
    found = price(shape, TABLE)
    assert (found.low, found.high, found.unknown) == (D(low), D(high), ())
    assert sum(part.amount for part in found.parts) == found.high
    assert sum(part.low for part in found.parts) == found.low


@pytest.mark.parametrize(
    ("shape", "unknown"),
    [
        (pod({"cpu": 1, "memory": 1, GPU: 2}), "2 of nvidia.com/gpu"),
        (pod({"cpu": 1, "memory": 1, GPU: 2}, products=("H900",)), "2 of nvidia.com/gpu H900"),
        (pod({"cpu": 1, "memory": 1, GPU: 2}, products=("H900", "T4")), "2 of nvidia.com/gpu H900 or T4"),
        (pod({"cpu": 1, "memory": 1, AMD: 1}), "1 of amd.com/gpu"),
        (replace(pod({"cpu": 1, "memory": 1}), claims=("gpu",)), "device claim gpu"),
        (replace(pod({"cpu": 1, "memory": 1}), flaws=("container c: cpu 'x' is no quantity",)),
         "container c: cpu 'x' is no quantity"),
        (pod({"memory": 1}), "no request of cpu, and no floor"),
        (pod({"cpu": 1}), "no request of memory, and no floor"),
        (pod({}), "no request of cpu and memory, and no floor"),
        (pod({"cpu": 0, "memory": 0}), "no request of cpu and memory, and no floor"),
    ],
)  # fmt: skip
def test_what_has_no_price_is_said(shape: PodShape, unknown: str) -> None:
    found = price(shape, TABLE)
    assert found.unknown == (unknown,)
    assert not is_under(Estimate(1, found), Threshold(D(10**9), D(10**9)))


def test_an_unknown_resource_and_storage_without_a_rate_are_unknown_and_the_rest_is_counted() -> None:
    odd = PodShape((ContainerShape("c", {"cpu": D(1), "memory": GIB, "example.org/qpu": D(2)}),), volumes=GIB / 2)
    found = price(odd, replace(TABLE, storage=None))
    assert found.unknown == ("0.5 GiB of storage", "2 of example.org/qpu")
    assert found.high == D("0.035848")


@pytest.mark.parametrize(
    ("products", "high"),
    [((), "0.95"), (("H900",), "0.95"), (("T4",), "0.35"), (("H900", "T4"), "0.95"), (("A100", "H900"), "2.93")],
)
def test_a_rate_for_any_gpu_is_that_of_what_has_none_of_its_own(products: tuple[str, ...], high: str) -> None:
    shape = pod({"cpu": 1, "memory": 1, GPU: 1}, products=products)
    for table in (replace(TABLE, any_gpu=D("0.95")), replace(TABLE, extended={GPU: D("0.95")})):
        found = price(shape, table)
        assert (found.unknown, found.high) == ((), D(high) + D("0.035848"))


def test_a_rate_of_one_gpu_resource_goes_before_that_of_any() -> None:
    table = replace(TABLE, any_gpu=D("0.95"), extended={AMD: D(2)})
    assert price(pod({"cpu": 1, "memory": 1, AMD: 1}), table).high == D("2.035848")


def test_without_spot_prices_there_is_one_figure_and_a_dearer_spot_price_counts_as_none() -> None:
    table = replace(TABLE, spot_cpu=None, spot_ram=D(7))
    found = price(SMALL, table)
    assert found.low == found.high == D("0.035848")


def test_the_parts_say_how_much_of_what_at_which_rate() -> None:
    found = price(pod({"cpu": 2, "memory": 3, "ephemeral-storage": 10, DONGLE: 1}), TABLE)
    assert found.parts == (
        Part("CPU", D(2), "core", TABLE.cpu, D("0.063222"), D("0.013310")),
        Part("memory", D(3), "GiB", TABLE.ram, D("0.012711"), D("0.002676")),
        Part("storage", D(10), "GiB", D("0.00005479452"), D("0.0005479452"), D("0.0005479452")),
        Part(DONGLE, D(1), "", D("0.5"), D("0.5"), D("0.5")),
    )


@pytest.mark.parametrize(
    ("requests", "floor", "low", "high"),
    [
        ({}, "0.05", "0.05", "0.05"),
        ({"cpu": 0, "memory": 0}, "0.05", "0.05", "0.05"),
        ({"cpu": 1}, "0.05", "0.05", "0.05"),
        ({"memory": 1}, "0.05", "0.05", "0.05"),
        ({"cpu": 4}, "0.05", "0.126444", "0.126444"),  # what it asks for is above the floor
        ({"cpu": 1, "memory": 1}, "0.05", "0.007547", "0.035848"),  # it asks for both: no floor
        ({}, "0", "0", "0"),
        ({DONGLE: 1}, "0.05", "0.5", "0.5"),
    ],
)
def test_without_a_request_of_cpu_or_memory_the_floor_counts(
    requests: Mapping[str, str], floor: str, low: str, high: str
) -> None:
    table = replace(TABLE, spot_cpu=None) if requests == {"cpu": 4} else TABLE
    found = price(pod(requests), table, D(floor))
    assert (found.low, found.high, found.unknown) == (D(low), D(high), ())
    assert sum(part.amount for part in found.parts) == found.high
    assert ("floor of the Gate" in {part.name for part in found.parts}) == (found.high == D(floor) and D(floor) > 0)


def test_a_floor_below_the_high_figure_lifts_nothing() -> None:
    found = price(pod({"cpu": 4}), TABLE, D("0.05"))
    assert (found.low, found.high) == (D("0.026620"), D("0.126444"))


def test_so_many_pods_for_an_hour_and_for_a_month() -> None:
    found = Estimate(50, price(NODE, TABLE))
    assert found.hourly == (D("2.0446"), D("9.7118"))
    assert found.total == (D("1492.558"), D("7089.614"))
    assert (found.duration.source, found.known) == ("a month of 730 h", True)


def test_for_the_time_after_which_it_is_ended() -> None:
    job = Duration(D("0.5"), "activeDeadlineSeconds of the Job", enforced=True)
    assert Estimate(3, price(NODE, TABLE), job).total == (D("0.061338"), D("0.291354"))


def test_figures_end_at_the_sixth_digit_half_up_and_bear_no_zeros_at_their_end() -> None:
    assert Estimate(1, PodPrice(D("0.0000005"), D("0.0000015"))).hourly == (D("0.000001"), D("0.000002"))
    assert [str(figure) for figure in Estimate(1000, PodPrice(D("0.03"), D("0.138000"))).hourly] == ["30", "138"]
    assert [str(figure) for figure in Estimate(1, PodPrice(D(0), D("0.138000"))).hourly] == ["0", "0.138"]


def test_a_figure_beyond_all_bounds_is_bounded_and_above_every_threshold() -> None:
    vast = price(PodShape((ContainerShape("c", {"cpu": D(10**18) - 1, "memory": D(10**18) - 1}),)), TABLE)
    found = Estimate(10**9, vast)
    assert found.hourly[1] == found.total[1] == D(10**15 - 1)
    assert not is_under(found, Threshold(D(10**15), None))


PRICED = PodPrice(D("0.05"), D("0.1"))
DAY = Duration(D(24), "activeDeadlineSeconds of the Job", enforced=True)
SAID = Duration(D(24), "stated, not enforced")
DECADE = Duration(D(87600), "activeDeadlineSeconds of the Job", enforced=True)


@pytest.mark.parametrize(
    ("pods", "duration", "hourly", "monthly", "under"),
    [
        (3, Duration(), "0.3", None, True),  # the bound itself is still under
        (3, Duration(), "0.299999", None, False),
        (3, Duration(), None, "219", True),  # 3 x 0.1 x 730
        (3, Duration(), None, "218.999999", False),
        (3, Duration(), "0.3", "219", True),
        (3, Duration(), "0.3", "100", False),
        (3, Duration(), "0.1", "219", False),
        (3, Duration(), None, None, False),  # no threshold: people are always asked
        (3, Duration(), "0.15", None, False),  # the low figure is not what counts
        (0, Duration(), "0", "0", True),
        (3, DAY, None, "7.2", True),  # 3 x 0.1 x 24: the cluster ends it
        (3, DAY, None, "7.199999", False),
        (3, DAY, "0.2", "7.2", False),
        (3, SAID, None, "7.2", False),  # a promise counts as a month
        (3, DECADE, None, "219", True),  # a month is a month
    ],
)
def test_under_the_threshold(pods: int, duration: Duration, hourly: str | None, monthly: str | None, under: bool) -> None:
    threshold = Threshold(D(hourly) if hourly else None, D(monthly) if monthly else None)
    assert is_under(Estimate(pods, PRICED, duration), threshold) is under


def test_a_threshold_is_held_against_the_exact_figure_not_the_rounded_one() -> None:
    hair = PodPrice(D(0), D("0.0000004"))
    assert Estimate(1, hair).hourly[1] == 0
    assert not is_under(Estimate(1, hair), Threshold(D(0)))
    assert not is_under(Estimate(1000, hair), Threshold(D("0.000399")))


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0", "0.00"), ("0.005", "0.0050"), ("0.01", "0.01"), ("0.014999", "0.01"), ("0.015", "0.02"), ("2.345", "2.35"),
     ("2.344999", "2.34"), ("100.74", "100.74"), ("1000000", "1000000.00"), ("0.0001", "0.0001"), ("0.00004", "0.000040"),
     ("0.0000001", "0.000000"), ("999999999999999", "999999999999999.00")],
)  # fmt: skip
def test_people_see_two_digits_half_up_and_more_where_that_were_nothing(amount: str, text: str) -> None:
    assert shown(D(amount)) == text


SIZES = st.decimals(0, 1000, places=3)
RATES = st.decimals(0, 100, places=6)


@given(SIZES, SIZES, RATES, RATES, RATES, RATES, st.integers(1, 1000))
def test_low_is_never_above_high_and_nothing_is_lost(
    cores: D, gib: D, cpu: D, ram: D, spot_cpu: D, spot_ram: D, pods: int
) -> None:
    table = replace(TABLE, cpu=cpu, ram=ram, spot_cpu=spot_cpu, spot_ram=spot_ram)
    found = price(PodShape((ContainerShape("c", {"cpu": cores, "memory": gib * GIB}),)), table, D(0))
    assert 0 <= found.low <= found.high == cores * cpu + gib * ram
    low, high = Estimate(pods, found).hourly
    assert abs(high - found.high * pods) <= D("0.0000005")
    assert low <= high
