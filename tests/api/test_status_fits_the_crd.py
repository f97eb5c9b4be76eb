"""Whatever is decided fits the CRD: a status that the API server refuses, or prunes, would hang its request for good."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given

from gatehold.api.request_status import render_status
from gatehold.domain.decide import decide
from gatehold.domain.plan import Observed
from gatehold.domain.status import EffectState, EscalationStep, Progress, Status
from tests.builders import (
    NOW,
    after,
    approve,
    approved,
    deny,
    effect,
    ended,
    entry,
    facts,
    job,
    observed,
    ours,
    override,
    pending,
    release_observed,
    undo_job,
    undo_status,
)
from tests.domain.strategies import instants, observeds

Schema = dict[str, Any]
CRD = yaml.safe_load((Path(__file__).parents[2] / "crds" / "approvalrequests.yaml").read_text(encoding="utf-8"))
STATUS: Schema = CRD["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
KINDS = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}


def misfits(value: Any, schema: Schema, path: str = "status") -> Iterator[str]:
    """What a structural schema says against a value; a field that it does not know would be pruned, so it counts too."""
    kind = schema["type"]
    if not isinstance(value, KINDS[kind]) or (kind == "integer" and isinstance(value, bool)):
        yield f"{path} is no {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path} is none of {schema['enum']}"
    if kind == "object":
        yield from _object(value, schema, path)
    if kind == "array":
        yield from _array(value, schema, path)
    if kind == "string":
        yield from _string(value, schema, path)
    if kind == "integer" and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{path} is out of its bounds"


def _object(value: Schema, schema: Schema, path: str) -> Iterator[str]:
    known = schema.get("properties", {})
    yield from (f"{path}.{name} is missing" for name in schema.get("required", ()) if name not in value)
    for name, member in value.items():
        if name in known:
            yield from misfits(member, known[name], f"{path}.{name}")
        else:
            yield f"{path}.{name} is not known"


def _array(value: list[Any], schema: Schema, path: str) -> Iterator[str]:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 10**6):
        yield f"{path} has {len(value)} entries"
    keys = schema.get("x-kubernetes-list-map-keys", [])
    marks = [tuple(item[k] for k in keys) if keys else json.dumps(item, sort_keys=True) for item in value]
    if schema.get("x-kubernetes-list-type", "atomic") != "atomic" and len(set(marks)) != len(marks):
        yield f"{path} has two entries of one key"
    for n, item in enumerate(value):
        yield from misfits(item, schema["items"], f"{path}[{n}]")


def _string(value: str, schema: Schema, path: str) -> Iterator[str]:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10**6):
        yield f"{path} has {len(value)} characters"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{path} does not match {schema['pattern']}"
    if schema.get("format") == "date-time" and not re.fullmatch(r"[-0-9]{10}T[:0-9]{8}(\.[0-9]{1,9})?Z", value):
        yield f"{path} is no time"


@given(observeds(), instants)
def test_every_status_that_is_decided_fits(seen: Observed, now: datetime) -> None:
    assert list(misfits(render_status(decide(seen, now).status), STATUS)) == []


LONG = "x" * 1024
HUGE: dict[str, Status] = {
    "32 verdicts of four-byte characters": decide(
        observed(pending(), verdicts=tuple(approve(n, f"p{n}" + "n" * 1000, comment="🚀" * 1024) for n in range(40))), NOW
    ).status,
    "an override with all the words that it may have": decide(
        observed(pending(), verdicts=(override(0, LONG, comment=LONG),)), NOW
    ).status,
    "a deny with all the words that it may have": decide(
        observed(pending(), verdicts=(deny(0, LONG, comment=LONG),)), NOW
    ).status,
    "sixteen people with long names": decide(
        observed(
            pending(quorum=(entry("sre", 8), entry("finance", 8))),
            verdicts=tuple(approve(n, f"{n}".ljust(1024, "n"), role="sre" if n < 8 else "finance") for n in range(16)),
        ),
        NOW,
    ).status,
    "a break-glass with a long reason": decide(
        release_observed(approved(), facts=facts(job(suspended=False, overridden="y" * 5000), undo_job())), NOW
    ).status,
    "a Job controller with many words": decide(
        release_observed(approved(), facts=facts(ours(job(), failed=True, failure="y" * 5000), undo_job())), NOW
    ).status,
    "everything that an effect records": ended(
        effect=effect(EffectState.UNDOING, progress=Progress(NOW, 1, 2, 3), undo=undo_status(finished_at=NOW, message=LONG)),
        escalations=(EscalationStep(60, after(60), ("duty",), opened_at=NOW),),
    ),
    "nothing": Status(),
}


@pytest.mark.parametrize("status", HUGE.values(), ids=HUGE)
def test_it_fits_with(status: Status) -> None:
    assert list(misfits(render_status(status), STATUS)) == []


def test_the_schema_of_this_test_has_teeth() -> None:
    wire = render_status(replace(approved(), approvals="many", request_digest="sha256:" + "D" * 64))
    wire |= {"newer": 1, "phase": "Maybe", "observedGeneration": True, "quorum": [], "deadline": "soon", "effect": []}
    wire["verdicts"] = [*wire["verdicts"], wire["verdicts"][0] | {"id": -1}, wire["verdicts"][0]]
    del wire["conditions"][0]["reason"]
    found = "; ".join(misfits(wire, STATUS))

    for text in (
        "approvals does not match",
        "requestDigest does not match",
        "newer is not known",
        "phase is none of",
        "observedGeneration is no integer",
        "quorum has 0 entries",
        "deadline is no time",
        "effect is no object",
        "verdicts has two entries of one key",
        "verdicts[1].id is out of its bounds",
        "conditions[0].reason is missing",
    ):
        assert f"status.{text}" in found
