"""Two pod templates, field by field."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.api.common import ParseError
from gatehold.api.differences import ABSENT, Difference, differences
from gatehold.api.digest import template_digest
from gatehold.api.masking import tag

KEY = "rollout-uid"
BEFORE: dict[str, Any] = {
    "metadata": {"labels": {"app": "web"}, "annotations": {"note": "one"}},
    "spec": {
        "containers": [
            {
                "name": "web",
                "image": "web:1",
                "args": ["--to", "41"],
                "env": [{"name": "LEVEL", "value": "info"}],
                "ports": [{"containerPort": 80}],
                "resources": {"limits": {"cpu": "1"}},
            }
        ],
        "volumes": [],
    },
}


def changed(change: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """The template with a change to its first container."""
    after = copy.deepcopy(BEFORE)
    change(after["spec"]["containers"][0])
    return after


def told(shown: str, content: str) -> str:
    """A value that looks like the other one, told apart by a tag of its JSON."""
    return f"{shown} {tag(KEY, content)}"


ROWS: dict[str, tuple[dict[str, Any], list[Difference]]] = {
    "nothing": (BEFORE, []),
    "an image": (
        changed(lambda c: c.update(image="web:2")),
        [Difference("spec.containers[web].image", "web:1", "web:2", is_image=True)],
    ),
    "arguments": (
        changed(lambda c: c.update(args=["--to", "42", "--password", "a b"])),
        [Difference("spec.containers[web].args", "--to 41", "--to 42 --password " + tag(KEY, "'a b'"))],
    ),
    "an environment variable": (
        changed(lambda c: c["env"][0].update(value="debug")),
        [Difference("spec.containers[web].env[LEVEL].value", tag(KEY, "info"), tag(KEY, "debug"))],
    ),
    "one more of them": (
        changed(lambda c: c["env"].insert(0, {"name": "A", "value": "x"})),
        [
            Difference("spec.containers[web].env[A].name", ABSENT, "A"),
            Difference("spec.containers[web].env[A].value", ABSENT, tag(KEY, "x")),
        ],
    ),
    "a number": (
        changed(lambda c: c["ports"][0].update(containerPort=81)),
        [Difference("spec.containers[web].ports[0].containerPort", "80", "81")],
    ),
    "a number that is a text now": (
        changed(lambda c: c["ports"][0].update(containerPort="80")),
        [Difference("spec.containers[web].ports[0].containerPort", told("80", "80"), told("80", '"80"'))],
    ),
    "white space": (
        changed(lambda c: c["resources"]["limits"].update(cpu="1 ")),
        [Difference("spec.containers[web].resources.limits.cpu", told("1", '"1"'), told("1", '"1 "'))],
    ),
    "something that is gone": (
        changed(lambda c: c.pop("resources")),
        [Difference("spec.containers[web].resources.limits.cpu", "1", ABSENT)],
    ),
    "a null, which is nothing": (changed(lambda c: c.update(tty=None)), []),
    "truth": (changed(lambda c: c.update(tty=True)), [Difference("spec.containers[web].tty", ABSENT, "true")]),
    "an empty part": (
        changed(lambda c: c.update(securityContext={})),
        [Difference("spec.containers[web].securityContext", ABSENT, "{}")],
    ),
    "a field that nobody knows": (
        changed(lambda c: c.update(new={"part": "x"})),
        [Difference("spec.containers[web].new.part", ABSENT, tag(KEY, "x"))],
    ),
}


@pytest.mark.parametrize(("after", "expected"), ROWS.values(), ids=ROWS)
def test_the_difference_is(after: dict[str, Any], expected: list[Difference]) -> None:
    assert list(differences(KEY, BEFORE, after)) == expected


def test_images_come_first_those_of_init_containers_too() -> None:
    after = changed(lambda c: c.update(image="web:2", args=[]))
    after["metadata"]["labels"]["app"] = "shop"
    after["spec"]["initContainers"] = [{"name": "init", "image": "init:1"}]
    found = differences(KEY, BEFORE, after)

    assert [d.path for d in found if d.is_image] == [d.path for d in found[:2]]
    assert found[1] == Difference("spec.initContainers[init].image", ABSENT, "init:1", is_image=True)


def test_items_without_unique_names_are_told_apart_by_their_numbers() -> None:
    mounts = [{"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/b"}]
    found = differences(
        KEY, changed(lambda c: c.update(volumeMounts=mounts)), changed(lambda c: c.update(volumeMounts=mounts[:1]))
    )

    assert [d.path for d in found] == [
        "spec.containers[web].volumeMounts[v].name",
        "spec.containers[web].volumeMounts[v].mountPath",
        "spec.containers[web].volumeMounts[0].name",
        "spec.containers[web].volumeMounts[0].mountPath",
        "spec.containers[web].volumeMounts[1].name",
        "spec.containers[web].volumeMounts[1].mountPath",
    ]


def test_items_of_a_mixed_list_have_numbers() -> None:
    assert differences(KEY, {}, {"spec": {"odd": [1, {"a": 2}, [3]]}}) == (
        Difference("spec.odd[0]", ABSENT, "1"),
        Difference("spec.odd[1].a", ABSENT, "2"),
        Difference("spec.odd[2]", ABSENT, tag(KEY, "3")),
    )


def test_before_a_first_deployment_there_is_nothing() -> None:
    found = differences(KEY, {}, BEFORE)

    assert {d.was for d in found} == {ABSENT}
    assert found[0] == Difference("spec.containers[web].image", ABSENT, "web:1", is_image=True)


def nested(depth: int, leaf: str) -> dict[str, Any]:
    value: Any = leaf
    for _ in range(depth):
        value = {"a": value}
    return {"spec": value}


def test_what_lies_too_deep_is_one_value_that_is_not_shown() -> None:
    (found,) = differences(KEY, nested(40, "x"), nested(40, "y"))

    assert found.path == ".".join(["spec", *"a" * 23])
    assert found.was != found.now
    assert found.now.startswith("sha256:")


def test_what_has_no_end_has_no_digest() -> None:
    with pytest.raises(ParseError):
        differences(KEY, {}, nested(100_000, "x"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=15,
)
TEMPLATES = st.dictionaries(st.sampled_from(["spec", "metadata", "a"]), JSON, max_size=3)


@given(TEMPLATES, TEMPLATES)
def test_templates_of_two_digests_never_look_the_same(was: dict[str, Any], now: dict[str, Any]) -> None:
    found = differences(KEY, was, now)

    assert bool(found) == (template_digest(was) != template_digest(now))
    assert all(d.was != d.now and len(d.was) <= 256 and len(d.now) <= 256 for d in found)
