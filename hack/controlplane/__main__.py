"""`python -m controlplane`: build the programs, and keep a control plane running for a person."""

import argparse
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from controlplane import build, developer, pinning, tools
from controlplane.errors import ControlPlaneError

PEOPLE: Final = ("ci:pipelines", "alice:sre", "bob:sre", "carol:finance", "dana:duty")
"""Who is there without `--user`: a robot that asks, and people who answer. Rights are RBAC's, as always."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit code, with the reason on stderr if it is not 0."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser().parse_args(given)
    try:
        match options.command:
            case "build":
                _say(str(build.programs()["kube-apiserver"].parent))
            case "tools":
                _say("\n".join(map(str, _tools(options.name))))
            case "pin":
                _say(str(pinning.write(options.version)))
            case "up":
                _up(options, given[1:])
            case "down":
                developer.down(options.name)
            case _:
                _status()
    except ControlPlaneError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _up(options: argparse.Namespace, given: Sequence[str]) -> None:
    if options.detach:
        rest = [argument for argument in given if argument != "--detach"]
        _say(developer.detach(rest, options.name).exports())
        return
    people = dict(_person(text) for text in options.user or PEOPLE)
    developer.serve(developer.Wanted(options.name, people, options.nodes, options.api_only))


def _tools(wanted: Sequence[str]) -> Iterable[Path]:
    return [tools.tool(name) for name in wanted] or tools.build_all().values()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _person(text: str) -> tuple[str, list[str]]:
    name, _, groups = text.partition(":")
    return name, groups.split(",") if groups else []


def _name(text: str) -> str:
    """Refuse what could not be, or should not be, a directory's name."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", text):
        raise argparse.ArgumentTypeError("up to 40 lower-case letters, digits and dashes")
    return text


def _version(text: str) -> str:
    """Refuse what is no version in full."""
    if not re.fullmatch(r"\d+\.\d+\.\d+", text):
        raise argparse.ArgumentTypeError("a version in full, such as 1.33.13")
    return text


def _status() -> None:
    """Show what is up, and whether it answers."""
    table = Table("name", "answers", "server", "process", "KUBECONFIG of admin", box=None)
    for record in developer.records():
        kubeconfig = record.people["admin"]
        asked = subprocess.run(
            [
                f"{record.programs}/kubectl",
                f"--kubeconfig={kubeconfig}",
                "get",
                "--raw=/readyz",
                "--request-timeout=3s",
            ],
            capture_output=True,
            check=False,
        )
        table.add_row(
            record.name,
            "no" if asked.returncode else "yes",
            record.server,
            str(record.pid),
            kubeconfig,
        )
    Console(soft_wrap=True).print(table if table.row_count else "no control plane is up")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m controlplane", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build what is missing, print the folder of the programs")
    others = commands.add_parser("tools", help="build what is missing of hack/tools, print where each program lies")
    others.add_argument("name", nargs="*", help="such as helm; all of them where none is named")
    pin = commands.add_parser("pin", help="pin one more Kubernetes version, to be chosen with GATEHOLD_KUBERNETES")
    pin.add_argument("version", type=_version, help="a version in full, such as 1.33.13")
    up = commands.add_parser("up", help="start a control plane and keep it until ^C or `down`")
    down = commands.add_parser("down", help="stop one")
    for command in (up, down):
        command.add_argument("--name", type=_name, default="dev", help="which one (default: dev)")
    up.add_argument(
        "--user",
        action="append",
        metavar="NAME[:GROUP,...]",
        help=f"a person; may be repeated (default: {' '.join(PEOPLE)})",
    )
    up.add_argument("--nodes", type=int, default=3, help="fake nodes (default: 3)")
    up.add_argument("--api-only", action="store_true", help="etcd and the API server only")
    up.add_argument("--detach", action="store_true", help="return when it is ready; it runs on behind the shell")
    commands.add_parser("status", help="list those that are up")
    return parser


if __name__ == "__main__":
    sys.exit(main())
