"""The commands `drain` and `uncordon`. Light: what they need is imported when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from gatehold.cli.commands_ask import DryRun
from gatehold.cli.options import Context, Kubeconfig, Output, duration

_WHICH, _HOW, _ASK = "Which nodes", "How they are drained", "Who is asked"

Nodes = Annotated[list[str] | None, typer.Argument(metavar="NODE...", help="The nodes: NAME or node/NAME.")]
Selector = Annotated[
    str, typer.Option("--selector", "-l", help="Nodes by label, as kubectl takes it.", rich_help_panel=_WHICH)
]
Reason = Annotated[str, typer.Option(help="Why; it is the question that reviewers read.", rich_help_panel=_ASK)]
Policy = Annotated[
    str, typer.Option(help="Who decides; default: what the nodes' Gate says.", rich_help_panel=_ASK, show_default=False)
]
Place = Annotated[
    str | None,
    typer.Option("--namespace", "-n", help="Where it is asked; default: what the nodes' Gate says.", rich_help_panel=_ASK),
]
Timeout = Annotated[str | None, typer.Option(help="How long all of it may take: 15m, 2h.", rich_help_panel=_HOW)]
GracePeriod = Annotated[
    int | None, typer.Option(min=-1, help="Seconds pods get to end; default, and -1: what each says.", rich_help_panel=_HOW)
]
ParallelNodes = Annotated[int | None, typer.Option(min=1, max=256, help="Nodes at once; default: 1.", rich_help_panel=_HOW)]
ParallelPods = Annotated[
    int | None, typer.Option(min=1, max=256, help="Evictions of a node at once; default: 16.", rich_help_panel=_HOW)
]
EmptyDir = Annotated[
    bool, typer.Option("--delete-emptydir-data", help="Also pods whose emptyDir is lost by it.", rich_help_panel=_HOW)
]
Force = Annotated[bool, typer.Option("--force", help="Also pods that no controller makes again.", rich_help_panel=_HOW)]
Daemons = Annotated[bool, typer.Option("--ignore-daemonsets", hidden=True, help="Always so; taken out of habit.")]
Follow = Annotated[bool, typer.Option("--follow", help="Stay and show how it goes; the exit code is the outcome.")]
Dry = Annotated[DryRun | None, typer.Option(help="Let the API server check the request, create nothing.")]


def register(app: typer.Typer) -> None:
    """Add both to the app."""
    app.command("drain", rich_help_panel="Ask")(drain_command)
    app.command("uncordon", rich_help_panel="Ask")(uncordon_command)


def drain_command(
    node: Nodes = None,
    selector: Selector = "",
    reason: Reason = "",
    policy: Policy = "",
    namespace: Place = None,
    follow: Follow = False,
    timeout: Timeout = None,
    grace_period: GracePeriod = None,
    parallel_nodes: ParallelNodes = None,
    parallel_pods: ParallelPods = None,
    delete_emptydir_data: EmptyDir = False,
    force: Force = False,
    ignore_daemonsets: Daemons = False,
    dry_run: Dry = None,
    output: Output = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Ask for the drain of nodes; once approved, the operator cordons them and evicts their pods, budgets respected.

    With --follow: 0 drained, 1 denied, 2 expired, 3 lapsed, 4 a node changed, 5 withdrawn, 6 failed, 8 the request is gone.
    """
    from gatehold.cli.drain.asking import Wish, drain
    from gatehold.cli.session import Where, call

    wish = Wish(
        nodes=tuple(bare_node(name) for name in node or ()), selector=selector, reason=reason, policy=policy,
        timeout=duration(timeout, "--timeout") if timeout else None,
        grace_period=None if grace_period in (None, -1) else grace_period,
        parallel_nodes=parallel_nodes, parallel_pods=parallel_pods, delete_emptydir_data=delete_emptydir_data,
        force=force, follow=follow, dry_run=dry_run is not None, form=output.value if output else None,
    )  # fmt: skip
    call(Where(kubeconfig, context, namespace), lambda session: drain(session, wish))


def uncordon_command(
    node: Annotated[list[str], typer.Argument(metavar="NODE...", help="The nodes: NAME or node/NAME.")],
    timeout: Annotated[str, typer.Option(help="How long to wait for the end of the maintenance.")] = "90s",
    force: Annotated[bool, typer.Option("--force", help="Also where a drain is still under way, which then fails.")] = False,
    output: Output = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Let pods back on nodes, wait for the end of their maintenance, and say which request that ended."""
    from gatehold.cli.drain.uncordon import Aim, uncordon
    from gatehold.cli.session import Where, call

    aim = Aim(
        tuple(bare_node(name) for name in node), duration(timeout, "--timeout"), force, output.value if output else None
    )
    call(Where(kubeconfig, context), lambda session: uncordon(session, aim))


def bare_node(name: str) -> str:
    """NAME of `NAME`, `node/NAME` or `nodes/NAME`."""
    kind, slash, rest = name.rpartition("/")
    if slash and kind not in {"node", "nodes", "no"}:
        raise typer.BadParameter(f"{name}: name a node, as NAME or node/NAME")
    return rest
