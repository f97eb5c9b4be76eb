"""The command line: every command with its options. `main` is the entry point of `gatehold` and `kubectl-gatehold`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gatehold import __version__
from gatehold.cli import (
    commands,
    commands_ask,
    commands_certs,
    commands_decide,
    commands_drain,
    commands_price,
    commands_rollout,
    completing,
)
from gatehold.cli.exits import Exit, Leave

app = typer.Typer(
    help="Automation proposes, people decide, the cluster enforces.",
    epilog="Colour and questions on a terminal only. Exit codes: docs/reference/exit-codes.md.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
commands_ask.register(app)
commands_drain.register(app)
commands_price.register(app)
commands_decide.register(app)
commands.register(app)
commands_rollout.register(app)
commands_certs.register(app)
completing.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gatehold {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Automation proposes, people decide, the cluster enforces."""


def program() -> str:
    """How the user called us, for the usage line."""
    return "kubectl gatehold" if Path(sys.argv[0]).name.startswith("kubectl-gatehold") else "gatehold"


def run(arguments: list[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if any(word == "--as" or word.startswith(("--as=", "--as-group", "--as-uid")) for word in _before_dashes(given)):
        return _end(Leave(Exit.USAGE, "--as is not offered: a question or a verdict is always your own", "--context NAME"))
    try:
        app(args=given, prog_name=program())
    except Leave as leave:
        return _end(leave)
    except SystemExit as end:  # typer's own 2 is a command line that cannot be used; 2 means Expired here
        return int(Exit.USAGE) if end.code == 2 else int(end.code or 0)
    except BrokenPipeError:
        sys.stderr.close()
        return int(Exit.OK)
    return int(Exit.OK)


def main() -> None:
    """Run the command line of this process."""
    code = run()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stderr.close()
    sys.exit(code)


def _before_dashes(words: list[str]) -> list[str]:
    return words[: words.index("--")] if "--" in words else words


def _end(leave: Leave) -> int:
    """Say why on standard error, and what to type next."""
    if leave.text:
        from gatehold.cli.terminal import err

        err().print(f"[bold red]error:[/bold red] {leave.text}" if leave.code is not Exit.OK else leave.text)
        if leave.next_command:
            err().print(f"[dim]next:[/dim] {leave.next_command}")
    return int(leave.code)
