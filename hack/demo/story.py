"""The teller of the demo: prints a sentence, the command as a person would type it, and what came back."""

import json
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from controlplane import Cluster, wait_until

NAMESPACE: Final = "shop"
Body = dict[str, Any]


class Teller:
    """Runs commands as people and shows them."""

    def __init__(self, cluster: Cluster, console: Console) -> None:
        """Tell on this console."""
        self.cluster = cluster
        self.console = console

    def chapter(self, title: str) -> None:
        """Begin a chapter."""
        self.console.rule(Text(title, style="bold"), align="left")

    def say(self, text: str) -> None:
        """One sentence."""
        self.console.print(Text(text, style="italic"))

    def run(self, person: str, *args: str, stdin: str = "", show: str = "") -> subprocess.CompletedProcess[str]:
        """Run kubectl as a person, in the demo's namespace; failing is part of the story."""
        shown = show or shlex.join(args)
        self._command(person, f"kubectl -n {NAMESPACE} {shown}")
        done = self.cluster.kubectl("-n", NAMESPACE, *args, user=person, stdin=stdin, check=False)
        self._answer(done.stdout, done.stderr)
        return done

    def gatehold(self, person: str, *args: str) -> None:
        """The CLI as a person."""
        command, environment = self._gatehold(person, *args)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        self._answer(done.stdout, done.stderr)

    def follow(self, person: str, *args: str) -> None:
        """A command of the CLI that takes its time: line by line as it speaks, and how it ended."""
        with self.following(person, *args):
            pass

    @contextmanager
    def following(self, person: str, *args: str) -> Iterator[None]:
        """The same beside what is told meanwhile: its lines stand behind a bar. It speaks before the story goes on."""
        command, environment = self._gatehold(person, *args)
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        with subprocess.Popen(command, env=environment, **pipes) as process:
            lines = iter(process.stdout or ())
            self._beside(next(lines, ""))
            reading = threading.Thread(target=lambda: [self._beside(line) for line in lines], daemon=True)
            reading.start()
            try:
                yield
                process.wait(timeout=180)
            finally:  # a story that broke off waits for nobody
                process.kill()
            reading.join()
        self.console.print(Text(f"  (exit code {process.returncode})", style="dim"))

    def _beside(self, line: str) -> None:
        self.console.print(Text(f"  \u2502 {line.rstrip()}"), soft_wrap=True)

    def _gatehold(self, person: str, *args: str) -> tuple[list[str], dict[str, str]]:
        self._command(person, f"gatehold {shlex.join(args)} -n {NAMESPACE}")
        environment = {**self.cluster.environment(person), "PYTHONPATH": ":".join(sys.path), "COLUMNS": "110"}
        return [sys.executable, "-m", "gatehold", *args, "--namespace", NAMESPACE], environment

    def until(self, what: str, kind: str, name: str, holds: Callable[[Body], bool], seconds: float = 120) -> Body:
        """Wait, with a spinner, until something holds for an object."""
        last: Body = {}

        def look() -> bool:
            done = self.cluster.kubectl("-n", NAMESPACE, "get", kind, name, "-o", "json", check=False)
            if done.returncode:
                return False
            last.clear()
            last.update(json.loads(done.stdout))
            return holds(last)

        with self.console.status(f"waiting until {what}"):
            wait_until(look, what, seconds)
        self.console.print(Text(f"  ({what})", style="dim"))
        return last

    def _command(self, person: str, text: str) -> None:
        self.console.print(Text.assemble((f"{person}$ ", "bold cyan"), text), soft_wrap=True)

    def _answer(self, out: str, err: str) -> None:
        if out.strip():
            self.console.print(Text(out.rstrip()), soft_wrap=True)
        if err.strip():
            self.console.print(Text(err.rstrip(), style="red"), soft_wrap=True)


def phase_is(*phases: str) -> Callable[[Body], bool]:
    """Whether a request is in one of these phases."""
    return lambda body: body.get("status", {}).get("phase") in phases


def is_done(body: Body) -> bool:
    """Whether nothing is left to watch."""
    return bool(body["metadata"].get("labels", {}).get("gatehold.dev/done") == "true")


def is_prepared(body: Body) -> bool:
    """Whether people can answer."""
    return "requestDigest" in body.get("status", {})
