"""Files that a command line names: one object in each, YAML or JSON, `-` for standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml

from gatehold.cli.exits import Exit, Leave
from gatehold.cli.text import plain

_LARGEST = 4 * 1024 * 1024


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
    text = _text(str(name))
    try:
        bodies = [body for body in yaml.load_all(text, Loader=_Loader) if body is not None]
    except yaml.YAMLError as error:
        raise Leave(Exit.USAGE, f"{plain(name)} is neither YAML nor JSON: {plain(error, lines=True)}") from error
    if len(bodies) != 1 or not isinstance(bodies[0], dict):
        raise Leave(Exit.USAGE, f"{plain(name)} must hold exactly one object, it holds {len(bodies)}")
    found: dict[str, Any] = bodies[0]
    return found


def _text(name: str) -> str:
    try:
        text = sys.stdin.read(_LARGEST + 1) if name == "-" else Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Leave(Exit.USAGE, f"{plain(name)} cannot be read: {plain(error)}") from error
    if len(text) > _LARGEST:
        raise Leave(Exit.USAGE, f"{plain(name)} is larger than 4 MiB")
    return text
