"""Effect Release on the pods of an owner: asked, let go, kept in sight; and what becomes of what nobody approved."""

from dataclasses import replace

import pytest

from gatehold.domain.decide import SELDOM, decide
from gatehold.domain.effects import rules_for
from gatehold.domain.effects.release_pods import ReleasePodsRules, covered
from gatehold.domain.model import Option, Subject, Word
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Facts, MarkDone, Observed, Plan, Proof, Write
from gatehold.domain.provision.model import (
    DeleteOwner,
    LetGo,
    OnDenied,
    OptionSeen,
    Owner,
    ScaleOwner,
    Sight,
    SuspendOwner,
)
from gatehold.domain.provision.shown import resolved
from gatehold.domain.reasons import ConditionType, Reason
from gatehold.domain.status import By, Decision, EffectState, Status
from tests.builders import DIGEST, NOW, UID, after, approve, deny, end, recorded, release_request, why
from tests.provisions import (
    GATE,
    NEW,
    ODD,
    asked,
    job,
    owner,
    pod,
    pods,
    pods_effect,
    pods_observed,
    pods_pending,
    pods_request,
    sight,
)

PENDING = asked(Phase.PENDING)
YES = Decision(Phase.APPROVED, By.PEOPLE, after(-40), reason=Reason.QUORUM_MET)


def waiting(**changes: object) -> Sight:
    """Three pods wait, and this request asks about four."""
    return sight(*pods(3), **{"asked": (PENDING,)} | changes)


def approved(state: EffectState = EffectState.WAITING, option: str = "", seen: Sight | None = None) -> Status:
    """Alice said yes a moment ago."""
    return replace(
        pods_pending(seen or waiting()),
        phase=Phase.APPROVED,
        verdicts=(recorded(approve(option=option), -40),),
        decision=replace(YES, option=option),
        valid_until=after(60),
        effect=pods_effect(state, started=None if state is EffectState.WAITING else after(-30)),
    )


def writes(plan: Plan) -> list[type[Write]]:
    return [type(write) for write in plan.writes]


def let_go(plan: Plan) -> list[str]:
    return [pod.name for write in plan.writes if isinstance(write, LetGo) for pod in write.pods]


# ---- whose it is


def test_it_is_found_by_who_asks_and_where() -> None:
    assert isinstance(rules_for(pods_request()), ReleasePodsRules)
    assert isinstance(rules_for(pods_request(subject=Subject("batch/v1", "Job", "shop", "train", "u"))), ReleasePodsRules)
    assert not isinstance(rules_for(release_request()), ReleasePodsRules)
    assert rules_for(pods_request(gate="")) is None
    assert rules_for(pods_request(subject=Subject("apps/v1", "Deployment", "other", "web", "u"))) is None
    assert rules_for(pods_request(subject=None)) is None


# ---- before anybody is asked


def test_it_is_prepared_with_price_and_size() -> None:
    plan = decide(pods_observed(Status()), NOW)
    shown = plan.status.resolved

    assert (plan.status.phase, plan.writes) == (Phase.PENDING, ())
    assert shown is not None
    assert shown.provision is not None
    assert shown.price is not None
    assert (shown.provision.pods, shown.provision.on_denied, shown.price.hourly_high) == (4, "Keep", shown.price.amount)


UNASKED: dict[str, tuple[Sight | None, tuple[str, str]]] = {
    "nothing known": (None, ("Failed", "SubjectNotFound")),
    "no gate": (waiting(gate=None, why="gone"), ("Superseded", "GateNotFound")),
    "another policy": (waiting(gate=replace(GATE, policy="other")), ("Superseded", "PolicyMismatch")),
    "no table": (waiting(table=None, table_flaw="CPU is missing"), ("Superseded", "PriceTableBroken")),
    "another gate": (waiting(gate=replace(GATE, name="other")), ("Superseded", "SubjectChanged")),
    "owner gone": (waiting(owner=owner(gone=True)), ("Superseded", "SubjectDeleted")),
    "owner going": (waiting(owner=owner(deleting=True)), ("Superseded", "SubjectDeleted")),
}


@pytest.mark.parametrize("case", UNASKED)
def test_it_is_not_asked_where(case: str) -> None:
    seen, (phase, reason) = UNASKED[case]
    observed = replace(pods_observed(Status()), facts=Facts(provision=seen))

    assert (end(decide(observed, NOW).status)[0], end(decide(observed, NOW).status)[2]) == (phase, reason)


def test_a_fresh_question_about_odd_pods_is_no_leftover() -> None:
    """Nobody knows yet that they are odd: that is resolved with the price."""
    odd = sight(*pods(3), owner=owner(digest=NEW), asked=(asked(Phase.UNSET, size=0),))

    assert decide(pods_observed(Status(), odd), NOW).status.phase is Phase.PENDING


# ---- while people are asked


SUPERSEDED: dict[str, Sight] = {
    "another template, and no pod of this one": waiting(owner=owner(digest=NEW), pods=(pod(8, digest=NEW),)),
    "more are wanted, and nobody has spoken": waiting(owner=owner(replicas=7)),
    "another template, and only pods that never ran": waiting(owner=owner(digest=NEW)),
    "none are wanted": sight(owner=owner(replicas=0), asked=(PENDING,)),
    "owner deleted": waiting(owner=owner(gone=True)),
}


@pytest.mark.parametrize("case", SUPERSEDED)
def test_it_is_superseded_by(case: str) -> None:
    plan = decide(pods_observed(pods_pending(), SUPERSEDED[case]), NOW)
    kept = case == "another template, and only pods that never ran"  # so that they are not asked about as odd ones

    assert (plan.status.phase, writes(plan)) == (Phase.SUPERSEDED, [] if kept else [MarkDone])
    assert why(plan.status, ConditionType.ROLLED_BACK) == ("True", "NothingToUndo")


KEPT: dict[str, Sight] = {
    "fewer are wanted": waiting(owner=owner(replicas=1)),
    "more are wanted, and somebody has spoken": waiting(owner=owner(replicas=7), asked=(replace(PENDING, heard=True),)),
    "an old template of which pods run": sight(*pods(1, running=2), owner=owner(digest=NEW), asked=(PENDING,)),
    "odd pods": waiting(owner=owner(digest=NEW), asked=(replace(PENDING, odd=True),)),
    "the request is not in the cache yet": waiting(owner=owner(replicas=7), asked=()),
    "none wait for a moment": sight(asked=(PENDING,)),
    "the gate cannot be read for a moment": waiting(gate=None, why="unreadable"),
    "the table is broken for a moment": waiting(table=None),
    "the owner cannot be read for a moment": sight(owner=owner(known=False, why="forbidden", digest=""), asked=(PENDING,)),
    "more are there while some leave": waiting(pods=(*pods(3), *(pod(n, deleting=True, gated=False) for n in (7, 8, 9)))),
}


@pytest.mark.parametrize("case", KEPT)
def test_it_waits_on_where(case: str) -> None:
    assert decide(pods_observed(pods_pending(), KEPT[case]), NOW).status.phase is Phase.PENDING


def test_a_yes_that_the_owners_cycle_has_not_seen_yet_is_not_overtaken() -> None:
    plan = decide(pods_observed(pods_pending(), waiting(owner=owner(replicas=7)), verdicts=(approve(),)), NOW)

    assert (plan.status.phase, let_go(plan)) == (Phase.APPROVED, ["p1", "p2", "p3"])


def test_a_moment_without_any_sight_ends_nothing() -> None:
    observed = replace(pods_observed(pods_pending()), facts=Facts())

    assert decide(observed, NOW).status.phase is Phase.PENDING


# ---- the yes


def test_a_yes_lets_them_go_beside_a_proof() -> None:
    plan = decide(pods_observed(pods_pending(), verdicts=(approve(),)), NOW)

    assert (plan.status.phase, plan.proof, let_go(plan)) == (Phase.APPROVED, Proof.BEFORE_WRITES, ["p1", "p2", "p3"])
    assert [write.released_by for write in plan.writes if isinstance(write, LetGo)] == [UID]


def test_without_a_proof_nothing_goes() -> None:
    plan = decide(pods_observed(approved(), wall_proven=False), NOW)

    assert why(plan.status) == ("True", "WallNotProven")
    assert plan.proof is Proof.BEFORE_WRITES


def test_once_begun_the_rest_goes_on_beyond_the_validity() -> None:
    some = sight(*pods(2, running=1), asked=(asked(Phase.APPROVED),))
    plan = decide(pods_observed(replace(approved(), valid_until=after(-1)), some), NOW)

    assert (let_go(plan), plan.status.effect.state if plan.status.effect else "") == (["p2", "p3"], EffectState.RUNNING)


def test_what_was_not_begun_within_the_validity_lapses() -> None:
    plan = decide(pods_observed(replace(approved(), valid_until=after(-1))), NOW)

    assert end(plan.status) == ("Lapsed", "Time", "ValidityPassed")


def test_an_approval_without_a_validity_is_begun() -> None:
    assert let_go(decide(pods_observed(replace(approved(), valid_until=None)), NOW)) == ["p1", "p2", "p3"]


def test_it_is_released_once_nothing_that_is_covered_waits() -> None:
    running = sight(*pods(running=3), asked=(asked(Phase.APPROVED),))
    plan = decide(pods_observed(approved(EffectState.RUNNING), running), NOW)

    assert (plan.status.phase, plan.writes) == (Phase.RELEASED, ())
    assert plan.status.effect is not None
    assert plan.status.effect.message == "3 pods were let go, and up to 4 of this template may run at the same time"


def test_a_yes_to_what_is_superseded_releases_nothing() -> None:
    plan = decide(pods_observed(approved(), waiting(owner=owner(gone=True))), NOW)

    assert (plan.status.phase, let_go(plan)) == (Phase.SUPERSEDED, [])


def test_an_option_lets_its_own_size_go() -> None:
    offered = waiting(owner=owner(options=(OptionSeen("cheap", 2),)))
    status = approved(option="cheap", seen=offered)
    request = pods_request(options=(Option("cheap"),))

    assert covered(status) == 2
    assert let_go(decide(replace(pods_observed(status, offered), request=request), NOW)) == ["p1", "p2"]
    assert covered(replace(status, decision=replace(YES, option="unknown"))) == 0
    assert covered(replace(status, decision=None)) == 4
    assert covered(pods_pending()) == 0
    assert covered(replace(status, resolved=None)) == 0


LOST: dict[str, Observed] = {
    "its record": pods_observed(replace(approved(), effect=None)),
    "what was resolved": pods_observed(replace(approved(), resolved=None)),
    "its size": pods_observed(replace(approved(), resolved=replace(resolved(waiting(), DIGEST), provision=None))),
    "its sight": replace(pods_observed(approved()), facts=Facts()),
}


@pytest.mark.parametrize("case", LOST)
def test_an_approval_that_lost_lets_nothing_go(case: str) -> None:
    plan = decide(LOST[case], NOW)

    assert (plan.status.phase, let_go(plan)) == (Phase.FAILED, [])


def test_begin_without_a_sight_records_nothing() -> None:
    rules = ReleasePodsRules()
    blind = replace(pods_observed(pods_pending()), facts=Facts())

    assert (rules.begin(blind, pods_pending()), rules.begun(blind)) == (None, False)


# ---- how long it stays in sight


REMEMBERED = [Phase.RELEASED, Phase.DENIED, Phase.EXPIRED, Phase.LAPSED]


def over(phase: Phase, seen: Sight) -> Plan:
    """The request has ended that way, its undo too, and this is what there is."""
    status = replace(approved(EffectState.DONE), phase=phase, decision=Decision(phase, By.PEOPLE, after(-5)))
    first = decide(pods_observed(status, seen), NOW)
    return decide(pods_observed(first.status, seen), NOW)


@pytest.mark.parametrize("phase", REMEMBERED)
def test_it_stays_while_the_owner_lives_with_that_template(phase: Phase) -> None:
    plan = over(phase, sight(*pods(running=3), asked=(asked(phase),)))

    assert (plan.writes, plan.recheck_at) == ((), NOW + SELDOM)


def test_it_stays_while_its_owner_cannot_be_read() -> None:
    assert over(Phase.RELEASED, sight(owner=owner(known=False, why="forbidden", digest=""))).writes == ()


GONE: dict[str, Sight] = {
    "the owner is gone": sight(owner=owner(gone=True)),
    "another template, no pods": sight(owner=owner(digest=NEW)),
    "an unknown owner without pods": sight(owner=owner(known=False)),
}


@pytest.mark.parametrize("case", GONE)
@pytest.mark.parametrize("phase", REMEMBERED)
def test_it_is_done_once(phase: Phase, case: str) -> None:
    assert writes(over(phase, GONE[case])) == [MarkDone]


def test_a_job_of_that_template_keeps_it() -> None:
    jobs = sight(owner=owner(digest=NEW), jobs=(job(suspended=False),))

    assert over(Phase.RELEASED, jobs).writes == ()
    assert writes(over(Phase.RELEASED, replace(jobs, jobs=(job(finished=True),)))) == [MarkDone]


def test_a_no_of_an_earlier_retry_is_done_and_a_yes_is_not() -> None:
    again = sight(*pods(running=3), owner=owner(retry="2"), asked=(asked(retry=""),))

    assert writes(over(Phase.DENIED, again)) == [MarkDone]
    assert over(Phase.RELEASED, again).writes == ()


def test_what_was_superseded_is_done() -> None:
    assert writes(over(Phase.SUPERSEDED, sight(*pods(3)))) == [MarkDone]


def test_without_a_sight_it_is_done() -> None:
    status = replace(approved(EffectState.DONE), phase=Phase.RELEASED)

    assert writes(decide(replace(pods_observed(status), facts=Facts()), NOW)) == [MarkDone]


# ---- what becomes of the rest


def denied(on_denied: OnDenied, seen: Sight, **changes: object) -> Plan:
    """Bob says no to a request whose Gate says that."""
    asks = replace(seen, gate=replace(GATE, on_denied=on_denied), asked=(*seen.asked, PENDING))
    status = pods_pending(asks)
    return decide(pods_observed(status, asks, verdicts=(deny(0, "bob"),), **changes), NOW)


def rolled(plan: Plan) -> tuple[str, str]:
    return why(plan.status, ConditionType.ROLLED_BACK)


JOB = owner(kind="Job", api_version="batch/v1", name="train", suspended=False)
CRON = owner(kind="CronJob", api_version="batch/v1", name="night", suspended=False)

WAYS: dict[str, tuple[OnDenied, Sight, list[type[Write]], tuple[str, str]]] = {
    "keep": (OnDenied.KEEP, sight(*pods(3)), [], ("True", "NothingToUndo")),
    "scale back to nothing": (OnDenied.SCALE_BACK, sight(*pods(3)), [ScaleOwner], ("False", "Undoing")),
    "scale back what wants no more than runs": (
        OnDenied.SCALE_BACK, sight(*pods(1, running=3)), [], ("True", "NothingToUndo"),
    ),
    "scale back a CronJob": (OnDenied.SCALE_BACK, sight(pod(), owner=CRON), [], ("True", "NothingToUndo")),
    "scale back what nobody knows": (
        OnDenied.SCALE_BACK, sight(*pods(3), owner=owner(known=False)), [], ("True", "NothingToUndo"),
    ),
    "suspend a CronJob": (OnDenied.SUSPEND, sight(pod(), owner=CRON), [SuspendOwner], ("False", "Undoing")),
    "suspend one that is": (
        OnDenied.SUSPEND, sight(pod(), owner=replace(CRON, suspended=True)), [], ("True", "NothingToUndo"),
    ),
    "suspend a Job that waits": (OnDenied.SUSPEND, sight(pod(), owner=JOB), [SuspendOwner], ("False", "Undoing")),
    "suspend a Job that runs": (
        OnDenied.SUSPEND, sight(*pods(1, running=1), owner=JOB), [], ("True", "NothingToUndo"),
    ),
    "odd pods of a Deployment that is to be deleted": (
        OnDenied.DELETE, sight(*pods(3), owner=owner(digest=NEW)), [], ("True", "NothingToUndo"),
    ),
    "odd pods of a Deployment that is to be scaled back": (
        OnDenied.SCALE_BACK, sight(*pods(3), owner=owner(digest=NEW)), [], ("True", "NothingToUndo"),
    ),
    "suspend a Deployment": (OnDenied.SUSPEND, sight(*pods(3)), [], ("True", "NothingToUndo")),
    "delete what never ran": (OnDenied.DELETE, sight(*pods(3)), [DeleteOwner], ("False", "Undoing")),
    "delete what has run": (OnDenied.DELETE, sight(*pods(2, running=1)), [], ("True", "NothingToUndo")),
    "delete a Job that has started": (
        OnDenied.DELETE, sight(pod(), jobs=(job(started=True),)), [], ("True", "NothingToUndo"),
    ),
    "delete what was approved once": (
        OnDenied.DELETE, sight(*pods(3), asked=(asked(digest=NEW, name="web-o", uid="o"),)), [], ("True", "NothingToUndo"),
    ),
    "delete what nobody knows": (OnDenied.DELETE, sight(*pods(3), owner=owner(known=False)), [], ("True", "NothingToUndo")),
    "delete a Rollout": (OnDenied.DELETE, sight(*pods(3), owner=owner(kind="Rollout")), [], ("True", "NothingToUndo")),
}  # fmt: skip


@pytest.mark.parametrize("case", WAYS)
def test_a_no(case: str) -> None:
    on_denied, seen, planned, condition = WAYS[case]
    plan = denied(on_denied, seen)

    assert plan.status.phase is Phase.DENIED
    assert [kind for kind in writes(plan) if kind is not MarkDone] == planned
    assert rolled(plan) == condition


def test_it_is_scaled_back_to_what_was_approved_last_and_verified() -> None:
    """Six were approved, with the one that an update adds; nine are wanted."""
    before = asked(size=6, name="web-o", uid="other")
    big = sight(*pods(4, running=5), owner=owner(replicas=9), asked=(before,))
    plan = denied(OnDenied.SCALE_BACK, big)
    (scale,) = (write for write in plan.writes if isinstance(write, ScaleOwner))

    assert scale.to == 5
    back = replace(big, owner=owner(replicas=5), asked=(before, replace(PENDING, phase=Phase.DENIED)))
    undone = decide(pods_observed(plan.status, replace(back, gate=replace(GATE, on_denied=OnDenied.SCALE_BACK))), NOW)
    assert rolled(undone) == ("True", "UndoCompleted")
    assert undone.status.effect is not None
    assert undone.status.effect.state is EffectState.UNDONE


@pytest.mark.parametrize(("on_denied", "of"), [(OnDenied.DELETE, owner()), (OnDenied.SUSPEND, CRON)])
def test_what_is_gone_in_the_meantime_is_undone(on_denied: OnDenied, of: Owner) -> None:
    plan = denied(on_denied, sight(*pods(3), owner=of))
    gone = sight(owner=replace(of, gone=True), gate=replace(GATE, on_denied=on_denied))

    assert rolled(decide(pods_observed(plan.status, gone), NOW)) == ("True", "UndoCompleted")


def test_time_does_the_same_as_a_no() -> None:
    asks = waiting(gate=replace(GATE, on_denied=OnDenied.SCALE_BACK))
    plan = decide(pods_observed(pods_pending(asks, deadline=after(-1)), asks), NOW)

    assert (plan.status.phase, [kind for kind in writes(plan) if kind is not MarkDone]) == (Phase.EXPIRED, [ScaleOwner])


def test_a_no_while_it_goes_stops_the_rest() -> None:
    some = sight(*pods(2, running=1), asked=(asked(Phase.APPROVED),))
    plan = decide(pods_observed(approved(EffectState.RUNNING), some, verdicts=(approve(), deny(1, "bob"))), NOW)

    assert (plan.status.phase, let_go(plan)) == (Phase.DENIED, [])
    assert any(entry.verdict.word is Word.DENY for entry in plan.status.verdicts)


def test_a_no_without_a_sight_or_a_size_keeps() -> None:
    blind = replace(pods_observed(pods_pending(), verdicts=(deny(),)), facts=Facts())

    assert rolled(decide(blind, NOW)) == ("True", "NothingToUndo")
    bare = replace(pods_pending(), resolved=None)
    assert rolled(decide(pods_observed(bare, verdicts=(deny(),)), NOW)) == ("True", "NothingToUndo")


# ---- what is shown


def test_odd_pods_say_how_they_differ() -> None:
    odd = sight(pod(digest=NEW, shape=ODD, images=("gpu:9",)))
    shown = resolved(odd, NEW).provision

    assert shown is not None
    assert shown.differences == (
        "these pods are not as the template of Deployment web says",
        "image gpu:9 is not in the template",
    )
    unknown = resolved(sight(pod(digest=NEW), owner=owner(known=False, kind="Trainer")), NEW).provision
    assert unknown is not None
    assert "Trainer web is not a kind that this operator reads" in unknown.differences[0]


@pytest.mark.parametrize("seen", [waiting(gate=None), waiting(table=None), sight(asked=(PENDING,))])
def test_without_gate_table_or_pods_there_is_no_price(seen: Sight) -> None:
    assert resolved(seen, DIGEST).price is None


def test_what_is_approved_before_is_shown() -> None:
    more = resolved(sight(*pods(3), asked=(asked(size=2, name="web-o"),)), DIGEST).provision

    assert more is not None
    assert more.approved_pods == 2
