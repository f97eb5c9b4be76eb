"""The Containerfile, read: nobody can build an image where the tests run. Its RUN lines are run, by test_installed."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from gatehold import __version__
from tests.packages.containerfile import ROOT, copied, stages, steps

LOCKS = ROOT / "hack" / "image"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def locked(name: str) -> dict[str, str]:
    """Package -> version of a lock."""
    return dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", (LOCKS / name).read_text(), re.MULTILINE))


def test_every_base_is_one_image_by_its_digest() -> None:
    (argument,) = [step.rest for step in steps() if step.word == "ARG"]
    assert re.fullmatch(r"PYTHON=[a-z./]+:3\.11\.[0-9]+-slim-[a-z]+@sha256:[0-9a-f]{64}", argument)
    assert [stage[0].rest.split()[0] for stage in stages()] == ["${PYTHON}", "${PYTHON}"]


def test_the_image_runs_as_nobody_in_particular_and_starts_the_operator() -> None:
    last = dict(stages()[-1])
    assert last["USER"] == "65532:65532"
    assert (last["ENTRYPOINT"], last["CMD"]) == ('["gatehold"]', '["run"]')
    assert f'org.opencontainers.image.version="{__version__}"' in last["LABEL"]
    assert [step.word for step in stages()[-1] if step.word in {"RUN", "ADD", "VOLUME"}] == []


def test_only_what_a_build_needs_goes_in_and_the_ignore_file_lets_it_through() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for path in copied():
        assert (ROOT / path).exists(), path
        assert any(Path(path).is_relative_to(folder) for folder in allowed), path
    needed = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["only-include"]
    assert set(needed) <= set(copied())


def test_everything_that_is_installed_is_locked_by_hash() -> None:
    installs = [step.rest for step in stages()[0] if step.word == "RUN" and " install " in step.rest]
    assert len(installs) == 3
    for line in installs:
        assert "--require-hashes" in line or "--no-index" in line
    for name in ("requirements.txt", "build.txt"):
        entries = re.split(r"^(?=\S+==)", (LOCKS / name).read_text(), flags=re.MULTILINE)[1:]
        assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("requirements.txt", PROJECT["project"]["dependencies"]), ("build.txt", PROJECT["build-system"]["requires"])],
    ids=["image", "build"],
)
def test_the_locks_hold_what_the_project_asks_for(name: str, wanted: list[str]) -> None:
    """After a change of dependencies: make lock."""
    have = locked(name)
    asked = [Requirement(text) for text in wanted]
    assert [str(one) for one in asked if not one.specifier.contains(have.get(one.name.lower(), "0"))] == []
