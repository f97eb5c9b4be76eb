"""What every CRD promises of itself."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CRDS = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / "crds").glob("*.yaml")}
TEMPLATE = ".spec.template"
"""What stands below is a pod template's: the API server bounds it."""


def version(plural: str) -> dict[str, Any]:
    found: dict[str, Any] = CRDS[plural]["spec"]["versions"][0]
    return found


def fields(node: dict[str, Any], where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field below, with its path; items of lists as the list's own path with []."""
    for name, child in node.get("properties", {}).items():
        yield f"{where}.{name}", child
        yield from fields(child, f"{where}.{name}")
    for member in ("items", "additionalProperties"):
        if isinstance(node.get(member), dict):
            yield f"{where}[]", node[member]
            yield from fields(node[member], f"{where}[]")


def own(plural: str) -> list[tuple[str, dict[str, Any]]]:
    known = (".apiVersion", ".kind", ".metadata")
    return [(where, field) for where, field in fields(version(plural)["schema"]["openAPIV3Schema"]) if where not in known]


@pytest.mark.parametrize("plural", CRDS)
def test_every_field_is_described_and_bounded_and_none_is_a_float(plural: str) -> None:
    def is_unbounded(field: dict[str, Any]) -> bool:
        bounds = {"string": ("maxLength", "enum", "format"), "array": ("maxItems",)}.get(field["type"])
        if "additionalProperties" in field:
            bounds = ("maxProperties",)
        return bounds is not None and not any(bound in field for bound in bounds)

    assert [where for where, field in own(plural) if not field.get("description") and not where.endswith("[]")] == []
    assert [where for where, field in own(plural) if field["type"] == "number"] == []
    assert [where for where, field in own(plural) if is_unbounded(field)] == []


@pytest.mark.parametrize("plural", CRDS)
def test_an_object_that_nobody_has_looked_at_is_in_progress(plural: str) -> None:
    defaults = {where: field["default"] for where, field in own(plural) if "default" in field}

    assert defaults.pop(".status") == {"observedGeneration": -1}
    assert defaults == ({".spec.replicas": 1} if plural == "rollouts" else {})


@pytest.mark.parametrize("plural", CRDS)
def test_unknown_fields_are_kept_in_pod_templates_only(plural: str) -> None:
    kept = [where for where, field in own(plural) if field.get("x-kubernetes-preserve-unknown-fields")]

    assert [where for where in kept if not where.startswith((TEMPLATE, ".spec.selector.matchExpressions"))] == []


@pytest.mark.parametrize("plural", CRDS)
def test_kinds_are_in_the_category_and_have_a_status_and_fields_to_select_by(plural: str) -> None:
    assert CRDS[plural]["spec"]["names"]["categories"] == ["gatehold"]
    assert version(plural)["subresources"]["status"] == {}
    assert set(version(plural)["subresources"]) == {"status"} | ({"scale"} if plural == "rollouts" else set())
    assert 1 <= len(version(plural)["selectableFields"]) <= 8


@pytest.mark.parametrize("plural", CRDS)
def test_columns_and_selectable_fields_lead_to_a_field(plural: str) -> None:
    known = {where for where, _ in own(plural)} | {".metadata.creationTimestamp"}
    paths = [column["jsonPath"] for column in version(plural)["additionalPrinterColumns"]]
    paths += [field["jsonPath"] for field in version(plural)["selectableFields"]]

    assert [path for path in paths if path.split("[?")[0] not in known] == []


def test_a_rollout_can_be_scaled() -> None:
    scale = version("rollouts")["subresources"]["scale"]
    known = {where for where, _ in own("rollouts")}

    assert set(scale) == {"specReplicasPath", "statusReplicasPath", "labelSelectorPath"}
    assert set(scale.values()) <= known
