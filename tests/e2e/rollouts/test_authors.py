"""Who changed template or steps, as the API server stamped it: none of them approves, whatever was done to be forgotten."""

import json
from contextlib import suppress

import pytest

from controlplane import KubectlError, wait_until
from tests.e2e.rollouts.shop import TWENTY, Shop, last
from tests.e2e.stage import PATIENCE, STAMPED, failure
from tests.wall.api import Api, Call

pytestmark = pytest.mark.skipif(not STAMPED, reason="below 1.36 nobody writes down who changed a Rollout")
AUTHORS = "gatehold.dev/authors"
YOURS = "you changed what this request is about, so somebody else has to approve or override it"


def may_edit(shop: Shop, *people: str) -> None:
    """Let them change what lives in the namespace."""
    for person in people:
        shop.kubectl("create", "rolebinding", f"{person}-edits", "--clusterrole=edit", f"--user={person}")
        shop.until_may(person, "patch", "rollouts")


def robot(shop: Shop) -> Api:
    """The connection of a service account that may edit."""
    shop.kubectl("create", "serviceaccount", "robot")
    shop.kubectl("create", "rolebinding", "robot-edits", "--clusterrole=edit", f"--serviceaccount={shop.namespace}:robot")
    shop.until_may(f"system:serviceaccount:{shop.namespace}:robot", "patch", "rollouts")
    return shop.api().with_token(shop.kubectl("create", "token", "robot").strip())


def apply(shop: Shop, api: Api, image: str, manager: str = "other") -> None:
    """A server-side apply that takes every field, by another manager."""
    call = Call(shop.path("gro", "web"), shop.rollout_body(image=image), "apply")
    api.must(call, fieldManager=manager, force="true")


def noted(shop: Shop) -> str | None:
    """The annotation as it stands."""
    found = shop.get("gro", "web")["metadata"].get("annotations", {}).get(AUTHORS)
    return None if found is None else str(found)


def named(shop: Shop, request: str) -> list[str]:
    """Whom the request names."""
    return list(shop.get("apr", request)["spec"].get("authors", []))


def refused(shop: Shop, request: str, *people: str) -> None:
    """None of them may approve it, and each is told why."""
    for person in people:
        ok, message = shop.word(person, request, "approve")
        assert not ok
        assert YOURS in message


def until_forgotten(shop: Shop) -> None:
    """Wait until what was changed is promoted and its authors are done with."""
    shop.until_healthy()
    wait_until(lambda: noted(shop) == "", "no authors", PATIENCE)


def started(shop: Shop, policy: str = "", **spec: object) -> str:
    """Version 1 of ci's runs and is forgotten, and from now on one of sre is asked; answers the policy."""
    shop.running()
    until_forgotten(shop)
    policy = shop.promotes(policy, **{"quorum": [{"role": "sre"}], **spec})
    shop.gate(policy)
    return policy


def test_a_second_person_by_another_field_manager_adds_and_replaces_nobody(shop: Shop) -> None:
    may_edit(shop, "alice")
    shop.gate(shop.promotes(quorum=[{"role": "sre"}]))
    shop.rollout(user="alice")
    first = shop.until_asked()
    assert named(shop, first) == ["alice"]
    apply(shop, shop.api("mallory"), "2")
    second = shop.until_asked(beside=(first,))
    assert named(shop, second) == ["alice", "mallory"]
    assert shop.until_done(first)["status"]["phase"] == "Superseded"
    refused(shop, second, "alice")
    shop.yes(second, "bob")
    shop.until_healthy()
    assert shop.image("stable") == "2"


def test_a_robots_touch_afterwards_erases_nobody(shop: Shop) -> None:
    may_edit(shop, "alice")
    started(shop, onUnknownRequester="RequireExtraReviewer")
    shop.rollout(image="2", user="alice")
    first = shop.until_asked()
    apply(shop, robot(shop), "3", "argocd-controller")
    second = shop.until_asked(beside=(first,))
    assert named(shop, second) == ["alice", f"system:serviceaccount:{shop.namespace}:robot"]
    assert shop.get("apr", second)["status"]["quorum"][0]["count"] == 1  # alice is known, so four eyes can be told
    refused(shop, second, "alice")
    shop.yes(second, "bob")
    shop.until_healthy()
    assert shop.image("stable") == "3"


def test_taking_it_back_and_having_a_robot_apply_it_again_forgets_nobody(shop: Shop) -> None:
    may_edit(shop, "alice")
    started(shop)
    shop.rollout(image="2", user="alice")
    first = shop.until_asked()
    account = robot(shop)
    shop.rollout(image="3", user="ci")
    second = shop.until_asked(beside=(first,))
    apply(shop, account, "2")
    third = shop.until_asked(beside=(first, second))
    assert named(shop, third) == ["alice", "ci", f"system:serviceaccount:{shop.namespace}:robot"]
    refused(shop, third, "alice")


def test_replicas_are_no_authorship_and_steps_are(shop: Shop) -> None:
    may_edit(shop, "alice", "bob")
    started(shop)
    shop.kubectl("scale", "gro/web", "--replicas=6", user="bob")
    shop.api("bob").must(Call(shop.path("gro", "web"), {"spec": {"replicas": 7}}))
    shop.until_sizes(7, 0)
    assert noted(shop) == ""
    shop.rollout(image="2", replicas=7, user="alice")
    first = shop.until_asked()
    shop.kubectl("scale", "gro/web", "--replicas=5", user="bob")
    assert named(shop, first) == ["alice"]
    steps = {"spec": {"strategy": {"canary": {"steps": [{"setWeight": 10}, *TWENTY]}}}}
    shop.api("mallory").must(Call(shop.path("gro", "web"), steps))
    second = shop.until_asked(beside=(first,))
    assert named(shop, second) == ["alice", "mallory"]
    shop.yes(second, "bob")
    shop.until_healthy()
    assert shop.image("stable") == "2"
    shop.until_sizes(5, 0)


def test_an_author_may_stop_it(shop: Shop) -> None:
    may_edit(shop, "alice")
    started(shop)
    shop.rollout(image="2", user="alice")
    request = shop.until_asked()
    refused(shop, request, "alice")
    shop.say("alice", request, "deny", "a mistake of mine")
    shop.until_ended("Denied")
    assert shop.image("stable") == "1"


def test_of_a_robot_alone_one_more_is_asked(shop: Shop) -> None:
    started(shop, onUnknownRequester="RequireExtraReviewer")
    apply(shop, robot(shop), "2")
    request = shop.until_asked()
    assert named(shop, request) == [f"system:serviceaccount:{shop.namespace}:robot"]
    shop.yes(request, "alice")
    shop.until(request, lambda body: body["status"].get("approvals") == "1/2", "1/2")
    assert shop.image("stable") == "1"
    shop.yes(request, "bob")
    shop.until_healthy()
    assert shop.image("stable") == "2"


def test_of_a_robot_alone_nothing_is_promoted_where_the_policy_refuses(shop: Shop) -> None:
    started(shop, onUnknownRequester="Refuse")
    apply(shop, robot(shop), "2")
    ended = shop.until_ended("Failed")
    (request,) = (body["metadata"]["name"] for body in shop.requests())
    done = shop.until_done(request)
    assert (done["status"]["phase"], failure(done)) == ("Failed", "RequesterUnknown")
    assert request in last(ended)["message"]
    shop.until_phase_of("Degraded")
    assert (shop.image("stable"), shop.sizes()) == ("1", (5, 0))


def test_of_a_robot_alone_nobody_more_is_asked_where_the_policy_allows_it(shop: Shop) -> None:
    started(shop, onUnknownRequester="Allow")
    apply(shop, robot(shop), "2")
    request = shop.until_asked()
    shop.yes(request, "alice")
    shop.until_healthy()
    assert shop.image("stable") == "2"


def test_a_promotion_forgets_its_authors_and_the_next_names_its_own(shop: Shop) -> None:
    may_edit(shop, "alice", "bob")
    started(shop)
    shop.rollout(image="2", user="alice")
    first = shop.until_asked()
    shop.yes(first, "bob")
    until_forgotten(shop)
    shop.rollout(image="3", user="bob")
    second = shop.until_asked(beside=(first,))
    assert named(shop, second) == ["bob"]
    refused(shop, second, "bob")
    shop.yes(second, "alice")
    until_forgotten(shop)
    assert shop.image("stable") == "3"


def test_a_rejection_forgets_nobody(shop: Shop) -> None:
    may_edit(shop, "alice")
    started(shop)
    shop.rollout(image="2", user="alice")
    first = shop.until_asked()
    shop.say("bob", first, "deny", "not this one")
    shop.until_ended("Denied")
    shop.kubectl("annotate", "gro/web", "gatehold.dev/retry=once", user="mallory")
    second = shop.until_asked(beside=(first,))
    assert named(shop, second) == ["alice"]
    refused(shop, second, "alice")


def test_nobody_writes_who_it_was(shop: Shop) -> None:
    may_edit(shop, "alice")
    started(shop)
    shop.rollout(image="2", user="alice")
    first = shop.until_asked()
    forged = shop.rollout_body(image="2")
    forged["metadata"]["annotations"] = {AUTHORS: "bob"}
    for words, stdin in (
        (("annotate", "--overwrite", "gro/web", f"{AUTHORS}=bob"), ""),
        (("annotate", "gro/web", f"{AUTHORS}-"), ""),
        (("apply", "--server-side", "--force-conflicts", "-f", "-"), json.dumps(forged)),
        (("apply", "-f", "-"), json.dumps(forged)),
    ):
        with suppress(KubectlError):  # put right or refused, whichever the wall of that version does
            shop.kubectl(*words, user="alice", stdin=stdin)
        assert noted(shop) == "alice"
    forged["spec"] = shop.rollout_body(image="3")["spec"]
    shop.kubectl("apply", "-f", "-", user="mallory", stdin=json.dumps(forged))
    second = shop.until_asked(beside=(first,))
    assert named(shop, second) == ["alice", "mallory"]
    refused(shop, second, "alice")
    shop.yes(second, "bob")
    shop.until_healthy()
