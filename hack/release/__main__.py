"""`python -m release [--url URL] [--into FOLDER]`: make everything of a release that is a file."""

import argparse
import hashlib
from pathlib import Path

from release import build, pack


def main() -> None:
    """Build, then say what was made."""
    parser = argparse.ArgumentParser(prog="release", description="Make the files of a release.")
    parser.add_argument("--into", type=Path, default=Path("dist"), help="where to (default: dist)")
    parser.add_argument(
        "--url", default="https://releases.example.org/gatehold", help="folder from which krew will fetch it"
    )
    given = parser.parse_args()
    packages = build(given.into)
    made = [packages.wheel, packages.sdist, *pack(packages.wheel, given.into, given.url)]
    sums = "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in made)
    (given.into / "SHA256SUMS").write_text(sums)
    print(sums, end="")


if __name__ == "__main__":
    main()
