"""How much the operator writes for one canary: a status is no place for a pod's every move."""

import pytest

from controlplane import wait_until
from playground import OperatorProcess
from tests.e2e.operators import site
from tests.e2e.rollouts.shop import TWENTY, Shop
from tests.e2e.stage import PATIENCE, Stage, new_stage

MOST_OF_ALL = 43
"""What a peer writes for a canary of that size (reference/peers-measured.md)."""
MOST_STATUSES = 14
DEPLOYMENTS = 3
"""The canary, stable, and the canary again."""


@pytest.fixture
def stage(world: OperatorProcess) -> Stage:
    """A namespace in a control plane of this file's own: where others have canaries, writes for theirs count, too."""
    return new_stage(world.cluster, world)


def written(shop: Shop) -> dict[str, int]:
    """What the API server has accepted so far, by resource."""
    code, text = site(shop.operator, "/metrics")
    assert code == 200, f"/metrics: {code}"
    start = "gatehold_writes_total{resource="
    lines = [line.removeprefix(start) for line in text.splitlines() if line.startswith(start)]
    return {line.split('"')[1]: int(float(line.rsplit(" ", 1)[1])) for line in lines}


def test_a_whole_canary_of_ten_pods_takes_few_writes(shop: Shop) -> None:
    policy = shop.promotes()
    shop.running(replicas=10)
    before = written(shop)

    def did(kind: str) -> int:
        return written(shop).get(kind, 0) - before.get(kind, 0)

    shop.rollout(image="2", replicas=10, steps=(*TWENTY, {"approval": {"policyRef": {"name": policy}}}))
    request = shop.until_asked()
    shop.yes(request)
    shop.until_healthy()
    shop.until_done(request)
    wait_until(lambda: did("deployments") >= DEPLOYMENTS, "the canary's pods are taken away", PATIENCE)
    assert did("deployments") == DEPLOYMENTS
    assert did("controllerrevisions") == 1
    assert did("rollouts") <= MOST_STATUSES
    # eight: the request's own, its verdicts among them
    assert did("rollouts") + did("deployments") + did("controllerrevisions") + 8 <= MOST_OF_ALL
