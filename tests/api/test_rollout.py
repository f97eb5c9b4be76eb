"""A Rollout as the API server gives it."""

from typing import Any

import pytest

from gatehold.api.common import ParseError
from gatehold.api.digest import digest, rollout_digest, strategy_digest, template_digest
from gatehold.api.rollout import parse, parse_authors, pod_labels, selector, template
from gatehold.domain.rollout.model import Approval, Link, Pause, Rollout, SetWeight
from tests.api.rollouts import STEPS, TEMPLATE, UID, body

STRATEGY = {"canary": {"steps": STEPS}}
PLAIN = Rollout(
    namespace="shop",
    name="web",
    uid=UID,
    generation=3,
    template=template_digest(TEMPLATE),
    strategy=strategy_digest(STRATEGY),
    replicas=5,
    steps=(
        SetWeight(20),
        Pause(60),
        Approval("prod", 90, (Link("board", "https://x/y"),)),
        Approval("sre", None, (Link("", "https://x/z"),)),
    ),
)


def without(**members: Any) -> dict[str, Any]:
    """A Rollout with these members of its spec only, besides selector and template."""
    return body() | {"spec": {"selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE} | members}


ROWS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "as usual": (body(), {}),
    "with nothing that may be left out": (without(), {"replicas": 1, "steps": (), "strategy": strategy_digest(None)}),
    "with an empty strategy": (
        without(strategy={"canary": {"steps": []}}),
        {"replicas": 1, "steps": (), "strategy": strategy_digest(None)},
    ),
    "scaled to nothing": (body(spec={"replicas": 0}), {"replicas": 0}),
    "with all that may be said": (
        body(
            spec={
                "minReadySeconds": 5,
                "progressDeadlineSeconds": 60,
                "revisionHistoryLimit": 0,
                "restartedAt": "2026-03-01T12:00:00Z",
            }
        ),
        {
            "min_ready_seconds": 5,
            "progress_deadline_seconds": 60,
            "revision_history_limit": 0,
            "restarted_at": "2026-03-01T12:00:00Z",
        },
    ),
    "with our finalizer": (body(metadata={"finalizers": ["x/y", "gatehold.dev/rollout"]}), {"has_finalizer": True}),
    "deleted": (body(metadata={"deletionTimestamp": "2026-03-01T12:00:00Z"}), {"deleting": True}),
    "deleted, its children staying": (
        body(metadata={"deletionTimestamp": "2026-03-01T12:00:00Z", "finalizers": ["orphan"]}),
        {"deleting": True, "orphaning": True},
    ),
    "asked about again": (body(metadata={"annotations": {"gatehold.dev/retry": "2"}}), {"retry": "2"}),
    "asked about again at length": (
        body(metadata={"annotations": {"gatehold.dev/retry": "x" * 254}}),
        {"retry": digest({"retry": "x" * 254})},
    ),
    "changed by people": (body(metadata={"annotations": {"gatehold.dev/authors": "ann,bob"}}), {"authors": ("ann", "bob")}),
    "with a field of a newer version": (body(spec={"paused": True}), {}),
}


@pytest.mark.parametrize(("wire", "changes"), ROWS.values(), ids=ROWS)
def test_a_rollout(wire: dict[str, Any], changes: dict[str, Any]) -> None:
    found = parse(wire)

    assert {name: getattr(found, name) for name in changes} == changes
    assert all(getattr(found, n) == getattr(PLAIN, n) for n in Rollout.__slots__ if n not in changes)


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no metadata": (body() | {"metadata": None}, "metadata: model_type"),
    "no uid": (body(metadata={"uid": None}), "metadata.uid: string_type"),
    "no spec": (body() | {"spec": None}, "spec: model_type"),
    "no template": (body() | {"spec": {"selector": {"matchLabels": {}}}}, "spec.template: missing"),
    "a template that is a list": (body(spec={"template": []}), "spec.template: dict_type"),
    "no selector": (body() | {"spec": {"template": TEMPLATE}}, "spec.selector: missing"),
    "replicas in words": (body(spec={"replicas": "5"}), "spec.replicas: int_type"),
    "a step with nothing": (
        body(spec={"strategy": {"canary": {"steps": [{"setWeight": 5}, {}]}}}),
        "steps.1: a step has one member",
    ),
    "a step of a newer version": (
        body(spec={"strategy": {"canary": {"steps": [{"analysis": {}}]}}}),
        "steps.0: a step has one member",
    ),
    "a step with two members": (
        body(spec={"strategy": {"canary": {"steps": [{"setWeight": 5, "pause": {"durationSeconds": 1}}]}}}),
        "steps.0: a step has one member",
    ),
    "an approval by nobody": (
        body(spec={"strategy": {"canary": {"steps": [{"approval": {}}]}}}),
        "approval.policyRef: missing",
    ),
    "a template that JSON cannot carry exactly": (
        body(spec={"template": {"spec": {"n": 2**60}}}),
        "no exact canonical JSON",
    ),
}


@pytest.mark.parametrize(("wire", "text"), BROKEN.values(), ids=BROKEN)
def test_it_is_no_rollout_with(wire: dict[str, Any], text: str) -> None:
    with pytest.raises(ParseError, match=text):
        parse(wire)


def test_what_changes_the_target_and_what_does_not() -> None:
    target = parse(body()).target

    assert parse(body(spec={"replicas": 9, "restartedAt": "2026-03-01T12:00:00Z", "minReadySeconds": 1})).target == target
    assert parse(body(spec={"template": TEMPLATE | {"x": None}})).target == target
    assert parse(body(spec={"template": TEMPLATE | {"x": 1}})).target != target
    assert parse(body(spec={"strategy": {"canary": {"steps": STEPS[:1]}}})).target != target


def test_the_digest_that_people_approve_is_of_everything_that_may_differ() -> None:
    one, two, three = "sha256:" + "1" * 64, "sha256:" + "2" * 64, ["a=x", "b=y"]
    found = rollout_digest(UID, one, two, three)

    assert found == rollout_digest(UID, one, two, reversed(three))
    others = [(UID, two, one, three), ("other", one, two, three), (UID, one, two, []), (UID, one, two, ["a=x"])]
    assert found not in [rollout_digest(*other) for other in others]


def test_its_parts() -> None:
    assert template(body()) == TEMPLATE
    assert pod_labels(body()) == {"app": "web", "gatehold.dev/rollout": "web"}
    assert selector({"b": "2", "a": "1"}) == "a=1,b=2"


AUTHORS: dict[str, tuple[str, tuple[str, ...]]] = {
    "nobody": ("", ()),
    "one": ("ann", ("ann",)),
    "two, one of them twice": ("ann,bob,ann", ("ann", "bob")),
    "others": ("ann,*", ("ann", "*")),
    "others only": ("*", ("*",)),
    "names with commas, signs and stars": ("a%2Cb,c%25d,e%2Af", ("a,b", "c%d", "e*f")),
    "one whose name is a star, which stands for everybody": ("%2A", ("*",)),
    "as many as there is room for": (",".join(f"n{n}" for n in range(16)), tuple(f"n{n}" for n in range(16))),
    "more than there is room for": (",".join(f"n{n}" for n in range(17)), (*(f"n{n}" for n in range(16)), "*")),
    "a name that a request could not carry": ("ann,a\nb," + "x" * 1025, ("ann", "*")),
}


@pytest.mark.parametrize(("text", "expected"), AUTHORS.values(), ids=AUTHORS)
def test_authors(text: str, expected: tuple[str, ...]) -> None:
    assert parse_authors(text) == expected
