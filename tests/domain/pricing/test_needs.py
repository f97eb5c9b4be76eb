"""What a pod takes of a node: the table of cases worked out from the documentation, and what holds for any pod."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.api.pod_shape import shape
from gatehold.domain.pricing.pod import ContainerShape, PodShape, needs
from gatehold.domain.pricing.quantity import parse
from tests.pod_cases import CASES, PodCase

NAMES = st.sampled_from(["cpu", "memory", "example.com/dongle"])
AMOUNTS = st.dictionaries(NAMES, st.integers(0, 64).map(Decimal), max_size=3)
PLAIN = st.builds(ContainerShape, st.just("c"), AMOUNTS)
INIT = st.builds(ContainerShape, st.just("i"), AMOUNTS, st.booleans())
CONTAINERS = st.lists(PLAIN, min_size=1, max_size=4).map(tuple)
SHAPES = st.builds(
    PodShape,
    CONTAINERS,
    st.lists(INIT, max_size=5).map(tuple),
    st.none() | AMOUNTS,
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_pod_takes_what_the_documentation_says(case: PodCase) -> None:
    found = shape(case.spec)
    assert found.flaws == ()
    assert needs(found) == {name: parse(amount) for name, amount in case.takes.items()}


def test_there_are_at_least_fifty_cases_and_no_two_alike() -> None:
    assert len({case.name for case in CASES}) == len(CASES) >= 50


def test_the_pod_as_a_whole_speaks_of_nothing_but_cpu_memory_and_huge_pages() -> None:
    disk = {"ephemeral-storage": Decimal(9), "example.com/dongle": Decimal(9), "hugepages-2Mi": Decimal(9)}
    assert needs(PodShape(requests=disk, limits=disk)) == {"hugepages-2Mi": Decimal(9)}


@given(SHAPES)
def test_it_is_the_most_that_is_taken_at_any_moment(pod: PodShape) -> None:
    """Said another way: at each moment the sidecars that are up, and what runs beside them."""
    moments: list[list[ContainerShape]] = []
    up: list[ContainerShape] = []
    for container in pod.init:
        moments.append([*up, container])
        up += [container] if container.sidecar else []
    moments.append([*up, *pod.containers])
    found = needs(pod)
    for name in ("cpu", "memory", "example.com/dongle"):
        most = max(sum((c.requests.get(name, Decimal(0)) for c in moment), Decimal(0)) for moment in moments)
        assert found.get(name, Decimal(0)) == most + (pod.overhead or {}).get(name, Decimal(0))


@given(SHAPES, PLAIN)
def test_one_container_more_never_takes_less(pod: PodShape, more: ContainerShape) -> None:
    before, after = needs(pod), needs(PodShape((*pod.containers, more), pod.init, pod.overhead))
    assert all(after[name] >= amount for name, amount in before.items())
