"""Maintenance: it lasts until the node is uncordoned or gone, whether anybody watches or not, and whoever says so."""

from controlplane import wait_until
from tests.e2e.drains.yard import Yard, is_cordoned, marks
from tests.e2e.operators import until_acting
from tests.e2e.rights import until_allowed
from tests.e2e.stage import PATIENCE, condition
from tests.wall.api import Call, path


def drained(yard: Yard) -> str:
    """A node under maintenance; answers its name."""
    (node,) = yard.gated()
    yard.drain(node)
    yard.yes()
    yard.until_done("drain")
    assert yard.lease_of("n") is not None
    return node


def test_it_ends_with_the_node(yard: Yard) -> None:
    drained(yard)
    yard.forget_node("n")
    yard.until_free("n")


def test_it_ends_when_the_node_is_made_anew(yard: Yard) -> None:
    drained(yard)
    gate = yard.node_of("n")["metadata"]["labels"]["gatehold.dev/drain"]
    yard.forget_node("n")
    yard.node("n", gate=gate, cordoned=True)
    yard.until_free("n")
    assert is_cordoned(yard.node_of("n"))


def test_what_happened_while_nobody_watched_is_found(yard: Yard) -> None:
    node = drained(yard)
    yard.operator.stop()
    yard.cluster.kubectl("uncordon", node)
    yard.operator.start()
    until_acting(yard.operator)
    yard.until_free("n")
    wait_until(lambda: marks(yard.node_of("n")) == {}, "the marks are gone", PATIENCE)


def test_the_lease_is_nobody_elses_to_write(yard: Yard) -> None:
    drained(yard)
    lease = yard.lease_of("n")
    assert lease is not None
    where = path("coordination.k8s.io/v1", "leases", "gatehold-system", lease["metadata"]["name"])
    yard.cluster.kubectl(
        *("-n", "gatehold-system", "create", "rolebinding", f"{yard.namespace}-edits"),
        *("--clusterrole=edit", "--user=mallory"),
    )
    leases = {"group": "coordination.k8s.io", "resource": "leases", "namespace": "gatehold-system"}
    until_allowed(yard.api(), "mallory", ["dev"], verb="delete", **leases)
    answer = yard.api("mallory").send(Call(where, how="delete"))
    assert "ValidatingAdmissionPolicy" in answer.message
    assert yard.lease_of("n") is not None


def test_a_gate_for_drains_says_whether_people_can_be_asked_there(yard: Yard) -> None:
    policy = yard.policy(f"later-{yard.namespace}", effects=["None"])
    name = yard.gate(policy=policy)

    def ready() -> tuple[str, str]:
        return condition(yard.api().get(f"/apis/gatehold.dev/v1alpha1/gates/{name}") or {}, "Ready")

    wait_until(lambda: ready() == ("False", "EffectNotAllowed"), "EffectNotAllowed", PATIENCE)
    yard.drains(policy)
    wait_until(lambda: ready() == ("False", "WebhookNotInstalled"), "WebhookNotInstalled", PATIENCE)
