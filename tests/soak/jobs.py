"""Invariants of Jobs: which ones ran, by whose hand, how often."""

from collections.abc import Iterator

from tests.soak import rule, undoing
from tests.soak.decided import GRACE
from tests.soak.record import Facts, Story, Version, finished, seconds, suspended
from tests.soak.recorded import REFUSED


def a_released_job_ran_to_its_end(story: Story, facts: Facts) -> Iterator[str]:
    if story.last.phase != "Released":
        return
    job = facts.jobs.get(story.last.body["spec"]["subject"]["uid"])
    end = next(v for v in story.versions if v.phase == "Released")
    before = job.before(end.revision) if job is not None else None
    complete = before is not None and finished(before.body) and "Complete" in str(before.body["status"]["conditions"])
    if job is None or not complete or not any(r.by == story.uid for r in undoing.runs(job)):
        yield "is Released, and its Job was not let go by it or had not completed"


def a_job_runs_by_approval_only(story: Story, facts: Facts) -> Iterator[str]:
    """Every time a held Job was let go: the request that signed it stood Approved just before, for that very Job."""
    for run in undoing.runs(story):
        if run.by_hand:
            if facts.cast.people.get(run.by) != facts.cast.override:
                yield f"was let go by hand by {run.by}, who may not"
            continue
        request = facts.requests.get(run.by)
        before = request.before(run.version.revision) if request is not None else None
        if before is None:
            yield f"runs, and there is no request {run.by or 'that signed it'}"
            continue
        yield from _signed(story, run, before)


def _signed(story: Story, run: undoing.Run, request: Version) -> Iterator[str]:
    resolved = request.status.get("resolved", {})
    role = next((role for role in ("job", "undo") if resolved.get(role, {}).get("uid") == story.uid), "")
    phases = {"job": ("Approved",), "undo": REFUSED}.get(role, ())
    if request.phase not in phases:
        yield f"was let go as {role or 'nothing'} of {request.body['metadata']['name']}, which was {request.phase}"
    elif rule.job_digest(run.version.body) != resolved[role]["digest"]:
        yield "runs with another spec than was shown"
    elif role == "job" and run.at is not None and run.at > seconds(request.status["validUntil"]) + GRACE:
        yield f"was let go at {run.at:.0f}, the approval was valid until {request.status['validUntil']}"


def a_job_is_let_go_once(story: Story, facts: Facts) -> Iterator[str]:
    ours = [run.by for run in undoing.runs(story) if not run.by_hand]
    if len(ours) > 1:
        yield f"was let go {len(ours)} times, by {ours}"
    started = [v for v in story.versions if (v.body.get("status") or {}).get("startTime")]
    if (started or facts.pods.get(story.uid)) and not undoing.runs(story):
        yield "has run, and nobody had let it go"


def a_suspended_job_has_no_pods_left(story: Story, facts: Facts) -> Iterator[str]:
    """At the end of the run, where the run did not look away."""
    if story.last.gone or not suspended(story.last.body):
        return
    left = [pod.name for pod in facts.pods.get(story.uid, ()) if not undoing.pod_is_over(pod.last)]
    if left:
        yield f"is held, and {', '.join(left)} still run"
