"""Digest vectors: the canonical JSON is written by hand here, and its SHA-256 was computed by sha256sum."""

from hashlib import sha256
from typing import Any

import pytest

from gatehold.api.common import ParseError
from gatehold.api.digest import digest, job_digest, policy_digest, request_digest

CONTAINER = {"name": "c", "image": "img:1"}
JOB = {"template": {"spec": {"containers": [CONTAINER]}}, "suspend": True, "backoffLimit": 0}

VECTORS: dict[str, tuple[str, str, str]] = {
    "a policy": (
        policy_digest({"quorum": [{"role": "sre", "count": 2}]}),
        '{"scheme":"gatehold.dev/policy/v1","spec":{"quorum":[{"count":2,"role":"sre"}]}}',
        "8a292a810831ddd2461dfc29b1f5975bfa3000d5ee221ebe2f78be907522388d",
    ),
    "an empty policy": (
        policy_digest({}),
        '{"scheme":"gatehold.dev/policy/v1","spec":{}}',
        "64536e5c5e3561ae89071acaf0e5cea68ca6ff5b01e23ad2daf35b15db30a562",
    ),
    "keys by UTF-16 units, the largest exact integer, null, true, negative numbers": (
        policy_digest({"\ufb33": "", "😀": [1, -1, 0], "€": None, "ä": True, "a": 2**53 - 1}),
        '{"scheme":"gatehold.dev/policy/v1","spec":{"a":9007199254740991,"ä":true,"€":null,"😀":[1,-1,0],"\ufb33":""}}',
        "7d2e43ad30ddb9786e0f0437c3e70aa289883c9fde0dd803a3ab193cbe8dd300",
    ),
    "a request, its text with quotes, a backslash, a line feed and letters": (
        request_digest(
            "r-1",
            {"summary": 'é€"\\\n', "policyRef": {"name": "prod"}},
            {"job": {"uid": "u-1", "name": "migrate"}},
            "sha256:bb",
        ),
        (
            '{"policyDigest":"sha256:bb","resolved":{"job":{"name":"migrate","uid":"u-1"}},'
            '"scheme":"gatehold.dev/request/v1","spec":{"policyRef":{"name":"prod"},"summary":"é€\\"\\\\\\n"},"uid":"r-1"}'
        ),
        "801cde0c79bb3f3abe544dd1b29e5ff6c6c3b24e2696fc01272d35412adbb994",
    ),
    "a Job, without suspend": (
        job_digest("u-1", JOB),
        (
            '{"scheme":"gatehold.dev/job/v1","spec":{"backoffLimit":0,"template":{"spec":{"containers":'
            '[{"image":"img:1","name":"c"}]}}},"uid":"u-1"}'
        ),
        "54fc19d5fa2ed3850e1adfa80dcbed2d07a0b51e9e324d9174b81c629d5ec704",
    ),
}


@pytest.mark.parametrize(("found", "canonical", "expected"), VECTORS.values(), ids=VECTORS)
def test_the_digest_of(found: str, canonical: str, expected: str) -> None:
    assert sha256(canonical.encode()).hexdigest() == expected
    assert found == f"sha256:{expected}"


def test_a_job_has_the_same_digest_held_and_let_go_and_another_as_soon_as_anything_else_differs() -> None:
    held = job_digest("u-1", JOB)
    others = [
        job_digest("u-2", JOB),
        job_digest("u-1", JOB | {"backoffLimit": 1}),
        job_digest("u-1", JOB | {"parallelism": 1}),
        job_digest("u-1", JOB | {"template": {"spec": {"containers": [CONTAINER | {"image": "img:2"}]}}}),
        job_digest("u-1", JOB | {"template": {"spec": {"containers": [CONTAINER], "suspend": True}}}),
    ]

    assert held == job_digest("u-1", JOB | {"suspend": False}) == job_digest("u-1", {k: JOB[k] for k in sorted(JOB)})
    assert len({held, *others}) == 6


def test_what_is_absent_is_not_what_is_empty() -> None:
    """No defaults: a field that is added to a CRD later must not change what was approved."""
    specs: list[dict[str, Any]] = [{}, {"options": []}, {"options": None}, {"options": [{}]}, {"summary": ""}]

    assert len({request_digest("r", spec, {}, "sha256:bb") for spec in specs}) == len(specs)


def test_two_kinds_never_share_a_digest() -> None:
    assert job_digest("", {}) != policy_digest({})
    assert request_digest("u", {}, {}, "") != job_digest("u", {})


def deep(levels: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(levels):
        found = {"a": found}
    return found


@pytest.mark.parametrize(
    "value",
    [{"n": 2**53}, {"n": -(2**53)}, {"n": float("nan")}, {"s": "\ud800"}, {1: "a"}, {"x": object()}, deep(100_000)],
    ids=["too large", "too small", "no number", "half a character", "a key that is no text", "no JSON", "too deep"],
)
def test_what_json_cannot_carry_exactly_has_no_digest(value: dict[Any, Any]) -> None:
    with pytest.raises(ParseError, match="no exact canonical JSON"):
        digest(value)
