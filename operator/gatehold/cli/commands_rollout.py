"""Commands about a Rollout: show, watch, retry. Light: what a command needs is imported when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from gatehold.cli.options import Context, Kubeconfig, Namespace, Output, RolloutName, bare_rollout, duration

_group = typer.Typer(
    help="Canaries: where one stands, what it waits for, and asking again.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def register(app: typer.Typer) -> None:
    """Add the group to the app."""
    app.add_typer(_group, name="rollout", rich_help_panel="Look and wait")


@_group.command("show")
def show_command(
    name: RolloutName,
    output: Output = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Where it stands: steps, pods of both tracks, whom it waits for, what time does, how the last run ended."""
    from gatehold.cli.rollout.show import show
    from gatehold.cli.session import Where, call

    form, wanted = output.value if output else None, bare_rollout(name)
    call(Where(kubeconfig, context, namespace), lambda session: show(session, wanted, form))


@_group.command("watch")
def watch_command(
    name: RolloutName,
    timeout: Annotated[str | None, typer.Option(help="Give up after this long (exit 7): 90s, 15m, 1h30m.")] = None,
    output: Output = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """The same, live, until what its spec asks for now is promoted or turned down; the exit code tells which.

    0 promoted, 1 denied, 2 expired, 3 lapsed, 4 changed meanwhile, 5 withdrawn, 6 failed, 7 --timeout is over, 8 gone.
    """
    from gatehold.cli.rollout.watch import Aim, watch
    from gatehold.cli.session import Where, call

    seconds = duration(timeout, "--timeout") if timeout is not None else None
    aim = Aim(bare_rollout(name), seconds, output.value if output else None)
    call(Where(kubeconfig, context, namespace), lambda session: watch(session, aim))


@_group.command("retry")
def retry_command(
    name: RolloutName,
    output: Output = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Ask again for what was rejected, unchanged, with a new request; takes what updating the Rollout takes."""
    from gatehold.cli.rollout.retry import retry
    from gatehold.cli.session import Where, call

    form, wanted = output.value if output else None, bare_rollout(name)
    call(Where(kubeconfig, context, namespace), lambda session: retry(session, wanted, form))
