"""A write that somebody else's admission refuses: the request says so, once, tries on, and forgets it when it has landed."""

from dataclasses import replace

import pytest

from gatehold.domain.decide import decide
from gatehold.domain.nodes import CloseNode, CordonNode, DropLease, EvictPods, TakeLease, UncordonNode
from gatehold.domain.phases import Phase
from gatehold.domain.plan import (
    CloseJob,
    DropFinalizer,
    MarkDone,
    NoteRequest,
    Observed,
    Proof,
    Refusal,
    ReleaseJob,
    SuspendJob,
    Write,
)
from gatehold.domain.reasons import ConditionType
from gatehold.domain.refusals import opening
from gatehold.domain.status import EffectState, NodeState, Status
from gatehold.domain.story import story
from tests.builders import NOW, after, approved, effect, ended, facts, job, ours, release_observed, undo_job, why
from tests.drains import cordoned, drain_observed, going, lease, node, pod, row, stopped, there

STOPPED = ours(job(), suspended=True)
DRAINING = row(state=NodeState.DRAINING, pods=1, pods_left=1)
WRITES: dict[str, tuple[Observed, Write, ConditionType, str]] = {
    "the release": (
        release_observed(approved()),
        ReleaseJob(job()),
        ConditionType.HELD,
        "the API server refuses to release Job migrate",
    ),
    "the stop": (
        release_observed(ended(), facts=facts(ours(job()), undo_job(), 1)),
        SuspendJob(ours(job())),
        ConditionType.ROLLED_BACK,
        "the API server refuses to stop Job migrate",
    ),
    "the fence": (
        release_observed(ended(state=EffectState.WAITING)),
        CloseJob(job()),
        ConditionType.ROLLED_BACK,
        "the API server refuses to close Job migrate",
    ),
    "the finalizer of a dying Job": (
        release_observed(ended(), facts=facts(ours(job(), deleting=True), undo_job(), 1)),
        DropFinalizer(ours(job(), deleting=True)),
        ConditionType.ROLLED_BACK,
        "the API server refuses to take finalizer gatehold.dev/outcome off Job migrate",
    ),
    "the start of the undo": (
        release_observed(ended(effect=effect(EffectState.UNDOING)), facts=facts(STOPPED, undo_job())),
        ReleaseJob(undo_job(), undo=True),
        ConditionType.ROLLED_BACK,
        "the API server refuses to start undo Job undo",
    ),
    "the Lease of a node": (
        drain_observed(going()),
        TakeLease(node("n1", pod())),
        ConditionType.HELD,
        "the API server refuses to take the Lease of node n1",
    ),
    "a cordon": (
        drain_observed(going()),
        CordonNode(node("n1", pod())),
        ConditionType.HELD,
        "the API server refuses to cordon node n1",
    ),
    "evictions": (
        drain_observed(going(DRAINING), there(cordoned("n1", pod()))),
        EvictPods((pod(),), 16),
        ConditionType.HELD,
        "the API server refuses to evict pods",
    ),
    "an uncordon": (
        drain_observed(stopped(DRAINING), there(cordoned())),
        UncordonNode(cordoned(), uncordon=True, drop_taint=True),
        ConditionType.ROLLED_BACK,
        "the API server refuses to uncordon node n1",
    ),
    "marks on a node": (
        drain_observed(stopped(replace(DRAINING, was_unschedulable=True)), there(cordoned())),
        UncordonNode(cordoned(), uncordon=False),
        ConditionType.ROLLED_BACK,
        "the API server refuses to take our marks off node n1",
    ),
    "the fence of a node": (
        drain_observed(stopped(), there(node())),
        CloseNode(node()),
        ConditionType.ROLLED_BACK,
        "the API server refuses to close node n1",
    ),
    "a Lease that goes": (
        drain_observed(stopped(DRAINING), there(node(), leases=(lease(),))),
        DropLease(lease()),
        ConditionType.ROLLED_BACK,
        "the API server refuses to let the Lease of node n1 go",
    ),
}
ROWS = pytest.mark.parametrize(("seen", "write", "kind", "opens"), WRITES.values(), ids=WRITES)


def refused(seen: Observed, write: Write, message: str = "jammed") -> Status:
    """The status once the write was tried and refused."""
    tried = decide(seen, NOW)
    assert write in tried.writes
    return decide(replace(seen, status=tried.status, refusal=Refusal(write, message)), NOW).status


@ROWS
def test_it_is_said_and_not_tried_in_the_same_breath(seen: Observed, write: Write, kind: ConditionType, opens: str) -> None:
    plan = decide(replace(seen, refusal=Refusal(write, "jammed by x")), NOW)
    held = kind is ConditionType.HELD

    assert (plan.writes, plan.proof) == ((), Proof.NONE)
    assert why(plan.status, kind) == ("True" if held else "False", "WriteRefused")
    assert why(plan.status, ConditionType.RECONCILING)[0] == str(held)
    assert why(plan.status, ConditionType.STALLED)[0] == str(not held)
    found = plan.status.condition(kind)
    assert found is not None
    assert found.message.startswith(f"{opens}: jammed by x; ")
    assert plan.recheck_at is not None


@ROWS
def test_the_next_try_changes_no_word_of_the_status(seen: Observed, write: Write, kind: ConditionType, opens: str) -> None:
    said = refused(seen, write)
    again = decide(replace(seen, status=said), after(1))
    later = decide(replace(seen, status=said, refusal=Refusal(write, "jammed by y")), after(2))

    assert (again.status, later.status) == (said, said)
    assert write in again.writes
    assert later.writes == ()


@ROWS
def test_it_is_told_once(seen: Observed, write: Write, kind: ConditionType, opens: str) -> None:
    said = refused(seen, write)
    told = [(e.key, e.warning, e.tell) for e in story(decide(seen, NOW).status, said) if e.reason == "WriteRefused"]

    assert told == [(opens, True, True)] == [(opening(write), True, True)]
    assert [e for e in story(said, said) if e.reason == "WriteRefused"] == []


def test_it_ends_with_the_write_that_lands() -> None:
    said = refused(*WRITES["the release"][:2])
    runs = decide(release_observed(said, facts=facts(ours(job()), undo_job())), after(5))
    stopped = refused(*WRITES["the stop"][:2])
    waits = decide(release_observed(stopped, facts=facts(STOPPED, undo_job(), 1)), after(5))

    assert why(runs.status) == ("False", "EffectRunning")
    assert why(waits.status, ConditionType.ROLLED_BACK) == ("False", "Undoing")
    assert why(waits.status, ConditionType.STALLED)[0] == "False"


def test_another_write_is_another_matter() -> None:
    said = refused(*WRITES["the stop"][:2])
    there = facts(STOPPED, undo_job())
    fresh = decide(release_observed(said, facts=there), after(5))
    other = decide(release_observed(said, facts=there, refusal=Refusal(SuspendJob(STOPPED), "old")), after(5))

    assert why(fresh.status, ConditionType.ROLLED_BACK) == ("False", "Undoing")
    assert fresh.writes == other.writes == (ReleaseJob(undo_job(), undo=True),)


def test_a_refused_release_lapses_in_its_time() -> None:
    said = refused(*WRITES["the release"][:2])
    plan = decide(release_observed(said), after(860))

    assert plan.status.phase is Phase.LAPSED


def test_what_is_only_tidied_says_what_it_said() -> None:
    done = decide(release_observed(approved(EffectState.RUNNING), facts=facts(ours(job(), complete=True))), NOW).status
    there = facts(ours(job(), complete=True))
    plan = decide(release_observed(done, facts=there, refusal=Refusal(DropFinalizer(job()), "jammed")), after(1))

    assert plan.status == done
    assert (plan.writes, plan.recheck_at) == ((), after(31))
    assert decide(release_observed(done, facts=there), after(31)).writes[-1] == MarkDone()


@pytest.mark.parametrize("write", [NoteRequest(), MarkDone()])
def test_the_request_itself_may_be_what_is_refused(write: Write) -> None:
    assert opening(write) == "the API server refuses to mark the request"
