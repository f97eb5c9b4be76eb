"""`python -m tests.soak`: random life under random faults for half an hour, then every invariant checked."""

import argparse
import asyncio
import random
import sys

from rich.console import Console

from controlplane import ControlPlane
from tests.soak.report import Ticker, tell
from tests.soak.world import Options, World


def main() -> int:
    """Run it; the exit code is 1 where an invariant does not hold."""
    usual = Options()
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long people ask and faults happen (default: 30)")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**6), help="of everything that is random (default: any)"
    )
    parser.add_argument("--rate", type=float, default=usual.rate, help="questions a second, at most (default: %(default)s)")
    parser.add_argument("--live", type=int, default=usual.live, help="questions under way, at most (default: %(default)s)")
    given = parser.parse_args()
    console = Console()
    console.print(f"soak of {given.minutes:g} minutes, seed {given.seed}", highlight=False)
    options = Options(given.minutes, given.seed, given.rate, given.live)
    with ControlPlane.start() as plane, Ticker(console) as ticker:
        outcome = asyncio.run(World(plane, options).run(ticker.show))
    tell(outcome, console)
    word = f"{len(outcome.violations)} violations" if outcome.violations else "every invariant holds"
    console.print(f"{word}; seed {given.seed}", highlight=False)
    return 1 if outcome.violations else 0


if __name__ == "__main__":
    sys.exit(main())
