"""How much the operator writes for one canary: a status is no place for a pod's every move."""

from tests.e2e.operators import site
from tests.e2e.rollouts.shop import TWENTY, Shop

MOST_OF_ALL = 43
"""What a peer writes for a canary of that size (reference/peers-measured.md)."""
MOST_STATUSES = 14


def written(shop: Shop) -> dict[str, int]:
    """What the API server has accepted so far, by resource."""
    _, text = site(shop.operator, "/metrics")
    start = "gatehold_writes_total{resource="
    lines = [line.removeprefix(start) for line in text.splitlines() if line.startswith(start)]
    return {line.split('"')[1]: int(float(line.rsplit(" ", 1)[1])) for line in lines}


def test_a_whole_canary_of_ten_pods_takes_few_writes(shop: Shop) -> None:
    policy = shop.promotes()
    shop.running(replicas=10)
    before = written(shop)
    shop.rollout(image="2", replicas=10, steps=(*TWENTY, {"approval": {"policyRef": {"name": policy}}}))
    request = shop.until_asked()
    shop.yes(request)
    shop.until_healthy()
    shop.until_done(request)
    after = written(shop)
    did = {kind: after[kind] - before.get(kind, 0) for kind in ("rollouts", "deployments", "controllerrevisions")}
    assert did["deployments"] == 3, did  # the canary, stable, and the canary again
    assert did["controllerrevisions"] == 1, did
    assert did["rollouts"] <= MOST_STATUSES, did
    assert sum(did.values()) + 8 <= MOST_OF_ALL, did  # eight: the request's own, its verdicts among them
