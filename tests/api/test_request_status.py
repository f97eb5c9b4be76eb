"""The operator's record on the wire and back."""

import json
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings

from gatehold.api.common import ParseError
from gatehold.api.request_status import parse_status, render_resolved, render_status
from gatehold.domain.decide import decide
from gatehold.domain.model import EffectType
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Observed
from gatehold.domain.status import (
    EffectState,
    EffectStatus,
    EscalationStep,
    NodeDrain,
    NodeState,
    Price,
    Progress,
    Resolved,
    ResolvedDrain,
    ResolvedNode,
    Status,
)
from tests.api.spoiled import spoiled
from tests.builders import (
    DIGEST,
    NOW,
    after,
    approve,
    approved,
    effect,
    ended,
    pending,
    recorded,
    resolved,
    undo_status,
)
from tests.domain.strategies import any_statuses, instants, observeds


def on_the_wire(status: Status) -> dict[str, Any]:
    """The status as another process reads it."""
    return {"status": json.loads(json.dumps(render_status(status)))}


@given(any_statuses)
def test_every_status_reads_back_as_it_was_written(status: Status) -> None:
    assert parse_status(on_the_wire(status)) == status


@settings(max_examples=settings.default.max_examples // 2)
@given(observeds(), instants)
def test_what_is_decided_reads_back_as_it_was_written(seen: Observed, now: Any) -> None:
    status = decide(seen, now).status

    assert parse_status(on_the_wire(status)) == status


@pytest.mark.parametrize("body", [{}, {"status": None}, {"status": {}}, {"status": {"observedGeneration": -1}}], ids=str)
def test_a_request_that_nobody_has_looked_at(body: dict[str, Any]) -> None:
    assert parse_status(body) == Status()


def test_the_empty_status_says_that_nobody_has_looked() -> None:
    assert render_status(Status()) == {"observedGeneration": -1}


def test_names_on_the_wire_are_those_of_the_contract() -> None:
    undo = undo_status(EffectState.RUNNING, finished_at=NOW, message="undo Job undo completed")
    record = effect(EffectState.UNDOING, progress=Progress(NOW, 1, 2, 3), finished_at=NOW, message="m", undo=undo)
    status = ended(
        effect=record,
        escalations=(EscalationStep(60, after(60), ("duty",), opened_at=after(61)),),
        verdicts=(recorded(approve(3, option="fast"), reason="Late"),),
        resolved=replace(resolved(), price=Price(Decimal("1.50"), "EUR", "day"), image_ids=("app=web@sha256:1",)),
        conditions=(),
    )

    job = {"name": "migrate", "uid": "job-uid", "digest": "sha256:" + "1" * 64}
    ref = {"apiVersion": "batch/v1", "kind": "Job"}
    assert render_status(status) == {
        "observedGeneration": 1,
        "phase": "Denied",
        "requestDigest": DIGEST,
        "policy": {
            "name": "prod",
            "uid": "policy-uid",
            "generation": 4,
            "digest": "sha256:" + "b" * 64,
            "validitySeconds": 900,
            "retentionSeconds": 86400,
        },
        "quorum": [{"role": "sre", "count": 1, "backups": ["duty"], "acceptedRoles": ["sre"]}],
        "resolved": {
            "job": job | {"images": ["img:1"], "commands": ["run"], "serviceAccountName": "default"},
            "undo": {"name": "undo", "uid": "undo-uid", "digest": "sha256:" + "2" * 64},
            "price": {"amount": "1.50", "currency": "EUR", "period": "day"},
            "imageIDs": ["app=web@sha256:1"],
        },
        "approvals": "1/1",
        "preparedAt": "2026-03-01T11:59:00Z",
        "deadline": "2026-03-01T12:59:00Z",
        "validUntil": "2026-03-01T12:14:20Z",
        "verdicts": [
            {
                "id": 3,
                "verdict": "approve",
                "digest": DIGEST,
                "role": "sre",
                "username": "alice",
                "option": "fast",
                "comment": "because of the graph",
                "observedAt": "2026-03-01T11:59:59Z",
                "counted": False,
                "reason": "Late",
            }
        ],
        "decision": {
            "outcome": "Denied",
            "by": "People",
            "at": "2026-03-01T11:59:55Z",
            "reason": "DeniedByReviewer",
            "message": "bob: no",
        },
        "effect": {
            "type": "Release",
            "state": "Undoing",
            "object": ref | {"name": "migrate", "uid": "job-uid", "resourceVersion": "10"},
            "prior": {"suspend": True},
            "startedAt": "2026-03-01T11:59:30Z",
            "finishedAt": "2026-03-01T12:00:00Z",
            "progress": {"at": "2026-03-01T12:00:00Z", "active": 1, "succeeded": 2, "failed": 3},
            "message": "m",
            "undo": {
                "state": "Running",
                "object": ref | {"name": "undo", "uid": "undo-uid", "resourceVersion": "20"},
                "startedAt": "2026-03-01T11:59:40Z",
                "finishedAt": "2026-03-01T12:00:00Z",
                "message": "undo Job undo completed",
            },
        },
        "escalations": [
            {"afterSeconds": 60, "at": "2026-03-01T12:01:00Z", "roles": ["duty"], "openedAt": "2026-03-01T12:01:01Z"}
        ],
    }


def test_names_of_a_drain_on_the_wire() -> None:
    nodes = (
        NodeDrain("n2", "u2", NodeState.DRAINING, True, ("spot=:NoSchedule",), 9, 0, "budget shop/web", NOW, "m"),
        NodeDrain("n1", "u1"),
    )
    drain = ResolvedDrain(9, 2, ("Deployment shop/web: 9 pods",), ("shop/web: 1",), ("pod shop/x",))
    read = Resolved(nodes=(ResolvedNode("n2", "u2", "gpu", cordoned=True), ResolvedNode("n1", "u1")), drain=drain)
    record = EffectStatus(EffectType.DRAIN, EffectState.RUNNING, nodes=nodes, cooldown_until=NOW)
    wire = render_status(Status(resolved=read, effect=record))

    assert wire["resolved"] == {
        "nodes": [
            {"name": "n2", "uid": "u2", "gate": "gpu", "cordoned": True},
            {"name": "n1", "uid": "u1", "cordoned": False},
        ],
        "drain": {
            "pods": 9,
            "skipped": 2,
            "owners": ["Deployment shop/web: 9 pods"],
            "budgets": ["shop/web: 1"],
            "losses": ["pod shop/x"],
        },
    }
    assert wire["effect"] == {
        "type": "Drain",
        "state": "Running",
        "nodes": [
            {
                "name": "n2",
                "uid": "u2",
                "state": "Draining",
                "wasUnschedulable": True,
                "taints": ["spot=:NoSchedule"],
                "pods": 9,
                "podsLeft": 0,
                "blockedBy": "budget shop/web",
                "blockedSince": "2026-03-01T12:00:00Z",
                "message": "m",
            },
            {"name": "n1", "uid": "u1", "state": "Waiting", "wasUnschedulable": False},
        ],
        "cooldownUntil": "2026-03-01T12:00:00Z",
    }


def test_a_condition_on_the_wire() -> None:
    ready = next(c for c in render_status(approved())["conditions"] if c["type"] == "Ready")

    assert ready == {
        "type": "Ready",
        "status": "False",
        "reason": "EffectRunning",
        "message": "approved, the effect is being carried out",
        "lastTransitionTime": "2026-03-01T11:59:20Z",
        "observedGeneration": 1,
    }


def test_a_verdict_without_a_word_about_counting_counts() -> None:
    wire = on_the_wire(pending(verdicts=(recorded(approve()),)))
    del wire["status"]["verdicts"][0]["counted"]

    assert parse_status(wire).verdicts == (recorded(approve()),)


def test_nothing_read_is_an_empty_object_in_the_digest() -> None:
    assert render_resolved(None) == render_resolved(Resolved()) == {}


def test_a_price_of_a_newer_version_without_an_amount_is_no_price() -> None:
    wire = {"status": {"resolved": {"price": {"amount": None}}}}

    assert parse_status(wire).resolved == Resolved()


GOOD = on_the_wire(
    ended(
        effect=effect(EffectState.UNDOING, progress=Progress(NOW), undo=undo_status(), nodes=(NodeDrain("n1", "u1"),)),
        escalations=(EscalationStep(60, after(60), ("duty",)),),
        resolved=replace(
            resolved(),
            price=Price(Decimal(1)),
            image_ids=("app=web@sha256:1",),
            nodes=(ResolvedNode("n1", "u1"),),
            drain=ResolvedDrain(),
        ),
    )
)["status"]


broken = partial(spoiled, GOOD)


BROKEN: dict[str, dict[str, Any]] = {
    "a status that is a list": {"status": [1]},
    "a status that is text": {"status": "Pending"},
    "an unknown phase": broken("phase", value="Maybe"),
    "a phase that is a list": broken("phase", value=["Pending"]),
    "a time that is none": broken("deadline", value="soon"),
    "a time that is a number": broken("deadline", value=5),
    "a time before the calendar": broken("preparedAt", value="0001-01-01T00:00:00+14:00"),
    "an unknown word": broken("verdicts", 0, "verdict", value="allow"),
    "a verdict without a name": broken("verdicts", 0, "username"),
    "a verdict without a time": broken("verdicts", 0, "observedAt"),
    "verdicts that are a number": broken("verdicts", value=5),
    "a quorum without roles": broken("quorum", 0, "acceptedRoles"),
    "a policy without a validity": broken("policy", "validitySeconds"),
    "a decision by somebody else": broken("decision", "by", value="Dog"),
    "a decision without an outcome": broken("decision", "outcome"),
    "an effect of an unknown kind": broken("effect", "type", value="Explode"),
    "an effect in an unknown state": broken("effect", "state", value="Exploded"),
    "an object without uid": broken("effect", "object", "uid"),
    "an undo in an unknown state": broken("effect", "undo", "state", value="Exploded"),
    "figures without a time": broken("effect", "progress", "at"),
    "a Job without a digest": broken("resolved", "job", "digest"),
    "a price that is none": broken("resolved", "price", "amount", value="lots"),
    "image ids that are a number": broken("resolved", "imageIDs", value=5),
    "a drain of nodes without uid": broken("resolved", "nodes", 0, "uid"),
    "a drain of nodes that are one": broken("resolved", "nodes", value={"name": "n1"}),
    "a drain of who knows how many pods": broken("resolved", "drain", "pods"),
    "a drain of what is a number": broken("resolved", "drain", "owners", value=5),
    "a node without uid": broken("effect", "nodes", 0, "uid"),
    "a node in an unknown state": broken("effect", "nodes", 0, "state", value="Exploded"),
    "a node in no state": broken("effect", "nodes", 0, "state"),
    "a node blocked since some time": broken("effect", "nodes", 0, "blockedSince", value="soon"),
    "taints that are a number": broken("effect", "nodes", 0, "taints", value=5),
    "nodes that are text": broken("effect", "nodes", value="n1"),
    "a time to cool down that is none": broken("effect", "cooldownUntil", value="soon"),
    "an escalation without roles": broken("escalations", 0, "roles"),
    "an unknown condition": broken("conditions", 0, "type", value="Sunny"),
    "a condition that is text": broken("conditions", 0, value="Ready"),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_what_the_operator_could_not_have_written_is_not_taken_for_its_record(body: dict[str, Any]) -> None:
    with pytest.raises(ParseError, match="status: "):
        parse_status(body)


def test_the_good_status_of_these_tables_is_good() -> None:
    assert parse_status({"status": GOOD}).phase is Phase.DENIED


def test_an_undo_without_an_object_is_none() -> None:
    found = parse_status(broken("effect", "undo", "object")).effect

    assert found is not None
    assert found.undo is None
