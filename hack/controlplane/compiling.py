"""Turns a go.mod of ours into programs, once a machine: what `build` (the control plane) and `tools` share.

The result is cached by everything that decides about its content, so a changed pin builds anew and
an unchanged one costs nothing. Nothing is ever downloaded ready-made.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from controlplane.errors import BuildError

SETTINGS: Final[Mapping[str, str]] = MappingProxyType({"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"})
"""Environment of every call of Go: what a person has set up for other work does not count here."""

FLAGS: Final = ("-mod=readonly", "-trimpath", "-buildvcs=false")
"""Of every `go build`: nothing is fetched that is not pinned, and no path of this machine gets into a program."""

PINS: Final = ("go.mod", "go.sum")


@dataclass(frozen=True, slots=True)
class Module:
    """One go.mod, how its programs are built, and where they are kept."""

    folder: Path
    """Of the go.mod."""
    shelf: str
    """Folder of the cache that they lie in."""
    programs: Mapping[str, str]
    """Program name to Go package. The order is the order of building; later ones reuse compiled parts of earlier ones."""
    linker: Sequence[str] = ("-s", "-w")
    sources: Sequence[str] = PINS
    """Files of the folder that decide about the content: the pins, and source text of our own."""

    @property
    def flags(self) -> list[str]:
        """Flags of `go build`."""
        return [*FLAGS, f"-ldflags={' '.join(self.linker)}"]

    @property
    def cache(self) -> Path:
        """Folder of the programs that belong to these sources and these flags."""
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        root = Path(os.environ.get("GATEHOLD_CACHE") or Path(home) / "gatehold")
        content = hashlib.sha256()
        for name in self.sources:
            content.update((self.folder / name).read_bytes())
        content.update("\n".join([*self.flags, platform.system(), platform.machine()]).encode())
        return root.absolute() / self.shelf / content.hexdigest() / "bin"

    def missing(self) -> list[str]:
        """Return the programs that are not in the cache."""
        return [name for name in self.programs if not os.access(self.cache / name, os.X_OK)]


def build(module: Module, wanted: Sequence[str], what: str) -> None:
    """Build one after the other and show how long each takes; a second builder waits here for the first.

    `what` opens the sentence that a person reads meanwhile.
    """
    go = find_go()
    console = Console(stderr=True)
    console.print(f"{what}, kept in\n{module.cache}", soft_wrap=True, highlight=False)
    columns = (
        SpinnerColumn(finished_text="+"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with _exclusive(module, console), Progress(*columns, console=console) as progress:
        rows = {name: progress.add_task(name, start=False, total=1) for name in wanted}
        for name, row in rows.items():
            progress.start_task(row)
            _compile(go, module, name)
            progress.update(row, completed=1)


def find_go() -> str:
    """Find Go, or say how to get on without it."""
    if go := shutil.which("go"):
        return go
    message = (
        "Go is needed to build the control plane and its tools, and was not found on PATH.\n"
        "Next: install Go 1.26 or newer (https://go.dev/doc/install) and run `python -m controlplane build`,\n"
        "or set GATEHOLD_CONTROLPLANE_BIN to a folder that holds the programs that hack/controlplane/README.md names."
    )
    raise BuildError(message)


def _compile(go: str, module: Module, name: str) -> None:
    """Build one program beside its place and move it there, so that nobody ever starts half a file."""
    place, package = module.cache / name, module.programs[name]
    if os.access(place, os.X_OK):  # another builder was faster
        return
    draft = place.with_name(f".{name}.{os.getpid()}")
    command = [go, "build", *module.flags, "-o", str(draft), package]
    try:
        done = subprocess.run(
            command,
            cwd=module.folder,
            env={**os.environ, **SETTINGS},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            tail = "\n".join(done.stderr.splitlines()[-20:])
            raise BuildError(f"`go build {package}` failed in {module.folder}:\n{tail}")
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _exclusive(module: Module, console: Console) -> Iterator[None]:
    """Let one builder at a time into the cache; the lock goes with its holder, however that ends."""
    module.cache.mkdir(parents=True, exist_ok=True)
    with (module.cache / ".lock").open("w") as lock:
        began = time.monotonic()
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.print("Another build is under way: waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
            console.print(f"It ended after {time.monotonic() - began:.0f} s.")
        yield
