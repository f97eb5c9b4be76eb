"""The one parent of all components of a control plane: when its owner is gone, in whatever way, so are they.

It runs as a program of its own (`python supervisor.py DIRECTORY OWNER LOCK`) because the kernel's
death signal follows the *thread* that started a child: here that is the only thread of a process
that does nothing else. The chain: the owner dies -> its pipe to us closes and its pidfd fires -> we
kill every component and remove the directory. We die -> the kernel kills every component
(PR_SET_PDEATHSIG), and the next control plane sweeps the directory, whose lock is free by then.

Only the standard library, and no import of this package: it starts in a few milliseconds.
"""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
LINUX = sys.platform == "linux"


class Supervisor:
    """Starts, signals and reaps components as the owner asks, one JSON line for each order and for each answer."""

    def __init__(self, directory: Path, owner: int) -> None:
        """Serve the process `owner`; logs and working directories of components lie in `directory`."""
        self._directory = directory
        self._owner = owner
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._die_with_me = death_signal()

    def serve(self) -> None:
        """Answer orders until the owner hangs up or dies; afterwards nothing of the control plane is left."""
        try:
            for line in self._orders():
                sys.stdout.write(json.dumps(self._obey(json.loads(line))) + "\n")
                sys.stdout.flush()
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            self._clear()

    def _orders(self) -> Iterator[bytes]:
        """Yield complete lines from the owner; end with its pipe or with its life, whichever is first."""
        pipe, life = sys.stdin.fileno(), self._life()
        watched = [pipe] if life is None else [pipe, life]
        pending = b""
        while os.getppid() == self._owner:
            ready, _, _ = select.select(watched, [], [])
            if life in ready:
                return
            received = os.read(pipe, 65536)
            if not received:
                return
            *lines, pending = (pending + received).split(b"\n")
            yield from lines

    def _life(self) -> int | None:
        """A descriptor that becomes readable when the owner ends, even if a forked child keeps our pipe open."""
        if not hasattr(os, "pidfd_open"):
            return None
        with contextlib.suppress(OSError):
            return os.pidfd_open(self._owner)
        return None

    def _obey(self, order: dict[str, Any]) -> dict[str, Any]:
        """Do one thing; a failure is an answer, never the end of the supervisor."""
        verbs: dict[str, Callable[..., Any]] = {
            "start": self._start,
            "signal": self._signal,
            "codes": self._codes,
        }
        try:
            return {"result": verbs[order["verb"]](**order["arguments"])}
        except (OSError, KeyError, TypeError) as error:
            return {"error": f"{type(error).__name__}: {error}"}

    def _start(self, name: str, argv: list[str]) -> int:
        """Start a component that is not running; its output goes to NAME.log, appended over restarts."""
        if name in self._children and self._children[name].poll() is None:
            raise OSError(f"{name} is running already")
        home = self._directory / "home"
        home.mkdir(exist_ok=True)
        with (self._directory / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=home,
                env={
                    "PATH": os.environ.get("PATH", os.defpath),
                    "HOME": str(home),
                    "TMPDIR": str(home),
                },
                preexec_fn=self._die_with_me,
            )
        self._children[name] = child
        return child.pid

    def _signal(self, name: str, number: int) -> None:
        """Signal a component. The answer means done: killed is reaped, stopped means that no thread of it runs any more."""
        child = self._children[name]
        child.send_signal(number)
        if number == signal.SIGKILL:
            child.wait()
        elif number == signal.SIGSTOP and child.returncode is None:  # WNOWAIT: whoever asks for its exit code still gets it
            os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def _codes(self) -> dict[str, int | None]:
        """Exit code of each component ever started, None while it lives."""
        return {name: child.poll() for name, child in self._children.items()}

    def _clear(self) -> None:
        """Kill all at once (nobody is left to care about their data), reap them, remove the directory."""
        for child in self._children.values():
            with contextlib.suppress(OSError):
                child.kill()
        for child in self._children.values():
            child.wait()
        shutil.rmtree(self._directory, ignore_errors=True)


def death_signal() -> Callable[[], None] | None:
    """Return what a child runs before its program: it asks to be killed with us, and checks that we still live."""
    if not LINUX:
        return None
    libc = ctypes.CDLL(None, use_errno=True)  # loaded before the fork
    supervisor = os.getpid()

    def die_with_me() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != supervisor:  # we died between fork and prctl: no signal will come
            os._exit(1)

    return die_with_me


def _end(_number: int, _frame: object) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    for _number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(_number, _end)
    # The third argument, the lock's descriptor, needs nothing but to stay open: it marks the directory as alive.
    Supervisor(Path(sys.argv[1]), int(sys.argv[2])).serve()
