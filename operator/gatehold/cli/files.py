"""Files that a command line names: objects in YAML or JSON, `-` for standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from gatehold.cli.exits import Exit, Leave
from gatehold.cli.text import plain

_LARGEST = 4 * 1024 * 1024
_MOST = 10_000


class _Loader(yaml.SafeLoader):
    """YAML as Kubernetes means it: a time stays the text that it is, and no key stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a repeated key: two readers could see two different objects."""
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        twice = [key for place, key in enumerate(keys) if key in keys[:place]]
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"key {twice[0]} stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def one_object(name: str | Path) -> dict[str, Any]:
    """The one object in a file; anything else ends the command."""
    bodies = _documents(name)
    if len(bodies) != 1 or not isinstance(bodies[0], dict):
        raise Leave(Exit.USAGE, f"{plain(name)} must hold exactly one object, it holds {len(bodies)}")
    found: dict[str, Any] = bodies[0]
    return found


def objects(name: str | Path) -> list[dict[str, Any]]:
    """Every object in a file: of many documents, and of Lists in them. None, or anything else, ends the command."""
    found: list[dict[str, Any]] = []
    waiting, seen = _documents(name)[::-1], 0
    while waiting:
        body, seen = waiting.pop(), seen + 1
        if not isinstance(body, dict) or seen > _MOST:
            what = "something that is no object" if seen <= _MOST else f"more than {_MOST} objects"
            raise Leave(Exit.USAGE, f"{plain(name)} holds {what}")
        items = body.get("items")
        if str(body.get("kind") or "").endswith("List") and isinstance(items, list):
            waiting += reversed(items)
        else:
            found.append(body)
    if not seen:
        raise Leave(Exit.USAGE, f"{plain(name)} holds no object")
    return found


def _documents(name: str | Path) -> list[Any]:
    try:
        return [body for body in yaml.load_all(_text(str(name)), Loader=_Loader) if body is not None]
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Leave(Exit.USAGE, f"{plain(name)} is neither YAML nor JSON: {plain(error, lines=True)}") from error


def _text(name: str) -> str:
    try:
        text = sys.stdin.read(_LARGEST + 1) if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Leave(Exit.USAGE, f"{plain(name)} cannot be read: {plain(error)}") from error
    if len(text) > _LARGEST:
        raise Leave(Exit.USAGE, f"{plain(name)} is larger than 4 MiB")
    return text
