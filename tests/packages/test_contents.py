"""What is in wheel, sdist and archive: all of the package, the texts of the wall as they are here, and nothing besides."""

import hashlib
import tarfile
import tomllib
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest
import yaml

from gatehold import __version__
from release import build
from tests.packages.conftest import Made

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "operator" / "gatehold"
CARRIED = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
"""Folders here, and where the package carries them: texts with which the operator and `doctor` compare a cluster."""


def sources() -> dict[str, Path]:
    """Every file of the package here, by its name in the wheel."""
    folders = {PACKAGE: "gatehold"} | {ROOT / folder: inside for folder, inside in CARRIED.items()}
    return {
        f"{inside}/{path.relative_to(folder)}": path
        for folder, inside in folders.items()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def wheel(made: Made) -> dict[str, bytes]:
    with zipfile.ZipFile(made.wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def metadata(wheel: dict[str, bytes]) -> Message:
    return Parser().parsestr(wheel[f"gatehold-{__version__}.dist-info/METADATA"].decode())


def test_the_wheel_is_the_package_with_the_walls_texts_and_nothing_else(wheel: dict[str, bytes]) -> None:
    found = {name: content for name, content in wheel.items() if not name.startswith(f"gatehold-{__version__}.dist-info/")}
    assert found.keys() == sources().keys()
    assert [name for name, path in sources().items() if found[name] != path.read_bytes()] == []
    assert {"gatehold/py.typed", "gatehold/admission/wall/10-requests.yaml"} <= found.keys()


def test_the_wheel_says_what_it_is(wheel: dict[str, bytes]) -> None:
    said = metadata(wheel)
    assert (said["Name"], said["Version"], said["License-Expression"]) == ("gatehold", __version__, "Apache-2.0")
    assert said["Requires-Python"] == ">=3.11"
    licence = wheel[f"gatehold-{__version__}.dist-info/licenses/LICENSE"]
    assert licence == (ROOT / "LICENSE").read_bytes()
    assert b"END OF TERMS AND CONDITIONS" in licence
    points = wheel[f"gatehold-{__version__}.dist-info/entry_points.txt"].decode()
    programs = [line.split(" = ")[0] for line in points.splitlines() if " = " in line]
    assert sorted(programs) == ["gatehold", "kubectl-gatehold", "kubectl_complete-gatehold"]


def test_the_sdist_alone_builds_the_same_wheel(made: Made, tmp_path: Path) -> None:
    """So it is whole, and a build is the same bytes again."""
    with tarfile.open(made.sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    source = tmp_path / f"gatehold-{__version__}"
    assert not (source / "tests").exists()
    again = build(tmp_path / "again", source)
    assert again.wheel.read_bytes() == made.wheel.read_bytes()


def test_krews_manifest_fits_its_archive(made: Made) -> None:
    """What krew itself makes of it: test_installed."""
    manifest = yaml.safe_load(made.manifest.read_text())
    (platform,) = manifest["spec"]["platforms"]
    assert platform["sha256"] == hashlib.sha256(made.archive.read_bytes()).hexdigest()
    assert platform["uri"] == f"https://releases.example.org/gatehold/{made.archive.name}"
    assert manifest["spec"]["version"] == f"v{__version__}"
    assert len(manifest["spec"]["shortDescription"]) <= 50
    with tarfile.open(made.archive) as archive:
        assert sorted(archive.getnames()) == ["LICENSE", made.wheel.name, "kubectl-gatehold", "requirements.txt"]
        assert archive.getmember(platform["bin"]).mode == 0o755
