"""The ledger: what is recorded, what of it counts, and why the rest does not."""

from typing import Any

import pytest

from gatehold.domain.decide import decide
from gatehold.domain.model import Option, Verdict
from gatehold.domain.phases import Phase
from tests.builders import (
    NOW,
    after,
    approve,
    deny,
    end,
    entry,
    observed,
    override,
    pending,
    request,
    withdraw,
)

TWO = pending(quorum=(entry("sre", 2), entry("finance", 1)), approvals="0/3")
BY_PEOPLE = ("Approved", "People", "QuorumMet")
DENIED = ("Denied", "People", "DeniedByReviewer")

INELIGIBLE: dict[str, tuple[Verdict, dict[str, Any]]] = {
    "the requester": (approve(0, "ci"), {}),
    "an author": (approve(0, "zoe"), {"authors": ("zoe",)}),
    "a person on whose behalf it was asked": (approve(0, "zoe"), {"on_behalf_of": ("yan", "zoe")}),
    "a service account": (approve(0, "system:serviceaccount:shop:bot"), {}),
    "an author who overrides": (override(0, "zoe"), {"authors": ("zoe",)}),
    "a system account that overrides": (override(0, "system:admin"), {}),
    "a yes in a role that is not asked for": (approve(role="finance"), {}),
    "a yes in a backup's role before it was opened": (approve(role="duty"), {}),
    "a yes without a role": (approve(role=""), {}),
    "a yes for another digest": (approve(digest="sha256:" + "e" * 64), {}),
    "a yes for no digest": (approve(digest=""), {}),
    "an override for another digest": (override(digest="sha256:" + "e" * 64), {}),
    "a yes that names no option": (approve(), {"options": (Option("slow"), Option("fast"))}),
    "a yes for an option that is not offered": (approve(option="free"), {"options": (Option("slow"),)}),
    "an option where none is offered": (approve(option="free"), {}),
    "an override for an option that is not offered": (override(option="free"), {"options": (Option("slow"),)}),
}


@pytest.mark.parametrize(("said", "changes"), INELIGIBLE.values(), ids=INELIGIBLE)
def test_it_is_recorded_and_does_not_count_what_comes_from(said: Verdict, changes: dict[str, Any]) -> None:
    plan = decide(observed(pending(), request=request(**changes), verdicts=(said,)), NOW)

    assert plan.status.phase is Phase.PENDING
    assert plan.status.approvals == "0/1"
    assert [(e.verdict, e.counted, e.reason) for e in plan.status.verdicts] == [(said, False, "Ineligible")]


@pytest.mark.parametrize("name", ["zoe", "ci", "system:admin"])
def test_whoever_may_not_approve_may_still_deny(name: str) -> None:
    seen = observed(pending(), request=request(authors=("zoe",), on_behalf_of=("zoe",)), verdicts=(deny(0, name),))

    assert end(decide(seen, NOW).status) == DENIED


OPTIONS = (Option("slow"), Option("fast"))

CLASHES: dict[str, tuple[tuple[Verdict, ...], list[str]]] = {
    "the same person's second yes": ((approve(0), approve(1)), ["", "Ineligible"]),
    "a yes after one's own deny": ((deny(0), approve(1)), ["", "Ineligible"]),
    "a yes for another option than the first": (
        (approve(0, option="slow"), approve(1, "bob", option="fast")),
        ["", "Ineligible"],
    ),
    "a yes for the same option": ((approve(0, option="slow"), approve(1, "bob", option="slow")), ["", ""]),
    "an option fixed by a yes that does not count": (
        (approve(0, "ci", option="slow"), approve(1, "bob", option="fast")),
        ["Ineligible", ""],
    ),
}


@pytest.mark.parametrize(("said", "reasons"), CLASHES.values(), ids=CLASHES)
def test_words_that_clash(said: tuple[Verdict, ...], reasons: list[str]) -> None:
    offered = OPTIONS if said[-1].option else ()
    status = decide(observed(TWO, request=request(options=offered), verdicts=said), NOW).status

    assert [e.reason for e in status.verdicts] == reasons


def test_the_same_verdict_twice_is_recorded_once() -> None:
    seen = observed(pending(), verdicts=(deny(), deny()))

    assert [e.verdict.id for e in decide(seen, NOW).status.verdicts] == [0]


def test_a_full_ledger_takes_no_more_and_the_words_that_stop_come_first() -> None:
    """Only a wall that was open lets more in than fit; the status takes 32, and the request must still be able to end."""
    many = tuple(approve(n, f"p{n}", role="nobody") for n in range(40))
    full = decide(observed(pending(), verdicts=many), NOW).status
    again = decide(observed(full, verdicts=many), NOW)
    stopped = decide(observed(pending(), verdicts=(*many, deny(40), withdraw(41))), NOW).status

    assert [e.verdict.id for e in full.verdicts] == list(range(32))
    assert again.status == full
    assert end(stopped) == DENIED
    assert [e.verdict.id for e in stopped.verdicts] == [*range(30), 40, 41]


def test_a_denial_that_a_full_ledger_cannot_hold_ends_the_request_all_the_same() -> None:
    """The wall closes Approved then, and Denied needs a recorded deny: Failed is the end that is left."""
    many = tuple(approve(n, f"p{n}", role="nobody") for n in range(32))
    full = decide(observed(pending(), verdicts=many), NOW).status
    stopped = decide(observed(full, verdicts=(*many, deny(32))), NOW).status

    assert end(stopped) == ("Failed", "Operator", "DeniedByReviewer")


def test_a_withdrawal_by_somebody_else_is_recorded_and_stops_nothing() -> None:
    plan = decide(observed(pending(), verdicts=(withdraw(0, "mallory"), approve(1))), NOW)

    assert end(plan.status) == BY_PEOPLE
    assert [(e.counted, e.reason) for e in plan.status.verdicts] == [(False, "Ineligible"), (True, "")]


def test_verdicts_are_recorded_in_the_order_of_their_numbers_when_they_were_seen() -> None:
    seen = observed(TWO, verdicts=(approve(1, "bob"), approve(0)), first_seen={0: after(-9), 1: after(9)})

    assert [(e.verdict.id, e.observed_at) for e in decide(seen, NOW).status.verdicts] == [(0, after(-9)), (1, NOW)]
