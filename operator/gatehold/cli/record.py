"""The record of a request as a reader sees it: verdicts, who may decide, what time does, what was done. Pure rendering."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from gatehold.cli import argo, provision
from gatehold.cli.drain import parts, sight
from gatehold.cli.question import Section
from gatehold.cli.render import columns, pairs
from gatehold.cli.text import plain
from gatehold.cli.times import clock, left
from gatehold.cli.view import View
from gatehold.domain.model import EffectType, QuorumEntry, RecordedVerdict, Word
from gatehold.domain.phases import Phase
from gatehold.domain.quorum import tally
from gatehold.domain.reasons import ConditionType
from gatehold.domain.status import EffectState, Progress

if TYPE_CHECKING:
    from rich.console import RenderableType

_COLOURS = {Word.APPROVE: "green", Word.DENY: "red", Word.WITHDRAW: "blue", Word.OVERRIDE: "magenta"}


def record(view: View, now: datetime | None) -> Iterator[Section]:
    """What was said and done so far."""
    if view.status.verdicts or view.waiting:
        yield "Verdicts", _verdicts(view)
    decision = view.status.decision
    if decision is not None:
        yield "Decision", pairs(_decision(view))
    if view.status.effect is not None:
        yield "Effect", pairs(_effect(view))
        if parts.shown(view):
            yield "Nodes", parts.nodes_table(view, now)
    times = list(at_the_deadline(view, now))
    if times:
        yield "What time does", pairs(times)


def _verdicts(view: View) -> RenderableType:
    """The ledger; the column of options is there only where there are any."""
    recorded = [(entry.verdict, clock(entry.observed_at), _counts(entry)) for entry in view.status.verdicts]
    rows = [*recorded, *((verdict, "", "[dim]not read yet[/dim]") for verdict in view.waiting)]
    options = any(verdict.option for verdict, _, _ in rows)
    table = columns(["WORD", "BY", "AS", *(["OPTION"] if options else []), "SEEN", "COUNTS", "WHY"])
    for verdict, seen, counts in rows:
        word = f"[{_COLOURS[verdict.word]}]{verdict.word}[/]"
        option = [plain(verdict.option)] if options else []
        table.add_row(word, plain(verdict.username), plain(verdict.role), *option, seen, counts, plain(verdict.comment))
    for column in table.columns:
        column.no_wrap, column.overflow = column.header in {"WORD", "SEEN"}, "fold"
    return table


def _counts(entry: RecordedVerdict) -> str:
    return "yes" if entry.counted else f"[red]no: {plain(entry.reason)}[/red]"


def _decision(view: View) -> Iterator[tuple[str, str]]:
    decision = view.status.decision
    if decision is None:
        return
    yield "Outcome", f"{decision.outcome}, by {decision.by}, {clock(decision.at)}"
    yield "Why", plain(f"{decision.reason}: {decision.message}" if decision.reason else decision.message)
    yield "Option", plain(decision.option)
    yield "Tier", plain(decision.tier)
    back = view.status.condition(ConditionType.ROLLED_BACK)
    if back is not None:
        word = "[green]yes[/green]" if back.status == "True" else "[red]no[/red]"
        yield "Rolled back", f"{word}, {plain(back.reason)}: {plain(back.message)}"


def _effect(view: View) -> Iterator[tuple[str, str]]:
    effect = view.status.effect
    if effect is None:
        return
    yield "State", f"{effect.type} {effect.state}"
    held = view.status.condition(ConditionType.HELD)
    if held is not None and held.status == "True":
        yield "Held", f"[red]{plain(held.reason)}[/red]: {plain(held.message)}"
    yield "Object", plain(f"{effect.object.kind} {effect.object.name}, uid {effect.object.uid}") if effect.object else ""
    yield "Before", f"suspend: {str(effect.prior_suspend).lower()}" if effect.prior_suspend is not None else ""
    yield from parts.prior_rows(view)
    yield "Started", clock(effect.started_at)
    yield "Finished", clock(effect.finished_at)
    done = effect.progress
    yield "Pods", _pods(view, done) if done is not None else ""
    yield "Says", plain(effect.message)
    undo = effect.undo
    if undo is not None:
        span = " to ".join(text for text in (clock(undo.started_at), clock(undo.finished_at)) if text)
        yield "Undo", plain(f"Job {undo.object.name} {undo.state} {span} {undo.message}".rstrip())


def _pods(view: View, done: Progress) -> str:
    if sight.about_nodes(view) and view.over:
        return ""  # counted on the way; how each node ended stands below
    if sight.about_nodes(view):
        return f"{done.active} to go, {done.succeeded} gone, counted {clock(done.at)}"
    return f"{done.active} running, {done.succeeded} succeeded, {done.failed} failed"


def at_the_deadline(view: View, now: datetime | None) -> Iterator[tuple[str, str]]:
    """What happens when nobody does anything: instants, and what each of them brings."""
    status = view.status
    if status.phase in (Phase.UNSET, Phase.PENDING):
        if not status.request_digest:
            yield "Now", "held; the operator has not prepared it yet, so nobody can answer and no time runs out"
        for step in status.escalations:
            if step.opened_at is None:
                yield _at(step.at, now), f"{plain(', '.join(step.roles))} may answer too"
        if status.deadline is not None:
            yield _at(status.deadline, now), f"[bold]Expired[/bold]: {_nothing_ran(view)}"
    elif status.phase is Phase.APPROVED:
        yield from _validity(view, now)
    if sight.about_nodes(view):
        yield from parts.time_rows(view, now)


def _validity(view: View, now: datetime | None) -> Iterator[tuple[str, str]]:
    until, effect = view.status.valid_until, view.status.effect
    begun = effect is not None and effect.state is not EffectState.WAITING
    if until is None or begun:
        return
    if view.request.has_effect:
        yield _at(until, now), f"[bold]Lapsed[/bold] unless the effect has begun: {_nothing_ran(view)}"
    else:
        yield _at(until, now), "the approval is used up: gatehold wait no longer lets anybody pass"


def _nothing_ran(view: View) -> str:
    subject = view.request.subject
    if sight.about_nodes(view):
        return parts.nothing_ran(view)
    if provision.is_provision(view):
        return provision.nothing_ran(view)
    if view.request.effect.type is EffectType.RELEASE and subject is not None:
        return f"{plain(subject.kind)} {plain(subject.name)} stays held, nothing has run; ask again"
    if argo.is_argo(view):
        return argo.nothing_ran(view)
    if view.request.effect.type is EffectType.PROMOTE and subject is not None:
        return f"Rollout {plain(subject.name)} takes its canary away and keeps what stable runs"
    return "nothing was done; ask again" if view.request.has_effect else "whoever waits is told, and does not go on"


def _at(instant: datetime, now: datetime | None) -> str:
    span = left(instant, now)
    return f"{clock(instant)}" + (f" ({'in ' if span != 'due' else ''}{span})" if span else "")


def quorum_table(view: View, held: frozenset[str] | None) -> RenderableType:
    """Who has to answer, entry by entry; `held` are the user's own roles, None where it is over and nobody asked."""
    table = columns(["ROLE", "APPROVALS", "ALSO", "LATER", *([] if held is None else ["YOU"])])
    count = tally(view.status.verdicts, view.status.quorum)
    for entry, given, need in zip(view.status.quorum, count.given, count.needed, strict=True):
        mine = [role for role in entry.accepted if role in (held or ())]
        colour = "green" if given >= need else "yellow"
        table.add_row(
            plain(entry.role),
            f"[{colour}]{given} of {need}[/{colour}]",
            plain(", ".join(role for role in entry.accepted if role != entry.role)),
            plain(", ".join(_later(entry))),
            *([] if held is None else [plain(f"hold {', '.join(mine)}" if mine else "do not hold it")]),
        )
    return table


def _later(entry: QuorumEntry) -> list[str]:
    return [role for role in entry.backups if role not in entry.accepted]
