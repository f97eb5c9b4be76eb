"""What is run on each version, by part; pytest leaves out by itself what needs a newer one (mark `since`)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

TABLE: Final = "table"
WALL: Final = "wall"
JOB: Final = "job"
CLI: Final = "cli"

PARTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        TABLE: ("tests/wall/test_table.py",),
        WALL: (
            "tests/wall/test_authors.py",
            "tests/wall/test_gaps.py",
            "tests/wall/test_limits.py",
            "tests/wall/test_races.py",
            "tests/wall/test_rights.py",
            "tests/wall/test_schema.py",
            "tests/wall/test_wording.py",
        ),
        JOB: ("tests/e2e/test_main_job.py",),
        CLI: ("tests/cli/test_ask.py", "tests/cli/test_decide.py", "tests/cli/test_look.py"),
    }
)
"""Files of tests by part."""

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {TABLE: "rows of the wall's table", WALL: "the wall's other tests", JOB: "the main job", CLI: "the command line"}
)
"""What a part is called in the page."""


def part_of(module: str) -> str:
    """Return the part of a test by the dotted name of its module, as JUnit's XML has it."""
    path = module.replace(".", "/") + ".py"
    return next(part for part, files in PARTS.items() if path in files)
