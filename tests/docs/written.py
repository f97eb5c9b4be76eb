"""Every Kubernetes object that the docs and the examples show, found wherever it stands: files, code blocks, here-documents.

A block that shows an object which cannot be applied as it stands says why, in a comment right before it:
`<!-- not applied: REASON -->`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]
EXAMPLES: Final = sorted(
    path for folder in ("examples", "argo-cd", "krew") for path in (ROOT / "manifests" / folder).rglob("*.yaml")
)
EXCUSE: Final = "not applied: "
_HERE: Final = re.compile(r"<<-?\s*['\"]?(\w+)['\"]?[^\n]*\n(.*?)^\s*\1\s*$", re.DOTALL | re.MULTILINE)
_OBJECT: Final = re.compile(r"^apiVersion: ", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A code block of a page, without its indent."""

    line: int
    """Of its first line, from 1."""
    text: str
    comment: str = ""
    """The comment right before it."""


@dataclass(frozen=True)
class Written:
    """One object, and where it is written."""

    where: str
    body: dict[str, Any]

    @property
    def title(self) -> str:
        """What a failure is called."""
        meta = self.body.get("metadata", {})
        return f"{self.where} {self.body.get('kind')}/{meta.get('name') or meta.get('generateName')}"


def everything() -> list[Written]:
    """Every object of the docs and the examples, in the order of the files."""
    return [*(found for page in PAGES for found in of_page(page)), *(found for path in EXAMPLES for found in _of_file(path))]


def of_page(page: Path) -> Iterator[Written]:
    """What a page shows and does not excuse."""
    for block in blocks(page.read_text()):
        if not block.comment.startswith(EXCUSE):
            for text in texts(block.text):
                yield from _objects(text, f"{page.relative_to(ROOT)}:{block.line}")


def blocks(page: str) -> list[Block]:
    """The code blocks of a page, fenced or indented by four, with the comment before each."""
    found: list[Block] = []
    lines, number, comment = page.splitlines(), 0, ""
    while number < len(lines):
        line = lines[number]
        if fence := re.match(r"( *)(```+|~~~+)", line):
            end = next((n for n in range(number + 1, len(lines)) if lines[n].strip().startswith(fence[2])), len(lines))
            found.append(Block(number + 2, _without(fence[1], lines[number + 1 : end]), comment))
            number, comment = end + 1, ""
        elif line.startswith("    ") and line.strip():
            end = next(
                (n for n in range(number, len(lines)) if lines[n].strip() and not lines[n].startswith("    ")), len(lines)
            )
            found.append(Block(number + 1, _without("    ", lines[number:end]), comment))
            number, comment = end, ""
        else:
            said = re.fullmatch(r"<!-- (.*) -->", line.strip())
            comment = said[1] if said else comment if not line.strip() else ""
            number += 1
    return found


def texts(block: str) -> list[str]:
    """The YAML in a block: the block itself, and each here-document of its commands."""
    inside = [found[2] for found in _HERE.finditer(block)]
    rest = _HERE.sub("", block)
    return [text for text in (rest, *inside) if _OBJECT.search(text)]


def _without(indent: str, lines: list[str]) -> str:
    return "\n".join(line.removeprefix(indent) for line in lines).strip("\n") + "\n"


def _of_file(path: Path) -> Iterator[Written]:
    text = path.read_text()
    if _OBJECT.search(text):
        yield from _objects(text, str(path.relative_to(ROOT)))


def _objects(text: str, where: str) -> Iterator[Written]:
    for body in yaml.safe_load_all(text):
        if body is None:
            continue
        yield from (Written(where, item) for item in (body["items"] if body.get("kind") == "List" else [body]))
