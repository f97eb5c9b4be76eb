"""Whatever is recorded of a Rollout, and asked about it, fits the CRDs: a write that is refused would hang it."""

import re
import unicodedata
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.api import gate, promotion, rollout_status
from gatehold.api.masking import plain
from gatehold.api.rollout import pod_labels, selector
from gatehold.domain.reasons import ConditionType
from gatehold.domain.rollout.model import Child
from gatehold.domain.rollout.plan import Ask
from gatehold.domain.rollout.record import Question, Record
from gatehold.domain.status import Condition
from tests.api.rollouts import TEMPLATE, body, records
from tests.api.schema import misfits, schema
from tests.api.test_rollout_status import FULL, NOW

STATUS = schema("rollouts", "status")
REQUEST = schema("approvalrequests", "spec")
LONG = "x" * 1024
DIGEST = "sha256:" + "d" * 64


@given(records)
def test_every_record_fits(record: Record) -> None:
    assert list(misfits(rollout_status.render_status(record, "app=web"), STATUS)) == []


HUGE: dict[str, Record] = {
    "everything": FULL,
    "nothing": Record(),
    "256 image ids of the longest kind": replace(FULL, promoted_images=tuple(f"{n}".ljust(1100, "x") for n in range(256))),
    "64 questions": replace(FULL, run=replace(FULL.run, questions=FULL.run.questions * 64)) if FULL.run else FULL,
}


@pytest.mark.parametrize("record", HUGE.values(), ids=HUGE)
def test_it_fits_with(record: Record) -> None:
    assert list(misfits(rollout_status.render_status(record, "app=web"), STATUS)) == []


def test_the_longest_selector_fits() -> None:
    labels = {f"{n:02}".ljust(253, "d") + "/" + "n" * 63: "v" * 63 for n in range(16)}
    wire = body(metadata={"name": "w" * 52}, spec={"selector": {"matchLabels": labels}})

    assert list(misfits(rollout_status.render_status(Record(), selector(pod_labels(wire))), STATUS)) == []


def test_the_status_of_a_gate_fits() -> None:
    ready = Condition(ConditionType.READY, "True", "PolicyFound", "asks by policy prod", NOW, 2)
    wire = gate.render_status(2, (ready,))

    assert list(misfits(wire, schema("gates", "status"))) == []
    assert wire["conditions"][0]["type"] == "Ready"
    assert wire["observedGeneration"] == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=40), inner, max_size=4),
    max_leaves=40,
)
CHILDREN = st.builds(
    Child,
    st.just("web-canary"),
    st.just("u"),
    st.just("1"),
    st.just(1),
    replicas=st.integers(0, 9),
    available=st.integers(0, 9),
    restarts=st.integers(0, 10**6),
    images=st.none() | st.just(()),
    trouble=st.text(max_size=300),
)
IMAGES = st.lists(st.text(max_size=1100).map("c=".__add__), max_size=40).map(tuple)
SEEN = st.builds(
    promotion.Seen,
    st.none() | st.dictionaries(st.text(max_size=9), JSON, max_size=4),
    IMAGES,
    st.none() | CHILDREN,
    st.none() | CHILDREN,
)


def _refused() -> set[str]:
    """The characters that the CRD refuses in a text of one line."""
    (rule,) = schema("approvalrequests", "spec", "summary")["x-kubernetes-validations"]
    ranges = re.findall(r"\\x\{([0-9a-f]+)\}(?:-\\x\{([0-9a-f]+)\})?", rule["rule"])
    listed = {chr(point) for low, high in ranges for point in range(int(low, 16), int(high or low, 16) + 1)}
    return listed | {chr(p) for p in range(0x110000) if unicodedata.category(chr(p)) in ("Cc", "Zl", "Zp")}


REFUSED = _refused()


@given(SEEN, st.dictionaries(st.text(max_size=9), JSON, max_size=4), IMAGES)
def test_every_question_fits(seen: promotion.Seen, template: dict[str, Any], images: tuple[str, ...]) -> None:
    question = Question("prod", "web-1", DIGEST, 1, "rollouts", images)
    wire = body(spec={"template": TEMPLATE | template}, metadata={"annotations": {"gatehold.dev/authors": "ann,*"}})
    found = promotion.request(wire, Ask(question, 90, (("board", "https://x/y"), ("", "https://x/z"))), seen, "operator")

    assert list(misfits(found["spec"], REQUEST, "spec")) == []
    shown = [text for row in found["spec"]["evidence"] for text in row.values()]
    assert not REFUSED & set("".join((*shown, found["spec"]["summary"])))


def test_a_plain_text_has_no_character_that_the_crd_refuses() -> None:
    assert len(REFUSED) > 400
    assert [hex(ord(mark)) for mark in REFUSED if mark in plain(f"a{mark}b")] == []


def test_this_schema_has_teeth() -> None:
    wire = rollout_status.render_status(FULL) | {"share": "much", "newer": 1, "until": datetime(2026, 3, 1).isoformat()}  # noqa: DTZ001
    found = "; ".join(misfits(wire, STATUS))

    for text in ("share does not match", "newer is not known", "until is no time"):
        assert f"status.{text}" in found
