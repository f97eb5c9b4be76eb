"""Argo's kinds and its controller on the shared cluster, for one namespace that all tests of this folder share."""

from collections.abc import Iterator

import pytest

from controlplane import Cluster
from controlplane.tools import tool
from playground import OperatorProcess, bind_people
from tests.e2e.argo.harbour import PLACE, Harbour
from tests.e2e.rights import until_people_are_bound
from tests.e2e.rollouts.pages import Reader, blocks

PAGE = "gate-argo-rollouts.md"


@pytest.fixture(scope="module")
def harbour(gatehold: Cluster, operator: OperatorProcess) -> Iterator[Harbour]:
    """The namespace of the page, in which Argo's controller works. It sees no other: others play it by hand elsewhere."""
    bind_people(gatehold, PLACE)
    made = Harbour(gatehold, PLACE, operator)
    until_people_are_bound(made.api(), PLACE)
    made.open()
    yield made
    made.close()


@pytest.fixture(scope="module")
def reader(harbour: Harbour, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """Who follows the page; its namespace is behind the Gate already."""
    found = Reader(harbour.cluster, tmp_path_factory.mktemp("page"))
    (found.programs / "kubectl-argo-rollouts").symlink_to(tool("kubectl-argo-rollouts"))
    for block in blocks(PAGE):
        if block.section == "Put a namespace behind a Gate":
            found.follow(block)
    return found
