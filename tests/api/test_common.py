"""Times, amounts and what is left out."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.api.common import ParseError, Wire, amount, optional_time, read, sparse, stamp, time

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)

TIMES: dict[str, tuple[str, datetime]] = {
    "whole seconds": ("2026-03-01T12:00:00Z", NOON),
    "microseconds": ("2026-03-01T12:00:00.000001Z", NOON + timedelta(microseconds=1)),
    "another offset": ("2026-03-01T14:00:00+02:00", NOON),
}


@pytest.mark.parametrize(("text", "instant"), TIMES.values(), ids=TIMES)
def test_a_time_with(text: str, instant: datetime) -> None:
    assert time(text) == optional_time(text) == instant
    assert time(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026-03-01", "2026-03-01T12:00:00", "2026-13-01T12:00:00Z", "0001-01-01T00:00:00+14:00"],
    ids=["nothing", "a word", "a date", "no offset, so some machine's local time", "month 13", "before the calendar"],
)
def test_it_is_no_time(text: str) -> None:
    with pytest.raises(ParseError, match="not an RFC 3339 time"):
        time(text)


def test_a_stamp_is_in_utc_with_a_fraction_only_where_there_is_one() -> None:
    east = timezone(timedelta(hours=2))

    assert stamp(NOON.astimezone(east)) == "2026-03-01T12:00:00Z"
    assert stamp(NOON + timedelta(microseconds=5)) == "2026-03-01T12:00:00.000005Z"
    assert (stamp(None), optional_time(None)) == (None, None)


OFFSETS = st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=OFFSETS))  # noqa: DTZ001
def test_a_stamp_reads_back(instant: datetime) -> None:
    written = stamp(instant)

    assert written is not None
    assert time(written) == instant


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (None, None),
        ("0", Decimal(0)),
        ("0.1", Decimal("0.1")),
        ("999999999999999.999999", Decimal("999999999999999.999999")),
    ],
    ids=str,
)
def test_an_amount(text: str | None, value: Decimal | None) -> None:
    assert amount(text, "spec.cost") == value


@pytest.mark.parametrize("text", ["", "ten", "1,5", "-1", "NaN", "sNaN", "Infinity"])
def test_it_is_no_amount(text: str) -> None:
    with pytest.raises(ParseError, match=r"^spec\.cost: not a .*amount"):
        amount(text, "spec.cost")


def test_only_what_is_empty_is_left_out() -> None:
    kept = {"zero": 0, "no": False, "text": "x", "list": [0]}

    assert sparse(none=None, text="x", empty="", items=[], pair=(), mapping={}, zero=0, no=False, list=[0]) == kept


class _Part(Wire):
    max_price: int
    name: str = ""


def test_a_wrong_part_is_told_by_its_paths_and_never_by_its_values() -> None:
    with pytest.raises(ParseError) as caught:
        read(_Part, {"maxPrice": "secret", "name": ["secret"]}, "spec.when")

    assert str(caught.value) == "spec.when.maxPrice: int_type; spec.when.name: string_type"


@pytest.mark.parametrize("value", [None, [], "text", 5], ids=str)
def test_a_part_that_is_no_object(value: object) -> None:
    with pytest.raises(ParseError, match="spec: model_type"):
        read(_Part, value, "spec")


def test_fields_of_a_newer_version_are_passed_over() -> None:
    assert read(_Part, {"maxPrice": 3, "newer": {"deep": True}}, "spec").max_price == 3
