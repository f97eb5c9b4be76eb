"""list, show, wait and verify on a real API server; a stand-in writes the operator's part."""

import json
import re
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from controlplane import wait_until
from gatehold.cli.exits import Exit
from tests.cli.stage import Stage, stamp

Json = dict[str, Any]


# ---- list and show


def test_what_waits_for_me_comes_first(stage: Stage, name: str) -> None:
    for part in ("a-done", "b-said", "c-mine"):
        stage.request(f"{name}-{part}")
        stage.prepare(f"{name}-{part}")
    stage.cli("bob", "deny", f"{name}-a-done", "-m", "no", "--yes")
    stage.end(f"{name}-a-done", "Denied")
    stage.cli("alice", "approve", f"{name}-b-said", "-m", "x", "--yes")
    shown = stage.cli("alice", "list", "-o", "name").out.splitlines()
    mine = stage.cli("alice", "list", "--mine", "-o", "name").out
    everything = stage.cli("alice", "list", "--all", "-o", "json")
    assert f"{name}-c-mine" in mine
    assert f"{name}-b-said" not in mine
    assert shown.index(f"approvalrequest.gatehold.dev/{name}-c-mine") < shown.index(
        f"approvalrequest.gatehold.dev/{name}-b-said"
    )
    assert not any(line.endswith("a-done") for line in shown)
    assert f"{name}-a-done" in [item["metadata"]["name"] for item in json.loads(everything.out)["items"]]
    assert f"{name}-c-mine" not in stage.cli("ci", "list", "--mine").out


def test_show_says_what_who_and_until_when(stage: Stage, name: str) -> None:
    stage.job(name)
    stage.cli("ci", "ask", "--job", name, "--name", name, "--summary", "Shall it run?", "--evidence", "rows=12 million")
    stage.prepare(name)
    said = stage.cli("alice", "show", name).out
    for part in ("Shall it run?", "example.org/migrate:4.2", "migrate --all", "12 million", "Expired", "stays held",
                 "hold sre",
                 f"gatehold approve {name} -n shop"):  # fmt: skip
        assert part in said
    assert "warning" not in said
    assert "not compared with the policy itself" in stage.cli("carol", "show", name).out


# ---- wait


def test_wait_follows_to_the_end_and_pins_the_uid(stage: Stage, name: str) -> None:
    stage.request(name)
    stage.prepare(name)
    with stage.waiting("dana", name, "--timeout", "150s") as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        stage.cli("alice", "approve", name, "-m", "x", "--yes")
        stage.cli("carol", "approve", name, "-m", "x", "--yes")
        stage.end(name, "Approved", approvals="2/2", validUntil=stamp(datetime.now(UTC) + timedelta(hours=1)))
        said, also = process.communicate(timeout=150)
    assert process.returncode == Exit.OK, also
    assert f"{name} is Approved" in said
    assert "pending, waits for 1 of sre, 1 of finance" in first
    assert stage.cli("dana", "wait", name, "--uid", "another").code == Exit.GONE


def test_wait_says_denied_timeout_and_lapsed_by_its_code(stage: Stage, name: str) -> None:
    for part in ("denied", "waits", "stale"):
        stage.request(f"{name}-{part}")
        stage.prepare(f"{name}-{part}")
    stage.cli("bob", "deny", f"{name}-denied", "-m", "no", "--yes")
    stage.end(f"{name}-denied", "Denied")
    denied = stage.cli("dana", "wait", f"{name}-denied", "-o", "json")
    assert denied.code == Exit.NO
    assert json.loads(denied.out)["status"]["phase"] == "Denied"
    assert stage.cli("dana", "wait", f"{name}-waits", "--timeout", "1s").code == Exit.TIMEOUT
    for person in ("alice", "carol"):
        stage.cli(person, "approve", f"{name}-stale", "-m", "x", "--yes")
    stage.end(f"{name}-stale", "Approved", approvals="2/2", validUntil=stamp(datetime.now(UTC) - timedelta(seconds=1)))
    assert stage.cli("dana", "wait", f"{name}-stale").code == Exit.LAPSED
    assert stage.cli("dana", "wait", "no-such-request").code == Exit.ABSENT


def test_wait_notices_that_the_request_went(stage: Stage, name: str) -> None:
    stage.request(name)
    with stage.waiting("dana", name, "--timeout", "150s") as process:
        assert process.stderr is not None
        assert "has not looked at it yet" in process.stderr.readline()
        stage.plane.kubectl("delete", "apr", name, "-n", "shop", user=stage.operator.kubeconfig)
        _, also = process.communicate(timeout=150)
    assert process.returncode == Exit.GONE, also


def test_the_live_line_counts_down_on_a_terminal(stage: Stage, name: str) -> None:
    stage.request(name)
    stage.prepare(name, minutes=5)

    def shown() -> set[str]:
        """What it has said so far of the time that is left."""
        return set(re.findall(r"(\d+m\d+s) left", stage.said[1].getvalue()))

    def play() -> None:
        wait_until(lambda: len(shown()) > 1, "it has counted", 90)
        stage.plane.kubectl("delete", "apr", name, "-n", "shop", user=stage.operator.kubeconfig)

    player = threading.Thread(target=play)
    player.start()
    ended = stage.cli("dana", "wait", name, "--timeout", "150s", tty=200)
    player.join()
    assert ended.code == Exit.GONE, ended.err
    assert all(text < "5m" for text in shown())


# ---- verify


def test_a_true_record_verifies_live_and_saved(stage: Stage, name: str, tmp_path: Path) -> None:
    stage.job(name)
    stage.cli("ci", "ask", "--job", name, "--name", name)
    stage.prepare(name)
    live = stage.cli("alice", "verify", name)
    assert live.code == Exit.OK, live.out
    file = tmp_path / "x"
    for form in ("json", "yaml"):
        file.write_text(stage.cli("alice", "show", name, "-o", form).out)
        assert stage.cli("alice", "verify", "--file", str(file)).code == Exit.OK
        assert stage.cli("alice", "verify", name, "--file", str(file)).code == Exit.OK
    file.write_text(file.read_text().replace("name: prod", "name: dev"))
    changed = stage.cli("alice", "verify", name, "--file", str(file))
    assert changed.code == Exit.NO
    assert 'spec.policyRef.name: "dev" here, "prod" there' in changed.out


def test_another_job_under_the_same_name_is_noticed(stage: Stage, name: str) -> None:
    stage.job(name)
    stage.cli("ci", "ask", "--job", name, "--name", name)
    stage.prepare(name)
    stage.plane.kubectl("delete", "job", name, "-n", "shop", "--cascade=background")
    gone = stage.cli("alice", "verify", name)
    assert (gone.code, "is not there any more" in gone.out) == (Exit.OK, True)
    stage.job(name, image="example.org/other:1")
    other = stage.cli("alice", "verify", name)
    assert (other.code, "another Job stands under this name" in other.out) == (Exit.NO, True)
