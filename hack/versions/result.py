"""What the last run on each version showed, and the file that keeps it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).with_name("result.json")


@dataclass(frozen=True, slots=True)
class Count:
    """How many tests ran, and how many of them passed."""

    run: int
    passed: int

    def __str__(self) -> str:
        """Render for a table."""
        return f"{self.passed} of {self.run}"


@dataclass(frozen=True, slots=True)
class Result:
    """One version's last run."""

    kubernetes: str
    """The version in full, as 1.33.13."""
    date: str
    stamping: bool
    """Whether its API server turns words into verdicts."""
    counts: Mapping[str, Count]
    """By part (`parts.PARTS`)."""

    @property
    def number(self) -> tuple[int, ...]:
        """The version as numbers, which compare as versions do."""
        return tuple(int(part) for part in self.kubernetes.split("."))


def load() -> list[Result]:
    """Read every version's last result, the oldest version first."""
    if not FILE.exists():
        return []
    rows = json.loads(FILE.read_text())
    found = [Result(**{**row, "counts": {name: Count(**count) for name, count in row["counts"].items()}}) for row in rows]
    return sorted(found, key=lambda result: result.number)


def save(fresh: Result) -> None:
    """Put a result in the place of the last one of that minor version."""
    kept = [result for result in load() if result.number[:2] != fresh.number[:2]]
    rows = sorted([*kept, fresh], key=lambda result: result.number)
    FILE.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
