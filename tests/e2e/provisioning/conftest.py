"""A depot of its own for each test: a namespace behind a Gate of type Pods, and the price table that all share."""

from collections.abc import Iterator

import pytest

from controlplane import Cluster
from tests.e2e.provisioning.depot import Depot, put_prices
from tests.e2e.stage import Stage


@pytest.fixture(scope="package")
def prices(gatehold: Cluster) -> Cluster:
    """A cluster with a price table, there before the operator looks."""
    put_prices(gatehold)
    return gatehold


@pytest.fixture
def depot(prices: Cluster, stage: Stage) -> Iterator[Depot]:
    """A namespace of the test's own; call `depot.gate()` to put it behind a Gate. What runs there goes with the test."""
    made = Depot(prices, stage.namespace, stage.operator)
    yield made
    made.clear()
