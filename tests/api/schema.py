"""What the schema of a CRD says against a value, so that what is rendered can be tried without an API server."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Schema = dict[str, Any]
KINDS = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool}


def schema(plural: str, *path: str) -> Schema:
    """The schema of a kind, or of one of its parts."""
    text = (Path(__file__).parents[2] / "crds" / f"{plural}.yaml").read_text(encoding="utf-8")
    found: Schema = yaml.safe_load(text)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for name in path:
        found = found["properties"][name]
    return found


def misfits(value: Any, schema: Schema, path: str = "status") -> Iterator[str]:
    """What a structural schema says against a value; a field that it does not know would be pruned, so it counts too."""
    kind = schema["type"]
    if not isinstance(value, KINDS[kind]) or (kind == "integer" and isinstance(value, bool)):
        yield f"{path} is no {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path} is none of {schema['enum']}"
    if kind == "object":
        yield from _object(value, schema, path)
    if kind == "array":
        yield from _array(value, schema, path)
    if kind == "string":
        yield from _string(value, schema, path)
    if kind == "integer" and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{path} is out of its bounds"


def _object(value: Schema, schema: Schema, path: str) -> Iterator[str]:
    known = schema.get("properties", {})
    yield from (f"{path}.{name} is missing" for name in schema.get("required", ()) if name not in value)
    for name, member in value.items():
        if name in known:
            yield from misfits(member, known[name], f"{path}.{name}")
        else:
            yield f"{path}.{name} is not known"


def _array(value: list[Any], schema: Schema, path: str) -> Iterator[str]:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 10**6):
        yield f"{path} has {len(value)} entries"
    keys = schema.get("x-kubernetes-list-map-keys", [])
    marks = [tuple(item[k] for k in keys) if keys else json.dumps(item, sort_keys=True) for item in value]
    if schema.get("x-kubernetes-list-type", "atomic") != "atomic" and len(set(marks)) != len(marks):
        yield f"{path} has two entries of one key"
    for n, item in enumerate(value):
        yield from misfits(item, schema["items"], f"{path}[{n}]")


def _string(value: str, schema: Schema, path: str) -> Iterator[str]:
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10**6):
        yield f"{path} has {len(value)} characters"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{path} does not match {schema['pattern']}"
    if schema.get("format") == "date-time" and not re.fullmatch(r"[-0-9]{10}T[:0-9]{8}(\.[0-9]{1,9})?Z", value):
        yield f"{path} is no time"
