"""Pods that do not go: an undo waits for them, looks less and less often, and says in time that somebody has to look."""

from dataclasses import replace

import pytest

from gatehold.domain.decide import decide
from gatehold.domain.effects.pods import PATIENCE, wait_for
from gatehold.domain.plan import Facts, PodFacts, ReleaseJob
from gatehold.domain.reasons import ConditionType
from gatehold.domain.status import EffectState, Status
from gatehold.domain.story import story
from tests.builders import NOW, after, effect, ended, facts, job, ours, pods, release_observed, undo_job, undo_status, why

STOPPED = ours(job(), suspended=True)
SECOND = ours(undo_job(), suspended=True)
STUCK_AT = PATIENCE.total_seconds() + 30
KINDS = (ConditionType.RECONCILING, ConditionType.STALLED, ConditionType.ROLLED_BACK)
RUNS = ended(effect=effect(EffectState.UNDOING, undo=undo_status(EffectState.RUNNING, stopped_at=NOW)))
BOTH: dict[str, tuple[Status, Facts]] = {
    "of the Job": (ended(effect=effect(EffectState.UNDOING, stopped_at=NOW)), facts(STOPPED, undo_job(), 2)),
    "of the undo Job": (RUNS, facts(STOPPED, SECOND, undo_left=2)),
}


@pytest.mark.parametrize(
    ("waited", "seconds"), [(0, 1), (4, 1), (8, 2), (40, 10), (120, 30), (325, 5), (330, 30), (10_000, 30)]
)
def test_it_looks_less_and_less_often_and_at_the_moment_when_it_is_called_stuck(waited: float, seconds: float) -> None:
    waits = wait_for(pods("migrate", 1), "migrate", "shop", NOW, after(waited))

    assert waits is not None
    assert waits.recheck_at == after(waited + seconds)
    assert waits.stalled is (waited >= STUCK_AT)


def test_a_pod_is_given_its_own_time_first() -> None:
    slow = (PodFacts("a", "n1", 5), PodFacts("b", "n1", 3600))
    late = wait_for(slow, "migrate", "shop", NOW, after(3600))

    assert late is not None
    assert not late.stalled


def test_the_wait_is_counted_from_when_the_job_was_first_seen_stopped() -> None:
    first = decide(release_observed(ended(), facts=facts(STOPPED, undo_job(), 1)), NOW)
    later = decide(release_observed(first.status, facts=facts(STOPPED, undo_job(), 1)), after(60))

    assert later.status.effect is not None
    assert later.status.effect.stopped_at == NOW
    assert later.status == first.status


@pytest.mark.parametrize(("status", "there"), BOTH.values(), ids=BOTH)
def test_pods_that_stay_stall_the_undo_and_it_goes_on_once_they_are_gone(status: Status, there: Facts) -> None:
    def conditions(at: Status) -> list[tuple[str, str]]:
        return [why(at, kind) for kind in KINDS]

    waits = decide(release_observed(status, facts=there), after(STUCK_AT - 1))
    stuck = decide(release_observed(waits.status, facts=there), after(STUCK_AT))
    still = decide(release_observed(stuck.status, facts=there), after(STUCK_AT + 900))
    gone = replace(there, pods=(), undo_pods=())
    on = decide(release_observed(still.status, facts=gone), after(STUCK_AT + 901))

    assert conditions(waits.status) == [("True", "Undoing"), ("False", "DeniedByReviewer"), ("False", "Undoing")]
    assert conditions(stuck.status) == [("False", "PodsRemain"), ("True", "PodsRemain"), ("False", "PodsRemain")]
    assert (still.status, still.writes, still.recheck_at) == (stuck.status, (), after(STUCK_AT + 930))
    assert conditions(on.status) in (
        [("True", "Undoing"), ("False", "DeniedByReviewer"), ("False", "Undoing")],
        [("False", "DeniedByReviewer"), ("True", "DeniedByReviewer"), ("False", "UndoFailed")],
    )
    assert on.writes


def test_after_a_stall_the_undo_job_is_run() -> None:
    stuck = decide(release_observed(BOTH["of the Job"][0], facts=facts(STOPPED, undo_job(), 1)), after(900))
    on = decide(release_observed(stuck.status, facts=facts(STOPPED, undo_job())), after(930))

    assert on.writes == (ReleaseJob(undo_job(), undo=True),)


def test_each_of_the_two_jobs_is_told_once() -> None:
    told = []
    for status, there in BOTH.values():
        before = decide(release_observed(status, facts=there), NOW).status
        stuck = decide(release_observed(before, facts=there), after(900)).status
        again = decide(release_observed(stuck, facts=there), after(960)).status
        told += [(e.reason, e.warning, e.key) for e in (*story(before, stuck), *story(stuck, again))]

    assert [(reason, warning) for reason, warning, _ in told] == [("RollbackStalled", True)] * 2
    assert len({key for _, _, key in told}) == 2


def said(left: tuple[PodFacts, ...], seconds: float = 900) -> str:
    waits = wait_for(left, "migrate", "shop", NOW, after(seconds))
    assert waits is not None
    return waits.finding.message


def test_the_sentence_names_pods_and_nodes_and_what_to_type() -> None:
    text = said((PodFacts("migrate-x", "n1"), PodFacts("migrate-y")))

    assert text == (
        "pods of Job migrate are still there: migrate-x on node n1, migrate-y on no node; the undo waits for them since "
        "2026-03-01T12:00:00Z and goes on by itself once they are gone; "
        "look: kubectl get pods -n shop -l batch.kubernetes.io/job-name=migrate -o wide; "
        "where the node is surely off: kubectl delete pod -n shop migrate-x --force"
    )


def test_the_sentence_stays_as_it_is_while_other_pods_go_and_fits_a_status() -> None:
    many = tuple(PodFacts(f"{n}".ljust(63, "p"), "n" * 253) for n in range(9))

    assert said(many) == said(many[:5], 2000)
    assert " and others" in said(many)
    assert "and others" not in said(many[:3])
    assert len(said(many).replace("migrate", "j" * 63).replace("shop", "s" * 63)) <= 1024
