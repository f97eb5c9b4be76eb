"""Programs of other projects: which there are, and that each is built once for what it is made of. No server needed."""

import os
from pathlib import Path

import pytest

from controlplane import ControlPlaneError, tools
from controlplane.tools import tool

OURS = {"helm", "kubeconform", "kstatus", "argolua", "rollouts-controller", "kubectl-argo-rollouts", "promrules"}


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A compiler that makes empty programs, a cache of the test's own, and a folder of tools; answers its log."""
    go, modules = tmp_path / "bin" / "go", tmp_path / "tools"
    go.parent.mkdir()
    go.write_text(f"""#!/bin/sh
while [ "$1" != -o ]; do shift; done
echo "${{PWD##*/}} $3" >> {tmp_path}/log
: > "$2" && chmod +x "$2"
""")
    go.chmod(0o755)
    theirs, mine = modules / "theirs", modules / "mine"
    for folder in (theirs, mine):
        folder.mkdir(parents=True)
        (folder / "go.mod").write_text(f"module example.org/{folder.name}\n")
        (folder / "go.sum").write_text("")
    (theirs / "tools.go").write_text(
        'package tools\n\nimport (\n\t_ "example.org/a/cmd/one"\n\t_ "example.org/a/cmd/two"\n)\n'
    )
    (mine / "main.go").write_text("package main\n")
    monkeypatch.setattr(tools, "TOOLS", modules)
    monkeypatch.setenv("GATEHOLD_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{go.parent}:{os.defpath}")
    (tmp_path / "log").touch()
    return tmp_path / "log"


def test_every_folder_is_pinned_and_named() -> None:
    assert set(tools.names()) >= OURS
    assert all((module.folder / "go.sum").stat().st_size for module in tools.modules())


def test_the_programs_of_a_module_are_built_once_and_together(built: Path) -> None:
    assert tools.names() == ["mine", "one", "two"]
    assert os.access(tool("one"), os.X_OK)
    assert tool("one").parent == tool("two").parent
    assert built.read_text().splitlines() == ["theirs example.org/a/cmd/one", "theirs example.org/a/cmd/two"]


def test_what_is_changed_is_built_anew_and_beside_what_was_there(built: Path) -> None:
    before = tool("mine")
    (tools.TOOLS / "mine" / "main.go").write_text("package main // changed\n")
    after = tool("mine")
    assert before != after
    assert before.exists()
    assert built.read_text().splitlines() == ["mine .", "mine ."]


def test_all_of_them_at_once(built: Path) -> None:
    assert sorted(tools.build_all()) == ["mine", "one", "two"]
    tools.build_all()
    assert len(built.read_text().splitlines()) == 3


def test_a_name_that_is_not_there_is_refused_with_those_that_are(built: Path) -> None:
    with pytest.raises(ControlPlaneError, match="there are: mine, one, two"):
        tool("three")
