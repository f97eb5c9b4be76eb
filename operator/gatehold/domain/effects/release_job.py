"""Effect Release for a held Job: let it run once, follow it to its end. What happens afterwards is in undo_job.

The order that makes it happen once, whatever dies when: the prior state is recorded with Approved; the release is one
write that is guarded by uid and resourceVersion and signs itself (released-by); the outcome finalizer keeps the Job
until its end stands in the status.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from gatehold.domain.effects.base import Ending, Step, Undo
from gatehold.domain.effects.undo_job import undo
from gatehold.domain.model import Request, UndoRef
from gatehold.domain.phases import Phase
from gatehold.domain.plan import DropFinalizer, Finding, JobFacts, Observed, ReleaseJob, Rules, Write
from gatehold.domain.reasons import Reason
from gatehold.domain.status import By, EffectState, EffectStatus, ObjectRef, Progress, ResolvedJob, Status


class ReleaseJobRules:
    """The rules of effect Release on batch/v1 Jobs."""

    gate = None
    proven_with_yes = False

    def supports(self, request: Request) -> bool:
        """Jobs of the request's own namespace; other subjects belong to other modules."""
        subject = request.subject
        return (
            subject is not None
            and (subject.api_version, subject.kind) == ("batch/v1", "Job")
            and subject.namespace in ("", request.namespace)
        )

    def check(self, observed: Observed) -> Finding | None:
        """The Job and its undo must be there, held under this policy, suspended, and what the request says they are."""
        request, facts = observed.request, observed.facts
        subject, undo_ref = request.subject, request.effect.undo
        if subject is None:
            return Finding(Reason.INVALID_REQUEST, "the request names no subject")
        if undo_ref is not None and undo_ref.name == subject.name:
            return Finding(Reason.INVALID_REQUEST, "the undo Job must be another Job than the subject")
        finding = _check_job(facts.job, UndoRef(subject.name, subject.uid), request)
        if finding is None and facts.job is not None and subject.digest not in ("", facts.job.digest):
            text = f"Job {subject.name} has digest {facts.job.digest}, the request is about {subject.digest}"
            return Finding(Reason.SUBJECT_CHANGED, text)
        if finding is None and undo_ref is not None:
            finding = _check_job(facts.undo, undo_ref, request)
        return finding

    def verify(self, observed: Observed, status: Status) -> Ending | None:
        """Both Jobs must still be what was resolved, and still be held. Before anybody is asked, `check` says it."""
        resolved = status.resolved
        if not status.request_digest:
            return None
        if resolved is None or resolved.job is None:
            return Ending(Phase.FAILED, By.OPERATOR, Finding(Reason.INVALID_REQUEST, "the request was not resolved"))
        ending = _drift(observed.facts.job, resolved.job, observed.request)
        if ending is None and resolved.undo is not None:
            ending = _drift(observed.facts.undo, resolved.undo, observed.request)
        return ending

    def begun(self, observed: Observed) -> bool:
        """Whether the Job is signed by this request."""
        job = observed.facts.job
        return job is not None and job.released_by == observed.request.uid

    def begin(self, observed: Observed, status: Status) -> EffectStatus | None:
        """Record the Job as it is before the first write."""
        job = observed.facts.job
        if job is None:
            return None
        return EffectStatus(
            type=observed.request.effect.type,
            state=EffectState.WAITING,
            object=ObjectRef("batch/v1", "Job", job.name, job.uid, job.resource_version),
            prior_suspend=job.suspended,
        )

    def plan(self, observed: Observed, status: Status, now: datetime) -> Step:
        """Release the Job, or follow it."""
        effect, job = status.effect, observed.facts.job
        if effect is None or effect.object is None:
            finding = Finding(Reason.INVALID_REQUEST, "no prior state is recorded, so nothing may be begun")
            return Step(effect, ending=Ending(Phase.FAILED, By.OPERATOR, finding))
        if job is not None and job.uid == effect.object.uid and job.released_by == observed.request.uid:
            return _follow(job, effect, observed, now)
        if effect.started_at is not None:
            text = f"Job {effect.object.name} vanished before its outcome was seen"
            return Step(effect, ending=Ending(Phase.FAILED, By.OPERATOR, Finding(Reason.OUTCOME_UNKNOWN, text)))
        return self._start(observed, status, now)

    def _start(self, observed: Observed, status: Status, now: datetime) -> Step:
        ending = self.verify(observed, status)
        if ending is not None or observed.facts.job is None:
            return Step(status.effect, ending=ending)
        if status.valid_until is None or now >= status.valid_until:
            finding = Finding(Reason.VALIDITY_PASSED, "the approval was not used within its validity; open a new request")
            return Step(status.effect, ending=Ending(Phase.LAPSED, By.TIME, finding))
        writes = (ReleaseJob(observed.facts.job),) if observed.wall_proven else ()
        return Step(status.effect, writes, recheck_at=status.valid_until)

    def undo(self, observed: Observed, status: Status, now: datetime) -> Undo:
        """Stop the Job, see its pods gone, then run the undo Job once."""
        return undo(observed, status, now)

    def settle(self, observed: Observed) -> tuple[Write, ...]:
        """Let the Jobs go: take the outcome finalizer off those that this request had released."""
        jobs = (observed.facts.job, observed.facts.undo)
        mine = (j for j in jobs if j is not None and j.has_finalizer and j.released_by == observed.request.uid)
        return tuple(DropFinalizer(j) for j in mine)

    def keep_until(self, observed: Observed, status: Status) -> datetime | None:
        """Nothing is left to wait for."""
        return None


def effect_timeout(request: Request, rules: Rules) -> timedelta:
    """How long the effect may run; the operator's default where the request does not say."""
    return timedelta(seconds=request.effect.timeout_seconds or rules.effect_timeout_seconds)


def _check_job(job: JobFacts | None, wanted: UndoRef, request: Request) -> Finding | None:
    if job is None or job.deleting:
        return Finding(Reason.SUBJECT_NOT_FOUND, f"there is no Job {wanted.name} in namespace {request.namespace}")
    if wanted.uid not in ("", job.uid):
        return Finding(Reason.SUBJECT_CHANGED, f"Job {job.name} has uid {job.uid}, the request is about {wanted.uid}")
    if not job.hold:
        text = f"Job {job.name} carries no label gatehold.dev/hold, so nothing would keep it; create it with the label"
        return Finding(Reason.SUBJECT_NOT_HELD, text)
    if job.hold != request.policy:
        text = f"Job {job.name} is held for policy {job.hold}; open the request under that policy"
        return Finding(Reason.POLICY_MISMATCH, text)
    if job.released_by:
        return Finding(Reason.SUBJECT_TAKEN, f"Job {job.name} was released by request {job.released_by} already")
    if not job.suspended or job.finished:
        return Finding(Reason.SUBJECT_RUNNING, f"Job {job.name} is not suspended: it runs, or has run, already")
    return None


def _drift(job: JobFacts | None, resolved: ResolvedJob, request: Request) -> Ending | None:
    """How a Job differs from what was resolved, as an ending."""
    if job is None or job.deleting:
        return _superseded(Reason.SUBJECT_DELETED, f"Job {resolved.name} was deleted")
    if job.uid != resolved.uid:
        return _superseded(Reason.SUBJECT_CHANGED, f"Job {resolved.name} was replaced by another of the same name")
    if job.digest != resolved.digest or job.hold != request.policy:
        return _superseded(Reason.SUBJECT_CHANGED, f"Job {resolved.name} is not what was shown any more")
    if job.released_by:
        finding = Finding(Reason.SUBJECT_TAKEN, f"Job {resolved.name} was released by request {job.released_by} already")
        return Ending(Phase.FAILED, By.OPERATOR, finding)
    if job.suspended and not job.finished:
        return None
    if job.overridden:
        return _superseded(Reason.SUBJECT_OVERRIDDEN, f"Job {resolved.name} was let go by hand: {job.overridden}")
    finding = Finding(Reason.SUBJECT_RUNNING, f"Job {resolved.name} was let go by another hand than the operator's")
    return Ending(Phase.FAILED, By.OPERATOR, finding)


def _superseded(reason: Reason, text: str) -> Ending:
    return Ending(Phase.SUPERSEDED, By.OPERATOR, Finding(reason, text))


def _follow(job: JobFacts, effect: EffectStatus, observed: Observed, now: datetime) -> Step:
    """The Job runs by our hand: record that, its progress and its end."""
    started = effect.started_at or now
    effect = replace(effect, state=EffectState.RUNNING, started_at=started, progress=_progress(job, effect, observed, now))
    ends_at = started + effect_timeout(observed.request, observed.rules)
    ending = _outcome(job, now >= ends_at)
    if ending is None:
        beat = now + timedelta(seconds=observed.rules.progress_seconds)
        return Step(effect, recheck_at=min(ends_at, beat))
    state = EffectState.DONE if ending.phase is Phase.RELEASED else EffectState.FAILED
    progress = Progress(now, job.active, job.succeeded, job.failures)
    done = replace(effect, state=state, finished_at=now, progress=progress, message=ending.finding.message)
    return Step(done, ending=ending)


def _progress(job: JobFacts, effect: EffectStatus, observed: Observed, now: datetime) -> Progress:
    """The figures to show: new ones at most every `progress_seconds`, so that a busy Job does not flood the status."""
    old = effect.progress
    fresh = Progress(now, job.active, job.succeeded, job.failures)
    if old is None:
        return fresh
    same = replace(fresh, at=old.at) == old
    due = now >= old.at + timedelta(seconds=observed.rules.progress_seconds)
    return fresh if due and not same else old


def _outcome(job: JobFacts, is_late: bool) -> Ending | None:
    if job.complete:
        return Ending(Phase.RELEASED, By.OPERATOR, Finding(Reason.EFFECT_COMPLETE, f"Job {job.name} completed"))
    if job.failed:
        text = f"Job {job.name} failed" + (f": {job.failure[:256]}" if job.failure else "")
        return Ending(Phase.FAILED, By.OPERATOR, Finding(Reason.EFFECT_FAILED, text))
    if job.deleting:
        return _superseded(Reason.SUBJECT_DELETED, f"Job {job.name} was deleted while it ran")
    if is_late:
        return Ending(Phase.FAILED, By.TIME, Finding(Reason.EFFECT_TIMED_OUT, f"Job {job.name} ran beyond its time"))
    return None
