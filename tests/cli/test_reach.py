"""`doctor` on quorums: whether people exist who can meet the policy's own, and the hardest that its tiers make of it."""

from typing import Any

import pytest

from gatehold.api.approval_policy import parse
from gatehold.cli.doctor.findings import Finding, Level
from gatehold.cli.doctor.rbac import Grant, Subject
from gatehold.cli.doctor.reach import reach, rights
from tests.cli.bodies import policy
from tests.cli.grants import ALICE, ARGO, BOB, SRE, Json, grant, rule

ASKS = grant(Subject("User", "ci"), rule("gatehold.dev", "approvalpolicies", "request", "prod"), "shop")


def sre(who: Subject, namespace: str = "shop") -> list[Grant]:
    return grant(who, rule("gatehold.dev", "approvalpolicies/sre", "approve", "prod"), namespace)


def finance(who: Subject, namespace: str = "shop") -> list[Grant]:
    return grant(who, rule("gatehold.dev", "approvalpolicies/finance", "approve", "prod"), namespace)


def reached(held: list[Grant], **spec: Any) -> list[Finding]:
    return reach(parse(policy(**spec)), held)


TWO_SRE = {"quorum": [{"role": "sre", "count": 2}]}
REACH: dict[str, tuple[list[Grant], Json, Level, str]] = {
    "one each": ([*ASKS, *sre(ALICE), *finance(BOB)], {}, Level.OK, "user:alice"),
    "a group may have any number": ([*ASKS, *sre(SRE)], TWO_SRE, Level.OK, "group:sre"),
    "two of two": ([*ASKS, *sre(ALICE), *sre(BOB)], TWO_SRE, Level.OK, "user:bob"),
    "granted everywhere": ([*ASKS, *sre(SRE, "")], TWO_SRE, Level.OK, "group:sre"),
    "a backup counts": ([*ASKS, *sre(ALICE)], {"quorum": [{"role": "boss", "backups": ["sre"]}]}, Level.OK, "user:alice"),
    "nobody holds it": ([*ASKS, *sre(ALICE)], {}, Level.PROBLEM, "nobody holds finance"),
    "too few people": ([*ASKS, *sre(ALICE)], TWO_SRE, Level.PROBLEM, "takes 2 people"),
    "in another namespace": ([*ASKS, *sre(ALICE, "other"), *finance(BOB)], {}, Level.PROBLEM, "nobody holds sre"),
    "one person for two entries": ([*ASKS, *sre(ALICE), *finance(ALICE)], {}, Level.PROBLEM, "share the same few people"),
    "a service account is nobody": ([*ASKS, *sre(ARGO), *finance(BOB)], {}, Level.PROBLEM, "nobody holds sre"),
    "a wildcard is not meant": ([*ASKS, *grant(ALICE, rule("*", "*", "*")), *finance(BOB)], {}, Level.PROBLEM, "holds sre"),
    "asked everywhere, answered in one place": (
        [*grant(BOB, rule("gatehold.dev", "approvalpolicies", "request", "prod")), *sre(SRE), *finance(SRE)],
        {}, Level.PROBLEM, "people are found in shop only",
    ),
    "nobody asks": ([*sre(SRE), *finance(SRE)], {}, Level.NOTICE, "nobody but the operator may ask"),
}  # fmt: skip


@pytest.mark.parametrize(("held", "spec", "level", "part"), REACH.values(), ids=REACH.keys())
def test_whether_a_quorum_can_be_met(held: list[Grant], spec: Json, level: Level, part: str) -> None:
    (finding,) = reached(held, **spec)
    assert finding.level is level
    assert part in finding.text
    assert finding.next or level is Level.OK


DEAR = {"name": "dear", "atLeast": {"cost": "1000"}, "quorum": [{"role": "finance"}]}
HUGE = {"name": "huge", "atLeast": {"risk": 80}, "quorum": [{"role": "sre"}]}
SHOPS = {"name": "shops", "when": {"namespaces": ["shop"]}, "quorum": [{"role": "finance"}]}
JOBS = {"name": "jobs", "when": {"effects": ["Release"]}, "quorum": [{"role": "finance"}]}
AUTO = {"name": "auto", "autoApprove": True}
ONE = {"quorum": [{"role": "sre"}]}
EVERYWHERE = grant(BOB, rule("gatehold.dev", "approvalpolicies", "request", "prod"))
TIERS: dict[str, tuple[list[Grant], list[Json], list[tuple[Level, str]]]] = {
    "a tier that adds a role nobody holds": (
        [*ASKS, *sre(ALICE)], [DEAR],
        [(Level.OK, "in shop: 1 of sre"), (Level.PROBLEM, "in shop, tiers dear cannot be met: nobody holds finance")],
    ),
    "all tiers at once": (
        [*ASKS, *sre(ALICE), *finance(BOB)], [DEAR, HUGE],
        [(Level.OK, "in shop: 1 of sre"), (Level.PROBLEM, "tiers dear, huge cannot be met: sre takes 2 people")],
    ),
    "all tiers can be met": (
        [*ASKS, *sre(SRE), *finance(BOB)], [DEAR, HUGE],
        [(Level.OK, "in shop: 1 of sre"), (Level.OK, "tiers dear, huge: 2 of sre (group:sre), 1 of finance (user:bob)")],
    ),
    "tiers that share the people of the base": (
        [*ASKS, *sre(ALICE), *finance(ALICE)], [DEAR],
        [(Level.OK, "in shop: 1 of sre"), (Level.PROBLEM, "share the same few people")],
    ),
    "a tier that decides alone asks nobody": ([*ASKS, *sre(ALICE)], [AUTO], [(Level.OK, "in shop: 1 of sre")]),
    "a tier of another effect": ([*ASKS, *sre(ALICE)], [JOBS], [(Level.OK, "in shop: 1 of sre")]),
    "a tier of another namespace": (
        [*ASKS, *sre(ALICE)], [{**SHOPS, "when": {"namespaces": ["other"]}}], [(Level.OK, "in shop: 1 of sre")],
    ),
    "a base that cannot be met is said once": ([*ASKS], [DEAR], [(Level.PROBLEM, "cannot be met: nobody holds sre")]),
    "asked everywhere, a tier for one namespace": (
        [*EVERYWHERE, *sre(SRE, "")], [SHOPS],
        [(Level.OK, "where nothing narrower is bound: 1 of sre"), (Level.PROBLEM, "in shop, tiers shops cannot be met")],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("held", "tiers", "expected"), TIERS.values(), ids=TIERS.keys())
def test_whether_the_hardest_question_can_be_met(
    held: list[Grant], tiers: list[Json], expected: list[tuple[Level, str]]
) -> None:
    found = reached(held, **ONE, tiers=tiers)
    assert [finding.level for finding in found] == [level for level, _ in expected]
    assert all(text in finding.text for finding, (_, text) in zip(found, expected, strict=True))


def test_each_effect_has_its_own_hardest_question() -> None:
    changes = {"name": "changes", "when": {"effects": ["None"]}, "quorum": [{"role": "sre"}]}
    found = reached([*ASKS, *sre(SRE), *finance(BOB)], **ONE, tiers=[JOBS, changes], effects=["None", "Release"])
    assert [finding.text.partition(":")[0] for finding in found] == [
        "policy prod in shop", "policy prod in shop, tiers changes", "policy prod in shop, tiers jobs",
    ]  # fmt: skip


def test_rights_name_everybody_and_say_wildcards() -> None:
    held = [*ASKS, *sre(ALICE), *grant(BOB, rule("*", "*", "*"))]
    found = {(right.verb, right.role): [str(g.subject) for g in right.holders] for right in rights(parse(policy()), held)}
    assert found[("request", "")] == ["user:ci", "user:bob"]
    assert found[("approve", "sre")] == ["user:alice", "user:bob"]
    assert found[("override", "")] == ["user:bob"]
