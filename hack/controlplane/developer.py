"""Control planes that a developer leaves running: by name, in the foreground or behind the shell."""

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from controlplane import build, workspace
from controlplane.components import API_ONLY, EVERYTHING
from controlplane.errors import ComponentError, NotUpError
from controlplane.kubeconfig import write_whole
from controlplane.plane import ControlPlane
from controlplane.readiness import wait_until

RECORD: Final = "up.json"
START_SECONDS: Final = 240
STOP_SECONDS: Final = 120
PACKAGE_PARENT: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to start: a name, people with their groups, and how much of a cluster."""

    name: str
    people: Mapping[str, Sequence[str]]
    nodes: int = 3
    api_only: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a control plane that is up; written once it is ready."""

    name: str
    pid: int
    server: str
    programs: str
    people: Mapping[str, str]

    def exports(self) -> str:
        """Return shell lines: eval them to become the admin, copy another line to become somebody else."""
        lines = [
            f"# control plane {self.name} at {self.server}; stop it with: python -m controlplane down --name {self.name}"
        ]
        lines.append(f'export PATH={shlex.quote(self.programs)}:"$PATH"')
        lines += [
            f"# as {name}: export KUBECONFIG={shlex.quote(path)}" for name, path in self.people.items() if name != "admin"
        ]
        lines.append(f"export KUBECONFIG={shlex.quote(self.people['admin'])}")
        return "\n".join(lines)


def serve(wanted: Wanted) -> None:
    """Start it, say how to use it, keep it until ^C or SIGTERM."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    components = API_ONLY if wanted.api_only else EVERYTHING
    try:
        with ControlPlane.start(components=components, nodes=wanted.nodes, name=wanted.name) as plane:
            people = {name: str(plane.user(name, *groups)) for name, groups in wanted.people.items()}
            record = Record(
                name=wanted.name,
                pid=os.getpid(),
                server=plane.server,
                programs=str(plane.kubectl_program.parent),
                people={"admin": str(plane.admin_kubeconfig), **people},
            )
            write_whole(plane.directory / RECORD, json.dumps(asdict(record)))
            sys.stdout.write(f"{record.exports()}\n")
            sys.stdout.flush()
            signal.pause()
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")


def detach(arguments: Sequence[str], name: str) -> Record:
    """Run `up` with these arguments behind the shell; return when it is ready, or raise with what it said."""
    build.programs()  # here, where a person sees the progress
    command = [sys.executable, "-m", "controlplane", "up", *arguments]
    path = os.pathsep.join(filter(None, [str(PACKAGE_PARENT), os.environ.get("PYTHONPATH")]))
    with tempfile.TemporaryFile() as said:
        server = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,
        )

        def ready() -> bool:
            if server.poll() is not None:
                said.seek(0)
                raise ComponentError(said.read().decode(errors="replace").strip())
            return any(record.name == name and record.pid == server.pid for record in records())

        wait_until(ready, f"control plane {name} ready", START_SECONDS)
    server.returncode = 0  # it lives on: no warning that we leave it
    return next(record for record in records() if record.name == name)


def records() -> list[Record]:
    """Return what is up and ready, by name."""
    found = []
    for path in workspace.named().values():
        with contextlib.suppress(FileNotFoundError):  # not ready yet, or just gone
            found.append(Record(**json.loads((path / RECORD).read_text())))
    return found


def down(name: str) -> None:
    """Stop the control plane of that name; on return nothing of it is left."""
    directory = workspace.named().get(name)
    if directory is None:
        raise NotUpError(f"no control plane {name} is up.\nNext: `python -m controlplane status` shows those that are.")
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it is about to be gone by itself
        os.kill(workspace.owner(directory), signal.SIGTERM)
    wait_until(lambda: not directory.exists(), f"control plane {name} stopped", STOP_SECONDS)
