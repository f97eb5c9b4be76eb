"""docs/how-to/roll-out-a-canary.md, followed by the letter while serving pods are counted; GitOps all through a canary."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from controlplane import Cluster, wait_until
from playground import OperatorProcess, bind_people
from tests.e2e.rights import until_people_are_bound
from tests.e2e.rollouts.capacity import watched
from tests.e2e.rollouts.pages import Reader, blocks
from tests.e2e.rollouts.shop import Shop, condition, last
from tests.e2e.stage import PATIENCE

PAGE = "roll-out-a-canary.md"
START = ("", "What is there", "To a Rollout")
CANARY, BACK, LEAVE = "A canary", "Back to a Deployment", "Or leave its pods as they are"


@pytest.fixture
def there(gatehold: Cluster, operator: OperatorProcess) -> Iterator[Shop]:
    """The namespace that the page names, empty again afterwards."""
    bind_people(gatehold, "shop")
    shop = Shop(gatehold, "shop", operator)
    until_people_are_bound(shop.api(), "shop")
    yield shop
    shop.kubectl("delete", "gro", "--all", "--wait=false")
    shop.until_gone("gro", "web")
    wait_until(
        lambda: not (shop.find("deploy", "web-stable") or {}).get("metadata", {}).get("ownerReferences"), "it went", PATIENCE
    )
    shop.kubectl("delete", "deploy,hpa,service", "--all")
    shop.until_gone("deploy", "web-stable")


def test_every_section_of_the_page_is_run() -> None:
    found = {block.section for block in blocks(PAGE)}
    assert found == {*START, CANARY, BACK, LEAVE}


def follow(shop: Shop, folder: Path, *sections: str) -> int:
    """Follow these sections; answers the fewest pods that served from the moment when the page's story begins."""
    reader = Reader(shop.cluster, folder)
    found = [block for block in blocks(PAGE) if block.section in sections]
    first = next(n for n, block in enumerate(found) if block.section == START[2])
    for block in found[:first]:
        reader.follow(block)
    with watched(shop, selector="app=web") as capacity:
        for block in found[first:]:
            if block.person in ("alice", "bob"):
                shop.until_asked()
            reader.follow(block)
    return capacity.least


def test_there_and_back_without_losing_a_pod(there: Shop, tmp_path: Path) -> None:
    least = follow(there, tmp_path, *START, CANARY, BACK)
    assert least >= 4
    there.until_gone("deploy", "web-stable")
    assert there.get("deploy", "web")["status"]["availableReplicas"] == 4
    (request,) = there.requests()
    assert there.until_done(request["metadata"]["name"])["status"]["phase"] == "Released"


def test_what_is_left_behind_is_an_ordinary_deployment(there: Shop, tmp_path: Path) -> None:
    least = follow(there, tmp_path, *START, LEAVE)
    assert least >= 4
    left = there.get("deploy", "web-stable")
    assert (left["metadata"].get("ownerReferences"), left["spec"]["replicas"]) == (None, 5)
    assert not [key for key in left["metadata"].get("annotations", {}) if "gatehold.dev" in key]


def test_a_namespace_is_gated_and_its_glass_broken_as_the_page_says(there: Shop, tmp_path: Path) -> None:
    there.promotes("prod-web")
    grant = there.cluster.kubectl
    grant(
        "create", "clusterrole", "breaks-glass", "--verb=override", "--resource=gates.gatehold.dev", "--resource-name=shop"
    )
    grant("create", "clusterrolebinding", "breaks-glass", "--clusterrole=breaks-glass", "--user=dana")
    grant("-n", "shop", "create", "rolebinding", "dana-edits", "--clusterrole=edit", "--user=dana")
    there.running(image="2")
    reader, found = Reader(there.cluster, tmp_path), blocks("gate-a-namespace.md")
    try:
        for block in found:
            reader.follow(block)
            if "only-rollouts" in block.text:
                wait_until(lambda: takes_rollouts_only(there), "the API server goes by the label", PATIENCE)
            if block.person == "dana":
                there.until_rollout(lambda body: condition(body, "Overridden")[0] == "True", "Overridden")
                assert there.image("stable") == "1"
        there.until_healthy()
        assert there.image("stable") == "2"
    finally:
        there.cluster.kubectl("label", "namespace", "shop", "gatehold.dev/rollouts-", "gatehold.dev/only-rollouts-")
        there.cluster.kubectl("delete", "gate/shop", "clusterrole/breaks-glass", "clusterrolebinding/breaks-glass")
    assert [block.person or block.file for block in found] == ["gate.yaml", *["admin"] * 3, "dana", "ci"]


def takes_rollouts_only(shop: Shop) -> bool:
    """Whether another workload would be refused there. The API server learns of a namespace's label by watching."""
    words = ("create", "deploy", "x", "--image=x", "--dry-run=server")
    return "takes Rollouts only" in shop.cluster.kubectl("-n", "shop", *words, user="ci", check=False).stderr


# ---- GitOps


APPLIES: dict[str, tuple[str, ...]] = {
    "client-side": ("apply", "-f", "-"),
    "server-side": ("apply", "--server-side", "--force-conflicts", "--field-manager=argocd-controller", "-f", "-"),
    "as another robot": ("apply", "--server-side", "--force-conflicts", "--field-manager=kustomize-controller", "-f", "-"),
}


@contextmanager
def again_and_again(apply: Callable[[], object]) -> Iterator[list[str]]:
    """Apply every second, from another thread; answers what went wrong."""
    over, wrong = threading.Event(), list[str]()

    def run() -> None:
        while not over.wait(1):
            try:
                apply()
            except Exception as error:  # noqa: BLE001
                wrong.append(str(error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield wrong
    finally:
        over.set()
        thread.join(30)


@pytest.mark.parametrize("words", APPLIES.values(), ids=APPLIES.keys())
def test_applying_the_manifest_all_through_a_canary_changes_and_loses_nothing(shop: Shop, words: tuple[str, ...]) -> None:
    policy = shop.promotes()
    steps = (
        {"setWeight": 20},
        {"approval": {"policyRef": {"name": policy}}},
        {"setWeight": 60},
        {"pause": {"durationSeconds": 2}},
    )
    manifest = shop.rollout_body(image="1", steps=steps, replicas=None)

    def apply() -> None:
        shop.kubectl(*words, user="ci", stdin=json.dumps(manifest))

    apply()
    shop.kubectl("scale", "gro/web", "--replicas=5", user="ci")
    shop.until_rollout(lambda body: body["status"].get("ready") == "5/5", "five pods")
    shop.until_healthy()
    manifest = shop.rollout_body(image="2", steps=steps, replicas=None)
    apply()
    generation = shop.get("gro", "web")["metadata"]["generation"]
    with again_and_again(apply) as wrong, watched(shop) as capacity:
        request = shop.until_asked()
        assert shop.get("gro", "web")["metadata"]["annotations"]["gatehold.dev/authors"] == "ci"
        shop.yes(request)
        shop.until_ended("Promoted")
        shop.until_healthy()
    ended = shop.get("gro", "web")
    assert wrong == []
    assert ended["metadata"]["generation"] == generation
    assert (ended["spec"]["replicas"], shop.image("stable")) == (5, "2")
    shop.until_sizes(5, 0)
    assert capacity.least >= 5
    assert [body["metadata"]["name"] for body in shop.requests()] == [request]
    assert [ref["name"] for ref in last(ended)["requests"]] == [request]
    assert "gatehold.dev/rollout" in ended["metadata"]["finalizers"]
