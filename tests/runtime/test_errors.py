"""Which of the API server's answers are a no that stays, and which are only bad luck."""

import json
from typing import Any

import pytest

from gatehold.kube.errors import (
    ApiError,
    Cause,
    Conflict,
    Forbidden,
    Invalid,
    TooManyRequests,
    Unavailable,
    from_answer,
    is_refusal,
)

HOOK = 'admission webhook "a.b" denied the request: not today'
LOST = 'Internal error occurred: failed calling webhook "a.b": failed to call webhook: Post "https://x": no route'
ROWS: dict[str, tuple[ApiError, bool]] = {
    "RBAC or a policy says no": (Forbidden("jobs is forbidden", status=403), True),
    "the object is not taken": (Invalid("spec is immutable", status=422), True),
    "a webhook says no with a code of its own": (Conflict(HOOK, status=409), True),
    "a webhook says no as if it were overload": (TooManyRequests(HOOK, status=429), True),
    "a webhook does not answer": (Unavailable(LOST, status=500), True),
    "somebody wrote first": (Conflict("the object has been modified", status=409), False),
    "too much at once": (TooManyRequests("slow down", status=429), False),
    "an error of the server's own": (Unavailable("etcdserver: request timed out", status=500), False),
    "nobody is there": (Unavailable("no answer in time"), False),
}


@pytest.mark.parametrize(("error", "refused"), ROWS.values(), ids=ROWS)
def test_it_is_a_refusal_where(error: ApiError, *, refused: bool) -> None:
    assert is_refusal(error) is refused


CAUSES: dict[str, tuple[Any, tuple[Cause, ...]]] = {
    "listed": ({"causes": [{"reason": "DisruptionBudget", "message": "why"}]}, (Cause("DisruptionBudget", "why"),)),
    "half said": ({"causes": [{}, "x"]}, (Cause("", ""),)),
    "not listed": ({"causes": "x"}, ()),
    "no details": (None, ()),
}


@pytest.mark.parametrize(("details", "causes"), CAUSES.values(), ids=CAUSES)
def test_an_answer_keeps_its_causes(details: Any, causes: tuple[Cause, ...]) -> None:
    assert from_answer(429, {}, json.dumps({"message": "no", "details": details}).encode()).causes == causes
