"""The record of a Rollout on the wire and back."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from hypothesis import given

from gatehold.api.common import ParseError
from gatehold.api.rollout_status import parse_conditions, parse_status, render_status, with_conditions
from gatehold.domain.reasons import ConditionType
from gatehold.domain.rollout.record import (
    Clock,
    Ending,
    LastRun,
    Outcome,
    Override,
    Question,
    Record,
    Rejected,
    RequestRef,
    RolloutPhase,
    Run,
    Stage,
    Target,
    TrackRecord,
    Wanted,
    Weight,
)
from gatehold.domain.status import Condition
from tests.api.rollouts import records
from tests.api.spoiled import spoiled

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE, TWO, THREE = ("sha256:" + digit * 64 for digit in "123")
TARGET = Target(ONE, TWO)
SIGNED = {"templateDigest": ONE, "strategyDigest": TWO}
NOON = "2026-03-01T12:00:00Z"


def on_the_wire(record: Record) -> dict[str, Any]:
    """The status as another process reads it."""
    return {"status": json.loads(json.dumps(render_status(record, "app=web")))}


@given(records)
def test_every_record_reads_back_as_it_was_written(record: Record) -> None:
    assert parse_status(on_the_wire(record)) == record


@pytest.mark.parametrize("body", [{}, {"status": None}, {"status": {}}, {"status": {"observedGeneration": -1}}], ids=str)
def test_a_rollout_that_nobody_has_looked_at(body: dict[str, Any]) -> None:
    assert parse_status(body) == Record()


def test_the_empty_record_says_that_nobody_has_looked() -> None:
    assert render_status(Record()) == {"observedGeneration": -1}


FULL = Record(
    observed_generation=3,
    phase=RolloutPhase.HELD,
    stable=TrackRecord(Wanted(THREE, 5), generation=7, uid="s", images=("web=1",), pods=5, ready=5),
    canary=TrackRecord(
        Wanted(ONE, 1, 2, 3, NOON), write=4, put_back=2, override=Override(TARGET, "1", "ann: INC-1"), pods=1, ready=1
    ),
    run=Run(
        TARGET,
        Stage.UNDOING,
        first=True,
        started_at=NOW,
        step=2,
        step_at=NOW,
        weight=20,
        first_attempt=3,
        questions=(Question("prod", "web-1", TWO, 3, "gate", ("web=2",), "q", passed=True, passed_at=NOW),),
        former=THREE,
        images=("web=2",),
        written=True,
        ending=Ending(Outcome.DENIED, "DeniedByReviewer", "ann: no", reject=False),
    ),
    last_run=LastRun(
        TARGET, Outcome.FAILED, "Late", "too late", NOW, (RequestRef("web-0", "r"),), False, "NotRestored", "look", NOW
    ),
    promoted=Target(THREE, TWO),
    promoted_images=("web=1",),
    rejected=Rejected(TARGET, "Late", "too late", NOW),
    retried="1",
    attempts=3,
    clock=Clock(NOW, NOW),
    weight=Weight(20, 16),
    step="2/5",
    waiting_for="web-1",
    until=NOW,
    figures_at=NOW,
    conditions=(Condition(ConditionType.READY, "False", "AwaitingApproval", "ask", NOW, 3),),
)


def test_names_on_the_wire_are_those_of_the_contract() -> None:
    assert render_status(FULL, "app=web") == {
        "observedGeneration": 3,
        "phase": "Held",
        "step": "2/5",
        "share": "20%",
        "waitingFor": "web-1",
        "until": NOON,
        "ready": "6/6",
        "replicas": 6,
        "selector": "app=web",
        "weight": {"asked": 20, "real": 16},
        "stable": {
            "uid": "s",
            "templateDigest": THREE,
            "imageIDs": ["web=1"],
            "replicas": 5,
            "minReadySeconds": 0,
            "revisionHistoryLimit": 10,
            "write": 1,
            "generation": 7,
            "pods": 5,
            "ready": 5,
        },
        "canary": {
            "templateDigest": ONE,
            "replicas": 1,
            "minReadySeconds": 2,
            "revisionHistoryLimit": 3,
            "restartedAt": NOON,
            "write": 4,
            "putBack": 2,
            "override": {"target": SIGNED, "retry": "1", "message": "ann: INC-1"},
            "pods": 1,
            "ready": 1,
        },
        "run": {
            "target": SIGNED,
            "stage": "Undoing",
            "first": True,
            "startedAt": NOON,
            "step": 2,
            "stepAt": NOON,
            "weight": 20,
            "firstAttempt": 3,
            "questions": [
                {
                    "policy": "prod",
                    "name": "web-1",
                    "uid": "q",
                    "digest": TWO,
                    "attempt": 3,
                    "gate": "gate",
                    "imageIDs": ["web=2"],
                    "passed": True,
                    "passedAt": NOON,
                }
            ],
            "former": THREE,
            "imageIDs": ["web=2"],
            "written": True,
            "ending": {"outcome": "Denied", "reason": "DeniedByReviewer", "message": "ann: no", "reject": False},
        },
        "lastRun": {
            "target": SIGNED,
            "outcome": "Failed",
            "reason": "Late",
            "message": "too late",
            "startedAt": NOON,
            "at": NOON,
            "requests": [{"name": "web-0", "uid": "r"}],
            "rolledBack": False,
            "rolledBackReason": "NotRestored",
            "rolledBackMessage": "look",
        },
        "promoted": {"templateDigest": THREE, "strategyDigest": TWO},
        "promotedImageIDs": ["web=1"],
        "rejected": {"target": SIGNED, "reason": "Late", "message": "too late", "at": NOON},
        "retried": "1",
        "attempts": 3,
        "clock": {"since": NOON, "stoppedAt": NOON},
        "figuresAt": NOON,
        "conditions": [
            {
                "type": "Ready",
                "status": "False",
                "reason": "AwaitingApproval",
                "message": "ask",
                "lastTransitionTime": NOON,
                "observedGeneration": 3,
            }
        ],
    }


def test_columns_follow_the_tracks() -> None:
    nothing = render_status(replace(FULL, canary=None, weight=Weight()))

    assert (nothing["ready"], nothing["replicas"]) == ("5/5", 5)
    assert "share" not in nothing
    assert "weight" not in nothing


GOOD = on_the_wire(FULL)["status"]


broken = partial(spoiled, GOOD)


BROKEN: dict[str, dict[str, Any]] = {
    "a status that is a list": {"status": [1]},
    "an unknown phase": broken("phase", value="Maybe"),
    "a time that is none": broken("until", value="soon"),
    "a time that is a number": broken("figuresAt", value=5),
    "a track without a template": broken("stable", "templateDigest"),
    "a track without a size": broken("canary", "replicas"),
    "an override of nothing": broken("canary", "override", "target"),
    "a run to nowhere": broken("run", "target"),
    "a target without a strategy": broken("run", "target", "strategyDigest"),
    "an unknown stage": broken("run", "stage", value="Dancing"),
    "a question without a digest": broken("run", "questions", 0, "digest"),
    "questions that are a number": broken("run", "questions", value=5),
    "an unknown outcome": broken("run", "ending", "outcome", value="Maybe"),
    "an ending without a reason": broken("run", "ending", "reason"),
    "a last run without a time": broken("lastRun", "at"),
    "a request without a name": broken("lastRun", "requests", 0, "name"),
    "a promotion of half a target": broken("promoted", "templateDigest"),
    "a rejection without a reason": broken("rejected", "reason"),
    "a clock that never began": broken("clock", "since"),
    "a weight that is text": broken("weight", value="20%"),
    "an unknown condition": broken("conditions", 0, "type", value="Sunny"),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_what_the_operator_could_not_have_written_is_not_taken_for_its_record(body: dict[str, Any]) -> None:
    with pytest.raises(ParseError, match="status: "):
        parse_status(body)


def test_the_good_status_of_these_tables_is_good() -> None:
    assert parse_status({"status": GOOD}) == FULL


@pytest.mark.parametrize("body", [body for body in BROKEN.values() if isinstance(body["status"], dict)])
def test_what_cannot_be_read_takes_other_conditions_and_keeps_all_the_rest(body: dict[str, Any]) -> None:
    stalled = Condition(ConditionType.STALLED, "True", "Unreadable", "look", NOW, 4)
    found = with_conditions(body, (*parse_conditions(body), stalled), 4)
    assert [known["type"] for known in found["conditions"]][-2:] in (["Ready", "Stalled"], ["Stalled", "Sunny"])
    assert found == {**body["status"], "conditions": found["conditions"], "observedGeneration": 4}


def test_of_what_nobody_has_looked_at_a_phase_is_said_too() -> None:
    assert with_conditions({}, (), 1) == {"phase": "Pending", "observedGeneration": 1, "conditions": []}
