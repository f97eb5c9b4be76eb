"""What is behind the gate: guarded against people, put right where something gets through, collected at the end."""

import json

import pytest

from controlplane import KubectlError, wait_until
from tests.e2e.rollouts.shop import TWENTY, Body, Shop
from tests.e2e.stage import PATIENCE, condition
from tests.wall.api import Call


def held(shop: Shop) -> str:
    """A canary of version 2, held; answers its request."""
    policy = shop.promotes()
    shop.running()
    shop.rollout(image="2", steps=(*TWENTY, {"approval": {"policyRef": {"name": policy}}}))
    return shop.until_asked()


def got_through(shop: Shop, track: str, change: Body) -> None:
    """A change of a child that met no wall: written with the operator's own token."""
    body = shop.child(track)
    body["spec"] = {**body["spec"], **change}
    for key in ("managedFields", "resourceVersion"):  # whatever its controller has written to its status since
        body["metadata"].pop(key, None)
    shop.as_operator(Call(shop.path("deploy", f"web-{track}"), body, "put"))


def uids(pods: list[Body]) -> set[str]:
    """Which pods these are."""
    return {pod["metadata"]["uid"] for pod in pods}


def test_people_cannot_change_children(shop: Shop) -> None:
    shop.running()
    for words in (
        ("scale", "deploy/web-stable", "--replicas=1"),
        ("set", "image", "deploy/web-stable", "web=example.org/evil:1"),
        ("delete", "deploy/web-stable"),
    ):
        with pytest.raises(KubectlError, match="web"):
            shop.kubectl(*words, user="ci")
    assert (shop.image("stable"), shop.sizes()) == ("1", (5, 0))


@pytest.mark.parametrize("track", ["stable", "canary"])
def test_what_gets_through_is_told_and_put_right(shop: Shop, track: str) -> None:
    held(shop)
    image, sizes = shop.image(track), shop.sizes()
    template = shop.child(track)["spec"]["template"]
    template["spec"]["containers"][0]["image"] = "example.org/web:evil"
    got_through(shop, track, {"template": template, "replicas": 4})
    shop.until_image(track, image)
    shop.until_sizes(*sizes)
    shop.until_told("web", "ChildChanged")
    shop.yes(shop.until_said())  # asked anew where pods of the other image came up before it was put right
    shop.until_healthy()
    assert shop.image("stable") == "2"


def test_a_child_that_is_deleted_comes_back(shop: Shop) -> None:
    shop.running()
    before = shop.child("stable")["metadata"]["uid"]
    shop.as_operator(Call(shop.path("deploy", "web-stable"), how="delete"))
    shop.until_anew("stable", before)
    shop.until_healthy()


def test_a_deployment_that_has_the_childs_name_is_not_touched(shop: Shop) -> None:
    pods = {"metadata": {"labels": {"app": "mine"}}, "spec": {"containers": [{"name": "c", "image": "example.org/mine:1"}]}}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web-stable", "namespace": shop.namespace},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "mine"}}, "template": pods},
    }
    mine = shop.create(body, user="ci")
    shop.rollout()
    shop.until_rollout(lambda found: condition(found, "Stalled") == ("True", "ChildNotOurs"), "ChildNotOurs")
    assert shop.child("stable")["metadata"]["generation"] == mine["metadata"]["generation"]
    shop.kubectl("delete", "deploy/web-stable", user="ci")
    shop.until_healthy()
    assert shop.image("stable") == "1"


def test_deleted_while_held_everything_goes(shop: Shop) -> None:
    request = held(shop)
    shop.kubectl("delete", "gro/web", "--wait=false", user="ci")
    done = shop.until_done(request)
    assert (done["status"]["phase"], done["status"]["decision"]["reason"]) == ("Superseded", "SubjectDeleted")
    for kind, name in (("gro", "web"), ("deploy", "web-stable"), ("deploy", "web-canary")):
        shop.until_gone(kind, name)
    wait_until(lambda: shop.all("crev", labelSelector="gatehold.dev/rollout=web") == [], "revisions are gone", PATIENCE)


def test_orphaned_while_held_stable_stays_as_an_ordinary_deployment(shop: Shop) -> None:
    request = held(shop)
    pods = uids(shop.track_pods("stable"))
    shop.kubectl("delete", "gro/web", "--cascade=orphan", "--wait=false", user="ci")
    shop.until_gone("gro", "web")
    shop.until_gone("deploy", "web-canary")
    stable = shop.child("stable")
    assert stable["metadata"].get("ownerReferences", []) == []
    marks = json.dumps([stable["metadata"].get("labels", {}), stable["metadata"].get("annotations", {})])
    assert "gatehold.dev" not in marks
    wait_until(lambda: uids(shop.all("pods", labelSelector="app=web")) == pods, "the canary's pod is gone", PATIENCE)
    assert shop.until_done(request)["status"]["phase"] == "Superseded"
    shop.kubectl("set", "image", "deploy/web-stable", "web=example.org/web:3", user="ci")


def test_break_glass_stays_and_is_recorded(shop: Shop) -> None:
    shop.running()
    role = ["create", "role", "breaks-glass", "--verb=override", "--resource=rollouts.gatehold.dev"]
    shop.kubectl(*role)
    shop.kubectl("create", "role", "patches", "--verb=get,patch,update", "--resource=deployments.apps")
    for name in ("breaks-glass", "patches"):
        shop.kubectl("create", "rolebinding", name, f"--role={name}", "--user=dana")
    shop.until_may("dana", "override", "rollouts")
    shop.until_may("dana", "patch", "deployments", "apps")
    template = shop.child("stable")["spec"]["template"]
    template["spec"]["containers"][0]["image"] = "example.org/web:hotfix"
    notes = {"gatehold.dev/override": "INC-4711: site down, everybody asleep"}
    shop.api("dana").must(
        Call(shop.path("deploy", "web-stable"), {"metadata": {"annotations": notes}, "spec": {"template": template}})
    )
    shop.until_rollout(lambda body: condition(body, "Overridden")[0] == "True", "Overridden")
    shop.until_told("web", "Overridden")
    assert shop.image("stable") == "hotfix"
    shop.rollout(image="2")
    shop.until_healthy()
    assert shop.image("stable") == "2"
