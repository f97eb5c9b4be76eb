"""The story between two statuses: what Events and notices tell, once each."""

from dataclasses import replace

import pytest

from gatehold.domain.conditions import RolledBack, with_conditions
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Finding
from gatehold.domain.reasons import Reason
from gatehold.domain.status import By, Decision, EffectState, EscalationStep, Status
from gatehold.domain.story import Entry, story
from tests.builders import (
    NOW,
    approve,
    approved,
    concluded,
    deny,
    effect,
    ended,
    override,
    pending,
    recorded,
    undo_status,
    withdraw,
)

WAITS = with_conditions(pending(), None, None, NOW)
OPENED = EscalationStep(60, NOW, ("duty", "boss"), opened_at=NOW)
PLANNED = replace(OPENED, opened_at=None)
BROKEN = Decision(Phase.APPROVED, By.OVERRIDE, NOW, reason=Reason.OVERRIDE, message="erin overrode the quorum")
BY_HAND = Decision(Phase.SUPERSEDED, By.OPERATOR, NOW, reason=Reason.SUBJECT_OVERRIDDEN, message="let go by hand")
RELEASED = replace(approved(), phase=Phase.RELEASED, effect=effect(EffectState.DONE, message="Job migrate completed"))
UNDO = ended(effect=effect(EffectState.UNDOING, undo=undo_status(EffectState.RUNNING)))
UNDO_WAITS = ended(effect=effect(EffectState.UNDOING, undo=undo_status()))
GOING = with_conditions(UNDO, None, RolledBack(None, Finding(Reason.UNDOING, "it runs")), NOW)

ROWS: dict[str, tuple[Status, Status, list[tuple[str, str, bool, bool]]]] = {
    "nothing happened": (WAITS, WAITS, []),
    "people are asked": (Status(), WAITS, [("Waiting", "", False, True)]),
    "a request is held unasked": (Status(), replace(WAITS, request_digest=""), []),
    "an escalation is planned": (WAITS, replace(WAITS, escalations=(PLANNED,)), []),
    "an escalation is opened": (
        replace(WAITS, escalations=(PLANNED,)),
        replace(WAITS, escalations=(OPENED,)),
        [("Escalated", "60", False, True)],
    ),
    "it was opened before": (replace(WAITS, escalations=(OPENED,)), replace(WAITS, escalations=(OPENED,)), []),
    "a verdict": (WAITS, replace(WAITS, verdicts=(recorded(approve(3)),)), [("VerdictRecorded", "3", False, False)]),
    "a verdict that does not count": (
        WAITS,
        replace(WAITS, verdicts=(recorded(approve(3), reason="Late"),)),
        [("VerdictRecorded", "3", True, False)],
    ),
    "an override": (
        WAITS,
        replace(approved(), decision=BROKEN, verdicts=()),
        [("Approved", "", True, True), ("Overridden", "", True, True)],
    ),
    "the Job was let go by hand": (
        WAITS,
        replace(ended(Phase.SUPERSEDED), decision=BY_HAND, verdicts=(), effect=None),
        [("Superseded", "", True, True), ("Overridden", "", True, True)],
    ),
    "an approval": (
        replace(WAITS, verdicts=approved().verdicts),
        approved(),
        [("Approved", "", False, True)],
    ),
    "the effect begins": (approved(), approved(EffectState.RUNNING), [("EffectStarted", "", False, False)]),
    "the effect begins without an object": (
        approved(),
        approved(EffectState.RUNNING, effect=effect(EffectState.RUNNING, object=None)),
        [("EffectStarted", "", False, False)],
    ),
    "the effect is complete": (approved(EffectState.RUNNING), RELEASED, [("Released", "", False, True)]),
    "complete without a record": (
        replace(approved(), effect=None),
        replace(RELEASED, effect=None),
        [("Released", "", False, True)],
    ),
    "the undo Job is about to start": (ended(), UNDO_WAITS, []),
    "the undo Job starts": (UNDO_WAITS, UNDO, [("UndoStarted", "", True, False)]),
    "the undo Job goes on": (UNDO, GOING, []),
    "undone": (GOING, concluded(GOING, Reason.UNDO_COMPLETED), [("RolledBack", "UndoCompleted", False, True)]),
    "not undone": (
        GOING,
        concluded(GOING, Reason.UNDO_FAILED, restored=False),
        [("RollbackFailed", "UndoFailed", True, True)],
    ),
    "told before": (concluded(GOING, Reason.UNDO_COMPLETED), concluded(GOING, Reason.UNDO_COMPLETED), []),
    "there was nothing to undo": (ended(), concluded(ended()), []),
}


@pytest.mark.parametrize(("before", "now", "told"), ROWS.values(), ids=ROWS)
def test_it_tells_that(before: Status, now: Status, told: list[tuple[str, str, bool, bool]]) -> None:
    found = story(before, now)

    assert [(e.reason, e.key, e.warning, e.tell) for e in found] == told
    assert all(isinstance(e, Entry) for e in found)


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (recorded(approve(comment="go")), "alice as sre: approve: go"),
        (recorded(withdraw(comment="wrong branch")), "ci: withdraw: wrong branch"),
        (recorded(override(comment="INC-1"), reason="Unproven"), "erin: override (not counted: Unproven): INC-1"),
        (recorded(deny(comment="p99")), "alice as sre: deny: p99"),
    ],
    ids=["an approval", "a withdrawal", "an uncounted override", "a deny"],
)
def test_the_sentence_about_a_verdict(entry: object, text: str) -> None:
    assert [e.message for e in story(WAITS, replace(WAITS, verdicts=(entry,)))] == [text]


def test_what_waits_is_told_with_its_digest() -> None:
    assert story(Status(), WAITS)[0].message.startswith("waiting for 1 of sre, until 2026-03-01T12:59:00Z; digest sha256:dd")
    assert story(Status(), pending())[0].message.startswith("reviewers were asked; digest sha256:dd")


def test_the_whole_story_is_told_in_order() -> None:
    end = concluded(UNDO, Reason.UNDO_COMPLETED)
    told = [e.reason for e in story(Status(), end)]

    assert told == [
        "Waiting",
        "VerdictRecorded",
        "VerdictRecorded",
        "Denied",
        "EffectStarted",
        "UndoStarted",
        "RolledBack",
    ]


def test_a_story_is_the_same_every_time_so_that_a_retry_is_no_second_event() -> None:
    assert story(approved(), RELEASED) == story(approved(), RELEASED)
