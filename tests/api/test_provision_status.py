"""What a question about pods was resolved to, both ways, and that it fits the CRD."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.api.common import ParseError
from gatehold.api.provision_status import parse_price, parse_provision, render_price, render_provision
from gatehold.api.request_status import parse_status, render_resolved, render_status
from gatehold.domain.pricing.price import Duration
from gatehold.domain.provision.model import OptionSeen
from gatehold.domain.provision.shown import resolved
from gatehold.domain.status import Price, Resolved, ResolvedOption, ResolvedProvision, Status
from tests.api.schema import misfits, schema
from tests.builders import DIGEST
from tests.provisions import ODD, asked, owner, pod, pods, sight

RESOLVED = schema("approvalrequests", "status")["properties"]["resolved"]
OFFERED = owner(options=(OptionSeen("cheap", 2),), duration=Duration(Decimal(2), "activeDeadlineSeconds", enforced=True))
SEEN = sight(*pods(3), owner=OFFERED, asked=(asked(size=2, name="web-o"),))

texts = st.text(st.characters(codec="utf-8", exclude_categories=("C",)), max_size=2000)


def test_everything_comes_back_as_it_was_written() -> None:
    found = resolved(SEEN, DIGEST)
    back = parse_status({"status": render_status(Status(resolved=found))})

    assert back.resolved == found
    assert list(misfits(render_resolved(found), RESOLVED)) == []


def test_what_is_shown() -> None:
    wire = render_resolved(resolved(SEEN, DIGEST))

    assert wire["provision"] == {
        "digest": DIGEST,
        "pods": 4,
        "images": ["web:1"],
        "onDenied": "Keep",
        "approvedPods": 2,
        "options": [{"name": "cheap", "pods": 2, "hourlyHigh": "0.4"}],
    }
    assert wire["price"] | {"parts": []} == {
        "amount": "0.8",
        "currency": "USD",
        "period": "hour",
        "hourlyLow": "0.8",
        "hourlyHigh": "0.8",
        "low": "1.6",
        "high": "1.6",
        "hours": "2",
        "hoursFrom": "activeDeadlineSeconds",
        "parts": [],
        "source": "a test",
        "date": "2026-01",
    }


def test_what_has_no_price_fits_as_well() -> None:
    strange = sight(pod(shape=replace(ODD, claims=tuple(f"gpu-{n}" * 60 for n in range(40)))))
    wire = render_resolved(resolved(strange, DIGEST))

    assert list(misfits(wire, RESOLVED)) == []
    assert wire["price"]["unknown"]


def test_nothing_is_nothing() -> None:
    assert (parse_price(None), parse_price({}), parse_provision(None)) == (None, None, None)
    assert (render_price(None), render_provision(None)) == ({}, {})
    assert parse_provision({"digest": DIGEST, "pods": 1}) == ResolvedProvision(DIGEST, 1)


def test_a_figure_that_is_shown_only_hides_nothing_else() -> None:
    found = parse_price({"amount": "1", "low": "\x1b[31m", "high": "2"})

    assert found is not None
    assert (found.amount, found.low, found.high) == (Decimal(1), None, Decimal(2))


def test_an_amount_that_decides_must_be_one() -> None:
    with pytest.raises(ParseError, match=r"resolved\.price\.amount"):
        parse_price({"amount": "much"})


@given(st.lists(texts, max_size=16), st.lists(texts, max_size=16), st.lists(texts, max_size=16))
def test_long_texts_fit(parts: list[str], images: list[str], differences: list[str]) -> None:
    price = Price(Decimal(1), "USD", "hour", parts=tuple(parts), unknown=tuple(parts))
    provision = ResolvedProvision(
        DIGEST, 1, tuple(images), tuple(differences), "Keep", 3, (ResolvedOption("cheap", 1, Decimal("0.1")),)
    )

    assert list(misfits(render_resolved(Resolved(price=price, provision=provision)), RESOLVED)) == []
