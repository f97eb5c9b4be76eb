"""Argo's kind and account on the shared cluster, and a dock of its own for each test."""

import pytest

from controlplane import Cluster
from tests.e2e.argo_pauses.dock import Dock, controller
from tests.e2e.stage import Stage
from tests.wall.api import Api


@pytest.fixture(scope="package")
def argo(gatehold: Cluster) -> Api:
    """What Argo's controller writes with. The kind comes after the operator."""
    return controller(gatehold)


@pytest.fixture
def dock(argo: Api, gatehold: Cluster, stage: Stage) -> Dock:
    """A namespace of the test's own; call `dock.gate()` to put it behind a Gate."""
    return Dock(gatehold, stage.namespace, stage.operator, argo)
