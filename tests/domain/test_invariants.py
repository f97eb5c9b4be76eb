"""What must hold of every decision, whatever is observed.

The checks of one plan share their examples, since an example costs more than a check; a failure names its check.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gatehold.domain.decide import decide
from gatehold.domain.model import Effect, EffectType, Verdict, Word
from gatehold.domain.phases import MOVES, Phase, is_over, is_refused, may_move
from gatehold.domain.plan import MarkDone, NoteRequest, Observed, Plan, Proof, ReleaseJob, SuspendJob
from gatehold.domain.quorum import tally
from gatehold.domain.reasons import UNDER_WAY, ConditionType
from gatehold.domain.rollout.record import Outcome
from gatehold.domain.status import By, EffectState, Status
from tests.builders import NOW, approve, deny, observed, pending, why
from tests.domain.strategies import ROLES, instants, observeds
from tests.domain.wall import objections
from tests.domain.world import World
from tests.promotions import promote_request

LEFT_ALONE = ("SubjectOverridden", "NothingToUndo", "OutcomeUnknown", "UndoUnavailable", "NoUndoNamed")
"""Ends at which this operator has nothing running of its own, or may not put back what runs."""
Check = Callable[[Observed, Plan, datetime], None]
HOW_FAR = {Phase.APPROVED: 1, Phase.RELEASED: 2}


def outcome(plan: Plan) -> tuple[object, ...]:
    """All of a plan but the ledger: what a verdict that does not count must leave as it is."""
    return (replace(plan.status, verdicts=()), plan.writes, plan.proof, plan.recheck_at)


def releases(plan: Plan, *, undo: bool = False) -> list[ReleaseJob]:
    return [w for w in plan.writes if isinstance(w, ReleaseJob) and w.undo is undo]


def the_api_server_takes_it(seen: Observed, plan: Plan, now: datetime) -> None:
    """Moves only as the table says; a status that moves has recorded every admitted verdict; and all else of the wall."""
    assert objections(seen.status, plan.status, seen) == []
    assert may_move(seen.status.phase, plan.status.phase, has_effect=seen.request.has_effect)


def it_is_the_same_again(seen: Observed, plan: Plan, now: datetime) -> None:
    assert decide(seen, now) == plan


def what_is_undecided_is_looked_at_again(seen: Observed, plan: Plan, now: datetime) -> None:
    left_alone = seen.request.done or seen.request.deleting

    assert plan.recheck_at is None or plan.recheck_at > now
    assert left_alone or plan.recheck_at is not None or plan.writes


def the_label_done_comes_last_and_at_an_end_only(seen: Observed, plan: Plan, now: datetime) -> None:
    if MarkDone() not in plan.writes:
        return
    assert is_over(plan.status.phase, has_effect=seen.request.has_effect)
    assert plan.writes.index(MarkDone()) == len(plan.writes) - 1
    assert not is_refused(plan.status.phase) or why(plan.status, ConditionType.ROLLED_BACK)[1] not in ("", *UNDER_WAY)
    assert not any(isinstance(w, ReleaseJob | SuspendJob) for w in plan.writes)
    effect = plan.status.effect
    if (
        is_refused(plan.status.phase)
        and effect is not None
        and effect.undo is not None
        and effect.undo.finished_at is not None
    ):
        assert seen.facts.undo_pods == () or why(plan.status, ConditionType.ROLLED_BACK)[1] in LEFT_ALONE


def a_job_is_released_only_for_what_was_approved(seen: Observed, plan: Plan, now: datetime) -> None:
    status = plan.status
    for write in releases(plan):
        assert status.resolved is not None
        assert status.resolved.job is not None
        assert (write.job.uid, write.job.digest) == (status.resolved.job.uid, status.resolved.job.digest)
        assert (status.phase, plan.proof, seen.wall_proven) == (Phase.APPROVED, Proof.BEFORE_WRITES, True)
        assert status.effect is not None
        assert status.effect.state is EffectState.WAITING
        assert (write.job.suspended, write.job.released_by, write.job.deleting) == (True, "", False)
        assert not any(e.counted and e.verdict.word in (Word.DENY, Word.WITHDRAW) for e in status.verdicts)
        assert {v.id for v in seen.verdicts} <= {e.verdict.id for e in status.verdicts}
        assert status.valid_until is not None
        assert now < status.valid_until


def an_undo_job_is_run_only_after_the_end_and_the_pods(seen: Observed, plan: Plan, now: datetime) -> None:
    status = plan.status
    for write in releases(plan, undo=True):
        assert is_refused(status.phase)
        assert status.resolved is not None
        assert status.resolved.undo is not None
        assert (write.job.uid, write.job.digest) == (status.resolved.undo.uid, status.resolved.undo.digest)
        assert seen.facts.pods == ()
        assert (write.job.suspended, write.job.released_by) == (True, "")


def approved_by_people_means_that_the_tally_is_complete(seen: Observed, plan: Plan, now: datetime) -> None:
    status = plan.status
    if seen.status.phase is Phase.APPROVED or status.phase is not Phase.APPROVED or status.decision is None:
        return
    assert (status.decision.by is By.PEOPLE) == tally(status.verdicts, status.quorum).complete
    assert status.decision.by in (By.PEOPLE, By.OVERRIDE, By.POLICY)
    assert seen.wall_proven


def an_end_is_an_end(seen: Observed, plan: Plan, now: datetime) -> None:
    if not MOVES[seen.status.phase]:
        assert (plan.status.phase, plan.status.decision) == (seen.status.phase, seen.status.decision)
        assert releases(plan) == []


def effect_none_is_never_written_to_a_target(seen: Observed, plan: Plan, now: datetime) -> None:
    if not seen.request.has_effect:
        assert not any(isinstance(w, ReleaseJob | SuspendJob) for w in plan.writes)


def a_promotion_says_what_its_rollout_says_and_writes_nothing(seen: Observed, plan: Plan, now: datetime) -> None:
    """Released only where the record says promoted, begun only where it says that this very yes was used."""
    if seen.request.effect.type is not EffectType.PROMOTE:
        return
    was, status, rollout = seen.status, plan.status, seen.facts.rollout
    assert all(isinstance(write, NoteRequest | MarkDone) for write in plan.writes)
    begun = status.effect is not None and status.effect.started_at is not None
    if begun and (was.effect is None or was.effect.started_at is None):
        assert rollout is not None
        assert rollout.uid == promote_request().subject.uid
        assert rollout.passed or (rollout.over is not None and rollout.over.outcome is Outcome.PROMOTED)
    if status.phase is Phase.RELEASED and was.phase is not Phase.RELEASED:
        assert rollout is not None
        assert rollout.over is not None
        assert (rollout.over.outcome, was.phase) == (Outcome.PROMOTED, Phase.APPROVED)
    if MarkDone() in plan.writes and is_refused(was.phase) and why(was, ConditionType.ROLLED_BACK)[1] in ("", *UNDER_WAY):
        gone = rollout is None or rollout.uid != promote_request().subject.uid or rollout.deleting
        assert seen.request.subject != promote_request().subject or gone or rollout.over or rollout.question is None


CHECKS: tuple[Check, ...] = (
    the_api_server_takes_it,
    it_is_the_same_again,
    what_is_undecided_is_looked_at_again,
    the_label_done_comes_last_and_at_an_end_only,
    a_job_is_released_only_for_what_was_approved,
    an_undo_job_is_run_only_after_the_end_and_the_pods,
    approved_by_people_means_that_the_tally_is_complete,
    an_end_is_an_end,
    effect_none_is_never_written_to_a_target,
    a_promotion_says_what_its_rollout_says_and_writes_nothing,
)


@settings(max_examples=settings.default.max_examples * 3)
@given(observeds(), instants)
def test_every_plan_keeps_every_rule(seen: Observed, now: datetime) -> None:
    plan = decide(seen, now)
    for check in CHECKS:
        check(seen, plan, now)


@settings(max_examples=settings.default.max_examples * 2)
@given(observeds(st.just(Effect(EffectType.PROMOTE))), instants)
def test_every_plan_of_a_promotion_keeps_every_rule_and_comes_to_rest(seen: Observed, now: datetime) -> None:
    plan = decide(seen, now)
    for check in CHECKS:
        check(seen, plan, now)
    world = World.of(seen, now)
    world.settle()
    assert world.settle(limit=2).status == world.status


INELIGIBLE = st.sampled_from(
    [
        *(approve(9, "ci", role=role) for role in ROLES),
        approve(9, "system:admin"),
        approve(9, "alice", role="nobody"),
        approve(9, "alice", digest="sha256:" + "f" * 64),
        approve(9, "alice", option="not offered"),
        replace(approve(9, "system:admin"), word=Word.OVERRIDE, role=""),
        replace(approve(9, "mallory"), word=Word.WITHDRAW, role=""),
    ]
)


@given(observeds(), instants, INELIGIBLE)
def test_a_verdict_that_is_not_eligible_changes_nothing_but_the_ledger(seen: Observed, now: datetime, more: Verdict) -> None:
    """The requester's own approval is one of them: it never counts, in whatever role."""
    plan = decide(replace(seen, verdicts=(*seen.verdicts, more)), now)

    assert outcome(plan) == outcome(decide(seen, now))
    assert not any(e.counted for e in plan.status.verdicts if e.verdict == more)


@given(observeds(), instants, st.sampled_from(["ci", "alice", "zoe", "mallory", "system:admin"]))
def test_a_deny_never_helps(seen: Observed, now: datetime, name: str) -> None:
    without = decide(seen, now)
    plan = decide(replace(seen, verdicts=(*seen.verdicts, deny(9, name))), now)
    closed = is_over(seen.status.phase, has_effect=seen.request.has_effect)

    assert HOW_FAR.get(plan.status.phase, 0) <= HOW_FAR.get(without.status.phase, 0)
    assert closed or plan.status.phase not in HOW_FAR or seen.request.deleting or seen.request.done
    assert releases(plan) == []


@given(observeds(), instants, st.randoms(use_true_random=False))
def test_order_and_duplicates_of_annotations_do_not_matter_nor_that_they_vanish(
    seen: Observed, now: datetime, random: Random
) -> None:
    mixed = [*seen.verdicts, *seen.verdicts]
    random.shuffle(mixed)
    plan = decide(seen, now)
    later = decide(replace(seen, status=plan.status, verdicts=()), now)

    assert decide(replace(seen, verdicts=tuple(mixed)), now) == plan
    assert later.status.verdicts == plan.status.verdicts


def test_the_order_of_the_numbers_does_matter() -> None:
    """The number is the order in which the API server took the verdicts: of one person's two, the first counts."""
    status = pending(quorum=(replace(pending().quorum[0], accepted=("sre", "duty")),))
    twice = (approve(0, role="duty"), approve(1, role="sre"))
    swapped = (approve(0, role="sre"), approve(1, role="duty"))

    assert [e.counted for e in decide(observed(status, verdicts=twice), NOW).status.verdicts] == [True, False]
    assert [e.counted for e in decide(observed(status, verdicts=swapped), NOW).status.verdicts] == [True, False]


@given(observeds(), instants, st.integers(0, 10**7))
def test_growing_time_never_takes_an_end_by_time_back(seen: Observed, now: datetime, seconds: int) -> None:
    early, late = decide(seen, now).status, decide(seen, now + timedelta(seconds=seconds)).status

    if early.phase in (Phase.EXPIRED, Phase.LAPSED):
        assert late.phase is early.phase


@given(observeds(), instants, st.integers(1, 3600))
def test_a_plan_that_was_carried_out_comes_to_rest_and_stays_there(seen: Observed, now: datetime, seconds: int) -> None:
    """At one instant a few turns are enough; then nothing is new, and until the recheck nothing becomes so (no flapping)."""
    world = World.of(seen, now)
    world.settle()
    rest = world.settle(limit=2)
    later = now + timedelta(seconds=seconds)

    assert rest.status == world.status
    assert not any(isinstance(w, ReleaseJob | SuspendJob) for w in rest.writes)
    assert len({uid for uid, _ in world.log}) == len(world.log)
    if rest.recheck_at is None or later < rest.recheck_at:
        assert decide(world.observe(), later).status == world.status


def silent(status: Status) -> Status:
    """The same status, with every recorded yes of no account."""
    yes = (Word.APPROVE, Word.OVERRIDE)
    kept = (replace(e, counted=False, reason="Late") if e.verdict.word in yes else e for e in status.verdicts)
    return replace(status, verdicts=tuple(kept))


@given(observeds(), instants)
@example(observed(pending(quorum=())), NOW)
def test_nothing_passes_without_a_yes(seen: Observed, now: datetime) -> None:
    nobody = replace(seen, verdicts=(), auto_approve_granted=False, status=silent(seen.status))
    plan = decide(nobody, now)

    if nobody.status.phase in (Phase.UNSET, Phase.PENDING):
        assert plan.status.phase not in HOW_FAR
        assert releases(plan) == []
