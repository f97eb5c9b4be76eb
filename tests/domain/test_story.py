"""The story between two statuses: what Events and notices tell, once each."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gatehold.domain import ledger
from gatehold.domain.conditions import RolledBack, with_conditions
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Finding
from gatehold.domain.reasons import Reason
from gatehold.domain.status import By, Decision, EffectState, EscalationStep, NodeState, Status
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
from tests.drains import going, let_go, row, stopped
from tests.promotions import accepted, asked

WAITS = with_conditions(pending(), None, None, NOW)
OPENED = EscalationStep(60, NOW, ("duty", "boss"), opened_at=NOW)
PLANNED = replace(OPENED, opened_at=None)
BROKEN = Decision(Phase.APPROVED, By.OVERRIDE, NOW, reason=Reason.OVERRIDE, message="erin overrode the quorum")
BY_HAND = Decision(Phase.SUPERSEDED, By.OPERATOR, NOW, reason=Reason.SUBJECT_OVERRIDDEN, message="let go by hand")
RELEASED = replace(approved(), phase=Phase.RELEASED, effect=effect(EffectState.DONE, message="Job migrate completed"))
UNDO = ended(effect=effect(EffectState.UNDOING, undo=undo_status(EffectState.RUNNING)))
UNDO_WAITS = ended(effect=effect(EffectState.UNDOING, undo=undo_status()))
GOING = with_conditions(UNDO, None, RolledBack(None, Finding(Reason.UNDOING, "it runs")), NOW)
PODS = Finding(Reason.PODS_REMAIN, "pods of Job a are still there: a-1")
STUCK = with_conditions(UNDO, None, RolledBack(None, PODS, stalled=True), NOW)
DRAINING, EMPTY = row(state=NodeState.DRAINING), row(state=NodeState.DRAINED)
HALTED = with_conditions(going(DRAINING), None, None, NOW, stalled=Finding(Reason.TWO_BUDGETS, "node n1: two budgets"))

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
        replace(ended(Phase.SUPERSEDED), decision=BY_HAND, verdicts=(), effect=None, valid_until=None),
        [("Superseded", "", True, True), ("Overridden", "", True, True)],
    ),
    "an approval": (
        replace(WAITS, verdicts=approved().verdicts),
        approved(),
        [("Approved", "", False, True)],
    ),
    "the effect begins": (approved(), approved(EffectState.RUNNING), [("EffectStarted", "", False, False)]),
    "a Rollout has used the approval": (
        accepted(),
        accepted(EffectState.RUNNING),
        [("EffectStarted", "", False, False)],
    ),
    "a Rollout does not get back": (
        concluded(accepted(phase=Phase.DENIED), Reason.UNDOING, restored=False),
        concluded(accepted(phase=Phase.DENIED), Reason.UNDO_STUCK, restored=False),
        [("RollbackStalled", "UndoStuck/it is over", True, True)],
    ),
    "a Rollout is back": (
        concluded(asked(phase=Phase.EXPIRED), Reason.UNDOING, restored=False),
        concluded(asked(phase=Phase.EXPIRED), Reason.UNDO_COMPLETED),
        [("RolledBack", "UndoCompleted", False, True)],
    ),
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
    "the undo is stuck": (GOING, STUCK, [("RollbackStalled", "PodsRemain/pods of Job a are still there", True, True)]),
    "it is stuck still": (STUCK, STUCK, []),
    "it goes on": (STUCK, GOING, []),
    "undone": (GOING, concluded(GOING, Reason.UNDO_COMPLETED), [("RolledBack", "UndoCompleted", False, True)]),
    "not undone": (
        GOING,
        concluded(GOING, Reason.UNDO_FAILED, restored=False),
        [("RollbackFailed", "UndoFailed", True, True)],
    ),
    "a drain begins": (going(), going(DRAINING), [("EffectStarted", "", False, False)]),
    "a node is drained": (going(DRAINING), going(EMPTY), [("NodeDrained", "n1", False, False)]),
    "a node was drained before": (going(EMPTY), going(EMPTY), []),
    "a node is uncordoned": (
        stopped(DRAINING),
        stopped(row(state=NodeState.UNCORDONED)),
        [("NodeUncordoned", "n1", False, False)],
    ),
    "a held drain may go on": (
        replace(let_go(), effect=None),
        let_go(),
        [("EffectStarted", "", False, False)],
    ),
    "a drain is stuck": (going(DRAINING), HALTED, [("EffectStalled", "TwoBudgets", True, True)]),
    "a drain is stuck still": (HALTED, HALTED, []),
    "a drain is stuck by something else": (
        HALTED,
        with_conditions(going(DRAINING), None, None, NOW, stalled=Finding(Reason.PODS_IN_THE_WAY, "a pod")),
        [("EffectStalled", "PodsInTheWay", True, True)],
    ),
    "a drain gets on": (HALTED, going(DRAINING), []),
    "a drain is stuck that nobody saw before": (
        replace(going(DRAINING), conditions=()),
        HALTED,
        [("EffectStalled", "TwoBudgets", True, True)],
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
    ("before", "now", "text"),
    [
        (approved(), approved(EffectState.RUNNING), "Release of migrate has begun"),
        (accepted(), accepted(EffectState.RUNNING), "Rollout web has used the approval and goes on"),
        (going(), going(DRAINING), "Drain of 1 node has begun"),
        (replace(let_go(), effect=None), let_go(), "the drain of node n1 may go on"),
    ],
    ids=["of a release", "of a promotion", "of a drain", "of a held drain"],
)
def test_the_sentence_about_the_beginning(before: Status, now: Status, text: str) -> None:
    assert [e.message for e in story(before, now)] == [text]


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


def test_what_waited_is_told_in_the_same_words_when_others_have_answered_since() -> None:
    widened = tuple(replace(entry, accepted=(*entry.accepted, "duty")) for entry in WAITS.quorum)
    later = replace(approved(), quorum=widened)

    assert story(Status(), later)[0] == story(Status(), WAITS)[0]


def test_what_is_told_again_says_when_it_happened() -> None:
    then = NOW - timedelta(hours=2)
    said = replace(recorded(approve(3)), observed_at=then)
    told = story(Status(), replace(WAITS, verdicts=(said,), prepared_at=then))

    assert [entry.at for entry in told] == [then, then]


def test_the_whole_story_is_told_in_order() -> None:
    end = concluded(UNDO, Reason.UNDO_COMPLETED)
    told = [e.reason for e in story(Status(), end)]

    assert told == [
        "Waiting",
        "VerdictRecorded",
        "VerdictRecorded",
        "Approved",
        "Denied",
        "EffectStarted",
        "UndoStarted",
        "RolledBack",
    ]


@pytest.mark.parametrize(
    "passed",
    [
        approved(),
        replace(approved(), decision=BROKEN, verdicts=(recorded(override(comment="INC-1")),)),
    ],
    ids=["by people", "by an override"],
)
def test_a_yes_is_told_in_the_same_words_when_a_no_has_taken_its_place(passed: Status) -> None:
    passed = replace(passed, decision=ledger.passed(passed, NOW))
    denied = replace(passed, phase=Phase.DENIED, decision=ended().decision)
    told = {entry.reason: (entry.message, entry.warning) for entry in story(Status(), passed)}

    again = {entry.reason: (entry.message, entry.warning) for entry in story(Status(), denied)}
    assert told.items() <= again.items()
    assert "Approved" not in [entry.reason for entry in story(passed, denied)]


def test_the_yes_of_a_tier_is_told_though_its_words_are_gone() -> None:
    denied = replace(ended(), quorum=(), verdicts=(), policy=None)

    assert ("Approved", "a tier of its policy decided alone") in [(e.reason, e.message) for e in story(Status(), denied)]


def test_a_story_is_the_same_every_time_so_that_a_retry_is_no_second_event() -> None:
    assert story(approved(), RELEASED) == story(approved(), RELEASED)
