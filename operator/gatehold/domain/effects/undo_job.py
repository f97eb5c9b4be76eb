"""The way back of a released Job: stop it, see its pods gone, run the undo Job once. Called by release_job only."""

from dataclasses import replace
from datetime import datetime, timedelta

from gatehold.domain.effects.base import Undo
from gatehold.domain.plan import CloseJob, DropFinalizer, Finding, JobFacts, Observed, ReleaseJob, SuspendJob
from gatehold.domain.reasons import Reason
from gatehold.domain.status import EffectState, EffectStatus, ObjectRef, ResolvedJob, Status, UndoStatus

POLL = timedelta(seconds=1)  # pods are read, not watched, and only while an undo waits for them to go


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
        text = f"Job {job.name} was stopped, and let go again by hand: {job.overridden}"  # not put back: break-glass
        return _concluded(effect, Reason.SUBJECT_OVERRIDDEN, text[:1024], now, restored=False)
    if job.deleting and job.has_finalizer:  # its controller leaves the pods of a dying Job alone, the collector does not
        text = f"waiting for the pods of Job {job.name}, which is being deleted"
        return Undo(effect, Finding(Reason.UNDOING, text), writes=(DropFinalizer(job),), recheck_at=now + POLL)
    if not job.finished and not job.suspended and not job.deleting:
        return Undo(effect, Finding(Reason.UNDOING, f"stopping Job {job.name}"), writes=(SuspendJob(job),))
    return _after_stop(observed, effect, now)


def _after_stop(observed: Observed, effect: EffectStatus, now: datetime) -> Undo:
    """The Job is stopped, finished or gone: its pods must be gone before the undo Job starts."""
    if observed.facts.pods_left != 0:
        text = "waiting until the pods of the stopped Job are gone"
        return Undo(replace(effect, state=EffectState.UNDOING), Finding(Reason.UNDOING, text), recheck_at=now + POLL)
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
        text = f"undo Job {resolved.name} vanished before its outcome was seen"
        return _concluded(effect, Reason.UNDO_FAILED, text, now, restored=False)
    usable = job is not None and job.uid == resolved.uid and job.digest == resolved.digest and not job.deleting
    if job is None or not usable or not job.suspended or job.released_by:
        text = f"undo Job {resolved.name} is gone or is not what was approved; restore by hand"
        return _concluded(effect, Reason.UNDO_UNAVAILABLE, text, now, restored=False)
    ref = ObjectRef("batch/v1", "Job", job.name, job.uid, job.resource_version)
    effect = replace(effect, undo=record or UndoStatus(EffectState.WAITING, ref))
    text = f"starting undo Job {job.name}"
    return Undo(effect, Finding(Reason.UNDOING, text), writes=(ReleaseJob(job, undo=True),))


def _follow(job: JobFacts, observed: Observed, effect: EffectStatus, now: datetime) -> Undo:
    ref = ObjectRef("batch/v1", "Job", job.name, job.uid)
    record = effect.undo or UndoStatus(EffectState.WAITING, ref)
    started = record.started_at or now
    effect = replace(effect, undo=replace(record, state=EffectState.RUNNING, started_at=started))
    ends_at = started + timedelta(seconds=observed.rules.effect_timeout_seconds)
    if job.complete:
        return _concluded(effect, Reason.UNDO_COMPLETED, f"undo Job {job.name} completed", now, restored=True)
    if job.failed or job.deleting or now >= ends_at:
        why = "failed" if job.failed else "was deleted while it ran" if job.deleting else "ran beyond its time"
        return _concluded(effect, Reason.UNDO_FAILED, f"undo Job {job.name} {why}; restore by hand", now, restored=False)
    return Undo(effect, Finding(Reason.UNDOING, f"undo Job {job.name} runs"), recheck_at=ends_at)


def _concluded(effect: EffectStatus | None, reason: Reason, text: str, now: datetime, *, restored: bool) -> Undo:
    if effect is not None:
        state = EffectState.UNDONE if restored else EffectState.FAILED
        record = effect.undo
        if record is not None:
            ended = EffectState.DONE if restored else EffectState.FAILED
            record = replace(record, state=ended, finished_at=record.finished_at or now, message=text)
        effect = replace(effect, state=state, finished_at=effect.finished_at or now, undo=record, message=text)
    return Undo(effect, Finding(reason, text), restored=restored)
