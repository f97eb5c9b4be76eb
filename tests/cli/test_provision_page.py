"""What a reviewer reads about pods of a gated namespace: size, price, change, options, what is odd, what a no brings."""

from decimal import Decimal
from typing import Any

import pytest

from gatehold.cli.checks import Result, offline_checks
from gatehold.cli.listing import Wish, list_requests
from gatehold.cli.provision import cost_text, effect_words, is_provision, nothing_ran, options_table
from gatehold.cli.question import question
from gatehold.cli.record import at_the_deadline
from gatehold.cli.session import Session
from gatehold.cli.show import print_request, print_sections
from gatehold.cli.times import ServerTime
from gatehold.cli.view import view_of
from tests.cli.bodies import Cluster, request
from tests.cli.provisions import FAST, OFFERED, body, price, provision

Json = dict[str, Any]


def page(made: Json, capsys: pytest.CaptureFixture[str]) -> str:
    print_sections(question(view_of(made), None))
    return capsys.readouterr().out


def test_the_price_is_read_whole(capsys: pytest.CaptureFixture[str]) -> None:
    said = page(body(cost=price()), capsys)
    for text in (
        "Release: up to 50 pods of Deployment web run at the same time",
        "50 at the same time, rolling updates included, 10 of this owner are approved already",
        "1.40 to 4.60 USD an hour",
        "40 pods more than approved: +3.68 USD an hour",
        "1022.00 to 3358.00 USD in 730 h: a month of 730 h",
        "CPU: 1 core x 0.03 = 0.03 USD/h",
        "memory: 4 GiB",
        "example rates, 2026-11-01",
        "example.org/web:1",
        "the owner goes back to the size that was approved last",
    ):
        assert text in said


def test_one_figure_where_there_is_no_spot_price(capsys: pytest.CaptureFixture[str]) -> None:
    said = page(body(provision(approved_pods=0), price("4.6", low="4.6")), capsys)
    assert "4.60 USD an hour" in said
    assert " to 4.60" not in said
    assert "than approved" not in said


def test_fewer_than_approved_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert "5 pods fewer than approved: -2.30 USD an hour" in page(body(provision(10, approved_pods=15), price()), capsys)


def test_what_has_no_price_is_said_first_and_the_rest_is_a_least(capsys: pytest.CaptureFixture[str]) -> None:
    said = page(body(cost=price(unknown=("8 of nvidia.com/gpu NVIDIA-H900",))), capsys)
    assert said.index("8 of nvidia.com/gpu NVIDIA-H900") < said.index("at least 1.40 to 4.60 USD an hour")
    assert "unknown" in page(body(), capsys)


def test_odd_pods_say_how_they_differ(capsys: pytest.CaptureFixture[str]) -> None:
    odd = provision(1, differences=("image evil[red] is not in the template",))
    assert "image evil[red] is not in the template" in page(body(odd, price()), capsys)


def test_options_stand_with_their_pods_and_prices(capsys: pytest.CaptureFixture[str]) -> None:
    said = page(body(provision(options=FAST), price(), options=OFFERED), capsys)
    row = next(line for line in said.splitlines() if line.strip().startswith("cheap"))
    assert row.split() == ["cheap", "10", "0.92", "USD", "671.60", "USD", "one", "after", "the", "other"]
    assert "as many pods of Deployment web as the option says" in said
    lost = page(body(provision(options=FAST), price(unknown=("x",)), options=OFFERED), capsys)
    assert "unknown" in next(line for line in lost.splitlines() if line.strip().startswith("cheap"))


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("Keep", "stays inert"),
        ("ScaleBack", "goes back to the size"),
        ("Suspend", "is suspended"),
        ("Delete", "if nothing of it ever ran"),
        ("", "stays inert"),
    ],
)
def test_what_time_does_is_the_word_of_the_gate(word: str, text: str) -> None:
    view = view_of(body(provision(on_denied=word), price()))
    assert text in nothing_ran(view)
    assert any(text in said for _, said in at_the_deadline(view, None))


def test_before_it_is_prepared_it_is_already_a_question_about_pods() -> None:
    made = body()
    del made["status"]["resolved"]
    view = view_of(made)
    assert is_provision(view)
    assert effect_words(view) == "Release: the waiting pods of Deployment web are let go"
    assert (options_table(view), cost_text(view)) == (None, "unknown")


def test_other_requests_have_no_such_part() -> None:
    view = view_of(request())
    assert (is_provision(view), cost_text(view), options_table(view)) == (False, "", None)
    no_period = body(cost=price())
    del no_period["status"]["resolved"]["price"]["period"]
    assert cost_text(view_of(no_period)) == ""


async def test_list_wide_has_the_cost(capsys: pytest.CaptureFixture[str]) -> None:
    session = Session(Cluster(body(cost=price())), "shop", ServerTime())  # type: ignore[arg-type]
    await list_requests(session, Wish(form="wide"))
    said = capsys.readouterr().out
    assert "COST" in said.splitlines()[0]
    assert "4.60 USD/h" in said


async def test_show_has_everything_and_warns_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    made = body(cost=price(), authors=["erin"])
    session = Session(Cluster(made), "shop", ServerTime())  # type: ignore[arg-type]
    await print_request(session, view_of(made), commands=True)
    said = capsys.readouterr().out
    assert "gatehold approve web -n shop" in said
    assert "warning" not in said


def test_verify_compares_the_digest_asked_with_the_one_read() -> None:
    found = {check.name: check.result for check in offline_checks(body(cost=price()))}
    assert (found["Subject"], found["Request digest"]) == (Result.FITS, Result.FITS)
    other = provision()
    forged = body(type(other)("sha256:" + "b" * 64, other.pods), price())
    assert {check.name: check.result for check in offline_checks(forged)}["Subject"] is Result.DIFFERS
    assert Decimal(forged["status"]["resolved"]["price"]["amount"]) == Decimal("4.6")
