"""The files of a release, built once."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from release import build, pack


@dataclass(frozen=True, slots=True)
class Made:
    """Where they lie."""

    wheel: Path
    sdist: Path
    archive: Path
    manifest: Path


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("dist")
    packages = build(folder)
    return Made(packages.wheel, packages.sdist, *pack(packages.wheel, folder, "https://releases.example.org/gatehold/"))
