"""A canary's life: held, promoted, denied, left alone, overtaken; and always as many pods as before."""

from datetime import datetime, timedelta

import pytest

from controlplane import wait_until
from tests.e2e.rollouts.capacity import watched
from tests.e2e.rollouts.shop import TWENTY, Shop, last, stands
from tests.e2e.stage import PATIENCE, condition
from tests.wall.api import Call

SOON = {"progressDeadlineSeconds": 25}
"""Long enough for pods to say what is wrong with them, and for the way back, which has as long, on a slow machine."""
PAUSE = {"pause": {"durationSeconds": 8}}
"""Long enough to be seen at, whatever the machine does."""


def when(stamp: str) -> datetime:
    """The moment that a timestamp of the API server means."""
    return datetime.fromisoformat(stamp)


def asking(policy: str, **more: object) -> tuple[dict[str, object], ...]:
    """A fifth of the pods, then people."""
    return (*TWENTY, {"approval": {"policyRef": {"name": policy}, **more}})


def test_a_first_deployment_in_an_open_namespace_runs_at_once(shop: Shop) -> None:
    made = shop.running()
    stable = shop.child("stable")
    assert shop.find("deploy", "web-canary") is None
    assert stable["spec"]["selector"]["matchLabels"] == {
        "app": "web",
        "gatehold.dev/rollout": "web",
        "gatehold.dev/track": "stable",
    }
    owner = stable["metadata"]["ownerReferences"][0]
    assert (owner["uid"], owner["controller"], owner["blockOwnerDeletion"]) == (made["metadata"]["uid"], True, True)
    assert [body["data"]["template"] for body in shop.all("crev", labelSelector="gatehold.dev/rollout=web")] == [
        made["spec"]["template"]
    ]
    status = made["status"]
    assert (status["ready"], status["replicas"], status["selector"]) == ("5/5", 5, "app=web,gatehold.dev/rollout=web")
    assert condition(made, "Ready") == ("True", "AsWanted")
    assert shop.requests() == []
    shop.until_told("web", "Started", "Promoted")


def test_a_canary_is_held_at_a_fifth_until_two_approve_and_then_promoted(shop: Shop) -> None:
    policy = shop.promotes()
    shop.running()
    with watched(shop) as capacity:
        shop.rollout(image="2", steps=asking(policy, links=[{"title": "p99", "url": "https://example.org/p99"}]))
        request = shop.until_asked()
        held = shop.until_rollout(lambda body: stands(body) == "Held" and "until" in body["status"], "held until a deadline")
        assert shop.sizes() == (5, 1)
        assert (shop.image("stable"), shop.image("canary")) == ("1", "2")
        status = held["status"]
        assert (status["step"], status["share"], status["waitingFor"], status["ready"]) == ("2/2", "20%", request, "6/6")
        shown = shop.get("apr", request)["spec"]
        assert shown["summary"] == "promote web from example.org/web:1 to example.org/web:2"
        assert shown["links"] == [{"title": "p99", "url": "https://example.org/p99"}]
        assert shown["subject"]["uid"] == held["metadata"]["uid"]

        shop.yes(request, "alice")
        shop.until(request, lambda body: body["status"]["approvals"] == "1/2", "1/2")
        assert shop.image("stable") == "1"
        shop.yes(request, "bob")
        shop.until_healthy()
    assert shop.image("stable") == "2"
    shop.until_sizes(5, 0)
    assert capacity.least >= 5
    assert capacity.most_canaries == 1
    done = shop.until_done(request)
    assert done["status"]["phase"] == "Released"
    ended = shop.until_ended("Promoted")
    assert [ref["uid"] for ref in last(ended)["requests"]] == [done["metadata"]["uid"]]
    shop.until_told("web", "Held", "Passed", "Promoting")
    assert len(shop.requests()) == 1


def test_denied_it_goes_and_stays_rejected_until_somebody_asks_again(shop: Shop) -> None:
    policy = shop.promotes()
    shop.running()
    with watched(shop) as capacity:
        shop.rollout(image="2", steps=asking(policy))
        request = shop.until_asked()
        shop.say("alice", request, "deny", "p99 doubled")
        ended = shop.until_ended("Denied")
    assert (shop.image("stable"), shop.sizes()) == ("1", (5, 0))
    assert capacity.least >= 5
    assert ended["status"]["phase"] == "Degraded"
    assert condition(ended, "RolledBack") == ("True", "Restored")
    assert condition(ended, "Stalled")[0] == "True"
    done = shop.until_done(request)
    assert done["status"]["phase"] == "Denied"
    assert condition(done, "RolledBack")[0] == "True"

    shop.rollout(image="2", steps=asking(policy))  # what Git says once more is no new question
    shop.kubectl("annotate", "gro/web", "gatehold.dev/retry=after-the-fix", user="ci")
    again = shop.until_asked(beside=(request,))
    shop.yes(again)
    shop.until_healthy()
    assert shop.image("stable") == "2"
    assert shop.until_done(again)["status"]["phase"] == "Released"


def test_left_alone_time_brings_it_back(shop: Shop) -> None:
    policy = shop.promotes()
    shop.running()
    shop.rollout(image="2", steps=asking(policy, timeoutSeconds=3))
    ended = shop.until_ended("Expired")
    assert (shop.image("stable"), shop.sizes()) == ("1", (5, 0))
    assert condition(ended, "RolledBack") == ("True", "Restored")
    (request,) = (body["metadata"]["name"] for body in shop.requests())  # three seconds are too few to be seen asking
    done = shop.until_done(request)["status"]
    assert (done["phase"], "requestDigest" in done) == ("Expired", True)


@pytest.mark.parametrize(("fake", "said"), [("crashloop", "CrashLoopBackOff"), ("badimage", "ImagePullBackOff")])
def test_a_version_that_does_not_come_up_is_rolled_back_before_anybody_is_asked(shop: Shop, fake: str, said: str) -> None:
    policy = shop.promotes()
    shop.running()
    shop.rollout(image="2", fake=fake, steps=asking(policy), **SOON)
    ended = shop.until_ended("Failed")
    assert last(ended)["reason"] == "ProgressDeadlineExceeded"
    assert said in last(ended)["message"]
    assert (shop.image("stable"), shop.sizes()) == ("1", (5, 0))
    assert shop.requests() == []
    shop.until_told("web", "RolledBack", "Stalled")


def test_pods_that_no_node_takes_are_rolled_back_too(shop: Shop) -> None:
    shop.running()
    body = shop.rollout_body(image="2", **SOON)
    body["spec"]["template"]["spec"]["nodeSelector"] = {"example.org/no": "where"}
    shop.apply(body, user="ci")
    ended = shop.until_ended("Failed")
    assert "Unschedulable" in last(ended)["message"]
    assert shop.image("stable") == "1"


def test_pods_that_are_late_but_in_time_go_on(shop: Shop) -> None:
    policy = shop.promotes()
    shop.running()
    shop.rollout(image="2", fake="late", steps=asking(policy))
    shop.until_rollout(lambda body: shop.track_pods("canary"), "a canary")
    shop.until_phase_of("Progressing")
    assert shop.requests() == []
    name = shop.track_pods("canary")[0]["metadata"]["name"]
    shop.kubectl("annotate", f"pod/{name}", "example.org/fake=ready")
    shop.until_asked()


def test_a_new_template_while_one_is_held_supersedes_it(shop: Shop) -> None:
    policy = shop.promotes()
    shop.running()
    shop.rollout(image="2", steps=asking(policy))
    first = shop.until_asked()
    shop.rollout(image="3", steps=asking(policy))
    second = shop.until_asked(beside=(first,))
    assert shop.until_done(first)["status"]["phase"] == "Superseded"
    assert (shop.image("stable"), shop.image("canary"), shop.sizes()) == ("1", "3", (5, 1))
    shop.yes(second)
    shop.until_healthy()
    assert shop.image("stable") == "3"


def test_changed_steps_while_one_is_held_begin_anew(shop: Shop) -> None:
    policy = shop.promotes()
    shop.running()
    shop.rollout(image="2", steps=asking(policy))
    first = shop.until_asked()
    shop.rollout(image="2", steps=({"setWeight": 50}, *asking(policy)[1:]))
    second = shop.until_asked(beside=(first,))
    assert shop.until_done(first)["status"]["phase"] == "Superseded"
    assert shop.sizes() == (5, 5)
    assert shop.get("apr", second)["spec"]["subject"]["digest"] != shop.get("apr", first)["spec"]["subject"]["digest"]


def test_back_to_what_runs_asks_nobody(shop: Shop) -> None:
    policy = shop.promotes()
    shop.running(steps=asking(policy))
    shop.rollout(image="2", steps=asking(policy))
    request = shop.until_asked()
    shop.rollout(image="1", steps=asking(policy))
    ended = shop.until_ended("Superseded")
    shop.until_healthy()
    assert "rejected" not in ended["status"]
    assert (shop.image("stable"), shop.sizes()) == ("1", (5, 0))
    assert shop.until_done(request)["status"]["phase"] == "Superseded"
    assert len(shop.requests()) == 1


def test_scaling_while_one_is_held_keeps_the_share(shop: Shop) -> None:
    policy = shop.promotes()
    shop.running()
    shop.rollout(image="2", steps=asking(policy))
    request = shop.until_asked()
    shop.kubectl("scale", "gro/web", "--replicas=10", user="ci")
    shop.until_sizes(10, 2)
    shop.until_phase_of("Held")
    assert shop.get("apr", request)["status"]["phase"] == "Pending"
    shop.yes(request)
    shop.until_healthy()
    assert shop.image("stable") == "2"
    shop.until_sizes(10, 0)


def test_replicas_are_followed_whatever_it_is_at(shop: Shop) -> None:
    policy = shop.promotes()
    shop.running()

    def scaled(replicas: int, sizes: tuple[int, int]) -> None:
        shop.kubectl("scale", "gro/web", f"--replicas={replicas}", user="ci")
        shop.until_sizes(*sizes)

    shop.rollout(image="2", fake="late", steps=asking(policy))
    shop.until_phase_of("Progressing")
    scaled(10, (10, 2))
    wait_until(lambda: len(shop.track_pods("canary")) == 2, "both pods of the canary are there", PATIENCE)
    shop.let_pods_be_ready("canary")
    request = shop.until_asked()
    scaled(6, (6, 1))
    shop.yes(request)
    shop.until_phase_of("Promoting")
    scaled(8, (8, 2))
    wait_until(
        lambda: shop.let_pods_be_ready("stable", "canary") or shop.get("gro", "web")["status"]["phase"] == "Healthy",
        "healthy",
        PATIENCE,
    )
    assert shop.image("stable") == "2"
    shop.until_sizes(8, 0)
    scaled(0, (0, 0))
    shop.until_healthy()


def test_pods_have_to_be_ready_for_a_while(shop: Shop) -> None:
    policy = shop.promotes()
    shop.running(minReadySeconds=1)
    shop.rollout(image="2", steps=asking(policy), minReadySeconds=3)
    request = shop.until_asked()
    (pod,) = shop.track_pods("canary")
    (ready,) = (c["lastTransitionTime"] for c in pod["status"]["conditions"] if c["type"] == "Ready")
    waited = when(shop.get("apr", request)["metadata"]["creationTimestamp"]) - when(ready)
    assert waited >= timedelta(seconds=3), "nobody is asked before"
    assert shop.child("canary")["status"]["availableReplicas"] == 1


def test_restarting_is_nobodys_question(shop: Shop) -> None:
    shop.running()
    before = {pod["metadata"]["uid"] for pod in shop.track_pods("stable")}
    call = Call(shop.path("gro", "web"), {"spec": {"restartedAt": "2026-11-28T10:00:00Z"}})
    shop.api("ci").must(call)
    wait_until(lambda: not before & {pod["metadata"]["uid"] for pod in shop.track_pods("stable")}, "new pods", PATIENCE)
    shop.until_healthy()
    assert shop.image("stable") == "1"
    assert shop.requests() == []


def test_pauses_run_and_shares_grow_without_anybody(shop: Shop) -> None:
    shop.running()
    steps = ({"setWeight": 20}, PAUSE, {"setWeight": 60}, PAUSE)
    with watched(shop) as capacity:
        shop.rollout(image="2", steps=steps)
        paused = shop.until_phase_of("Paused")
        assert (paused["status"]["step"], "until" in paused["status"]) == ("2/4", True)
        shop.until_rollout(lambda body: body["status"]["weight"]["asked"] == 60, "sixty")
        shop.until_sizes(4, 5)  # ceil(5 x 40 / 60)
        shop.until_healthy()
    assert capacity.least >= 5
    assert shop.image("stable") == "2"
    shop.until_sizes(5, 0)


def test_without_steps_it_is_promoted_at_once(shop: Shop) -> None:
    shop.running(steps=())
    shop.rollout(image="2", steps=())
    shop.until_ended("Promoted")
    shop.until_healthy()
    assert shop.image("stable") == "2"


def test_applying_the_same_again_and_again_changes_nothing(shop: Shop) -> None:
    policy = shop.promotes()
    shop.running(steps=asking(policy))
    shop.rollout(image="2", steps=asking(policy))
    request = shop.until_asked()
    for _ in range(5):
        shop.rollout(image="2", steps=asking(policy))
    shop.yes(request)
    shop.until_healthy()
    assert len(shop.requests()) == 1
    assert shop.image("stable") == "2"
