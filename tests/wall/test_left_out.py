"""What stands in the place of a type of Gates that is left out. What it answers: tests/chart. No server needed."""

from typing import Final

import pytest

from gatehold.admission.texts import GATE_OF, compare, gates_of, left_out_files, shipped
from gatehold.settings import GATE_TYPES

NAMES: Final = {"ArgoRollouts": "argo-rollouts", "Drains": "drains", "Pods": "pods", "Rollouts": "rollouts"}


@pytest.mark.parametrize("gate", GATE_TYPES)
def test_one_left_out_is_missed_by_whoever_expects_it_and_told_by_what_stands_there(gate: str) -> None:
    rest = tuple(other for other in GATE_TYPES if other != gate)
    live = shipped(rest)

    assert compare(live, live) == []
    assert gates_of(live) == rest
    assert f"gatehold-no-{NAMES[gate]}" in {str(body["metadata"]["name"]) for body in live}
    assert {difference.what for difference in compare(shipped(), live)} == {"missing"}
    assert {difference.name for difference in compare(live, shipped())} == {f"gatehold-no-{NAMES[gate]}"}


def test_where_nothing_is_left_out_nothing_stands_in_its_place() -> None:
    assert gates_of(shipped()) == GATE_TYPES
    assert list(left_out_files(GATE_TYPES)) == []
    assert not [body for body in shipped() if str(body["metadata"]["name"]).startswith("gatehold-no-")]


def test_each_type_of_gates_has_rules_of_its_own() -> None:
    assert set(GATE_OF.values()) == set(GATE_TYPES)
