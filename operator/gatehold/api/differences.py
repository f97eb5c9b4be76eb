"""What is different between two pod templates, field by field, as a reviewer may see it."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gatehold.api import masking
from gatehold.api.common import Body
from gatehold.api.digest import digest

ABSENT: Final = "(absent)"
_DEEPEST: Final = 24  # a pod template is not deeper than that; below, a part is one value that is not shown
_IMAGES: Final = (("spec", "containers", "[]", "image"), ("spec", "initContainers", "[]", "image"))

Steps = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field: its path, and what it was and is, masked."""

    path: str
    was: str
    now: str
    is_image: bool = False


@dataclass(frozen=True, slots=True)
class _Leaf:
    kind: Steps  # as masking knows the field: any item of a list is `[]`
    value: object  # a scalar, a list of scalars, an empty part, or the digest of what lies too deep


def differences(key: str, was: Body, now: Body) -> tuple[Difference, ...]:
    """Every field that differs, images first, then in the order of the new template. `key` is the masking key."""
    before, after = dict(_leaves(was)), dict(_leaves(now))
    found = [
        _difference(key, steps, before.get(steps), after.get(steps))
        for steps in dict.fromkeys([*after, *before])
        if _content(before.get(steps)) != _content(after.get(steps))
    ]
    return tuple(sorted(found, key=lambda difference: not difference.is_image))


def _content(leaf: _Leaf | None) -> str:
    """What is compared: `1`, `"1"` and `true` are three."""
    return "" if leaf is None else json.dumps(leaf.value)


def _difference(key: str, steps: Steps, was: _Leaf | None, now: _Leaf | None) -> Difference:
    path = ".".join(steps).replace(".[", "[")
    is_image = any(leaf is not None and leaf.kind in _IMAGES for leaf in (was, now))
    before, after = _shown(key, was), _shown(key, now)
    if before == after:  # what tells them apart is not shown, such as white space
        before, after = _told_apart(key, before, was), _told_apart(key, after, now)
    return Difference(path, before, after, is_image)


def _told_apart(key: str, text: str, leaf: _Leaf | None) -> str:
    return f"{text[: masking.LONGEST - 16]} {masking.tag(key, _content(leaf))}"


def _leaves(value: object, steps: Steps = (), kind: Steps = ()) -> Iterator[tuple[Steps, _Leaf]]:
    parts = _parts(value)
    if parts and len(steps) >= _DEEPEST:
        parts, kind, value = [], ("...",), digest({"value": value}, nulls=False)
    if steps and not parts:
        yield steps, _Leaf(kind, {} if isinstance(value, dict) else value)
    for step, member in parts:
        yield from _leaves(member, (*steps, step), (*kind, "[]" if isinstance(value, list) else step))


def _parts(value: object) -> list[tuple[str, object]]:
    """The given members of an object, or the items of a list of objects; none where a value is compared as a whole."""
    if isinstance(value, dict):
        return [(str(name), member) for name, member in value.items() if member is not None]
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return [(f"[{name}]", item) for name, item in zip(_names(value), value, strict=True)]
    return []


def _names(items: list[object]) -> list[str]:
    """What tells the items of a list apart: their names, or where those are not unique their numbers."""
    names = [item.get("name") if isinstance(item, dict) else None for item in items]
    unique = all(isinstance(name, str) and name for name in names) and len(set(map(str, names))) == len(names)
    return [str(name if unique else number) for number, name in enumerate(names)]


def _shown(key: str, leaf: _Leaf | None) -> str:
    if leaf is None:
        return ABSENT
    value = leaf.value
    if not isinstance(value, str) and (not isinstance(value, list) or not value):
        return json.dumps(value)  # numbers, truth, nothing, empty parts
    text = value if isinstance(value, str) else shlex.join(map(str, value))
    if not masking.is_shown(leaf.kind):
        return masking.tag(key, text)
    return masking.image(key, text) if leaf.kind in _IMAGES else masking.masked(key, text)
