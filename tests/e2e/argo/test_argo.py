"""The real controller of Argo Rollouts and its plugin: nobody but reviewers goes past a pause, and everybody may stop."""

import pytest

from tests.e2e.argo.conftest import PAGE
from tests.e2e.argo.harbour import ARGO, GATE, PLACE, SECONDS, Harbour
from tests.e2e.rollouts.pages import Reader, blocks
from tests.e2e.stage import condition, failure, message
from tests.wall.api import Call, path

ASK_FIRST = f"is behind gate {GATE} and goes on when its ApprovalRequest is approved (kubectl get apr -n {PLACE})"
pytestmark = pytest.mark.usefixtures("reader")


def test_the_page_is_followed_and_the_plugin_goes_past_no_pause(harbour: Harbour, reader: Reader) -> None:
    said, follows = "", [block for block in blocks(PAGE) if block.section == "A first question"]
    for block in follows:
        if block.person == "alice":
            first = harbour.until_asked("web")
            assert len(harbour.requests("web")) == 1  # the first version was not asked about
            _nobody_goes_past(harbour, first)
        said += reader.follow(block)
    assert "example.org/web:2" in said
    second = harbour.until_asked("web", first)
    assert harbour.get("apr", second)["status"]["resolved"]["argo"]["weight"] == 80
    assert ASK_FIRST in harbour.argo_refused("promote", "web")
    harbour.yes(second)
    harbour.until_serves("web", 2)
    assert {harbour.until_done(name, SECONDS)["status"]["phase"] for name in (first, second)} == {"Released"}


def _nobody_goes_past(harbour: Harbour, request: str) -> None:
    """What mallory tries, who has every right that RBAC can give on these kinds."""
    seen = harbour.get("apr", request)["status"]["resolved"]["argo"]
    assert (seen["stepIndex"], seen["steps"], seen["weight"]) == (1, 4, 50)
    assert (seen["images"], seen["stableImages"]) == (["example.org/web:2"], ["example.org/web:1"])
    for args in ([], ["--full"], ["--skip-current-step"], ["--skip-all-steps"]):
        assert ASK_FIRST in harbour.argo_refused("promote", "web", *args)
    harbour.argo("retry", "rollout", "web")  # nothing was aborted: it stays where it is
    assert "takes verb bind on gates" in _refused(harbour, "delete", harbour.path("argo", "web"))
    stable = harbour.path("rs", f"web-{seen['stableHash']}")
    assert "whose controller alone makes, changes and deletes it" in _refused(harbour, "delete", stable)
    for size, pod_hash in ((0, seen["stableHash"]), (9, seen["podHash"])):  # with spec.paused Argo would leave it so
        scale = f"{harbour.path('rs', f'web-{pod_hash}')}/scale"
        assert "change the Rollout instead" in _refused(harbour, "merge", scale, {"spec": {"replicas": size}})
    assert harbour.status("web")["currentStepIndex"] == 1


def test_what_was_measured_is_said_by_the_controller_and_an_experiment_is_no_way_past(harbour: Harbour) -> None:
    experiment = {"templates": [{"name": "a", "specRef": "canary", "replicas": 1}], "duration": "1s"}
    steps = [{"setWeight": 50}, {"experiment": experiment}, {"pause": {}}]
    harbour.rollout("trial", strategy={"canary": {"steps": steps}})
    harbour.push("trial", 2)
    request = harbour.until_asked("trial")  # an experiment that measures nothing goes on to the pause
    assert harbour.get("apr", request)["status"]["resolved"]["argo"]["stepIndex"] == 2
    runs = path(ARGO, "experiments", harbour.namespace)
    (made,) = [
        run for run in harbour.api().must(Call(runs, how="get"))["items"] if run["metadata"]["name"].startswith("trial-")
    ]
    said = _refused(harbour, "merge", f"{runs}/{made['metadata']['name']}", {"status": {"phase": "Inconclusive"}})
    assert "whose controller alone makes it, says how it went and deletes it" in said
    measured = [
        {
            "op": "add",
            "path": "/spec/strategy/canary/steps/1/experiment/analyses",
            "value": [{"name": "x", "templateName": "x"}],
        }
    ]
    harbour.argo("abort", "trial")  # its strategy may change then
    harbour.until_aborted("trial", 1)
    said = _refused(harbour, "json", harbour.path("argo", "trial"), measured)
    assert "goes past a pause after an inconclusive experiment" in said


def test_a_no_aborts_and_who_retries_or_goes_back_gets_nothing_past_people(harbour: Harbour) -> None:
    harbour.rollout("shop")
    harbour.push("shop", 2)
    first = harbour.until_asked("shop")
    harbour.say("alice", first, "deny")
    harbour.until_aborted("shop", 1)
    denied = harbour.until_done(first, SECONDS)
    assert (denied["status"]["phase"], condition(denied, "RolledBack")[0]) == ("Denied", "True")
    assert "Git still holds the rejected revision" in message(denied, "RolledBack")
    harbour.argo("retry", "rollout", "shop")
    second = harbour.until_asked("shop", first)
    assert harbour.get("apr", second)["status"]["phase"] == "Pending"
    assert "goes on when its ApprovalRequest is approved" in harbour.argo_refused("promote", "shop")
    harbour.argo("undo", "shop")  # the revision before this one: the stable one, so nobody is asked
    harbour.until_serves("shop", 1)
    ended = harbour.until_done(second, SECONDS)
    assert (ended["status"]["phase"], failure(ended)) == ("Superseded", "SubjectChanged")
    assert len(harbour.requests("shop")) == 2


def test_a_no_to_one_that_somebody_has_stopped_says_what_keeps_it_there(harbour: Harbour) -> None:
    harbour.rollout("still")
    harbour.push("still", 2)
    request = harbour.until_asked("still")
    where = harbour.path("argo", "still")
    harbour.api("mallory").must(Call(where, {"spec": {"paused": True}}))
    harbour.say("alice", request, "deny")
    harbour.until(request, lambda body: condition(body, "RolledBack") == ("False", "UndoStuck"), "it is stuck", SECONDS)
    assert "set it to false" in message(harbour.get("apr", request), "RolledBack")
    harbour.api("mallory").must(Call(where, {"spec": {"paused": False}}))
    harbour.until_aborted("still", 1)
    assert condition(harbour.until_done(request, SECONDS), "RolledBack")[0] == "True"


def test_a_newer_version_takes_the_question_over_and_anybody_may_stop(harbour: Harbour) -> None:
    harbour.rollout("cart")
    harbour.push("cart", 2)
    first = harbour.until_asked("cart")
    harbour.push("cart", 3)
    second = harbour.until_asked("cart", first)
    assert harbour.until_done(first, SECONDS)["status"]["phase"] == "Superseded"
    assert harbour.get("apr", second)["status"]["resolved"]["argo"]["images"] == ["example.org/cart:3"]
    harbour.argo("abort", "cart")
    harbour.until_aborted("cart", 1)
    assert harbour.until_done(second, SECONDS)["status"]["phase"] == "Superseded"


def test_nobody_answers_and_it_is_aborted(harbour: Harbour) -> None:
    harbour.rollout("late")
    harbour.asks_for(1)
    harbour.push("late", 2)
    harbour.until_aborted("late", 1)
    harbour.asks_for(600)
    (request,) = harbour.requests("late")
    expired = harbour.until_done(request["metadata"]["name"], SECONDS)
    assert (expired["status"]["phase"], condition(expired, "RolledBack")[0]) == ("Expired", "True")


def test_blue_green_waits_for_people_before_it_switches(harbour: Harbour) -> None:
    for name in ("active", "preview"):
        spec = {"selector": {"app": "tide"}, "ports": [{"port": 80}]}
        meta = {"name": name, "namespace": harbour.namespace}
        harbour.apply({"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}, user="ci")
    services = {"activeService": "active", "previewService": "preview", "autoPromotionEnabled": False}
    harbour.rollout("tide", strategy={"blueGreen": services})
    harbour.push("tide", 2)
    harbour.until_paused("tide", 2, None)
    request = harbour.until_asked("tide")
    hashes = harbour.get("apr", request)["status"]["resolved"]["argo"]
    assert "goes on when its ApprovalRequest is approved" in harbour.argo_refused("promote", "tide")
    assert "goes on when its ApprovalRequest is approved" in harbour.argo_refused("promote", "tide", "--full")
    active = harbour.path("svc", "active")
    switch = {"spec": {"selector": {"rollouts-pod-template-hash": hashes["podHash"]}}}
    assert "its controller alone writes these" in _refused(harbour, "merge", active, switch)
    assert harbour.get("svc", "active")["spec"]["selector"]["rollouts-pod-template-hash"] == hashes["stableHash"]
    harbour.yes(request)
    harbour.until_serves("tide", 2)
    assert harbour.get("svc", "active")["spec"]["selector"]["rollouts-pod-template-hash"] == hashes["podHash"]
    assert harbour.until_done(request, SECONDS)["status"]["phase"] == "Released"


def test_without_the_operator_it_waits_and_a_person_with_the_right_goes_on(harbour: Harbour) -> None:
    for name in ("held", "free"):
        harbour.rollout(name)
    asked_before = harbour.operator
    asked_before.stop()
    try:
        for name in ("held", "free"):
            harbour.push(name, 2)
            harbour.until_paused(name, 2)
        for name in ("held", "free"):
            assert "break-glass takes verb override on gates" in harbour.argo_refused("promote", name)
        harbour.argo("promote", "free", "--full", user="dana")
        harbour.until_serves("free", 2)
        assert harbour.status("held")["currentStepIndex"] == 1
        assert harbour.requests("held") == []
    finally:
        asked_before.start()
    request = harbour.until_asked("held")  # asked as soon as the operator is back
    harbour.argo("promote", "held", user="dana")
    overridden = harbour.until_done(request, SECONDS)
    assert (overridden["status"]["phase"], failure(overridden)) == ("Superseded", "SubjectOverridden")
    assert condition(overridden, "Overridden")[0] == "True"


def _refused(harbour: Harbour, how: str, where: str, body: object = None) -> str:
    """A write of mallory's that has to be refused; answers what is said."""
    answer = harbour.api("mallory").send(Call(where, body, how))
    assert answer.code == 403, f"{answer.code} {answer.message}"
    return answer.message
