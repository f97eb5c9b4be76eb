"""A platform that gates no nodes leaves out what drains take: all else goes on, and a drain says what is missing."""

from collections.abc import Iterator

import pytest

from controlplane import wait_until
from playground.install import WALL
from tests.e2e.drains.yard import Yard, is_cordoned
from tests.e2e.operators import until_acting
from tests.e2e.rights import allowed
from tests.e2e.stage import failure

DRAINS = "gatehold-operator-drains"
OPERATOR = "system:serviceaccount:gatehold-system:gatehold"


@pytest.fixture
def poorer(yard: Yard) -> Iterator[Yard]:
    """The operator begins anew without these rights; it gets them back."""
    yard.operator.stop()
    yard.cluster.kubectl("delete", "clusterrolebinding", DRAINS)
    yard.cluster.kubectl("-n", "gatehold-system", "delete", "rolebinding", DRAINS)
    _until_it_may(yard, drain=False)
    yard.operator.start()
    until_acting(yard.operator)
    yield yard
    yard.operator.stop()
    yard.cluster.kubectl("apply", "--server-side", "-f", str(WALL / "33-rbac-drains.yaml"))
    _until_it_may(yard, drain=True)
    yard.operator.start()
    until_acting(yard.operator)


def test_without_the_rights_for_drains_all_else_goes_on(poorer: Yard) -> None:
    (node,) = poorer.gated()
    poorer.drain(node)
    ended = poorer.until_done("drain")
    assert (ended["status"]["phase"], failure(ended)) == ("Failed", "InvalidRequest")
    assert f"it lacks the rights of ClusterRole {DRAINS}" in ended["status"]["decision"]["message"]
    assert not is_cordoned(poorer.node_of("n"))
    policy = poorer.policy(f"jobs-{poorer.namespace}", quorum=[{"role": "sre"}])
    poorer.request("other", policy, job=poorer.job("work", policy))
    poorer.until_prepared("other")
    poorer.say("alice", "other", "approve")
    assert poorer.until_done("other")["status"]["phase"] == "Released"


def _until_it_may(yard: Yard, *, drain: bool) -> None:
    """The API server goes by the bindings as they are now, the ClusterRoleBinding's and the RoleBinding's."""
    rights: tuple[dict[str, str], ...] = (
        {"verb": "list", "resource": "nodes"},
        {"verb": "list", "group": "coordination.k8s.io", "resource": "leases", "namespace": "gatehold-system"},
    )
    wait_until(
        lambda: all(allowed(yard.api(), OPERATOR, **right) is drain for right in rights), f"it may drain: {drain}", 60
    )
