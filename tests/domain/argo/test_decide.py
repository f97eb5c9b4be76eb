"""Whether people are asked about a pause, once, and what is said where nobody can be asked."""

from dataclasses import replace

import pytest

from gatehold.domain.argo.decide import decide_argo, request_name, why_unasked
from gatehold.domain.argo.model import ArgoSight
from gatehold.domain.gate import GateReason, argo_readiness
from gatehold.domain.model import EffectType, Policy, QuorumEntry, UnknownRequester
from gatehold.domain.phases import Phase
from tests.argo import GATE, NAME, OTHER, aborted, asked, moving, paused, sight

PROD = Policy("prod", "uid", 1, "", (QuorumEntry("sre"),), (EffectType.PROMOTE,), timeout_max=600)


def test_a_pause_is_asked_about() -> None:
    plan = decide_argo(sight())

    assert plan.ask is not None
    assert (plan.ask.name, plan.ask.gate, plan.ask.rollout) == (NAME, GATE, paused())
    assert plan.held is None


QUIET: dict[str, ArgoSight] = {
    "it is gone": replace(sight(), rollout=None),
    "it is on its way out": sight(paused(deleting=True)),
    "it is at no pause": sight(moving()),
    "it is aborted": sight(aborted()),
    "its namespace names no gate": sight(label=""),
    "its controller has not seen its spec": sight(paused(observed=False)),
}


@pytest.mark.parametrize("seen", QUIET.values(), ids=QUIET)
def test_nobody_is_asked_where(seen: ArgoSight) -> None:
    plan = decide_argo(seen)

    assert (plan.ask, plan.held) == (None, None)


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.SUPERSEDED])
def test_what_is_asked_is_not_asked_again(phase: Phase) -> None:
    plan = decide_argo(sight(asked=(asked(phase),)))

    assert plan.ask is None
    assert plan.held is not None
    assert plan.held.reason == "AwaitingApproval"
    assert plan.asked == (NAME if phase is Phase.PENDING else "")


def test_a_question_that_nobody_can_answer_yet_is_not_told() -> None:
    plan = decide_argo(sight(asked=(replace(asked(), prepared=False),)))

    assert (plan.ask, plan.asked) == (None, "")


@pytest.mark.parametrize("known", [asked(Phase.SUPERSEDED), asked(digest=OTHER)], ids=["superseded", "another pause"])
def test_a_pause_that_is_still_there_is_asked_anew_where_the_question_is_over(known: ArgoSight) -> None:
    assert decide_argo(sight(asked=(known,))).ask is not None


def test_a_gate_that_asks_nobody_holds() -> None:
    plan = decide_argo(sight(gate=None, why="there is no Gate tide"))

    assert plan.ask is None
    assert plan.held is not None
    assert (plan.held.reason, plan.held.message) == ("GateNotFound", "there is no Gate tide")


@pytest.mark.parametrize(
    ("rollout", "name"),
    [
        (paused(), "web-new-1-a3"),
        (paused(step=None, blue_green=True), "web-new-switch-a3"),
        (paused(name="a" * 29 + ".b", pod_hash="0123456789ab"), "a" * 29 + "-0123456789-1-a3"),
    ],
)
def test_the_name_of_a_question(rollout: object, name: str) -> None:
    assert request_name(rollout, 3) == name  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("policy", "flaw", "seconds", "reason", "says"),
    [
        (
            PROD,
            "",
            None,
            GateReason.POLICY_FOUND,
            "pauses of Argo Rollouts behind this gate are asked about under policy prod",
        ),
        (PROD, "", 600, GateReason.POLICY_FOUND, "under policy prod"),
        (replace(PROD, timeout_max=None), "", 9999, GateReason.POLICY_FOUND, "under policy prod"),
        (PROD, "", 601, GateReason.POLICY_UNUSABLE, "allows at most 600 s, and the gate asks for 601"),
        (None, "", None, GateReason.POLICY_NOT_FOUND, "prod does not exist"),
        (PROD, "its quorum is empty", None, GateReason.POLICY_UNUSABLE, "is of no use: its quorum is empty"),
        (replace(PROD, effects=()), "", None, GateReason.EFFECT_NOT_ALLOWED, "does not list effect Promote"),
        (
            replace(PROD, on_unknown_requester=UnknownRequester.REFUSE),
            "",
            None,
            GateReason.POLICY_UNUSABLE,
            "nobody knows who changed",
        ),
    ],
)
def test_a_gate_is_ready_where_it_may_ask(
    policy: Policy | None, flaw: str, seconds: int | None, reason: GateReason, says: str
) -> None:
    found = argo_readiness(replace(GATE, timeout_seconds=seconds), policy, flaw)

    assert (found.ready, found.reason) == (reason is GateReason.POLICY_FOUND, reason)
    assert says in found.message
    assert bool(why_unasked(policy, flaw, "prod", seconds)) is not found.ready
