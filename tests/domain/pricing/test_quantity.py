"""Quantities: exact where they are some, refused where they are none."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.domain.pricing.quantity import MOST, QuantityError, parse

READ = {
    "0": "0", "-0": "0", "+0": "0", "00": "0", "0.0": "0", "0m": "0", "0Ki": "0", "0e5": "0",
    "1": "1", "+1": "1", "01": "1", "1.": "1", "1.5": "1.5", ".5": "0.5", "+.5": "0.5", "1.50": "1.5",
    "500m": "0.5", "1m": "0.001", "0.1m": "0.0001", "1500m": "1.5", "100u": "0.0001", "1n": "0.000000001",
    "1k": "1000", "1M": "1000000", "1G": "1000000000", "1T": "1e12", "1P": "1e15", "0.5E": "5e17",
    "1Ki": "1024", "1Mi": "1048576", "1.5Gi": "1610612736", "0.5Ki": "512", "1Ti": "1099511627776",
    "1Pi": "1125899906842624", "0.25Ei": "288230376151711744",
    "1e3": "1000", "1E3": "1000", "1e+3": "1000", "1e-3": "0.001", "12E2": "1200", "1.5e3": "1500", "5e0": "5",
    "128974848": "128974848", "129e6": "129000000", "129M": "129000000", "128974848000m": "128974848", "123Mi": "128974848",
    "999999999999999999": "999999999999999999", "0.9E": "9e17",
}  # fmt: skip
"""As the API reads them. The row of 128974848 is the documentation's own."""

REFUSED = (
    "", " ", "m", "Ki", ".", "-", "+", "e3", "--1", "+-1", "1 ", " 1", "1\n", "1 Gi", "1,5", "1_000", "0x10", "1e", "1E+",
    "1e1.5", "1e100", "1e-100", "1K", "1mi", "1gi", "1GI", "1GiB", "1Gb", "1MiB", "1mm", "1m1", "nan", "NaN", "inf",
    "Infinity", "one", "1.2.3", "\u00b2", "\u0661", "\uff11", "\u00bd",
    "-1", "-1m", "-0.001", "-5Gi", "-1e-9", "1E", "1e18", "1000P", "1Ei",
    "7E", "1e99", "9" * 40, "1000000000000000000", "True", "None", "{}",
)  # fmt: skip


@pytest.mark.parametrize(("text", "value"), READ.items())
def test_a_quantity_is_read_exactly(text: str, value: str) -> None:
    assert parse(text) == Decimal(value)


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_none_or_asks_for_nonsense_is_refused(text: str) -> None:
    with pytest.raises(QuantityError, match=r"is no quantity|is negative|more than any cluster has"):
        parse(text)


def test_a_refusal_shows_no_more_than_the_beginning_of_a_text() -> None:
    with pytest.raises(QuantityError) as refused:
        parse("x" * 1000)
    assert len(str(refused.value)) < 80


@given(st.integers(0, 10**9), st.sampled_from([("", 1), ("k", 10**3), ("M", 10**6), ("Ki", 2**10), ("Mi", 2**20)]))
def test_a_suffix_is_nothing_but_a_factor(number: int, suffix: tuple[str, int]) -> None:
    assert Fraction(parse(f"{number}{suffix[0]}")) == number * suffix[1]


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        value = parse(text)
    except QuantityError:
        return
    assert 0 <= value < MOST
