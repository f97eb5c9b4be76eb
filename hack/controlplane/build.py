"""Turns the pinned go.mod of a Kubernetes version into the programs of a control plane, once a machine.

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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from controlplane import pins
from controlplane.errors import BuildError
from controlplane.pins import Pin

PROGRAMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "etcd": "go.etcd.io/etcd/server/v3",
        "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
        "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
        "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
        "kubectl": "k8s.io/kubernetes/cmd/kubectl",
        "kwok": "sigs.k8s.io/kwok/cmd/kwok",
    }
)
"""Program name to Go package. The order is the order of building; later ones reuse compiled parts of earlier ones."""

SETTINGS: Final[Mapping[str, str]] = MappingProxyType({"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"})
"""Environment of every call of Go: what a person has set up for other work does not count here."""


def programs() -> Mapping[str, Path]:
    """Return where each program of the chosen version lies, building those that are missing; slow the first time only."""
    sources = _sources()
    paths = {name: _found(name, pin) for name, pin in sources.items()}
    for pin in dict.fromkeys(sources.values()):
        missing = [name for name, path in paths.items() if path is None and sources[name] == pin]
        if missing:
            _build(pin, missing)
    return {name: path or cache(sources[name]) / name for name, path in paths.items()}


def of_kubernetes() -> list[str]:
    """Return the programs that each version has of its own."""
    return [name for name, package in PROGRAMS.items() if package.startswith("k8s.io/kubernetes/")]


def cache(pin: Pin) -> Path:
    """Return the folder of the programs that belong to this go.mod, go.sum and these flags."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    root = Path(os.environ.get("GATEHOLD_CACHE") or Path(home) / "gatehold")
    content = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        content.update((pin.folder / name).read_bytes())
    content.update("\n".join([*_flags(pin), platform.system(), platform.machine()]).encode())
    return root.absolute() / "controlplane" / content.hexdigest() / "bin"


def _sources() -> dict[str, Pin]:
    """Say which version each program is taken from."""
    default, own = pins.default(), of_kubernetes()
    chosen = pins.chosen()
    return {name: chosen if name in own else default for name in PROGRAMS}


def _found(name: str, pin: Pin) -> Path | None:
    """Prefer the folder a person named (as envtest does; it holds the default version), then the cache."""
    folders = [cache(pin)]
    named = os.environ.get("GATEHOLD_CONTROLPLANE_BIN")
    if named and pin == pins.default():
        folders.insert(0, Path(named).expanduser().absolute())
    candidates = (folder / name for folder in folders)
    return next((path for path in candidates if os.access(path, os.X_OK)), None)


def _flags(pin: Pin) -> list[str]:
    """Flags of every `go build`: static, reproducible, and with the version that kubectl and CEL environments read."""
    major, minor = pin.number
    stamp = {
        "gitVersion": f"v{pin.version}",
        "gitMajor": str(major),
        "gitMinor": str(minor),
        "gitCommit": "unknown",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
    }
    places = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    defines = [f"-X {place}.{key}={value}" for place in places for key, value in stamp.items()]
    linker = " ".join(["-s", "-w", *defines])
    return ["-mod=readonly", "-trimpath", "-buildvcs=false", f"-ldflags={linker}"]


def _build(pin: Pin, missing: list[str]) -> None:
    """Build one after the other and show how long each takes; a second builder waits here for the first."""
    go = find_go()
    console = Console(stderr=True)
    console.print(
        f"Building {len(missing)} programs of Kubernetes {pin.version}: about 6 minutes on two cores the first time, "
        f"kept in\n{cache(pin)}",
        soft_wrap=True,
        highlight=False,
    )
    columns = (
        SpinnerColumn(finished_text="+"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with _exclusive(pin, console), Progress(*columns, console=console) as progress:
        rows = {name: progress.add_task(name, start=False, total=1) for name in missing}
        for name, row in rows.items():
            progress.start_task(row)
            _compile(go, pin, name)
            progress.update(row, completed=1)


def find_go() -> str:
    """Find Go, or say how to get on without it."""
    if go := shutil.which("go"):
        return go
    message = (
        "Go is needed to build the control plane and was not found on PATH.\n"
        "Next: install Go 1.26 or newer (https://go.dev/doc/install) and run `python -m controlplane build`,\n"
        f"or set GATEHOLD_CONTROLPLANE_BIN to a folder that holds: {', '.join(PROGRAMS)}."
    )
    raise BuildError(message)


def _compile(go: str, pin: Pin, name: str) -> None:
    """Build one program beside its place and move it there, so that nobody ever starts half a file."""
    place = cache(pin) / name
    if os.access(place, os.X_OK):  # another builder was faster
        return
    draft = place.with_name(f".{name}.{os.getpid()}")
    command = [go, "build", *_flags(pin), "-o", str(draft), PROGRAMS[name]]
    try:
        done = subprocess.run(
            command,
            cwd=pin.folder,
            env={**os.environ, **SETTINGS},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            tail = "\n".join(done.stderr.splitlines()[-20:])
            raise BuildError(f"`go build {PROGRAMS[name]}` failed in {pin.folder}:\n{tail}")
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _exclusive(pin: Pin, console: Console) -> Iterator[None]:
    """Let one builder at a time into the cache; the lock goes with its holder, however that ends."""
    cache(pin).mkdir(parents=True, exist_ok=True)
    with (cache(pin) / ".lock").open("w") as lock:
        began = time.monotonic()
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.print("Another build is under way: waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
            console.print(f"It ended after {time.monotonic() - began:.0f} s.")
        yield
