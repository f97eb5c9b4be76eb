"""Effect Promote on a Rollout of Argo: a yes takes its pause away, a no aborts it.

Neither write leaves a mark of ours on the Rollout, so that it is about to come is recorded first (Running, Undoing), and
what is seen afterwards is told from that: its own controller goes on within moments. What somebody else did there, a holder
of verb override or who aborted it, ends the question and is not put back.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from gatehold.domain.argo.course import (
    asked_of,
    digest_of,
    has_passed,
    is_of_argo,
    lost,
    moved,
    name_of,
    reference,
    rollout_of,
)
from gatehold.domain.argo.model import ArgoRollout, ArgoSight, ResumeArgo
from gatehold.domain.effects.base import MOST_TEXT, Ending, Step, Undo
from gatehold.domain.effects.undo_argo import undo
from gatehold.domain.model import EffectType, GateType, Request
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Finding, Observed, Write
from gatehold.domain.reasons import Reason
from gatehold.domain.schedule import earliest
from gatehold.domain.status import By, EffectState, EffectStatus, Status

KIND = "Rollout"
AGAIN = timedelta(seconds=5)
"""How often a Rollout is looked at that has to go on: every change of it wakes its requests anyway."""


class PromoteArgoRules:
    """The rules of effect Promote on Argo Rollouts."""

    gate = GateType.ARGO_ROLLOUTS
    proven_with_yes = True

    def supports(self, request: Request) -> bool:
        """Argo Rollouts of the request's own namespace, whatever the version."""
        subject = request.subject
        here = subject is not None and (subject.kind, subject.namespace) == (KIND, request.namespace)
        return here and is_of_argo(request)

    def check(self, observed: Observed) -> Finding | None:
        """Only the operator asks; the rest is said by `verify`, which comes first."""
        if not observed.request.gate:
            text = "effect Promote is asked for by the operator only: a Rollout that pauses is asked about by itself"
            return Finding(Reason.EFFECT_NOT_ALLOWED, text)
        sight = observed.facts.argo
        if sight is None or sight.unread:
            return Finding(Reason.SUBJECT_NOT_FOUND, f"nothing is known of Rollout {name_of(observed.request)}")
        return None

    def verify(self, observed: Observed, status: Status) -> Ending | None:
        """The Rollout must stand at that very pause, behind this Gate."""
        request, sight = observed.request, observed.facts.argo
        if sight is None or sight.unread or not request.gate:  # before anybody is asked `check` says so; later it is held
            return None
        rollout = rollout_of(observed)
        if rollout is None or rollout.deleting:
            return _deleted(request)
        if sight.label != request.gate:
            by = f"is behind gate {sight.label} by now" if sight.label else "is behind no gate of this kind any more"
            return _superseded(Finding(Reason.SUBJECT_CHANGED, f"namespace {request.namespace} {by}"))
        unasked = _unaskable(request, sight) if not status.request_digest else None
        if unasked is not None or rollout.asks == digest_of(request):
            return unasked
        return _superseded(moved(rollout, asked_of(status)))

    def begun(self, observed: Observed) -> bool:
        """Never: that it has begun is recorded before its first write."""
        return False

    def begin(self, observed: Observed, status: Status) -> EffectStatus | None:
        """Which Rollout it is, and which version of it."""
        rollout = rollout_of(observed)
        if rollout is None:
            return None
        return EffectStatus(EffectType.PROMOTE, EffectState.WAITING, object=reference(observed, rollout))

    def plan(self, observed: Observed, status: Status, now: datetime) -> Step:
        """Take the pause away, and wait until its controller has gone on."""
        effect, rollout, asked, sight = status.effect, rollout_of(observed), asked_of(status), observed.facts.argo
        if effect is None or asked is None or sight is None:
            finding = Finding(Reason.INVALID_REQUEST, "no pause is recorded, so nothing may be let go")
            return Step(effect, ending=Ending(Phase.FAILED, By.OPERATOR, finding))
        if effect.state is EffectState.WAITING:
            return self._first(observed, status, now)
        if sight.unread:
            return Step(effect, recheck_at=now + AGAIN)
        if rollout is None or rollout.deleting:
            return Step(effect, ending=_deleted(observed.request))
        if has_passed(rollout, asked):
            return _released(effect, rollout, now)
        why = lost(rollout, asked, digest_of(observed.request))
        if why is not None:
            return Step(effect, ending=_superseded(why))
        return _go_on(observed, effect, rollout, now)

    def _first(self, observed: Observed, status: Status, now: datetime) -> Step:
        """Nothing was written yet. Its time is looked at first, then whether it is still that pause."""
        effect, rollout = status.effect, rollout_of(observed)
        if status.valid_until is None or now >= status.valid_until:
            finding = Finding(Reason.VALIDITY_PASSED, "the approval was not used within its validity")
            return Step(effect, ending=Ending(Phase.LAPSED, By.TIME, finding))
        ending = self.verify(observed, status)
        if ending is not None or rollout is None or effect is None:
            return Step(effect, ending=ending)
        if rollout.stopped:
            return Step(effect, recheck_at=status.valid_until, held=_stopped(rollout))
        if not observed.wall_proven:
            return Step(effect, recheck_at=status.valid_until)
        running = replace(effect, state=EffectState.RUNNING, started_at=now)
        return Step(running, (ResumeArgo(rollout),), recheck_at=now + AGAIN)

    def undo(self, observed: Observed, status: Status, now: datetime) -> Undo:
        """Abort it, and wait until its stable revision serves."""
        return undo(observed, status, now)

    def settle(self, observed: Observed) -> tuple[Write, ...]:
        """Nothing to tidy."""
        return ()

    def keep_until(self, observed: Observed, status: Status) -> datetime | None:
        """Nothing is left to wait for."""
        return None


def _go_on(observed: Observed, effect: EffectStatus, rollout: ArgoRollout, now: datetime) -> Step:
    """It has begun: the write is tried again while it stands at that pause, else its controller is waited for."""
    ends_at = (effect.started_at or now) + timedelta(seconds=observed.rules.effect_timeout_seconds)
    if now >= ends_at:
        finding = Finding(Reason.EFFECT_TIMED_OUT, f"Rollout {rollout.name} did not go on in time")
        return Step(effect, ending=Ending(Phase.FAILED, By.TIME, finding))
    recheck = earliest((ends_at, now + AGAIN))
    if rollout.asks != digest_of(observed.request):
        return Step(effect, recheck_at=recheck)
    if rollout.stopped:  # since the yes was recorded: who looked at it then saw it go
        return Step(effect, recheck_at=recheck, held=_stopped(rollout))
    if not observed.wall_proven:
        text = "approved, but the admission policies are not proven in force: nothing is released"
        return Step(effect, recheck_at=recheck, held=Finding(Reason.WALL_NOT_PROVEN, text))
    return Step(effect, (ResumeArgo(rollout),), recheck_at=recheck)


def _stopped(rollout: ArgoRollout) -> Finding:
    """Why its pause is not taken away now."""
    text = f"spec.paused of Rollout {rollout.name} is true, so it would not go on; set it to false, or abort it"
    return Finding(Reason.ROLLOUT_STOPPED, text)


def _released(effect: EffectStatus, rollout: ArgoRollout, now: datetime) -> Step:
    """Its controller went on, and that was seen."""
    where = "is promoted" if rollout.promoted else f"is at step {(rollout.step or 0) + 1} of {rollout.steps}"
    where = "has the traffic of the active Service" if rollout.switched and not rollout.promoted else where
    text = f"Rollout {rollout.name} went on: revision {rollout.pod_hash} {where}"[:MOST_TEXT]
    done = replace(effect, state=EffectState.DONE, finished_at=now, message=text)
    return Step(done, ending=Ending(Phase.RELEASED, By.OPERATOR, Finding(Reason.EFFECT_COMPLETE, text)))


def _unaskable(request: Request, sight: ArgoSight) -> Ending | None:
    """Why it cannot be asked: it makes way, and is asked anew once that is possible."""
    if sight.gate is None:
        return _superseded(Finding(Reason.GATE_NOT_FOUND, f"Gate {request.gate}: {sight.why}"[:MOST_TEXT]))
    if sight.gate.policy != request.policy:
        text = f"gate {sight.gate.name} asks under policy {sight.gate.policy} by now"
        return _superseded(Finding(Reason.POLICY_MISMATCH, text))
    return None


def _deleted(request: Request) -> Ending:
    return _superseded(Finding(Reason.SUBJECT_DELETED, f"Rollout {name_of(request)} is gone"))


def _superseded(finding: Finding) -> Ending:
    return Ending(Phase.SUPERSEDED, By.OPERATOR, finding)
