"""What a Rollout is told about its children: from the cache, and live where an old cache would end the run."""

from types import SimpleNamespace
from typing import Any

import pytest

from gatehold.api import deployment
from gatehold.api.rollout import parse
from gatehold.controllers.rollouts.children import ChildReader, Parent
from gatehold.domain.rollout.record import Record, Run, Track, Wanted
from gatehold.kube.resources import Resource
from gatehold.runtime.objects import Objects
from tests.api.rollouts import TEMPLATE, body
from tests.promotions import TARGET

WANTED = Wanted("sha256:" + "1" * 64, 2)


def canary(version: int, available: int) -> dict[str, Any]:
    """As the API server gives it."""
    made = deployment.whole(body(), Track.CANARY, WANTED, TEMPLATE)
    status = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": available}
    given = {"uid": "canary-uid", "resourceVersion": str(version), "generation": 2}
    return made | {"metadata": made["metadata"] | given, "status": status}


class Cluster:
    """One Deployment as it is now, and how often it was asked for."""

    def __init__(self) -> None:
        self.reads = 0

    async def get(self, resource: Resource, namespace: str, name: str) -> dict[str, Any]:
        self.reads += 1
        return canary(42, 2)

    async def list_all(self, resource: Resource, namespace: str, selector: str) -> list[dict[str, Any]]:
        return []


@pytest.mark.parametrize(("overdue", "reads", "available"), [(False, 0, 0), (True, 1, 2)], ids=["in time", "overdue"])
async def test_one_that_came_up_in_time_is_not_given_up_though_the_watch_has_not_told_yet(
    overdue: bool, reads: int, available: int
) -> None:
    """The operator stood still: its timer is first when it goes on."""
    deployments, cluster = Objects(), Cluster()
    deployments.upsert(canary(41, 0))
    reader = ChildReader(SimpleNamespace(deployments=deployments, cluster=cluster))  # type: ignore[arg-type]
    parent = Parent(body(), parse(body()), Record(run=Run(TARGET)), pressing=overdue, overdue=overdue)
    found = (await reader.of(parent)).canary
    assert found is not None
    assert (cluster.reads, found.available) == (reads, available)
