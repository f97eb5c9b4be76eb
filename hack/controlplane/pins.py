"""Which Kubernetes versions can be built here, and which one is wanted: GATEHOLD_KUBERNETES names it, as 1.33 or 1.33.13.

Each version has a go.mod of its own. The default's stands beside this file and builds etcd and kwok too; the others stand
in `versions/MINOR` and borrow those two, which serve every one of them. `pinning` writes them.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from controlplane.errors import UnknownVersionError

HERE: Final = Path(__file__).resolve().parent
VERSIONS: Final = HERE / "versions"
VARIABLE: Final = "GATEHOLD_KUBERNETES"


@dataclass(frozen=True, slots=True)
class Pin:
    """One version, and the folder of the go.mod that pins it."""

    folder: Path
    version: str
    """What the API server says of itself, without the v."""

    @property
    def minor(self) -> str:
        """`1.33` of 1.33.13."""
        return self.version.rpartition(".")[0]

    @property
    def number(self) -> tuple[int, int]:
        """The minor version as numbers, which compare as versions do."""
        major, minor = self.minor.split(".")
        return int(major), int(minor)


def default() -> Pin:
    """Return the version that tests and people get unless they ask for another."""
    return _read(HERE)


def known() -> list[Pin]:
    """Return every version that is pinned here, the oldest first."""
    found = [default(), *(_read(path.parent) for path in VERSIONS.glob("*/go.mod"))]
    return sorted(found, key=lambda pin: pin.number)


def chosen() -> Pin:
    """Return the version that GATEHOLD_KUBERNETES names, or the default."""
    asked = os.environ.get(VARIABLE, "")
    if not asked:
        return default()
    for pin in known():
        if asked in (pin.minor, pin.version):
            return pin
    versions = ", ".join(pin.version for pin in known())
    message = (
        f"{VARIABLE}={asked}: no such version is pinned here, only {versions}.\n"
        "Next: take one of these, or pin another with `python -m controlplane pin MAJOR.MINOR.PATCH`."
    )
    raise UnknownVersionError(message)


def kubernetes() -> tuple[int, int]:
    """Return the minor version of the control planes that are started here, as (1, 33)."""
    return chosen().number


def _read(folder: Path) -> Pin:
    """Read the version off go.mod, which alone says it."""
    found = re.search(r"\bk8s\.io/kubernetes v(\d+\.\d+\.\d+)\b", (folder / "go.mod").read_text())
    if found is None:
        raise UnknownVersionError(f"{folder / 'go.mod'} does not require k8s.io/kubernetes.")
    return Pin(folder, found[1])
