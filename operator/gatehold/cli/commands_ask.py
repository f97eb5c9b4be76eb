"""The command `ask`. Light: what it needs is imported when it runs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from gatehold.cli.options import Context, Kubeconfig, Namespace, Output, duration

_WHAT, _WORDS, _NAMES = "What is asked about", "What reviewers read", "Name and limits"


class DryRun(StrEnum):
    """Who checks a request that is not to be created."""

    SERVER = "server"


File = Annotated[str | None, typer.Option("--file", "-f", help="An ApprovalRequest to start from; - is stdin.")]
Policy = Annotated[str, typer.Option(help="The policy that decides; default: the one that a held Job names.")]
Dry = Annotated[DryRun | None, typer.Option(help="Let the API server check it, create nothing.")]

Job = Annotated[str, typer.Option(help="Release this held Job.", rich_help_panel=_WHAT)]
UndoJob = Annotated[str, typer.Option(help="A second held Job that undoes the first.", rich_help_panel=_WHAT)]
EffectTimeout = Annotated[
    str | None, typer.Option(help="How long the Job may run before it is undone.", rich_help_panel=_WHAT)
]
Subject = Annotated[str, typer.Option(help="KIND/NAME, with no effect: you act on the answer.", rich_help_panel=_WHAT)]
SubjectDigest = Annotated[str, typer.Option(help="Digest of that subject.", rich_help_panel=_WHAT)]

Summary = Annotated[str, typer.Option(help="The question in one line.", rich_help_panel=_WORDS)]
Description = Annotated[str, typer.Option(help="What will happen and why.", rich_help_panel=_WORDS)]
Links = Annotated[list[str] | None, typer.Option(help="TITLE=URL or URL, https only.", rich_help_panel=_WORDS)]
Evidence = Annotated[list[str] | None, typer.Option(help="NAME=VALUE", rich_help_panel=_WORDS)]
Options = Annotated[list[str] | None, typer.Option(help="NAME=SUMMARY, a variant to pick.", rich_help_panel=_WORDS)]
Cost = Annotated[str, typer.Option(help="Such as '120 EUR/month'.", rich_help_panel=_WORDS)]
Risk = Annotated[int | None, typer.Option(min=0, max=100, help="0 harmless to 100.", rich_help_panel=_WORDS)]

People = Annotated[list[str] | None, typer.Option(help="Who may not approve it.", rich_help_panel=_NAMES)]
Timeout = Annotated[str | None, typer.Option(help="How long people have to answer.", rich_help_panel=_NAMES)]
Trace = Annotated[str, typer.Option(help="Stands in Events, logs and notices.", rich_help_panel=_NAMES)]
OwnName = Annotated[str, typer.Option(help="Its name; default: made from the subject.", rich_help_panel=_NAMES)]
Key = Annotated[
    str,
    typer.Option(
        help="Makes the name: the same key and spec again is the same request, another spec is an error (exit 13).",
        rich_help_panel=_NAMES,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command to the app."""
    app.command("ask", rich_help_panel="Ask")(ask_command)


def ask_command(
    file: File = None,
    policy: Policy = "",
    job: Job = "",
    undo_job: UndoJob = "",
    effect_timeout: EffectTimeout = None,
    subject: Subject = "",
    subject_digest: SubjectDigest = "",
    summary: Summary = "",
    description: Description = "",
    link: Links = None,
    evidence: Evidence = None,
    option: Options = None,
    cost: Cost = "",
    risk: Risk = None,
    on_behalf_of: People = None,
    timeout: Timeout = None,
    trace_id: Trace = "",
    name: OwnName = "",
    key: Key = "",
    dry_run: Dry = None,
    output: Output = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Open a request and print its name. Nothing runs before the reviewers of its policy say yes."""
    from gatehold.cli.asking import Question, ask
    from gatehold.cli.session import Where, call

    question = Question(
        file=file, policy=policy, job=job, undo_job=undo_job, subject=subject, subject_digest=subject_digest,
        effect_timeout=duration(effect_timeout, "--effect-timeout") if effect_timeout else None,
        summary=summary, description=description, links=tuple(link or ()), evidence=tuple(evidence or ()),
        options=tuple(option or ()), cost=cost, risk=risk, on_behalf_of=tuple(on_behalf_of or ()),
        timeout=duration(timeout, "--timeout") if timeout else None,
        trace_id=trace_id, name=name, key=key, dry_run=dry_run is not None,
        form=output.value if output else None,
    )  # fmt: skip
    call(Where(kubeconfig, context, namespace), lambda session: ask(session, question))
