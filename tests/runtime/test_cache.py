"""The cache of requests: newest version wins, indexes follow, and a hundred thousand of them fit."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gatehold.runtime.cache import Store
from gatehold.runtime.objects import Objects
from gatehold.runtime.packing import pack, unpack
from gatehold.runtime.versions import is_older
from tests.runtime.support import request_body, summarise


def stored(
    name: str, version: int = 1, *, phase: str = "", annotations: dict[str, str] | None = None, **more: str
) -> dict[str, Any]:
    body = request_body(name, "n", **more)
    body["metadata"] |= {
        "uid": f"uid-{name}",
        "resourceVersion": str(version),
        "creationTimestamp": f"2026-01-01T00:00:{len(name):02d}Z",
    }
    if annotations:
        body["metadata"]["annotations"] = annotations
    if phase:
        body["status"] = {"phase": phase, "requestDigest": "sha256:x"}
    return body


def test_bodies_come_back_whole_without_managed_fields() -> None:
    body = stored("a") | {"spec": {"text": "žluťoučký \U0001f40e \ud800", "n": [1, 2, None, True]}}
    with_fields = body | {"metadata": body["metadata"] | {"managedFields": [{"manager": "x"}]}}
    assert unpack(pack(with_fields)) == body
    assert "managedFields" in with_fields["metadata"]


def test_resource_versions_compare_as_numbers_only() -> None:
    assert is_older("9", "10")
    assert not is_older("10", "9")
    assert not is_older("x9", "10")
    assert not is_older("10", "10")


def test_an_older_or_equal_version_changes_nothing() -> None:
    store = Store(summarise)
    assert store.upsert(stored("a", 10), None)
    assert not store.upsert(stored("a", 9, phase="Approved"), None)
    assert not store.upsert(stored("a", 10), None)
    record = store.get("uid-a")
    assert record is not None
    assert record.summary.phase == ""
    assert store.upsert(stored("a", 11, phase="Approved"), None)
    assert record.summary.phase == "Approved"
    assert store.versions() == {"uid-a": "11"}


def test_indexes_follow_every_change() -> None:
    store = Store(summarise)
    subject = ("batch/v1", "Job", "n", "job")
    store.upsert(stored("aa", 1, subject="job"), None)
    store.upsert(stored("a", 2, subject="job"), None)
    store.upsert(stored("b", 3, policy="q"), None)
    assert [record.name for record in store.by_subject(subject)] == ["a", "aa"]
    assert store.policies_with_pending() == {"p": 2, "q": 1}
    assert store.pending_of_policy("p") == 2
    assert store.pending_of_author("n", "ann") == 3
    assert (store.rank_in_policy("uid-a"), store.rank_in_policy("uid-aa")) == (0, 1)
    assert store.rank_in_author("uid-aa") == 2
    assert {record.name for record in store.unprepared_of_policy("p")} == {"a", "aa"}
    assert store.phases() == {"": 3}
    assert store.oldest_pending() == "2026-01-01T00:00:01Z"

    store.upsert(stored("a", 4, subject="job", phase="Pending"), None)
    assert {record.name for record in store.unprepared_of_policy("p")} == {"aa"}
    store.upsert(stored("a", 5, subject="job", phase="Approved"), None)
    assert store.pending_of_policy("p") == 1
    assert len(store.by_subject(subject)) == 2
    assert store.phases() == {"": 2, "Approved": 1}

    assert store.remove("uid-a") is not None
    assert store.remove("uid-a") is None
    store.remove("uid-aa")
    store.remove("uid-b")
    assert store.by_subject(subject) == ()
    assert store.policies_with_pending() == {}
    assert store.phases() == {}
    assert store.oldest_pending() is None
    assert len(store) == 0


def test_a_verdict_is_remembered_from_when_it_was_seen_first() -> None:
    store = Store(summarise)
    verdict = "verdict.gatehold.dev/1"
    store.upsert(stored("a", 1, annotations={verdict: "x", "other": "y"}), 100.0)
    store.upsert(stored("a", 2, annotations={verdict: "x", "verdict.gatehold.dev/2": "z"}), 200.0)
    assert store.seen_at("uid-a", verdict) == 100.0
    assert store.seen_at("uid-a", "verdict.gatehold.dev/2") == 200.0
    assert store.seen_at("uid-a", "other") is None
    # It vanishes and comes back: it was seen when it was seen.
    store.upsert(stored("a", 3), 300.0)
    store.upsert(stored("a", 4, annotations={verdict: "x"}), 400.0)
    assert store.seen_at("uid-a", verdict) == 100.0
    # Another word under the same key is another verdict.
    store.upsert(stored("a", 5, annotations={verdict: "changed"}), 500.0)
    assert store.seen_at("uid-a", verdict) == 500.0


def test_a_verdict_seen_without_a_clock_gets_the_first_time_that_is_known() -> None:
    store = Store(summarise)
    verdict = "verdict.gatehold.dev/1"
    store.upsert(stored("a", 1, annotations={verdict: "x"}), None)
    assert store.seen_at("uid-a", verdict) is None
    store.upsert(stored("a", 2, annotations={verdict: "x"}), 7.0)
    assert store.seen_at("uid-a", verdict) == 7.0


def test_the_body_is_a_copy() -> None:
    store = Store(summarise)
    store.upsert(stored("a", 1), None)
    body = store.body("uid-a")
    assert body is not None
    body["spec"]["summary"] = "changed"
    again = store.body("uid-a")
    assert again is not None
    assert again["spec"]["summary"] == "may this go on?"
    assert store.body("nobody") is None


def test_objects_find_by_name_and_keep_the_newer_of_two_with_one_name() -> None:
    objects = Objects()
    old = {"metadata": {"uid": "1", "name": "j", "namespace": "n", "resourceVersion": "5"}}
    new = {"metadata": {"uid": "2", "name": "j", "namespace": "n", "resourceVersion": "9"}}
    assert objects.upsert(old)
    assert not objects.upsert(old)
    assert objects.upsert(new)
    assert objects.remove("1") is not None
    found = objects.get("n", "j")
    assert found is not None
    assert found["metadata"]["uid"] == "2"
    assert objects.by_uid("2") == found
    objects.remove("2")
    assert objects.get("n", "j") is None
    assert len(objects) == 0


MEASURE = """
import resource, sys
from pathlib import Path
from tests.runtime.support import request_body, summarise
import kopf, kubernetes.aio.client, gatehold.runtime.operator
from gatehold.runtime.cache import Store

def rss():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**20

base, store, count = rss(), Store(summarise), int(sys.argv[1])
for number in range(count):
    body = request_body(f"web-{number:06d}", f"team-{number % 50}", policy=f"policy-{number % 20}")
    body["metadata"] |= {
        "uid": f"{number:08x}-1111-4222-8333-{number * 7919 % 2**48:012x}",
        "resourceVersion": str(1_000_000 + number),
        "creationTimestamp": f"2026-01-01T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:00Z",
        "generation": 1, "annotations": {"gatehold.dev/prepared-by": "0.1.0"},
    }
    digest = f"{number * 2654435761 % 2**256:064x}"
    body["status"] = {
        "observedGeneration": 1, "phase": "Pending", "requestDigest": "sha256:" + digest, "approvals": "0/2",
        "deadline": "2026-01-02T00:00:00Z", "preparedAt": "2026-01-01T00:00:00.123456Z",
        "policy": {"name": f"policy-{number % 20}", "uid": "u" * 36, "generation": 3, "digest": "sha256:" + digest[::-1]},
        "quorum": [{"role": "sre", "count": 2, "acceptedRoles": ["sre"]}],
        "conditions": [
            {"type": kind, "status": "False", "reason": "WaitingForReviewers", "message": "0 of 2 approvals",
             "observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z"}
            for kind in ("Ready", "Reconciling", "Held", "Approved")
        ],
    }
    store.upsert(body, None)
print(base, rss(), (rss() - base) * 2**20 / count)
"""


@pytest.mark.timeout(900)  # ten seconds of work, of which a busy machine has made ninety
def test_a_hundred_thousand_pending_requests_fit() -> None:
    """The design allows 400 MB for the whole process; what is measured here leaves room for kopf's watch and the queue."""
    root = Path(__file__).resolve().parents[2]
    gc.collect()
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, "100000"],
        cwd=root,
        env={"PYTHONPATH": f"{root / 'operator'}:{root}:{root / 'hack'}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=850,
    )
    base, total, each = map(float, done.stdout.split())
    assert total < 330, f"{base:.0f} MB -> {total:.0f} MB, {each:.0f} bytes a request"
