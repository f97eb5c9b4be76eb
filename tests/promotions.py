"""Builders of what concerns effect Promote: the request of Rollout web, and what the Rollout's record says about it.

As in `builders`: a good value by default, and the one thing that the test is about by name. zoe changed the template.
"""

from dataclasses import replace
from typing import Any

from gatehold.domain.model import Effect, EffectType, Request, Requester, Subject
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Facts, Observed, RolloutFacts
from gatehold.domain.reasons import Reason
from gatehold.domain.rollout.record import Ending, LastRun, Outcome, Question, RequestRef, Target
from gatehold.domain.status import By, Decision, EffectState, EffectStatus, ObjectRef, Resolved, Status
from tests.builders import UID, after, approve, observed, pending, recorded, request

CANARY = "sha256:" + "c" * 64
NAME = "web-cccccccc-1a2b"
TARGET = Target("sha256:" + "7" * 64, "sha256:" + "5" * 64)
IMAGES = Resolved(image_ids=("app=registry.example/web@sha256:1",))
OPERATOR = "system:serviceaccount:gatehold-system:gatehold"


def promote_request(**changes: Any) -> Request:
    """The operator's question about the canary of Rollout web, for gate `shop-gate`."""
    subject = Subject("gatehold.dev/v1alpha1", "Rollout", "shop", "web", "rollout-uid", CANARY)
    base = {"name": NAME, "subject": subject, "effect": Effect(EffectType.PROMOTE), "requester": Requester(OPERATOR)}
    return request(**base | {"gate": "shop-gate", "authors": ("zoe",)} | changes)


def question(**changes: Any) -> Question:
    """The question as the run remembers it: asked, and its request seen."""
    return replace(Question("prod", NAME, CANARY, 1, "shop-gate", IMAGES.image_ids, UID), **changes)


def passed(**changes: Any) -> Question:
    """The same once the yes was used, half a minute ago."""
    return question(**{"passed": True, "passed_at": after(-30)} | changes)


def ending(outcome: Outcome = Outcome.FAILED, reason: str = "PodsFailed", **changes: Any) -> Ending:
    """Why the run is being undone."""
    return replace(Ending(outcome, reason, "web-1: CrashLoopBackOff"), **changes)


def last_run(outcome: Outcome = Outcome.PROMOTED, **changes: Any) -> LastRun:
    """How the run ended that knew this request; undone unless it was promoted."""
    base = LastRun(TARGET, outcome, "Why", f"it was {outcome}", after(-2), (RequestRef(NAME, UID),))
    back = {"rolled_back": True, "rolled_back_message": "stable runs 5 of 5, the canary is gone"}
    return replace(base, **(back if outcome is not Outcome.PROMOTED else {}) | changes)


def rollout(**changes: Any) -> RolloutFacts:
    """Rollout web while its run waits for the answer."""
    base = RolloutFacts("web", "rollout-uid", digest=CANARY, busy=True, question=question())
    return replace(base, **changes)


def at_rest(**changes: Any) -> RolloutFacts:
    """Rollout web without a run."""
    return rollout(**{"busy": False, "question": None} | changes)


def promote_observed(status: Status | None = None, there: RolloutFacts | None = None, **changes: Any) -> Observed:
    """What a healthy cluster shows about that request."""
    found = Facts(rollout=there if there is not None else rollout())
    return observed(status, **{"request": promote_request(), "resolved": IMAGES, "facts": found} | changes)


def asked(**changes: Any) -> Status:
    """People were asked a minute ago."""
    return pending(**{"resolved": IMAGES} | changes)


def record(state: EffectState = EffectState.WAITING, **changes: Any) -> EffectStatus:
    """The record of the effect."""
    ref = ObjectRef("gatehold.dev/v1alpha1", "Rollout", "web", "rollout-uid")
    started = None if state is EffectState.WAITING else after(-30)
    return replace(EffectStatus(EffectType.PROMOTE, state, ref, started_at=started), **changes)


def accepted(state: EffectState = EffectState.WAITING, **changes: Any) -> Status:
    """Approved by alice some seconds ago."""
    decision = Decision(Phase.APPROVED, By.PEOPLE, after(-40), "", "", Reason.QUORUM_MET, "approved by alice")
    base = asked(phase=Phase.APPROVED, approvals="1/1", verdicts=(recorded(approve(), -40),), decision=decision)
    return replace(base, **{"valid_until": after(860), "effect": record(state)} | changes)
