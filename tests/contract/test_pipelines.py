"""The examples for pipelines: no value of a run can become a command of a script."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = sorted((ROOT / "manifests" / "examples" / "pipelines").glob("*.yaml"))
SCRIPTS = {"run", "script", "before_script", "after_script", "source"}


def scripts(node: Any) -> Iterator[str]:
    """Every text that a CI system hands to a shell."""
    if isinstance(node, list):
        for item in node:
            yield from scripts(item)
    if isinstance(node, dict):
        for key, value in node.items():
            if key in SCRIPTS and isinstance(value, str):
                yield value
            elif key in SCRIPTS and isinstance(value, list):
                yield from (str(line) for line in value)
            else:
                yield from scripts(value)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_no_expression_stands_in_a_script(path: Path) -> None:
    found = [text for body in yaml.safe_load_all(path.read_text()) for text in scripts(body)]

    assert found or path.stem in {"job", "rbac"}
    for text in found:
        assert "{{" not in text
        assert not any(mark in text for mark in ("$(params", "$(context", "$(tasks", "$(workspaces")), text
