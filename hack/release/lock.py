"""`python -m release.lock` (by `make lock`): resolves what the image and the plugin are made of, and writes every hash.

The only part of a release that asks the package index which versions there are; uv does the resolving.
"""

import subprocess
import sys
import tomllib
from typing import Final

from release.packages import ROOT

FOLDER: Final = ROOT / "hack" / "image"
HEAD: Final = "# What the {what} is made of, each by its hash. Written by `make lock`; do not edit.\n"


def main() -> None:
    """Write both lists."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for name, what, wanted in (
        ("requirements.txt", "image", project["project"]["dependencies"]),
        ("build.txt", "build of the wheel", project["build-system"]["requires"]),
    ):
        (FOLDER / name).write_text(HEAD.format(what=what) + _resolved(wanted))


def _resolved(wanted: list[str]) -> str:
    """The whole tree of what is wanted, for every Python that the project allows, with the hashes of every file."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "-", "--universal", "--python-version", "3.11"]
    more = ["--generate-hashes", "--no-header", "--no-annotate", "--quiet"]
    done = subprocess.run([*command, *more], input="\n".join(wanted), check=True, capture_output=True, text=True)
    return done.stdout


if __name__ == "__main__":
    main()
