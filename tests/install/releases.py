"""The release before this one: its chart, and its operator's program, taken from the repository's own history."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.install.chart import CHART, ROOT, with_version

PARTS: Final = ("charts", "crds", "manifests", "operator")
SETTLED: Final = 2 * 3600
"""Seconds. What was committed later than so long before the newest commit is a step of one change, not a release."""


@dataclass(frozen=True, slots=True)
class Release:
    """A chart, and the folder that its operator is imported from."""

    chart: Path
    operator: Path
    commit: str = ""
    """Empty for what lies in the work tree."""


NOW: Final = Release(CHART, ROOT / "operator")


def before(folder: Path) -> Release:
    """The newest settled commit that has the chart; where there is none, this one under another version."""
    commit = _settled()
    if not commit:
        return Release(with_version(folder, "0.0.1"), ROOT / "operator")
    packed = subprocess.run(["git", "archive", commit, *PARTS], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=packed.stdout, check=True)
    return Release(folder / "charts" / "gatehold", folder / "operator", commit)


def _settled() -> str:
    """Empty where git cannot say: no repository, a shallow one, no chart then."""
    newest = _git("log", "-1", "--format=%ct")
    if not newest:
        return ""
    commit = _git("rev-list", "-1", f"--before={int(newest) - SETTLED}", "HEAD")
    return commit if commit and _git("ls-tree", commit, "charts/gatehold/Chart.yaml") else ""


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode else done.stdout.strip()
