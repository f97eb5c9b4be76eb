"""Turns the pinned go.mod beside this file into the programs of a control plane, once a machine.

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

from controlplane.errors import BuildError

HERE: Final = Path(__file__).resolve().parent
VERSION: Final = "1.36.3"
"""The Kubernetes version that go.mod pins; what the API server says of itself."""

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


def programs() -> Mapping[str, Path]:
    """Return where each program lies, building those that are missing; slow the first time only."""
    paths = {name: _found(name) for name in PROGRAMS}
    missing = [name for name, path in paths.items() if path is None]
    if missing:
        _build(missing)
    return {name: path or cache() / name for name, path in paths.items()}


def cache() -> Path:
    """Return the folder of the programs that belong to this go.mod, go.sum and these flags."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    root = Path(os.environ.get("GATEHOLD_CACHE") or Path(home) / "gatehold")
    content = hashlib.sha256()
    for name in ("go.mod", "go.sum"):
        content.update((HERE / name).read_bytes())
    content.update("\n".join([*_flags(), platform.system(), platform.machine()]).encode())
    return root.absolute() / "controlplane" / content.hexdigest() / "bin"


def _found(name: str) -> Path | None:
    """Prefer the folder a person named (as envtest does), then the cache."""
    folders = [cache()]
    if chosen := os.environ.get("GATEHOLD_CONTROLPLANE_BIN"):
        folders.insert(0, Path(chosen).expanduser().absolute())
    candidates = (folder / name for folder in folders)
    return next((path for path in candidates if os.access(path, os.X_OK)), None)


def _flags() -> list[str]:
    """Flags of every `go build`: static, reproducible, and with the version that kubectl and CEL environments read."""
    major, minor, _ = VERSION.split(".")
    stamp = {
        "gitVersion": f"v{VERSION}",
        "gitMajor": major,
        "gitMinor": minor,
        "gitCommit": "unknown",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
    }
    places = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    defines = [f"-X {place}.{key}={value}" for place in places for key, value in stamp.items()]
    linker = " ".join(["-s", "-w", *defines])
    return ["-mod=readonly", "-trimpath", "-buildvcs=false", f"-ldflags={linker}"]


def _build(missing: list[str]) -> None:
    """Build one after the other and show how long each takes; a second builder waits here for the first."""
    go = _go()
    console = Console(stderr=True)
    console.print(
        f"Building {len(missing)} programs of Kubernetes {VERSION}: about 6 minutes on two cores the first time, "
        f"kept in\n{cache()}",
        soft_wrap=True,
        highlight=False,
    )
    columns = (
        SpinnerColumn(finished_text="+"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
    )
    with _exclusive(console), Progress(*columns, console=console) as progress:
        rows = {name: progress.add_task(name, start=False, total=1) for name in missing}
        for name, row in rows.items():
            progress.start_task(row)
            _compile(go, name)
            progress.update(row, completed=1)


def _go() -> str:
    """Find Go, or say how to get on without it."""
    if go := shutil.which("go"):
        return go
    message = (
        "Go is needed to build the control plane and was not found on PATH.\n"
        "Next: install Go 1.26 or newer (https://go.dev/doc/install) and run `python -m controlplane build`,\n"
        f"or set GATEHOLD_CONTROLPLANE_BIN to a folder that holds: {', '.join(PROGRAMS)}."
    )
    raise BuildError(message)


def _compile(go: str, name: str) -> None:
    """Build one program beside its place and move it there, so that nobody ever starts half a file."""
    place = cache() / name
    if os.access(place, os.X_OK):  # another builder was faster
        return
    draft = place.with_name(f".{name}.{os.getpid()}")
    settings = {"CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    command = [go, "build", *_flags(), "-o", str(draft), PROGRAMS[name]]
    try:
        done = subprocess.run(
            command,
            cwd=HERE,
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            tail = "\n".join(done.stderr.splitlines()[-20:])
            raise BuildError(f"`go build {PROGRAMS[name]}` failed in {HERE}:\n{tail}")
        draft.replace(place)
    finally:
        draft.unlink(missing_ok=True)


@contextmanager
def _exclusive(console: Console) -> Iterator[None]:
    """Let one builder at a time into the cache; the lock goes with its holder, however that ends."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / ".lock").open("w") as lock:
        began = time.monotonic()
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            console.print("Another build is under way: waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
            console.print(f"It ended after {time.monotonic() - began:.0f} s.")
        yield
