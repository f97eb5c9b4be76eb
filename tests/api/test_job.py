"""A Job as the API server gives it: what a release looks at, and what a reviewer is shown."""

from typing import Any

import pytest

from gatehold.api.common import ParseError
from gatehold.api.digest import job_digest
from gatehold.api.job import facts, pods_left, resolved
from gatehold.domain.plan import JobFacts, PodFacts
from gatehold.domain.status import ResolvedJob

SPEC: dict[str, Any] = {
    "backoffLimit": 0,
    "completionMode": "NonIndexed",
    "completions": 1,
    "manualSelector": False,
    "parallelism": 1,
    "podReplacementPolicy": "TerminatingOrFailed",
    "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "job-uid"}},
    "suspend": True,
    "template": {
        "metadata": {"labels": {"batch.kubernetes.io/job-name": "migrate"}},
        "spec": {
            "containers": [
                {
                    "name": "main",
                    "image": "registry.example/migrate@sha256:abc",
                    "command": ["/bin/migrate"],
                    "args": ["--to", "42"],
                    "resources": {"requests": {"cpu": "100m"}},
                    "terminationMessagePath": "/dev/termination-log",
                }
            ],
            "restartPolicy": "Never",
            "securityContext": {},
            "terminationGracePeriodSeconds": 30,
        },
    },
}


def body(**changes: Any) -> dict[str, Any]:
    """A held Job, freshly created; `metadata`, `spec` and `status` are merged in."""
    meta = {
        "name": "migrate",
        "namespace": "shop",
        "uid": "job-uid",
        "resourceVersion": "41",
        "generation": 1,
        "creationTimestamp": "2026-03-01T12:00:00Z",
        "labels": {"gatehold.dev/hold": "prod", "app": "shop"},
    }
    parts = {"metadata": meta, "spec": SPEC, "status": {}}
    merged = {key: value | changes.pop(key, {}) for key, value in parts.items()}
    return {"apiVersion": "batch/v1", "kind": "Job"} | merged | changes


HELD = JobFacts("migrate", "job-uid", "41", job_digest("job-uid", SPEC), "prod", suspended=True)


def condition(kind: str, status: str = "True", reason: str = "") -> dict[str, Any]:
    return {"type": kind, "status": status, "lastTransitionTime": "2026-03-01T12:00:00Z"} | (
        {"reason": reason} if reason else {}
    )


ROWS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "held": (body(), {}),
    "held, its status not written yet": (body(status={}) | {"status": None}, {}),
    "released by us": (
        body(
            metadata={"annotations": {"gatehold.dev/released-by": "r-1"}, "finalizers": ["gatehold.dev/outcome", "x/y"]},
            spec={"suspend": False},
            status={"active": 1, "ready": 1, "startTime": "2026-03-01T12:00:00Z", "uncountedTerminatedPods": {}},
        ),
        {"suspended": False, "released_by": "r-1", "has_finalizer": True, "active": 1},
    ),
    "never suspended": (
        body() | {"spec": {k: v for k, v in SPEC.items() if k != "suspend"}},
        {"suspended": False},
    ),
    "closed by us": (body(metadata={"annotations": {"gatehold.dev/closed-by": "r-1"}}), {"closed_by": "r-1"}),
    "let go by hand": (
        body(metadata={"annotations": {"gatehold.dev/override": "INC-1 ☎"}}, spec={"suspend": False}),
        {"suspended": False, "overridden": "INC-1 ☎"},
    ),
    "complete": (
        body(status={"succeeded": 1, "conditions": [condition("SuccessCriteriaMet"), condition("Complete")]}),
        {"complete": True, "succeeded": 1},
    ),
    "failed": (
        body(
            status={
                "failed": 7,
                "conditions": [condition("FailureTarget"), condition("Failed", reason="BackoffLimitExceeded")],
            }
        ),
        {"failed": True, "failure": "BackoffLimitExceeded", "failures": 7},
    ),
    "not failed any more": (body(status={"conditions": [condition("Failed", "False", "x")]}), {}),
    "suspended, says its controller": (body(status={"conditions": [condition("Suspended")]}), {}),
    "being deleted": (body(metadata={"deletionTimestamp": "2026-03-01T12:00:00Z"}), {"deleting": True}),
    "without a label": (body(metadata={"labels": None}), {"hold": ""}),
    "with metadata that an apply has emptied": (body(metadata={"annotations": None, "finalizers": None}), {}),
}


@pytest.mark.parametrize(("wire", "changes"), ROWS.values(), ids=ROWS)
def test_the_facts_of_a_job_that_is(wire: dict[str, Any], changes: dict[str, Any]) -> None:
    found = facts(wire)

    assert {name: getattr(found, name) for name in changes} == changes
    assert all(getattr(found, n) == getattr(HELD, n) for n in JobFacts.__slots__ if n not in changes)


def test_the_digest_is_of_the_spec_as_it_stands_whoever_runs_it() -> None:
    released = body(spec={"suspend": False}, metadata={"labels": {"x": "y"}}, status={"active": 3})

    assert facts(released).digest == HELD.digest
    assert facts(body(spec={"backoffLimit": 1})).digest != HELD.digest


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no metadata": (body(metadata={}) | {"metadata": None}, "metadata: model_type"),
    "no uid": (body(metadata={"uid": None}), "metadata.uid: string_type"),
    "no spec": (body() | {"spec": None}, "spec: model_type"),
    "a spec that is a list": (body() | {"spec": []}, "spec: model_type"),
    "no template": (body() | {"spec": {"suspend": True}}, "spec.template: missing"),
    "no containers": (body(spec={"template": {"spec": {}}}), "spec.template.spec.containers: missing"),
    "suspend in words": (body(spec={"suspend": "true"}), "spec.suspend: bool_type"),
    "pods that are no number": (body(status={"active": "1"}), "status.active: int_type"),
    "an integer that JSON cannot carry exactly": (body(spec={"activeDeadlineSeconds": 2**60}), "no exact canonical JSON"),
}


@pytest.mark.parametrize(("wire", "text"), BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("read", [facts, resolved], ids=["facts", "resolved"])
def test_it_is_no_job_with(read: Any, wire: dict[str, Any], text: str) -> None:
    with pytest.raises(ParseError, match=text):
        read(wire)


def test_what_a_reviewer_is_shown() -> None:
    assert resolved(body()) == ResolvedJob(
        "migrate",
        "job-uid",
        HELD.digest,
        ("registry.example/migrate@sha256:abc",),
        ("/bin/migrate --to 42",),
        "default",
    )


def test_init_containers_are_shown_first_and_what_an_image_does_by_itself_is_said() -> None:
    pod = {
        "initContainers": [{"name": "i", "image": "init:1", "args": ["wait"]}],
        "containers": [{"name": "a", "image": "a:1", "command": None}, {"name": "b"}],
        "serviceAccountName": "migrator",
    }
    found = resolved(body(spec={"template": {"spec": pod}}))

    assert found.images == ("init:1", "a:1", "")
    assert found.commands == ("wait", "(the image's own)", "(the image's own)")
    assert found.service_account == "migrator"


def test_what_is_cut_says_so() -> None:
    """A reviewer must never take a part for the whole: the digest is about all of it."""
    many = [{"name": f"c{n}", "image": f"i:{n}", "command": ["é" * 1022 if n == 0 else "x" * 1025]} for n in range(34)]
    found = resolved(body(spec={"template": {"spec": {"containers": many}}}))

    assert (len(found.images), len(found.commands)) == (33, 33)
    assert found.images[-1] == found.commands[-1] == "(2 more containers)"
    assert found.commands[0] == "'" + "é" * 1022 + "'"
    assert found.commands[1] == "x" * 1023 + "…"


def pod(name: str, phase: str = "Running", **changes: Any) -> dict[str, Any]:
    wire = {"metadata": {"name": name}, "spec": {"nodeName": "n1", "terminationGracePeriodSeconds": 7}}
    return wire | {"status": {"phase": phase}} | changes


def test_the_pods_that_are_left_are_named_in_order_and_what_has_ended_is_gone() -> None:
    found = pods_left([pod("c"), pod("a", "Succeeded"), pod("b", "Pending"), pod("d", "Failed"), pod("e", "Unknown")])

    assert found == (PodFacts("b", "n1", 7), PodFacts("c", "n1", 7), PodFacts("e", "n1", 7))


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        (pod("a", spec={}, status=None), PodFacts("a", "", 30)),
        (pod("a", metadata={"name": "a", "deletionGracePeriodSeconds": 0}), PodFacts("a", "n1", 0)),
        (pod("a", metadata={"name": "a", "deletionGracePeriodSeconds": 90}), PodFacts("a", "n1", 90)),
    ],
    ids=["it is on no node and says nothing", "it was told to go at once", "it was told to go later"],
)
def test_a_pod_may_take_as_long_as_it_was_given(wire: dict[str, Any], expected: PodFacts) -> None:
    assert pods_left([wire]) == (expected,)
