"""Every test that the threat model names is there, every row it quotes is in the wall's table and refused there."""

import ast
import re
from functools import cache
from typing import Final

import pytest

from tests.docs.written import ROOT
from tests.wall.test_table import WHOLE

PAGE: Final = ROOT / "docs" / "explanation" / "threat-model.md"
HEAD: Final = "| | threat | what stands in the way | tried by |"
REFUSED: Final = {attempt.says for attempt in WHOLE if attempt.refused or attempt.unstamped}


def threats() -> dict[str, str]:
    """The last column of each threat, by its number."""
    rows = re.findall(r"^\| ([A-Z]\d+) \|.*\| ([^|]+) \|$", PAGE.read_text(), re.MULTILINE)
    assert len(rows) == len(dict(rows)), "two threats have one number"
    return dict(rows)


@cache
def functions(file: str) -> set[str]:
    """The test functions of a file below tests/."""
    path = ROOT / "tests" / f"{file}.py"
    tree = ast.parse(path.read_text()) if path.is_file() else ast.Module([], [])
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def named(text: str) -> list[tuple[str, str]]:
    """File and test of every `folder/test_file::test_name` in a text."""
    return re.findall(r"`([\w/]+)::(\w+)`", text)


def quoted(text: str) -> list[str]:
    """Every sentence in italics."""
    return re.findall(r"(?<!\*)\*([^*`]+)\*(?!\*)", text)


@pytest.mark.parametrize("number", threats())
def test_what_a_threat_names_is_there(number: str) -> None:
    said = threats()[number]
    tests, rows = named(said), quoted(said)

    assert tests or rows, "a threat that nothing tries"
    assert [f"{file}::{name}" for file, name in tests if name not in functions(file)] == []
    assert [row for row in rows if row not in REFUSED] == []
    # nothing else stands in that column: a name in another form would be checked by nobody
    assert re.sub(r"`[\w/]+::\w+`|\*[^*]+\*|[, ]", "", said) == ""


def test_what_the_prose_names_is_there_too() -> None:
    assert [f"{file}::{name}" for file, name in named(PAGE.read_text()) if name not in functions(file)] == []


def test_every_table_of_threats_is_read() -> None:
    lines = PAGE.read_text().splitlines()
    first = [lines[n + 2] for n, line in enumerate(lines) if line == HEAD]

    assert len(first) >= 8
    assert all(re.match(r"\| [A-Z]1 \|", line) for line in first)
    assert len(threats()) == sum(bool(re.match(r"\| [A-Z]\d+ \|", line)) for line in lines)
