"""When Jobs were let go, by whom, and whether what was to be undone was undone: the second half of the invariants."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.soak.record import Facts, Story, Version, condition, seconds, suspended

_EXCUSES = {
    "NothingToUndo": "nothing was begun",
    "OutcomeUnknown": "the Job was deleted",
    "UndoUnavailable": "the undo Job was deleted or let go by hand",
    "SubjectOverridden": "the Job was let go by hand",
    "NoUndoNamed": "no undo is named",
}


@dataclass(frozen=True, slots=True)
class Run:
    """One time a Job was let go. `by`: the uid of the request that signed it, or who did it by hand."""

    version: Version
    by: str
    by_hand: bool
    at: float | None  # the API server's own second, where it stands in the object


def runs(job: Story) -> list[Run]:
    """Every time a Job went from held to running."""
    found, before = [], None
    for version in job.versions:
        if not suspended(version.body) and (before is None or suspended(before.body)):
            old: dict[str, str] = before.notes if before is not None else {}
            by_hand = version.notes.get("gatehold.dev/override") != old.get("gatehold.dev/override")
            signed = version.notes.get("gatehold.dev/released-by") != old.get("gatehold.dev/released-by")
            key = "override-by" if by_hand else "released-by" if signed else "nobody"
            found.append(Run(version, version.notes.get(f"gatehold.dev/{key}", ""), by_hand, _written_at(version)))
        before = version
    return found


def _written_at(version: Version) -> float | None:
    fields = version.body["metadata"].get("managedFields", [])
    times = [f["time"] for f in fields if f.get("manager") == "gatehold" and not f.get("subresource")]
    return seconds(max(times)) if times else None


def pod_is_over(version: Version) -> bool:
    """Whether a pod runs nothing any more."""
    return version.gone or (version.body.get("status") or {}).get("phase") in ("Succeeded", "Failed")


def the_undo_ran_where_it_was_due(story: Story, facts: Facts) -> Iterator[str]:
    """After the Job's pods, once, and only where this request had let the Job go and did not pass."""
    resolved = story.last.status.get("resolved", {})
    main, undo = (facts.jobs.get(resolved.get(role, {}).get("uid", "")) for role in ("job", "undo"))
    begun = [run for run in (runs(main) if main is not None else []) if run.by == story.uid]
    undone = [run for run in (runs(undo) if undo is not None else []) if run.by == story.uid]
    for run in undone:
        yield from _was_due(run, begun, facts, main)
    if story.last.done and story.last.phase not in ("Released", "Approved"):
        yield from _was_done(story, facts, begun=bool(begun), undone=bool(undone))


def _was_due(run: Run, begun: list[Run], facts: Facts, main: Story | None) -> Iterator[str]:
    """That the request had ended without passing is checked with the Job itself (a_job_runs_by_approval_only)."""
    if main is None or not any(first.version.revision < run.version.revision for first in begun):
        yield "its undo Job was let go, and the Job had never been"
        return
    for pod in facts.pods.get(main.uid, ()):
        before = pod.before(run.version.revision)
        if before is not None and not pod_is_over(before) and not _was_gone(pod, run.version.revision):
            yield f"its undo Job was let go while pod {pod.name} of the Job still ran"


def _was_gone(pod: Story, revision: int) -> bool:
    return pod.last.gone and pod.last.revision < revision


def _was_done(story: Story, facts: Facts, *, begun: bool, undone: bool) -> Iterator[str]:
    back, reason = condition(story.last.status, "RolledBack")
    if undone and reason not in ("UndoCompleted", "UndoFailed"):
        yield f"its undo Job ran, and RolledBack says {reason}"
    if reason == "UndoCompleted" and (not undone or back != "True"):
        yield f"RolledBack={back}/{reason}, and its undo Job was not let go"
    if begun and reason == "NothingToUndo":
        yield "its Job had been let go, and RolledBack says that nothing was begun"
    if begun and not undone and reason not in _EXCUSES:
        yield f"its Job had been let go and it is {story.last.phase}, but RolledBack says {reason} and no undo ran"
    if begun and not undone and reason in _EXCUSES and not _holds(reason, story, facts):
        yield f"no undo ran because {_EXCUSES[reason]}, and that is not so"


def _holds(reason: str, story: Story, facts: Facts) -> bool:
    resolved = story.last.status.get("resolved", {})
    main, undo = (facts.jobs.get(resolved.get(role, {}).get("uid", "")) for role in ("job", "undo"))
    by_hand = [any(run.by_hand for run in runs(job)) for job in (main, undo) if job is not None]
    match reason:
        case "NoUndoNamed":
            return "undo" not in resolved
        case "OutcomeUnknown":
            return main is None or _is_going(main)
        case "UndoUnavailable":
            return undo is None or _is_going(undo) or any(by_hand) or _elsewhere(undo, story)
        case "SubjectOverridden":
            return any(by_hand)
        case _:
            return False


def _is_going(job: Story) -> bool:
    return job.last.gone or bool(job.last.body["metadata"].get("deletionTimestamp"))


def _elsewhere(undo: Story, story: Story) -> bool:
    """Whether another request had let the undo Job go."""
    return any(run.by != story.uid for run in runs(undo))
