"""docs/how-to/gate-provisioning.md, followed by the letter, and manifests/examples/provisioning.yaml as it stands."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane import Cluster, wait_until
from playground import OperatorProcess, bind_people
from tests.e2e.provisioning.depot import LABEL, PRICES, Depot, put_prices
from tests.e2e.rollouts.pages import ROOT, Reader, blocks
from tests.e2e.stage import GROUP, PATIENCE, Body, condition
from tests.wall.api import path

PAGE = "gate-provisioning.md"


@pytest.fixture
def shop(prices: Cluster, operator: OperatorProcess) -> Iterator[Depot]:
    """The namespace that the page names; afterwards neither its pods, nor its Gate, nor its prices are there."""
    bind_people(prices, "shop")
    made = Depot(prices, "shop", operator)
    yield made
    made.clear()
    put_back(prices, operator)
    prices.kubectl("label", "namespace", "shop", f"{LABEL}-", check=False)
    prices.kubectl("delete", "gate/paid", "--ignore-not-found")


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


@pytest.fixture
def training(prices: Cluster, operator: OperatorProcess) -> Iterator[Depot]:
    """The namespace of the example, with nothing in it but what the example says; mia works there."""
    prices.kubectl("apply", "-f", str(ROOT / "manifests/examples/provisioning.yaml"))
    made = Depot(prices, "training", operator)
    wait_until(lambda: condition(seen_gate(made), "Ready")[0] == "True", "the example's Gate is ready", PATIENCE)
    until_in_use(operator, "example rates")
    prices.user("mia", "ml")
    yield made
    made.clear()
    put_back(prices, operator)
    prices.kubectl("delete", "gate/training", "--ignore-not-found")


def put_back(cluster: Cluster, operator: OperatorProcess) -> None:
    """The prices of the other tests again, while there is a Gate: without one the operator does not look at them."""
    put_prices(cluster)
    until_in_use(operator, PRICES["source"])


def until_in_use(operator: OperatorProcess, source: str) -> None:
    """Wait for the last word of its log about the price table: a Gate is as ready by the table of before."""

    def is_in_use() -> bool:
        lines = [line for line in operator.log(100_000).splitlines() if "the price table of" in line]
        return bool(lines) and f"({source}, USD)" in lines[-1]

    wait_until(is_in_use, f"the prices of {source} are in use", PATIENCE)


def seen_gate(depot: Depot) -> Body:
    return depot.api().get(path(GROUP, "gates", None, "training")) or {}


def test_the_example_holds_asks_and_lets_go(training: Depot) -> None:
    training.deployment("small", 1, {"cpu": "100m", "memory": "128Mi"}, user="mia")
    training.until_runs("small", 1)  # under the threshold
    training.deployment("big", 2, user="mia")
    training.until_waits("big", 2)
    assert training.asked("big")["status"]["resolved"]["price"]["source"] == "example rates"
    training.approve("big")
    training.until_runs("big", 2)
