"""Builders of what concerns Argo Rollouts: the request about the pause of Rollout web, and what is seen of it.

As in `builders`: a good value by default, and the one thing that the test is about by name.
"""

from dataclasses import replace
from typing import Any

from gatehold.domain.argo.model import ArgoAsked, ArgoGate, ArgoRollout, ArgoSight
from gatehold.domain.model import Effect, EffectType, Request, Requester, Subject
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Facts, Observed
from gatehold.domain.reasons import Reason
from gatehold.domain.status import By, Decision, EffectState, EffectStatus, ObjectRef, Resolved, ResolvedArgo, Status
from tests.builders import after, approve, deny, observed, pending, recorded, request
from tests.promotions import OPERATOR

PAUSE = "sha256:" + "a" * 64
OTHER = "sha256:" + "9" * 64
NAME = "web-new-1-a0"
GATE = ArgoGate("tide", "prod")
SUBJECT = Subject("argoproj.io/v1alpha1", "Rollout", "shop", "web", "argo-uid", PAUSE)
SHOWN = ResolvedArgo("new", "old", after(-90), 1, 4, 20, ("web:2",), ("web:1",))


def argo_request(**changes: Any) -> Request:
    """The operator's question about the pause of Rollout web, for gate `tide`."""
    base = {"name": NAME, "subject": SUBJECT, "effect": Effect(EffectType.PROMOTE), "requester": Requester(OPERATOR)}
    return request(**base | {"gate": "tide"} | changes)


def paused(**changes: Any) -> ArgoRollout:
    """Rollout web at the first pause of its canary."""
    base = ArgoRollout(
        "shop", "web", "argo-uid", "7", "new", "old", step=1, steps=4, weight=20, asks=PAUSE, paused_at=after(-90)
    )
    return replace(base, **{"observed": True, "phase": "Paused", "replicas": 3, "updated": 1, "available": 3} | changes)


def moving(**changes: Any) -> ArgoRollout:
    """The same while it is at no pause."""
    return paused(**{"asks": "", "paused_at": None, "phase": "Progressing", "step": 2} | changes)


def aborted(**changes: Any) -> ArgoRollout:
    """The same once it was aborted and stable serves."""
    return moving(**{"aborted": True, "abort_seen": True, "step": 0, "updated": 0, "phase": "Degraded"} | changes)


def sight(rollout: ArgoRollout | None = None, **changes: Any) -> ArgoSight:
    """It behind its gate; nothing is asked."""
    return replace(ArgoSight("tide", rollout or paused(), GATE), **changes)


def asked(phase: Phase = Phase.PENDING, digest: str = PAUSE) -> ArgoAsked:
    """A request about it."""
    return ArgoAsked(NAME, "request-uid", digest, phase, prepared=True)


def argo_observed(status: Status | None = None, rollout: ArgoRollout | None = None, **changes: Any) -> Observed:
    """What a healthy cluster shows about that request."""
    found = Facts(argo=sight(rollout))
    return observed(status, **{"request": argo_request(), "resolved": Resolved(argo=SHOWN), "facts": found} | changes)


def waiting(**changes: Any) -> Status:
    """People were asked a minute ago."""
    return pending(**{"resolved": Resolved(argo=SHOWN)} | changes)


def record(state: EffectState = EffectState.WAITING, **changes: Any) -> EffectStatus:
    """The record of the effect."""
    ref = ObjectRef("argoproj.io/v1alpha1", "Rollout", "web", "argo-uid", "7")
    started = None if state is EffectState.WAITING else after(-30)
    return replace(EffectStatus(EffectType.PROMOTE, state, ref, started_at=started), **changes)


def accepted(state: EffectState = EffectState.RUNNING, **changes: Any) -> Status:
    """Approved by alice some seconds ago."""
    decision = Decision(Phase.APPROVED, By.PEOPLE, after(-40), "", "", Reason.QUORUM_MET, "approved by alice")
    base = waiting(phase=Phase.APPROVED, approvals="1/1", verdicts=(recorded(approve(), -40),), decision=decision)
    return replace(base, **{"valid_until": after(860), "effect": record(state)} | changes)


def refused(phase: Phase = Phase.DENIED, state: EffectState | None = None, **changes: Any) -> Status:
    """Ended by bob's no, before anything was begun unless a state says otherwise; not yet undone."""
    decision = Decision(phase, By.PEOPLE, after(-5), reason=Reason.DENIED_BY_REVIEWER, message="bob: no")
    said = (recorded(deny(1, "bob"), -5),) if phase is Phase.DENIED else ()
    found = record(state) if state is not None else None
    return replace(waiting(phase=phase, verdicts=said, decision=decision, effect=found), **changes)
