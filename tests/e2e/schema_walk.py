"""From a CRD's schema to values that try it, field by field. Pure; tests/e2e/test_bad_input.py sends them.

No field of ours is known here by name: a field that is added to a CRD is tried as all others are. What only rules in CEL say
(one member or the other, undo is another Job) is left to a base object in which the field has its place.
"""

import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import HealthCheck, find, settings
from hypothesis import strategies as st

Schema = dict[str, Any]
Body = dict[str, Any]
Path = tuple[str, ...]
"""Names of members; [] is the first item of a list, {} the value of a map."""

ABSENT: Final = object()
"""The value that leaves a field out."""
_WORDS: Final = ("a", "1", "A", "AAA", "v1", "https://a.example")
_QUIET: Final = settings(derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))

TEXTS: Final = {
    "Hebrew and Arabic": "שלום مرحبا",
    "combining characters": "e\u0301\u0327\u0489" * 3,
    "emoji": "👩‍🚀🇪🇺🚀",
    "beyond the first plane": "𐍈𐌰",
    "full-width": "ｐｒｏｄ",  # noqa: RUF001
    "a word that looks like another": "prоd",  # noqa: RUF001 - the o is Cyrillic, which is the point
    "the separator of verdicts": "a|b||c%7C%25",
    "quotes and backslashes": "\"'`\\\\${x}{{x}}",
    "markup": "<script>alert(1)</script>&amp;",
    "only spaces": "   ",
    "a leading and a trailing space": " a ",
    "a line feed": "a\nb",
    "a line feed at the end": "a\n",
    "a carriage return": "a\rb",
    "NUL": "a\x00b",
    "a terminal's escape": "a\x1b[2Jb",
    "a C1 control character": "a\x9bb",
    "direction turned": "a\u202eb\u202c",
    "zero width": "a\u200bb\ufeff",
    "line separator": "a\u2028b",
    "a lone surrogate": "a\ud800b",
    "a path": "../../etc/passwd",
}
_NUMBERS: Final = (-(2**63), -(2**31), -1, 0, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 10**30, -1.0, 0.5, 1e3, 1e308)
_OTHERS: Final[dict[str, tuple[Any, ...]]] = {
    "string": (5, 0.5, True, [], ["a"], {}, {"a": "b"}),
    "integer": ("5", "", True, [], [1], {}),
    "boolean": ("true", "", 0, 1, [], {}),
    "array": ("a", 5, True, {}, {"0": "a"}),
    "object": ("a", 5, True, [], [{}]),
}
_KEYS: Final = {"nothing": "", "two slashes": "a/b/c", "a space": "a b", "Hebrew": "שלום", "a long key": "a" * 400}


@dataclass(frozen=True)
class Case:
    """One value for one field. `breaks`: its schema alone refuses it, whatever stands beside."""

    path: Path
    name: str
    value: Any
    breaks: bool

    @property
    def says(self) -> str:
        """The case in words, for a failure."""
        return f"{dotted(self.path)}: {self.name}"


def dotted(path: Path) -> str:
    """The path of a field as the API server writes it, for the first item of each list."""
    return ".".join(path).replace(".[]", "[0]").replace(".{}", "")


def fields(node: Schema, path: Path = ()) -> Iterator[tuple[Path, Schema, bool]]:
    """Every field below with its path, its schema, and whether it is required where its parent stands."""
    for name, child in node.get("properties", {}).items():
        yield (*path, name), child, name in node.get("required", ())
        yield from fields(child, (*path, name))
    for member, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(node.get(member), dict):
            yield (*path, mark), node[member], False
            yield from fields(node[member], (*path, mark))


def cases(path: Path, node: Schema, required: bool) -> Iterator[Case]:
    """Every class of value that a field is tried with."""
    if path[-1] not in ("[]", "{}"):
        yield Case(path, "absent", ABSENT, required)
        yield Case(path, "null", None, required)  # a null is taken as absent
    for value in _OTHERS[node["type"]]:
        yield Case(path, f"{value!r} for a {node['type']}", value, breaks=True)
    for name, value in _of_its_type(node):
        yield Case(path, name, value, not fits(node, value))


def put(schema: Schema, base: Body, path: Path, value: Any) -> Body:
    """The base with this value at this path; what is missing on the way is made, what stands there is kept."""
    body = copy.deepcopy(base)
    at: Any = body
    for name, after in zip(path, (*path[1:], None), strict=True):
        schema = _child(schema, name)
        key = {"[]": 0, "{}": next(iter(at), "a") if isinstance(at, dict) else "a"}.get(name, name)
        if after is None:
            _set(at, key, value)
            return body
        if isinstance(at, list) and not at:
            at.append(exemplar(schema))
        elif isinstance(at, dict) and key not in at:
            at[key] = exemplar(schema)
        at = at[key]
    return body


def exemplar(node: Schema) -> Any:
    """The plainest value that a schema takes."""
    kind = node["type"]
    if "enum" in node:
        return node["enum"][0]
    if kind == "array":
        return many(node["items"], max(1, node.get("minItems", 1)))
    if kind == "object":
        names = list(node.get("required", ())) or list(node.get("properties", {}))[: node.get("minProperties", 0)]
        open_ended = isinstance(node.get("additionalProperties"), dict)
        return {"a": exemplar(node["additionalProperties"])} if open_ended else _members(node, names)
    return _word(node) if kind == "string" else True if kind == "boolean" else max(1, node.get("minimum", 1))


def many(node: Schema, count: int) -> list[Any]:
    """That many different values of one schema, as far as it has them."""
    kind = node["type"]
    if kind == "object":
        key = next(iter(node.get("required") or node["properties"]))
        rest = exemplar(node)
        return [{**rest, key: value} for value in many(node["properties"][key], count)]
    if "enum" in node or kind == "boolean":
        return list(node.get("enum", (True, False)))[:count]
    if kind == "integer":
        return [max(1, node.get("minimum", 1)) + n for n in range(count)]
    return [word for n in range(count) if fits(node, word := exemplar(node) + ("" if n == 0 else str(n)))]


def fits(node: Schema, value: Any) -> bool:
    """Whether the schema itself, its rules in CEL aside, takes a value of the right type. In doubt: yes."""
    kind = node["type"]
    if "enum" in node:
        return bool(value in node["enum"])
    if kind == "string":
        long = len(value) > node.get("maxLength", 10**9) or len(value) < node.get("minLength", 0)
        return not long and re.search(node.get("pattern", ""), value) is not None
    if kind == "integer":
        return bool(value == int(value) and node.get("minimum", value) <= value <= node.get("maximum", value))
    if kind == "array":
        marks = [repr(_mark(node, item)) for item in value]
        twice = node.get("x-kubernetes-list-type", "atomic") != "atomic" and len(set(marks)) < len(marks)
        return not twice and node.get("minItems", 0) <= len(value) <= node.get("maxItems", 10**9)
    if kind == "object":
        return len(value) >= node.get("minProperties", 0) and all(name in value for name in node.get("required", ()))
    return True


def _of_its_type(node: Schema) -> Iterator[tuple[str, Any]]:
    kind, plain = node["type"], exemplar(node)
    yield "the plainest", plain
    if "enum" in node:
        yield from ((f"the word {value}", value) for value in node["enum"][1:])
    if kind == "string":
        yield from _texts(node) if "enum" not in node else TEXTS.items()
    if kind == "integer":
        edges = {node.get("minimum", 0), node.get("minimum", 0) - 1, node.get("maximum", 9), node.get("maximum", 9) + 1}
        yield from ((f"the number {number}", number) for number in (*sorted(edges - set(_NUMBERS)), *_NUMBERS))
    if kind == "array":
        most = node.get("maxItems", 64)
        yield from (("empty", []), ("twice the same", [*plain, copy.deepcopy(plain[0])]))
        yield from ((f"{count} items", many(node["items"], count)) for count in (2, most, most + 1))
        yield "a null among them", [*plain, None]
    if kind == "object":
        yield "empty", {}
        if isinstance(node.get("additionalProperties"), dict):
            yield from (
                (f"{count} keys", _keys(node, count)) for count in (node["maxProperties"], node["maxProperties"] + 1)
            )
            yield from ((f"a key of {name}", {key: exemplar(node["additionalProperties"])}) for name, key in _KEYS.items())
        else:
            yield "a member that nobody knows", {**plain, "unknown": {"deep": [1]}}


def _texts(node: Schema) -> Iterator[tuple[str, str]]:
    most = node.get("maxLength", 64)
    yield "empty", ""
    yield "the longest", _longest(node, most)
    yield "the longest of four bytes a character", "🚀" * most
    yield "one longer", stretched(node, most + 1)
    yield "64 KiB", stretched(node, 65_536)
    yield from TEXTS.items()


def stretched(node: Schema, length: int) -> str:
    """A text of that length that follows the pattern; as long as the pattern can be, where it cannot be so long."""
    plain = str(exemplar(node))
    for middle in (plain[:1] + "{}" + plain[1:], "{}" + plain, plain + "{}"):
        for letter in "a1A":
            text = middle.format(letter * (length - len(plain)))
            if re.search(node.get("pattern", ""), text):
                return text
    return plain * length if "pattern" not in node else plain + "9" * (length - len(plain))


def _longest(node: Schema, most: int) -> str:
    texts = (stretched(node, length) for length in range(most, 0, -1))
    return next((text for text in texts if fits(node, text)), str(exemplar(node)))


def _keys(node: Schema, count: int) -> Body:
    return {f"k{n}": exemplar(node["additionalProperties"]) for n in range(count)}


def _members(node: Schema, names: list[str]) -> Body:
    return {name: exemplar(node["properties"][name]) for name in names}


def _mark(node: Schema, item: Any) -> Any:
    """What tells one item of a list from another."""
    keys = node.get("x-kubernetes-list-map-keys", [])
    return [item.get(key) for key in keys] if keys and isinstance(item, dict) else item


def _child(schema: Schema, name: str) -> Schema:
    found: Schema = {"[]": schema.get("items"), "{}": schema.get("additionalProperties")}.get(name) or schema["properties"][
        name
    ]
    return found


def _set(at: Any, key: Any, value: Any) -> None:
    if value is ABSENT:
        at.pop(key, None)
    elif isinstance(at, list) and not at:
        at.append(value)
    else:
        at[key] = value


def _word(node: Schema) -> str:
    for word in _WORDS:
        if fits(node, word):
            return word
    return str(find(st.from_regex(node["pattern"], fullmatch=True), lambda text: fits(node, text), settings=_QUIET))
