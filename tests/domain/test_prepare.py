"""The first looks at a request: held, failed, or prepared and asked of whom, until when."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gatehold.domain.decide import decide
from gatehold.domain.model import (
    Declared,
    Effect,
    EffectType,
    EscalationRule,
    Option,
    QuorumEntry,
    Subject,
    Tier,
    UndoRef,
    UnknownRequester,
)
from gatehold.domain.phases import Phase
from gatehold.domain.plan import MarkDone, NoteRequest, Observed, Plan, Proof, Rules
from gatehold.domain.reasons import ConditionType
from gatehold.domain.status import Price, Resolved, Status
from tests.builders import (
    DIGEST,
    NOW,
    RELEASE,
    after,
    deny,
    end,
    entry,
    facts,
    job,
    observed,
    ours,
    pending,
    policy,
    release_observed,
    release_request,
    request,
    undo_job,
    why,
    withdraw,
)
from tests.drains import held_observed, held_request

HELD = Status(phase=Phase.PENDING, deadline=after(100))


def test_the_first_look_writes_the_bookkeeping_annotation_and_nothing_else() -> None:
    seen = observed(request=request(noted=False))

    assert decide(seen, NOW) == Plan(Status(), writes=(NoteRequest(),))


@pytest.mark.parametrize("changes", [{"done": True}, {"deleting": True}], ids=["is done", "is being deleted"])
def test_a_request_is_left_alone_when_it(changes: dict[str, Any]) -> None:
    seen = observed(pending(), request=request(**changes), verdicts=(deny(),))

    assert decide(seen, NOW) == Plan(pending())


def test_a_prepared_request_takes_a_snapshot_of_its_policy_and_asks() -> None:
    rules = (EscalationRule(600, ("duty",)), EscalationRule(60, ("duty",)), EscalationRule(9999, ("duty",)))
    plan = decide(observed(policy=policy(escalation=rules), resolved=Resolved()), NOW)
    status = plan.status

    assert (status.phase, status.request_digest, status.approvals) == (Phase.PENDING, DIGEST, "0/1")
    assert status.quorum == (entry(backups=("duty",)),)
    assert status.policy == pending().policy
    assert (status.prepared_at, status.deadline) == (NOW, after(3600))
    assert [(s.after_seconds, s.at) for s in status.escalations] == [(60, after(60)), (600, after(600))]
    assert why(status) == ("True", "AwaitingApproval")
    assert plan.recheck_at == after(60)
    assert (plan.writes, plan.proof) == ((), Proof.NONE)


HOLDS: dict[str, tuple[Observed, str]] = {
    "its policy does not exist": (observed(policy=None), "PolicyNotFound"),
    "its policy contradicts itself": (observed(policy_flaw="its quorum is empty"), "PolicyNotReady"),
    "the wall is not proven": (observed(wall_proven=False), "WallNotProven"),
    "its digest could not be computed": (observed(request_digest=""), "InvalidRequest"),
    "a gate's queue is full": (observed(request=request(gate="prod"), pending_in_policy=1000), "TooManyPending"),
    "a tier adds one role too many": (
        observed(policy=policy(tiers=(Tier("more", quorum=tuple(QuorumEntry(f"r{n}") for n in range(11))),))),
        "PolicyNotReady",
    ),
    "the extra reviewer makes nine": (
        observed(
            request=request(requester=replace(request().requester, username="system:ci")),
            policy=policy(quorum=(entry("sre", 8),)),
        ),
        "PolicyNotReady",
    ),
}


@pytest.mark.parametrize(("seen", "reason"), HOLDS.values(), ids=HOLDS)
def test_it_is_held_unasked_with_the_operators_own_deadline_while(seen: Observed, reason: str) -> None:
    plan = decide(seen, NOW)

    assert (plan.status.phase, plan.status.request_digest, plan.status.quorum) == (Phase.PENDING, "", ())
    assert why(plan.status) == ("True", reason)
    assert why(plan.status, ConditionType.READY)[0] == "False"
    assert (plan.status.deadline, plan.writes) == (after(86_400), ())
    assert plan.recheck_at == after(30 if reason == "TooManyPending" else 86_400)  # nobody tells when there is room again


def test_a_held_request_says_the_same_however_many_wait_before_it() -> None:
    """Queue figures in a status would mean a write to every held request for each change of the queue."""
    texts = [
        decide(observed(request=request(gate="prod"), pending_in_policy=n, pending_of_author=n), NOW).status
        for n in (1000, 4321)
    ]

    assert texts[0] == texts[1]


def test_a_gates_request_is_not_counted_against_a_person() -> None:
    plan = decide(observed(request=request(gate="prod"), pending_of_author=5000), NOW)

    assert why(plan.status) == ("True", "AwaitingApproval")


def test_a_held_request_is_prepared_as_soon_as_it_can_be_and_its_time_begins_then() -> None:
    plan = decide(observed(HELD), NOW)

    assert (plan.status.request_digest, plan.status.deadline) == (DIGEST, after(3600))


@pytest.mark.parametrize(
    ("seen", "now", "ending"),
    [
        (observed(HELD, policy=None), after(99), ("Pending", "", "")),
        (observed(HELD, policy=None), after(100), ("Expired", "Time", "DeadlinePassed")),
        (
            observed(HELD, policy=None, verdicts=(withdraw(digest=""),)),
            NOW,
            ("Withdrawn", "Requester", "WithdrawnByRequester"),
        ),
        (observed(HELD, verdicts=(withdraw(digest=""),)), after(200), ("Withdrawn", "Requester", "WithdrawnByRequester")),
    ],
    ids=["waits until its deadline", "expires", "is withdrawn", "is withdrawn rather than prepared or expired"],
)
def test_a_request_that_nobody_could_be_asked(seen: Observed, now: Any, ending: tuple[str, str, str]) -> None:
    assert end(decide(seen, now).status) == ending


ROBOT = replace(request().requester, username="robot")
SUBJECT = Subject("batch/v1", "Job", "shop", "migrate", "job-uid")

FAILURES: dict[str, tuple[Observed, str]] = {
    "the effect is of another version": (observed(request=request(effect=Effect(EffectType.DRAIN))), "EffectNotSupported"),
    "the subject of a release is no Job": (
        observed(request=request(effect=Effect(EffectType.RELEASE))),
        "EffectNotSupported",
    ),
    "the subject of a release is missing": (
        observed(request=request(effect=Effect(EffectType.RELEASE), subject=None)),
        "EffectNotSupported",
    ),
    "the Job is in another namespace": (
        release_observed(request=release_request(subject=replace(SUBJECT, namespace="other"))),
        "EffectNotSupported",
    ),
    "the policy does not list the effect": (release_observed(policy=policy(effects=(EffectType.NONE,))), "EffectNotAllowed"),
    "the policy lists nothing, which means effect None": (release_observed(policy=policy(effects=())), "EffectNotAllowed"),
    "it asks for more time than the policy allows": (
        observed(request=request(timeout_seconds=7201)),
        "TimeoutOutOfBounds",
    ),
    "the policy refuses robots": (
        observed(
            request=request(requester=ROBOT),
            rules=Rules(robot_users=frozenset({"robot"})),
            policy=policy(on_unknown_requester=UnknownRequester.REFUSE),
        ),
        "RequesterUnknown",
    ),
    "another live request owns the subject": (release_observed(owner="web-2"), "SubjectTaken"),
    "the policy's queue is full": (observed(policy=policy(max_pending=3), pending_in_policy=3), "TooManyPending"),
    "the author's queue is full": (observed(pending_of_author=100), "TooManyPending"),
    "there is no such Job": (release_observed(facts=facts(None, undo_job())), "SubjectNotFound"),
    "the Job is being deleted": (release_observed(facts=facts(job(deleting=True), undo_job())), "SubjectNotFound"),
    "the Job has another uid": (release_observed(facts=facts(job(uid="else"), undo_job())), "SubjectChanged"),
    "the Job has another digest than asked": (
        release_observed(request=release_request(subject=replace(SUBJECT, digest="sha256:other"))),
        "SubjectChanged",
    ),
    "the Job carries no hold label": (release_observed(facts=facts(job(hold=""), undo_job())), "SubjectNotHeld"),
    "the Job is held for another policy": (release_observed(facts=facts(job(hold="dev"), undo_job())), "PolicyMismatch"),
    "the Job was released before": (
        release_observed(facts=facts(job(released_by="older"), undo_job())),
        "SubjectTaken",
    ),
    "the Job runs already": (release_observed(facts=facts(job(suspended=False), undo_job())), "SubjectRunning"),
    "the Job has failed already": (release_observed(facts=facts(job(failed=True), undo_job())), "SubjectRunning"),
    "the undo Job is missing": (release_observed(facts=facts(job(), None)), "SubjectNotFound"),
    "the undo Job has another uid": (release_observed(facts=facts(job(), undo_job(uid="else"))), "SubjectChanged"),
    "the undo Job was used before": (
        release_observed(facts=facts(job(), ours(undo_job(), released_by="older"))),
        "SubjectTaken",
    ),
    "the undo Job is the Job itself": (
        release_observed(request=release_request(effect=replace(RELEASE, undo=UndoRef("migrate")))),
        "InvalidRequest",
    ),
}


@pytest.mark.parametrize(("seen", "reason"), FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("status", [Status(), HELD], ids=["at first sight", "after it was held"])
def test_it_fails_untouched_when(status: Status, seen: Observed, reason: str) -> None:
    plan = decide(replace(seen, status=status), NOW)

    assert end(plan.status) == ("Failed", "Operator", reason)
    assert why(plan.status, ConditionType.ROLLED_BACK) == ("True", "NothingToUndo")
    assert why(plan.status, ConditionType.STALLED) == ("True", reason)
    assert plan.status.request_digest == ""
    assert plan.writes == (MarkDone(),)


NOBODY: dict[str, tuple[dict[str, Any], str]] = {
    "a robot asks": ({"requester": replace(ROBOT, username="system:x")}, "and system:x is a robot"),
    "the operator asks, and no author is known": ({"gate": "prod"}, "and nobody is known who changed the subject"),
    "only robots changed it": (
        {"gate": "prod", "authors": ("system:x", "system:y")},
        "only robots changed the subject: system:x, sys",
    ),
    "more changed it than there is room for": (
        {"gate": "prod", "authors": ("zoe", "*")},
        "more people changed the subject than a",
    ),
}


@pytest.mark.parametrize(("changes", "text"), NOBODY.values(), ids=NOBODY)
def test_a_policy_that_takes_known_people_only_says_whom_it_misses_where(changes: dict[str, Any], text: str) -> None:
    seen = observed(request=request(**changes), policy=policy(on_unknown_requester=UnknownRequester.REFUSE))
    status = decide(seen, NOW).status

    assert end(status) == ("Failed", "Operator", "RequesterUnknown")
    assert status.decision is not None
    assert text in status.decision.message


def test_a_robot_that_drains_is_nobody_known() -> None:
    robots = held_request(requester=replace(ROBOT, username="system:x"))
    refusing = policy(effects=(EffectType.RELEASE,), on_unknown_requester=UnknownRequester.REFUSE)
    status = decide(held_observed(Status(), request=robots, policy=refusing), NOW).status

    assert end(status) == ("Failed", "Operator", "RequesterUnknown")
    assert status.decision is not None
    assert "system:x is a robot" in status.decision.message


GOOD: dict[str, Observed] = {
    "the Job is as asked": release_observed(),
    "the request says which digest it saw": release_observed(
        request=release_request(subject=replace(SUBJECT, digest=job().digest))
    ),
    "no uid was given for either": release_observed(
        request=release_request(subject=replace(SUBJECT, uid=""), effect=replace(RELEASE, undo=UndoRef("undo")))
    ),
    "no undo is named": release_observed(request=release_request(undo=False), facts=facts(job(), None)),
    "the namespace is left out": release_observed(request=release_request(subject=replace(SUBJECT, namespace=""))),
    "the time is exactly the most that is allowed": observed(request=request(timeout_seconds=7200)),
    "the queue has one place left": observed(policy=policy(max_pending=3), pending_in_policy=2, pending_of_author=99),
    "a known person changed what the operator asks about": observed(
        request=request(gate="prod", requester=replace(ROBOT, username="system:op"), authors=("zoe",)),
        policy=policy(on_unknown_requester=UnknownRequester.REFUSE),
    ),
    "a known person stands behind a robot's change": observed(
        request=request(requester=ROBOT, authors=("zoe",)),
        rules=Rules(robot_users=frozenset({"robot"})),
        policy=policy(on_unknown_requester=UnknownRequester.REFUSE),
    ),
}


@pytest.mark.parametrize("seen", GOOD.values(), ids=GOOD)
def test_people_are_asked_when(seen: Observed) -> None:
    assert why(decide(seen, NOW).status) == ("True", "AwaitingApproval")


TIMES: dict[str, tuple[dict[str, Any], int | None, int]] = {
    "what the request says": ({}, 60, 60),
    "the policy's default": ({}, None, 3600),
    "the operator's default where the policy says nothing": ({"timeout_default": None, "timeout_max": None}, None, 86_400),
    "the policy's most where that is less than the operator's default": ({"timeout_default": None}, None, 7200),
    "what the request says where the policy knows no most": ({"timeout_max": None}, 500_000, 500_000),
}


@pytest.mark.parametrize(("changes", "asked", "seconds"), TIMES.values(), ids=TIMES)
def test_the_time_to_answer_is(changes: dict[str, Any], asked: int | None, seconds: int) -> None:
    plan = decide(observed(request=request(timeout_seconds=asked), policy=policy(**changes)), NOW)

    assert plan.status.deadline == after(seconds)


@pytest.mark.parametrize(
    ("kept", "seconds"), [(None, 30 * 86_400), (0, 0), (5, 5)], ids=["the operator's own", "not at all", "as said"]
)
def test_a_record_is_kept(kept: int | None, seconds: int) -> None:
    plan = decide(observed(policy=policy(retention_seconds=kept, validity_seconds=None)), NOW)

    assert plan.status.policy is not None
    assert (plan.status.policy.retention_seconds, plan.status.policy.validity_seconds) == (seconds, 3600)


FINANCE = QuorumEntry("finance")
CHEAP = Tier("cheap", max_price=Decimal(10), auto_approve=True)
PRICED = Resolved(price=Price(Decimal(10)))

ASKED: dict[str, tuple[Observed, list[tuple[str, int, tuple[str, ...]]]]] = {
    "the base alone": (observed(), [("sre", 1, ("duty",))]),
    "one more where a robot asks": (
        observed(request=request(requester=replace(ROBOT, username="system:serviceaccount:ci:robot"))),
        [("sre", 2, ("duty",))],
    ),
    "one more where every author is a robot": (
        observed(request=request(authors=("robot", "system:x")), rules=Rules(robot_users=frozenset({"robot"}))),
        [("sre", 2, ("duty",))],
    ),
    "no more where one author is a person": (
        observed(request=request(authors=("system:x", "zoe"))),
        [("sre", 1, ("duty",))],
    ),
    "one more where the operator asks and nobody is known who changed it": (
        observed(request=request(gate="prod", requester=replace(ROBOT, username="op"))),
        [("sre", 2, ("duty",))],
    ),
    "one more where the operator asks and only robots changed it": (
        observed(request=request(gate="prod", authors=("robot", "system:x")), rules=Rules(robot_users=frozenset({"robot"}))),
        [("sre", 2, ("duty",))],
    ),
    "no more where the operator asks in the name of a person who drains": (held_observed(Status()), [("sre", 1, ("duty",))]),
    "one more where the operator asks in the name of a robot that drains": (
        held_observed(Status(), request=held_request(requester=replace(ROBOT, username="system:node-bot"))),
        [("sre", 2, ("duty",))],
    ),
    "one more where more people changed it than a request can name": (
        observed(request=request(gate="prod", authors=("zoe", "*"))),
        [("sre", 2, ("duty",))],
    ),
    "no more where the operator asks and a person changed it": (
        observed(request=request(gate="prod", requester=replace(ROBOT, username="system:op"), authors=("robot", "zoe"))),
        [("sre", 1, ("duty",))],
    ),
    "no more where the policy allows robots": (
        observed(
            request=request(requester=replace(ROBOT, username="system:x")),
            policy=policy(on_unknown_requester=UnknownRequester.ALLOW),
        ),
        [("sre", 1, ("duty",))],
    ),
    "another role for a matching tier": (
        observed(policy=policy(tiers=(Tier("shop", namespaces=("shop",), quorum=(FINANCE,)),))),
        [("sre", 1, ("duty",)), ("finance", 1, ())],
    ),
    "no more for a tier of another namespace": (
        observed(policy=policy(tiers=(Tier("else", namespaces=("else",), quorum=(FINANCE,)),))),
        [("sre", 1, ("duty",))],
    ),
    "no more for a tier of another effect": (
        observed(policy=policy(tiers=(Tier("drains", effects=(EffectType.DRAIN,), quorum=(FINANCE,)),))),
        [("sre", 1, ("duty",))],
    ),
    "counts of two tiers that add up": (
        observed(
            policy=policy(
                tiers=(Tier("a", quorum=(QuorumEntry("sre", 2, ("duty", "boss")),)), Tier("b", quorum=(QuorumEntry("sre"),)))
            )
        ),
        [("sre", 4, ("duty", "boss"))],
    ),
    "more for a declared risk": (
        observed(
            request=request(declared=Declared(risk=70)),
            policy=policy(tiers=(Tier("r", at_least_risk=70, quorum=(FINANCE,)),)),
        ),
        [("sre", 1, ("duty",)), ("finance", 1, ())],
    ),
    "no more for less risk": (
        observed(
            request=request(declared=Declared(risk=69)),
            policy=policy(tiers=(Tier("r", at_least_risk=70, quorum=(FINANCE,)),)),
        ),
        [("sre", 1, ("duty",))],
    ),
    "more for the dearest option": (
        observed(
            request=request(options=(Option("slow"), Option("fast", "", Decimal(900)))),
            policy=policy(tiers=(Tier("c", at_least_cost=Decimal(900), quorum=(FINANCE,)),)),
        ),
        [("sre", 1, ("duty",)), ("finance", 1, ())],
    ),
    "no more where no cost is declared": (
        observed(policy=policy(tiers=(Tier("c", at_least_cost=Decimal(0), quorum=(FINANCE,)),))),
        [("sre", 1, ("duty",))],
    ),
    "people where the price is not known": (
        observed(policy=policy(tiers=(CHEAP,)), auto_approve_granted=True),
        [("sre", 1, ("duty",))],
    ),
    "people where the price is higher": (
        observed(policy=policy(tiers=(CHEAP,)), auto_approve_granted=True, resolved=Resolved(price=Price(Decimal("10.01")))),
        [("sre", 1, ("duty",))],
    ),
    "people where the automatic tier is not granted": (
        observed(policy=policy(tiers=(CHEAP,)), resolved=PRICED),
        [("sre", 1, ("duty",))],
    ),
    "people where an option has to be picked": (
        observed(
            request=request(options=(Option("slow"),)),
            policy=policy(tiers=(CHEAP,)),
            resolved=PRICED,
            auto_approve_granted=True,
        ),
        [("sre", 1, ("duty",))],
    ),
    "people where another tier matches too": (
        observed(policy=policy(tiers=(CHEAP, Tier("all", quorum=(FINANCE,)))), resolved=PRICED, auto_approve_granted=True),
        [("sre", 1, ("duty",)), ("finance", 1, ())],
    ),
    "nobody where one automatic tier matches and is granted": (
        observed(policy=policy(tiers=(CHEAP,)), resolved=PRICED, auto_approve_granted=True),
        [],
    ),
}


@pytest.mark.parametrize(("seen", "quorum"), ASKED.values(), ids=ASKED)
def test_the_quorum_is(seen: Observed, quorum: list[tuple[str, int, tuple[str, ...]]]) -> None:
    status = decide(seen, NOW).status

    assert [(q.role, q.count, q.backups) for q in status.quorum] == quorum
    assert all(q.accepted == (q.role,) for q in status.quorum)
    assert status.approvals == (f"0/{sum(count for _, count, _ in quorum)}" if quorum else "")
    assert why(status)[0] == "True"
