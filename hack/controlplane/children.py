"""The owner's side of the supervisor: components are started, signalled and counted through it.

Safe from any thread. Whatever becomes of this process, the supervisor sees it and clears up.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from controlplane.errors import ComponentError
from controlplane.workspace import Workspace, reserve_ports

SUPERVISOR: Final = Path(__file__).resolve().with_name("supervisor.py")
LOG_LINES: Final = 15
STOP_SECONDS: Final = 120


class Children:
    """The running components of one control plane, and the directory that goes away with them."""

    def __init__(self, workspace: Workspace) -> None:
        """Start the supervisor; from now on the directory is its to remove."""
        self._workspace = workspace
        self._turn = threading.Lock()
        self._argv: dict[str, Sequence[str]] = {}
        command = [sys.executable, "-I", "-S", str(SUPERVISOR)]
        with (workspace.path / "supervisor.log").open("wb") as log:
            self._supervisor = subprocess.Popen(
                [*command, str(workspace.path), str(os.getpid()), str(workspace.lock)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                pass_fds=[workspace.lock],
                start_new_session=True,  # ^C is for the owner: it decides when to stop
            )

    def start(self, name: str, argv: Sequence[str]) -> None:
        """Start a component and remember how, for `restart`."""
        self._argv[name] = argv
        self._order("start", name=name, argv=list(argv))

    def restart(self, name: str) -> None:
        """Kill a component, if it still lives, and start it as before: same ports, same data."""
        self.kill(name)
        self.start(name, self._argv[name])

    def kill(self, name: str) -> None:
        """Kill -9; on return it is gone. Killing the dead is no error."""
        self.send(name, signal.SIGKILL)

    def freeze(self, name: str) -> None:
        """Stop a component in its tracks: its connections stay open and nothing answers."""
        self.send(name, signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let a frozen component go on."""
        self.send(name, signal.SIGCONT)

    def send(self, name: str, number: int) -> None:
        """Send any signal to a component; after SIGKILL it is gone on return."""
        if name not in self._argv:
            raise ComponentError(f"this control plane has no {name}; it has {', '.join(self._argv)}")
        self._order("signal", name=name, number=int(number))

    def codes(self) -> MappingProxyType[str, int | None]:
        """Exit code of each component, None while it lives."""
        return MappingProxyType(self._order("codes"))

    def expect_alive(self, *names: str) -> None:
        """Raise with its last log lines if one of these components has ended."""
        codes = self.codes()
        for name in names:
            if (code := codes[name]) is not None:
                raise ComponentError(f"{name} ended with code {code}:\n{self.log(name)}")

    def reserve_port(self) -> int:
        """Return a port that is nobody's, for a program that listens now or later, and again after each start."""
        (port,) = reserve_ports(self._workspace, 1)
        return port

    def log(self, name: str, lines: int = LOG_LINES) -> str:
        """Return the last lines that a component wrote, whole ones only.

        It may be at the next one, and of a line that goes beyond a page of the file there is half to be read for a moment.
        """
        path = self._workspace.path / f"{name}.log"
        text = path.read_text(errors="replace") if path.exists() else ""
        return "\n".join(text.split("\n")[:-1][-lines:])

    def close(self) -> None:
        """End all components and remove the directory; done when this returns. Calling it again does nothing."""
        with self._turn:
            if self._supervisor.stdin is None or self._supervisor.stdin.closed:
                return
            self._supervisor.stdin.close()
            self._supervisor.wait(timeout=STOP_SECONDS)
            if self._supervisor.stdout:
                self._supervisor.stdout.close()
            self._workspace.release()

    def _order(self, verb: str, **arguments: object) -> Any:
        with self._turn:
            pipe, answers = self._supervisor.stdin, self._supervisor.stdout
            if pipe is None or answers is None or pipe.closed:
                raise ComponentError("this control plane is stopped")
            try:
                pipe.write(json.dumps({"verb": verb, "arguments": arguments}).encode() + b"\n")
                pipe.flush()
                answer = json.loads(answers.readline() or b"null")
            except BrokenPipeError:
                answer = None
        if answer is None:
            raise ComponentError("the supervisor of this control plane is gone, and its components with it")
        if "error" in answer:
            raise ComponentError(f"{verb} {arguments.get('name', '')}: {answer['error']}")
        return answer["result"]
