"""`make demo` as a newcomer runs it: it tells the whole story, and ^C leaves nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane import wait_until

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """The demo as a process; its control plane lies below the test's own folder."""
    path = os.pathsep.join([str(ROOT / "operator"), str(ROOT / "hack")])
    process = subprocess.Popen(
        [sys.executable, "-m", "demo"],
        env={**os.environ, "PYTHONPATH": path, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    yield process
    process.kill()
    process.communicate()


def test_the_demo_tells_the_whole_story(demo: "subprocess.Popen[str]", tmp_path: Path) -> None:
    told, _ = demo.communicate(timeout=500)

    assert demo.returncode == 0, told
    for sentence in (
        "Held",
        "this belongs to Rollout web",
        "now      approval by policy prod-web",
        "Rollout web is Healthy",
        "not promoted: Expired",
        "(exit code 2)",
        "web: CrashLoopBackOff",
        "(exit code 6)",
        "Nobody was disturbed: 0 requests",
        "this Job is held",
        "a verdict must carry your own user name, mallory",
        "Released",
        "Expired",
        "denied",
        "undo Job reprice-undo completed",
        "RolledBack",
    ):
        assert sentence in told
    assert left_below(tmp_path) == []


def test_control_c_ends_the_demo_and_everything_it_started(demo: "subprocess.Popen[str]", tmp_path: Path) -> None:
    assert demo.stdout is not None
    for line in demo.stdout:
        if "apply -f web.yaml" in line:
            break
    os.killpg(demo.pid, signal.SIGINT)
    demo.communicate(timeout=120)

    assert demo.returncode == 130
    wait_until(lambda: left_below(tmp_path) == [], "nothing left", 60)


def left_below(folder: Path) -> list[str]:
    """Programs whose command line names the folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:  # ended meanwhile
            continue
        if str(folder) in words:
            found.append(words.replace("\0", " "))
    return found
