"""The wall on the versions that it supports: every expression compiles there. Needs Go, and no server of that version."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.wall.conftest import ROOT

SOURCE = Path(__file__).parent / "celcheck" / "main.go"


@pytest.fixture(scope="module")
def celcheck(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from the module of the control plane with its flags, so that the packages come out of its build cache."""
    program = tmp_path_factory.mktemp("celcheck") / "celcheck"
    flags = ["-C", str(ROOT / "hack/controlplane"), "-mod=readonly", "-trimpath", "-buildvcs=false"]
    settings = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    subprocess.run(["go", "build", *flags, "-o", str(program), str(SOURCE)], check=True, env=settings)
    return program


def run(celcheck: Path, *files: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(celcheck), *map(str, files)], capture_output=True, text=True, check=False)


@pytest.mark.timeout(900)
def test_every_expression_compiles_from_1_30_on(celcheck: Path) -> None:
    done = run(celcheck, *sorted((ROOT / "manifests/wall").glob("1*.yaml")))

    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith(" 0 refused\n")


def test_the_check_finds_a_function_that_came_later(celcheck: Path, tmp_path: Path) -> None:
    rule = "{expression: '[[1], [2]].flatten().size() == 2'}"
    text = f"kind: ValidatingAdmissionPolicy\nmetadata: {{name: new}}\nspec: {{validations: [{rule}]}}\n"
    (tmp_path / "new.yaml").write_text(text)
    done = run(celcheck, tmp_path / "new.yaml")

    assert done.returncode == 1
    assert "1.30 new rule 0: " in done.stdout
    assert "1.36" not in done.stdout
