"""A yard of its own for each test: a namespace, a Gate, and nodes behind it."""

from collections.abc import Iterator

import pytest

from tests.e2e.drains.yard import Yard, let_ci_drain
from tests.e2e.stage import Stage


@pytest.fixture
def yard(stage: Stage) -> Iterator[Yard]:
    """Nodes and pods of the test's own; `ci` holds verb drain on nodes."""
    let_ci_drain(stage.cluster)
    made = Yard(stage.cluster, stage.namespace, stage.operator)
    yield made
    made.clear()
