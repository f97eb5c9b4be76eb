"""The question as a reviewer reads it: what is asked, what the operator read itself, evidence, options. Pure rendering.

Texts of several lines stand behind a bar, so that no description can imitate the parts below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gatehold.cli import argo, provision
from gatehold.cli.drain import parts, sight
from gatehold.cli.render import columns, pairs
from gatehold.cli.text import plain, shorten
from gatehold.cli.times import ago, lasting
from gatehold.cli.view import View
from gatehold.domain.model import EffectType
from gatehold.domain.phases import Phase
from gatehold.domain.status import ResolvedJob
from gatehold.domain.tiers import EVERYBODY

if TYPE_CHECKING:
    from rich.console import RenderableType

Section = tuple[str, "RenderableType"]
TEMPLATE = "spec.template"
"""The source of evidence that the operator gives for a field of a pod template."""

COLOURS = {
    Phase.UNSET: "dim",
    Phase.PENDING: "yellow",
    Phase.APPROVED: "cyan",
    Phase.RELEASED: "green",
    Phase.DENIED: "red",
    Phase.FAILED: "red",
    Phase.EXPIRED: "magenta",
    Phase.LAPSED: "magenta",
    Phase.SUPERSEDED: "blue",
    Phase.WITHDRAWN: "blue",
}


def phase_text(view: View) -> str:
    """The phase in its colour; a request that nobody has looked at says so."""
    phase, colour = view.status.phase, COLOURS[view.status.phase]
    if phase is Phase.APPROVED and not view.request.has_effect:
        colour = "green"
    return f"[{colour}]{phase or 'not looked at yet'}[/{colour}]"


def question(view: View, now: datetime | None) -> Iterator[Section]:
    """Everything that a verdict is about."""
    yield "", _headline(view)
    yield "", pairs(_asked(view, now))
    if view.status.request_digest:
        yield "", f"[dim]digest {plain(view.status.request_digest)}[/dim]"
    read = [row for row in _read(view) if row[1]]
    if read:
        yield "What the operator read", pairs(read)
    changes, evidence = _split(view)
    if changes:
        yield "What changes", _evidence(changes, ["FIELD", "NOW", "BEFORE"])
    if evidence:
        yield "Evidence", _evidence(evidence, ["MEASURED", "NOW", "BEFORE", "SOURCE"])
    options = view.spec.get("options") or []
    if options:
        yield "Options", provision.options_table(view) or _options(options)


def _headline(view: View) -> str:
    request = view.request
    lines = [f"[bold]{plain(request.name)}[/bold] in {plain(request.namespace)}: {phase_text(view)}"]
    if request.summary:
        lines.append(f"[bold]{plain(request.summary)}[/bold]")
    description = str(view.spec.get("description") or "")
    lines += [f"[dim]\u2502[/dim] {line}" for line in plain(description, lines=True).split("\n") if description]
    return "\n".join(lines)


def _asked(view: View, now: datetime | None) -> Iterator[tuple[str, str]]:
    request, spec = view.request, view.spec
    since = ago(request.created, now)
    yield "Asked by", plain(request.requester.username) + (f", {since} ago" if since else "")
    people = plain(", ".join(request.on_behalf_of))
    yield "On behalf of", f"{people} (named by the requester, not proven)" if people else ""
    names = ("more people than can be named here" if name == EVERYBODY else name for name in request.authors)
    yield "Changed by", plain(", ".join(names))
    yield "Gate", plain(request.gate)
    yield "Policy", plain(request.policy)
    yield "Subject", _subject(view)
    yield "Effect", effect_text(view)
    yield "Risk", _risk(spec.get("risk"))
    yield "Cost", price_text(spec.get("cost")) + " (declared)" if spec.get("cost") else ""
    for link in spec.get("links") or []:
        title = f"{plain(link.get('title'))}: " if link.get("title") else ""
        yield "Link", title + plain(link.get("url"))
    yield "Trace", plain(request.trace_id)


def _subject(view: View) -> str:
    subject = view.request.subject
    if subject is None:
        return f"the nodes of the drain: {plain(sight.names(view))}"
    parts = [f"{subject.kind} {subject.name}"]
    parts += [f"uid {subject.uid}"] if subject.uid else []
    parts += [short_digest(subject.digest)] if subject.digest else []
    return plain(", ".join(parts))


def short_digest(digest: str) -> str:
    """Enough of a digest to compare by eye; `verify` and -o yaml show all of it."""
    scheme, colon, rest = digest.partition(":")
    return f"{scheme}:{shorten(rest, 17)}" if colon else digest


def effect_text(view: View) -> str:
    """What happens once it is approved, in words."""
    request = view.request
    name = plain(request.subject.name if request.subject else "")
    match request.effect.type:
        case EffectType.NONE:
            return "None: whoever asked goes on by itself"
        case EffectType.PROMOTE if argo.is_argo(view):
            return argo.effect_words(view)
        case EffectType.PROMOTE:
            return f"Promote: the canary of Rollout {name} becomes stable"
        case EffectType.DRAIN:
            return parts.effect_words(view)
        case EffectType.RELEASE if sight.is_held_drain(view):
            return parts.effect_words(view)
        case EffectType.RELEASE if provision.is_provision(view):
            return provision.effect_words(view)
        case EffectType.RELEASE:
            return f"Release: {name} is let go{_bounds(view)}"


def _bounds(view: View) -> str:
    effect = view.request.effect
    limit = f", for {lasting(effect.timeout_seconds)} at most" if effect.timeout_seconds else ""
    if effect.undo is None:
        return f"{limit}; no undo is named"
    return f"{limit}; if it fails or is denied then, Job {plain(effect.undo.name)} undoes it"


def _risk(risk: dict[str, Any] | None) -> str:
    if not risk:
        return ""
    parts = [f"{risk['score']} of 100"] if "score" in risk else []
    parts += [f"{risk['confidence']} % sure"] if "confidence" in risk else []
    parts += ["can be undone" if risk["reversible"] else "cannot be undone"] if "reversible" in risk else []
    return plain(", ".join(parts)) + " (declared)"


def price_text(cost: dict[str, Any] | None) -> str:
    """An amount with its currency, period, range and source."""
    if not cost:
        return ""
    amount = f"{cost.get('amount', '')} {cost.get('currency', '')}".strip()
    period = f" a {cost['period']}" if cost.get("period") not in (None, "once") else ""
    span = f" ({cost.get('low', '?')} to {cost.get('high', '?')})" if "low" in cost or "high" in cost else ""
    return plain(amount + period + span + (f", by {cost['source']}" if cost.get("source") else ""))


def _read(view: View) -> Iterator[tuple[str, str]]:
    """What the operator found at preparation; every line of it is part of the digest."""
    resolved, raw = view.status.resolved, (view.body.get("status") or {}).get("resolved") or {}
    if resolved is not None:
        yield from _job("Job", resolved.job)
        yield from _job("Undo Job", resolved.undo)
    if resolved is None or resolved.provision is None:
        yield "Price", price_text(raw.get("price"))
    yield from provision.read_rows(view)
    yield from argo.read_rows(view)
    yield from parts.read_rows(view)
    for image in raw.get("imageIDs") or []:
        yield "Image id", plain(image)


def _job(label: str, job: ResolvedJob | None) -> Iterator[tuple[str, str]]:
    if job is None:
        return
    yield label, plain(f"{job.name}, uid {job.uid}")
    yield "  spec", plain(short_digest(job.digest))
    yield "  runs as", plain(job.service_account)
    for number, image in enumerate(job.images):
        yield "  image", plain(image)
        command = job.commands[number] if number < len(job.commands) else ""
        yield "  command", plain(command)


def _split(view: View) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Evidence of a promotion: what the operator found to differ in the templates, and what it measured besides."""
    evidence: list[dict[str, Any]] = view.spec.get("evidence") or []
    if view.request.effect.type is not EffectType.PROMOTE:
        return [], evidence
    return [row for row in evidence if row.get("source") == TEMPLATE], [r for r in evidence if r.get("source") != TEMPLATE]


def _evidence(evidence: list[dict[str, Any]], titles: list[str]) -> RenderableType:
    table = columns(titles, flexible=[titles[0], "SOURCE"])
    for row in evidence:
        unit = f" {row['unit']}" if row.get("unit") else ""
        before = plain(str(row["baseline"]) + unit) if "baseline" in row else ""
        cells = [plain(row.get("name")), plain(f"{row.get('value')}{unit}"), before, plain(row.get("source"))]
        table.add_row(*cells[: len(titles)])
    return _whole(table)


def _options(options: list[dict[str, Any]]) -> RenderableType:
    table = columns(["OPTION", "MEANS", "COSTS"], flexible=["MEANS"])
    for option in options:
        table.add_row(plain(option.get("name")), plain(option.get("summary")), price_text(option.get("cost")))
    return _whole(table)


def _whole(table: Any) -> RenderableType:  # noqa: ANN401 (rich's own)
    """What is decided on is never cut off: long texts take more lines instead."""
    for column in table.columns:
        column.no_wrap, column.overflow = False, "fold"
    result: RenderableType = table
    return result
