"""Commands that say a word: approve, deny, override, withdraw."""

from __future__ import annotations

from typing import Annotated

import typer

from gatehold.cli.options import Context, Kubeconfig, Name, Namespace, Output, bare

Comment = Annotated[str, typer.Option("--comment", "-m", help="Why, for the record.")]
Pick = Annotated[str, typer.Option("--option", help="Which of the offered options.")]
Role = Annotated[str, typer.Option(help="In which role; default: one of yours that still lacks approvals.")]
Digest = Annotated[str, typer.Option(help="What you reviewed elsewhere: 8 or more characters of its digest.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask (for scripts).")]


def register(app: typer.Typer) -> None:
    """Add these commands to the app."""
    app.command("approve", rich_help_panel="Decide")(approve_command)
    app.command("deny", rich_help_panel="Decide")(deny_command)
    app.command("override", rich_help_panel="Decide")(override_command)
    app.command("withdraw", rich_help_panel="Ask")(withdraw_command)


def approve_command(
    name: Name,
    comment: Comment,
    option: Pick = "",
    role: Role = "",
    digest: Digest = "",
    yes: Yes = False,
    output: Output = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Say yes to exactly what is shown."""
    from gatehold.cli.deciding import Order, decide
    from gatehold.cli.session import Where, call
    from gatehold.domain.model import Word

    form = output.value if output else None
    order = Order(bare(name), Word.APPROVE, comment, option, role, digest, yes, form)
    call(Where(kubeconfig, context, namespace), lambda session: decide(session, order))


def deny_command(
    name: Name,
    comment: Comment,
    role: Role = "",
    digest: Digest = "",
    yes: Yes = False,
    output: Output = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Say no: one is enough, also after your own yes and while an effect runs."""
    from gatehold.cli.deciding import Order, decide
    from gatehold.cli.session import Where, call
    from gatehold.domain.model import Word

    form = output.value if output else None
    order = Order(bare(name), Word.DENY, comment, "", role, digest, yes, form)
    call(Where(kubeconfig, context, namespace), lambda session: decide(session, order))


def override_command(
    name: Name,
    comment: Comment,
    option: Pick = "",
    digest: Digest = "",
    yes: Yes = False,
    output: Output = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Break-glass: let it pass without the reviewers. A right of its own, recorded for good, seen by everybody."""
    from gatehold.cli.deciding import Order, decide
    from gatehold.cli.session import Where, call
    from gatehold.domain.model import Word

    form = output.value if output else None
    order = Order(bare(name), Word.OVERRIDE, comment, option, "", digest, yes, form)
    call(Where(kubeconfig, context, namespace), lambda session: decide(session, order))


def withdraw_command(
    name: Name,
    comment: Comment,
    output: Output = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Take back a request that you opened; what was done already is undone."""
    from gatehold.cli.deciding import Order, decide
    from gatehold.cli.session import Where, call
    from gatehold.domain.model import Word

    order = Order(bare(name), Word.WITHDRAW, comment, form=output.value if output else None)
    call(Where(kubeconfig, context, namespace), lambda session: decide(session, order))
