"""Where the time of a decision goes: `python -m bench.profile [--count 100] [--idle 0] [--apart SECONDS]`.

Stages of the operator and of the bare loop side by side, and what the API server says of its own share: the time its
admission policies took. For docs/explanation/performance.md.
"""

import argparse
import asyncio
import json
import re
import statistics
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from bench import anatomy, stage
from bench.rig import Rig, rig
from controlplane import Cluster

SERVER: Final = (
    "apiserver_request_duration_seconds",
    "apiserver_admission_controller_admission_duration_seconds",
    "apiserver_validating_admission_policy_check_duration_seconds",
    "apiserver_mutating_admission_policy_check_duration_seconds",
)
_SERIES: Final = re.compile(r"^(\w+)_(sum|count)(\{.*\})? (\S+)$")
Span = tuple[str, str, float, float]
Moments = Mapping[str, tuple[float, float, float]]
"""Name -> decision sent, written, release seen."""


async def decide(made: Rig, names: Sequence[str], apart: float) -> Moments:
    """Approve one after the other."""
    found = {}
    for name in names:
        await asyncio.sleep(apart)
        found[name] = await made.decide(name)
    return found


def stages(spans: Sequence[Span], moments: Moments) -> dict[str, list[float]]:
    """Milliseconds of each stage, one figure a decision, in the order in which they come."""
    of: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        of[span[1].rsplit("/", 2)[-2 if span[1].endswith("/status") else -1]].append(span)
    proofs = [span for span in spans if span[0] in ("prove", "confirm")]
    found: dict[str, list[float]] = defaultdict(list)
    for name, moment in moments.items():
        for what, seconds in _one(sorted(of[name], key=lambda s: s[2]), proofs, moment):
            found[what].append(seconds * 1000)
    return found


def _one(spans: Sequence[Span], proofs: Sequence[Span], moment: tuple[float, float, float]) -> list[tuple[str, float]]:
    """The stages of one decision; what one of the two loops does not do is left out."""
    sent, written, seen = moment
    spans = [span for span in spans if span[2] >= sent]
    event = next((s for s in spans if s[0] == "event"), None)
    cycle = next((s for s in spans if s[0] == "cycle"), None)
    gather = next((s for s in spans if s[0] == "gather"), None)
    decided = next((s for s in spans if s[0] == "decide"), None)
    status = next(s for s in spans if s[0] == "call" and s[1].endswith("/status"))
    job = next(s for s in spans if s[0] == "call" and "/jobs/" in s[1])
    rows = [("verdict: sent -> written", written - sent), ("written -> the status is sent", status[2] - written)]
    if event and cycle and gather and decided:
        rows += [
            ("  until the watch has told us", event[2] - written),
            ("  taking the event in (parse, pack, index)", event[3] - event[2]),
            ("  waiting for a worker", cycle[2] - event[3]),
            ("  gather", gather[3] - gather[2]),
            ("  decide", decided[3] - decided[2]),
            ("  decided -> the status is sent", status[2] - decided[3]),
        ]
    rows += [("status write", status[3] - status[2]), ("status written -> the Job's patch is sent", job[2] - status[3])]
    near = [s for s in proofs if sent <= s[2] <= job[2]]
    rows += [
        ("  (looking whether the verdict met the wall, beside the write)", s[3] - s[2]) for s in near if s[0] == "confirm"
    ][:1]
    proof = next((s for s in near if s[0] == "prove" and cycle), None)  # the bare loop proves nothing
    if proof:
        rows.append(("  of that, waiting for the proof", max(0.0, min(proof[3], job[2]) - status[3])))
        rows.append(("  (the proof itself, beside the write; 0 where one is young enough)", proof[3] - proof[2]))
    rows += [("Job patch: sent -> seen by everybody", seen - job[2]), ("all: written -> seen", seen - written)]
    return rows


def server(cluster: Cluster) -> dict[str, tuple[float, float]]:
    """Sum and count of the API server's own stopwatches."""
    text = cluster.kubectl("get", "--raw", "/metrics").stdout
    found: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for line in text.splitlines():
        match = _SERIES.match(line)
        if match and match.group(1) in SERVER:
            found[match.group(1) + (match.group(3) or "")][match.group(2) == "count"] = float(match.group(4))
    return {series: (total, count) for series, (total, count) in found.items()}


def read(path: Path) -> list[Span]:
    """What the stopwatches wrote."""
    return [tuple(json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []


def show(ours: Mapping[str, Sequence[float]], bare: Mapping[str, Sequence[float]], console: Console) -> None:
    """Both loops side by side."""
    table = Table("stage (median, 90th percentile, ms)", "operator", "bare loop")
    for what in [*ours, *(what for what in bare if what not in ours)]:
        table.add_row(what, *(_both(side.get(what)) for side in (ours, bare)))
    console.print(table, soft_wrap=True)


def _both(values: Sequence[float] | None) -> str:
    if not values:
        return ""
    ordered = sorted(values)
    return f"{statistics.median(ordered):.1f}  {ordered[int(len(ordered) * 0.9)]:.1f}"


def show_server(
    before: Mapping[str, tuple[float, float]], after: Mapping[str, tuple[float, float]], console: Console
) -> None:
    """What the API server did meanwhile, the most expensive first."""
    rows = []
    for series, (total, count) in after.items():
        was, were = before.get(series, (0.0, 0.0))
        if (
            count > were
            and (total - was) / (count - were) > 0.0002
            and not {"watch", "WATCH", "LIST"} & set(re.findall(r'verb="(\w+)"', series))
        ):
            rows.append((total - was, count - were, series))
    for total, count, series in sorted(rows, reverse=True)[:16]:
        console.print(
            f"{total / count * 1000:8.2f} ms x {count:6.0f}  {series}", highlight=False, markup=False, soft_wrap=True
        )


def show_one(what: str, rows: Sequence[tuple[str, float]], console: Console) -> None:
    """What one request costs."""
    table = Table(what, "")
    for name, value in rows:
        table.add_row(name, f"{value:,.0f}")
    console.print(table, soft_wrap=True)


async def main(argv: list[str] | None = None) -> int:
    """Measure and show."""
    parser = argparse.ArgumentParser(prog="python -m bench.profile", description=__doc__)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--idle", type=int, default=0)
    parser.add_argument("--apart", type=float, default=0.0, help="seconds between decisions; over 1, each is proven anew")
    parser.add_argument("--copies", type=int, default=10_000, help="requests whose cost is measured one by one")
    options, console = parser.parse_args(argv), Console()
    async with rig(options.idle, console.print, spans=True) as made, made.bare("serve"):
        await made.bare_ready()
        found = {}
        for whose in ("ours", "bare"):
            names = made.names(whose, options.count)
            await made.held(names, bare=whose == "bare")
            await made.until_known(options.idle + (options.count if whose == "ours" else 0))
            before = server(made.plane)
            moments = await decide(made, names, options.apart)
            console.print(f"the API server's own figures, {whose}:")
            show_server(before, server(made.plane), console)
            found[whose] = stages(read(made.spans), moments)
            await made.sweep()
        body = await stage.prepared(made.who, "pattern")
    show(found["ours"], found["bare"], console)
    bodies = anatomy.copies(body, options.copies)
    show_one("one request, microseconds", anatomy.times(bodies), console)
    show_one("one request in the cache, bytes", anatomy.sizes(bodies), console)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
