"""The way back of a released Job: stop it, see its pods gone, run the undo Job once. Called by release_job only."""

from dataclasses import replace
from datetime import datetime, timedelta

from gatehold.domain.effects.base import Undo, concluded
from gatehold.domain.effects.pods import SOONEST, wait_for
from gatehold.domain.plan import CloseJob, DropFinalizer, Finding, JobFacts, Observed, ReleaseJob, SuspendJob
from gatehold.domain.reasons import Reason
from gatehold.domain.status import EffectState, EffectStatus, ObjectRef, ResolvedJob, Status, UndoStatus

_DELETED = "was deleted while it ran"


def undo(observed: Observed, status: Status, now: datetime) -> Undo:
    """The next step back. Nothing is undone that this request has not signed as its own."""
    effect, job = status.effect, observed.facts.job
    if effect is None or effect.object is None:
        return _concluded(effect, Reason.NOTHING_TO_UNDO, "nothing had been begun", now, restored=True)
    if job is not None and job.uid == effect.object.uid and job.released_by == observed.request.uid:
        return _stop(job, observed, effect, now)
    if effect.started_at is None:
        return _close(job, observed, effect, now)
    if effect.state is EffectState.UNDOING:  # stopped by us, and let go since: only its pods matter now
        return _after_stop(observed, effect, now)
    text = f"Job {effect.object.name} is gone and its outcome was not seen, so no undo was started"
    return _concluded(effect, Reason.OUTCOME_UNKNOWN, text, now, restored=False)


def _close(job: JobFacts | None, observed: Observed, effect: EffectStatus, now: datetime) -> Undo:
    """Never begun. A release that a dead replica may still have under way is fenced by one write to the Job."""
    open_still = job is not None and not job.deleting and job.closed_by != observed.request.uid
    if job is not None and open_still and effect.object is not None and job.uid == effect.object.uid:
        return Undo(effect, Finding(Reason.UNDOING, f"closing Job {job.name}"), writes=(CloseJob(job),))
    return _concluded(effect, Reason.NOTHING_TO_UNDO, "nothing had been begun", now, restored=True)


def _stop(job: JobFacts, observed: Observed, effect: EffectStatus, now: datetime) -> Undo:
    was, effect = effect.state, replace(effect, state=EffectState.UNDOING, started_at=effect.started_at or now)
    if was is EffectState.UNDOING and job.overridden and not job.suspended and not job.finished:
        return _by_hand(job, observed, effect, now)
    if job.deleting and job.has_finalizer:  # its controller leaves the pods of a dying Job alone, the collector does not
        text = f"waiting for the pods of Job {job.name}, which is being deleted"
        return Undo(effect, Finding(Reason.UNDOING, text), writes=(DropFinalizer(job),), recheck_at=now + SOONEST)
    if not job.finished and not job.suspended and not job.deleting:
        return Undo(effect, Finding(Reason.UNDOING, f"stopping Job {job.name}"), writes=(SuspendJob(job),))
    return _after_stop(observed, effect, now)


def _by_hand(job: JobFacts, observed: Observed, effect: EffectStatus, now: datetime) -> Undo:
    """The stopped Job was let go again by break-glass: not put back. An undo Job of ours is seen to its end first."""
    text = f"Job {job.name} was stopped, and let go again by hand: {job.overridden}"
    undo, record, resolved = observed.facts.undo, effect.undo, observed.status.resolved
    named = resolved.undo if resolved is not None else None
    begun = undo is not None and undo.released_by == observed.request.uid
    if named is not None and (begun or (record is not None and record.started_at is not None)):
        step = _run(named, observed, effect, now)
        if step.restored is None or step.effect is None:
            return step
        effect = step.effect
    elif undo is not None and record is not None and _is_open(undo, record, observed):
        return Undo(effect, Finding(Reason.UNDOING, f"closing Job {undo.name}"), writes=(CloseJob(undo),))
    return _concluded(effect, Reason.SUBJECT_OVERRIDDEN, text[:1024], now, restored=False)


def _is_open(job: JobFacts, record: UndoStatus, observed: Observed) -> bool:
    """Whether a start of the undo Job that was recorded, and may be under way, could still land."""
    return job.uid == record.object.uid and job.closed_by != observed.request.uid


def _after_stop(observed: Observed, effect: EffectStatus, now: datetime) -> Undo:
    """The Job is stopped, finished or gone: its pods must be gone before the undo Job starts."""
    since = effect.stopped_at or now
    effect = replace(effect, state=EffectState.UNDOING, stopped_at=since)
    name = effect.object.name if effect.object is not None else ""
    waits = wait_for(observed.facts.pods, name, observed.request.namespace, since, now)
    if waits is not None:
        return Undo(effect, waits.finding, stalled=waits.stalled, recheck_at=waits.recheck_at)
    resolved = observed.status.resolved
    if resolved is None or resolved.undo is None:
        text = "the Job is stopped; the request names no undo Job, so what it had done stays"
        return _concluded(effect, Reason.NO_UNDO_NAMED, text, now, restored=False)
    return _run(resolved.undo, observed, effect, now)


def _run(resolved: ResolvedJob, observed: Observed, effect: EffectStatus, now: datetime) -> Undo:
    """Run the undo Job, once: the same order of record, guarded write and signature as for the Job itself."""
    job, record = observed.facts.undo, effect.undo
    ours = job is not None and job.uid == resolved.uid and job.released_by == observed.request.uid
    if job is not None and ours:
        return _follow(job, observed, effect, now)
    if record is not None and record.started_at is not None:
        why = record.message or "vanished before its outcome was seen"
        return _ended(record, observed, effect, _failed(resolved.name, why), now)
    usable = job is not None and job.uid == resolved.uid and job.digest == resolved.digest and not job.deleting
    if job is None or not usable or not job.suspended or job.released_by:
        text = f"undo Job {resolved.name} is gone or is not what was approved; restore by hand"
        return _concluded(effect, Reason.UNDO_UNAVAILABLE, text, now, restored=False)
    ref = ObjectRef("batch/v1", "Job", job.name, job.uid, job.resource_version)
    effect = replace(effect, undo=record or UndoStatus(EffectState.WAITING, ref))
    text = f"starting undo Job {job.name}"
    return Undo(effect, Finding(Reason.UNDOING, text), writes=(ReleaseJob(job, undo=True),))


def _follow(job: JobFacts, observed: Observed, effect: EffectStatus, now: datetime) -> Undo:
    """The undo Job runs by our hand, or has: its end is said once nothing of it runs any more."""
    record = effect.undo or UndoStatus(EffectState.WAITING, ObjectRef("batch/v1", "Job", job.name, job.uid))
    started = record.started_at or now
    record = replace(record, state=EffectState.RUNNING, started_at=started)
    effect = replace(effect, undo=record)
    ends_at = started + timedelta(seconds=observed.rules.undo_timeout_seconds)
    outcome = _outcome(job)
    if outcome is not None:
        return _ended(record, observed, effect, outcome, now)
    if job.deleting:  # its pods are the collector's, once our finalizer is off
        effect = replace(effect, undo=replace(record, message=_DELETED))
        finding = Finding(Reason.UNDOING, f"waiting for the pods of undo Job {job.name}, which is being deleted")
        return Undo(effect, finding, writes=(DropFinalizer(job),), recheck_at=now + SOONEST)
    if job.overridden:
        text = f"undo Job {job.name} was stopped, and let go again by hand: {job.overridden}"  # not put back: break-glass
        return _concluded(effect, Reason.SUBJECT_OVERRIDDEN, text[:1024], now, restored=False)
    if now >= ends_at:
        finding = Finding(Reason.UNDOING, f"undo Job {job.name} ran beyond its time: stopping it")
        return Undo(effect, finding, writes=(SuspendJob(job),))
    return Undo(effect, Finding(Reason.UNDOING, f"undo Job {job.name} runs"), recheck_at=ends_at)


def _outcome(job: JobFacts) -> Finding | None:
    """How the undo Job ended, or None while it runs or its deletion waits for us."""
    if job.complete:
        return Finding(Reason.UNDO_COMPLETED, f"undo Job {job.name} completed")
    if job.failed:
        return _failed(job.name, "failed")
    if job.deleting:
        return None if job.has_finalizer else _failed(job.name, _DELETED)
    if job.suspended:  # by this operator, and by nobody else
        return _failed(job.name, "ran beyond its time and was stopped")
    return None


def _failed(name: str, why: str) -> Finding:
    return Finding(Reason.UNDO_FAILED, f"undo Job {name} {why}; restore by hand")


def _ended(record: UndoStatus, observed: Observed, effect: EffectStatus, outcome: Finding, now: datetime) -> Undo:
    """The undo Job is over. That is said once nothing of it runs any more, since nobody looks afterwards."""
    since = record.stopped_at or now
    effect = replace(effect, undo=replace(record, stopped_at=since))
    waits = wait_for(observed.facts.undo_pods, record.object.name, observed.request.namespace, since, now)
    if waits is not None:
        return Undo(effect, waits.finding, stalled=waits.stalled, recheck_at=waits.recheck_at)
    return _concluded(effect, outcome.reason, outcome.message, now, restored=outcome.reason is Reason.UNDO_COMPLETED)


def _concluded(effect: EffectStatus | None, reason: Reason, text: str, now: datetime, *, restored: bool) -> Undo:
    record = effect.undo if effect is not None else None
    if effect is not None and record is not None and record.finished_at is None:
        ended = EffectState.DONE if restored else EffectState.FAILED
        effect = replace(effect, undo=replace(record, state=ended, finished_at=now, message=text))
    return concluded(effect, reason, text, now, restored=restored)
