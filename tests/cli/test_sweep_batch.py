"""Which requests one yes covers, and why the others are left out. No server."""

import copy
from decimal import Decimal
from typing import Any

import pytest

from gatehold.api.approval_policy import parse
from gatehold.api.digest import request_digest
from gatehold.api.request_status import render_resolved
from gatehold.cli.people import Person
from gatehold.cli.sweep.batch import Bounds, Line, Reviewer, batch, chosen, currencies, sources
from gatehold.cli.view import View, view_of
from gatehold.domain.status import Price, Resolved, ResolvedProvision
from tests.cli.bodies import entry, policy, request, verdict
from tests.cli.provisions import DIGEST, FAST, GATE, OFFERED, price

Json = dict[str, Any]
POLICY = parse(policy())


def waits(name: str, hourly: str | None = "1", *, gate: str = "", space: str = "shop", **more: Any) -> Json:
    """A request that waits, at that price an hour; `found` are its pods, `spec` and `status` the rest."""
    cost: Price | None = more.pop("cost", price(hourly, low="0.1") if hourly is not None else None)
    found: ResolvedProvision | None = more.pop("found", None)
    read = render_resolved(Resolved(price=cost, provision=found))
    subject = {"kind": "Deployment", "name": name, "digest": DIGEST}
    made = request(spec={"subject": subject, **more.pop("spec", {})}, status={"resolved": read, **more.pop("status", {})})
    meta = made["metadata"]
    meta |= {"name": name, "uid": f"uid-of-{space}-{name}", "namespace": space}
    meta |= {"labels": {"gatehold.dev/gate": gate}} if gate else {}
    status = made["status"]
    status["requestDigest"] = request_digest(meta["uid"], made["spec"], read, status["policy"]["digest"])
    return made


def released(name: str = "old", by: str = "ci", **more: Any) -> Json:
    made = waits(name, **more)
    made["spec"]["requester"] = {"username": by}
    made["status"]["phase"] = "Released"
    return made


def lines(*bodies: Json, option: str = "", most: str = "10", roles: bool = True, person: str = "alice") -> list[Line]:
    views = [view_of(body) for body in bodies]
    held = {view.request.uid: ("sre",) if roles else () for view in views}
    return batch(views, Bounds("prod", Decimal(most), option), Reviewer(Person(person), held, POLICY))


def told(*bodies: Json, **more: Any) -> dict[str, str]:
    return {line.view.request.name: line.why for line in lines(*bodies, **more)}


def view(body: Json) -> View:
    return view_of(body)


def test_what_is_usual_is_approved_and_the_history_is_no_part_of_it() -> None:
    found = lines(waits("a", "1"), waits("b", "2"), waits("c", "3"), released())
    assert [(line.view.request.name, line.why, line.cost.hourly) for line in found] == [
        ("a", "", Decimal(1)),
        ("b", "", Decimal(2)),
        ("c", "", Decimal(3)),
    ]
    assert chosen(found) == found
    assert currencies(found) == ["USD"]
    assert found[0].cost.whole == 730


def test_beyond_the_bound_is_left_out_and_the_bound_itself_is_not() -> None:
    assert told(waits("at", "10"), waits("over", "10.000001"), waits("usual", "9"), released()) == {
        "at": "",
        "over": "costs more than 10 USD an hour",
        "usual": "",
    }


def test_more_than_three_times_the_median_is_left_out() -> None:
    why = told(waits("a", "1"), waits("b", "1"), waits("three", "3"), waits("more", "3.01"), waits("c", "1"), released())
    assert [name for name, text in why.items() if text] == ["more"]
    assert why["more"] == "costs more than 3 times the median of the batch (1.00)"


def test_of_two_the_dearer_one_does_not_vouch_for_itself() -> None:
    assert told(waits("cheap", "1"), waits("dear", "4"), released())["dear"].startswith("costs more than 3 times")


def test_what_is_beyond_the_bound_does_not_make_another_look_usual() -> None:
    many = [waits(f"dear-{number}", "100") for number in range(5)]
    assert told(*many, waits("a", "1"), waits("b", "1"), waits("odd", "9"), released())["odd"].startswith(
        "costs more than 3"
    )


@pytest.mark.parametrize(
    "cost",
    [None, price("1", unknown=("1 of example.com/npu",)), Price(Decimal(1), "USD"), Price(Decimal(1), "USD", "month")],
    ids=["no price", "a part is unknown", "no period", "another period"],
)
def test_a_price_that_is_not_known_is_left_out(cost: Price | None) -> None:
    assert told(waits("a", cost=cost), released()) == {"a": "price unknown"}


def test_a_declared_cost_is_no_price() -> None:
    cheap = {"cost": {"amount": "0.01", "currency": "USD", "period": "hour"}}
    assert told(waits("a", None, spec=cheap), released()) == {"a": "price unknown"}


def test_a_newcomer_is_left_out_until_one_was_released() -> None:
    new = waits("a", spec={"requester": {"username": "new"}})
    assert told(new, released(by="ci")) == {"a": "no released request before from new"}
    denied = released(by="new")
    denied["status"]["phase"] = "Denied"
    assert told(new, denied)["a"]
    assert told(new, released(by="new")) == {"a": ""}


def test_a_question_of_a_gate_comes_from_its_authors_or_its_namespace() -> None:
    asked = waits("a", gate=GATE, status={"quorum": [entry("sre", 2), entry("finance")], "approvals": "0/3"})
    assert sources(view(asked)) == ("namespace shop, gate paid",)
    assert told(asked, released(gate=GATE)) == {"a": ""}
    assert (
        told(asked, released(gate=GATE, space="other"))["a"] == "no released request before from namespace shop, gate paid"
    )
    written = waits("b", gate=GATE, spec={"authors": ["erin", "ci"]})
    known = released(gate=GATE, spec={"authors": ["ci"]})
    assert told(written, known)["b"] == "no released request before from erin"


def test_a_choice_is_left_out_unless_it_is_made() -> None:
    found = ResolvedProvision(DIGEST, 50, options=FAST)
    offered = waits("a", "4.6", found=found, spec={"options": OFFERED})
    assert told(offered, released())["a"] == "offers options (fast, cheap): pick one with --option"
    assert told(offered, released(), option="huge")["a"] == "offers options (fast, cheap), and not that one"
    (line,) = lines(offered, released(), option="cheap")
    assert (line.why, line.option, line.pods, line.cost.hourly) == ("", "cheap", 10, Decimal("0.92"))
    (plain,) = lines(waits("b", found=ResolvedProvision(DIGEST, 50)), released(), option="cheap")
    assert (plain.why, plain.option, plain.pods) == ("", "", 50)


def test_the_bound_counts_for_the_option_that_is_picked() -> None:
    offered = waits("a", "4.6", found=ResolvedProvision(DIGEST, 50, options=FAST), spec={"options": OFFERED})
    assert told(offered, released(), option="cheap", most="1") == {"a": ""}
    assert told(offered, released(), option="fast", most="1")["a"] == "costs more than 1 USD an hour"


def test_whom_it_does_not_wait_for_leaves_it_alone() -> None:
    assert told(waits("a"), released(), person="ci")["a"] == "you asked, so somebody else has to decide"
    assert told(waits("a"), released(), roles=False)["a"] == "it lacks no approval in a role of yours"
    said = waits("a", status={"verdicts": [verdict(0, "approve", "alice", "sre")]})
    said["status"]["verdicts"][0]["digest"] = said["status"]["requestDigest"]
    assert told(said, released())["a"].startswith("you have decided already")


def test_what_does_not_prove_itself_is_left_out() -> None:
    forged = waits("a")
    forged["status"]["resolved"]["price"]["amount"] = "0.01"
    assert told(forged, released())["a"] == "gatehold verify: Request digest differs"
    weak = waits("b", status={"quorum": [entry("sre")], "approvals": "0/1"})
    assert told(weak, released())["b"].startswith("weaker than its policy: the policy asks 1 of finance")
    new = copy.deepcopy(waits("c"))
    new["status"] = {}
    assert told(new, released())["c"] == "the operator has not prepared it yet"


def test_other_policies_and_what_is_over_are_no_part_of_it() -> None:
    other = waits("a")
    other["spec"]["policyRef"] = {"name": "other"}
    assert lines(other, released()) == []
