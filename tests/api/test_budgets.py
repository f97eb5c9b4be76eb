"""PodDisruptionBudgets: what they allow, and which pods they cover."""

from typing import Any

import pytest

from gatehold.api import budgets
from gatehold.api.common import ParseError
from gatehold.domain.nodes import BudgetFacts
from tests.api.drains import Body, budget

WEB = {"app": "web", "tier": "front"}


def test_what_a_budget_allows() -> None:
    wire = budget(disruptionsAllowed=1, desiredHealthy=2, currentHealthy=3, expectedPods=4, disruptedPods={"a": "now"})
    found = budgets.parse(wire)

    assert found.facts == BudgetFacts("shop", "web", allowed=1, needed=2, healthy=3, pods=4)
    assert found.address == "shop/web"


@pytest.mark.parametrize("status", [{}, None], ids=str)
def test_a_budget_that_nobody_has_looked_at_allows_nothing(status: Any) -> None:
    assert budgets.parse(budget() | {"status": status}).facts == BudgetFacts("shop", "web")


def by(operator: str, *values: str, key: str = "app") -> Body:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values) or None}]}


SELECTORS: dict[str, tuple[Body | None, Body, bool]] = {
    "its label": ({"matchLabels": {"app": "web"}}, WEB, True),
    "all its labels": ({"matchLabels": WEB}, WEB, True),
    "a label more": ({"matchLabels": WEB | {"a": "b"}}, WEB, False),
    "another value": ({"matchLabels": {"app": "api"}}, WEB, False),
    "one of its values": (by("In", "api", "web"), WEB, True),
    "none of its values": (by("In", "api"), WEB, False),
    "no value at all": (by("In"), WEB, False),
    "not another value": (by("NotIn", "api"), WEB, True),
    "not its value": (by("NotIn", "web"), WEB, False),
    "not a value of a label that it has not": (by("NotIn", "x", key="none"), WEB, True),
    "a label that it has": (by("Exists"), WEB, True),
    "a label that it has not": (by("Exists", key="none"), WEB, False),
    "no label that it has": (by("DoesNotExist"), WEB, False),
    "no label that it has not": (by("DoesNotExist", key="none"), WEB, True),
    "an operator to come": (by("Like", "web"), WEB, False),
    "both ways": ({"matchLabels": {"app": "web"}} | by("Exists", key="none"), WEB, False),
    "everything": ({}, WEB, True),
    "everything in so many words": ({"matchLabels": None, "matchExpressions": []}, {}, True),
}


@pytest.mark.parametrize(("selector", "labels", "covered"), SELECTORS.values(), ids=SELECTORS)
def test_a_budget_that_selects_by(selector: Body | None, labels: Body, covered: bool) -> None:
    found = [budgets.parse(budget(selector=selector))]

    assert budgets.covering(found, "shop", labels) == (("shop/web",) if covered else ())
    assert budgets.covering(found, "dev", labels) == ()


def test_a_budget_without_a_selector_covers_nothing() -> None:
    for spec in ({"minAvailable": 1}, {"selector": None}, None):
        assert not budgets.parse(budget() | {"spec": spec}).covers("shop", WEB)


def test_budgets_come_in_order() -> None:
    found = [budgets.parse(budget(name, selector={})) for name in ("b", "c", "a")]

    assert budgets.covering(found, "shop", {}) == ("shop/a", "shop/b", "shop/c")


BROKEN: dict[str, tuple[Body, str]] = {
    "no metadata": (budget() | {"metadata": None}, "metadata: model_type"),
    "no namespace": (budget() | {"metadata": {"name": "a"}}, "metadata.namespace: missing"),
    "a selector that is a list": (budget() | {"spec": {"selector": []}}, "spec.selector: model_type"),
    "a line without an operator": (budget(selector={"matchExpressions": [{"key": "a"}]}), "operator: missing"),
    "disruptions in words": (budget(disruptionsAllowed="one"), "status.disruptionsAllowed: int_type"),
}


@pytest.mark.parametrize(("wire", "text"), BROKEN.values(), ids=BROKEN)
def test_it_is_no_budget_with(wire: Body, text: str) -> None:
    with pytest.raises(ParseError, match=text):
        budgets.parse(wire)
