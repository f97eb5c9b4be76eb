"""One version: what the package says stands everywhere else, too."""

import re
from pathlib import Path

import yaml

from gatehold import __version__

ROOT = Path(__file__).resolve().parents[2]
CHART = yaml.safe_load((ROOT / "charts" / "gatehold" / "Chart.yaml").read_text())
EXAMPLES = sorted((ROOT / "manifests" / "examples" / "pipelines").glob("*.yaml"))


def test_the_chart_is_of_this_version_and_installs_it() -> None:
    assert (CHART["version"], CHART["appVersion"]) == (__version__, __version__)


def test_the_rendered_manifests_start_the_image_of_this_version() -> None:
    for name in ("install.yaml", "install-1.30.yaml"):
        images = re.findall(r"^ +image: (\S+)$", (ROOT / "manifests" / name).read_text(), re.MULTILINE)
        assert images
        assert [image for image in images if not re.search(rf":{re.escape(__version__)}(@sha256:|$)", image)] == []


def test_the_newest_release_of_the_changelog_is_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## \[(.+?)\](?: - (\d{4}-\d{2}-\d{2}))?$", text, re.MULTILINE)
    assert headings[0] == ("Unreleased", "")
    assert headings[1][0] == __version__
    assert all(date for _, date in headings[1:])


def test_examples_and_pages_name_this_version() -> None:
    pages = [*EXAMPLES, *sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md"]
    texts = {page: page.read_text() for page in pages}
    said = {
        (page.name, version)
        for page, text in texts.items()
        for version in re.findall(r"gatehold[=:]=?(\d+\.\d+\.\d+)", text)
    }
    assert said
    assert {version for _, version in said} == {__version__}, said
