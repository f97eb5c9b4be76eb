"""A priority class counts where a template names it, and not where the cluster put it in."""

import pytest

from gatehold.domain.provision.classes import as_templates_say
from gatehold.domain.provision.model import Sight
from tests.builders import DIGEST
from tests.provisions import NEW, asked, job, owner, pod, sight

CLASSED = pod(digest=NEW, classless=DIGEST)
"""A pod with a class; without it, it would be as the template of `owner()` says."""


def digests(seen: Sight) -> list[str]:
    found = as_templates_say(seen)
    return [one.digest for one in (*found.pods, *found.strays)]


CASES: dict[str, tuple[Sight, str]] = {
    "the template names none": (sight(CLASSED), DIGEST),
    "the template names one": (sight(CLASSED, owner=owner(digest=NEW, names_class=True)), NEW),
    "the template names one, and named none when it was asked about": (
        sight(CLASSED, owner=owner(digest=NEW, names_class=True), asked=(asked(),)),
        NEW,
    ),
    "the template names another": (sight(CLASSED, owner=owner(digest="sha256:other", names_class=True)), NEW),
    "an owner of another kind": (sight(CLASSED, owner=owner(known=False, digest="")), NEW),
    "an owner of another kind, of which such pods were asked about": (
        sight(CLASSED, owner=owner(known=False, digest=""), asked=(asked(),)),
        DIGEST,
    ),
    "an owner of another kind, of which both were asked about": (
        sight(CLASSED, owner=owner(known=False, digest=""), asked=(asked(), asked(digest=NEW))),
        NEW,
    ),
    "an owner of another kind, by its Job": (sight(CLASSED, owner=owner(known=False, digest=""), jobs=(job(),)), DIGEST),
    "an earlier template that named none": (
        sight(CLASSED, owner=owner(digest="sha256:other", names_class=True), asked=(asked(),)),
        DIGEST,
    ),
    "named once, asked about then, and no more: they are the default's now": (
        sight(CLASSED, asked=(asked(digest=NEW),)),
        DIGEST,
    ),
    "without a class": (sight(pod(digest=NEW)), NEW),
    "a stray": (sight(strays=(CLASSED,)), DIGEST),
}


@pytest.mark.parametrize(("seen", "counts"), CASES.values(), ids=CASES)
def test_a_pod_counts_under(seen: Sight, counts: str) -> None:
    assert digests(seen) == [counts]
