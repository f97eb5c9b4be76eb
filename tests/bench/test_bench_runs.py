"""The benchmark: it runs, tells everything that the design asks for, and judges by the bars. Never how fast it was."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from bench.groups import MEASUREMENTS
from bench.rows import LATER, ROWS, Kind, Pair, result

ROOT = Path(__file__).resolve().parents[2]
ASKED_FOR = {
    "release-p50": 1.5,
    "release-p99": 3.0,
    "burst": 2.0,
    "writes": 0,
    "memory": 400,
    "start": 2.0,
    "expiry": 1.0,
    "leader-killed": 12.0,
    "handover": 2.0,
    "restart-held": 1.0,
    "canary-writes": 0,
    "promotion-p50": 1.5,
    "promotion-p99": 3.0,
    "held-p50": 1.5,
    "held-p99": 3.0,
    "rollouts-expiry": 1.0,
    "rollouts-restart": 1.0,
    "rollouts-memory": 200,
    "webhook-p99": 0.010,
    "webhook-burst": 5.0,
    "drain": 1.0,
    "drain-blocked": 1.0,
    "provision": 2.0,
}
"""The bars of the design, row by row; those of held Jobs go for Rollouts, too."""
NOT_YET: set[str] = set()


def test_every_row_of_the_design_is_measured_against_its_bar_or_named_as_not_there_yet() -> None:
    assert {key: ROWS[key].bar for key in ASKED_FOR} == ASKED_FOR
    assert LATER.keys() == NOT_YET
    assert sorted(key for measurement in MEASUREMENTS for key in measurement.rows) == sorted(ROWS)


@pytest.mark.timeout(1300)
def test_it_runs_and_writes_every_row_with_its_rounds(tmp_path: Path) -> None:
    target = tmp_path / "bench.json"
    argv = [sys.executable, "-m", "bench", "--size", "tiny", "--idle", "7", "--json", str(target)]
    places = ":".join(str(ROOT / place) for place in ("operator", "hack", "."))
    done = subprocess.run(
        argv, cwd=ROOT, env={"PYTHONPATH": places, **_home()}, capture_output=True, text=True, timeout=1200
    )
    assert target.exists(), done.stdout + done.stderr
    found = json.loads(target.read_text())
    assert [row["row"] for row in found["rows"]] == [key for m in MEASUREMENTS for key in m.rows]
    assert found["later"].keys() == NOT_YET
    assert found["about"].keys() >= {"began", "cpus", "load", "size"}
    for row in found["rows"]:
        assert row["pending"] == 7
        assert row["rounds"], row
        assert all(isinstance(one["ours"], int | float) for one in row["rounds"]), row
        paired = ROWS[row["row"]].kind in (Kind.RATIO, Kind.EXCESS, Kind.WRITES)
        assert all((one["bare"] is not None) == paired for one in row["rounds"]), row
        assert row["holds"] in ((None,) if row["bar"] is None else (True, False)), row
    assert done.returncode == (0 if all(row["holds"] is not False for row in found["rows"]) else 1), done.stderr
    assert all(ROWS[row["row"]].what.split()[0] in done.stdout for row in found["rows"])


def test_a_ratio_is_judged_by_the_median_of_its_pairs_and_a_promise_by_its_worst_round() -> None:
    ratio = result("burst", 0, [Pair(2, 1), Pair(9, 1), Pair(6, 4)])
    assert (ratio.value, ratio.holds) == (2.0, True)
    within = result("handover", 0, [Pair(0.4), Pair(2.1), Pair(0.3)])
    assert (within.value, within.holds) == (2.1, False)
    beyond = result("expiry", 0, [Pair(5.0, 4.5), Pair(9.0, 4.0), Pair(6.0, 4.9)])
    assert beyond.value == pytest.approx(1.1)
    assert beyond.holds is False
    assert result("start", 100_000, [Pair(3, 1)]).holds is False
    assert result("start", 10_000, [Pair(3, 1)]).holds is None  # the bar is meant for a hundred thousand
    assert result("memory-peak", 0, [Pair(900)]).holds is None


def _home() -> dict[str, str]:
    """Where the binaries of the control plane are found."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
