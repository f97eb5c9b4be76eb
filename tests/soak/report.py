"""What a person sees of a soak: a line while it runs, tables at the end, and the whole story of whatever went wrong."""

import json
import tempfile
import time
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tests.soak import invariants
from tests.soak.record import Facts, Story, Version, Violation, condition, suspended
from tests.soak.undoing import runs
from tests.soak.world import Outcome, World

MOST = 12  # stories that are told whole
QUIET = 60.0  # seconds between lines where nobody looks at a terminal


class Ticker:
    """The progress line."""

    def __init__(self, console: Console) -> None:
        """Live on a terminal, a line a minute elsewhere."""
        self._console = console
        self._live = Live(console=console, refresh_per_second=2, transient=True) if console.is_terminal else None
        self._said = 0.0

    def __enter__(self) -> "Ticker":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, world: World) -> None:
        """How it stands."""
        if self._live is not None:
            self._live.update(Text(line(world)))
        elif time.monotonic() - self._said > QUIET:
            self._said = time.monotonic()
            self._console.print(line(world), soft_wrap=True)


def line(world: World) -> str:
    """One line: time, life, faults, size."""
    passed, whole = time.monotonic() - world.began, world.options.minutes * 60
    town, live = world.town, list(world.town.journal.latest["apr"].values())
    waiting = sum((body.get("status") or {}).get("phase") in (None, "", "Pending") for body in live)
    faults = sum(count for name, count in town.count.items() if name.startswith("fault: "))
    return (
        f"{_clock(passed)}/{_clock(whole)} {world.stage} | asked {town.count['asked']} waiting {waiting} kept {len(live)} | "
        f"words {town.count['words']} refused {town.count['refused']} illegal {town.count['illegal']} | faults {faults}"
        f"{' now: ' + world.faults.now if world.faults.now else ''} | "
        f"{world.replicas.latest()} | writes {town.slow * 1000:.0f} ms"
    )


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d}"


def tell(outcome: Outcome, console: Console) -> None:
    """The tables, then each violation with its story."""
    _tell_counts(outcome, console)
    _tell_rules(outcome, console)
    _tell_sizes(outcome, console)
    for violation in outcome.violations[:MOST]:
        console.print(story_of(violation, outcome), soft_wrap=True, markup=False, highlight=False)
    if len(outcome.violations) > MOST:
        console.print(f"... and {len(outcome.violations) - MOST} more")
    if outcome.violations:
        console.print(f"everything is kept in {keep(outcome)}", soft_wrap=True)


def _tell_counts(outcome: Outcome, console: Console) -> None:
    table = Table("what", "how many", title=f"seed {outcome.options.seed}, {outcome.options.minutes:g} minutes")
    facts = outcome.facts
    ends = Counter(_end(story) for story in facts.requests.values())
    ran = sum(bool(runs(job)) for job in facts.jobs.values())
    rows = {"requests": len(facts.requests), "Jobs": len(facts.jobs), "Jobs that ran": ran}
    rows |= {f"requests that ended {end}": count for end, count in sorted(ends.items())}
    rows |= {name: count for name, count in sorted(outcome.counts.items()) if name != "asked"}
    for name, count in {**rows, "holes in the journal": outcome.holes}.items():
        table.add_row(name, str(count))
    console.print(table)


def _end(story: Story) -> str:
    last = story.last
    decision = last.status.get("decision", {})
    phase = last.phase if last.phase != "Approved" or last.done else "Approved, on its way"
    return f"{phase or 'unseen'} ({decision.get('reason', 'waiting' if not last.gone else 'deleted')})"


def _tell_rules(outcome: Outcome, console: Console) -> None:
    table = Table("invariant", "looked at", "violations")
    broken = Counter(violation.rule for violation in outcome.violations)
    sizes = ((invariants.REQUEST, len(outcome.facts.requests)), (invariants.JOB, len(outcome.facts.jobs)))
    for checks, size in sizes:
        for check in checks:
            table.add_row(check.__name__.replace("_", " "), str(size), str(broken[check.__name__]))
    for name, count in outcome.whole.items():
        table.add_row(name.replace("_", " "), "the run", str(count))
    console.print(table)


def _tell_sizes(outcome: Outcome, console: Console) -> None:
    table = Table("process", "lived", "figure", "second quarter", "last quarter", "at most")
    for life, found in outcome.growths:
        for growth in found:
            row = (f"{life.name} ({life.pid})", f"{life.lasted:.0f} s", growth.what)
            table.add_row(*row, f"{growth.second:.1f}", f"{growth.last:.1f}", f"{growth.most:.1f}")
    console.print(table if outcome.growths else "no process lived long enough to say whether it grows")


def story_of(violation: Violation, outcome: Outcome) -> str:
    """Everything that is known about the object of a violation."""
    facts = outcome.facts
    lines = [f"VIOLATION {violation.rule}: {violation.name} {violation.text} (seed {outcome.options.seed})"]
    story = facts.requests.get(violation.uid) or facts.jobs.get(violation.uid)
    if story is None:
        return lines[0]
    name = story.name.split("/")[1].removesuffix("-job").removesuffix("-undo").removesuffix("-rival")
    related = [s for s in (*facts.requests.values(), *facts.jobs.values()) if _belongs(s, name)]
    told = [(version.at, _told(other, version)) for other in related for version in other.versions]
    told += [(w.start, f"fault begins: {w.kind}") for w in facts.faults] + [
        (w.end, f"fault mended: {w.kind}") for w in facts.faults
    ]
    first, last = story.versions[0].at - 5, story.last.at + 5
    lines += [f"  {_moment(at)} {text}" for at, text in sorted(told) if first <= at <= last]
    lines += ["  said:", *(f"    {entry}" for entry in outcome.said.get(name, ()))]
    return "\n".join([*lines, f"  at the end: {json.dumps(story.last.status)[:3000]}"])


def _belongs(story: Story, name: str) -> bool:
    return story.name.split("/")[1] in (name, f"{name}-job", f"{name}-undo", f"{name}-rival")


def _told(story: Story, version: Version) -> str:
    kind = version.body.get("kind", "?")
    head = f"[{version.revision}] {kind} {story.name}{' GONE' if version.gone else ''}"
    return f"{head}: {_of_job(version) if kind == 'Job' else _of_request(version)}"


def _of_job(version: Version) -> str:
    marks = {key.split("/")[1]: note for key, note in version.notes.items() if "gatehold.dev" in key}
    return f"{'held' if suspended(version.body) else 'let go'} {marks} {json.dumps(version.body.get('status', {}))[:300]}"


def _of_request(version: Version) -> str:
    status = version.status
    digest = status.get("requestDigest", "-")
    words = [f"{key.split('/')[1]}={note.replace(digest, '#')}" for key, note in version.notes.items() if "verdict" in key]
    parts = ("id", "verdict", "username", "counted", "reason")
    ledger = [" ".join(str(entry.get(part, "-")) for part in parts) for entry in status.get("verdicts", [])]
    effect, back = status.get("effect", {}), condition(status, "RolledBack")
    shown = f"{version.phase or 'unset'}{' done' if version.done else ''} {status.get('approvals', '')}"
    states = f"{effect.get('state')}/{effect.get('undo', {}).get('state')} back {back}"
    return f"{shown} until {status.get('deadline')} words {words} ledger {ledger} effect {states}"


def _moment(at: float) -> str:
    return f"{time.strftime('%H:%M:%S', time.gmtime(at))}.{int(at % 1 * 1000):03d}"


def keep(outcome: Outcome) -> Path:
    """Logs of the operators, all violations and faults, for whoever looks for the cause."""
    folder = Path(tempfile.mkdtemp(prefix=f"gatehold-soak-{outcome.options.seed}-"))
    for name, text in outcome.logs.items():
        (folder / f"{name}.log").write_text(text)
    stories = "\n\n".join(story_of(violation, outcome) for violation in outcome.violations[:100])
    (folder / "violations.txt").write_text(stories)
    (folder / "faults.txt").write_text(_faults(outcome.facts))
    return folder


def _faults(facts: Facts) -> str:
    ordered = sorted(facts.faults, key=lambda w: w.start)
    return "\n".join(f"{_moment(w.start)} - {_moment(w.end)} {w.kind}" for w in ordered)
