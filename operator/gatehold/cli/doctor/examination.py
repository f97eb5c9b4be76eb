"""The whole examination in its order, and its report."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from typing import Any

from gatehold.api.approval_policy import parse
from gatehold.api.common import ParseError
from gatehold.cli.doctor import argo_cd, argo_rollouts, drains, gates, left_out, pods, stamping, wall
from gatehold.cli.doctor.findings import Finding, Level, unreadable
from gatehold.cli.doctor.forgery import forgery
from gatehold.cli.doctor.powers import bypasses
from gatehold.cli.doctor.rbac import Grant, read
from gatehold.cli.doctor.reach import Right, reach, rights
from gatehold.cli.doctor.webhook import PART
from gatehold.cli.exits import Exit, Leave
from gatehold.cli.refusals import sentence
from gatehold.cli.render import dump, pairs, say
from gatehold.cli.session import Session
from gatehold.cli.text import plain
from gatehold.domain.installation import PROBE
from gatehold.domain.model import Policy
from gatehold.kube.errors import Absent, ApiError, Unavailable
from gatehold.kube.resources import POLICIES

Json = dict[str, Any]
_COLOURS = {Level.OK: "green", Level.NOTICE: "yellow", Level.PROBLEM: "bold red"}


async def examine(session: Session, form: str | None, trusted: frozenset[str]) -> None:
    """Look at everything, print it, and end with 1 if there is a problem."""
    findings = await _guarded("Version", wall.versions(session))
    findings += await _guarded("Wall", wall.wall(session))
    findings += await _guarded(left_out.PART, left_out.look(session))
    bodies, unread = await _policies(session)
    findings += unread or wall.proof(bodies)
    findings += await _guarded("Forgery", forgery(session))
    policies, broken = _parsed(bodies)
    findings += broken
    grants, refused = await _grants(session)
    findings += [*refused, *bypasses(grants, trusted)]
    asked = [policy for policy in policies if policy.name != PROBE]
    held: dict[str, list[Right]] = {}
    if not refused:
        findings += [finding for policy in asked for finding in reach(policy, grants)]
        held = {policy.name: rights(policy, grants) for policy in asked}
    standing, unseen = await _gates(session)
    findings += [*unseen, *gates.findings(standing, asked, grants)]
    findings += await _drains(session, standing, grants, trusted)
    findings += await _guarded(stamping.PART, stamping.look(session, standing))
    findings += await _guarded(pods.PART, pods.look(session, standing, grants))
    findings += await _guarded(argo_rollouts.PART, argo_rollouts.look(session, standing))
    findings += await _guarded(argo_cd.PART, argo_cd.look(session))
    findings = list(dict.fromkeys(findings))
    _report(findings, held, {} if refused else gates.rights(standing, grants), form)


async def _guarded(part: str, look: Awaitable[list[Finding]]) -> list[Finding]:
    """One thing that cannot be looked at does not hide the others; an API server that is away does."""
    try:
        return await look
    except Unavailable:
        raise
    except ApiError as error:
        return [unreadable(part, "this part", sentence(error))]


async def _policies(session: Session) -> tuple[list[Json], list[Finding]]:
    try:
        return await session.cluster.list_all(POLICIES), []
    except Absent:
        return [], [Finding("Probe", Level.PROBLEM, "Gatehold is not installed in this cluster", "kubectl apply -f crds/")]
    except Unavailable:
        raise
    except ApiError as error:
        return [], [unreadable("Probe", "policies", sentence(error))]


async def _grants(session: Session) -> tuple[list[Grant], list[Finding]]:
    try:
        return await read(session), []
    except Unavailable:
        raise
    except ApiError as error:
        return [], [unreadable("Bypass", "RBAC", sentence(error))]


async def _gates(session: Session) -> tuple[gates.Gates, list[Finding]]:
    try:
        return await gates.read(session), []
    except Unavailable:
        raise
    except ApiError as error:
        return gates.Gates((), ()), [unreadable("Gate", "Gates and namespaces", sentence(error))]


async def _drains(session: Session, standing: gates.Gates, grants: list[Grant], trusted: frozenset[str]) -> list[Finding]:
    """What is said of nodes and of the webhook that holds their drains."""
    try:
        seen = await drains.read(session)
    except Unavailable:
        raise
    except ApiError as error:
        return [unreadable(PART, "gated nodes and the webhook for evictions", sentence(error))]
    return drains.findings(seen, standing.bodies, grants, trusted, session.time.now())


def _parsed(bodies: list[Json]) -> tuple[list[Policy], list[Finding]]:
    policies, findings = [], []
    for body in bodies:
        try:
            policies.append(parse(body))
        except ParseError as error:
            name = body["metadata"]["name"]
            text = f"policy {name} cannot be read: {error}"
            findings.append(Finding("Quorum", Level.PROBLEM, text, f"kubectl get approvalpolicy {name} -o yaml"))
    return policies, findings


Held = dict[str, list[Right]]


def _report(findings: list[Finding], held: Held, openers: Held, form: str | None) -> None:
    problems = sum(finding.level is Level.PROBLEM for finding in findings)
    if form is not None:
        dump(
            {
                "healthy": not problems,
                "findings": [{**f._asdict(), "level": str(f.level)} for f in findings],
                "rights": _as_data(held),
                "gates": _as_data(openers),
            },
            form,
        )
    else:
        _print(findings, held, openers)
        word = "problem" if problems == 1 else "problems"
        say(f"\n{problems} {word}." if problems else "\n[green]All is as it should be.[/green]")
    if problems:
        raise Leave(Exit.NO)


def _print(findings: list[Finding], held: Held, openers: Held) -> None:
    for part in dict.fromkeys(finding.part for finding in findings):
        say(f"[bold]{part}[/bold]")
        say(pairs(_rows([finding for finding in findings if finding.part == part])))
    titles = [(f"under policy {plain(name)}", granted) for name, granted in held.items()]
    for title, granted in [*titles, *((f"on gate {plain(name)}", granted) for name, granted in openers.items())]:
        say(f"[bold]Rights {title}[/bold]")
        say(pairs((f"  {plain(_verb(right))}", plain(_holders(right)) or "[yellow]nobody[/yellow]") for right in granted))


def _rows(findings: list[Finding]) -> Iterator[tuple[str, str]]:
    """A sentence each; a command that mends several in a row stands below the last of them."""
    for finding, following in zip(findings, [*findings[1:], None], strict=True):
        yield f"  [{_COLOURS[finding.level]}]{finding.level}[/]", plain(finding.text)
        if finding.next and (following is None or following.next != finding.next):
            yield "", f"[dim]next:[/dim] {plain(finding.next)}"


def _verb(right: Right) -> str:
    return f"{right.verb} {right.role}".strip()


def _holders(right: Right) -> str:
    """Everybody who is granted it, with the place; a wildcard is said, since nobody meant it for this right."""
    texts = (f"{g.subject} {g.place}{' (by a wildcard)' if g.rule.is_wildcard else ''}" for g in right.holders)
    return ", ".join(dict.fromkeys(texts))


def _as_data(held: Held) -> Json:
    return {
        policy: [
            {
                "verb": right.verb,
                "role": right.role,
                "holders": [{"subject": str(g.subject), "namespace": g.namespace} for g in right.holders],
            }
            for right in granted
        ]
        for policy, granted in held.items()
    }
