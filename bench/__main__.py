"""Runs the benchmark and shows it: `python -m bench --help`. The exit code says whether every bar holds."""

import argparse
import asyncio
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from bench.groups import MEASUREMENTS
from bench.report import show, write
from bench.rig import ROOT, rig
from bench.rows import ROWS, Measurement, Result, result
from bench.sizes import FULL, QUICK, TINY, Sizes

SIZES: Final = {"full": FULL, "quick": QUICK, "tiny": TINY}


def main(argv: list[str] | None = None) -> int:
    """Measure what was asked for."""
    options = _options(argv)
    console = Console()
    sizes = SIZES[options.size] if options.rounds is None else replace(SIZES[options.size], rounds=options.rounds)
    about = {
        "began": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "cpus": os.cpu_count(),
        "load": os.getloadavg(),
        "python": platform.python_version(),
        "size": options.size,
    }
    results: list[Result] = []
    for place, pending in enumerate(sorted(options.idle)):
        chosen = [m for m in MEASUREMENTS if set(m.rows) & set(options.rows) and (place == 0 or not m.once)]
        asyncio.run(_level(pending, chosen, sizes, console, lambda found: _keep(options.json, about, results, found)))
    show(results, console)
    console.print(f"written to {options.json}")
    return 0 if all(r.holds is not False for r in results) else 1


def _keep(path: Path, about: dict[str, Any], results: list[Result], found: Result) -> None:
    """Write after each row: a run that is cut off leaves what it had."""
    results.append(found)
    write(path, about, results)


async def _level(
    pending: int, chosen: list[Measurement], sizes: Sizes, console: Console, keep: Callable[[Result], None]
) -> None:
    """Everything with that many others pending, on a control plane of its own."""

    def say(text: str) -> None:
        console.print(f"[dim]{time.strftime('%H:%M:%S')}[/] {text}", highlight=False)

    async with rig(pending, say) as made:
        for measurement in chosen:
            found = await measurement.run(made, sizes)
            for key in measurement.rows:
                outcome = result(key, pending, found[key])
                keep(outcome)
                say(f"  {key}: {outcome.value:.3g} {outcome.kind} ({outcome.ours:.3g} against {outcome.bare or 0:.3g})")


def _options(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--idle", type=_numbers, default=[0, 1_000, 10_000], help="how many others are pending, by comma")
    parser.add_argument("--rows", type=_rows, default=list(ROWS), help=f"which rows, by comma: {', '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, help="paired rounds of each row")
    parser.add_argument("--size", choices=SIZES, default="full", help="how much is measured in a round")
    parser.add_argument("--quick", dest="size", action="store_const", const="quick", help="the same as --size quick")
    name = f"bench-{time.strftime('%Y%m%d-%H%M%S')}.json"
    parser.add_argument("--json", type=Path, default=ROOT / name, help="where the outcome is written")
    options = parser.parse_args(argv)
    if options.size == "quick" and options.idle == [0, 1_000, 10_000]:
        options.idle = [0, 1_000]
    return options


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _rows(text: str) -> list[str]:
    chosen = text.split(",")
    unknown = set(chosen) - ROWS.keys()
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no row {', '.join(sorted(unknown))}")
    return chosen


if __name__ == "__main__":
    sys.exit(main())
