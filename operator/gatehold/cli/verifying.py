"""`gatehold verify`: recompute every digest of a request, live or saved, and say what differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gatehold.api.digest import job_digest, policy_digest
from gatehold.cli.checks import Check, Result, offline_checks, saved_checks
from gatehold.cli.checks_live import live_checks
from gatehold.cli.exits import Exit, Leave
from gatehold.cli.files import one_object
from gatehold.cli.render import dump, pairs, say
from gatehold.cli.session import Session, Where, call
from gatehold.cli.text import plain
from gatehold.kube.resources import JOBS, POLICIES, REQUESTS, Resource

Json = dict[str, Any]
_KINDS: dict[str, Resource] = {
    "": REQUESTS,
    "apr": REQUESTS,
    "approvalrequest": REQUESTS,
    "approvalrequests": REQUESTS,
    "job": JOBS,
    "jobs": JOBS,
    "apol": POLICIES,
    "approvalpolicy": POLICIES,
    "approvalpolicies": POLICIES,
}
_COLOURS = {Result.FITS: "green", Result.DIFFERS: "bold red", Result.NOTE: "dim"}


def verify(where: Where, target: str | None, file: Path | None, form: str | None) -> None:
    """Verify what is named: an object of the cluster, a saved one, or a saved one against the one in the cluster."""
    saved = one_object(file) if file is not None else None
    if target is None:
        if saved is None:
            raise Leave(Exit.USAGE, "name a request, or a file with --file")
        _finish(saved, _offline(saved), form)
        return
    resource, name = _target(target)
    body, checks = call(where, lambda session: _online(session, resource, name, saved))
    _finish(body, checks, form)


def _target(text: str) -> tuple[Resource, str]:
    kind, _, name = text.rpartition("/")
    resource = _KINDS.get(kind.split(".")[0])
    if resource is None or not name:
        raise Leave(Exit.USAGE, f"{plain(text)}: name NAME, apr/NAME, job/NAME or apol/NAME")
    return resource, name


async def _online(session: Session, resource: Resource, name: str, saved: Json | None) -> tuple[Json, list[Check]]:
    body = await session.cluster.get(resource, session.namespace if resource.namespaced else None, name)
    checks = saved_checks(saved, body) if saved is not None else []
    checks += _offline(body)
    if resource is REQUESTS:
        checks += await live_checks(session, body)
    return body, checks


def _offline(body: Json) -> list[Check]:
    """What an object proves by itself."""
    match body.get("kind"):
        case "ApprovalRequest":
            return offline_checks(body)
        case "ApprovalPolicy":
            return [_recorded(policy_digest(body["spec"]), (body.get("status") or {}).get("digest"))]
        case "Job":
            return [Check("Spec digest", Result.NOTE, job_digest(body["metadata"]["uid"], body["spec"]))]
        case other:
            raise Leave(Exit.USAGE, f"{plain(other or 'an object without kind')}: name a request, a policy or a Job")


def _recorded(computed: str, recorded: object) -> Check:
    if recorded in (None, computed):
        return Check("Policy digest", Result.FITS if recorded else Result.NOTE, computed)
    return Check("Policy digest", Result.DIFFERS, f"{computed} computed, {recorded} in its status (changed just now?)")


def _finish(body: Json, checks: list[Check], form: str | None) -> None:
    fits = not any(check.result is Result.DIFFERS for check in checks)
    if form is not None:
        rows = [{"name": c.name, "result": str(c.result), "detail": c.detail} for c in checks]
        name = (body.get("metadata") or {}).get("name")
        dump({"kind": body.get("kind"), "name": name, "fits": fits, "checks": rows}, form)
    else:
        texts = ((f"[{_COLOURS[c.result]}]{c.result}[/]", plain(f"{c.name}: {c.detail}")) for c in checks)
        say(pairs(texts))
    if not fits:
        raise Leave(Exit.NO)
