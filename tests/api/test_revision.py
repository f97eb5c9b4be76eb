"""A template that is kept, and what is read of it."""

from typing import Any

import pytest

from gatehold.api import revision
from gatehold.api.common import ParseError
from gatehold.api.digest import template_digest
from gatehold.domain.rollout.model import Revision
from tests.api.rollouts import TEMPLATE, UID, body

DIGEST = template_digest(TEMPLATE)
KEPT = revision.render(body(), TEMPLATE, 4)


def stored(**metadata: Any) -> dict[str, Any]:
    """As the API server gives it."""
    return KEPT | {"metadata": KEPT["metadata"] | {"uid": "r", "resourceVersion": "5"} | metadata}


def test_a_revision_is_owned_by_its_rollout_and_named_by_its_template() -> None:
    assert {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": f"web-{DIGEST[7:17]}",
            "namespace": "shop",
            "labels": {"gatehold.dev/rollout": "web"},
            "ownerReferences": [
                {
                    "apiVersion": "gatehold.dev/v1alpha1",
                    "kind": "Rollout",
                    "name": "web",
                    "uid": UID,
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "data": {"template": TEMPLATE},
        "revision": 4,
    } == KEPT
    assert revision.name("web", DIGEST) == KEPT["metadata"]["name"]


def test_what_is_kept_is_known_by_its_content_not_by_its_name() -> None:
    assert revision.facts(stored()) == Revision(f"web-{DIGEST[7:17]}", DIGEST, 4, "r", "5")
    assert revision.facts(stored(name="web-other")).template == DIGEST
    assert revision.template(stored()) == TEMPLATE


@pytest.mark.parametrize(
    ("owners", "expected"), [(None, ""), ([{"uid": "x"}], ""), ([{"uid": "x"}, {"uid": UID, "controller": True}], UID)]
)
def test_who_owns_it(owners: Any, expected: str) -> None:
    assert revision.owner(stored(ownerReferences=owners)) == expected


@pytest.mark.parametrize("data", [None, {}, {"template": []}], ids=str)
@pytest.mark.parametrize("read", [revision.facts, revision.template, revision.owner])
def test_it_keeps_no_template(read: Any, data: Any) -> None:
    with pytest.raises(ParseError, match="revision"):
        read(stored() | {"data": data})
