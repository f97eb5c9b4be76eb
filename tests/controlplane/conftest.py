"""Fixtures for the tests of the local control plane: one whole plane for all tests that leave it as it was."""

import uuid
from collections.abc import Iterator

import pytest

from controlplane import ControlPlane


@pytest.fixture(scope="package")
def plane() -> Iterator[ControlPlane]:
    """A control plane with everything; tests may add objects, but break nothing."""
    with ControlPlane.start(nodes=2) as running:
        yield running


@pytest.fixture
def namespace(plane: ControlPlane) -> str:
    """A namespace for one test, in which pods can be created already."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    plane.kubectl("create", "namespace", name)
    plane.kubectl("wait", "--for=create", "serviceaccount/default", f"--namespace={name}", "--timeout=60s", timeout=70)
    return name
