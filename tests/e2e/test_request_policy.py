"""What a policy does to a request: missing, wrong, contradictory, edited, full; tiers that ask more, or nobody."""

import json

import pytest

from controlplane import wait_until
from tests.e2e.rights import until_allowed
from tests.e2e.stage import Body, Stage, condition, failure, message


def test_a_request_under_a_missing_policy_waits_for_it(stage: Stage) -> None:
    name = f"later-{stage.namespace}"
    stage.request("early", name)
    held = stage.until_held("early", "PolicyNotFound")
    assert held["status"]["phase"] == "Pending"
    assert "requestDigest" not in held["status"]
    assert "deadline" in held["status"]

    stage.policy(name, quorum=[{"role": "sre"}])
    asked = stage.until_prepared("early")
    assert condition(asked, "Held") == ("True", "AwaitingApproval")
    stage.say("alice", "early", "approve")
    assert stage.until_done("early")["status"]["phase"] == "Approved"


def test_a_request_under_a_missing_policy_can_be_withdrawn(stage: Stage) -> None:
    stage.request("typo", f"no-such-{stage.namespace}")
    stage.until_held("typo", "PolicyNotFound")
    stage.say("ci", "typo", "withdraw", "the policy's name was wrong")
    done = stage.until_done("typo")
    assert (done["status"]["phase"], failure(done)) == ("Withdrawn", "WithdrawnByRequester")


def test_a_request_under_another_policy_than_the_jobs_fails(stage: Stage) -> None:
    strict = stage.policy(f"strict-{stage.namespace}")
    lax = stage.policy(f"lax-{stage.namespace}", quorum=[{"role": "sre"}])
    job = stage.job("held-strictly", strict)
    stage.request("the-easy-way", lax, job=job)
    done = stage.until_done("the-easy-way")
    assert (done["status"]["phase"], failure(done)) == ("Failed", "PolicyMismatch")
    assert strict in done["status"]["decision"]["message"]


def test_an_edit_of_the_policy_does_not_move_a_running_request(stage: Stage) -> None:
    policy = stage.policy()
    stage.request("before", policy)
    asked = stage.until_prepared("before")
    stage.policy(policy, quorum=[{"role": "sre"}])
    until_seen(stage, policy)
    stage.request("after", policy)
    later = stage.until_prepared("after")
    assert later["status"]["quorum"][0]["count"] == 1
    assert later["status"]["policy"]["digest"] != asked["status"]["policy"]["digest"]
    for name in ("before", "after"):
        stage.say("alice", name, "approve")
    assert stage.until_done("after")["status"]["phase"] == "Approved"

    still = stage.until("before", lambda body: body["status"]["approvals"] == "1/2", "1/2")
    assert still["status"]["phase"] == "Pending"
    assert still["status"]["requestDigest"] == asked["status"]["requestDigest"]
    stage.say("bob", "before", "approve")
    assert stage.until_done("before")["status"]["phase"] == "Approved"


def test_a_contradictory_policy_says_so_and_holds_its_requests_until_it_is_mended(stage: Stage) -> None:
    more = {"name": "dear", "atLeast": {"cost": "100"}, "quorum": [{"role": "sre", "count": 1}]}
    policy = stage.policy(quorum=[{"role": "sre", "count": 8}], tiers=[more])
    stage.request("stuck", policy)
    held = stage.until_held("stuck", "PolicyNotReady")
    assert "more than 8 people" in message(held, "Held")
    until_seen(stage, policy)
    assert condition(policy_of(stage, policy), "Ready") == ("False", "Contradictory")

    stage.policy(policy, quorum=[{"role": "sre"}], tiers=[more])
    stage.until_prepared("stuck")
    until_seen(stage, policy)
    assert condition(policy_of(stage, policy), "Ready") == ("True", "Usable")


def policy_of(stage: Stage, name: str) -> Body:
    """The policy as it stands."""
    body: Body = json.loads(stage.kubectl("get", "approvalpolicy", name, "-o", "json"))
    return body


def until_seen(stage: Stage, policy: str) -> None:
    """Wait until the operator has looked at the policy as it is now: policies and requests come by different watches."""

    def seen() -> bool:
        body = policy_of(stage, policy)
        return bool(body["status"]["observedGeneration"] == body["metadata"]["generation"])

    wait_until(seen, f"policy {policy} is seen", 60)


def test_an_effect_that_the_policy_does_not_list_fails(stage: Stage) -> None:
    policy = stage.policy(effects=["None"])
    job = stage.job("unlisted", policy)
    stage.request("unlisted-1", policy, job=job)
    done = stage.until_done("unlisted-1")
    assert (done["status"]["phase"], failure(done)) == ("Failed", "EffectNotAllowed")
    assert stage.get("job", "unlisted")["spec"]["suspend"] is True


def test_beyond_the_policys_cap_a_request_fails_and_room_is_made_by_ends(stage: Stage) -> None:
    policy = stage.policy(maxPending=2)
    for name in ("one", "two"):
        stage.request(name, policy)
        stage.until_prepared(name)
    stage.request("three", policy)
    done = stage.until_done("three")
    assert (done["status"]["phase"], failure(done)) == ("Failed", "TooManyPending")
    for name in ("one", "two"):
        assert stage.get("apr", name)["status"]["phase"] == "Pending"

    stage.say("ci", "one", "withdraw", "making room")
    stage.until_done("one")
    stage.request("four", policy)
    assert stage.until_prepared("four")["status"]["phase"] == "Pending"


def test_one_person_cannot_fill_the_queue_of_a_namespace(stage: Stage) -> None:
    policy = stage.policy()
    stage.cluster.user("hasty", "pipelines")
    for number in range(61):  # the operator of these tests allows 60
        stage.post(stage.question(f"n{number}", policy), user="hasty")

    def settled() -> bool:
        return all("phase" in body["status"] for body in stage.all("apr"))

    wait_until(settled, "the operator has looked at all of them", 120)
    failed = [body for body in stage.all("apr") if body["status"]["phase"] == "Failed"]
    assert [failure(body) for body in failed] == ["TooManyPending"]
    stage.request("of-ci", policy)
    assert stage.until_prepared("of-ci")["status"]["phase"] == "Pending"


def automatic(stage: Stage) -> str:
    """A policy whose tier decides alone in this namespace, and of which people would be two."""
    tier = {"name": "small", "when": {"namespaces": [stage.namespace]}, "autoApprove": True}
    return stage.policy(f"auto-{stage.namespace}", tiers=[tier])


def grant(stage: Stage, policy: str) -> None:
    """What the platform gives the operator, so that the tier may decide."""
    right = ("--verb=auto-approve", "--resource=approvalpolicies.gatehold.dev", f"--resource-name={policy}")
    stage.kubectl("create", "role", "auto", *right)
    stage.kubectl("create", "rolebinding", "auto", "--role=auto", "--serviceaccount=gatehold-system:gatehold")
    right_there = {"verb": "auto-approve", "group": "gatehold.dev", "resource": "approvalpolicies", "name": policy}
    until_allowed(stage.api(), "system:serviceaccount:gatehold-system:gatehold", namespace=stage.namespace, **right_there)


def test_an_automatic_tier_without_the_grant_asks_people(stage: Stage) -> None:
    policy = automatic(stage)
    job = stage.job("ungranted", policy)
    stage.request("ungranted-1", policy, job=job)
    asked = stage.until_prepared("ungranted-1")
    assert asked["status"]["approvals"] == "0/2"
    assert asked["status"]["phase"] == "Pending"
    until_seen(stage, policy)
    assert condition(policy_of(stage, policy), "AutoApproveGranted") == ("False", "NotGranted")


def test_an_automatic_tier_with_the_grant_lets_it_pass_and_is_named(stage: Stage) -> None:
    policy = f"auto-{stage.namespace}"
    grant(stage, policy)
    automatic(stage)
    until_seen(stage, policy)
    job = stage.job("granted", policy)
    stage.request("granted-1", policy, job=job)
    done = stage.until_done("granted-1")
    assert done["status"]["phase"] == "Released"
    decision = done["status"]["decision"]
    assert (decision["by"], decision["tier"], decision["reason"]) == ("Policy", "small", "PolicyTier")
    assert "quorum" not in done["status"]
    until_seen(stage, policy)
    assert condition(policy_of(stage, policy), "AutoApproveGranted") == ("True", "Granted")


@pytest.mark.parametrize(
    ("declared", "quorum"),
    [
        ({}, [("sre", 1)]),
        ({"risk": {"score": 79}}, [("sre", 1)]),
        ({"risk": {"score": 80}}, [("sre", 2)]),
        ({"cost": {"amount": "1000.5", "currency": "EUR"}}, [("sre", 1), ("finance", 1)]),
        ({"options": [{"name": "dear", "cost": {"amount": "1000"}}, {"name": "cheap"}]}, [("sre", 1), ("finance", 1)]),
        ({"risk": {"score": 100}, "cost": {"amount": "9999"}}, [("sre", 2), ("finance", 1)]),
    ],
    ids=["nothing", "little-risk", "risky", "dear", "dear-option", "both"],
)
def test_what_is_declared_adds_reviewers(stage: Stage, declared: Body, quorum: list[tuple[str, int]]) -> None:
    policy = stage.policy(
        quorum=[{"role": "sre"}],
        tiers=[
            {"name": "risky", "atLeast": {"risk": 80}, "quorum": [{"role": "sre"}]},
            {"name": "dear", "atLeast": {"cost": "1000"}, "quorum": [{"role": "finance"}]},
        ],
    )
    stage.request("declares", policy, **declared)
    asked = stage.until_prepared("declares")
    assert [(entry["role"], entry["count"]) for entry in asked["status"]["quorum"]] == quorum
