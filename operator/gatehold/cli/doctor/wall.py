"""The wall, the kinds, the operator and their versions, as they stand in the cluster."""

from __future__ import annotations

import re
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

from gatehold import __version__
from gatehold.admission.texts import GATE_OF, PART_OF, STAMPING, compare, gates_of, shipped
from gatehold.api.approval_request import NOTE_ANNOTATION
from gatehold.api.common import ParseError, time
from gatehold.cli.doctor import mending
from gatehold.cli.doctor.findings import Finding, Level, unreadable
from gatehold.cli.doctor.kinds import kinds
from gatehold.cli.refusals import sentence
from gatehold.cli.session import Session
from gatehold.cli.stamping import STAMP
from gatehold.domain.installation import NAMESPACE, PROBE
from gatehold.kube import errors
from gatehold.kube.resources import LEASES, MAP, MAP_BINDINGS, REQUESTS, VAP, VAP_BINDINGS, Resource

Json = dict[str, Any]
_LEASE = "gatehold-operator"
_OLDEST, _STAMPING = 30, 36
_SILENT = timedelta(seconds=60)

_STAMPS = (
    (STAMP, "turns words into verdicts", "kubectl annotate takes the stored form only", "20-stamp.yaml"),
    (
        "gatehold-stamp-authors",
        "names who changed a Rollout",
        "the authors of a Rollout are unknown, and onUnknownRequester of the policy applies",
        "21-stamp-authors.yaml",
    ),
    (
        "gatehold-stamp-nodes",
        "names who cordoned a gated node",
        "nobody knows who cordoned a node, so a refused kubectl drain leaves it cordoned",
        "22-stamp-nodes.yaml",
    ),
)


async def versions(session: Session) -> list[Finding]:
    """Server, our kinds, the operator and this program."""
    answer = await session.cluster.server_version()
    minor = int(re.sub(r"\D.*", "", str(answer.get("minor") or "0")) or 0)
    server = Finding("Version", Level.OK, f"API server {answer.get('gitVersion')}, gatehold {__version__}")
    if minor < _OLDEST:
        text = f"API server {answer.get('gitVersion')} is too old: the wall needs 1.{_OLDEST}"
        server = Finding("Version", Level.PROBLEM, text, "kubectl version")
    found = [server, *await kinds(session), *await _operator(session)]
    return [*found, *await _stamp(session, minor)]


async def _operator(session: Session) -> list[Finding]:
    """Whether an operator is alive (its Lease, by the API server's clock), and its version."""
    try:
        lease = (await session.cluster.get(LEASES, NAMESPACE, _LEASE))["spec"]
        renewed, now = time(str(lease.get("renewTime") or "")), session.time.now()
    except (errors.Absent, ParseError):
        return [
            Finding(
                "Operator", Level.PROBLEM, "no operator runs: its Lease is not there", f"kubectl get pods -n {NAMESPACE}"
            )
        ]
    except errors.Forbidden as error:
        return [Finding("Operator", Level.NOTICE, f"not looked at: {sentence(error)}")]
    if now is None or now - renewed > _SILENT:
        text = f"no operator has been seen since {renewed:%Y-%m-%dT%H:%M:%SZ}: everything stays held"
        return [Finding("Operator", Level.PROBLEM, text, f"kubectl get pods -n {NAMESPACE}")]
    return [Finding("Operator", Level.OK, f"{lease.get('holderIdentity')} leads{await _its_version(session)}")]


async def _its_version(session: Session) -> str:
    try:
        probe = await session.cluster.get(REQUESTS, NAMESPACE, PROBE)
    except errors.ApiError:
        return ""
    version = (probe["metadata"].get("annotations") or {}).get(NOTE_ANNOTATION)
    return f", version {version}" if version else ""


async def _stamp(session: Session, minor: int) -> list[Finding]:
    if minor < _STAMPING:
        text = f"no stamping before 1.{_STAMPING}: people decide with gatehold, kubectl annotate takes the stored form"
        return [Finding("Wall", Level.NOTICE, text)]
    return [finding for row in _STAMPS for finding in await _installed(session, *row)]


async def _installed(session: Session, name: str, does: str, without: str, file: str) -> list[Finding]:
    try:
        await session.cluster.get(MAP, None, name)
    except errors.Absent:
        live = await mending.policies(session)
        if GATE_OF.get(file) not in (None, *gates_of(live)):
            return []
        return [Finding("Wall", Level.NOTICE, f"{name} is not installed: {without}", mending.command(live, file))]
    except errors.Forbidden:
        return []
    return [Finding("Wall", Level.OK, f"{name} {does}")]


async def wall(session: Session) -> list[Finding]:
    """Every policy and binding of the wall against the texts of this version."""
    live: list[Json] = []
    for resource in (VAP, VAP_BINDINGS, MAP, MAP_BINDINGS):
        try:
            live += await _list(session, resource)
        except errors.Absent:
            if resource.kind not in STAMPING:
                raise
        except errors.Forbidden as error:
            return [unreadable("Wall", "the wall", sentence(error))]
    found = compare(shipped(gates_of(live)), live)
    if not found:
        return [Finding("Wall", Level.OK, f"{len(live)} policies and bindings are as version {__version__} ships them")]
    return [Finding("Wall", Level.PROBLEM, str(difference), mending.command(live)) for difference in found]


def _list(session: Session, resource: Resource) -> Awaitable[list[Json]]:
    return session.cluster.list_all(resource, None, PART_OF)


def proof(policies: list[Json]) -> list[Finding]:
    """What the operator's probe says, as it stands on each policy, and what else its conditions say."""
    findings: list[Finding] = []
    for body in policies:
        name = body["metadata"]["name"]
        stated = {c["type"]: c for c in (body.get("status") or {}).get("conditions") or []}
        for kind, missing in (("Enforced", True), ("Ready", True), ("AutoApproveGranted", False), ("Consistent", False)):
            findings += _condition(name, kind, stated.get(kind), missing=missing)
    return findings or [Finding("Probe", Level.NOTICE, "there is no policy yet", "kubectl apply -f manifests/examples/")]


def _condition(name: str, kind: str, stated: Json | None, *, missing: bool) -> list[Finding]:
    command = f"kubectl describe approvalpolicy {name}"
    if stated is None:
        text = f"policy {name}: the operator has not said {kind}"
        return [Finding("Probe", Level.PROBLEM, text, command)] if missing else []
    text = f"policy {name}: {kind} is {stated['status']} ({stated.get('reason')}): {stated.get('message', '')}".rstrip(": ")
    bad = Level.PROBLEM if missing else Level.NOTICE
    return [Finding("Probe", Level.OK, text) if stated["status"] == "True" else Finding("Probe", bad, text, command)]
