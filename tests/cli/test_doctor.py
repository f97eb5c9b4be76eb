"""`doctor` on a real API server without an operator: what it finds, and what it tries itself."""

import json
from typing import Any

from controlplane import wait_until
from gatehold.cli.exits import Exit
from tests.cli.stage import ROOT, Stage

Json = dict[str, Any]
BINDING = ("validatingadmissionpolicybinding", "gatehold-requests")
PROBE = ("-n", "gatehold-system", "approvalrequest", "gatehold-probe")


def test_doctor_finds_the_wall_as_shipped_and_says_what_is_missing(stage: Stage) -> None:
    ended = stage.cli("admin", "doctor", "-o", "json")
    report = json.loads(ended.out)
    found = {(f["part"], f["level"]) for f in report["findings"]}
    assert ("Wall", "ok") in found
    assert ("Wall", "problem") not in found
    assert ("Bypass", "problem") not in found
    assert ("Quorum", "problem") not in found
    texts = [f["text"] for f in report["findings"]]
    assert "gatehold-stamp turns words into verdicts" in texts
    assert "gatehold-stamp-authors names who changed a Rollout" in texts
    assert "gatehold-stamp-nodes names who cordoned a gated node" in texts
    assert ended.code == Exit.NO  # no operator runs here
    assert {f["part"] for f in report["findings"] if f["level"] == "problem"} == {"Operator", "Probe"}
    holders = {
        right["role"] or right["verb"]: [h["subject"] for h in right["holders"]] for right in report["rights"]["prod"]
    }
    assert holders["sre"] == ["user:alice", "user:bob"]
    assert holders["override"] == ["user:olga"]


def test_doctor_finds_a_loosened_wall_and_a_wildcard(old_stage: Stage) -> None:
    plane = old_stage.plane
    plane.kubectl("create", "role", "everything", "-n", "shop", "--verb=*", "--resource=*.*")
    plane.kubectl("create", "rolebinding", "everything", "-n", "shop", "--role=everything", "--user=eve")
    patch = '{"spec": {"validationActions": ["Audit"]}}'
    plane.kubectl("patch", "validatingadmissionpolicybinding", "gatehold-jobs", "--type=merge", "-p", patch)
    try:
        report = json.loads(old_stage.cli("admin", "doctor", "-o", "json").out)
    finally:
        plane.kubectl(
            "apply",
            "--server-side",
            "--force-conflicts",
            "-f",
            str(ROOT / "manifests/wall/13-jobs.yaml"),
        )
        plane.kubectl("delete", "rolebinding", "everything", "-n", "shop")
    absent = [(f["text"], f["next"]) for f in report["findings"] if "is not installed" in f["text"]]
    assert [(text.split()[0], command.rsplit("/", 1)[1]) for text, command in absent] == [
        ("gatehold-stamp", "20-stamp.yaml"),
        ("gatehold-stamp-authors", "21-stamp-authors.yaml"),
        ("gatehold-stamp-nodes", "22-stamp-nodes.yaml"),
    ]
    problems = {f["part"]: f for f in report["findings"] if f["level"] == "problem" and f["part"] in {"Wall", "Bypass"}}
    assert "gatehold-jobs" in problems["Wall"]["text"]
    assert "user:eve" in problems["Bypass"]["text"]
    assert all(f["next"] for f in problems.values())


def test_what_a_person_may_not_read_is_a_finding(stage: Stage) -> None:
    ended = stage.cli("dana", "doctor")
    assert ended.code == Exit.NO
    assert "nothing is known about the wall" in ended.out


def test_doctor_tries_a_forgery_itself(stage: Stage) -> None:
    """The stand-in is no operator, so the probe's request is made here, by the account that makes it."""
    probe = {"apiVersion": "gatehold.dev/v1alpha1", "kind": "ApprovalRequest",
             "metadata": {"name": "gatehold-probe", "namespace": "gatehold-system"},
             "spec": {"policyRef": {"name": "gatehold-probe"}, "subject": {"kind": "Wall", "name": "gatehold"}}}  # fmt: skip
    stage.plane.kubectl("create", "-f", "-", user=stage.operator.kubeconfig, stdin=json.dumps(probe))
    assert forgery_by(stage, "admin")[0] == "ok"
    assert "the wall refused a verdict in another's name" in forgery_by(stage, "admin")[1]
    assert forgery_by(stage, "dana")[0] == "notice"
    assert "something else than the wall refused you first" in forgery_by(stage, "dana")[1]
    stage.plane.kubectl("patch", *BINDING, "--type=merge", "-p", '{"spec": {"validationActions": ["Audit"]}}')
    try:
        wait_until(lambda: forgery_by(stage, "admin")[0] == "problem", "it gets in", 90)
        stored = json.loads(stage.plane.kubectl("get", *PROBE, "-o", "json").stdout)
        assert "verdict.gatehold.dev/999" not in stored["metadata"].get("annotations", {})
    finally:
        shipped = str(ROOT / "manifests/wall/10-requests.yaml")
        stage.plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", shipped)
    wait_until(lambda: forgery_by(stage, "admin")[0] == "ok", "the wall stands again", 90)


def forgery_by(stage: Stage, person: str) -> tuple[str, str]:
    """Level and text of what doctor says of its own try."""
    report = json.loads(stage.cli(person, "doctor", "-o", "json").out)
    (found,) = (finding for finding in report["findings"] if finding["part"] == "Forgery")
    return found["level"], found["text"]
