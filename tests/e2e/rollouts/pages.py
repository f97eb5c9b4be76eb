"""A how-to page as a test runs it: its files, and its commands each as the person that the page's comments name."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from controlplane import Cluster

ROOT: Final = Path(__file__).resolve().parents[3]
_PEOPLE: Final = {"the platform": "admin"}


@dataclass(frozen=True)
class Block:
    """One indented block: a file of that name, or commands of that person."""

    section: str
    text: str
    file: str = ""
    person: str = ""


def blocks(page: str) -> list[Block]:
    """Every block that a comment is about, in order. `<!-- file NAME -->`, `<!-- as PERSON -->`, `<!-- before: why -->`."""
    found, section, mark, lines = [], "", "", list[str]()
    for line in [*(ROOT / "docs" / "how-to" / page).read_text().splitlines(), "end"]:
        if line.startswith("    ") or (not line and lines):
            lines.append(line[4:])
            continue
        if mark and lines:
            found.append(_block(section, mark, "\n".join(lines).strip() + "\n"))
            mark = ""
        lines = []
        comment = re.fullmatch(r"<!-- (.*) -->", line)
        mark = comment[1] if comment else mark if not line else ""
        section = line.removeprefix("## ") if line.startswith("## ") else section
    return found


def _block(section: str, mark: str, text: str) -> Block:
    kind, _, rest = mark.partition(" ")
    if kind == "file":
        return Block(section, text, file=rest)
    # what follows after an empty line is output, not a command
    commands = text.split("\n\n")[0]
    return Block(section, commands, person=_PEOPLE.get(rest, rest) if kind == "as" else "admin")


class Reader:
    """Somebody who follows the page in a folder of their own."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        """Give them both programs."""
        self.cluster, self.folder = cluster, folder
        self.programs = folder / "bin"
        self.programs.mkdir()
        script = self.programs / "gatehold"
        script.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT / "operator"}" exec "{sys.executable}" -m gatehold "$@"\n')
        script.chmod(0o755)

    def follow(self, block: Block) -> str:
        """Write the file, or run the commands; answers what they printed."""
        if block.file:
            (self.folder / block.file).write_text(block.text)
            return ""
        path = os.pathsep.join([str(self.programs), str(self.cluster.kubectl_program.parent), os.environ["PATH"]])
        done = subprocess.run(
            ["/bin/bash", "-euo", "pipefail", "-c", block.text],
            cwd=self.folder,
            env={**self.cluster.environment(block.person), "PATH": path},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{block.person}$ {block.text}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr
