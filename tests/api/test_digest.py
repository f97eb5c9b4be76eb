"""Digest vectors: the canonical JSON is written by hand here, and its SHA-256 was computed by sha256sum."""

from hashlib import sha256
from typing import Any

import pytest

from gatehold.api.common import ParseError
from gatehold.api.digest import (
    digest,
    job_digest,
    policy_digest,
    request_digest,
    rollout_digest,
    strategy_digest,
    template_digest,
)

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
    "a template, whose nulls say nothing": (
        template_digest(
            {
                "metadata": {"labels": {"app": "web"}, "creationTimestamp": None},
                "spec": {"containers": [CONTAINER | {"tty": None}]},
            }
        ),
        (
            '{"scheme":"gatehold.dev/template/v1","template":{"metadata":{"labels":{"app":"web"}},'
            '"spec":{"containers":[{"image":"img:1","name":"c"}]}}}'
        ),
        "4085cdfbd6762324ff9430abd4d8bbe8e72876965b295799857e752c8949ab40",
    ),
    "a strategy, whose empty members say nothing": (
        strategy_digest({"canary": {"steps": [{"setWeight": 20}], "x": {}}, "y": {}}),
        '{"scheme":"gatehold.dev/strategy/v1","strategy":{"canary":{"steps":[{"setWeight":20}]}}}',
        "65187a925df585d865eb7478b56454d8f613aa88ccdf3f25bd531212e11f5bff",
    ),
    "no strategy": (
        strategy_digest(None),
        '{"scheme":"gatehold.dev/strategy/v1","strategy":null}',
        "e39a66744fd00bdb375f913f3eb5dd426e2f30b6c59cf2704c4cd8e31341c90e",
    ),
    "a promotion, its image ids in order": (
        rollout_digest("r-1", "sha256:aa", "sha256:bb", ["b=2", "a=1"]),
        (
            '{"imageIDs":["a=1","b=2"],"scheme":"gatehold.dev/rollout/v1","strategy":"sha256:bb",'
            '"template":"sha256:aa","uid":"r-1"}'
        ),
        "199c39a537cd3249cb76507538a89530c2e58ca0ab2833ffb1fb14e6d969a00f",
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


@pytest.mark.parametrize("strategy", [None, {}, {"canary": {}}, {"canary": None}, {"canary": {"steps": []}}], ids=str)
def test_a_strategy_that_says_nothing_is_none(strategy: Any) -> None:
    assert strategy_digest(strategy) == strategy_digest(None)


def test_what_is_empty_within_a_step_is_a_part_of_it() -> None:
    steps = [{"approval": {"policyRef": {"name": "p"}, "links": []}}, {"approval": {"policyRef": {"name": "p"}}}]

    assert len({strategy_digest({"canary": {"steps": [step]}}) for step in steps}) == 2


def test_a_template_without_end_has_no_digest() -> None:
    value: dict[str, Any] = {}
    for _ in range(100_000):
        value = {"a": value}
    with pytest.raises(ParseError, match="no digest"):
        template_digest(value)
