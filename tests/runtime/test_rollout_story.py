"""What is told of a Rollout, from two records."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gatehold.controllers.rollouts.story import ended, put_back, story
from gatehold.domain.reasons import ConditionType
from gatehold.domain.rollout.record import (
    Ending,
    LastRun,
    Outcome,
    Override,
    Question,
    Record,
    Run,
    Stage,
    Target,
    TrackRecord,
    Wanted,
)
from gatehold.domain.status import Condition

NOW = datetime(2026, 11, 28, 10, tzinfo=UTC)
TARGET = Target("sha256:" + "a" * 64, "sha256:" + "b" * 64)
ASKED = Question("prod", "web-1", "d", 1, "gate")
RUN = Run(TARGET, started_at=NOW)
TRACK = TrackRecord(Wanted(TARGET.template, 5))


def told(before: Record, after: Record) -> list[str]:
    return [entry.reason for entry in story(before, after)]


def test_a_run_is_told_from_its_beginning_to_its_end() -> None:
    steps = [
        Record(),
        Record(run=RUN),
        Record(run=replace(RUN, questions=(ASKED,))),
        Record(run=replace(RUN, questions=(replace(ASKED, uid="u", passed=True, passed_at=NOW),))),
        Record(run=replace(RUN, questions=(replace(ASKED, uid="u", passed=True, passed_at=NOW),), stage=Stage.PROMOTING)),
        Record(last_run=LastRun(TARGET, Outcome.PROMOTED, "Promoted", "it runs", NOW)),
    ]
    reasons = [told(one, two) for one, two in itertools.pairwise(steps)]
    assert reasons == [["Started"], ["Held"], ["Passed"], ["Promoting"], ["Promoted"]]
    assert all(told(step, step) == [] for step in steps)
    assert told(Record(), steps[4]) == ["Started", "Held", "Passed", "Promoting"]


def test_an_undo_is_a_warning_and_says_whether_it_worked() -> None:
    undoing = replace(RUN, stage=Stage.UNDOING, ending=Ending(Outcome.DENIED, "DeniedByReviewer", "alice said no"))
    over = LastRun(
        TARGET, Outcome.DENIED, "DeniedByReviewer", "alice said no", NOW, rolled_back=True, rolled_back_message="restored"
    )
    assert told(Record(run=RUN), Record(run=undoing)) == ["Undoing"]
    assert told(Record(run=undoing), Record(last_run=over)) == ["RunEnded", "RolledBack"]
    assert all(entry.warning for entry in story(Record(run=undoing), Record(last_run=over)))
    failed = replace(over, rolled_back=False)
    assert told(Record(run=undoing), Record(last_run=failed)) == ["RunEnded", "NotRolledBack"]
    assert ended(Record(run=undoing), Record(last_run=over)) is Outcome.DENIED
    assert ended(Record(last_run=over), Record(last_run=over)) is None
    newer = replace(over, outcome=Outcome.SUPERSEDED, at=NOW + timedelta(1))
    assert ended(Record(last_run=over), Record(last_run=newer)) is Outcome.SUPERSEDED


def test_an_undo_that_nobody_lived_to_tell_is_told_afterwards_in_the_same_words_under_the_same_name() -> None:
    for outcome, is_bad in ((Outcome.DENIED, True), (Outcome.SUPERSEDED, False)):
        undoing = replace(RUN, stage=Stage.UNDOING, ending=Ending(outcome, "Why", "so it was"))
        over = LastRun(TARGET, outcome, "Why", "so it was", NOW + timedelta(1), rolled_back=True, started_at=NOW)
        (now,) = story(Record(run=RUN), Record(run=undoing))
        then = story(Record(), Record(last_run=over))
        assert [entry.reason for entry in then] == ["Undoing", "RunEnded", "RolledBack"]
        assert then[0] == replace(now, at=over.at)
        assert now.warning is is_bad
        assert told(Record(run=RUN), Record(last_run=over)) == ["Undoing", "RunEnded", "RolledBack"]
        assert told(Record(run=undoing), Record(last_run=over)) == ["RunEnded", "RolledBack"]
        assert told(Record(), Record(run=RUN, last_run=over))[:2] == ["Undoing", "RunEnded"]
        assert told(Record(), Record(last_run=replace(over, started_at=None))) == ["RunEnded", "RolledBack"]


def test_the_next_run_is_told_beside_the_end_of_the_last() -> None:
    over = LastRun(TARGET, Outcome.SUPERSEDED, "SubjectChanged", "the spec changed", NOW)
    newer = Run(Target("sha256:" + "c" * 64, TARGET.strategy), started_at=NOW)
    assert told(Record(run=RUN), Record(run=newer, last_run=over)) == ["RunEnded", "Started"]


def test_hands_of_others_are_told_once_each() -> None:
    before, after = Record(stable=TRACK), Record(stable=replace(TRACK, put_back=2))
    assert told(before, after) == ["ChildChanged"]
    assert put_back(before, after) == 2
    broken = Record(stable=replace(TRACK, override=Override(TARGET, "", "INC-1 by dana")))
    assert told(before, broken) == ["Overridden"]
    assert [entry.tell for entry in story(before, broken)] == [True]
    assert told(broken, broken) == []


def test_a_stall_is_told_with_its_reason() -> None:
    stalled = Condition(ConditionType.STALLED, "True", "GateNotFound", "there is no Gate prod", NOW)
    record = Record(conditions=(stalled,))
    assert told(Record(), record) == ["Stalled"]
    assert told(record, replace(record, conditions=(replace(stalled, message="still"),))) == []
    assert told(record, replace(record, conditions=(replace(stalled, reason="ChildNotOurs"),))) == ["Stalled"]
    assert told(record, replace(record, conditions=(replace(stalled, status="False"),))) == []
