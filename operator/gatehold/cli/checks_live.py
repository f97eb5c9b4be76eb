"""What the cluster says now about a request: its policy, and the Jobs or nodes that it is about. For `verify`."""

from __future__ import annotations

from typing import Any

from gatehold.api.common import ParseError
from gatehold.api.digest import policy_digest
from gatehold.api.job import resolved
from gatehold.cli.checks import Check, Result, compared
from gatehold.cli.drain import checks as nodes
from gatehold.cli.session import Session
from gatehold.cli.view import View, view_of
from gatehold.domain.status import PolicySnapshot, ResolvedJob
from gatehold.kube import errors
from gatehold.kube.resources import JOBS, POLICIES

Json = dict[str, Any]


async def live_checks(session: Session, body: Json) -> list[Check]:
    """Compare the record with the policy and the Jobs as they are now. What may not be read is a note."""
    try:
        view = view_of(body)
    except ParseError:
        return []
    checks = [await _policy(session, view.status.policy)] if view.status.policy is not None else []
    read = view.status.resolved
    for label, job in (("Job", read.job), ("Undo Job", read.undo)) if read is not None else ():
        checks += await _job(session, view, label, job) if job is not None else []
    return checks + [compared(found) for found in await nodes.live(session, view)]


async def _policy(session: Session, snapshot: PolicySnapshot) -> Check:
    try:
        live = await session.cluster.get(POLICIES, None, snapshot.name)
    except errors.Absent:
        return Check("Policy", Result.NOTE, f"{snapshot.name} does not exist any more; the request keeps what it was")
    except errors.Forbidden:
        return Check("Policy", Result.NOTE, f"{snapshot.name}: you may not read it")
    computed, meta = policy_digest(live["spec"]), live["metadata"]
    if computed == snapshot.digest:
        return Check("Policy", Result.FITS, f"{snapshot.name} is what it was: {computed}")
    if (meta.get("uid"), meta.get("generation")) == (snapshot.uid, snapshot.generation):
        text = f"{snapshot.name}, same generation {snapshot.generation}: digest {computed}, recorded {snapshot.digest}"
        return Check("Policy", Result.DIFFERS, text)
    moved = f"generation {snapshot.generation} to {meta.get('generation')}"
    text = f"{snapshot.name} was changed since ({moved}); the request keeps what it was"
    return Check("Policy", Result.NOTE, text)


async def _job(session: Session, view: View, label: str, job: ResolvedJob) -> list[Check]:
    try:
        body = await session.cluster.get(JOBS, view.request.namespace, job.name)
    except errors.Absent:
        return [Check(label, Result.NOTE, f"{job.name} is not there any more")]
    except errors.Forbidden:
        return [Check(label, Result.NOTE, f"{job.name}: you may not read it")]
    try:
        live = resolved(body)
    except ParseError as error:
        return [Check(label, Result.DIFFERS, f"{job.name} cannot be read: {error}")]
    if live == job:
        return [Check(label, Result.FITS, f"{job.name} is what was shown: {job.digest}")]
    return [Check(label, Result.DIFFERS, f"{job.name}: {line}") for line in _what_differs(job, live)]


def _what_differs(shown: ResolvedJob, live: ResolvedJob) -> list[str]:
    """The members that differ; where none of those shown does, it is another part of the spec."""
    if shown.uid != live.uid:
        return [f"another Job stands under this name (uid {live.uid}, shown was {shown.uid})"]
    pairs = [
        ("images", shown.images, live.images),
        ("commands", shown.commands, live.commands),
        ("service account", (shown.service_account,), (live.service_account,)),
    ]
    lines = [f"{what} now {', '.join(now)}, shown {', '.join(was)}" for what, was, now in pairs if was != now]
    return [*lines, f"spec digest now {live.digest}, shown {shown.digest}"]
