"""When `wait` passes, and with which code it ends otherwise: one table."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gatehold.cli.exits import Exit
from gatehold.cli.options import Until
from gatehold.cli.telling import standing
from gatehold.cli.view import view_of
from gatehold.cli.waiting import outcome
from tests.cli.bodies import Cluster, request
from tests.cli.test_hostile import ends

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
RELEASE = {"subject": {"apiVersion": "batch/v1", "kind": "Job", "name": "m", "uid": "j"}, "effect": {"type": "Release"}}
SOON, OVER = "2030-01-01T12:30:00Z", "2030-01-01T12:00:00Z"


def waiting(state: str) -> dict[str, Any]:
    return {"effect": {"type": "Release", "state": state}}


ROWS: dict[str, tuple[dict[str, Any], dict[str, Any] | None, Until | None, datetime | None, Exit | None]] = {
    "nobody has looked: goes on": ({"phase": ""}, None, None, NOW, None),
    "pending: goes on": ({}, None, None, NOW, None),
    "pending beyond its deadline: the operator has the word": ({"deadline": OVER}, None, None, NOW, None),
    "approved without effect: passes": ({"phase": "Approved", "validUntil": SOON}, None, None, NOW, Exit.OK),
    "approved without an end: passes": ({"phase": "Approved"}, None, None, NOW, Exit.OK),
    "its validity is over: lapsed": ({"phase": "Approved", "validUntil": OVER}, None, None, NOW, Exit.LAPSED),
    "no server time: no end is trusted": ({"phase": "Approved", "validUntil": SOON}, None, None, None, Exit.LAPSED),
    "approved with effect: goes on": ({"phase": "Approved", **waiting("Running")}, RELEASE, None, NOW, None),
    "asked for approved only": ({"phase": "Approved", **waiting("Waiting")}, RELEASE, Until.APPROVED, NOW, Exit.OK),
    "asked for decided": ({"phase": "Approved", **waiting("Running")}, RELEASE, Until.DECIDED, NOW, Exit.OK),
    "approved, not begun in time: the operator has the word": (
        {"phase": "Approved", "validUntil": OVER, **waiting("Waiting")}, RELEASE, Until.APPROVED, NOW, None,
    ),
    "begun in time: its validity no longer matters": (
        {"phase": "Approved", "validUntil": OVER, **waiting("Running")}, RELEASE, Until.APPROVED, NOW, Exit.OK,
    ),
    "for released without an effect is approved": ({"phase": "Approved"}, None, Until.RELEASED, NOW, Exit.OK),
    "released": ({"phase": "Released", **waiting("Done")}, RELEASE, None, NOW, Exit.OK),
    "denied": ({"phase": "Denied"}, None, None, NOW, Exit.NO),
    "denied, asked for decided: still 1": ({"phase": "Denied"}, None, Until.DECIDED, NOW, Exit.NO),
    "expired": ({"phase": "Expired"}, None, None, NOW, Exit.EXPIRED),
    "lapsed": ({"phase": "Lapsed"}, RELEASE, None, NOW, Exit.LAPSED),
    "superseded": ({"phase": "Superseded"}, None, None, NOW, Exit.SUPERSEDED),
    "withdrawn": ({"phase": "Withdrawn"}, None, None, NOW, Exit.WITHDRAWN),
    "failed": ({"phase": "Failed"}, None, None, NOW, Exit.FAILED),
}  # fmt: skip


@pytest.mark.parametrize(("status", "spec", "until", "now", "code"), ROWS.values(), ids=ROWS.keys())
def test_the_outcome(
    status: dict[str, Any], spec: dict[str, Any] | None, until: Until | None, now: datetime | None, code: Exit | None
) -> None:
    assert outcome(view_of(request(spec=spec, status=status)), until, now) is code


def test_what_holds_an_approval_back_is_said_while_one_waits_and_in_the_record() -> None:
    held = {"type": "Held", "status": "True", "reason": "WriteRefused", "message": "the API server refuses to release Job m",
            "lastTransitionTime": OVER}  # fmt: skip
    status = {"phase": "Approved", "validUntil": SOON, **waiting("Waiting"), "conditions": [held]}
    free = {**status, "conditions": [{**held, "status": "False"}]}
    shown = [ends(["show", "web"], Cluster(request(spec=RELEASE, status=one)))[1] for one in (status, free)]

    assert standing(view_of(request(spec=RELEASE, status=status))) == "approved, its effect is waiting, held: WriteRefused"
    assert standing(view_of(request(spec=RELEASE, status=free))) == "approved, its effect is waiting"
    assert ["WriteRefused: the API server refuses" in text for text in shown] == [True, False]
