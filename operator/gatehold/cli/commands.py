"""Commands that look: list, show, wait, verify, doctor; and run. Light: what a command needs is imported when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gatehold.cli.options import (
    Context,
    Kubeconfig,
    Listed,
    Name,
    Namespace,
    Output,
    RecordOutput,
    Until,
    bare,
    duration,
)


def register(app: typer.Typer) -> None:
    """Add these commands to the app, in the order of its help."""
    looking = "Look and wait"
    app.command("list", rich_help_panel=looking)(list_command)
    app.command("show", rich_help_panel=looking)(show_command)
    app.command("wait", rich_help_panel=looking)(wait_command)
    app.command("verify", rich_help_panel=looking)(verify_command)
    app.command("doctor", rich_help_panel="Run")(doctor_command)
    app.command("run", rich_help_panel="Run")(run_command)


def list_command(
    everywhere: Annotated[bool, typer.Option("--all-namespaces", "-A", help="In all namespaces.")] = False,
    done: Annotated[bool, typer.Option("--all", "-a", help="Also what is over.")] = False,
    mine: Annotated[bool, typer.Option("--mine", help="Only what waits for me.")] = False,
    output: Annotated[Listed | None, typer.Option("--output", "-o", help="More columns, or for programs.")] = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """What waits: for me first (>), the oldest first."""
    from gatehold.cli.listing import Wish, list_requests
    from gatehold.cli.session import Where, call

    wish = Wish(everywhere, done, mine, output.value if output else None)
    call(Where(kubeconfig, context, namespace), lambda session: list_requests(session, wish))


def show_command(
    name: Name,
    output: Output = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """The whole request: question, what the operator read, evidence, verdicts, who decides, what time does."""
    from gatehold.cli.session import Where, call
    from gatehold.cli.show import show

    form, wanted = output.value if output else None, bare(name)
    call(Where(kubeconfig, context, namespace), lambda session: show(session, wanted, form))


def wait_command(
    name: Name,
    until: Annotated[Until | None, typer.Option("--for", help="Default: approved without an effect, else released.")] = None,
    timeout: Annotated[str | None, typer.Option(help="Give up after this long (exit 7): 90s, 15m, 1h30m.")] = None,
    uid: Annotated[str, typer.Option(help="The one request of that name that is meant (default: the first seen).")] = "",
    output: Output = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Wait for the outcome; the exit code tells it.

    0 passed, 1 denied, 2 expired, 3 lapsed, 4 superseded, 5 withdrawn, 6 failed, 7 --timeout is over, 8 gone or replaced.
    """
    from gatehold.cli.session import Where, call
    from gatehold.cli.waiting import Aim, wait

    seconds = duration(timeout, "--timeout") if timeout is not None else None
    aim = Aim(bare(name), until, seconds, uid, output.value if output else None)
    call(Where(kubeconfig, context, namespace), lambda session: wait(session, aim))


def verify_command(
    target: Annotated[str | None, typer.Argument(metavar="NAME", help="NAME or apr/NAME, job/NAME, apol/NAME.")] = None,
    file: Annotated[Path | None, typer.Option("--file", "-f", help="A saved object (JSON or YAML); - is stdin.")] = None,
    output: RecordOutput = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Recompute the digests of a request, live or saved, and say what differs. Both: compare the saved with the live one."""
    from gatehold.cli.session import Where
    from gatehold.cli.verifying import verify

    verify(Where(kubeconfig, context, namespace), target, file, output.value if output else None)


def doctor_command(
    output: RecordOutput = None,
    trust: Annotated[
        list[str] | None, typer.Option(help="A subject that may bypass, such as group:platform or sa:argocd/controller.")
    ] = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Whether the wall is up and as shipped, who may decide or bypass it, and whether every quorum can be reached."""
    from gatehold.cli.doctor import examine
    from gatehold.cli.session import Where, call

    form, trusted = output.value if output else None, frozenset(trust or ())
    call(Where(kubeconfig, context), lambda session: examine(session, form, trusted))


def run_command() -> None:
    """Run the operator; its settings are GATEHOLD_* variables."""
    from gatehold.cli.run import run

    run()
