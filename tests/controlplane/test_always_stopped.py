"""Whatever becomes of the process that started a control plane, nothing of it stays."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

import controlplane
from controlplane import Component, wait_until

SERVE = """
import signal
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs the tests may ignore it (nohup), and that is inherited
signal.signal(signal.SIGINT, signal.default_int_handler)  # as a shell does that runs them behind it
from controlplane import ControlPlane
with ControlPlane.start(nodes=1) as plane:
    print(plane.directory, flush=True)
    signal.pause()
"""
FAIL = """
from controlplane import API_ONLY, ControlPlane
with ControlPlane.start(components=API_ONLY) as plane:
    raise RuntimeError("a test that fails")
"""
FORGET = """
from controlplane import API_ONLY, ControlPlane
plane = ControlPlane.start(components=API_ONLY)
"""
PATIENCE = 60.0


class Owner:
    """A Python process that owns control planes; they lie below `root`, so their processes can be told by it."""

    def __init__(self, script: str, root: Path) -> None:
        """Run the script in a session of its own, as a shell would."""
        package = Path(controlplane.__file__).parent.parent
        self.root = root
        self.process = subprocess.Popen(
            [sys.executable, "-c", script],
            env={**os.environ, "TMPDIR": str(root), "PYTHONPATH": str(package)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def await_ready(self) -> None:
        """Return when the script has printed its control plane's directory."""
        assert self.process.stdout
        assert self.process.stdout.readline().startswith(str(self.root))

    def programs(self) -> dict[str, int]:
        """Return the living programs of control planes below our root, with their process ids."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:  # ended meanwhile
                continue
            if any(str(self.root) in word for word in words):
                found["supervisor" if "-S" in words else Path(words[0]).name] = int(folder.name)
        return found

    def workspaces(self) -> list[Path]:
        """Return the directories of control planes below our root."""
        return [path.parent for path in self.root.glob("gatehold-controlplane-*/*/lock")]

    def expect_nothing_left(self, *, directories: bool = True) -> None:
        """Wait until no program and no directory is left."""
        wait_until(lambda: not self.programs(), f"the end of {self.programs()}", PATIENCE)
        if directories:
            wait_until(lambda: not self.workspaces(), "the directories removed", PATIENCE)


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[Owner]:
    """An owner whose control plane is ready."""
    with Owner(SERVE, tmp_path) as owner:
        owner.await_ready()
        # each is started by way of another program (env), which the last one may still be
        wait_until(lambda: {*Component, "supervisor"} <= owner.programs().keys(), "all programs", PATIENCE)
        yield owner


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_the_owner_is_killed(serving: Owner, number: signal.Signals) -> None:
    serving.process.send_signal(number)
    serving.process.wait(PATIENCE)
    serving.expect_nothing_left()


def test_control_c_in_the_terminal(serving: Owner) -> None:
    os.killpg(serving.process.pid, signal.SIGINT)
    serving.process.wait(PATIENCE)
    assert not serving.programs(), "^C is an orderly end: all is gone before the owner is"
    assert not serving.workspaces()


def test_control_c_while_starting(tmp_path: Path) -> None:
    with Owner(SERVE, tmp_path) as owner:
        wait_until(lambda: Component.API_SERVER in owner.programs(), "an API server that starts", PATIENCE)
        os.killpg(owner.process.pid, signal.SIGINT)
        owner.process.wait(PATIENCE)
        assert not owner.programs()
        assert not owner.workspaces()


@pytest.mark.parametrize("script", [FAIL, FORGET], ids=["an exception", "never stopped"])
def test_the_owner_ends_by_itself(tmp_path: Path, script: str) -> None:
    with Owner(script, tmp_path) as owner:
        owner.process.wait(200)
        owner.expect_nothing_left()


def test_the_supervisor_is_killed_with_components_frozen(serving: Owner) -> None:
    programs = serving.programs()
    os.kill(programs[Component.API_SERVER], signal.SIGSTOP)
    os.kill(programs["supervisor"], signal.SIGKILL)
    serving.expect_nothing_left(directories=False)


def test_remains_of_the_dead_are_swept_by_the_next_start(serving: Owner, tmp_path: Path) -> None:
    os.kill(serving.programs()["supervisor"], signal.SIGKILL)
    serving.process.kill()
    serving.process.wait(PATIENCE)
    serving.expect_nothing_left(directories=False)
    (dead,) = serving.workspaces()
    with Owner(SERVE, tmp_path) as following:
        following.await_ready()
        assert dead not in following.workspaces()
    following.expect_nothing_left()
