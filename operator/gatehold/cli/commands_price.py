"""The command `price`. Light: what it needs is imported when it runs."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Annotated

import typer

from gatehold.cli.options import Context, Kubeconfig, RecordOutput

_AGAINST, _TABLE = "What it is held against", "Which prices"

MaxHourly = Annotated[
    str | None, typer.Option(help="The most that an hour of all of it may cost.", rich_help_panel=_AGAINST)
]
MaxMonthly = Annotated[
    str | None,
    typer.Option(help="The same of a month of 730 h; a Job with a deadline counts until then.", rich_help_panel=_AGAINST),
]
Gate = Annotated[
    str, typer.Option(help="A Gate of type Pods: its floor, and its threshold for each workload.", rich_help_panel=_AGAINST)
]
Table = Annotated[
    str,
    typer.Option(
        metavar="FILE",
        help="A price table as a ConfigMap or its keys; default: the cluster's, ConfigMap gatehold-prices.",
        rich_help_panel=_TABLE,
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add it to the app."""
    app.command("price", rich_help_panel="Ask")(price_command)


def price_command(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="Manifests, YAML or JSON; - is standard input.")],
    table: Table = "",
    gate: Gate = "",
    max_hourly: MaxHourly = None,
    max_monthly: MaxMonthly = None,
    output: RecordOutput = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Say what manifests would cost before they are applied, as the gate of pods would count them. Nothing is sent or made.

    0 every price is known and within the limits given, 20 above one of them, 21 something has no price, 64 unreadable.
    """
    from gatehold.cli.price.pricing import Wish, run_price
    from gatehold.cli.session import Where

    wish = Wish(
        file, table, gate, _money(max_hourly, "--max-hourly"), _money(max_monthly, "--max-monthly"),
        output.value if output else None,
    )  # fmt: skip
    run_price(wish, Where(kubeconfig, context))


def _money(text: str | None, option: str) -> Decimal | None:
    """An amount as a limit; zero is one."""
    if text is None:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or not 0 <= amount <= Decimal(10) ** 15:
        raise typer.BadParameter(f"{option} takes an amount such as 2.50")
    return amount
