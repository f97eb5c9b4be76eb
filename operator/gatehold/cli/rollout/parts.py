"""The parts of a Rollout's page: steps, children, shares, what time does, how the last run ended. Pure rendering."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from gatehold.cli.render import columns, pairs
from gatehold.cli.rollout.sight import Around
from gatehold.cli.rollout.view import RolloutView
from gatehold.cli.text import plain
from gatehold.cli.times import ago, clock, lasting, left
from gatehold.domain.rollout.course import due_at
from gatehold.domain.rollout.model import Approval, GateFacts, Pause, SetWeight, Step
from gatehold.domain.rollout.record import Outcome, RolloutPhase, Run, Stage, Track

if TYPE_CHECKING:
    from rich.console import RenderableType

DONE, NOW, TO_COME = "done", "now", "to come"
_COLOURS = {DONE: "green", NOW: "bold yellow", TO_COME: "dim"}
_SHORT = 10


def short(digest: str) -> str:
    """A digest in the letters that Events and revisions show, safe for a console."""
    return plain(digest.removeprefix("sha256:")[:_SHORT])


# ---- steps


def steps(view: RolloutView, around: Around, now: datetime | None) -> RenderableType:
    """Every step with whether it is done, and the promotion at the end."""
    table = columns(["", "STEP", ""])
    for mark, what, more in _step_rows(view, around, now):
        table.add_row(f"[{_COLOURS[mark]}]{mark}[/]" if mark else "", what, more)
    for column in table.columns:
        column.no_wrap, column.overflow = False, "fold"
    return table


def _step_rows(view: RolloutView, around: Around, now: datetime | None) -> Iterator[tuple[str, str, str]]:
    run, listed = view.record.run, view.rollout.steps
    if run is not None and run.first:
        yield NOW, "first deployment", "nothing runs yet, so there is no canary and no step"
        return
    at = _place(view)
    since = ago(run.step_at, now) if run is not None else ""
    asks = _gate_asks(view, around)
    for number, step in enumerate(listed):
        if asks and number == at:
            yield NOW, asks, ""
        mark = "" if at is None else DONE if number < at else NOW if number == at and not asks else TO_COME
        yield mark, words(step), f"for {since}" if mark == NOW and since else ""
    if asks and at == len(listed):
        yield NOW, asks, ""
    yield _promotion_mark(run, at, len(listed), asks), "promotion", "stable takes the template, the canary goes"


def _place(view: RolloutView) -> int | None:
    """The step that is being taken; None where no run takes the steps of this spec."""
    run = view.record.run
    return run.step if run is not None and run.target == view.rollout.target and run.stage is not Stage.UNDOING else None


def _gate_asks(view: RolloutView, around: Around) -> str:
    """The open question in words, where it is not that of the step that is being taken."""
    question, at = view.question, _place(view)
    if question is None or at is None:
        return ""
    step = view.rollout.steps[at] if at < len(view.rollout.steps) else None
    if isinstance(step, Approval) and step.policy == question.policy:
        return ""
    by = f"Gate {plain(question.gate)}" if question.gate and question.gate == around.gate_name else "the Gate"
    return f"{by} asks policy {plain(question.policy)} before it goes on"


def _promotion_mark(run: Run | None, at: int | None, count: int, asks: str) -> str:
    if run is None or at is None:
        return ""
    if run.stage is Stage.PROMOTING or (at == count and not asks):
        return NOW
    return TO_COME


def words(step: Step) -> str:
    """A step in a few words."""
    match step:
        case SetWeight():
            return f"canary to {step.weight} %"
        case Pause():
            return f"pause of {lasting(step.seconds)}"
        case Approval():
            limit = f", for {lasting(step.timeout_seconds)} at most" if step.timeout_seconds else ""
            return f"approval by policy {plain(step.policy)}{limit}"


# ---- children


def children(view: RolloutView, around: Around) -> RenderableType:
    """Both Deployments: template, images, pods, what is wrong with them."""
    table = columns(["TRACK", "TEMPLATE", "READY", "RESTARTS", "RUNS", "TROUBLE"])
    for track in Track:
        row = _child(view, around, track)
        if row:
            table.add_row(*row)
    for column in table.columns:
        column.no_wrap, column.overflow = column.header in {"TRACK", "TEMPLATE", "READY"}, "fold"
    return table


def _child(view: RolloutView, around: Around, track: Track) -> list[str]:
    known, seen = view.record.track(track), around.children.get(track)
    if known is None and seen is None:
        return []
    template = known.wanted.template if known is not None else seen.child.template if seen is not None else ""
    wanted = known.wanted.replicas if known is not None else seen.child.replicas if seen is not None else 0
    ready = seen.child.available if seen is not None else known.ready if known is not None else 0
    colour = "green" if ready >= wanted else "yellow"
    images = seen.images if seen is not None and wanted else known.images if known is not None and wanted else ()
    restarts = str(seen.child.restarts) if seen is not None and seen.child.images is not None else ""
    return [
        str(track),
        short(template),
        f"[{colour}]{ready} of {wanted}[/{colour}]",
        restarts,
        plain(", ".join(images)) if wanted else "[dim]no pods[/dim]",
        f"[red]{plain(seen.child.trouble)}[/red]" if seen is not None and seen.child.trouble else "",
    ]


# ---- figures and time


def weight(view: RolloutView) -> str:
    """The canary's share, the one that is in force and the one that whole pods give."""
    share = view.record.weight
    if not share.asked and not share.real:
        return ""
    other = "" if share.real == share.asked else f", {share.real} % in whole pods"
    return f"{share.asked} % of the pods{other}"


def gate(around: Around) -> str:
    """The Gate of the namespace, and what it means for a canary."""
    found: GateFacts | None = around.gate
    if found is None:
        return plain(around.gate_name)
    return plain(f"{found.name}: policy {found.policy} is asked before more than {found.max_weight} %, and before promotion")


def time_does(view: RolloutView, now: datetime | None) -> Iterator[tuple[str, str]]:
    """What happens when nobody does anything."""
    record, run = view.record, view.record.run
    if view.question is not None and record.until is not None:
        yield _at(record.until, now), f"[bold]Expired[/bold]: {_back(run)}"
    elif record.phase is RolloutPhase.PAUSED and record.until is not None:
        yield _at(record.until, now), "the pause is over, and it goes on by itself"
    due = due_at(record, view.rollout)
    if record.clock is not None and record.clock.stopped_at is not None:
        yield "Stands", "the progress deadline: Gatehold itself holds the pods"
    elif due is not None and run is not None and run.stage is not Stage.UNDOING:
        yield _at(due, now), f"pods that are not available then: {_back(run)}"


def _back(run: Run | None) -> str:
    if run is None:
        return "nothing changes"
    if run.first:
        return "nothing is deployed" if not run.written else "the deployment counts as failed"
    if run.stage is Stage.PROMOTING:
        return "stable gets its former template back"
    return "the canary goes, stable stays as it is"


def _at(instant: datetime, now: datetime | None) -> str:
    span = left(instant, now)
    return clock(instant) + (f" ({'in ' if span != 'due' else ''}{span})" if span else "")


# ---- the last run


def last_run(view: RolloutView) -> RenderableType:
    """How the last run ended, and whether everything is as before."""
    return pairs(_last(view))


def _last(view: RolloutView) -> Iterator[tuple[str, str]]:
    last = view.record.last_run
    if last is None:
        return
    colour = "green" if last.outcome is Outcome.PROMOTED else "blue" if last.outcome is Outcome.SUPERSEDED else "red"
    yield "Outcome", f"[{colour}]{last.outcome}[/{colour}], template {short(last.target.template)}, {clock(last.at)}"
    why = f"{last.reason}: {last.message}" if last.message else last.reason
    yield "Why", plain(why)
    if last.rolled_back is not None:
        word = "[green]yes[/green]" if last.rolled_back else "[red]no[/red]"
        yield "Rolled back", f"{word}, {plain(last.rolled_back_reason)}: {plain(last.rolled_back_message)}"
    yield "Asked", plain(", ".join(request.name for request in last.requests))
