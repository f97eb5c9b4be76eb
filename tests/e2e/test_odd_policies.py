"""ApprovalPolicies of every odd shape: refused where they cannot be meant, and else said in their own status."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from collections.abc import Iterator
from typing import Any, Final

import pytest

from controlplane import wait_until
from tests.e2e.crowd import Crowd, Ear, at_once, policies_path, until_said
from tests.e2e.stage import GROUP, Body, Stage, condition, message
from tests.wall.api import Answer, Call, path

SRE: Final[Body] = {"quorum": [{"role": "sre"}], "effects": ["None", "Release"]}
BACKED: Final[Body] = {"quorum": [{"role": "sre", "backups": ["duty"]}], "effects": ["None"]}
DUTY: Final = [{"role": "duty"}]
ALLOW: Final[Body] = {"onUnknownRequester": "Allow"}


def tiers(*found: Body, **more: Any) -> Body:
    """A policy of one sre with these tiers."""
    return {**SRE, "tiers": list(found), **more}


def asks(name: str, role: str = "sre", count: int = 1, **when: Any) -> Body:
    """A tier that asks people, in all namespaces where nothing else is said."""
    return {"name": name, "when": when or {"effects": ["None", "Release"]}, "quorum": [{"role": role, "count": count}]}


def auto(name: str, **when: Any) -> Body:
    """A tier that decides alone."""
    return {"name": name, "when": when, "autoApprove": True}


REFUSED: Final[dict[str, tuple[Body, str]]] = {
    "effects that name none": ({**SRE, "effects": []}, "spec.effects in body should have at least 1 items"),
    "a tier of an effect that is not listed": (tiers(auto("t", effects=["Drain"])), "spec.tiers: Invalid value: "),
    "a tier of effects where none is listed": (
        {"quorum": SRE["quorum"], "tiers": [asks("t", effects=["Release"])]},
        "(absent: None only) never matches; list one of them in spec.effects",
    ),
    "an escalation at the last second": (
        {**BACKED, "timeoutSeconds": {"max": 60}, "escalation": [{"afterSeconds": 60, "roles": ["duty"]}]},
        "an escalation at or after timeoutSeconds.max never comes",
    ),
    "an escalation at once": ({**BACKED, "escalation": [{"afterSeconds": 0, "roles": ["duty"]}]}, "spec.escalation[0].afterSeconds"),
    "two tiers of one name": (tiers(asks("t"), asks("t", "boss")), "spec.tiers[1]: Duplicate value"),
    "no validity": ({**SRE, "validitySeconds": 0}, "spec.validitySeconds in body should be greater than or equal to 1"),
    "a retention below nothing": ({**SRE, "retentionSeconds": -1}, "spec.retentionSeconds"),
    "a queue for nobody": ({**SRE, "maxPending": 0}, "spec.maxPending"),
    "a price below nothing": (tiers(auto("t", maxPrice="-1")), "spec.tiers[0].when.maxPrice"),
    "a price that is none": (tiers(auto("t", maxPrice="cheap")), "spec.tiers[0].when.maxPrice"),
    "an empty price": (tiers(auto("t", maxPrice="")), "spec.tiers[0].when.maxPrice"),
}  # fmt: skip
"""More of them, and what is structurally wrong in other ways, stand in tests/wall/test_schema.py."""

ODD: Final[dict[str, tuple[Body, str, str]]] = {
    "backup-never-asked": (BACKED, "BackupNeverAsked", "spec.quorum[0].backups: no escalation lets backup duty in"),
    "late-for-most": (
        {**BACKED, "timeoutSeconds": {"default": 60}, "escalation": [{"afterSeconds": 90, "roles": ["duty"]}]},
        "EscalationTooLate", "spec.escalation[0].afterSeconds: it comes only where a request asks for more than the default of 60 s",
    ),
    "late-for-the-operator": (
        {**BACKED, "escalation": [{"afterSeconds": 600, "roles": ["duty"]}]}, "EscalationTooLate", "more than the default of 600 s",
    ),
    "opened-twice": (
        {**BACKED, "escalation": [{"afterSeconds": 5, "roles": ["duty"]}, {"afterSeconds": 9, "roles": ["duty"]}]},
        "EscalationRepeated", "spec.escalation[1].roles: after 9 s nobody is let in",
    ),
    "forgotten-at-once": ({**SRE, "retentionSeconds": 0}, "RetentionTooShort", "spec.retentionSeconds: "),
    "robots-are-too-many": (
        {**SRE, "quorum": [{"role": "sre", "count": 8}]}, "ExtraReviewerDoesNotFit", "spec.onUnknownRequester: requests of robots",
    ),
    "a-price-nobody-knows": (tiers(auto("t", maxPrice="5", effects=["None"])), "TierNeverMatches", "spec.tiers[0].when.maxPrice: tier t never matches"),
    "never-alone": (
        tiers(asks("all"), auto("t", namespaces=["dev"]), **ALLOW), "TierNeverDecides", "spec.tiers[1].autoApprove: tier t never decides alone",
    ),
    "two-of-themselves": (tiers(auto("a", effects=["None"]), auto("b", effects=["None"])), "TierNeverDecides", "tier a never"),
    "not-together": (
        tiers(asks("a", count=6), asks("b", count=2), **ALLOW), "TiersClash", "spec.tiers: requests that match tiers a, b together are held",
    ),
}  # fmt: skip
SOUND: Final[dict[str, Body]] = {
    "the-least": {"quorum": [{"role": "sre"}]},
    "nobody-holds-that-role": {"quorum": [{"role": "the-board"}]},
    "alone-in-one-place": tiers(auto("t", namespaces=["dev", "test"]), asks("prod", namespaces=["prod", "dev"])),
    "more-where-more-is-declared": tiers(
        auto("t", namespaces=["dev"]), {"name": "r", "atLeast": {"risk": 1}, "quorum": DUTY}
    ),
    "backups-in-time": {**BACKED, "timeoutSeconds": {"max": 60}, "escalation": [{"afterSeconds": 59, "roles": ["duty"]}]},
}


def create(stage: Stage, name: str, spec: Body, **query: str) -> Answer:
    """Create a policy, or only try to."""
    body = {"apiVersion": GROUP, "kind": "ApprovalPolicy", "metadata": {"name": name}, "spec": spec}
    return stage.api().send(Call(policies_path(), body, "post"), **query)


@pytest.mark.parametrize(("spec", "text"), REFUSED.values(), ids=REFUSED)
def test_the_api_server_refuses(stage: Stage, spec: Body, text: str) -> None:
    answer = create(stage, "refused", spec, dryRun="All")
    assert not answer.ok
    assert text in answer.message


@pytest.fixture
def judged(stage: Stage) -> Iterator[dict[str, Body]]:
    """All these policies, once the operator has said something of each."""
    found: dict[str, Body] = {}
    specs = {**{name: spec for name, (spec, _, _) in ODD.items()}, **SOUND}
    made = at_once(lambda name: create(stage, f"{stage.namespace}-{name}", specs[name]), specs)
    assert [answer.message for answer in made if not answer.ok] == []

    found.update({name: until_said(stage, f"{stage.namespace}-{name}") for name in specs})
    yield found
    at_once(lambda name: stage.api().send(Call(policies_path(f"{stage.namespace}-{name}"), how="delete")), specs)


def test_what_is_odd_about_a_policy_stands_in_its_status(stage: Stage, judged: dict[str, Body]) -> None:
    ear, crowd = Ear(stage), Crowd.on(stage)
    expected = {name: ("False", reason) for name, (_, reason, _) in ODD.items()}
    expected |= dict.fromkeys(SOUND, ("True", "EveryRuleApplies"))
    assert {name: condition(body, "Consistent") for name, body in judged.items()} == expected
    assert [name for name, (_, _, text) in ODD.items() if text not in message(judged[name], "Consistent")] == []
    assert {condition(body, "Ready") for body in judged.values()} == {("True", "Usable")}
    assert "gatehold doctor says who" in message(judged["nobody-holds-that-role"], "Ready")

    held: dict[str, str] = {}
    for name in judged:
        answer = crowd.ask({"spec": stage.question("q", f"{stage.namespace}-{name}")["spec"]})
        held[answer.body["metadata"]["name"]] = name
    asked = {held[body["metadata"]["name"]]: body for body in crowd.until_looked_at()}
    reasons = {name: condition(body, "Held") for name, body in asked.items()}
    assert reasons.pop("not-together") == ("True", "PolicyNotReady")
    assert set(reasons.values()) == {("True", "AwaitingApproval")}
    assert f"policy {stage.namespace}-not-together: an entry asks for more than 8" in message(asked["not-together"], "Held")
    assert ear.heard() == []


def test_a_robots_request_that_takes_one_reviewer_too_many_is_held_and_says_so(stage: Stage) -> None:
    policy = stage.policy(quorum=[{"role": "sre", "count": 8}], onUnknownRequester=None)
    stage.cluster.user("robot-ci", "pipelines")
    stage.request("of-a-person", policy)
    stage.until_held("of-a-person", "AwaitingApproval")
    stage.request("of-a-robot", policy, user="robot-ci")
    held = stage.until_held("of-a-robot", "PolicyNotReady")
    assert f"policy {policy}: an entry asks for more than 8 people" in message(held, "Held")
    ok, refusal = stage.word("alice", "of-a-robot", "approve")
    assert not ok
    assert "the operator has not prepared this request yet" in refusal


def test_a_policy_that_works_for_no_request_names_the_field(stage: Stage) -> None:
    dear = {"name": "dear", "atLeast": {"cost": "1"}, "quorum": [{"role": "sre", "count": 2}]}
    policy = stage.policy(quorum=[{"role": "sre", "count": 7}], tiers=[dear])
    said = until_said(stage, policy)
    assert condition(said, "Ready") == ("False", "Contradictory")
    assert "spec.tiers[0].quorum, added to spec.quorum by tier dear: an entry asks for more than 8" in message(said, "Ready")
    assert condition(said, "Consistent") == ("", "")
    stage.request("stuck", policy)
    held = stage.until_held("stuck", "PolicyNotReady")
    assert f"policy {policy}: spec.tiers[0].quorum" in message(held, "Held")


@pytest.fixture
def newer_crd(stage: Stage) -> Iterator[None]:
    """The CRD of a later release, which knows an effect that this operator does not."""
    crds = path("apiextensions.k8s.io/v1", "customresourcedefinitions", None, "approvalpolicies.gatehold.dev")
    words = "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/effects/items/enum/4"

    def change(operation: Body, *, taken: bool) -> None:
        stage.api().must(Call(crds, [{**operation, "path": words}], "json"))
        newer = {**SRE, "effects": ["Reboot"]}
        wait_until(lambda: create(stage, "newer", newer, dryRun="All").ok == taken, "the API server has the CRD", 60)

    change({"op": "add", "value": "Reboot"}, taken=True)
    yield
    change({"op": "remove"}, taken=False)


@pytest.mark.usefixtures("newer_crd")
def test_a_policy_that_this_operator_cannot_read_holds_its_requests(stage: Stage) -> None:
    policy = stage.policy(effects=["None", "Reboot"])
    said = until_said(stage, policy)
    assert condition(said, "Ready") == ("False", "Unreadable")
    assert "spec.effects.1: unknown" in message(said, "Ready")
    stage.request("newer", policy)
    held = stage.until_held("newer", "PolicyNotReady")
    assert "spec.effects.1: unknown" in message(held, "Held")
    stage.kubectl("delete", "approvalpolicy", policy)
    stage.until_held("newer", "PolicyNotFound")
