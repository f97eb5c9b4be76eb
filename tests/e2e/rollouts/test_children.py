"""What is behind the gate: guarded against people, put right where something gets through, collected at the end."""

import json

import pytest

from controlplane import KubectlError, wait_until
from tests.e2e.rollouts.shop import TWENTY, Body, Shop
from tests.e2e.stage import condition
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
    body["metadata"].pop("managedFields", None)
    shop.as_operator(Call(shop.path("deploy", f"web-{track}"), body, "put"))


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
    request = held(shop)
    image, sizes = shop.image(track), shop.sizes()
    template = shop.child(track)["spec"]["template"]
    template["spec"]["containers"][0]["image"] = "example.org/web:evil"
    got_through(shop, track, {"template": template, "replicas": 4})
    wait_until(lambda: (shop.image(track), shop.sizes()) == (image, sizes), f"{track} is put right", 20)
    shop.until_told("web", "ChildChanged")
    shop.until_phase_of("Held")
    shop.yes(request)
    shop.until_healthy()
    assert shop.image("stable") == "2"


def test_a_child_that_is_deleted_comes_back(shop: Shop) -> None:
    shop.running()
    before = shop.child("stable")["metadata"]["uid"]
    shop.as_operator(Call(shop.path("deploy", "web-stable"), how="delete"))
    wait_until(lambda: (found := shop.find("deploy", "web-stable")) and found["metadata"]["uid"] != before, "a new one", 20)
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
    wait_until(lambda: shop.all("crev", labelSelector="gatehold.dev/rollout=web") == [], "revisions are gone", 30)


def test_orphaned_while_held_stable_stays_as_an_ordinary_deployment(shop: Shop) -> None:
    request = held(shop)
    pods = {pod["metadata"]["uid"] for pod in shop.track_pods("stable")}
    shop.kubectl("delete", "gro/web", "--cascade=orphan", "--wait=false", user="ci")
    shop.until_gone("gro", "web")
    shop.until_gone("deploy", "web-canary")
    stable = shop.child("stable")
    assert stable["metadata"].get("ownerReferences", []) == []
    marks = json.dumps([stable["metadata"].get("labels", {}), stable["metadata"].get("annotations", {})])
    assert "gatehold.dev" not in marks
    assert {pod["metadata"]["uid"] for pod in shop.all("pods", labelSelector="app=web")} == pods
    assert shop.until_done(request)["status"]["phase"] == "Superseded"
    shop.kubectl("set", "image", "deploy/web-stable", "web=example.org/web:3", user="ci")


def test_break_glass_stays_and_is_recorded(shop: Shop) -> None:
    shop.running()
    role = ["create", "role", "breaks-glass", "--verb=override", "--resource=rollouts.gatehold.dev"]
    shop.kubectl(*role)
    shop.kubectl("create", "role", "patches", "--verb=get,patch,update", "--resource=deployments.apps")
    for name in ("breaks-glass", "patches"):
        shop.kubectl("create", "rolebinding", name, f"--role={name}", "--user=dana")
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
