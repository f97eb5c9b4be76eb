"""Conditions: what kubectl wait, Flux and Argo CD read; a flip is dated once, and nothing flaps."""

from dataclasses import replace
from typing import Any

import pytest

from gatehold.domain.conditions import RolledBack, with_conditions
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Finding
from gatehold.domain.reasons import ConditionType, Reason
from gatehold.domain.status import By, Decision, EffectState, Status
from tests.builders import NOW, after, approved, ended, entry, pending, recorded, why
from tests.builders import approve as said

NOTHING = RolledBack(True, Finding(Reason.NOTHING_TO_UNDO, "nothing"))
FAILED = RolledBack(False, Finding(Reason.UNDO_FAILED, "it failed"))
STUCK = RolledBack(None, Finding(Reason.PODS_REMAIN, "its pods stay"), stalled=True)
ALONE = replace(approved(), effect=None)
RELEASED = replace(approved(EffectState.DONE), phase=Phase.RELEASED)
ORDER = ("Ready", "Reconciling", "Stalled", "Held", "Approved", "RolledBack")

ROWS: dict[str, tuple[Status, Finding | None, RolledBack | None, tuple[str, ...]]] = {
    "it waits": (pending(), None, None, ("False", "True", "False", "True", "False", "")),
    "approved, the effect runs": (approved(), None, None, ("False", "True", "False", "False", "True", "")),
    "approved, and held for the wall": (
        approved(),
        Finding(Reason.WALL_NOT_PROVEN, "not proven"),
        None,
        ("False", "True", "False", "True", "True", ""),
    ),
    "approved, without an effect": (ALONE, None, None, ("True", "False", "False", "False", "True", "")),
    "released": (RELEASED, None, None, ("True", "False", "False", "False", "True", "")),
    "denied, being undone": (ended(), None, None, ("False", "True", "False", "False", "False", "False")),
    "denied, and the undo is stuck": (ended(), None, STUCK, ("False", "False", "True", "False", "False", "False")),
    "denied, nothing was done": (ended(), None, NOTHING, ("False", "False", "True", "False", "False", "True")),
    "denied, the undo failed": (ended(), None, FAILED, ("False", "False", "True", "False", "False", "False")),
    "expired": (ended(Phase.EXPIRED), None, NOTHING, ("False", "False", "True", "False", "False", "True")),
}


@pytest.mark.parametrize(("status", "held", "rolled", "values"), ROWS.values(), ids=ROWS)
def test_the_conditions_when(
    status: Status, held: Finding | None, rolled: RolledBack | None, values: tuple[str, ...]
) -> None:
    found = with_conditions(status, held, rolled, NOW)

    assert tuple(why(found, ConditionType(name))[0] for name in ORDER) == values
    assert [c.type for c in found.conditions] == [t for t in ConditionType if found.condition(t) is not None]
    assert {c.observed_generation for c in found.conditions} == {1}


@pytest.mark.parametrize(("phase", "kind"), [(Phase.DENIED, ConditionType.DENIED), (Phase.EXPIRED, ConditionType.EXPIRED)])
def test_denied_and_expired_are_conditions_of_their_own(phase: Phase, kind: ConditionType) -> None:
    found = with_conditions(ended(phase), None, NOTHING, NOW)

    assert {t for t in (ConditionType.DENIED, ConditionType.EXPIRED) if why(found, t)[0] == "True"} == {kind}


def test_a_flip_is_dated_and_a_new_reason_is_not() -> None:
    first = with_conditions(pending(), None, None, after(-100))
    second = with_conditions(first, Finding(Reason.WALL_NOT_PROVEN, "not proven"), None, after(-50))
    third = with_conditions(replace(approved(), conditions=second.conditions), None, None, NOW)

    assert why(second) == ("True", "WallNotProven")
    assert {c.since for c in second.conditions} == {after(-100)}
    assert {str(c.type) for c in third.conditions if c.since == NOW} == {"Held", "Approved"}


def test_a_message_is_cut_to_what_a_status_carries() -> None:
    found = with_conditions(pending(), Finding(Reason.POLICY_NOT_READY, "x" * 5000), None, NOW)

    assert {len(c.message) for c in found.conditions} == {1024}


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "waiting for 1 of sre, until 2026-03-01T12:59:00Z"),
        ({"deadline": None}, "waiting for 1 of sre"),
        ({"quorum": ()}, "waiting for the policy, until 2026-03-01T12:59:00Z"),
        (
            {"quorum": (entry(count=3, accepted=("sre", "duty")), entry("finance"))},
            "waiting for 2 of sre or duty, 1 of finance, until 2026-03-01T12:59:00Z",
        ),
    ],
    ids=["one role", "no deadline", "an automatic tier", "two roles and a backup"],
)
def test_the_sentence_that_a_person_reads_first(changes: dict[str, Any], text: str) -> None:
    status = pending(**{"verdicts": (recorded(said()),) if len(changes.get("quorum", ())) == 2 else ()} | changes)
    found = with_conditions(status, None, None, NOW).condition(ConditionType.HELD)

    assert found is not None
    assert found.message == text


@pytest.mark.parametrize(
    ("decision", "reason"),
    [
        (None, "InvalidRequest"),
        (Decision(Phase.DENIED, By.PEOPLE, NOW), "InvalidRequest"),
        (Decision(Phase.DENIED, By.PEOPLE, NOW, reason="WordOfANewerOperator"), "InvalidRequest"),
        (Decision(Phase.DENIED, By.PEOPLE, NOW, reason="DeniedByReviewer"), "DeniedByReviewer"),
    ],
    ids=["no decision", "a decision without a reason", "a reason that this version does not know", "a reason"],
)
def test_the_reason_of_an_end(decision: Decision | None, reason: str) -> None:
    assert why(with_conditions(ended(decision=decision), None, NOTHING, NOW), ConditionType.STALLED) == ("True", reason)
