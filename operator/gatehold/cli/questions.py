"""Flags of `ask` as a spec. What is not given stays absent, because absent and empty have different digests. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gatehold.cli.exits import Exit, Leave
from gatehold.cli.text import plain

if TYPE_CHECKING:
    from gatehold.cli.asking import Question

Json = dict[str, Any]
_COST = re.compile(
    r"(?:(?P<low>[0-9.]+)-(?P<high>[0-9.]+)|(?P<amount>[0-9.]+))\s*(?P<currency>[A-Z]{3,8})?"
    r"(?:/(?P<period>once|hour|day|month|year))?"
)


def spec_of(question: Question) -> Json:
    """The members of spec that the flags give."""
    spec: Json = {
        "policyRef": {"name": question.policy} if question.policy else None,
        "subject": _subject(question) if question.subject else None,
        "summary": question.summary,
        "description": question.description,
        "links": [_link(text) for text in question.links],
        "evidence": [_evidence(text) for text in question.evidence],
        "options": [_option(text) for text in question.options],
        "cost": _cost(question.cost) if question.cost else None,
        "risk": {"score": question.risk} if question.risk is not None else None,
        "timeoutSeconds": question.timeout,
        "onBehalfOf": list(question.on_behalf_of),
        "traceID": question.trace_id,
    }
    return {key: value for key, value in spec.items() if value not in (None, "", [])}


def _subject(question: Question) -> Json:
    if question.job:
        raise Leave(Exit.USAGE, "--job and --subject exclude each other: the Job is the subject")
    kind, slash, name = question.subject.partition("/")
    if not (kind and slash and name):
        raise Leave(Exit.USAGE, f"--subject {plain(question.subject)}: write KIND/NAME, such as Deployment/web")
    return {"kind": kind, "name": name} | ({"digest": question.subject_digest} if question.subject_digest else {})


def _link(text: str) -> Json:
    """`TITLE=URL` or a bare URL; the title ends where the address begins."""
    title, found, rest = text.partition("=https://")
    return {"title": title, "url": f"https://{rest}"} if found else {"url": text}


def _evidence(text: str) -> Json:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise Leave(Exit.USAGE, f"--evidence {plain(text)}: write NAME=VALUE")
    return {"name": name, "value": value}


def _option(text: str) -> Json:
    name, _, summary = text.partition("=")
    return {"name": name} | ({"summary": summary} if summary else {})


def _cost(text: str) -> Json:
    match = _COST.fullmatch(text.strip())
    if match is None:
        raise Leave(Exit.USAGE, f"--cost {plain(text)}: write AMOUNT [CURRENCY][/PERIOD], such as '120 EUR/month'")
    return {key: value for key, value in match.groupdict().items() if value}
