"""`verify` on a body alone: every way in which a record can contradict itself."""

from typing import Any

import pytest

from gatehold.cli.checks import Result, offline_checks, saved_checks
from tests.cli.bodies import UID, entry, request, verdict

Json = dict[str, Any]


def wrong(body: Json) -> list[str]:
    return [check.name for check in offline_checks(body) if check.result is Result.DIFFERS]


def approved(**status: Any) -> Json:
    ledger = [verdict(0, "approve", "alice", "sre"), verdict(1, "approve", "carol", "finance")]
    decision = {"outcome": "Approved", "by": "People", "at": "2030-01-01T11:40:00Z"}
    return request(status={"phase": "Approved", "verdicts": ledger, "decision": decision, **status})


def test_a_true_record_fits() -> None:
    assert wrong(approved()) == []


def _change_summary(body: Json) -> None:
    body["spec"]["summary"] = "Go!"


def _change_uid(body: Json) -> None:
    body["metadata"]["uid"] = UID.replace("1", "9")


def _change_read(body: Json) -> None:
    body["status"]["resolved"] = {"job": {"name": "m", "uid": "j", "digest": "sha256:" + "0" * 64}}


def _change_policy(body: Json) -> None:
    body["status"]["policy"]["digest"] = "sha256:" + "0" * 64


@pytest.mark.parametrize("change", [_change_summary, _change_uid, _change_read, _change_policy])
def test_whatever_the_digest_covers_shows(change: Any) -> None:
    body = approved()
    change(body)
    assert "Request digest" in wrong(body)


def test_a_verdict_for_another_digest_shows() -> None:
    body = approved()
    body["status"]["verdicts"][1]["digest"] = "sha256:" + "1" * 64
    assert wrong(body) == ["Verdict 1"]


def test_a_record_that_says_another_name_than_its_annotation_shows() -> None:
    body = approved()
    line = f"approve|{body['status']['requestDigest']}|sre|mallory||because"
    body["metadata"]["annotations"]["verdict.gatehold.dev/0"] = line
    assert wrong(body) == ["Verdict 0"]


def test_a_vanished_annotation_is_only_a_note() -> None:
    notes = [check for check in offline_checks(approved()) if check.name.startswith("Verdict")]
    assert [check.result for check in notes] == [Result.NOTE, Result.NOTE]


def test_a_decision_without_its_approvals_shows() -> None:
    assert wrong(approved(quorum=[entry("sre", 2), entry("finance")])) == ["Decision"]
    assert wrong(approved(quorum=[])) == ["Decision"]


def test_an_admitted_deny_that_was_left_out_shows() -> None:
    body = request(
        status={"phase": "Failed", "decision": {"outcome": "Failed", "by": "Operator", "at": "2030-01-01T11:40:00Z"}}
    )
    body["metadata"]["annotations"]["verdict.gatehold.dev/0"] = f"deny|{body['status']['requestDigest']}|sre|bob||no"
    assert wrong(body) == ["Verdict 0"]


def test_what_is_not_prepared_is_not_verified() -> None:
    assert wrong(request(status={"requestDigest": ""})) == ["Request digest"]


def test_what_cannot_be_read_is_not_verified() -> None:
    assert wrong({"kind": "ApprovalRequest", "metadata": {}, "spec": {}}) == ["Object"]


def test_another_job_than_the_one_asked_for_shows() -> None:
    spec = {"subject": {"apiVersion": "batch/v1", "kind": "Job", "name": "m", "uid": "j1"}, "effect": {"type": "Release"}}
    job = {"name": "m", "uid": "j2", "digest": "sha256:" + "0" * 64}
    assert wrong(request(spec=spec, status={"resolved": {"job": job}})) == ["Subject"]


def test_a_saved_object_is_compared_with_the_live_one_path_by_path() -> None:
    saved, live = approved(), approved()
    assert [check.result for check in saved_checks(saved, live)] == [Result.FITS]
    live["spec"]["summary"] = "Went"
    assert [check.detail for check in saved_checks(saved, live)] == ['spec.summary: "Go?" here, "Went" there']
