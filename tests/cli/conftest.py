"""Clusters for the CLI: one whose API server stamps words, one where the CLI writes the stored form."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane import API_ONLY, ControlPlane
from tests.cli.stage import Stage


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whoever asks for the stage that stamps needs an API server that does."""
    for item in items:
        if item.path.parent == Path(__file__).parent and "stage" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.since(1, 36))


@pytest.fixture(scope="package")
def stage() -> Iterator[Stage]:
    """As on 1.36 and later."""
    with ControlPlane.start(components=API_ONLY) as plane:
        yield Stage(plane, stamping=True)


@pytest.fixture(scope="package")
def old_stage() -> Iterator[Stage]:
    """As on 1.30 to 1.35: no stamping policy."""
    with ControlPlane.start(components=API_ONLY) as plane:
        yield Stage(plane, stamping=False)


@pytest.fixture(params=[pytest.param("stage", marks=pytest.mark.since(1, 36)), "old_stage"], ids=["stamped", "stored form"])
def both(request: pytest.FixtureRequest) -> Stage:
    found: Stage = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name for the test's own objects."""
    return "".join(c if c.isalnum() else "-" for c in request.node.name.lower()).strip("-")[-40:].strip("-")
