"""Sends what schema_walk makes, field by field or whole, and judges what the API server says to it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import yaml
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.e2e.crowd import at_once
from tests.e2e.schema_walk import Case, Schema, cases, dotted, exemplar, fields, put
from tests.e2e.stage import Body
from tests.wall.api import Answer

ROOT = Path(__file__).resolve().parents[2]
Send = Callable[[Body], Answer]
NOT_THE_AUTHORS: Final = ("spec.requester", "spec.authors")
"""Fields that the API server or the operator writes: a value of the author's own is refused by the wall, and named."""
WIDE: Final = settings(
    max_examples=10,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # to shrink a failure would take minutes; it names its objects anyway
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""The same examples every time: a red build is never luck."""
UNCLEAR: Final = ("resulted in error", "no such key", "no such overload", "Internal error", "panic", "runtime error")


JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=99),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=5,
)
"""Any value at all."""
_READABLE: Final = st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Cn"])


def schema(plural: str) -> Schema:
    """What an author writes of a kind."""
    crd = yaml.safe_load((ROOT / f"crds/{plural}.yaml").read_text(encoding="utf-8"))
    whole = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return {"type": "object", "required": ["spec"], "properties": {"spec": whole["properties"]["spec"]}}


def refusal(case: Case, answer: Answer) -> str:
    """What is wrong with a refusal; nothing where a person can find the field by it."""
    where, text = dotted(case.path), answer.message
    if answer.code >= 500 or any(word in text for word in UNCLEAR):
        return f"{case.says}: {answer.code} {text[:300]}"
    names = [name for name in case.path[1:] if name not in ("[]", "{}")] or ["spec"]  # a rule in CEL may stand at a parent
    named = where in text or any(name in text for name in names)
    return "" if named else f"{case.says}: nothing names the field in: {text[:300]}"


def homes(root: Schema, bases: tuple[Body, ...], send: Send) -> dict[str, Body]:
    """For each field the first base in which it stands, or its plainest value is taken."""
    every = [(path, node) for path, node, _ in fields(root)]
    tries = [(path, base, put(root, base, path, exemplar(node))) for path, node in every for base in bases]
    answers = at_once(lambda tried: send(tried[2]), tries)
    found: dict[str, Body] = {}
    for (path, base, _), answer in zip(tries, answers, strict=True):
        if answer.ok or stands(base, path):
            found.setdefault(dotted(path), base)
    lost = [name for name in (dotted(path) for path, _ in every) if name not in found]
    assert [n for n in lost if not n.startswith(NOT_THE_AUTHORS)] == [], "give the bases above one that takes these fields"
    return {dotted(path): found.get(dotted(path), bases[0]) for path, _ in every}


def stands(base: Any, path: tuple[str, ...]) -> bool:
    """Whether a base has the field already."""
    for name in path:
        if isinstance(base, list):
            base = base[0]
        elif name not in base:
            return False
        else:
            base = base[name]
    return True


def walk(root: Schema, bases: tuple[Body, ...], send: Send) -> list[tuple[Case, Body]]:
    """Send every case of every field; answers what was taken. What was refused is judged here."""
    home = homes(root, bases, send)
    every = [case for path, node, required in fields(root) for case in cases(path, node, required)]
    bodies = [put(root, home[dotted(case.path)], case.path, case.value) for case in every]
    answers = at_once(send, bodies)
    tried = list(zip(every, bodies, answers, strict=True))
    faults = [fault for case, _, answer in tried if not answer.ok and (fault := refusal(case, answer))]
    taken = [(case, body) for case, body, answer in tried if answer.ok]
    stamped = [case for case, _ in taken if dotted(case.path).startswith(NOT_THE_AUTHORS)]
    faults += [f"{case.says}: taken, against its schema" for case, _ in taken if case.breaks and case not in stamped]
    assert not faults, "\n".join(faults)
    return taken


def anything(node: Schema) -> st.SearchStrategy[Any]:
    """Values that a schema takes, or all but takes: bounds are stepped over by one, texts are of every script."""
    kind = node["type"]
    if "enum" in node:
        return st.sampled_from(node["enum"])
    if kind == "string":
        return (
            st.from_regex(node["pattern"])
            if "pattern" in node
            else st.text(_READABLE, max_size=node.get("maxLength", 99) + 1)
        )
    if kind == "integer":
        return st.integers(node.get("minimum", -5) - 1, node.get("maximum", 10**6) + 1)
    if kind == "array":
        return st.lists(anything(node["items"]), min_size=node.get("minItems", 0), max_size=3)
    if kind == "object" and isinstance(node.get("additionalProperties"), dict):
        return st.dictionaries(st.text(max_size=9), anything(node["additionalProperties"]), max_size=3)
    if kind == "object":
        known = {name: anything(child) for name, child in node.get("properties", {}).items()}
        needed = {name: known.pop(name) for name in node.get("required", ())}
        return st.fixed_dictionaries(needed, optional=known)
    return st.booleans()


def whole(root: Schema, bases: tuple[Body, ...], *left_out: str) -> st.SearchStrategy[Body]:
    """A base and whatever else fits beside it."""
    spec = root["properties"]["spec"]

    def around(base: Body) -> st.SearchStrategy[Body]:
        others = {name: node for name, node in spec["properties"].items() if name not in (*base["spec"], *left_out)}
        more = anything({"type": "object", "properties": others})
        return more.map(lambda found: {"spec": {**found, **base["spec"]}})

    return st.sampled_from(bases).flatmap(around)


def single(root: Schema, bases: tuple[Body, ...]) -> st.SearchStrategy[Body]:
    """A base with any value at all in some field."""
    paths = [path for path, _, _ in fields(root)]
    return st.builds(
        lambda base, path, value: put(root, base, path, value), st.sampled_from(bases), st.sampled_from(paths), JSON
    )


def unclear(answer: Answer) -> str:
    """A refusal that does not help; nothing for one that does, and for what was taken."""
    helps = answer.code < 500 and "spec" in answer.message and not any(word in answer.message for word in UNCLEAR)
    return "" if answer.ok or helps else f"{answer.code} {answer.message[:300]}"
