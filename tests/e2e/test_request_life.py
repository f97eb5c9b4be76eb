"""Who decides a request: quorums of two roles, vetoes, options, requesters of every kind, words that do not count."""

import pytest

from controlplane import KubectlError
from tests.e2e.gaps import gap, removed
from tests.e2e.rights import until_allowed
from tests.e2e.stage import Stage, condition, failure, message
from tests.wall.api import Api, Call


def test_a_quorum_of_two_roles_is_met_only_by_people_of_both(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre", "count": 2}, {"role": "finance"}])
    stage.request("both", policy)
    asked = stage.until_prepared("both")
    assert asked["status"]["approvals"] == "0/3"
    assert [entry["acceptedRoles"] for entry in asked["status"]["quorum"]] == [["sre"], ["finance"]]

    stage.say("alice", "both", "approve")
    stage.say("bob", "both", "approve")
    twice = stage.until("both", lambda body: body["status"]["approvals"] == "2/3", "2/3")
    assert twice["status"]["phase"] == "Pending"
    assert "1 of finance" in message(twice, "Held")
    stage.say("carol", "both", "approve", "it is in the budget")

    done = stage.until_done("both")
    assert done["status"]["phase"] == "Approved"
    assert done["status"]["approvals"] == "3/3"
    assert [v["role"] for v in done["status"]["verdicts"]] == ["sre", "sre", "finance"]
    assert done["status"]["decision"]["by"] == "People"


def test_a_veto_beats_all_approvals_so_far(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre", "count": 2}, {"role": "finance"}])
    job = stage.job("spend", policy)
    stage.request("spend-1", policy, job=job)
    stage.until_prepared("spend-1")
    stage.say("alice", "spend-1", "approve")
    stage.say("bob", "spend-1", "approve")
    stage.say("carol", "spend-1", "deny", "not this quarter")

    done = stage.until_done("spend-1")
    assert done["status"]["phase"] == "Denied"
    assert failure(done) == "DeniedByReviewer"
    assert "carol: not this quarter" in done["status"]["decision"]["message"]
    assert stage.pods_of(job) == []


def test_a_reviewer_denies_after_their_own_approval_and_it_counts(stage: Stage) -> None:
    policy = stage.policy()
    stage.request("second-thoughts", policy)
    stage.until_prepared("second-thoughts")
    stage.say("alice", "second-thoughts", "approve")
    stage.say("alice", "second-thoughts", "deny", "I looked again")

    assert stage.until_done("second-thoughts")["status"]["phase"] == "Denied"


def test_the_first_approval_fixes_the_option_and_others_are_refused(stage: Stage) -> None:
    policy = stage.policy()
    stage.request("pick", policy, options=[{"name": "fast"}, {"name": "cheap"}])
    stage.until_prepared("pick")
    with pytest.raises(KubectlError, match=r"pick one of the options with gatehold.dev/option=NAME: fast, cheap"):
        stage.say("alice", "pick", "approve")
    stage.say("alice", "pick", "approve", option="cheap")
    with pytest.raises(KubectlError, match="cheap"):
        stage.say("bob", "pick", "approve", option="fast")
    stage.say("bob", "pick", "approve", option="cheap")

    done = stage.until_done("pick")
    assert done["status"]["phase"] == "Approved"
    assert done["status"]["decision"]["option"] == "cheap"


def test_those_it_is_opened_for_may_not_approve_but_may_deny(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    stage.request("for-alice", policy, onBehalfOf=["alice"])
    stage.until_prepared("for-alice")
    with pytest.raises(KubectlError, match="opened on your behalf, so somebody else has to approve it"):
        stage.say("alice", "for-alice", "approve")
    stage.say("alice", "for-alice", "deny", "I did not ask for that")

    assert stage.until_done("for-alice")["status"]["phase"] == "Denied"


def test_the_requester_does_not_decide_their_own_request(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}])
    stage.kubectl("create", "rolebinding", "alice-asks", "--role=gatehold-asks", "--user=alice")
    stage.kubectl("create", "rolebinding", "alice-edits", "--clusterrole=edit", "--user=alice")
    until_asks(stage, "alice")
    stage.request("own", policy, user="alice")
    stage.until_prepared("own")
    for word in ("approve", "deny"):
        with pytest.raises(KubectlError, match="you opened this request, so somebody else has to decide it"):
            stage.say("alice", "own", word)
    stage.say("bob", "own", "approve")

    done = stage.until_done("own")
    assert done["status"]["phase"] == "Approved"
    assert done["spec"]["requester"]["username"] == "alice"


def robot(stage: Stage) -> Api:
    """The connection of a service account that may open requests."""
    stage.kubectl("create", "serviceaccount", "robot")
    stage.kubectl("create", "rolebinding", "robot-asks", "--role=gatehold-asks", f"--serviceaccount={stage.namespace}:robot")
    stage.kubectl("create", "rolebinding", "robot-edits", "--clusterrole=edit", f"--serviceaccount={stage.namespace}:robot")
    until_asks(stage, f"system:serviceaccount:{stage.namespace}:robot")
    return stage.api().with_token(stage.kubectl("create", "token", "robot").strip())


def until_asks(stage: Stage, user: str) -> None:
    """Wait until what a person or an account was just given is in force."""
    where = {"namespace": stage.namespace, "group": "gatehold.dev"}
    until_allowed(stage.api(), user, verb="request", resource="approvalpolicies", **where)
    until_allowed(stage.api(), user, verb="create", resource="approvalrequests", **where)


def test_a_service_account_that_asks_needs_one_reviewer_more(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}, {"role": "finance"}], onUnknownRequester="RequireExtraReviewer")
    robot(stage).must(Call(stage.path("apr"), stage.question("by-robot", policy), "post"))
    asked = stage.until_prepared("by-robot")
    assert [(entry["role"], entry["count"]) for entry in asked["status"]["quorum"]] == [("sre", 2), ("finance", 1)]
    stage.say("alice", "by-robot", "approve")
    stage.say("carol", "by-robot", "approve")
    assert stage.until("by-robot", lambda b: b["status"]["approvals"] == "2/3", "2/3")["status"]["phase"] == "Pending"
    stage.say("bob", "by-robot", "approve")
    assert stage.until_done("by-robot")["status"]["phase"] == "Approved"


def test_a_configured_robot_user_needs_one_reviewer_more_also_where_the_policy_says_nothing(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre"}], onUnknownRequester=None)
    stage.cluster.user("robot-ci", "pipelines")
    stage.request("by-user", policy, user="robot-ci")
    stage.request("by-ci", policy, user="ci")
    assert stage.until_prepared("by-user")["status"]["quorum"][0]["count"] == 2
    assert stage.until_prepared("by-ci")["status"]["quorum"][0]["count"] == 1


def test_a_policy_may_refuse_or_allow_robots(stage: Stage) -> None:
    refusing = stage.policy(f"refuses-{stage.namespace}", quorum=[{"role": "sre"}], onUnknownRequester="Refuse")
    allowing = stage.policy(f"allows-{stage.namespace}", quorum=[{"role": "sre"}], onUnknownRequester="Allow")
    account = robot(stage)
    for name, policy in (("refused", refusing), ("allowed", allowing)):
        account.must(Call(stage.path("apr"), stage.question(name, policy), "post"))
    done = stage.until_done("refused")
    assert (done["status"]["phase"], failure(done)) == ("Failed", "RequesterUnknown")
    assert stage.until_prepared("allowed")["status"]["quorum"][0]["count"] == 1


def test_an_override_lets_a_question_without_effect_pass(stage: Stage) -> None:
    policy = stage.policy()
    stage.request("glass", policy)
    stage.until_prepared("glass")
    stage.say("dana", "glass", "override", "INC-1: nobody can be reached")

    done = stage.until_done("glass")
    assert (done["status"]["phase"], done["status"]["decision"]["by"]) == ("Approved", "Override")
    assert condition(done, "Overridden")[0] == "True"
    stage.until_told("glass", "Overridden")
    assert ("Overridden", "Warning") in stage.events("glass")


def test_an_annotation_that_vanished_in_a_gap_of_the_wall_is_no_withdrawal(stage: Stage) -> None:
    policy = stage.policy()
    stage.request("vanish", policy)
    stage.until_prepared("vanish")
    stage.say("alice", "vanish", "approve")
    stage.until("vanish", lambda body: body["status"]["approvals"] == "1/2", "1/2")
    with gap(stage, "ValidatingAdmissionPolicy", "gatehold-requests", removed):
        stage.until_unguarded("vanish")
        stage.kubectl("annotate", "apr/vanish", "verdict.gatehold.dev/0-")
        assert "verdict.gatehold.dev/0" not in stage.get("apr", "vanish")["metadata"]["annotations"]
    still = stage.get("apr", "vanish")
    assert (still["status"]["phase"], still["status"]["approvals"]) == ("Pending", "1/2")
    with pytest.raises(KubectlError, match=r"you have already decided this request \(approve\)"):
        stage.say("alice", "vanish", "approve")
    stage.say("bob", "vanish", "approve")

    done = stage.until_done("vanish")
    assert done["status"]["phase"] == "Approved"
    assert [(v["id"], v["username"]) for v in done["status"]["verdicts"]] == [(0, "alice"), (1, "bob")]
