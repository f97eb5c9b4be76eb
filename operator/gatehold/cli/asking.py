"""`gatehold ask`: put a request together from a file and flags, open it once, print its name."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from gatehold.api.common import API_VERSION, ParseError
from gatehold.api.job import HOLD_LABEL, facts
from gatehold.cli.differences import differences
from gatehold.cli.exits import Exit, Leave
from gatehold.cli.files import one_object
from gatehold.cli.questions import spec_of
from gatehold.cli.render import dump_object
from gatehold.cli.session import Session
from gatehold.cli.terminal import err, is_terminal, out
from gatehold.cli.text import plain
from gatehold.domain.plan import JobFacts
from gatehold.kube import errors
from gatehold.kube.resources import JOBS, REQUESTS

Json = dict[str, Any]
_KEY_ROOM = 40
_STAMPED = "requester"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What the command line says."""

    file: str | None = None
    policy: str = ""
    job: str = ""
    undo_job: str = ""
    effect_timeout: int | None = None
    subject: str = ""
    subject_digest: str = ""
    summary: str = ""
    description: str = ""
    links: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    cost: str = ""
    risk: int | None = None
    on_behalf_of: tuple[str, ...] = ()
    timeout: int | None = None
    trace_id: str = ""
    name: str = ""
    key: str = ""
    dry_run: bool = False
    form: str | None = None


async def ask(session: Session, question: Question) -> None:
    """Open the request, or find the one that this key has opened already."""
    if question.name and question.key:
        raise Leave(Exit.USAGE, "--name and --key exclude each other: a key makes the name")
    draft = one_object(question.file) if question.file else {}
    if draft.get("kind", "ApprovalRequest") != "ApprovalRequest":
        raise Leave(Exit.USAGE, f"the file holds a {plain(draft['kind'])}, not an ApprovalRequest")
    session.namespace = _namespace(session, draft)
    spec = {**(draft.get("spec") or {}), **spec_of(question)}
    if question.job:
        spec |= await _job_part(session, question, spec)
    _check(spec, question)
    body = {"apiVersion": API_VERSION, "kind": "ApprovalRequest", "metadata": _metadata(draft, question, spec), "spec": spec}
    answer, is_new = await _open(session, body, question)
    _report(session, answer, question, is_new=is_new)


def _namespace(session: Session, draft: Json) -> str:
    """-n, then the file's, then the context's; two that contradict are an error, as with kubectl."""
    own = str((draft.get("metadata") or {}).get("namespace") or "")
    asked = session.where.namespace
    if own and asked and own != asked:
        raise Leave(Exit.USAGE, f"the file is for namespace {plain(own)}, -n says {plain(asked)}")
    return asked or own or session.namespace


def _check(spec: Json, question: Question) -> None:
    if not (spec.get("policyRef") or {}).get("name"):
        raise Leave(Exit.USAGE, "no policy is named", "--policy NAME; kubectl get approvalpolicies")
    drain = (spec.get("effect") or {}).get("type") == "Drain"
    if "subject" not in spec and not drain:
        raise Leave(Exit.USAGE, "nothing is named that it is about", "--job NAME or --subject KIND/NAME")
    if question.undo_job and not question.job:
        raise Leave(Exit.USAGE, "--undo-job goes together with --job")


def _metadata(draft: Json, question: Question, spec: Json) -> Json:
    """What a file may say besides spec, with the name that the flags give."""
    given = draft.get("metadata") or {}
    metadata = {key: given[key] for key in ("name", "generateName", "labels", "annotations") if given.get(key)}
    name = key_name(question.key) if question.key else question.name
    if name:
        return {**{k: v for k, v in metadata.items() if k != "generateName"}, "name": name}
    if "name" not in metadata and "generateName" not in metadata:
        metadata["generateName"] = f"{slug(str((spec.get('subject') or {}).get('name') or 'drain'))}-"
    return metadata


def key_name(key: str) -> str:
    """The name that a key stands for: readable where it can be, and different for every different key."""
    return f"{slug(key)}-{hashlib.sha256(key.encode()).hexdigest()[:10]}"


def slug(text: str) -> str:
    """The beginning of a name that can be read, out of any text."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_KEY_ROOM].strip("-") or "request"


async def _job_part(session: Session, question: Question, spec: Json) -> Json:
    """Subject, effect and policy as the held Job says them, pinned by uid and digest."""
    job = await _held_job(session, question.job)
    release: Json = dict(((spec.get("effect") or {}).get("release")) or {})
    if question.undo_job:
        undo = await _held_job(session, question.undo_job)
        release["undo"] = {"name": undo.name, "uid": undo.uid}
    if question.effect_timeout:
        release["timeoutSeconds"] = question.effect_timeout
    effect: Json = {"type": "Release"} | ({"release": release} if release else {})
    subject = {"apiVersion": "batch/v1", "kind": "Job", "name": job.name, "uid": job.uid, "digest": job.digest}
    policy = spec.get("policyRef") or {"name": job.hold}
    return {"subject": subject, "effect": effect, "policyRef": policy}


async def _held_job(session: Session, name: str) -> JobFacts:
    """Read a Job and demand that it waits: one that runs cannot be asked about any more."""
    try:
        job = facts(await session.cluster.get(JOBS, session.namespace, name))
    except errors.Absent as error:
        text = f"there is no Job {plain(name)} in namespace {plain(session.namespace)}"
        raise Leave(Exit.ABSENT, text, f"kubectl get jobs -n {plain(session.namespace)}") from error
    except ParseError as error:
        raise Leave(Exit.API_ERROR, f"Job {plain(name)} cannot be read: {plain(error)}") from error
    if not job.hold:
        text = f"Job {plain(name)} is not held: create it with label {HOLD_LABEL}: POLICY and suspend: true"
        raise Leave(Exit.USAGE, text, f"kubectl get job {plain(name)} -n {plain(session.namespace)} -o yaml")
    if not job.suspended:
        raise Leave(Exit.USAGE, f"Job {plain(name)} runs already: there is nothing left to hold")
    return job


async def _open(session: Session, body: Json, question: Question) -> tuple[Json, bool]:
    """Create it; where the name is taken, an equal request is this very one."""
    try:
        return await create_stamped(session, body, dry_run=question.dry_run), True
    except errors.AlreadyExists:
        return await _same(session, body), False


async def create_stamped(session: Session, body: Json, *, dry_run: bool) -> Json:
    """Let the API server stamp who asks; one that does not stamp is told the same by its own SelfSubjectReview."""
    try:
        return await session.cluster.create(REQUESTS, session.namespace, body, dry_run=dry_run)
    except errors.Invalid as error:
        if f"spec.{_STAMPED}" not in error.message or _STAMPED in body["spec"]:
            raise
    me = await session.me()
    requester = {"username": me.username} | ({"uid": me.uid} if me.uid else {})
    named = {**body, "spec": {**body["spec"], _STAMPED: requester}}
    return await session.cluster.create(REQUESTS, session.namespace, named, dry_run=dry_run)


async def _same(session: Session, body: Json) -> Json:
    """The live request of that name if it asks exactly this, by the same account; else the end, with what differs."""
    name = body["metadata"]["name"]
    live = await session.cluster.get(REQUESTS, session.namespace, name)
    me = await session.me()
    asked = {key: value for key, value in body["spec"].items() if key != _STAMPED}
    there = {key: value for key, value in live["spec"].items() if key != _STAMPED}
    found = differences(asked, there, "spec")
    author = str((live["spec"].get(_STAMPED) or {}).get("username") or "")
    if author != me.username:
        found.append(f"spec.requester: {me.username} here, {author} there")
    if live["metadata"].get("deletionTimestamp"):
        found.append("metadata.deletionTimestamp: it is being deleted")
    if found:
        lines = "\n".join(f"  {plain(line)}" for line in found[:20])
        text = f"{plain(name)} exists already and asks something else:\n{lines}"
        raise Leave(Exit.KEY_TAKEN, text, f"gatehold show {plain(name)} -n {plain(session.namespace)}, or another --key")
    return live


def _report(session: Session, answer: Json, question: Question, *, is_new: bool) -> None:
    name, namespace = plain(answer["metadata"]["name"]), plain(session.namespace)
    if question.form is not None:
        dump_object(answer, question.form)
    else:
        out().print(name, soft_wrap=True)
    if not is_terminal(err().file):
        return
    if question.dry_run:
        err().print("[dim]dry run on the server: nothing was created[/dim]")
    else:
        there = "" if is_new else "it was there already; "
        err().print(f"[dim]{there}next:[/dim] gatehold wait {name} -n {namespace}")
