"""A held kubectl drain: who may ask, until when the evictions pass, who is uncordoned afterwards, and the cool-down."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gatehold.domain.decide import decide
from gatehold.domain.effects import rules_for
from gatehold.domain.effects.release_node import SHORTEST, ReleaseNodeRules
from gatehold.domain.model import DrainGate, DrainMode, Subject
from gatehold.domain.nodes import GateOfNode, NodeFacts, UncordonNode
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Facts, MarkDone, Observed, Plan, Proof
from gatehold.domain.reasons import ConditionType
from gatehold.domain.status import By, Decision, EffectState, NodeState, Progress, Status
from tests.builders import NOW, after, approve, deny, end, ended, pending
from tests.drains import (
    closed,
    held_observed,
    held_record,
    held_request,
    let_go,
    pod,
)

GONE = Facts()
ELSEWHERE = GateOfNode("gpu", DrainGate("gpu", "other-policy", DrainMode.HOLD, "lab"))


def rolled(plan: Plan) -> tuple[str, str, str]:
    found = plan.status.condition(ConditionType.ROLLED_BACK)
    assert found is not None
    return (found.status, found.reason, found.message)


def cool(plan: Plan) -> datetime | None:
    assert plan.status.effect is not None
    return plan.status.effect.cooldown_until


# ---- asking
def test_by_the_kind_of_its_subject_it_is_found() -> None:
    assert isinstance(rules_for(held_request()), ReleaseNodeRules)
    assert rules_for(held_request(subject=Subject("v1", "Node", "shop", "n1"))) is None


def test_the_operator_asks_for_its_gate() -> None:
    plan = decide(held_observed(Status()), NOW)

    assert (plan.status.phase, plan.writes) == (Phase.PENDING, ())
    assert plan.status.request_digest


def test_who_drains_a_node_owns_nothing() -> None:
    assert decide(held_observed(Status(), owner="n1-of-bob"), NOW).status.phase is Phase.PENDING


UNASKED: dict[str, tuple[Observed, tuple[str, str]]] = {
    "by a user": (held_observed(Status(), request=held_request(gate="")), ("Failed", "EffectNotAllowed")),
    "the node is gone": (held_observed(Status(), facts=GONE), ("Superseded", "SubjectDeleted")),
    "another node": (held_observed(Status(), closed(uid="new")), ("Superseded", "SubjectChanged")),
    "not cordoned": (held_observed(Status(), closed(unschedulable=False)), ("Superseded", "SubjectChanged")),
    "behind another gate": (held_observed(Status(), closed(gate=None)), ("Superseded", "SubjectChanged")),
    "a gate of no use": (held_observed(Status(), closed(gate=GateOfNode("gpu", why="gone"))), ("Failed", "GateNotFound")),
    "a gate that asks elsewhere": (held_observed(Status(), closed(gate=ELSEWHERE)), ("Failed", "PolicyMismatch")),
}


@pytest.mark.parametrize(("seen", "ended"), UNASKED.values(), ids=UNASKED)
def test_what_should_not_be_asked_is_not(seen: Observed, ended: tuple[str, str]) -> None:
    phase, _, reason = end(decide(seen, NOW).status)

    assert (phase, reason) == ended


def test_the_rules_alone_say_it_too() -> None:
    rules = ReleaseNodeRules()
    nowhere = held_observed(Status(), facts=GONE)
    gateless = held_observed(Status(), closed(gate=None))
    users = held_observed(pending(), request=held_request(gate="", subject=None))

    assert [str(found.reason) for seen in (nowhere, gateless) if (found := rules.check(seen)) is not None] == [
        "SubjectNotFound",
        "GateNotFound",
    ]
    ending = rules.verify(users, pending())
    assert ending is not None
    assert ending.phase is Phase.FAILED
    assert rules.begin(nowhere, pending()) is None
    assert rules.verify(replace(nowhere, request=held_request(subject=None)), pending()) is not None
    assert rules.begun(nowhere) is False
    assert rules.settle(nowhere) == ()


# ---- letting go
def test_approved_is_the_release_and_stands_by_itself() -> None:
    plan = decide(held_observed(pending(), verdicts=(approve(username="bob"),)), NOW)

    assert (plan.status.phase, plan.writes, plan.proof) == (Phase.APPROVED, (), Proof.BEFORE_STATUS)
    effect = plan.status.effect
    assert effect is not None
    assert (effect.state, effect.started_at) == (EffectState.RUNNING, NOW)
    assert [one.was_unschedulable for one in effect.nodes] == [True]
    assert plan.recheck_at == plan.status.valid_until


def test_an_empty_node_is_approved_before_it_is_released() -> None:
    first = decide(held_observed(pending(), closed(), verdicts=(approve(username="bob"),)), NOW)
    second = decide(held_observed(first.status, closed()), NOW)

    assert (first.status.phase, second.status.phase) == (Phase.APPROVED, Phase.RELEASED)


def test_nothing_is_let_go_while_the_wall_is_not_proven() -> None:
    plan = decide(held_observed(pending(), verdicts=(approve(username="bob"),), wall_proven=False), NOW)

    assert plan.status.phase is Phase.PENDING


def test_it_is_looked_at_while_it_is_let_go() -> None:
    first = let_go(effect=held_record(progress=None))
    plan = decide(held_observed(first, closed(pod("web-1"), pod("agent", daemon_set=True))), NOW)

    assert plan.recheck_at == after(2)
    assert plan.status.effect is not None
    assert plan.status.effect.progress == Progress(NOW, active=1, succeeded=1)
    assert decide(held_observed(let_go(valid_until=after(1))), NOW).recheck_at == after(1)
    assert decide(held_observed(let_go(), closed(pods=None)), NOW).status == let_go()


def test_it_is_released_once_nothing_that_could_go_is_left() -> None:
    plan = decide(held_observed(let_go(), closed(pod("mirror", mirror=True), pod("agent", daemon_set=True))), NOW)

    assert end(plan.status)[0] == "Released"
    assert plan.status.effect is not None
    assert (plan.status.effect.state, plan.status.effect.nodes[0].state) == (EffectState.DONE, NodeState.DRAINED)
    assert plan.writes == (MarkDone(),)


def test_without_a_record_nothing_is_let_go() -> None:
    plan = decide(held_observed(let_go(effect=None)), NOW)

    assert end(plan.status) == ("Failed", "Operator", "InvalidRequest")


TWO, ONE = closed(pod("a"), pod("b")), closed(pod("a"))
LATE: dict[str, tuple[NodeFacts, datetime | None, tuple[str, str, str]]] = {
    "nothing left it": (TWO, NOW, ("Lapsed", "Time", "ValidityPassed")),
    "nothing was ever read": (closed(pods=None), None, ("Lapsed", "Time", "ValidityPassed")),
    "some pods left": (ONE, NOW, ("Failed", "Time", "EffectTimedOut")),
}


@pytest.mark.parametrize(("there", "until", "ended"), LATE.values(), ids=LATE)
def test_its_time_ends(there: NodeFacts, until: datetime | None, ended: tuple[str, str, str]) -> None:
    assert end(decide(held_observed(let_go(valid_until=until), there), NOW).status) == ended


def test_where_the_beginning_was_not_seen_it_lapses() -> None:
    bare = held_record(nodes=(replace(held_record().nodes[0], pods=None, pods_left=None),))
    plan = decide(held_observed(let_go(effect=bare, valid_until=NOW), closed(pods=None)), NOW)
    read = decide(held_observed(let_go(effect=bare, valid_until=NOW), TWO), NOW)

    assert plan.status.phase is Phase.LAPSED
    assert read.status.phase is Phase.LAPSED
    assert read.status.effect is not None
    assert read.status.effect.nodes[0].pods == 2


SUPERSEDED = {
    "gone": None,
    "another": closed(uid="new"),
    "behind no gate": closed(gate=None),
    "behind another gate": closed(gate=GateOfNode("lab")),
}


@pytest.mark.parametrize("status", [pending(), let_go()], ids=["asked", "let go"])
@pytest.mark.parametrize("found", SUPERSEDED.values(), ids=SUPERSEDED)
def test_what_the_question_is_not_about_any_more_ends_it_without_a_cool_down(
    status: Status, found: NodeFacts | None
) -> None:
    plan = decide(held_observed(status, facts=Facts(node=found)), NOW)

    assert end(plan.status)[0] == "Superseded"
    assert rolled(plan)[:2] == ("True", "NothingToUndo")
    assert plan.writes == (MarkDone(),)


@pytest.mark.parametrize("status", [pending(), let_go()], ids=["asked", "let go"])
def test_an_uncordon_ends_it_with_a_short_cool_down_for_a_drain_that_still_waits_would_pass(status: Status) -> None:
    opened = Facts(node=closed(unschedulable=False))
    plan = decide(held_observed(status, facts=opened), NOW)
    later = decide(held_observed(plan.status, facts=opened), NOW + timedelta(seconds=SHORTEST))

    assert end(plan.status)[0] == "Superseded"
    assert rolled(plan)[:2] == ("True", "NothingToUndo")
    assert plan.status.effect is not None
    assert plan.status.effect.cooldown_until == NOW + timedelta(seconds=SHORTEST)
    assert plan.writes == ()
    assert later.writes == (MarkDone(),)


# ---- the way back
DENIED = ended(Phase.DENIED, resolved=None, effect=None, valid_until=None)


def test_who_was_refused_is_uncordoned() -> None:
    first = decide(held_observed(DENIED), NOW)
    second = decide(held_observed(first.status, closed(unschedulable=False, cordoned_by="", taints=())), NOW)

    assert first.writes == (UncordonNode(held_observed().facts.node, uncordon=True, drop_taint=True),)
    assert rolled(first)[:2] == ("False", "Undoing")
    assert rolled(second) == (
        "True",
        "UndoCompleted",
        "node n1 is uncordoned; evicted pods do not come back by themselves",
    )
    assert second.writes == ()


def test_after_it_was_let_go_the_record_says_that_it_is_uncordoned() -> None:
    status = ended(Phase.DENIED, resolved=None, effect=held_record(EffectState.UNDOING))
    plan = decide(held_observed(status, closed(unschedulable=False)), NOW)

    assert plan.status.effect is not None
    assert plan.status.effect.nodes[0].state is NodeState.UNCORDONED
    assert plan.status.effect.state is EffectState.UNDONE


def test_a_taint_that_is_not_there_is_not_taken_off() -> None:
    bare = closed(taints=("a=:NoSchedule",))

    assert decide(held_observed(DENIED, bare), NOW).writes == (UncordonNode(bare, uncordon=True, drop_taint=False),)


LEFT: dict[str, tuple[NodeFacts | None, str]] = {
    "gone": (None, "node n1 is gone"),
    "another": (closed(uid="new"), "node n1 is gone"),
    "going": (closed(deleting=True), "node n1 is gone"),
    "uncordoned": (closed(unschedulable=False), "node n1 is not cordoned any more"),
    "by bob": (
        closed(cordoned_by="bob"),
        "node n1 was cordoned by bob, so it stays cordoned; to uncordon it: kubectl uncordon n1",
    ),
    "by nobody knows whom": (
        closed(cordoned_by=""),
        "node n1 was cordoned by nobody knows whom, so it stays cordoned; to uncordon it: kubectl uncordon n1",
    ),
    "under maintenance": (
        closed(released_by="other", request="ops/drain-1"),
        "node n1 is under maintenance of request ops/drain-1",
    ),
}


@pytest.mark.parametrize(("found", "says"), LEFT.values(), ids=LEFT)
def test_what_that_person_had_not_cordoned_stays(found: NodeFacts | None, says: str) -> None:
    plan = decide(held_observed(DENIED, facts=Facts(node=found)), NOW)

    assert rolled(plan) == ("True", "NothingToUndo", says)
    assert plan.writes == ()


def test_a_request_without_a_subject_finds_nothing() -> None:
    back = ReleaseNodeRules().undo(held_observed(DENIED, facts=GONE, request=held_request(subject=None)), DENIED, NOW)

    assert back.restored is True


# ---- the cool-down
def refused(phase: Phase, cooldown: int = 300) -> Observed:
    gate = GateOfNode("gpu", DrainGate("gpu", "prod", DrainMode.HOLD, cooldown_seconds=cooldown))
    decision = Decision(phase, By.TIME, after(-5), reason="DeadlinePassed", message="m")
    status = ended(phase, resolved=None, effect=None, valid_until=None, decision=decision)
    return held_observed(status, closed(cordoned_by="bob", gate=gate))


@pytest.mark.parametrize("phase", [Phase.DENIED, Phase.EXPIRED, Phase.WITHDRAWN, Phase.LAPSED, Phase.FAILED])
def test_a_refused_one_stays_in_sight_until_its_cool_down_is_over(phase: Phase) -> None:
    seen = refused(phase)
    plan = decide(seen, NOW)
    last = decide(replace(seen, status=plan.status), after(295))

    assert (cool(plan), plan.writes, plan.recheck_at) == (after(295), (), after(295))
    assert decide(replace(seen, status=plan.status), NOW) == plan
    assert (last.writes, last.recheck_at) == ((MarkDone(),), None)


@pytest.mark.parametrize(("cooldown", "until"), [(0, after(10)), (15, after(10)), (16, after(11)), (86400, after(86395))])
def test_the_gate_says_how_long(cooldown: int, until: datetime) -> None:
    plan = decide(refused(Phase.DENIED, cooldown), NOW)

    assert cool(plan) == until
    assert plan.writes == ()


@pytest.mark.parametrize("found", [None, closed(gate=None), closed(gate=GateOfNode("gpu", why="gone"))])
def test_where_no_gate_says_it_it_is_five_minutes_and_fixed_once(found: NodeFacts | None) -> None:
    plan = decide(held_observed(DENIED, facts=Facts(node=found)), NOW)
    later = decide(replace(refused(Phase.DENIED, 7), status=replace(plan.status, conditions=())), after(20))

    assert cool(plan) == cool(later) == after(295)


def test_without_a_decision_there_is_no_cool_down() -> None:
    status = ended(Phase.DENIED, resolved=None, effect=None, decision=None)
    back = ReleaseNodeRules().undo(held_observed(status), status, NOW)

    assert back.effect is not None
    assert back.effect.cooldown_until is None
    assert ReleaseNodeRules().keep_until(held_observed(status), status) is None
    assert ReleaseNodeRules().undo(held_observed(status, facts=GONE), status, NOW).effect is None


def test_a_denial_while_it_is_let_go_ends_it_and_takes_its_cordon_back() -> None:
    plan = decide(held_observed(let_go(), verdicts=(deny(1, "bob"),)), NOW)

    assert plan.status.phase is Phase.DENIED
    assert [type(write).__name__ for write in plan.writes] == ["UncordonNode"]
    assert cool(plan) == after(300)
