"""`python -m versions [1.33 ...]`: build and test those versions (all that are pinned, if none is named), keep the result.

Ends with 1 if a test failed on any of them; the result is kept all the same, since it says so.
"""

import argparse
import datetime
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from controlplane import ControlPlaneError, build, pins
from controlplane.pins import Pin
from versions.parts import PARTS, part_of
from versions.result import Count, Result, save

ROOT: Final = Path(__file__).resolve().parents[2]
STAMPING: Final = (1, 36)


def main(arguments: Sequence[str] | None = None) -> int:
    """Test one version after the other."""
    parser = argparse.ArgumentParser(prog="python -m versions", description=__doc__)
    parser.add_argument("version", nargs="*", help="such as 1.33; all that are pinned where none is named")
    named = parser.parse_args(arguments).version or [pin.version for pin in pins.known()]
    bad = []
    for version in named:
        os.environ[pins.VARIABLE] = version
        try:
            pin = pins.chosen()
            build.programs()
        except ControlPlaneError as error:
            sys.stderr.write(f"error: {error}\n")
            return 1
        result = run(pin)
        save(result)
        sys.stdout.write(f"Kubernetes {pin.version}: " + ", ".join(f"{n} {c}" for n, c in result.counts.items()) + "\n")
        if any(count.passed < count.run for count in result.counts.values()):
            bad.append(pin.version)
    if bad:
        sys.stderr.write(f"not as it should be on {', '.join(bad)}; see above\n")
    return bool(bad)


def run(pin: Pin) -> Result:
    """Run every part on the version that is chosen."""
    files = [file for part in PARTS.values() for file in part]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *files]
        subprocess.run(command, cwd=ROOT, check=False)
        counts = read(report)
    return Result(pin.version, datetime.datetime.now(datetime.UTC).date().isoformat(), pin.number >= STAMPING, counts)


def read(report: Path) -> dict[str, Count]:
    """Count by part. Nothing but a test that ran and passed counts as passed."""
    ran, passed = Counter[str](), Counter[str]()
    for case in ET.parse(report).getroot().iter("testcase"):  # noqa: S314 (pytest wrote it a moment ago)
        part = part_of(case.attrib["classname"])
        ran[part] += 1
        passed[part] += case.find("failure") is None and case.find("error") is None and case.find("skipped") is None
    return {part: Count(ran[part], passed[part]) for part in PARTS}


if __name__ == "__main__":
    sys.exit(main())
