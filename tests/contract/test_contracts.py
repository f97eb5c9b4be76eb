"""What is written twice says the same: CRDs and the core, the wall and the docs, the pages and the code."""

import re
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import yaml

from gatehold.api.approval_policy import parse as parse_policy
from gatehold.domain.model import EffectType, UnknownRequester, Word
from gatehold.domain.phases import MOVES, Phase
from gatehold.domain.reasons import ConditionType
from gatehold.domain.status import By, EffectState

ROOT = Path(__file__).resolve().parents[2]
CRDS = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / "crds").glob("*.yaml")}
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
WALL = "\n".join(path.read_text() for path in sorted((ROOT / "manifests" / "wall").glob("*.yaml")))


def _schema(plural: str, *path: str) -> dict[str, Any]:
    node: dict[str, Any] = CRDS[plural]["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for name in path:
        node = node["items"] if name == "[]" else node["properties"][name]
    return node


@pytest.mark.parametrize(
    ("plural", "path", "words"),
    [
        ("approvalrequests", ("status", "phase"), [p for p in Phase if p]),
        ("approvalrequests", ("status", "verdicts", "[]", "verdict"), Word),
        ("approvalrequests", ("status", "decision", "by"), By),
        ("approvalrequests", ("status", "effect", "state"), EffectState),
        ("approvalrequests", ("spec", "effect", "type"), EffectType),
        ("approvalpolicies", ("spec", "onUnknownRequester"), UnknownRequester),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else None,
)
def test_a_crd_and_the_core_know_the_same_words(plural: str, path: tuple[str, ...], words: type[StrEnum]) -> None:
    assert sorted(map(str, words)) == sorted(_schema(plural, *path)["enum"])


def test_the_crd_enforces_the_moves_of_the_core() -> None:
    rules = " ".join(rule["rule"] for rule in _schema("approvalrequests", "status")["x-kubernetes-validations"])
    for phase, after in MOVES.items():
        if not phase or not after:
            continue
        found = re.search(rf"oldSelf\.phase == '{phase}' && self\.phase in \[([^]]*)\]", rules)

        assert found is not None, phase
        assert set(re.findall(r"'(\w+)'", found[1])) == set(map(str, after))


def test_no_hashed_spec_has_schema_defaults() -> None:
    def defaults(node: Any) -> bool:
        if isinstance(node, dict):
            own = "default" in node and "type" in node
            return own or any(defaults(child) for key, child in node.items() if key != "default")
        return isinstance(node, list) and any(map(defaults, node))

    for plural in CRDS:
        spec = _schema(plural, "spec")
        properties = spec["properties"]
        if plural == "approvalpolicies":  # a field may be called `default`; a schema default is what is meant
            properties = {k: v for k, v in properties.items() if k != "timeoutSeconds"}

        assert not defaults(properties), plural


def test_every_deciding_verb_of_the_wall_is_documented() -> None:
    asked = set(re.findall(r"check\('([a-z-]+)'\)", WALL))
    page = (ROOT / "docs" / "reference" / "rights.md").read_text()
    documented = set(re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE))

    assert asked <= documented
    assert documented <= asked | {"auto-approve", "drain"}


def test_no_deciding_verb_is_aggregated() -> None:
    for body in yaml.safe_load_all(WALL):
        labels = (body or {}).get("metadata", {}).get("labels") or {}
        if body and body["kind"] == "ClusterRole" and any("aggregate-to" in key for key in labels):
            verbs = {verb for rule in body["rules"] for verb in rule["verbs"]}

            assert verbs <= {"get", "list", "watch", "create", "patch", "update", "delete"}


def test_every_condition_type_is_documented() -> None:
    page = (ROOT / "docs" / "reference" / "conditions.md").read_text()

    assert all(f"| `{kind}` |" in page for kind in ConditionType)


def test_generated_pages_are_as_generated() -> None:
    command = [sys.executable, str(ROOT / "hack" / "reference.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT / "operator")})

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_of_the_docs_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())

    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_shipped_example_policies_can_be_read() -> None:
    bodies = [b for path in (ROOT / "manifests").rglob("*.yaml") for b in yaml.safe_load_all(path.read_text())]
    policies = [body for body in bodies if body and body["kind"] == "ApprovalPolicy"]

    assert policies
    for body in policies:
        assert parse_policy(body).quorum
