"""An ApprovalPolicy as the API server gives it."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from gatehold.api.approval_policy import parse
from gatehold.api.common import ParseError
from gatehold.api.digest import policy_digest
from gatehold.domain.model import EffectType, EscalationRule, Policy, QuorumEntry, Tier, UnknownRequester
from gatehold.domain.odd_policy import oddities
from gatehold.domain.plan import Rules

META = {"name": "prod", "uid": "p-1", "generation": 4}
LEAST: dict[str, Any] = {"quorum": [{"role": "sre"}]}


def body(**spec: Any) -> dict[str, Any]:
    """A policy with the least that it may have, and what is given."""
    return {"metadata": META, "spec": LEAST | spec}


def test_the_least_that_a_policy_may_say_means_what_is_documented() -> None:
    assert parse(body()) == Policy(
        "prod",
        "p-1",
        4,
        policy_digest(LEAST),
        (QuorumEntry("sre", 1, ()),),
        effects=(EffectType.NONE,),
        on_unknown_requester=UnknownRequester.REQUIRE_EXTRA_REVIEWER,
    )


def test_all_that_a_policy_may_say() -> None:
    spec = {
        "quorum": [{"role": "sre", "count": 2, "backups": ["duty"]}, {"role": "finance"}],
        "effects": ["Release", "Drain", "Promote", "None"],
        "timeoutSeconds": {"default": 60, "max": 600},
        "validitySeconds": 30,
        "retentionSeconds": 0,
        "escalation": [{"afterSeconds": 10, "roles": ["duty"]}],
        "maxPending": 3,
        "onUnknownRequester": "Refuse",
        "tiers": [
            {
                "name": "cheap",
                "when": {"effects": ["Release"], "namespaces": ["dev"], "maxPrice": "0.10"},
                "autoApprove": True,
            },
            {"name": "dear", "atLeast": {"risk": 0, "cost": "100"}, "quorum": [{"role": "boss"}]},
        ],
        "newer": 1,
    }

    assert parse({"metadata": META, "spec": spec}) == Policy(
        name="prod",
        uid="p-1",
        generation=4,
        digest=policy_digest(spec),
        quorum=(QuorumEntry("sre", 2, ("duty",)), QuorumEntry("finance")),
        effects=(EffectType.RELEASE, EffectType.DRAIN, EffectType.PROMOTE, EffectType.NONE),
        timeout_default=60,
        timeout_max=600,
        validity_seconds=30,
        retention_seconds=0,
        escalation=(EscalationRule(10, ("duty",)),),
        max_pending=3,
        on_unknown_requester=UnknownRequester.REFUSE,
        tiers=(
            Tier("cheap", (EffectType.RELEASE,), ("dev",), Decimal("0.10"), auto_approve=True),
            Tier("dear", at_least_risk=0, at_least_cost=Decimal(100), quorum=(QuorumEntry("boss"),)),
        ),
    )


def test_an_unusable_quorum_is_read_and_judged_elsewhere() -> None:
    """The core says what is wrong with it, and holds."""
    assert parse({"metadata": META, "spec": {}}).quorum == ()
    assert parse({"metadata": {"name": "x"}, "spec": {"quorum": []}}).uid == ""


def test_the_digest_is_of_the_spec_alone() -> None:
    renamed = {"metadata": META | {"name": "other", "labels": {"a": "b"}}, "spec": LEAST, "status": {"digest": "x"}}

    assert parse(renamed).digest == parse(body()).digest
    assert parse(body(maxPending=5)).digest != parse(body()).digest


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "metadata: model_type"),
    "no spec": ({"metadata": META}, "spec: model_type"),
    "no name": ({"metadata": {}, "spec": LEAST}, "metadata.name: missing"),
    "an entry without a role": (body(quorum=[{"count": 1}]), "spec.quorum.0.role: missing"),
    "a count in words": (body(quorum=[{"role": "a", "count": "2"}]), "spec.quorum.0.count: int_type"),
    "no count": (body(quorum=[{"role": "a", "count": None}]), "spec.quorum.0.count: int_type"),
    "a quorum that is no list": (body(quorum={"role": "a"}), "spec.quorum: list_type"),
    "an unknown effect": (body(effects=["None", "Explode"]), "^spec.effects.1: unknown"),
    "an unknown effect in a tier": (
        body(tiers=[{"name": "x", "when": {"effects": ["Explode"]}}]),
        "^spec.tiers.0.when.effects.0: unknown",
    ),
    "an unknown word for robots": (body(onUnknownRequester="Maybe"), "spec.onUnknownRequester: unknown"),
    "a price that is a number": (body(tiers=[{"name": "x", "when": {"maxPrice": 1}}]), "when.maxPrice: string_type"),
    "a price that is no price": (
        body(tiers=[{"name": "x", "when": {"maxPrice": "free"}}]),
        "^spec.tiers.0.when.maxPrice: not a",
    ),
    "a cost below nothing": (
        body(tiers=[{"name": "x", "atLeast": {"cost": "-1"}}]),
        "^spec.tiers.0.atLeast.cost: .* non-negative",
    ),
    "yes in words": (body(tiers=[{"name": "x", "autoApprove": "true"}]), "autoApprove: bool_type"),
    "an escalation without a time": (body(escalation=[{"roles": ["duty"]}]), "spec.escalation.0.afterSeconds: missing"),
    "an integer that JSON cannot carry exactly": (body(newer=2**60), "no exact canonical JSON"),
}


@pytest.mark.parametrize(("wire", "text"), BROKEN.values(), ids=BROKEN)
def test_it_is_no_policy_with(wire: dict[str, Any], text: str) -> None:
    with pytest.raises(ParseError, match=text):
        parse(wire)


MANIFESTS = Path(__file__).parents[2] / "manifests"
SHIPPED = [
    body
    for file in sorted(MANIFESTS.rglob("*.yaml"))
    for body in yaml.safe_load_all(file.read_text(encoding="utf-8"))
    if body and body.get("kind") == "ApprovalPolicy"
]


@pytest.mark.parametrize("wire", SHIPPED, ids=lambda wire: wire["metadata"]["name"])
def test_nothing_is_odd_about_the_policies_that_are_shipped(wire: dict[str, Any]) -> None:
    assert oddities(parse(wire), Rules()) == ()
