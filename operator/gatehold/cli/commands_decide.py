"""Commands that say a word: approve, deny, override, withdraw. Each declares what it takes besides what all of them take.

approve takes one request by its name, or with --all every one of a policy that is within the bounds (`sweep`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatehold.cli.completing import request_names
from gatehold.cli.options import Context, Form, Kubeconfig, Name, Namespace, Output, bare

if TYPE_CHECKING:
    from gatehold.cli.session import Where
    from gatehold.cli.sweep.batch import Bounds

Comment = Annotated[str, typer.Option("--comment", "-m", "--reason", help="Why, for the record.")]
Pick = Annotated[str, typer.Option("--option", help="Which of the offered options.")]
Role = Annotated[str, typer.Option(help="In which role; default: one of yours that still lacks approvals.")]
Digest = Annotated[str, typer.Option(help="What you reviewed elsewhere: 8 or more characters of its digest.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask (for scripts).")]
_SWEEP = "Many at once"
Many = Annotated[
    bool,
    typer.Option(
        "--all", help="Every request of --policy up to --max-cost; what stands out is left out.", rich_help_panel=_SWEEP
    ),
]
Policy = Annotated[str, typer.Option(metavar="P", help="The policy that they wait under.", rich_help_panel=_SWEEP)]
MostCost = Annotated[
    str,
    typer.Option(
        metavar="X", help="The most that an hour of each may cost, by the operator's high figure.", rich_help_panel=_SWEEP
    ),
]
Everywhere = Annotated[bool, typer.Option("--all-namespaces", "-A", help="In all namespaces.", rich_help_panel=_SWEEP)]


def register(app: typer.Typer) -> None:
    """Add these commands to the app."""
    app.command("approve", rich_help_panel="Decide")(approve_command)
    for word, panel, declared in (
        ("deny", "Decide", _deny),
        ("override", "Decide", _override),
        ("withdraw", "Ask", _withdraw),
    ):
        app.command(word, rich_help_panel=panel)(_command(word, declared))


def approve_command(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="The request: NAME or apr/NAME; none with --all.", autocompletion=request_names),
    ] = "",
    comment: Comment = "",
    option: Pick = "",
    role: Role = "",
    digest: Digest = "",
    yes: Yes = False,
    every: Many = False,
    policy: Policy = "",
    max_cost: MostCost = "",
    everywhere: Everywhere = False,
    output: Output = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Say yes to exactly what is shown: to one request, or with --all to those of a policy that cost little enough."""
    from gatehold.cli.deciding import Order, decide
    from gatehold.cli.session import Where, call
    from gatehold.domain.model import Word

    where, form = Where(kubeconfig, context, namespace), output.value if output else None
    if every:
        _refuse({"NAME": name, "--digest": digest, "--output": form}, "does not go together with --all")
        _sweep(where, _bounds(policy, max_cost, option), comment=comment, role=role, everywhere=everywhere, yes=yes)
        return
    _refuse({"--policy": policy, "--max-cost": max_cost, "--all-namespaces": everywhere}, "goes together with --all")
    if not name:
        raise typer.BadParameter("name a request, or give --all with --policy and --max-cost")
    if not comment:
        raise typer.BadParameter("say why with --comment: it stands in the record")
    order = Order(bare(name), Word.APPROVE, comment, option, role, digest, yes, form)
    call(where, lambda session: decide(session, order))


def _refuse(given: dict[str, object], why: str) -> None:
    for option, value in given.items():
        if value:
            raise typer.BadParameter(f"{option} {why}")


def _bounds(policy: str, max_cost: str, option: str) -> Bounds:
    from gatehold.api.common import ParseError, amount
    from gatehold.cli.sweep.batch import Bounds

    if not policy or not max_cost:
        raise typer.BadParameter("--all takes --policy P and --max-cost X: what is beyond them is never touched")
    try:
        most = amount(max_cost, "--max-cost")
    except ParseError as error:
        raise typer.BadParameter(f"--max-cost {max_cost}: give an amount an hour, such as 0.5 or 12") from error
    return Bounds(policy, most or Decimal(0), option)


def _sweep(where: Where, bounds: Bounds, **said: Any) -> None:  # noqa: ANN401
    from gatehold.cli.session import call
    from gatehold.cli.sweep.run import SweepOrder, sweep

    order = SweepOrder(bounds, **said)
    call(where, lambda session: sweep(session, order))


def _deny(role: Role = "", digest: Digest = "", yes: Yes = False) -> None:
    """Say no: one is enough, also after your own yes and while an effect runs."""


def _override(option: Pick = "", digest: Digest = "", yes: Yes = False) -> None:
    """Break-glass: let it pass without the reviewers. A right of its own, recorded for good, seen by everybody."""


def _withdraw() -> None:
    """Take back a request that you opened; what was done already is undone."""


def _first(name: Name, comment: Comment) -> None:
    """What every word takes, before its own options."""


def _last(
    output: Output = None, namespace: Namespace = None, context: Context = None, kubeconfig: Kubeconfig = None
) -> None:
    """What every word takes, after its own options."""


def _command(word: str, declared: Callable[..., None]) -> Callable[..., None]:
    """The command of a word: its own options between those of all words, which make its Order."""

    def run(
        *,
        name: str,
        output: Form | None,
        namespace: str | None,
        context: str | None,
        kubeconfig: str | None,
        **own: Any,  # noqa: ANN401
    ) -> None:
        from gatehold.cli.deciding import Order, decide
        from gatehold.cli.session import Where, call
        from gatehold.domain.model import Word

        order = Order(name=bare(name), word=Word(word), form=output.value if output else None, **own)
        call(Where(kubeconfig, context, namespace), lambda session: decide(session, order))

    parts = [inspect.signature(part, eval_str=True).parameters.values() for part in (_first, declared, _last)]
    found = [parameter for part in parts for parameter in part]
    run.__signature__ = inspect.Signature(found)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in found}
    run.__name__, run.__doc__ = word, declared.__doc__
    return run
