"""`python -m controlplane`: what a developer types, and what is told when it cannot be."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import controlplane
from controlplane import build, wait_until

PACKAGE_PARENT = Path(controlplane.__file__).parent.parent


class Shell:
    """Runs the command line with a temporary root of its own."""

    def __init__(self, root: Path) -> None:
        """Keep everything below `root`."""
        self._environment = {**os.environ, "TMPDIR": str(root), "PYTHONPATH": str(PACKAGE_PARENT)}

    def run(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run `python -m controlplane ARGUMENTS`."""
        return subprocess.run(
            [sys.executable, "-m", "controlplane", *arguments],
            env={**self._environment, **environment},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell whose control planes are all down afterwards."""
    shell = Shell(tmp_path)
    yield shell
    shell.run("down")


def test_up_detached_stays_until_down(shell: Shell, tmp_path: Path) -> None:
    up = shell.run("up", "--detach", "--user", "alice:sre,duty", "--user", "ci", "--nodes", "1")
    assert up.returncode == 0, up.stderr
    (alice,) = re.findall(r"# as alice: export KUBECONFIG=(\S+)", up.stdout)
    who = subprocess.run(
        ["sh", "-c", f"{up.stdout}\nkubectl auth whoami; KUBECONFIG={alice} kubectl auth whoami"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "system:masters" in who.stdout
    assert "[sre duty system:authenticated]" in who.stdout
    answers = re.compile(r"dev\s+yes\s+https://127.0.0.1:")  # a busy machine may take longer than the table waits for it
    wait_until(lambda: bool(answers.search(shell.run("status").stdout)), "a control plane that answers", 60)
    again = shell.run("up", "--detach")
    assert (again.returncode, "is up already" in again.stderr) == (1, True)
    assert shell.run("down").returncode == 0
    assert not list(tmp_path.glob("gatehold-controlplane-*/up-*"))
    assert "no control plane is up" in shell.run("status").stdout


def test_down_without_up_says_what_to_do(shell: Shell) -> None:
    down = shell.run("down", "--name", "other")
    assert (down.returncode, "`python -m controlplane status`" in down.stderr) == (1, True)


def test_a_name_cannot_leave_its_folder(shell: Shell) -> None:
    assert "lower-case letters" in shell.run("up", "--name", "../x").stderr


def test_build_without_go_says_what_to_do(shell: Shell, tmp_path: Path) -> None:
    built = shell.run(
        "build",
        GATEHOLD_CACHE=str(tmp_path / "empty"),
        GATEHOLD_CONTROLPLANE_BIN="",
        PATH=str(tmp_path),
    )
    assert built.returncode == 1
    assert "Go is needed" in built.stderr
    assert "GATEHOLD_CONTROLPLANE_BIN" in built.stderr


def test_a_failed_build_shows_the_compiler(shell: Shell, tmp_path: Path) -> None:
    go = tmp_path / "go"
    go.write_text("#!/bin/sh\necho broken pipe in the engine room >&2\nexit 2\n")
    go.chmod(0o755)
    built = shell.run(
        "build",
        GATEHOLD_CACHE=str(tmp_path / "empty"),
        GATEHOLD_CONTROLPLANE_BIN="",
        PATH=str(tmp_path),
    )
    assert (built.returncode, "broken pipe in the engine room" in built.stderr) == (1, True)
    assert not list((tmp_path / "empty").rglob("*etcd*")), "half a program must not be left"


def test_two_builders_at_once_build_each_program_once(shell: Shell, tmp_path: Path) -> None:
    go = tmp_path / "go"
    go.write_text(f"""#!/bin/sh
while [ "$1" != -o ]; do shift; done
echo "begin $3" >> {tmp_path}/log
sleep 0.1
: > "$2" && chmod +x "$2"
echo "end $3" >> {tmp_path}/log
""")
    go.chmod(0o755)
    settings = {
        "GATEHOLD_CACHE": str(tmp_path / "empty"),
        "GATEHOLD_CONTROLPLANE_BIN": "",
        "PATH": f"{tmp_path}:{os.defpath}",
    }
    with ThreadPoolExecutor() as both:
        runs = list(both.map(lambda _: shell.run("build", **settings), range(2)))
    assert [run.returncode for run in runs] == [0, 0], [run.stderr for run in runs]
    lines = [f"{word} {package}" for package in build.PROGRAMS.values() for word in ("begin", "end")]
    assert (tmp_path / "log").read_text().splitlines() == lines


def test_a_named_folder_is_used_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ours = build.programs()
    chosen = tmp_path / "kubectl"
    chosen.symlink_to(ours["kubectl"])
    monkeypatch.setenv("GATEHOLD_CONTROLPLANE_BIN", str(tmp_path))
    assert build.programs() == {**ours, "kubectl": chosen}
