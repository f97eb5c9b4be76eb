"""Every rule of the wall, and every rule of the CRDs, has an attempt in the table that it refuses. No server needed."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from gatehold.admission.texts import VALIDATING, shipped
from tests.wall.attempt import SCHEMA, Attempt
from tests.wall.conftest import ROOT
from tests.wall.test_table import WHOLE

ELSEWHERE = {
    "this request is being deleted": "test_schema",
    "this request already carries 24 verdicts": "test_limits",
    "at most 16 approvals in all": "test_schema",
}
"""Rules that other tests of this folder try."""


def texts(rule: dict[str, Any]) -> list[str]:
    """What a person can read of it: its message, or the fixed parts of its message expression."""
    if "messageExpression" not in rule:
        return [str(rule["message"])]
    return [part for part in re.findall(r"'([^']*)'", rule["messageExpression"]) if len(part) > 12]


def rules() -> Iterator[tuple[str, list[str]]]:
    for body in shipped():
        if body["kind"] == VALIDATING[0]:
            for rule in body["spec"]["validations"]:
                yield body["metadata"]["name"], texts(rule)
    crd = yaml.safe_load((ROOT / "crds/approvalrequests.yaml").read_text())
    for message in sorted(set(_messages(crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]))):
        yield SCHEMA, [message]


def _messages(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        yield from (str(rule["message"]) for rule in schema.get("x-kubernetes-validations", []))
        for value in schema.values():
            yield from _messages(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _messages(value)


def tries(attempt: Attempt, policy: str, parts: list[str]) -> bool:
    wanted = [text for text in (attempt.refused, attempt.unstamped) if text]
    return policy in attempt.policy.split("|") and any(
        text in part or part.strip() in text for text in wanted for part in parts
    )


RULES = list(rules())


@pytest.mark.parametrize(("policy", "parts"), RULES, ids=[f"{policy}: {parts[0][:60]}" for policy, parts in RULES])
def test_a_rule_is_tried(policy: str, parts: list[str]) -> None:
    if any(part.startswith(known) for part in parts for known in ELSEWHERE):
        return

    assert any(tries(attempt, policy, parts) for attempt in WHOLE)
