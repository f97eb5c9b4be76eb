"""Runs the benchmark: `python -m bench [--idle 0,1000] [--rounds 3] [--single 100] [--burst 1000] [--json FILE]`."""

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from bench import stage
from bench.measure import Seen, Spread, all_at_once, one_by_one, watching
from bench.stage import Hands
from controlplane import ControlPlane
from playground import OperatorProcess, bind_people, install, wait_enforced

ROOT: Final = Path(__file__).resolve().parent.parent
BARS: Final = {"p50": 1.5, "p99": 3.0, "burst": 2.0}


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the result: seconds of both, the ratio of the medians of all rounds, and the bar from the design."""

    what: str
    idle: int
    ours: float
    bare: float
    ratio: float
    bar: float

    @property
    def holds(self) -> bool:
        """Whether the bar is met."""
        return self.ratio <= self.bar


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured."""

    rounds: int
    single: int
    burst: int


async def pair(
    who: Hands, tag: str, count: int, run: Callable[[list[str]], Awaitable[list[float]]]
) -> tuple[list[float], list[float]]:
    """The same measurement for the operator and for the bare loop, one right after the other."""
    ours = [f"ours-{tag}-{n}" for n in range(count)]
    bare = [f"bare-{tag}-{n}" for n in range(count)]
    await asyncio.gather(*(stage.held(who, name) for name in (*ours, *bare)))
    await stage.prepared(who, {*ours, *bare})
    await stage.hide(who, set(bare))
    return await run(ours), await run(bare)


async def measure(who: Hands, seen: Seen, idle: int, sizes: Sizes, console: Console) -> list[Row]:
    """All rows with that many others pending."""
    singles: list[tuple[Spread, Spread]] = []
    bursts: list[tuple[float, float]] = []
    for number in range(sizes.rounds):
        console.print(f"{idle} others pending, round {number + 1} of {sizes.rounds}")
        ours, bare = await pair(who, f"s{idle}-{number}", sizes.single, lambda names: one_by_one(who, seen, names))
        singles.append((Spread.of(ours), Spread.of(bare)))

        async def burst(names: list[str]) -> list[float]:
            return [await all_at_once(who, seen, names)]

        first, second = await pair(who, f"b{idle}-{number}", sizes.burst, burst)
        bursts.append((first[0], second[0]))
    return [
        row("decision to release, p50", idle, [(a.p50, b.p50) for a, b in singles], BARS["p50"]),
        row("decision to release, p99", idle, [(a.p99, b.p99) for a, b in singles], BARS["p99"]),
        row(f"{sizes.burst} decisions at once, all released", idle, bursts, BARS["burst"]),
    ]


def row(what: str, idle: int, pairs: list[tuple[float, float]], bar: float) -> Row:
    """The medians over the rounds, and the median of the paired ratios."""
    ours, bare = statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)
    return Row(what, idle, ours, bare, statistics.median(a / b for a, b in pairs), bar)


async def benchmark(
    plane: ControlPlane, operator: OperatorProcess, idle: list[int], sizes: Sizes, console: Console
) -> list[Row]:
    """Everything, with the bare loop running beside the operator."""
    rows: list[Row] = []
    plane.start_program("bare", _bare_command(operator))
    async with stage.hands(plane, operator) as who:
        await stage.policy(who)
        async with watching(who) as seen:
            before = 0
            for count in sorted(idle):
                await stage.idle(who, count, before)
                before = count
                rows += await measure(who, seen, count, sizes, console)
    return rows


def _bare_command(operator: OperatorProcess) -> list[str]:
    path = f"PYTHONPATH={ROOT / 'operator'}:{ROOT}:{ROOT / 'hack'}"
    return ["/usr/bin/env", path, sys.executable, "-m", "bench.bare", str(operator.identity.kubeconfig), stage.NAMESPACE]


def show(rows: list[Row], console: Console) -> None:
    """The table for the terminal."""
    table = Table("what", "others pending", "operator", "bare loop", "ratio", "bar", "holds")
    for r in rows:
        verdict = "yes" if r.holds else "NO"
        table.add_row(
            r.what, str(r.idle), f"{r.ours * 1000:.1f} ms", f"{r.bare * 1000:.1f} ms", f"{r.ratio:.2f}", f"{r.bar}", verdict
        )
    console.print(table)


def main() -> int:
    """Run it; the exit code says whether every bar holds."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--idle", default="0,1000", help="how many others are pending, several by comma")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--single", type=int, default=100, help="decisions one after the other, a round")
    parser.add_argument("--burst", type=int, default=1000, help="decisions at once, a round")
    parser.add_argument("--json", type=Path, default=ROOT / f"bench-{time.strftime('%Y%m%d-%H%M%S')}.json")
    options = parser.parse_args()
    console = Console()
    with ControlPlane.start() as plane:
        install(plane)
        bind_people(plane, stage.NAMESPACE)
        operator = OperatorProcess(plane, max_pending_per_author="1000000")
        operator.start()
        wait_enforced(plane)
        sizes = Sizes(options.rounds, options.single, options.burst)
        rows = asyncio.run(benchmark(plane, operator, [int(n) for n in options.idle.split(",")], sizes, console))
    show(rows, console)
    options.json.write_text(json.dumps([asdict(r) | {"holds": r.holds} for r in rows], indent=1))
    console.print(f"written to {options.json}")
    return 0 if all(r.holds for r in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
