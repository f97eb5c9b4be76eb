"""A Rollout on one page: where it stands and why, what it waits for, what time does, what to type. Pure rendering.

The most urgent stands first: a terminal that is too low for a live page cuts off its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from gatehold.cli.deciders import your_part
from gatehold.cli.question import Section
from gatehold.cli.render import pairs
from gatehold.cli.rollout import parts
from gatehold.cli.rollout.sight import Around
from gatehold.cli.rollout.view import RolloutView
from gatehold.cli.telling import standing
from gatehold.cli.text import plain
from gatehold.domain.reasons import ConditionType
from gatehold.domain.rollout.reasons import RolloutReason
from gatehold.domain.rollout.record import RolloutPhase, Stage
from gatehold.domain.tiers import EVERYBODY

if TYPE_CHECKING:
    from rich.console import RenderableType

_COLOURS = {
    RolloutPhase.UNSET: "yellow",
    RolloutPhase.PENDING: "yellow",
    RolloutPhase.PROGRESSING: "cyan",
    RolloutPhase.PAUSED: "cyan",
    RolloutPhase.HELD: "yellow",
    RolloutPhase.PROMOTING: "cyan",
    RolloutPhase.ROLLING_BACK: "magenta",
    RolloutPhase.HEALTHY: "green",
    RolloutPhase.DEGRADED: "red",
}
_STUCK: dict[str, str] = {
    RolloutReason.GATE_NOT_FOUND: "kubectl get gates; kubectl get namespace {namespace} --show-labels",
    RolloutReason.WALL_NOT_PROVEN: "gatehold doctor",
    RolloutReason.CHILD_NOT_OURS: "kubectl -n {namespace} get deploy {name}-stable {name}-canary",
    RolloutReason.WRITE_REFUSED: "kubectl -n {namespace} describe gro {name}",
    RolloutReason.TEMPLATE_LOST: "kubectl -n {namespace} get controllerrevisions -l gatehold.dev/rollout={name}",
    RolloutReason.TOO_MANY_PENDING: "gatehold list -A",
}
"""What to look at where it does not get on by itself."""


def page(view: RolloutView, around: Around, now: datetime | None) -> Iterator[Section]:
    """The whole page as titles and what belongs to them."""
    yield "", headline(view)
    yield "", pairs(_facts(view, around))
    wrong = list(_wrong(view))
    if wrong:
        yield "What is wrong", pairs(wrong)
    if view.question is not None:
        yield "Waits for", _waits_for(view, around)
    times = list(parts.time_does(view, now))
    if times:
        yield "What time does", pairs(times)
    yield "Steps", parts.steps(view, around, now)
    if view.record.stable is not None or view.record.canary is not None or around.children:
        yield "Pods", parts.children(view, around)
    if view.record.last_run is not None:
        yield "Last run", parts.last_run(view)
    yield "Next", "\n".join(_next(view, around))


def headline(view: RolloutView) -> str:
    """Name, phase and why, in two lines at most."""
    record = view.record
    where = f"[bold]{plain(view.rollout.name)}[/bold] in {plain(view.rollout.namespace)}"
    first = f"{where}: {state(view)}" + (f", step {plain(record.step)}" if record.step else "")
    ready = record.condition(ConditionType.READY)
    return first + (f"\n{plain(ready.message)}" if ready is not None and ready.message and view.is_looked_at else "")


def state(view: RolloutView) -> str:
    """The phase in its colour. What nobody has looked at, and what cannot be read, is held."""
    phase = view.record.phase
    if view.unread:
        return "[yellow]held[/yellow], its status cannot be read by this version of gatehold"
    if not view.is_looked_at:
        return "[yellow]held[/yellow], the operator has not looked at it yet"
    text = f"[{_COLOURS[phase]}]{phase}[/{_COLOURS[phase]}]"
    if view.rollout.deleting:
        return f"{text}, [red]being deleted[/red]"
    return text if view.is_current else f"{text}; the operator has not looked at the newest spec yet, which is held"


def _facts(view: RolloutView, around: Around) -> Iterator[tuple[str, str]]:
    record = view.record
    yield "Canary", parts.weight(view)
    yield "Gate", parts.gate(around)
    names = ("more people than can be named here" if n == EVERYBODY else n for n in view.rollout.authors)
    yield "Changed by", plain(", ".join(names)) + (" (they cannot approve it)" if view.rollout.authors else "")
    target = record.run.target.template if record.run is not None else ""
    runs = f"template {parts.short(record.promoted.template)}" if record.promoted is not None else "nothing yet"
    yield "Promoted", runs + (f"; on its way: {parts.short(target)}" if target else "")
    yield (
        "Passed",
        plain(", ".join(f"{q.policy} by {q.name}" for q in (record.run.questions if record.run else ()) if q.passed)),
    )
    for note in around.notes:
        yield "Note", f"[dim]{plain(note)}[/dim]"


def _wrong(view: RolloutView) -> Iterator[tuple[str, str]]:
    """Conditions that somebody has to know of."""
    stalled = view.true(ConditionType.STALLED)
    if view.unread:
        yield "Status", plain(view.unread)
    if stalled is not None:
        ready = view.record.condition(ConditionType.READY)
        told = ready is not None and ready.message == stalled.message  # it stands in the headline then
        yield "Stalled", f"[red]{plain(stalled.reason)}[/red]: " + ("see above" if told else plain(stalled.message))
    held = view.true(ConditionType.HELD)
    if held is not None and held.reason != RolloutReason.AWAITING_APPROVAL and stalled is None:
        yield "Held", f"[yellow]{plain(held.reason)}[/yellow]: {plain(held.message)}"
    for name, message in view.overrides.items():
        yield "Overridden", f"[magenta]{name}[/magenta] was changed by break-glass: {plain(message)}"
    back = view.record.condition(ConditionType.ROLLED_BACK)
    if back is not None and back.status == "False" and back.reason != RolloutReason.UNDOING:
        yield "Not restored", f"[red]{plain(back.reason)}[/red]: {plain(back.message)}"


def _waits_for(view: RolloutView, around: Around) -> RenderableType:
    """The open request: how far it is, who still has to say yes."""
    question, request = view.question, around.request
    if question is None:
        return ""
    name = f"[bold]{plain(question.name)}[/bold]"
    if request is None:
        return f"request {name} under policy {plain(question.policy)}"
    rows = [("Request", f"{name}: {standing(request)}"), ("Question", plain(request.request.summary))]
    given = ", ".join(
        f"{e.verdict.word} by {e.verdict.username}" + (f" as {e.verdict.role}" if e.verdict.role else "")
        for e in request.status.verdicts
        if e.counted
    )
    return pairs([*rows, ("Said so far", plain(given))])


def _next(view: RolloutView, around: Around) -> Iterator[str]:
    """Commands to copy."""
    names = {"name": plain(view.rollout.name), "namespace": plain(view.rollout.namespace)}
    if around.request is not None:
        yield f"gatehold show {plain(around.request.request.name)} -n {names['namespace']}"
        if around.found is not None:
            yield from your_part(around.request, around.found)
    elif view.question is not None:
        yield f"gatehold show {plain(view.question.name)} -n {names['namespace']}"
    stuck = view.true(ConditionType.STALLED) or view.true(ConditionType.HELD)
    if stuck is not None and stuck.reason in _STUCK:
        yield _STUCK[stuck.reason].format(**names)
    yield from _retry(view)
    if view.unread or not view.is_looked_at:
        yield "gatehold doctor   [dim]if it stays so[/dim]"
    run = view.record.run
    if run is not None or not view.is_current or view.is_asked_again:
        yield f"gatehold rollout watch {view.place}"
    elif view.record.phase is RolloutPhase.HEALTHY and run is None:
        yield "[dim]nothing to do: change spec.template, and a canary begins[/dim]"
    if run is not None and run.stage is Stage.CANARY and not run.first and run.former:
        yield "[dim]to stop it: put the former template back (nobody is asked), or deny the request[/dim]"


def _retry(view: RolloutView) -> Iterator[str]:
    if view.is_asked_again and view.record.rejected is not None:
        yield "[dim]asked again by gatehold.dev/retry; the operator has not taken it up yet[/dim]"
    elif view.rejected is not None:
        yield f"gatehold rollout retry {view.place}   [dim]asks again, with a new request; or change template or steps[/dim]"
    elif view.overrides:
        yield f"gatehold rollout retry {view.place}   [dim]puts back what was changed by break-glass[/dim]"
