"""Completion: scripts for shells, and the answers that shells and kubectl get. Light: what asks a cluster is imported then.

A shell asks `gatehold` itself, by typer's protocol. kubectl (1.26 and newer) asks a program `kubectl_complete-gatehold`
on PATH, by cobra's: one candidate a line, a tab and a description, and a last line that says what else may be offered.
Whatever fails offers nothing: a person who presses tab wants no sentence.
"""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import sys
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from gatehold.cli.session import Session
    from gatehold.kube.resources import Resource

Candidates = list[tuple[str, str]]

ONLY_THESE: Final = ":4"
"""cobra's last line after candidates: offer no files."""
FILES: Final = ":0"
"""cobra's last line after none: the shell may offer files, which options such as --file take."""
_ASK: Final = "_GATEHOLD_COMPLETE"
SECONDS: Final = 2.0
"""How long a person waits for a tab at the most."""

KUBECTL: Final = """\
#!/bin/sh
# Save as kubectl_complete-gatehold, executable, in a folder of PATH: kubectl asks it for completions of `kubectl gatehold`.
exec kubectl-gatehold __complete -- "$@"
"""


class Shell(StrEnum):
    """Who asks for completions."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    KUBECTL = "kubectl"


def register(app: typer.Typer) -> None:
    """Add the commands to the app."""
    app.command("completion", rich_help_panel="Run")(completion_command)
    anything = {"ignore_unknown_options": True, "help_option_names": []}
    app.command("__complete", hidden=True, context_settings=anything)(answer_command)


def completion_command(
    shell: Annotated[Shell, typer.Argument(help="Whose: a shell's, or kubectl's for 'kubectl gatehold'.")],
) -> None:
    """Print a completion script: source <(gatehold completion bash)."""
    typer.echo(KUBECTL if shell is Shell.KUBECTL else _typer({_ASK: f"source_{shell}"}).lstrip(), nl=False)


def answer_command(words: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Answer kubectl: WORDS are what stands after `kubectl gatehold`, the last one unfinished."""
    typer.echo(answer(words or [""]), nl=False)


def main() -> None:
    """Answer as `kubectl_complete-gatehold`."""
    sys.stdout.write(answer(sys.argv[1:] or [""]))


def answer(words: list[str]) -> str:
    """The candidates for the last word in cobra's form."""
    found = [line for line in _asked(words).splitlines() if line]
    return "\n".join([*found, ONLY_THESE if found else FILES]) + "\n"


def _asked(words: list[str]) -> str:
    """What typer answers a shell that shows descriptions, for these words."""
    *before, last = words
    line = shlex.join(["gatehold", *before, *([last] if last else [])]) + ("" if last else " ")
    return _typer({_ASK: "complete_fish", "_TYPER_COMPLETE_FISH_ACTION": "get-args", "_TYPER_COMPLETE_ARGS": line})


def _typer(question: dict[str, str]) -> str:
    """What typer prints; it reads the question from the environment and ends by SystemExit."""
    from gatehold.cli.main import app

    said = io.StringIO()
    with _environment(question), contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        app(args=[], prog_name="gatehold")
    return said.getvalue()


@contextlib.contextmanager
def _environment(more: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def request_names(ctx: typer.Context, incomplete: str) -> Candidates:
    """Requests that are not over, with their phases. No word that a requester wrote gets onto the terminal this way."""
    from gatehold.kube.resources import REQUESTS

    return _live(ctx, incomplete, REQUESTS)


def rollout_names(ctx: typer.Context, incomplete: str) -> Candidates:
    """Rollouts, with their phases."""
    from gatehold.kube.resources import ROLLOUTS

    return _live(ctx, incomplete, ROLLOUTS)


def _live(ctx: typer.Context, incomplete: str, resource: Resource) -> Candidates:
    """Names that the API server gives within `SECONDS`."""
    import asyncio

    from gatehold.api.approval_request import DONE_LABEL
    from gatehold.cli.session import Where, call
    from gatehold.kube.resources import REQUESTS

    async def names(session: Session) -> Candidates:
        selector = f"{DONE_LABEL}!=true" if resource is REQUESTS else ""
        async with asyncio.timeout(SECONDS):
            bodies = await session.cluster.list_all(resource, session.namespace, selector)
        pairs = ((str(body["metadata"]["name"]), str((body.get("status") or {}).get("phase") or "new")) for body in bodies)
        return sorted(pair for pair in pairs if pair[0].startswith(incomplete))

    where = Where(ctx.params.get("kubeconfig"), ctx.params.get("context"), ctx.params.get("namespace"))
    try:
        return call(where, names)
    except Exception:  # noqa: BLE001 - no cluster, no rights, no time: there is nothing to offer, and nowhere to say why
        return []
