"""Options that several commands share, so that they read the same everywhere. Imported before anything heavy."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from gatehold.cli.completing import request_names, rollout_names

_WHERE = "Which cluster"

Kubeconfig = Annotated[str | None, typer.Option(help="Kubeconfig to use instead of $KUBECONFIG.", rich_help_panel=_WHERE)]
Context = Annotated[str | None, typer.Option(help="Context in it.", rich_help_panel=_WHERE)]
Namespace = Annotated[
    str | None, typer.Option("--namespace", "-n", help="Namespace of the request or Rollout.", rich_help_panel=_WHERE)
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The request: NAME or apr/NAME.", autocompletion=request_names)]
RolloutName = Annotated[
    str, typer.Argument(metavar="NAME", help="The Rollout: NAME or gro/NAME.", autocompletion=rollout_names)
]


class Form(StrEnum):
    """Shapes of output for one object."""

    NAME = "name"
    JSON = "json"
    YAML = "yaml"


class Listed(StrEnum):
    """Shapes of output for many objects."""

    WIDE = "wide"
    NAME = "name"
    JSON = "json"
    YAML = "yaml"


class Record(StrEnum):
    """Shapes of output for what a program reads whole."""

    JSON = "json"
    YAML = "yaml"


class Until(StrEnum):
    """What `wait` waits for."""

    APPROVED = "approved"
    RELEASED = "released"
    DECIDED = "decided"


Output = Annotated[Form | None, typer.Option("--output", "-o", help="Print the object instead of a sentence.")]
RecordOutput = Annotated[Record | None, typer.Option("--output", "-o", help="For programs.")]


def bare(name: str) -> str:
    """NAME of `NAME`, `apr/NAME` or `approvalrequest.gatehold.dev/NAME`."""
    return _bare(name, {"apr", "approvalrequest", "approvalrequests"}, "an ApprovalRequest, as NAME or apr/NAME")


def bare_rollout(name: str) -> str:
    """NAME of `NAME`, `gro/NAME` or `rollout.gatehold.dev/NAME`."""
    return _bare(name, {"gro", "rollout", "rollouts"}, "a Rollout, as NAME or gro/NAME")


def _bare(name: str, kinds: set[str], what: str) -> str:
    kind, slash, rest = name.rpartition("/")
    if slash and kind.split(".")[0] not in kinds:
        raise typer.BadParameter(f"{name}: name {what}")
    return rest


def duration(text: str, option: str) -> int:
    """Seconds of a duration that an option gives, 1 or more."""
    from gatehold.cli.times import seconds_of

    try:
        seconds = seconds_of(text)
    except ValueError:
        seconds = 0
    if seconds < 1:
        raise typer.BadParameter(f"{option} takes a duration such as 90s, 15m, 1h30m or 2d")
    return seconds
