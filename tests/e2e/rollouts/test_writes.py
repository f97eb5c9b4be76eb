"""How much the operator writes for one canary: a status is no place for a pod's every move."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from controlplane import wait_until
from playground import OperatorProcess
from tests.e2e.operators import site
from tests.e2e.rollouts.shop import TWENTY, Shop
from tests.e2e.stage import PATIENCE, Body, Stage, new_stage
from tests.e2e.witness import versions, watched

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


def beats(seen: list[Body]) -> int:
    """How many writes showed nothing but new figures ten seconds or more after the last: slow pods have more of them."""
    return sum(_is_beat(*pair) for pair in pairwise(versions(seen, "web")))


def _is_beat(earlier: Body, later: Body) -> bool:
    if _but_for_figures(earlier) != _but_for_figures(later):
        return False
    before, after = (datetime.fromisoformat(body["status"]["figuresAt"]) for body in (earlier, later))
    return after - before >= timedelta(seconds=10)


def _but_for_figures(body: Body) -> Body:
    status = {key: value for key, value in body["status"].items() if key not in ("figuresAt", "ready", "replicas")}
    for track in ("stable", "canary"):
        status[track] = {key: value for key, value in status.get(track, {}).items() if key not in ("pods", "ready")}
    meta = {key: value for key, value in body["metadata"].items() if key not in ("resourceVersion", "managedFields")}
    return {"metadata": meta, "spec": body["spec"], "status": status}


def test_a_whole_canary_of_ten_pods_takes_few_writes(shop: Shop) -> None:
    policy = shop.promotes()
    shop.running(replicas=10)
    before: dict[str, int] = {}

    def did(kind: str) -> int:
        return written(shop).get(kind, 0) - before.get(kind, 0)

    with watched(shop.api(), shop.path("gro")) as seen:
        before |= written(shop)  # only now: the watch has told all that is counted
        shop.rollout(image="2", replicas=10, steps=(*TWENTY, {"approval": {"policyRef": {"name": policy}}}))
        request = shop.until_asked()
        shop.yes(request)
        shop.until_healthy()
        shop.until_done(request)
        wait_until(lambda: did("deployments") >= DEPLOYMENTS, "the canary's pods are taken away", PATIENCE)
        rollouts = did("rollouts")
        wait_until(lambda: len(versions(seen, "web")) > rollouts, "the watch has told them all, and of ci's own", PATIENCE)
        rollouts -= beats(seen)
    assert did("deployments") == DEPLOYMENTS
    assert did("controllerrevisions") == 1
    assert rollouts <= MOST_STATUSES
    # eight: the request's own, its verdicts among them
    assert rollouts + did("deployments") + did("controllerrevisions") + 8 <= MOST_OF_ALL
