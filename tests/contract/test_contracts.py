"""What is written twice says the same: CRDs and the core, the wall and the docs, the pages and the code."""

import re
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
import yaml

from gatehold.api import child_pods, eviction, gate, held_drain, masking, promotion, rollout
from gatehold.api.approval_policy import parse as parse_policy
from gatehold.domain.gate import GateReason
from gatehold.domain.model import DrainGate, DrainMode, DrainSpec, EffectType, GateType, UnknownRequester, Word
from gatehold.domain.phases import MOVES, Phase
from gatehold.domain.provision.model import OnDenied
from gatehold.domain.reasons import ConditionType, Reason
from gatehold.domain.rollout.model import GateFacts
from gatehold.domain.rollout.reasons import RolloutReason
from gatehold.domain.rollout.record import Outcome, RolloutPhase, Stage
from gatehold.domain.status import By, EffectState, NodeState
from tests.domain.rollout.world import healthy

ROOT = Path(__file__).resolve().parents[2]
CRDS = {path.stem: yaml.safe_load(path.read_text()) for path in (ROOT / "crds").glob("*.yaml")}
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]
WALL = "\n".join(path.read_text() for path in sorted((ROOT / "manifests" / "wall").glob("*.yaml")))


ROLLOUT_CONDITIONS = [
    ConditionType.READY,
    ConditionType.RECONCILING,
    ConditionType.STALLED,
    ConditionType.HELD,
    ConditionType.ROLLED_BACK,
    ConditionType.OVERRIDDEN,
]


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
        ("rollouts", ("status", "phase"), [p for p in RolloutPhase if p]),
        ("rollouts", ("status", "run", "stage"), Stage),
        ("rollouts", ("status", "run", "ending", "outcome"), Outcome),
        ("rollouts", ("status", "lastRun", "outcome"), Outcome),
        ("rollouts", ("status", "conditions", "[]", "type"), ROLLOUT_CONDITIONS),
        ("approvalrequests", ("status", "effect", "nodes", "[]", "state"), NodeState),
        ("gates", ("spec", "type"), GateType),
        ("gates", ("spec", "drains", "mode"), DrainMode),
        ("gates", ("spec", "pods", "onDenied"), OnDenied),
        ("approvalrequests", ("status", "resolved", "provision", "onDenied"), OnDenied),
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
        if plural == "rollouts":  # replicas stand in no digest, and without a value there is no scale subresource
            properties = {k: v for k, v in properties.items() if k != "replicas"}

        assert not defaults(properties), plural


def test_what_is_cut_to_fit_is_cut_where_the_crds_say() -> None:
    evidence = _schema("approvalrequests", "spec", "evidence")
    images = _schema("rollouts", "status", "run", "imageIDs")

    assert evidence["maxItems"] == promotion.MOST_EVIDENCE
    assert evidence["items"]["properties"]["name"]["maxLength"] == promotion.MOST_NAME
    assert evidence["items"]["properties"]["value"]["maxLength"] == masking.LONGEST
    assert _schema("approvalrequests", "spec", "summary")["maxLength"] == promotion.MOST_SUMMARY
    assert _schema("approvalrequests", "spec", "authors")["maxItems"] == rollout.MOST_AUTHORS + 1  # and the others
    assert (images["maxItems"], images["items"]["maxLength"]) == (child_pods.MOST_IMAGES, child_pods.MOST_TEXT)
    assert _schema("approvalrequests", "status", "resolved", "imageIDs")["maxItems"] == images["maxItems"]
    assert _schema("rollouts", "status", "retried")["maxLength"] == rollout.MOST_RETRY


def test_what_is_held_fits_where_the_crds_say() -> None:
    evidence, requester = (_schema("approvalrequests", "spec", name) for name in ("evidence", "requester"))
    row, groups = evidence["items"]["properties"], requester["properties"]["groups"]
    blocked = _schema("approvalrequests", "status", "effect", "nodes", "[]", "blockedBy")
    cooldown = _schema("gates", "spec", "drains", "cooldownSeconds")

    assert (evidence["maxItems"], row["value"]["maxLength"]) == (held_drain.MOST_EVIDENCE, held_drain.MOST_VALUE)
    assert _schema("approvalrequests", "spec", "summary")["maxLength"] == held_drain.MOST_SUMMARY
    assert requester["properties"]["uid"]["maxLength"] == held_drain.MOST_UID
    assert (groups["maxItems"], groups["items"]["maxLength"]) == (held_drain.MOST_GROUPS, held_drain.MOST_NAME)
    assert blocked["maxLength"] == eviction.MOST_TEXT
    assert (cooldown["minimum"], cooldown["maximum"]) == (gate.LEAST_COOLDOWN, gate.MOST_COOLDOWN)


def test_what_may_be_left_out_of_a_drain_means_what_its_description_says() -> None:
    drain, drains = _schema("approvalrequests", "spec", "effect", "drain"), _schema("gates", "spec", "drains")
    told = {
        name: field["description"].rsplit("Absent: ", 1)[-1].rstrip(".")
        for schema in (drain, drains)
        for name, field in schema["properties"].items()
    }

    assert told["parallelNodes"] == str(DrainSpec().parallel_nodes)
    assert told["parallelPods"] == str(DrainSpec().parallel_pods)
    assert told["cooldownSeconds"] == str(DrainGate("gpu", "ops").cooldown_seconds)
    assert drains["properties"]["mode"]["description"].startswith(f"{DrainGate('gpu', 'ops').mode} (also when absent)")


def test_a_step_that_asks_carries_links_as_a_request_does() -> None:
    step = _schema("rollouts", "spec", "strategy", "canary", "steps", "[]", "approval", "links")
    request = _schema("approvalrequests", "spec", "links")

    assert step["maxItems"] == request["maxItems"]
    assert step["items"] == request["items"]


def test_a_child_is_selected_by_what_the_operator_adds() -> None:
    """The wall knows a child's Scale by the label of its Rollout in the selector; see reference/places."""
    refused = _schema("rollouts", "spec", "selector", "matchLabels")["x-kubernetes-validations"][1]["rule"]

    assert all(label.startswith("gatehold.dev/") for label in (rollout.ROLLOUT_LABEL, rollout.TRACK_LABEL))
    assert "gatehold.dev/" in refused


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


def test_every_condition_and_every_reason_is_documented() -> None:
    page = (ROOT / "docs" / "reference" / "conditions.md").read_text()

    words = (*ConditionType, *Reason, *RolloutPhase, *RolloutReason, *GateReason)
    assert [word for word in words if word and f"| `{word}` |" not in page] == []


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
    policies = [body for body in bodies if body and body.get("kind") == "ApprovalPolicy"]

    assert policies
    for body in policies:
        assert parse_policy(body).quorum


def test_the_wall_keeps_the_names_of_a_rollouts_questions() -> None:
    world = healthy()
    world.gate = GateFacts("prod", "prod")
    world.spec(template="t2")
    world.settle()
    kept = re.findall(r"object[.]metadata[.]name[.]matches[(]'([^']*)'[)]", WALL)
    assert any(re.search(pattern, world.request().name) for pattern in kept)
