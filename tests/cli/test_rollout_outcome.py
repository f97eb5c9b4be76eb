"""How a Rollout ended, as `rollout watch` says it: every state with its exit code and its sentence. No server."""

from dataclasses import replace
from typing import Any

import pytest

from gatehold.api import rollout
from gatehold.cli.exits import Exit
from gatehold.cli.rollout.outcome import outcome, sentence
from gatehold.cli.rollout.retry import new_value
from gatehold.cli.rollout.view import RolloutView, view_of
from gatehold.domain.rollout.record import Outcome, Override, Record, RolloutPhase, Target
from tests.cli import rollouts
from tests.cli.rollouts import NOW, at_rest, held, rejected, with_status

BODY = rollouts.body()
WEB = rollout.parse(BODY)
OTHER = Target("sha256:" + "9" * 64, WEB.strategy)


def seen(record: Record, body: Any = BODY) -> RolloutView:
    return view_of(with_status(body, record))


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (at_rest(WEB), Exit.OK),
        (at_rest(WEB, observed_generation=2), None),
        (at_rest(WEB, phase=RolloutPhase.PROGRESSING), None),
        (at_rest(WEB, phase=RolloutPhase.DEGRADED), Exit.FAILED),
        (at_rest(WEB, promoted=OTHER), None),
        (Record(), None),
        (held(WEB, "web-1"), None),
        (rejected(WEB), Exit.NO),
        (rejected(WEB, Outcome.EXPIRED), Exit.EXPIRED),
        (rejected(WEB, Outcome.EXPIRED, reason="ValidityPassed"), Exit.LAPSED),
        (rejected(WEB, Outcome.WITHDRAWN), Exit.WITHDRAWN),
        (rejected(WEB, Outcome.FAILED), Exit.FAILED),
        (replace(rejected(WEB), last_run=None), Exit.FAILED),
    ],
)
def test_every_end_has_its_code_and_its_sentence(record: Record, code: Exit | None) -> None:
    view = seen(record)
    assert outcome(view, WEB.target) is code
    assert sentence(view, code or Exit.TIMEOUT).startswith("Rollout web ")


def test_a_rejection_that_is_asked_again_is_no_end() -> None:
    asked = {**BODY, "metadata": {**BODY["metadata"], "annotations": {"gatehold.dev/retry": "2"}}}
    assert outcome(seen(rejected(WEB), asked), WEB.target) is None
    assert outcome(seen(rejected(WEB, retried="2"), asked), WEB.target) is Exit.NO


def test_another_spec_and_a_deletion_are_ends_of_their_own() -> None:
    assert outcome(seen(at_rest(WEB)), OTHER) is Exit.SUPERSEDED
    going = {**BODY, "metadata": {**BODY["metadata"], "deletionTimestamp": "2030-01-01T12:00:00Z"}}
    assert outcome(seen(at_rest(WEB), going), WEB.target) is Exit.GONE


def test_a_retry_never_repeats_a_value() -> None:
    assert new_value(("", ""), NOW) == "2030-01-01T11:30:00Z"
    assert new_value(("2030-01-01T11:30:00Z", "2030-01-01T11:30:00Z-2"), NOW) == "2030-01-01T11:30:00Z-3"
    assert new_value(("", ""), None) == "again"


def test_a_retry_on_one_that_is_healthy_keeps_nobody_waiting() -> None:
    asked = {**BODY, "metadata": {**BODY["metadata"], "annotations": {"gatehold.dev/retry": "2"}}}
    assert outcome(seen(at_rest(WEB), asked), WEB.target) is Exit.OK


def test_a_break_glass_that_is_to_be_put_back_is_no_end() -> None:
    asked = {**BODY, "metadata": {**BODY["metadata"], "annotations": {"gatehold.dev/retry": "2"}}}
    stable = at_rest(WEB).stable
    assert stable is not None
    for retry, code in (("", None), ("2", Exit.FAILED)):
        broken = replace(stable, override=Override(WEB.target, retry, "olga: INC-4711 site down"))
        record = at_rest(WEB, stable=broken, phase=RolloutPhase.DEGRADED)
        assert outcome(seen(record, asked), WEB.target) is code
