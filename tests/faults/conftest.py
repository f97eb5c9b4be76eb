"""A control plane of this room's own, one a file: here things die that others need."""

from collections.abc import Iterator

import pytest

from controlplane import ControlPlane
from playground import install
from tests.faults.sweep import Succession


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A control plane with Gatehold installed; no operator yet."""
    with ControlPlane.start(nodes=1) as cluster:
        install(cluster)
        yield cluster


@pytest.fixture(scope="module")
def succession(plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Succession]:
    """Operators to die."""
    operators = Succession(plane, tmp_path_factory.mktemp("faults"))
    yield operators
    operators.close()
