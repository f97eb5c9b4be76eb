"""A shop of its own for each test: a namespace in which Rollouts live."""

import pytest

from tests.e2e.rollouts.shop import Shop
from tests.e2e.stage import Stage


@pytest.fixture
def shop(stage: Stage) -> Shop:
    """A namespace of the test's own."""
    return Shop(stage.cluster, stage.namespace, stage.operator)
