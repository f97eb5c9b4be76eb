"""Where scripts of pipelines run: a checkout, an account, and the example files with the names of the test in them."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from tests.e2e.stage import Stage

ROOT: Final = Path(__file__).parents[3]
EXAMPLES: Final = ROOT / "manifests" / "examples" / "pipelines"
PROGRAMS: Final = Path(sys.executable).parent
"""Where `gatehold` lies, as pip installed it."""

Environ = dict[str, str]


@dataclass(frozen=True, slots=True)
class Script:
    """One script as its CI system would start it."""

    name: str
    text: str
    shell: tuple[str, ...] = ("bash", "--noprofile", "--norc", "-eo", "pipefail")
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Workshop:
    """The runner of one pipeline: its checkout, its environment, what it has run."""

    stage: Stage
    folder: Path
    policy: str
    account: str | Path
    environ: Environ = field(default_factory=dict)
    ran: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Lay out the checkout; `gatehold` and kubectl are on PATH."""
        (self.folder / "deploy").mkdir(parents=True)
        (self.folder / "deploy" / "job.yaml").write_text(self.example("job"))
        base = self.stage.cluster.environment(self.account)
        self.environ = {**base, "PATH": os.pathsep.join([str(PROGRAMS), base["PATH"]]), **self.environ}

    def example(self, name: str) -> str:
        """A shipped file, with the test's own policy and namespace in place of the example's."""
        return renamed((EXAMPLES / f"{name}.yaml").read_text(), self.policy, self.stage.namespace)

    def bodies(self, name: str) -> dict[str, dict[str, Any]]:
        """The documents of a shipped file, by kind and name where they have one."""
        found = [body for body in yaml.safe_load_all(self.example(name)) if body]
        return {f"{body.get('kind', '')}/{body.get('metadata', {}).get('name', '')}": body for body in found}

    def start(self, script: Script) -> "subprocess.Popen[str]":
        """Start a script in the checkout, from a file, as runners do."""
        self.ran.add(script.name)
        file = self.folder / f"script-{len(self.ran)}"
        file.write_text(script.text)
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        environ = {**self.environ, **script.environ}
        return subprocess.Popen([*script.shell, str(file)], cwd=self.folder, env=environ, **pipes)

    def run(self, script: Script, code: int = 0) -> str:
        """Run a script to its end; answers what it printed."""
        return ended(self.start(script), code)


def ended(process: "subprocess.Popen[str]", code: int = 0) -> str:
    """Wait for a script, demand its exit code; answers what it printed."""
    with process:
        out, err = process.communicate(timeout=200)
    assert process.returncode == code, f"{out}\n{err}"
    return out


def renamed(text: str, policy: str, namespace: str) -> str:
    """A text of the examples with these names."""
    return re.sub(r"((?:namespace|NAMESPACE): )shop\b", rf"\g<1>{namespace}", text).replace("prod-change", policy)


def filled(value: object, facts: Mapping[str, str], marks: tuple[str, str]) -> str:
    """A value with what its CI system puts in for expressions; one that the test does not know is an error."""
    left, right = map(re.escape, marks)
    return re.sub(rf"{left}\s*(.+?)\s*{right}", lambda found: facts[found[1]], str(value))
