"""What is said of a Rollout beside its phase."""

from datetime import timedelta

from gatehold.domain.reasons import ConditionType
from gatehold.domain.rollout.conditions import unreadable
from tests.builders import NOW
from tests.domain.rollout.world import healthy


def test_what_cannot_be_read_is_stalled_and_held_since_it_was_so() -> None:
    world = healthy()
    known = world.record.conditions
    later = NOW + timedelta(hours=1)
    found = {c.type: c for c in unreadable(known, "spec: missing", 7, later)}
    assert {kind: c.status for kind, c in found.items()} == {
        ConditionType.READY: "False",
        ConditionType.RECONCILING: "False",
        ConditionType.STALLED: "True",
        ConditionType.HELD: "True",
    }
    assert {c.reason for c in found.values()} == {"Unreadable"}
    assert {c.observed_generation for c in found.values()} == {7}
    assert found[ConditionType.STALLED].message == "nothing is touched: this operator cannot read it: spec: missing"
    assert found[ConditionType.STALLED].since == later
    again = unreadable(tuple(found.values()), "spec: missing", 7, later + timedelta(hours=1))
    assert again == tuple(found.values())
