"""The operator's rights as they are written: each rule with its reason over it, in order. No server needed."""

import re
from typing import Any, Final

import pytest
import yaml

import bundles

WALL: Final = bundles.ROOT / "manifests" / "wall"
ROLES: Final = [
    (name, text)
    for name in sorted(bundles.RIGHTS)
    for text in (WALL / name).read_text().split("\n---\n")
    if re.search(r"^rules:$", text, re.MULTILINE) and "name: gatehold-operator" in text
]


def title(role: tuple[str, str]) -> str:
    body = yaml.safe_load(role[1])
    return f"{role[0]}:{body['kind']}/{body['metadata']['name']}"


def order(rule: dict[str, Any]) -> tuple[str, ...]:
    return (rule["apiGroups"][0], rule["resources"][0], *rule.get("resourceNames", ()))


@pytest.mark.parametrize("role", ROLES, ids=title)
def test_each_rule_has_its_reason(role: tuple[str, str]) -> None:
    lines = role[1].splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("- ")]

    assert len(starts) == len(yaml.safe_load(role[1])["rules"])
    family = ""
    for number in starts:
        resource = re.search(r"resources: \[([\w.-]+)", "\n".join(lines[number : number + 2]))
        assert resource
        # one about the same thing (its status, or the one of it that has a name) stands under the reason of the one before
        assert lines[number - 1].startswith("#") or family == resource[1].partition("/")[0], lines[number]
        family = resource[1]


@pytest.mark.parametrize("role", ROLES, ids=title)
def test_rules_stand_in_order(role: tuple[str, str]) -> None:
    rules = yaml.safe_load(role[1])["rules"]

    assert [order(rule) for rule in rules] == sorted(order(rule) for rule in rules)


def test_every_file_of_rights_and_of_the_wall_has_its_place() -> None:
    """One that has none would be part of every installation, or of none."""
    names = {path.name for path in WALL.glob("3*.yaml")}

    assert names == {*bundles.RIGHTS, bundles.PROBE_POLICY}
    assert {path.name for path in WALL.glob("*.yaml")} >= set(bundles.GATE_OF)
