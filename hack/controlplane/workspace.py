"""Where control planes live on disk, and how the remains of dead ones are found.

Each has one directory below a common root, and holds a file lock in it for as long as it lives. A
lock cannot outlive its holder, so a directory whose lock is free belongs to nobody: it is removed
before the next control plane is made. Ports are kept there too, so that two side by side never meet.
"""

import fcntl
import os
import random
import shutil
import socket
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from controlplane.errors import ControlPlaneError, NameTakenError

PORTS: Final = range(20000, 30000)
"""Below the range that systems hand out for outgoing connections: a port stays free while its component restarts."""

LOCK: Final = "lock"
TAKEN: Final = "ports"
NAMED: Final = "up-"
"""Prefix of the directories that a developer gave a name (`up --name`)."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """A directory that is ours as long as `lock` is open."""

    path: Path
    lock: int

    def release(self) -> None:
        """Let go; whatever still lies there is swept by the next control plane."""
        os.close(self.lock)


def claim(name: str | None = None) -> Workspace:
    """Make a directory and lock it, after sweeping away those of the dead."""
    with _alone() as root:
        _sweep(root)
        path = root / f"{NAMED}{name}" if name else Path(tempfile.mkdtemp(dir=root))
        if name and path.exists():
            raise NameTakenError(f"control plane {name} is up already.\nNext: `python -m controlplane down --name {name}`")
        path.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(path / LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.write(lock, str(os.getpid()).encode())
        return Workspace(path, lock)


def reserve_ports(workspace: Workspace, count: int) -> list[int]:
    """Pick ports that no control plane has and nobody listens on; they stay this one's as long as its directory is there."""
    with _alone() as root:
        taken = _taken(root)
        candidates = random.sample(PORTS, len(PORTS))
        ports: list[int] = []
        while len(ports) < count and candidates:
            port = candidates.pop()
            if port not in taken and _free(port):
                ports.append(port)
        if len(ports) < count:
            raise ControlPlaneError(f"no {count} free ports between {PORTS.start} and {PORTS.stop}")
        with (workspace.path / TAKEN).open("a") as kept:
            kept.writelines(f"{port}\n" for port in ports)
        return ports


def named() -> dict[str, Path]:
    """Return the living control planes that have a name, by name."""
    with _alone() as root:
        return {path.name.removeprefix(NAMED): path for path in sorted(root.glob(f"{NAMED}*")) if not _dead(path)}


def owner(path: Path) -> int:
    """Return the process that claimed this directory."""
    return int((path / LOCK).read_text())


def _taken(root: Path) -> set[int]:
    """Ports of the living. A control plane that ends takes its file away when it likes: its supervisor waits for nobody."""
    taken: set[int] = set()
    for file in root.glob(f"*/{TAKEN}"):
        with suppress(FileNotFoundError):
            taken.update(map(int, file.read_text().split()))
    return taken


@contextmanager
def _alone() -> Iterator[Path]:
    """Hold the root, so that making, sweeping and choosing ports never overlap with somebody else's."""
    root = Path(tempfile.gettempdir()).resolve() / f"gatehold-controlplane-{os.getuid()}"
    root.mkdir(mode=0o700, exist_ok=True)
    facts = root.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise ControlPlaneError(f"{root} must be a directory that only you can enter; keys will lie there")
    with (root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield root


def _sweep(root: Path) -> None:
    for path in root.iterdir():
        if path.is_dir() and _dead(path):
            shutil.rmtree(path, ignore_errors=True)


def _dead(path: Path) -> bool:
    """A directory without a lock is one whose removal was under way: they are made and locked in one go."""
    try:
        lock = os.open(path / LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(lock)


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
