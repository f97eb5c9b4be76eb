"""`ask` on a real API server with the wall, stamped and in the stored form."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from gatehold.cli.asking import key_name
from gatehold.cli.exits import Exit
from tests.cli.stage import Stage

Json = dict[str, Any]


# ---- ask


def test_a_held_job_is_asked_about_by_uid_and_digest(both: Stage, name: str) -> None:
    job, undo = both.job(name), both.job(f"{name}-undo")
    ended = both.cli("ci", "ask", "--job", name, "--undo-job", f"{name}-undo", "--effect-timeout", "5m", "--summary", "Go?")
    assert ended.code == Exit.OK, ended.err
    assert ended.err == ""
    made = both.get("apr", ended.out.strip())
    assert made["spec"]["policyRef"] == {"name": "prod"}
    assert made["spec"]["requester"]["username"] == "ci"
    assert made["spec"]["subject"]["uid"] == job["metadata"]["uid"]
    undone = {"name": f"{name}-undo", "uid": undo["metadata"]["uid"]}
    assert made["spec"]["effect"] == {"type": "Release", "release": {"undo": undone, "timeoutSeconds": 300}}
    digest = both.cli("ci", "verify", f"job/{name}")
    assert made["spec"]["subject"]["digest"] in digest.out


def test_the_same_key_and_spec_is_the_same_request(both: Stage, name: str) -> None:
    words = ("ask", "--policy", "prod", "--subject", "Change/1", "--key", name)
    first, second = both.cli("ci", *words), both.cli("ci", *words)
    assert (first.code, second.code) == (Exit.OK, Exit.OK), first.err + second.err
    assert first.out == second.out == f"{key_name(name)}\n"
    other = both.cli("ci", *words, "--summary", "something else")
    assert other.code == Exit.KEY_TAKEN
    assert 'spec.summary: "something else" here, absent there' in other.err


def test_one_key_asked_at_once_by_many_is_one_request(stage: Stage, name: str) -> None:
    """Each in a process of its own, as pipelines are."""
    words = ("ask", "--policy", "prod", "--subject", "Change/1", "--key", name)
    with ThreadPoolExecutor(4) as pool:
        ended = list(pool.map(lambda _: stage.program("ci", *words), range(4)))
    assert [done.returncode for done in ended] == [0] * 4, [done.stderr for done in ended]
    assert {done.stdout for done in ended} == {f"{key_name(name)}\n"}


def test_somebody_elses_key_is_not_ones_own(stage: Stage, name: str) -> None:
    words = ("ask", "--policy", "prod", "--subject", "Change/1", "--key", name)
    assert stage.cli("ci", *words).code == Exit.OK
    ended = stage.cli("admin", *words)
    assert ended.code == Exit.KEY_TAKEN
    assert "spec.requester: admin here, ci there" in ended.err


def test_a_file_and_flags_go_together_and_stdin_is_a_file(stage: Stage, name: str, tmp_path: Path) -> None:
    body = {"kind": "ApprovalRequest", "metadata": {"name": name, "namespace": "shop"},
            "spec": {"policyRef": {"name": "prod"}, "summary": "old",
                     "subject": {"kind": "Change", "name": "x"}}}  # fmt: skip
    file = tmp_path / "x.json"
    file.write_text(json.dumps(body))
    dry = stage.cli("ci", "ask", "-f", str(file), "--summary", "new", "--dry-run", "server", "-o", "json")
    assert json.loads(dry.out)["spec"]["summary"] == "new"
    piped = stage.cli("ci", "ask", "-f", "-", "-o", "name", stdin=json.dumps(body))
    assert piped.out == f"approvalrequest.gatehold.dev/{name}\n"
    elsewhere = {**body, "metadata": {"name": name, "namespace": "other"}}
    assert stage.cli("ci", "ask", "-f", "-", stdin=json.dumps(elsewhere)).code == Exit.USAGE


def test_what_cannot_be_asked_is_said_with_the_reason(stage: Stage, name: str) -> None:
    assert stage.cli("ci", "ask", "--job", "no-such-job").code == Exit.ABSENT
    refused = stage.cli("dana", "ask", "--policy", "prod", "--subject", "Change/x")
    assert refused.code == Exit.REFUSED
    stage.job(name, hold="")
    assert "is not held" in stage.cli("ci", "ask", "--job", name).err
    unknown = stage.cli("ci", "ask", "--policy", "else", "--subject", "Change/x")
    assert "you may not open requests under policy else" in unknown.err
    assert stage.cli("ci", "ask", "--subject", "Change/x").code == Exit.USAGE
