"""Wheel and sdist, by the build backend that is installed here: nothing is fetched, the same tree gives the same bytes."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gatehold import __version__

ROOT: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Packages:
    """Where they lie."""

    wheel: Path
    sdist: Path


def build(into: Path, source: Path = ROOT) -> Packages:
    """Build both out of a tree (an unpacked sdist is one, too); raises CalledProcessError with what the backend said."""
    into.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(into.resolve())]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    return Packages(into / f"gatehold-{__version__}-py3-none-any.whl", into / f"gatehold-{__version__}.tar.gz")
