"""The site of the docs: its navigation holds every page, and what is missing or leads nowhere fails the build."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from tests.docs.written import ROOT


def nav() -> list[str]:
    """Every page of the navigation, in order."""
    found: list[str] = []

    def walk(entry: Any) -> None:
        if isinstance(entry, str):
            found.append(entry)
        else:
            for inner in entry.values() if isinstance(entry, dict) else entry:
                walk(inner)

    walk(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])
    return found


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """`make docs`, of a copy."""
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(folder / "site")],
        cwd=folder,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def test_every_page_stands_in_the_navigation_once() -> None:
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}

    assert sorted(nav()) == sorted(pages), "add the page to nav in mkdocs.yml"


def test_a_page_outside_the_navigation_a_dead_link_and_a_dead_anchor_fail_the_build(tmp_path: Path) -> None:
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    (tmp_path / "docs" / "how-to" / "lost.md").write_text("# Lost\n")
    index = tmp_path / "docs" / "index.md"
    index.write_text(f"{index.read_text()}\n[a](nowhere.md) [b](explanation/trust-model.md#nowhere)\n")

    done = build(tmp_path)

    assert done.returncode != 0
    for told in ("how-to/lost.md", "nowhere.md", "trust-model.md#nowhere"):
        assert told in done.stderr, done.stderr


def test_links_from_outside_the_site_meet_their_headings() -> None:
    """mkdocs looks at links inside docs/; these lead into it."""
    links = [
        (page.name, target, anchor)
        for page in sorted(ROOT.glob("*.md"))
        for target, anchor in re.findall(r"\]\((docs/[^)#]+\.md)#([^)]+)\)", page.read_text())
    ]

    assert links
    for page, target, anchor in links:
        heads = re.findall(r"^#+ (.*)$", (ROOT / target).read_text(), re.MULTILINE)
        slugs = {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", head).strip().lower()) for head in heads}
        assert anchor in slugs, f"{page} -> {target}#{anchor}"


def test_nothing_is_loaded_from_elsewhere(tmp_path: Path) -> None:
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")

    done = build(tmp_path)

    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "index.html").read_text()
    loaded = [part.split('"')[1] for part in page.split("<") if part.startswith(("script src", 'link rel="stylesheet"'))]
    assert [address for address in loaded if "//" in address] == []
