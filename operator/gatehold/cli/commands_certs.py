"""The commands about certificates of the webhooks. Light: what they need is imported when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from gatehold.cli.options import Context, Kubeconfig, duration

_group = typer.Typer(
    help="Certificates of the webhooks that hold evictions and mark pods.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def register(app: typer.Typer) -> None:
    """Add the group to the app."""
    app.add_typer(_group, name="certs", rich_help_panel="Run")


@_group.callback()
def _certs() -> None:
    """Certificates of the webhooks that hold evictions and mark pods."""


@_group.command("init")
def init_command(
    service: Annotated[
        str, typer.Option(help="Service in gatehold-system by which the API server reaches it.")
    ] = "gatehold",
    url: Annotated[
        str, typer.Option(help="An https URL instead of a Service: for an operator outside of the cluster.")
    ] = "",
    exempt: Annotated[
        list[str] | None,
        typer.Option(help="An account that is never held, such as the autoscaler's. Default: those that are there stay."),
    ] = None,
    pods: Annotated[
        bool,
        typer.Option(
            "--pods", help="Install the webhook that marks pods of gated namespaces instead, below Kubernetes 1.36."
        ),
    ] = False,
    timeout: Annotated[str, typer.Option(help="How long to wait for the webhook's answer.")] = "60s",
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Make CA and certificate in Secrets, install a webhook with them, and see that it answers.

    Without --pods it is the webhook for evictions.

    Takes the installer's rights. What is there and can be used stays: run it again at any time. No key is ever printed.
    """
    from gatehold.cli.certs.init import Wish, init
    from gatehold.cli.session import Where, call

    whom = tuple(exempt) if exempt else None
    wish = Wish(service=service, url=url, exempt=whom, timeout=duration(timeout, "--timeout"), pods=pods)
    call(Where(kubeconfig, context), lambda session: init(session, wish))
