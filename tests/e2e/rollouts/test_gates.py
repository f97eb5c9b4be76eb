"""The namespace asks: whatever the steps say, leave out or name."""

from controlplane import wait_until
from tests.e2e.rollouts.shop import TWENTY, Shop, last
from tests.e2e.stage import PATIENCE, condition


def test_a_first_deployment_is_asked_about_before_anything_runs(shop: Shop) -> None:
    gate = shop.gate(shop.promotes())
    shop.rollout()
    request = shop.until_asked()
    asked = shop.get("apr", request)
    assert asked["metadata"]["labels"]["gatehold.dev/gate"] == gate
    assert asked["spec"]["summary"] == "deploy web with example.org/web:1"
    assert shop.find("deploy", "web-stable") is None
    held = shop.until_phase_of("Held")
    assert condition(held, "Held") == ("True", "AwaitingApproval")
    shop.yes(request)
    shop.until_healthy()
    assert shop.sizes() == (5, 0)
    assert shop.until_done(request)["status"]["phase"] == "Released"


def test_a_first_deployment_that_is_denied_never_runs(shop: Shop) -> None:
    shop.gate(shop.promotes())
    shop.rollout()
    request = shop.until_asked()
    shop.say("bob", request, "deny", "not here")
    ended = shop.until_ended("Denied")
    assert condition(ended, "RolledBack") == ("True", "NothingToUndo")
    assert shop.all("deploy") == []
    assert shop.until_done(request)["status"]["phase"] == "Denied"


def test_deleting_and_making_it_anew_is_no_way_round(shop: Shop) -> None:
    shop.gate(shop.promotes())
    shop.rollout()
    first = shop.until_asked()
    shop.yes(first)
    shop.until_healthy()
    shop.kubectl("delete", "gro/web", "--wait=false", user="ci")
    shop.until_gone("gro", "web")
    shop.rollout(image="2")
    second = shop.until_asked(beside=(first,))
    shop.until_gone("deploy", "web-stable")
    shop.yes(second)
    shop.until_healthy()
    assert shop.image("stable") == "2"


def test_steps_that_leave_the_question_out_stop_at_the_gates_weight(shop: Shop) -> None:
    shop.running()
    shop.gate(shop.promotes(), maxWeightBeforeApproval=30)
    shop.rollout(image="2", steps=({"setWeight": 100},))
    request = shop.until_asked()
    assert shop.sizes() == (5, 2)  # floor(5 x 30 / 70)
    shop.yes(request)
    shop.until_healthy()
    assert shop.image("stable") == "2"
    assert len(shop.requests()) == 1


def test_a_gate_without_weight_is_asked_before_any_pod_of_the_canary_runs(shop: Shop) -> None:
    shop.running()
    shop.gate(shop.promotes(), maxWeightBeforeApproval=0)
    shop.rollout(image="2")
    request = shop.until_asked()
    assert shop.track_pods("canary") == []
    shop.yes(request)
    shop.until_healthy()
    assert shop.image("stable") == "2"


def test_a_policy_named_by_a_step_adds_a_question_and_replaces_none(shop: Shop) -> None:
    shop.running()
    gates = shop.promotes()
    own = shop.promotes(f"own-{shop.namespace}", quorum=[{"role": "finance"}])
    shop.gate(gates)
    shop.rollout(image="2", steps=(*TWENTY, {"approval": {"policyRef": {"name": own}}}, {"setWeight": 50}))
    first = shop.until_asked()
    assert shop.get("apr", first)["spec"]["policyRef"]["name"] == own
    shop.yes(first, "carol")
    second = shop.until_asked(beside=(first,))
    assert shop.get("apr", second)["spec"]["policyRef"]["name"] == gates
    assert shop.sizes() == (5, 1)
    shop.yes(second)
    shop.until_healthy()
    assert [shop.until_done(name)["status"]["phase"] for name in (first, second)] == ["Released", "Released"]


def test_a_gate_that_vanishes_holds_and_goes_on_when_it_is_back(shop: Shop) -> None:
    shop.running()
    policy = shop.promotes()
    gate = shop.gate(policy)
    shop.rollout(image="2")
    request = shop.until_asked()
    shop.cluster.kubectl("delete", f"gate/{gate}")
    shop.until_rollout(lambda body: condition(body, "Stalled") == ("True", "GateNotFound"), "GateNotFound")
    shop.yes(request)
    shop.until_phase(request, "Approved")
    shop.until_rollout(lambda body: condition(body, "Held") == ("True", "GateNotFound"), "held")
    assert shop.image("stable") == "1"
    shop.gate(policy, label=False)
    shop.until_healthy()
    assert shop.image("stable") == "2"


def test_a_gate_that_names_another_policy_has_that_one_asked_too(shop: Shop) -> None:
    shop.running()
    one, other = shop.promotes(), shop.promotes(f"strict-{shop.namespace}", quorum=[{"role": "finance"}])
    shop.gate(one)
    shop.rollout(image="2")
    first = shop.until_asked()
    shop.until_seen(shop.gate(other, label=False))
    assert shop.get("apr", first)["status"]["phase"] == "Pending"
    shop.yes(first)
    second = shop.until_asked(beside=(first,))
    assert shop.get("apr", second)["spec"]["policyRef"]["name"] == other
    assert shop.image("stable") == "1"
    shop.yes(second, "carol")
    shop.until_healthy()
    assert shop.image("stable") == "2"


def test_an_unknown_gate_lets_nothing_run(shop: Shop) -> None:
    shop.gated("no-such-gate")
    shop.rollout()
    held = shop.until_rollout(lambda body: condition(body, "Stalled") == ("True", "GateNotFound"), "GateNotFound")
    assert held["status"]["phase"] == "Held"
    assert shop.all("deploy") == []
    assert shop.requests() == []


def test_a_namespace_that_is_labelled_while_a_canary_is_under_way_asks_from_then_on(shop: Shop) -> None:
    policy = shop.promotes()
    shop.running()
    shop.rollout(image="2", fake="late")
    shop.until_rollout(lambda body: shop.track_pods("canary"), "a canary")
    shop.gate(policy)
    name = shop.track_pods("canary")[0]["metadata"]["name"]
    shop.kubectl("annotate", f"pod/{name}", "example.org/fake=ready")
    request = shop.until_asked()
    assert shop.get("apr", request)["metadata"]["labels"]["gatehold.dev/gate"] == f"gate-{shop.namespace}"
    assert shop.image("stable") == "1"


def test_a_gate_says_whether_people_can_be_asked_there(shop: Shop) -> None:
    name = shop.gate(f"later-{shop.namespace}", label=False)

    def ready() -> tuple[str, str]:
        body = shop.api().get(f"/apis/gatehold.dev/v1alpha1/gates/{name}")
        return condition(body or {}, "Ready")

    wait_until(lambda: ready() == ("False", "PolicyNotFound"), "PolicyNotFound", PATIENCE)
    shop.policy(f"later-{shop.namespace}", effects=["None"])
    wait_until(lambda: ready() == ("False", "EffectNotAllowed"), "EffectNotAllowed", PATIENCE)
    shop.promotes(f"later-{shop.namespace}")
    wait_until(lambda: ready() == ("True", "PolicyFound"), "PolicyFound", PATIENCE)


def test_the_author_may_not_answer(shop: Shop) -> None:
    shop.gate(shop.promotes(quorum=[{"role": "sre"}]))
    shop.kubectl("create", "rolebinding", "alice-edits", "--clusterrole=edit", "--user=alice")
    shop.until_may("alice", "patch", "rollouts")
    shop.rollout(user="alice")
    request = shop.until_asked()
    assert shop.get("apr", request)["spec"]["authors"] == ["alice"]
    said, message = shop.word("alice", request, "approve")
    assert not said
    assert "you changed what this request is about" in message
    shop.yes(request, "bob")
    shop.until_healthy()
    assert last(shop.until_ended("Promoted"))["outcome"] == "Promoted"
