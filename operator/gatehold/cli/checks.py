"""What a request proves by itself: its digest, and that its record backs its phase. Pure; `verify` prints it."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, NamedTuple

from gatehold.api.approval_request import parse_verdicts
from gatehold.api.common import ParseError
from gatehold.api.digest import request_digest
from gatehold.cli.differences import differences
from gatehold.cli.drain import checks as nodes
from gatehold.cli.view import View, view_of
from gatehold.domain.model import RecordedVerdict, Verdict, Word
from gatehold.domain.quorum import tally
from gatehold.domain.status import By

Json = dict[str, Any]


class Result(StrEnum):
    """What a check found. A note is neither good nor bad."""

    FITS = "fits"
    DIFFERS = "differs"
    NOTE = "note"


class Check(NamedTuple):
    """One thing that was compared; the detail is not yet safe for a terminal."""

    name: str
    result: Result
    detail: str


def offline_checks(body: Json) -> list[Check]:
    """Everything that needs no cluster."""
    try:
        view = view_of(body)
    except (ParseError, KeyError) as error:
        return [Check("Object", Result.DIFFERS, f"it cannot be read as an ApprovalRequest: {error}")]
    if not view.status.request_digest:
        return [Check("Request digest", Result.DIFFERS, "the operator has not prepared it: there is nothing to verify yet")]
    drained = [compared(found) for found in nodes.recorded(view)]
    return [_digest(view), *_subject(view), *drained, *_verdicts(view), *_decision(view)]


def compared(found: nodes.Compared) -> Check:
    """A comparison of nodes as a check."""
    result = Result.NOTE if found.fits is None else Result.FITS if found.fits else Result.DIFFERS
    return Check(found.name, result, found.detail)


def _digest(view: View) -> Check:
    status: Json = view.body["status"]
    policy = (status.get("policy") or {}).get("digest", "")
    computed = request_digest(view.request.uid, view.spec, status.get("resolved") or {}, policy)
    if computed == view.status.request_digest:
        return Check("Request digest", Result.FITS, f"{computed} (uid, spec, what the operator read, policy)")
    text = f"computed {computed}, recorded {view.status.request_digest}: uid, spec, resolved or policy is not what was shown"
    return Check("Request digest", Result.DIFFERS, text)


def _subject(view: View) -> Iterator[Check]:
    """What the requester named against what the operator read."""
    subject, resolved = view.request.subject, view.status.resolved
    job = resolved.job if resolved is not None else None
    pods = resolved.provision if resolved is not None else None
    if subject is not None and pods is not None:
        fits = subject.digest == pods.digest
        text = "the pods are those asked about" if fits else f"digest {subject.digest} asked, {pods.digest} read"
        yield Check("Subject", Result.FITS if fits else Result.DIFFERS, text)
    if subject is None or job is None:
        return
    pairs = [("uid", subject.uid, job.uid), ("digest", subject.digest, job.digest), ("name", subject.name, job.name)]
    wrong = [f"{what} {named} asked, {read} read" for what, named, read in pairs if named and named != read]
    yield Check(
        "Subject", Result.DIFFERS if wrong else Result.FITS, "; ".join(wrong) or f"Job {job.name} is the one asked for"
    )


def _verdicts(view: View) -> Iterator[Check]:
    """Each recorded word is for this digest, and is what the annotation beside it says."""
    annotations = (view.body.get("metadata") or {}).get("annotations")
    admitted = {verdict.id: verdict for verdict in parse_verdicts(annotations)}
    for entry in view.status.verdicts:
        yield _verdict(entry, admitted.get(entry.verdict.id), view.status.request_digest)
    for verdict in view.waiting:
        result = Result.DIFFERS if view.over else Result.NOTE
        yield Check(f"Verdict {verdict.id}", result, f"{verdict.word} by {verdict.username} is not recorded")


def _verdict(entry: RecordedVerdict, admitted: Verdict | None, digest: str) -> Check:
    verdict, name = entry.verdict, f"Verdict {entry.verdict.id}"
    said = f"{verdict.word} by {verdict.username}" + (f" as {verdict.role}" if verdict.role else "")
    if verdict.digest != digest and not (verdict.word is Word.WITHDRAW and not verdict.digest):
        return Check(name, Result.DIFFERS, f"{said} is for another digest, {verdict.digest}")
    if admitted is None:
        return Check(name, Result.NOTE, f"{said} is recorded, its annotation is gone")
    if admitted != verdict:
        return Check(name, Result.DIFFERS, f"recorded is {said}, its annotation says {admitted.word} by {admitted.username}")
    return Check(name, Result.FITS, said)


def _decision(view: View) -> Iterator[Check]:
    """Whether the record backs the decision, by the same count as the operator's."""
    decision = view.status.decision
    if decision is None:
        return
    words = {entry.verdict.word for entry in view.status.verdicts if entry.counted}
    count = tally(view.status.verdicts, view.status.quorum)
    backed = {
        By.PEOPLE: count.complete or Word.DENY in words,
        By.OVERRIDE: Word.OVERRIDE in words,
        By.REQUESTER: Word.WITHDRAW in words,
        By.POLICY: bool(decision.tier),
        By.TIME: True,
        By.OPERATOR: True,
    }[decision.by]
    text = f"{decision.outcome} by {decision.by}" + (f", approvals {count.text}" if view.status.quorum else "")
    yield Check(
        "Decision", Result.FITS if backed else Result.DIFFERS, text + ("" if backed else ": not backed by the record")
    )


def saved_checks(saved: Json, live: Json) -> list[Check]:
    """A saved object (here) against the one in the cluster (there): identity, spec, and what was shown."""
    meta, there = saved.get("metadata") or {}, live["metadata"]
    before, after = saved.get("status") or {}, live.get("status") or {}
    shown = [member for member in ("requestDigest", "resolved", "policy") if member in before]
    parts = [
        ("kind", saved.get("kind"), live.get("kind")),
        ("spec", saved.get("spec"), live.get("spec")),
        *((f"metadata.{member}", meta.get(member), there.get(member)) for member in ("namespace", "name", "uid")),
        *((f"status.{member}", before[member], after.get(member)) for member in shown),
    ]
    lines = [line for path, ours, theirs in parts for line in differences(ours, theirs, path)]
    return [Check("Saved object", Result.DIFFERS, line) for line in lines] or [
        Check("Saved object", Result.FITS, "identity, spec and what was shown are the same in the cluster")
    ]
