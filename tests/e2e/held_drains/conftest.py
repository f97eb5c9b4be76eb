"""A control plane of these tests' own: its evictions go through the webhook, which nobody else's tests expect."""

from collections.abc import Iterator

import pytest

from controlplane import ControlPlane
from playground import OperatorProcess, install, wait_enforced
from tests.e2e.held_drains.hall import Hall, certs_init, let_people_drain, with_webhook
from tests.e2e.stage import new_stage


@pytest.fixture(scope="package")
def hall_plane() -> Iterator[ControlPlane]:
    """Gatehold installed, nobody running yet."""
    with ControlPlane.start(nodes=0) as cluster:
        install(cluster)
        let_people_drain(cluster)
        yield cluster


@pytest.fixture(scope="package")
def hall_operator(hall_plane: ControlPlane) -> Iterator[OperatorProcess]:
    """The operator with its webhook; the certificates follow its start, as an installer may do it."""
    port = hall_plane.reserve_port()
    process = with_webhook(hall_plane, "gatehold-hall", port)
    process.start()
    wait_enforced(hall_plane)
    certs_init(hall_plane, f"https://127.0.0.1:{port}/evict")
    yield process
    assert "Traceback" not in process.log(100_000), process.log(400)


@pytest.fixture
def hall(hall_plane: ControlPlane, hall_operator: OperatorProcess) -> Iterator[Hall]:
    """A namespace, a Gate and nodes of the test's own."""
    stage = new_stage(hall_plane, hall_operator)
    made = Hall(stage.cluster, stage.namespace, stage.operator)
    yield made
    made.end_drains()
    made.clear()
