"""The rooms of the code: the core and the wire are pure, and `operator/` is a plain folder."""

import operator
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_operator_is_a_plain_folder_and_never_a_package() -> None:
    """With an __init__.py it would hide the standard library's `operator` from everything that starts here."""
    assert not (ROOT / "operator" / "__init__.py").exists()
    assert not list((ROOT / "operator").glob("*.py"))
    assert operator.itemgetter(0)([7]) == 7
    assert ROOT not in Path(operator.__file__).parents


def test_the_rooms_stand_on_each_other_as_written_down() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "operator")}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
