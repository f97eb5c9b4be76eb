"""The Lease of a node under maintenance: what is written reads back, and nothing else is taken for one."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.api import maintenance
from gatehold.api.common import ParseError
from gatehold.api.maintenance import Maintenance
from gatehold.domain.nodes import LeaseFacts
from tests.api.drains import Body
from tests.builders import request

DRAIN = request(namespace="ops", name="drain", uid="request-uid")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def stored(**changes: Any) -> Body:
    """As the API server gives it back, with other metadata."""
    wire = maintenance.lease("n1", "node-uid", DRAIN, "gatehold-system")
    return wire | {"metadata": wire["metadata"] | {"uid": "l", "resourceVersion": "5"} | changes}


def test_what_is_written() -> None:
    assert maintenance.lease("n1", "node-uid", DRAIN, "gatehold-system") == {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {
            "name": maintenance.name_of("n1"),
            "namespace": "gatehold-system",
            "labels": {"app.kubernetes.io/part-of": "gatehold", "gatehold.dev/maintenance": "true"},
            "annotations": {
                "gatehold.dev/request": "ops/drain",
                "gatehold.dev/node": "n1",
                "gatehold.dev/node-uid": "node-uid",
            },
        },
        "spec": {"holderIdentity": "request-uid"},
    }


def test_it_reads_back() -> None:
    facts = LeaseFacts("n1", "node-uid", "request-uid", "ops/drain")

    assert maintenance.read(json.loads(json.dumps(stored()))) == Maintenance(maintenance.name_of("n1"), "l", "5", facts)


def test_the_selector_finds_it_by_its_labels() -> None:
    labels = stored()["metadata"]["labels"]

    assert ",".join(f"{key}={value}" for key, value in labels.items()) == maintenance.SELECTOR


@given(st.from_regex(SUBDOMAIN, fullmatch=True).filter(lambda name: len(name) <= 253))
def test_every_node_has_a_name_that_a_lease_can_have(node: str) -> None:
    found = maintenance.name_of(node)

    assert SUBDOMAIN.fullmatch(found)
    assert len(found) <= 63


def test_names_of_nodes_that_look_alike_differ() -> None:
    names = {maintenance.name_of(node) for node in ("n" * 41, "n" * 40, "n" * 39 + ".a", "n" * 39 + "-a", "n" * 39)}

    assert len(names) == 5


NOTES = stored()["metadata"]["annotations"]
FOREIGN: dict[str, Body] = {
    "the operator's own": stored(name="gatehold-leader", labels=None, annotations=None),
    "one without the label": stored(labels={"app.kubernetes.io/part-of": "gatehold"}),
    "one under another name": stored(name="gatehold-node-n2"),
    "one of no node": stored(annotations=NOTES | {"gatehold.dev/node": ""}),
    "one of any node of that name": stored(annotations={k: v for k, v in NOTES.items() if not k.endswith("uid")}),
    "one that nobody holds": stored() | {"spec": {"holderIdentity": None}},
    "one with nothing in it": stored() | {"spec": None},
}


@pytest.mark.parametrize("wire", FOREIGN.values(), ids=FOREIGN)
def test_it_is_none_of_ours(wire: Body) -> None:
    assert maintenance.read(wire) is None


def test_one_that_does_not_say_for_which_request_is_held_all_the_same() -> None:
    found = maintenance.read(stored(annotations=NOTES | {"gatehold.dev/request": ""}))

    assert found is not None
    assert found.facts.request == ""


@pytest.mark.parametrize(
    "wire",
    [stored() | {"metadata": None}, stored(uid=None), stored() | {"spec": {"holderIdentity": 5}}],
    ids=["no metadata", "no uid", "a holder that is a number"],
)
def test_it_cannot_be_read(wire: Body) -> None:
    with pytest.raises(ParseError):
        maintenance.read(wire)
