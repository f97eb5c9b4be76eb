"""People are asked: what each word, the clock, the wall and a changed subject make of a request."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from gatehold.domain.decide import decide
from gatehold.domain.model import Effect, EffectType, Option, QuorumEntry, Tier, Verdict
from gatehold.domain.phases import Phase
from gatehold.domain.plan import MarkDone, Observed, Plan, Proof, ReleaseJob
from gatehold.domain.reasons import ConditionType
from gatehold.domain.status import EffectState, EscalationStep, Status
from tests.builders import (
    DIGEST,
    NOW,
    after,
    approve,
    approved,
    deny,
    end,
    entry,
    facts,
    job,
    observed,
    ours,
    override,
    pending,
    policy,
    recorded,
    release_observed,
    request,
    resolved,
    undo_job,
    why,
    withdraw,
)

TWO = pending(quorum=(entry("sre", 2), entry("finance", 1)), approvals="0/3")
CAROL = approve(2, "carol", role="finance")
AUTOMATIC = pending(quorum=(), approvals="")
LATE = after(3540)
CHEAP = policy(tiers=(Tier("cheap", auto_approve=True),))
BY_PEOPLE = ("Approved", "People", "QuorumMet")
BY_OVERRIDE = ("Approved", "Override", "Override")
BY_POLICY = ("Approved", "Policy", "PolicyTier")
DENIED = ("Denied", "People", "DeniedByReviewer")
WITHDRAWN = ("Withdrawn", "Requester", "WithdrawnByRequester")
EXPIRED = ("Expired", "Time", "DeadlinePassed")
WAITS = ("Pending", "", "")

ROWS: dict[str, tuple[Status, tuple[Verdict, ...], dict[str, Any], datetime, tuple[str, str, str]]] = {
    "nobody answered": (pending(), (), {}, NOW, WAITS),
    "one yes is enough where one is needed": (pending(), (approve(),), {}, NOW, BY_PEOPLE),
    "one yes is not enough where two are needed": (TWO, (approve(), CAROL), {}, NOW, WAITS),
    "two of one role do not stand in for the other": (TWO, (approve(0, "alice"), approve(1, "bob")), {}, NOW, WAITS),
    "three of one role do not either": (TWO, tuple(approve(n, f"p{n}") for n in range(3)), {}, NOW, WAITS),
    "every entry is met": (TWO, (approve(0, "alice"), approve(1, "bob"), CAROL), {}, NOW, BY_PEOPLE),
    "one person in two roles counts once": (
        TWO,
        (approve(0, "alice"), approve(1, "alice", role="finance"), approve(2, "bob")),
        {},
        NOW,
        WAITS,
    ),
    "a deny beats enough yeses": (pending(), (approve(), deny(1, "bob")), {}, NOW, DENIED),
    "a deny after one's own yes counts": (pending(), (approve(), deny(1, "alice")), {}, NOW, DENIED),
    "a deny beats an override": (pending(), (override(), deny(1)), {}, NOW, DENIED),
    "a deny beats the clock": (pending(), (deny(),), {}, LATE, DENIED),
    "a deny counts while the wall is not proven": (pending(), (deny(),), {"wall_proven": False}, NOW, DENIED),
    "a deny beats a withdrawal": (pending(), (withdraw(0), deny(1)), {}, NOW, DENIED),
    "a withdrawal beats enough yeses": (pending(), (approve(), withdraw(1)), {}, NOW, WITHDRAWN),
    "a withdrawal beats the clock": (pending(), (withdraw(),), {}, LATE, WITHDRAWN),
    "an override passes": (pending(), (override(),), {}, NOW, BY_OVERRIDE),
    "the requester may override": (pending(), (override(0, "ci"),), {}, NOW, BY_OVERRIDE),
    "a met quorum is told before an override": (pending(), (override(0), approve(1)), {}, NOW, BY_PEOPLE),
    "the clock": (pending(), (), {}, LATE, EXPIRED),
    "one second before it": (pending(), (), {}, after(3539), WAITS),
    "the clock, with some yeses": (TWO, (approve(),), {}, LATE, EXPIRED),
    "the clock while the wall is not proven": (pending(), (), {"wall_proven": False}, LATE, EXPIRED),
    "a yes that a replica saw in time, decided late": (
        pending(),
        (approve(),),
        {"first_seen": {0: after(3539)}},
        after(9000),
        BY_PEOPLE,
    ),
    "a yes that nobody saw in time": (pending(), (approve(),), {}, LATE, EXPIRED),
    "a yes that was seen at the deadline": (pending(), (approve(),), {"first_seen": {0: LATE}}, after(3541), EXPIRED),
    "an override that nobody saw in time": (pending(), (override(),), {}, LATE, EXPIRED),
    "enough yeses while the wall is not proven": (pending(), (approve(),), {"wall_proven": False}, NOW, WAITS),
    "enough yeses, never proven in time": (
        pending(verdicts=(recorded(approve()),)),
        (approve(),),
        {"wall_proven": False},
        LATE,
        EXPIRED,
    ),
    "a recorded yes whose annotation vanished": (pending(verdicts=(recorded(approve()),)), (), {}, NOW, BY_PEOPLE),
    "a recorded deny whose annotation vanished": (pending(verdicts=(recorded(deny()),)), (), {}, NOW, DENIED),
    "a yes from a gap in the wall": (pending(), (approve(),), {"unproven": frozenset({0})}, NOW, WAITS),
    "a yes given again after the gap": (
        pending(),
        (approve(0), approve(1)),
        {"unproven": frozenset({0})},
        NOW,
        BY_PEOPLE,
    ),
    "an override from a gap in the wall": (pending(), (override(),), {"unproven": frozenset({0})}, NOW, WAITS),
    "a gap that was noticed after the yes was recorded": (
        pending(verdicts=(recorded(approve()),)),
        (approve(),),
        {"unproven": frozenset({0})},
        NOW,
        ("Failed", "Operator", "ApprovalUnproven"),
    ),
    "the same for an override": (
        pending(verdicts=(recorded(override()),)),
        (override(),),
        {"unproven": frozenset({0})},
        NOW,
        ("Failed", "Operator", "ApprovalUnproven"),
    ),
    "the automatic tier, granted": (AUTOMATIC, (), {"policy": CHEAP, "auto_approve_granted": True}, NOW, BY_POLICY),
    "the automatic tier, its policy gone since": (
        AUTOMATIC,
        (),
        {"policy": None, "auto_approve_granted": True},
        NOW,
        BY_POLICY,
    ),
    "the automatic tier, not granted any more": (AUTOMATIC, (), {"policy": CHEAP}, NOW, WAITS),
    "the automatic tier, not granted until the deadline": (AUTOMATIC, (), {"policy": CHEAP}, LATE, EXPIRED),
    "the automatic tier while the wall is not proven": (
        AUTOMATIC,
        (),
        {"auto_approve_granted": True, "wall_proven": False},
        NOW,
        WAITS,
    ),
    "the automatic tier after a deny": (AUTOMATIC, (deny(),), {"auto_approve_granted": True}, NOW, DENIED),
    "the automatic tier, not granted, overridden": (AUTOMATIC, (override(),), {}, NOW, BY_OVERRIDE),
    "nobody approves where a tier decides alone": (AUTOMATIC, (approve(),), {}, NOW, WAITS),
    "a grant does not stand in for people who were asked": (pending(), (), {"auto_approve_granted": True}, NOW, WAITS),
    "an effect of another version": (
        pending(),
        (approve(),),
        {"request": request(effect=Effect(EffectType.DRAIN))},
        NOW,
        ("Failed", "Operator", "EffectNotSupported"),
    ),
}


@pytest.mark.parametrize(("status", "said", "changes", "now", "ending"), ROWS.values(), ids=ROWS)
def test_a_request_that_waits(
    status: Status, said: tuple[Verdict, ...], changes: dict[str, Any], now: datetime, ending: tuple[str, str, str]
) -> None:
    plan = decide(observed(status, verdicts=said, **changes), now)

    assert end(plan.status) == ending
    assert (plan.recheck_at is None) == (plan.status.phase is not Phase.PENDING)
    assert {v.id for v in said} <= {e.verdict.id for e in plan.status.verdicts}


OPTIONS = (Option("slow"), Option("fast"))


def test_the_option_of_the_approvals_is_the_decisions() -> None:
    seen = observed(pending(), request=request(options=OPTIONS), verdicts=(approve(option="fast"),))
    decision = decide(seen, NOW).status.decision

    assert decision is not None
    assert (decision.option, decision.message, decision.at) == ("fast", "approved by alice", NOW)


@pytest.mark.parametrize(
    ("changes", "tier"), [({"policy": CHEAP}, "cheap"), ({"policy": policy()}, ""), ({"policy": None}, "")], ids=str
)
def test_the_decision_of_a_policy_names_its_tier(changes: dict[str, Any], tier: str) -> None:
    decision = decide(observed(AUTOMATIC, auto_approve_granted=True, **changes), NOW).status.decision

    assert decision is not None
    assert decision.tier == tier


@pytest.mark.parametrize(
    "said",
    [
        tuple(approve(n, f"{n}" * 900) for n in range(2)),
        (override(comment="x" * 1024),),
        (deny(comment="x" * 1024),),
        (withdraw(comment="x" * 1024),),
    ],
    ids=["names", "an override", "a deny", "a withdrawal"],
)
def test_a_message_fits_the_status_however_long_its_parts(said: tuple[Verdict, ...]) -> None:
    """The API server refuses a longer one, and the request would hang for good."""
    status = decide(observed(pending(quorum=(entry(count=2),)), verdicts=said), NOW).status

    assert status.decision is not None
    assert 900 < len(status.decision.message) <= 1024
    assert max(len(c.message) for c in status.conditions) <= 1024


WHY: dict[str, tuple[Status, dict[str, Any], str, str]] = {
    "for people": (TWO, {"verdicts": (approve(),)}, "AwaitingApproval", "1 of sre, 1 of finance"),
    "for people, whether the wall is proven or not": (TWO, {"wall_proven": False}, "AwaitingApproval", "2 of sre"),
    "for the wall, once it alone is missing": (
        pending(),
        {"wall_proven": False, "verdicts": (approve(),)},
        "WallNotProven",
        "gatehold doctor",
    ),
    "for the wall, where a word cannot be counted yet": (
        TWO,
        {"wall_proven": False, "unread": True},
        "WallNotProven",
        "a word was given that is not counted yet",
    ),
    "for a grant": (AUTOMATIC, {}, "PolicyNotReady", "auto-approve"),
}


@pytest.mark.parametrize(("status", "changes", "reason", "text"), WHY.values(), ids=WHY)
def test_it_says_what_it_waits(status: Status, changes: dict[str, Any], reason: str, text: str) -> None:
    found = decide(observed(status, **changes), NOW).status.condition(ConditionType.HELD)

    assert found is not None
    assert (found.status, found.reason) == ("True", reason)
    assert text in found.message


@pytest.mark.parametrize(
    ("proven", "text"),
    [(True, "not enough approvals in time (0/1 approvals)"), (False, "not proven in force in time (1/1 approvals)")],
)
def test_an_expired_request_says_what_was_missing(*, proven: bool, text: str) -> None:
    status = pending(verdicts=(recorded(approve()),)) if not proven else pending()
    decision = decide(observed(status, verdicts=(), wall_proven=proven), LATE).status.decision

    assert decision is not None
    assert text in decision.message


STEPS = (EscalationStep(60, NOW, ("duty",)), EscalationStep(600, after(540), ("boss",)))
WIDE = pending(quorum=(entry(backups=("duty", "boss")), entry("finance")), escalations=STEPS)


def test_an_escalation_opens_the_backups_whose_time_has_come_once_and_lowers_nothing() -> None:
    plan = decide(observed(WIDE), NOW)
    later = decide(observed(plan.status), after(5))

    assert [s.opened_at for s in plan.status.escalations] == [NOW, None]
    assert plan.status.quorum == (entry(backups=("duty", "boss"), accepted=("sre", "duty")), entry("finance"))
    assert plan.recheck_at == after(540)
    assert later.status == plan.status


def test_a_backup_counts_once_the_escalation_is_open() -> None:
    status = decide(observed(WIDE), NOW).status
    said = (approve(0, "dave", role="duty"), approve(1, "carol", role="finance"))

    assert end(decide(observed(status, verdicts=said), after(5)).status) == BY_PEOPLE


def test_a_request_that_a_tier_decides_says_nothing_of_approvals_when_it_expires() -> None:
    decision = decide(observed(AUTOMATIC), LATE).status.decision

    assert decision is not None
    assert decision.message == "not enough approvals in time"


def test_an_escalation_of_roles_that_nobody_needs_is_opened_and_changes_nothing() -> None:
    status = decide(observed(replace(WIDE, quorum=(entry(),))), NOW).status

    assert status.quorum == (entry(),)


def test_approved_without_an_effect_is_the_end_and_needs_its_proof_first() -> None:
    plan = decide(observed(pending(), verdicts=(approve(),)), NOW)

    assert (plan.proof, plan.writes, plan.recheck_at) == (Proof.BEFORE_STATUS, (MarkDone(),), None)
    assert why(plan.status, ConditionType.READY) == ("True", "QuorumMet")
    assert why(plan.status, ConditionType.APPROVED) == ("True", "QuorumMet")
    assert plan.status.valid_until == after(900)
    assert plan.status.effect is None


def test_approved_without_a_snapshot_of_the_validity_uses_the_operators_own() -> None:
    plan = decide(observed(pending(policy=None), verdicts=(approve(),)), NOW)

    assert plan.status.valid_until == after(3600)


def test_approved_with_an_effect_records_the_prior_state_and_releases_in_the_same_plan() -> None:
    plan = decide(release_observed(pending(resolved=resolved()), verdicts=(approve(),)), NOW)

    assert plan.status.effect is not None
    assert (plan.status.phase, plan.status.effect.state) == (Phase.APPROVED, EffectState.WAITING)
    assert (plan.status.effect.prior_suspend, plan.status.effect.started_at) == (True, None)
    assert (plan.proof, plan.writes) == (Proof.BEFORE_WRITES, (ReleaseJob(job()),))
    assert why(plan.status, ConditionType.APPROVED) == ("True", "QuorumMet")
    assert why(plan.status, ConditionType.READY) == ("False", "EffectRunning")


def test_an_override_is_seen_for_good() -> None:
    plan = decide(release_observed(pending(resolved=resolved()), verdicts=(override(),)), NOW)
    over = decide(release_observed(plan.status, verdicts=(override(), deny(1))), NOW)

    assert why(plan.status, ConditionType.OVERRIDDEN) == ("True", "Override")
    assert why(over.status, ConditionType.OVERRIDDEN) == ("True", "Override")


DRIFT: dict[str, tuple[Any, tuple[str, str, str]]] = {
    "the Job was deleted": (facts(None, undo_job()), ("Superseded", "Operator", "SubjectDeleted")),
    "the Job is being deleted": (facts(job(deleting=True), undo_job()), ("Superseded", "Operator", "SubjectDeleted")),
    "the Job was replaced": (facts(job(uid="new"), undo_job()), ("Superseded", "Operator", "SubjectChanged")),
    "the Job was changed": (facts(job(digest="else"), undo_job()), ("Superseded", "Operator", "SubjectChanged")),
    "the Job was put under another policy": (
        facts(job(hold="dev"), undo_job()),
        ("Superseded", "Operator", "SubjectChanged"),
    ),
    "the Job was let go by hand": (
        facts(job(suspended=False, overridden="INC-1"), undo_job()),
        ("Superseded", "Operator", "SubjectOverridden"),
    ),
    "the Job runs by another hand": (facts(job(suspended=False), undo_job()), ("Failed", "Operator", "SubjectRunning")),
    "the Job has run": (facts(job(complete=True), undo_job()), ("Failed", "Operator", "SubjectRunning")),
    "another request released the Job": (
        facts(job(released_by="older"), undo_job()),
        ("Failed", "Operator", "SubjectTaken"),
    ),
    "the undo Job was deleted": (facts(job(), None), ("Superseded", "Operator", "SubjectDeleted")),
    "the undo Job was changed": (facts(job(), undo_job(digest="else")), ("Superseded", "Operator", "SubjectChanged")),
    "the undo Job runs": (facts(job(), undo_job(suspended=False)), ("Failed", "Operator", "SubjectRunning")),
}


@pytest.mark.parametrize(("there", "ending"), DRIFT.values(), ids=DRIFT)
@pytest.mark.parametrize("said", [(), (approve(),)], ids=["unanswered", "with a yes"])
def test_nothing_is_released_where(said: tuple[Verdict, ...], there: Any, ending: tuple[str, str, str]) -> None:
    plan = decide(release_observed(pending(resolved=resolved()), facts=there, verdicts=said), NOW)

    assert end(plan.status) == ending
    assert why(plan.status, ConditionType.ROLLED_BACK) == ("True", "NothingToUndo")
    assert (plan.writes, plan.status.effect) == ((MarkDone(),), None)
    assert (why(plan.status, ConditionType.OVERRIDDEN)[0] == "True") == (ending[2] == "SubjectOverridden")


def test_a_request_without_what_was_resolved_fails() -> None:
    assert end(decide(release_observed(pending()), NOW).status) == ("Failed", "Operator", "InvalidRequest")


def test_a_phase_that_nobody_writes_beside_a_digest_is_held() -> None:
    plan = decide(observed(pending(phase=Phase.UNSET), verdicts=(approve(),)), NOW)

    assert (plan.status.phase, plan.writes, plan.status.request_digest) == (Phase.PENDING, (), DIGEST)


def seen_after(status: Status, **changes: Any) -> Observed:
    return release_observed(status, facts=facts(ours(job()), undo_job()), **changes)


def test_a_gap_that_is_noticed_once_the_effect_has_begun_stops_nothing() -> None:
    plan = decide(seen_after(approved(EffectState.RUNNING), unproven=frozenset({0})), NOW)

    assert plan.status.phase is Phase.APPROVED


def test_nor_once_the_job_bears_the_mark_of_its_release_though_a_crash_kept_that_from_being_recorded() -> None:
    plan = decide(seen_after(approved(), unproven=frozenset({0})), NOW)

    assert plan.status.phase is Phase.APPROVED
    assert plan.status.effect is not None
    assert plan.status.effect.state is EffectState.RUNNING


def test_a_gap_that_is_noticed_before_the_effect_has_begun_ends_it() -> None:
    plan: Plan = decide(release_observed(approved(), unproven=frozenset({0})), NOW)

    assert end(plan.status) == ("Failed", "Operator", "ApprovalUnproven")


def test_the_quorum_of_a_running_request_does_not_move_with_its_policy() -> None:
    seen = observed(pending(), policy=policy(quorum=(QuorumEntry("sre", 5),)), verdicts=(approve(),))

    assert end(decide(seen, NOW).status) == BY_PEOPLE
