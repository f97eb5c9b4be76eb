"""Each invariant of a request catches what it is there for; and a world in order has no violation."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.soak import invariants, rule
from tests.soak.record import Story, Version, Window
from tests.soak.samples import APR, Sample, at, clock
from tests.soak.worlds import (
    asked,
    automatic,
    broken,
    by_hand,
    denied,
    escalated,
    expired,
    overridden,
    released,
    undone,
    withdrawn,
)

Body = dict[str, Any]
Spoil = Callable[[], Sample]


@pytest.mark.parametrize(
    "good",
    [released, undone, denied, overridden, withdrawn, expired, escalated, automatic, by_hand, asked],
    ids=lambda g: g.__name__,
)
def test_a_world_in_order_has_no_violation(good: Spoil) -> None:
    assert list(invariants.of_all(good().facts())) == []


def test_a_move_that_the_table_does_not_have_is_caught() -> None:
    sample = denied()
    sample.status(phase="Approved")

    assert "phases_move_along_the_table" in broken(sample)


def test_a_decision_that_changes_after_the_end_is_caught() -> None:
    sample = denied()
    sample.status(decision={**sample.request["status"]["decision"], "by": "Time"})

    assert broken(sample) == {"phases_move_along_the_table"}


def test_a_ledger_that_shrinks_or_changes_is_caught() -> None:
    assert "the_ledger_only_grows" in broken(released().spoil(APR, -1, lambda body: body["status"]["verdicts"].pop()))
    assert "the_ledger_only_grows" in broken(
        released().spoil(APR, -1, lambda b: b["status"]["verdicts"][0].update(comment="x"))
    )


@pytest.mark.parametrize("name", ["requestDigest", "resolved", "policy", "preparedAt", "deadline"])
def test_what_is_set_once_and_changes_is_caught(name: str) -> None:
    other = {"resolved": {}, "policy": {"digest": "sha256:0", "retentionSeconds": 20}}.get(name, at(3599))

    assert "what_is_set_once_stays" in broken(released().spoil(APR, -1, lambda body: body["status"].update({name: other})))


def test_what_cannot_be_read_is_caught() -> None:
    sample = released().spoil(APR, -1, lambda body: body["status"].update(policy="odd"))

    assert {"the_digest_is_of_what_stands", "what_is_set_once_stays"} <= broken(sample)


def test_a_spec_that_changes_is_caught() -> None:
    assert "what_is_set_once_stays" in broken(released().spoil(APR, -1, lambda body: body["spec"].update(summary="other")))


def test_a_word_that_is_dropped_or_recorded_otherwise_is_caught() -> None:
    dropped = asked("alice")
    dropped.said("bob", "deny")
    dropped.status(verdicts=dropped.ledger()[:1])

    assert broken(dropped) == {"every_admitted_word_is_recorded"}
    dropped.request["status"]["verdicts"].append({**dropped.ledger()[1], "comment": "another"})
    dropped.wrote(APR, dropped.request)
    assert broken(dropped) == {"every_admitted_word_is_recorded"}


def test_a_word_that_is_admitted_after_the_end_is_caught_unless_the_wall_was_open() -> None:
    sample = denied()
    sample.said("erin", "approve")
    open_wall = Window("open wall", clock(sample.now - 0.5), clock(sample.now + 0.5), open=True)

    sample.now += 30
    sample.wrote(APR, sample.request, gone=True)

    assert broken(sample) == {"every_admitted_word_is_recorded"}
    assert broken(sample, faults=[open_wall]) == set()


def test_a_word_that_somebody_wrote_over_is_caught_unless_the_wall_was_open() -> None:
    sample = asked("alice")
    digest = sample.request["status"]["requestDigest"]
    sample.request["metadata"]["annotations"]["verdict.gatehold.dev/0"] = f"approve|{digest}|sre|bob||forged over it"
    sample.wrote(APR, sample.request)
    open_wall = Window("open wall", clock(sample.now - 0.5), clock(sample.now + 0.5), open=True)

    assert broken(sample) == {"every_admitted_word_is_recorded"}
    assert broken(sample, faults=[open_wall]) == set()


def test_a_word_that_is_invented_is_caught() -> None:
    sample = denied().spoil(APR, 2, lambda body: body["metadata"].pop("annotations"))
    for number in range(3, len(sample.versions[APR])):
        sample.spoil(APR, number, lambda body: body["metadata"]["annotations"].pop("verdict.gatehold.dev/1", None))

    assert "nothing_is_recorded_that_nobody_said" in broken(sample)


def test_a_forged_yes_that_counts_is_caught_and_a_recorded_one_that_does_not_is_fine() -> None:
    sample = asked("alice")
    sample.said("bob", "approve", comment="forged in the gap")
    sample.status(verdicts=sample.ledger())

    assert broken(sample) == {"no_forged_yes_counts"}
    assert "approved_means_that_somebody_may_and_did" in broken(sample.approved().done())
    fine = asked("alice")
    fine.said("bob", "approve", comment="forged in the gap")
    fine.status(verdicts=[fine.ledger()[0], {**fine.ledger()[1], "counted": False, "reason": "Unproven"}])
    assert broken(fine) == set()


def test_a_digest_of_something_else_is_caught() -> None:
    sample = asked()
    sample.spoil(APR, -1, lambda body: body["status"].update(requestDigest="sha256:0"))

    assert broken(sample) == {"the_digest_is_of_what_stands"}


def test_a_quorum_that_the_policy_does_not_ask_for_is_caught() -> None:
    sample = asked().spoil(APR, -1, lambda body: body["status"]["quorum"][0].update(count=1))

    assert broken(sample) == {"the_quorum_is_the_policys"}


def test_a_policy_that_nobody_saw_is_caught() -> None:
    sample = asked().spoil(APR, -1, lambda body: body["status"]["policy"].update(digest="sha256:0"))

    assert "the_quorum_is_the_policys" in broken(sample)


@pytest.mark.parametrize("phase", ["Denied", "Withdrawn"])
def test_a_no_that_nobody_said_is_caught(phase: str) -> None:
    assert broken(asked("alice").over(phase).done()) == {"a_no_was_said_by_somebody"}


def test_an_expiry_before_its_time_is_caught() -> None:
    assert broken(expired(late=-40)) == {"a_no_was_said_by_somebody"}


def test_a_late_decision_is_caught_unless_a_fault_stood_in_the_way() -> None:
    fault = Window("fault", clock(60), clock(80))

    assert broken(expired(late=30)) == {"decided_in_time"}
    assert broken(expired(late=30), faults=[fault]) == set()


def test_a_request_that_nobody_looks_at_is_caught_unless_a_fault_stood_in_the_way() -> None:
    sample = Sample(effect="None")
    sample.now += 30
    sample.prepared().said("alice", "deny")
    sample.over("Denied").done()

    assert broken(sample) == {"looked_at_in_time"}
    assert broken(sample, faults=[Window("fault", clock(10), clock(20))]) == set()


def test_what_does_not_come_to_rest_is_caught() -> None:
    assert broken(asked("alice", "bob", effect="Release").approved()) == {"it_came_to_rest"}
    assert broken(Sample()) == {"it_came_to_rest"}
    late = asked()
    late.now += 62
    assert broken(late) == {"it_came_to_rest"}
    met = asked("alice", "bob")
    met.status(verdicts=met.ledger())
    assert broken(met) == {"it_came_to_rest"}


def test_a_lost_request_is_caught_and_one_that_its_requester_deleted_is_not() -> None:
    lost = asked()
    lost.wrote(APR, lost.request, gone=True)

    assert broken(lost) == {"it_is_not_lost"}
    assert broken(lost, deleted=frozenset({APR})) == set()


def test_a_request_that_retention_takes_too_early_is_caught() -> None:
    early, right = denied(), denied()
    early.wrote(APR, early.request, gone=True)
    right.now += 30
    right.wrote(APR, right.request, gone=True)

    assert broken(early) == {"it_is_not_lost"}
    assert broken(right) == set()


def test_done_before_the_end_or_before_the_undo_is_caught() -> None:
    assert "done_is_said_of_an_end_only" in broken(asked("alice").done())
    sample = asked("alice", effect="Release")
    sample.said("bob", "deny")
    assert broken(sample.over("Denied", "Undoing").done()) == {"done_is_said_of_an_end_only"}


def test_what_was_not_seen_is_not_judged() -> None:
    """Between two versions that do not follow each other anything may have happened."""
    sample = denied()
    sample.status(phase="Approved")
    sample.versions[APR][-1] = replace(sample.versions[APR][-1], follows=False)

    assert "phases_move_along_the_table" not in broken(sample)


def test_digests_are_those_of_the_product() -> None:
    """Written down twice, they have to agree on what is really stored."""
    from gatehold.api import digest

    job: Body = {"metadata": {"uid": "u"}, "spec": {"suspend": True, "b": [1, {"ü": "é"}], "a": None}}
    assert rule.job_digest(job) == digest.job_digest("u", job["spec"])
    sample = asked("alice", effect="Release")
    body = sample.request
    status = body["status"]
    wanted = digest.request_digest(APR, body["spec"], status["resolved"], status["policy"]["digest"])
    assert status["requestDigest"] == rule.request_digest(body) == wanted
    assert rule.policy_digest(sample.policy) == digest.policy_digest(sample.policy)


def test_a_story_knows_how_it_stood_before_a_write() -> None:
    story = Story(released().versions[APR])

    before = story.before(story.last.revision)
    assert isinstance(before, Version)
    assert before.revision == story.last.revision - 1
    assert story.before(0) is None
