"""The question that the operator asks about somebody else's `kubectl drain`."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.api import held_drain
from gatehold.api.approval_request import parse
from gatehold.api.held_drain import Held
from gatehold.domain.model import DrainGate, DrainMode, Effect, EffectType, Requester, Subject
from gatehold.domain.nodes import NodeFacts
from gatehold.domain.status import ResolvedDrain
from tests.api.schema import misfits, schema

GATE = DrainGate("gpu", "ops", DrainMode.HOLD, "ops")
NODE = NodeFacts("n1", "node-uid", "7", unschedulable=True)
ALICE = Requester("alice", "a-uid", ("sre", "system:authenticated"))
LINES = ResolvedDrain(
    14,
    3,
    ("Deployment shop/web: 14 pods",),
    ("shop/web: 1 disruption allowed now, of 3 pods",),
    ("pod shop/web-1: emptyDir",),
)
HELD = Held(GATE, NODE, ALICE, LINES)
SPEC = schema("approvalrequests", "spec")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def test_the_question() -> None:
    found = held_drain.request(HELD, "ops", 0)

    assert found["metadata"] == {
        "name": held_drain.name("n1", "node-uid", "alice", 0),
        "namespace": "ops",
        "labels": {"gatehold.dev/gate": "gpu"},
    }
    assert found["spec"] == {
        "policyRef": {"name": "ops"},
        "summary": "drain of n1 by alice: 14 pods",
        "description": (
            "Approved: kubectl drain of n1, which waits, goes on by itself for this person, on this very node.\n"
            "Otherwise: it is refused, and the node is uncordoned if this person had cordoned it."
        ),
        "evidence": [
            {"name": "pods to evict", "value": "14"},
            {"name": "pods that stay", "value": "3", "source": "mirror pods and those of DaemonSets"},
            {"name": "pods of", "value": "Deployment shop/web: 14 pods"},
            {"name": "budget", "value": "shop/web: 1 disruption allowed now, of 3 pods"},
            {"name": "does not come back", "value": "pod shop/web-1: emptyDir"},
        ],
        "subject": {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": "node-uid"},
        "effect": {"type": "Release"},
        "requester": {"username": "alice", "uid": "a-uid", "groups": ["sre", "system:authenticated"]},
    }


def test_it_reads_back_as_what_is_decided_about() -> None:
    wire = held_drain.request(HELD, "ops", 0)
    wire["metadata"] |= {"uid": "u", "creationTimestamp": "2026-03-01T12:00:00Z"}
    found = parse(wire)

    assert (found.gate, found.policy, found.requester) == ("gpu", "ops", ALICE)
    assert found.effect == Effect(EffectType.RELEASE)
    assert found.subject == Subject("v1", "Node", "", "n1", "node-uid")


@pytest.mark.parametrize(("pods", "text"), [(0, "0 pods"), (1, "1 pod"), (2, "2 pods")])
def test_how_many_pods_are_never_cut_off(pods: int, text: str) -> None:
    far = replace(HELD, evictor=Requester("a" * 1024), evidence=ResolvedDrain(pods))
    found = held_drain.request(far, "ops", 0)["spec"]

    assert found["summary"].endswith(f"…: {text}")
    assert len(found["summary"]) == 256


def test_lines_that_there_is_no_room_for() -> None:
    lines = tuple(f"line {number}" for number in range(64))
    found = held_drain.request(replace(HELD, evidence=ResolvedDrain(64, 0, lines, lines, lines)), "ops", 0)["spec"][
        "evidence"
    ]

    assert len(found) == 32
    assert [row["value"] for row in found if row["name"] == "budget"] == [
        *lines[:9],
        "55 more lines are not shown here",
    ]


@pytest.mark.parametrize(
    "groups",
    [("g",) * 257, ("g" * 1025,)],
    ids=["too many", "too long"],
)
def test_groups_that_a_request_cannot_hold_are_left_out(groups: tuple[str, ...]) -> None:
    who = Requester("alice", "u" * 257, groups)

    assert held_drain.request(replace(HELD, evictor=who), "ops", 0)["spec"]["requester"] == {"username": "alice"}


names = st.from_regex(SUBDOMAIN, fullmatch=True).filter(lambda name: len(name) <= 253)
lines = st.lists(st.text(max_size=512), max_size=64).map(tuple)
people = st.builds(
    Requester, st.just("alice"), st.text(max_size=300), st.lists(st.text(max_size=9), max_size=300).map(tuple)
)


@given(names, people, st.builds(ResolvedDrain, st.integers(0, 10**6), st.integers(0, 10**6), lines, lines, lines))
def test_every_question_fits(node: str, who: Requester, evidence: ResolvedDrain) -> None:
    found = held_drain.request(Held(GATE, replace(NODE, name=node), who, evidence), "ops", 7)

    assert list(misfits(found["spec"], SPEC, "spec")) == []
    assert SUBDOMAIN.fullmatch(found["metadata"]["name"])
    assert len(found["metadata"]["name"]) <= 63


def test_a_name_is_one_for_a_node_and_a_person() -> None:
    known = held_drain.name("n1", "node-uid", "alice", 0)
    others = {
        held_drain.name("n1", "node-uid", "alice", 1),
        held_drain.name("n1", "node-uid", "bob", 0),
        held_drain.name("n1", "other-uid", "alice", 0),
        held_drain.name("n2", "node-uid", "alice", 0),
    }

    assert re.fullmatch("n1-[0-9a-f]{8}-d0", known)
    assert known == held_drain.name("n1", "node-uid", "alice", 0)
    assert len(others - {known}) == 4


def test_what_would_not_be_seen_does_not_stand_in_it() -> None:
    lines = ("Job shop/\u202ea\n",)
    found = held_drain.request(replace(HELD, evidence=ResolvedDrain(1, 0, lines)), "ops", 0)["spec"]["evidence"]

    assert found[2]["value"] == "Job shop/ a"
