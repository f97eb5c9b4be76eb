"""Effect Promote: the request mirrors what its Rollout's record says, and writes nothing itself.

The Rollout's controller asks, uses the yes (a question that it records as passed: the effect's first write), promotes, and
undoes; the request says when its own yes was used, and how the run ended. Each reads the other and writes only its own
status, so there is nobody to race with. See gatehold.domain.rollout.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from gatehold.domain.effects.base import Ending, Step, Undo, concluded
from gatehold.domain.model import GateType, Request
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Finding, Observed, RolloutFacts, Write
from gatehold.domain.reasons import ConditionType, Reason
from gatehold.domain.rollout.reasons import RolloutReason
from gatehold.domain.rollout.record import Ending as RunEnding
from gatehold.domain.rollout.record import LastRun, Outcome, Question, Record, RequestRef, Stage
from gatehold.domain.status import By, EffectState, EffectStatus, ObjectRef, Status

API_VERSION, KIND = "gatehold.dev/v1alpha1", "Rollout"
AGAIN = timedelta(minutes=5)
"""How often a run that goes on is looked at again; every change of the Rollout wakes its requests anyway."""

_ENDS: dict[Outcome, tuple[Phase, Reason]] = {
    Outcome.FAILED: (Phase.FAILED, Reason.EFFECT_FAILED),
    Outcome.DENIED: (Phase.SUPERSEDED, Reason.RUN_REFUSED),
    Outcome.EXPIRED: (Phase.SUPERSEDED, Reason.RUN_REFUSED),
    Outcome.WITHDRAWN: (Phase.SUPERSEDED, Reason.RUN_REFUSED),
}
_BACK: dict[str, Reason] = {
    RolloutReason.NOTHING_TO_UNDO: Reason.NOTHING_TO_UNDO,
    RolloutReason.NOTHING_TO_RESTORE: Reason.NO_UNDO_NAMED,
    RolloutReason.TEMPLATE_LOST: Reason.UNDO_UNAVAILABLE,
    RolloutReason.SUBJECT_OVERRIDDEN: Reason.SUBJECT_OVERRIDDEN,
}
"""What a Rollout says of its way back, in the words of a request; all else is either completed or failed."""


def facts(request: Request, uid: str, record: Record, *, deleting: bool = False, digest: str = "") -> RolloutFacts:
    """What a Rollout's record has to say about one request. A name is enough where the uid was not seen yet."""
    run, last = record.run, record.last_run
    question = next((q for q in run.questions if _is(request, q)), None) if run is not None else None
    over = last if last is not None and any(_is(request, ref) for ref in last.requests) else None
    stalled = record.condition(ConditionType.STALLED)
    undoing = run is not None and run.stage is Stage.UNDOING
    return RolloutFacts(
        name=request.subject.name if request.subject is not None else "",
        uid=uid,
        deleting=deleting,
        digest=digest,
        busy=run is not None,
        beginning=_is_beginning(record),
        question=question,
        ending=run.ending if run is not None and question is not None else None,
        stuck=stalled.message if undoing and stalled is not None and stalled.status == "True" else "",
        over=over,
    )


def _is(request: Request, ref: Question | RequestRef) -> bool:
    return ref.uid == request.uid or (not ref.uid and ref.name == request.name)


def _is_beginning(record: Record) -> bool:
    """Whether a promotion is recorded, and its first write on stable not answered yet."""
    promoting = record.run is not None and record.run.stage is Stage.PROMOTING
    return promoting and (record.stable is None or record.stable.generation is None)


class PromoteRules:
    """The rules of effect Promote on Rollouts."""

    gate = GateType.ROLLOUTS
    proven_with_yes = True

    def supports(self, request: Request) -> bool:
        """Rollouts of the request's own namespace."""
        subject = request.subject
        return (
            subject is not None
            and (subject.api_version, subject.kind) == (API_VERSION, KIND)
            and subject.namespace in ("", request.namespace)
        )

    def check(self, observed: Observed) -> Finding | None:
        """Only a Rollout's own question, about exactly what the operator reads there."""
        request, rollout = observed.request, observed.facts.rollout
        if not request.gate:
            return _not_a_gates()
        if request.subject is None or rollout is None:
            return Finding(Reason.SUBJECT_NOT_FOUND, f"there is no such Rollout in namespace {request.namespace}")
        if rollout.digest != request.subject.digest:
            read = rollout.digest or "no digest that could be computed"
            text = f"Rollout {rollout.name} has digest {read}, the request is about {request.subject.digest or 'none'}"
            return Finding(Reason.SUBJECT_CHANGED, text)
        return None

    def verify(self, observed: Observed, status: Status) -> Ending | None:
        """The Rollout must be the same one, and still wait for this very answer."""
        request, rollout = observed.request, observed.facts.rollout
        if not request.gate:  # it must not have come this far; before anybody is asked, `check` says so
            return Ending(Phase.FAILED, By.OPERATOR, _not_a_gates()) if status.request_digest else None
        if rollout is None or request.subject is None or rollout.deleting or rollout.uid != request.subject.uid:
            return _superseded(Reason.SUBJECT_DELETED, f"Rollout {_name(request)} was deleted")
        if rollout.unread:  # held: nobody can tell what it says
            return None
        if rollout.over is not None:
            return _ended(rollout.over, rollout)
        if rollout.ending is not None:
            return _ended(rollout.ending, rollout)
        if rollout.question is None:
            return _superseded(Reason.SUBJECT_CHANGED, f"Rollout {rollout.name} does not ask this any more")
        if rollout.question.digest != request.subject.digest:
            return _superseded(Reason.SUBJECT_CHANGED, f"Rollout {rollout.name} asks about something else by now")
        return None

    def begun(self, observed: Observed) -> bool:
        """Whether the Rollout's record says that the yes was used."""
        rollout = observed.facts.rollout
        return rollout is not None and rollout.passed

    def begin(self, observed: Observed, status: Status) -> EffectStatus | None:
        """The Rollout's own record holds the prior state; here stands which Rollout."""
        rollout = observed.facts.rollout
        if rollout is None:
            return None
        ref = ObjectRef(API_VERSION, KIND, rollout.name, rollout.uid)
        return EffectStatus(observed.request.effect.type, EffectState.WAITING, object=ref)

    def plan(self, observed: Observed, status: Status, now: datetime) -> Step:
        """Wait until the yes is used, then until the run is over."""
        effect, rollout = status.effect, observed.facts.rollout
        if effect is None or effect.object is None:
            finding = Finding(Reason.INVALID_REQUEST, "no Rollout is recorded, so nothing may be begun")
            return Step(effect, ending=Ending(Phase.FAILED, By.OPERATOR, finding))
        same = rollout if rollout is not None and rollout.uid == effect.object.uid else None
        if same is not None and same.over is not None and same.over.outcome is Outcome.PROMOTED:
            return _promoted(effect, same.over)
        used = same is not None and same.passed
        if same is not None and used and not same.beginning and effect.started_at is None:
            at = same.question.passed_at if same.question is not None else None
            effect = replace(effect, state=EffectState.RUNNING, started_at=at or now)
        if not used and effect.started_at is None:
            return self._wait(observed, status, now)
        ending = _lost(same) or self.verify(observed, status)
        return Step(effect, ending=ending, recheck_at=None if ending is not None else now + AGAIN)

    def _wait(self, observed: Observed, status: Status, now: datetime) -> Step:
        """The yes was not used yet. Its time is looked at first: that is what the Rollout ends the run for, too."""
        if status.valid_until is None or now >= status.valid_until:
            finding = Finding(Reason.VALIDITY_PASSED, "the approval was not used within its validity")
            return Step(status.effect, ending=Ending(Phase.LAPSED, By.TIME, finding))
        ending = self.verify(observed, status)
        return Step(status.effect, ending=ending, recheck_at=None if ending is not None else status.valid_until)

    def undo(self, observed: Observed, status: Status, now: datetime) -> Undo:
        """The way back is the Rollout's own; the request waits for it and says how it ended."""
        effect, rollout, request = status.effect, observed.facts.rollout, observed.request
        wanted = request.subject.uid if request.subject is not None else ""
        if rollout is None or rollout.uid != wanted:
            return concluded(effect, Reason.NOTHING_TO_UNDO, f"Rollout {_name(request)} is gone", now)
        if rollout.unread:
            text = f"Rollout {rollout.name} cannot be read: {rollout.unread}"
            return Undo(effect, Finding(Reason.UNDO_STUCK, text[:1024]), stalled=True)
        if rollout.over is not None:
            back = _back(rollout.over, rollout)
            return concluded(effect, back.reason, back.message, now, restored=rollout.over.rolled_back is True)
        if rollout.deleting:
            text = f"Rollout {rollout.name} is being deleted, and its canary with it"
            return concluded(effect, Reason.NOTHING_TO_UNDO, text, now)
        if rollout.question is None:
            text = f"Rollout {rollout.name} goes on without this question"
            return concluded(effect, Reason.NOTHING_TO_UNDO, text, now)
        if effect is not None:
            effect = replace(effect, state=EffectState.UNDOING)
        if rollout.stuck:
            finding = Finding(Reason.UNDO_STUCK, f"Rollout {rollout.name}: {rollout.stuck}"[:1024])
            return Undo(effect, finding, stalled=True)
        return Undo(effect, Finding(Reason.UNDOING, f"Rollout {rollout.name} undoes its canary"))

    def settle(self, observed: Observed) -> tuple[Write, ...]:
        """Nothing to tidy: the Rollout is another controller's."""
        return ()

    def keep_until(self, observed: Observed, status: Status) -> datetime | None:
        """Nothing is left to wait for."""
        return None


def _name(request: Request) -> str:
    return request.subject.name if request.subject is not None else ""


def _not_a_gates() -> Finding:
    text = "effect Promote is asked for by the operator only: change the Rollout, and it asks by itself"
    return Finding(Reason.EFFECT_NOT_ALLOWED, text)


def _superseded(reason: Reason, text: str) -> Ending:
    return Ending(Phase.SUPERSEDED, By.OPERATOR, Finding(reason, text))


def _ended(run: LastRun | RunEnding, rollout: RolloutFacts) -> Ending:
    """The run of this request ended, or is being undone, by something else than this request."""
    phase, reason = _ENDS.get(run.outcome, (Phase.SUPERSEDED, Reason.SUBJECT_CHANGED))
    if run.reason == RolloutReason.SUBJECT_OVERRIDDEN:
        phase, reason = Phase.SUPERSEDED, Reason.SUBJECT_OVERRIDDEN
    words = f": {run.message}" if run.message else ""
    text = f"the canary of Rollout {rollout.name} ended as {run.outcome}{words}"
    return Ending(phase, By.OPERATOR, Finding(reason, text[:1024]))


def _lost(rollout: RolloutFacts | None) -> Ending | None:
    """The yes was used, and nothing is left in the record that could tell how that ended."""
    if rollout is None or rollout.deleting or rollout.unread or rollout.busy or rollout.over is not None:
        return None
    text = f"Rollout {rollout.name} does not know any more how the canary of this request ended"
    return Ending(Phase.FAILED, By.OPERATOR, Finding(Reason.OUTCOME_UNKNOWN, text))


def _promoted(effect: EffectStatus, over: LastRun) -> Step:
    """Released: stable runs it, and that was verified."""
    message = over.message[:1024]
    done = replace(
        effect, state=EffectState.DONE, started_at=effect.started_at or over.at, finished_at=over.at, message=message
    )
    return Step(done, ending=Ending(Phase.RELEASED, By.OPERATOR, Finding(Reason.EFFECT_COMPLETE, message)))


def _back(over: LastRun, rollout: RolloutFacts) -> Finding:
    """What the Rollout says of its way back. One that was promoted before the no was seen has none."""
    if over.outcome is Outcome.PROMOTED:
        text = f"Rollout {rollout.name} was promoted before that was seen; to go back, give it the former template"
        return Finding(Reason.EFFECT_COMPLETE, text)
    usual = Reason.UNDO_COMPLETED if over.rolled_back else Reason.UNDO_FAILED
    text = over.rolled_back_message or over.message or f"Rollout {rollout.name} says no more"
    return Finding(_BACK.get(over.rolled_back_reason, usual), text[:1024])
