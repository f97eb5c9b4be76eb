"""The program as a whole: help at once, colours on terminals only, exit codes of a command line that cannot be used."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gatehold.cli.exits import Exit
from gatehold.cli.main import run
from tests.cli.bodies import Cluster, request
from tests.cli.test_hostile import ends

ROOT = Path(__file__).parents[2]
COMMANDS = ("ask", "list", "show", "approve", "deny", "override", "withdraw", "wait", "rollout", "verify", "doctor", "run")


SMALLEST = """
import typer
app = typer.Typer(rich_markup_mode="rich")
app.command("a")(lambda: None)
app()
"""
"""The least that a program of typer can be."""


def program(*words: str, name: str = "gatehold") -> "subprocess.CompletedProcess[str]":
    return python(f"import sys; sys.argv[0] = {name!r}; from gatehold.cli.main import main; main()", *words)


def python(code: str, *words: str) -> "subprocess.CompletedProcess[str]":
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "operator"), "COLUMNS": "100"}
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, env=environ, check=False)


def test_help_names_every_command_and_is_there_at_once() -> None:
    """Against the smallest program of its kind: how long anything takes depends on who else works here."""
    assert all(f" {command} " in program("--help").stdout for command in COMMANDS)  # writes the compiled files, too
    ours, least = processor_seconds(program, "--help"), processor_seconds(python, SMALLEST, "--help")
    assert ours < 2.5 * least


def processor_seconds(run: Callable[..., object], *words: str) -> float:
    """The least of some runs."""
    found = []
    for _ in range(4):
        before = os.times()
        run(*words)
        after = os.times()
        found.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return min(found)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_and_needs_no_cluster_for_it(command: str) -> None:
    shown = program(command, "--help")
    assert shown.returncode == 0
    assert "Usage" in shown.stdout


def test_help_imports_nothing_heavy() -> None:
    heavy = ("kubernetes", "aiohttp", "kopf", "yaml")
    code = f"import sys; from gatehold.cli.main import run; run(['--help']); print([m for m in {heavy} if m in sys.modules])"
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "operator")}
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ, check=True)
    assert shown.stdout.strip().endswith("[]")


def test_the_usage_line_says_how_it_was_called() -> None:
    assert "Usage: gatehold show" in program("show", "--help").stdout
    assert "Usage: kubectl gatehold show" in program("show", "--help", name="/usr/bin/kubectl-gatehold").stdout
    watch = program("rollout", "watch", "--help", name="/usr/bin/kubectl-gatehold").stdout
    assert "Usage: kubectl gatehold rollout watch" in watch


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["show"],
        ["approve", "x"],
        ["wait", "x", "--timeout", "soon"],
        ["show", "pod/x"],
        ["rollout", "show", "apr/x"],
        ["rollout", "watch"],
    ],
)
def test_what_cannot_be_used_never_looks_like_expired(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words) == Exit.USAGE
    assert capsys.readouterr().err


def test_impersonation_is_refused_with_the_reason(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["approve", "x", "-m", "y", "--as", "bob"]) == Exit.USAGE
    assert "always your own" in capsys.readouterr().err


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == Exit.OK
    assert re.fullmatch(r"gatehold \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_colour_is_for_terminals_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in ends(["show", "web"], Cluster(request()))[1]
    monkeypatch.delenv("FORCE_COLOR")
    assert "\x1b[" in ends(["show", "web"], Cluster(request()), tty=80)[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in ends(["show", "web"], Cluster(request()), tty=80)[1]


def test_a_kubeconfig_that_cannot_be_used_is_said(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(["list", "--kubeconfig", str(tmp_path / "none")]) == Exit.API_ERROR
    assert "next:" in capsys.readouterr().err


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("words", [["list"], ["show", "web"], ["doctor"]], ids=lambda words: words[0])
def test_no_line_is_wider_than_the_terminal(words: list[str], width: int) -> None:
    long = {"summary": "Let the new version of everything go out to everybody? " * 4, "description": "word " * 100}
    _, said = ends(words, Cluster(request(spec=long)), tty=width)
    assert max(len(re.sub(r"\x1b\[[0-9;]*m", "", line)) for line in said.splitlines()) <= width
