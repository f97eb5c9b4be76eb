"""A cluster admin takes the children's guard away: nothing is promoted meanwhile, and what is done to children is undone."""

import pytest

from controlplane import wait_until
from playground import OperatorProcess
from tests.e2e.gaps import gap
from tests.e2e.rollouts.shop import Shop
from tests.e2e.stage import PATIENCE, Stage, condition, new_stage


@pytest.fixture
def stage(world: OperatorProcess) -> Stage:
    """A namespace of the test's own in a control plane of this file's own."""
    return new_stage(world.cluster, world)


def test_nothing_is_promoted_while_the_wall_is_not_proven(shop: Shop) -> None:
    shop.running()
    with gap(shop, "ValidatingAdmissionPolicyBinding", "gatehold-children", lambda _: None):
        shop.rollout(image="2", steps=())
        held = shop.until_rollout(lambda body: condition(body, "Held") == ("True", "WallNotProven"), "WallNotProven")
        assert "run" in held["status"]
        assert shop.image("stable") == "1"
    shop.until_healthy()
    assert shop.image("stable") == "2"


def gets_through(shop: Shop, *words: str) -> None:
    """What ci does, tried until the API server, too, knows that the guard is gone: it loads policies once a second."""

    def done() -> bool:
        return shop.cluster.kubectl("-n", shop.namespace, *words, user="ci", check=False).returncode == 0

    wait_until(done, f"{words} gets through", PATIENCE)


def test_children_that_are_changed_meanwhile_are_put_right(shop: Shop) -> None:
    shop.running()
    with gap(shop, "ValidatingAdmissionPolicyBinding", "gatehold-children", lambda _: None):
        gets_through(shop, "set", "image", "deploy/web-stable", "web=example.org/web:evil")
        shop.until_image("stable", "1")
        gets_through(shop, "scale", "deploy/web-stable", "--replicas=1")
        shop.until_sizes(5, 0)
        before = shop.child("stable")["metadata"]["uid"]
        gets_through(shop, "delete", "deploy/web-stable", "--wait=false")
        shop.until_anew("stable", before)
    shop.until_healthy()
    shop.until_told("web", "ChildChanged")
