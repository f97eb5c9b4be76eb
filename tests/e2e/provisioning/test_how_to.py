"""docs/how-to/gate-provisioning.md, followed by the letter."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane import Cluster
from playground import OperatorProcess, bind_people
from tests.e2e.provisioning.depot import LABEL, Depot, put_prices
from tests.e2e.rollouts.pages import Reader, blocks

PAGE = "gate-provisioning.md"


@pytest.fixture
def shop(prices: Cluster, operator: OperatorProcess) -> Iterator[Depot]:
    """The namespace that the page names; afterwards neither its pods, nor its Gate, nor its prices are there."""
    bind_people(prices, "shop")
    made = Depot(prices, "shop", operator)
    yield made
    made.clear()
    prices.kubectl("label", "namespace", "shop", f"{LABEL}-", check=False)
    prices.kubectl("delete", "gate/paid", "--ignore-not-found")
    put_prices(prices)


def test_the_page_is_followed_to_pods_that_run(shop: Depot, tmp_path: Path) -> None:
    reader, said = Reader(shop.cluster, tmp_path), ""
    found = blocks(PAGE)
    assert {block.section for block in found} == {"Prices", "The Gate", "A first question"}
    for block in found:
        if block.person == "alice":
            shop.asked("web")
        said += reader.follow(block)
    shop.until_runs("web", 3)
    for text in ("Price", "USD an hour", "a month of 730 h", "what waits stays inert", "alice approved"):
        assert text in said
