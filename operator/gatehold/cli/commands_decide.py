"""Commands that say a word: approve, deny, override, withdraw. Each declares what it takes besides what all of them take."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer

from gatehold.cli.options import Context, Form, Kubeconfig, Name, Namespace, Output, bare

Comment = Annotated[str, typer.Option("--comment", "-m", help="Why, for the record.")]
Pick = Annotated[str, typer.Option("--option", help="Which of the offered options.")]
Role = Annotated[str, typer.Option(help="In which role; default: one of yours that still lacks approvals.")]
Digest = Annotated[str, typer.Option(help="What you reviewed elsewhere: 8 or more characters of its digest.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask (for scripts).")]


def register(app: typer.Typer) -> None:
    """Add these commands to the app."""
    for word, panel, declared in (
        ("approve", "Decide", _approve),
        ("deny", "Decide", _deny),
        ("override", "Decide", _override),
        ("withdraw", "Ask", _withdraw),
    ):
        app.command(word, rich_help_panel=panel)(_command(word, declared))


def _approve(option: Pick = "", role: Role = "", digest: Digest = "", yes: Yes = False) -> None:
    """Say yes to exactly what is shown."""


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
