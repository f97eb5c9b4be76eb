"""docs/how-to/price-manifests.md: its file, priced by the example table, comes to what the page shows."""

import re
import shlex
from pathlib import Path

import pytest

from gatehold.cli.exits import Exit
from tests.cli.stage import ROOT
from tests.cli.test_price import gatehold

PAGE = (ROOT / "docs" / "how-to" / "price-manifests.md").read_text()


def block(mark: str) -> str:
    """The indented lines after a mark, without their indent."""
    found = re.search(rf"<!-- {re.escape(mark)} -->\n\n((?:    .*\n|\n)+)", PAGE)
    assert found is not None, mark
    return "\n".join(line[4:] for line in found[1].rstrip().split("\n")) + "\n"


def test_the_page_shows_what_the_command_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "training.yaml").write_text(block("file training.yaml"))
    (tmp_path / "prices.yaml").write_text((ROOT / "manifests" / "examples" / "prices.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    command, _, shown = block("run").partition("\n\n")
    ended = gatehold(*shlex.split(command)[2:])
    assert (ended.code, ended.err) == (Exit.OK, "")
    assert ended.out == shown
