"""What ApprovalPolicies the CRD refuses, and what of a request only the API server can show; the rest: tests/contract."""
# ruff: noqa: E501 (a row is a line, so that rows can be read down)

from typing import Any

import pytest

from tests.wall.api import Call, path
from tests.wall.conftest import Stage
from tests.wall.scene import GROUP, VERDICT, Ask, notes

Body = dict[str, Any]

GOOD: dict[str, Body] = {
    "the least": {"quorum": [{"role": "sre"}]},
    "everything": {
        "quorum": [{"role": "sre", "count": 2, "backups": ["duty"]}, {"role": "finance"}],
        "effects": ["None", "Release"],
        "timeoutSeconds": {"default": 60, "max": 60},
        "validitySeconds": 60,
        "retentionSeconds": 0,
        "escalation": [{"afterSeconds": 10, "roles": ["duty"]}],
        "maxPending": 5,
        "onUnknownRequester": "Refuse",
        "tiers": [
            {
                "name": "small",
                "when": {"effects": ["Release"], "namespaces": ["dev"], "maxPrice": "9.99"},
                "autoApprove": True,
            },
            {"name": "big", "atLeast": {"risk": 80, "cost": "1000"}, "quorum": [{"role": "sre"}, {"role": "cfo"}]},
        ],
    },
    "an escalation of a tier's backup": {
        "quorum": [{"role": "sre"}],
        "escalation": [{"afterSeconds": 10, "roles": ["vice"]}],
        "tiers": [{"name": "big", "when": {"namespaces": ["prod"]}, "quorum": [{"role": "cfo", "backups": ["vice"]}]}],
    },
}
SRE: Body = {"quorum": [{"role": "sre"}]}


def tier(**tier: Any) -> Body:
    return {**SRE, "tiers": [{"name": "t", **tier}]}


BAD: dict[str, tuple[Body, str]] = {
    "no quorum": ({}, "spec.quorum: Required value"),
    "an empty quorum": ({"quorum": []}, "spec.quorum in body should have at least 1 items"),
    "the same role twice": ({"quorum": [{"role": "sre"}, {"role": "sre"}]}, "Duplicate value"),
    "a backup that is another entry's role": ({"quorum": [{"role": "sre", "backups": ["duty"]}, {"role": "duty"}]}, "may stand in one entry only"),
    "a backup in two entries": ({"quorum": [{"role": "a", "backups": ["c"]}, {"role": "b", "backups": ["c"]}]}, "may stand in one entry only"),
    "a role as its own backup": ({"quorum": [{"role": "a", "backups": ["a"]}]}, "may stand in one entry only"),
    "count zero": ({"quorum": [{"role": "a", "count": 0}]}, "greater than or equal to 1"),
    "count nine": ({"quorum": [{"role": "a", "count": 9}]}, "less than or equal to 8"),
    "17 approvals": ({"quorum": [{"role": "a", "count": 8}, {"role": "b", "count": 8}, {"role": "c"}]}, "at most 16 approvals in all"),
    "13 roles": ({"quorum": [{"role": f"a{n}", "backups": [f"b{n}"]} for n in range(6)] + [{"role": "c"}]}, "at most 12 roles and backups"),
    "a role named status": ({"quorum": [{"role": "status"}]}, "status and scale are reserved names"),
    "a role in capitals": ({"quorum": [{"role": "SRE"}]}, "should match"),
    "an effect that does not exist": ({**SRE, "effects": ["Delete"]}, "Unsupported value"),
    "a default beyond the maximum": ({**SRE, "timeoutSeconds": {"default": 2, "max": 1}}, "default is larger than max"),
    "an empty timeout": ({**SRE, "timeoutSeconds": {}}, "should have at least 1 properties"),
    "an escalation to who is no backup": ({**SRE, "escalation": [{"afterSeconds": 1, "roles": ["duty"]}]}, "name each of these roles in backups first"),
    "two escalations at once": (
        {"quorum": [{"role": "a", "backups": ["b"]}], "escalation": [{"afterSeconds": 1, "roles": ["b"]}] * 2},
        "Duplicate value",
    ),
    "a tier that does nothing": (tier(when={"namespaces": ["a"]}), "either autoApprove: true or its own quorum"),
    "a tier that does both": (tier(when={"namespaces": ["a"]}, autoApprove=True, quorum=[{"role": "a"}]), "either autoApprove: true or its own quorum"),
    "a tier that always matches": (tier(autoApprove=True), "say when the tier matches"),
    "a tier with an empty when": (tier(when={}, quorum=[{"role": "a"}]), "should have at least 1 properties"),
    "a tier with an empty atLeast": (tier(atLeast={}, quorum=[{"role": "a"}]), "should have at least 1 properties"),
    "a tier for no namespace": (tier(when={"namespaces": []}, quorum=[{"role": "a"}]), "should have at least 1 items"),
    "what is declared lets it pass alone": (tier(atLeast={"risk": 0}, autoApprove=True), "can make a policy stricter, never looser"),
    "what is declared, beside a fact, lets it pass alone": (
        tier(when={"namespaces": ["a"]}, atLeast={"risk": 0}, autoApprove=True),
        "can make a policy stricter, never looser",
    ),
    "autoApprove false": (tier(when={"namespaces": ["a"]}, autoApprove=False), "Unsupported value"),
    "a tier whose role is a backup of the base": (
        {"quorum": [{"role": "sre", "backups": ["duty"]}], "tiers": [{"name": "t", "when": {"namespaces": ["a"]}, "quorum": [{"role": "duty"}]}]},
        "a tier's roles and backups may not stand in another entry of the quorum",
    ),
    "a price with an exponent": (tier(when={"maxPrice": "1e9"}, autoApprove=True), "should match"),
    "a price as a number": (tier(when={"maxPrice": 5}, autoApprove=True), "must be of type string"),
}  # fmt: skip


def create(stage: Stage, spec: Body, name: str = "tried") -> tuple[bool, str]:
    body = {"apiVersion": GROUP, "kind": "ApprovalPolicy", "metadata": {"name": name}, "spec": spec}
    answer = stage.people["admin"].send(Call(path(GROUP, "approvalpolicies"), body, "post"), dryRun="All")
    return answer.ok, answer.message


@pytest.mark.parametrize("says", GOOD)
def test_a_policy_that_makes_sense(stage: Stage, says: str) -> None:
    assert create(stage, GOOD[says]) == (True, "")


@pytest.mark.parametrize("says", BAD)
def test_a_policy_that_makes_no_sense(stage: Stage, says: str) -> None:
    spec, text = BAD[says]
    ok, message = create(stage, spec)

    assert not ok
    assert text in message


def test_a_policys_name_fits_into_a_label(stage: Stage) -> None:
    assert create(stage, SRE, "a" * 63) == (True, "")
    assert "at most 63 characters" in create(stage, SRE, "a" * 64)[1]


def test_a_quorum_of_more_than_16_approvals_cannot_be_set_up(stage: Stage) -> None:
    scene = stage.scene().request(Ask(state="new"))
    quorum = [{"role": role, "count": count, "acceptedRoles": [role]} for role, count in (("a", 8), ("b", 8), ("c", 1))]

    assert "at most 16 approvals in all" in scene.write_status({"phase": "Pending", "quorum": quorum}).message


def test_a_request_that_is_being_deleted_takes_no_verdicts(stage: Stage) -> None:
    scene = stage.scene().request(Ask())
    operator = stage.people["operator"]
    operator.must(Call(scene.target, {"metadata": {"finalizers": ["gatehold.dev/outcome"]}}))
    operator.must(Call(scene.target, how="delete"))
    value = f"approve|{scene.digest()}|sre|alice||fine"
    answer = stage.people["alice"].send(Call(scene.target, notes({VERDICT + "0": value})))
    taken_off = stage.people["ci"].send(Call(scene.target, {"metadata": {"finalizers": None}}))
    operator.must(Call(scene.target, {"metadata": {"finalizers": None}}))

    assert "this request is being deleted; open a new one" in answer.message
    assert "finalizers and ownerReferences are changed by the operator only" in taken_off.message
