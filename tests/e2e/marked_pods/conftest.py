"""A control plane of these tests' own, where the API server does not stamp pods: the webhook of the operator does."""

from collections.abc import Iterator

import pytest

from controlplane import ControlPlane
from playground import OperatorProcess, install, wait_enforced
from playground.operator_process import PATIENT
from tests.e2e.held_drains.hall import certs_init, with_webhook
from tests.e2e.provisioning.depot import Depot, put_prices
from tests.e2e.stage import new_stage

NAMES = ("gatehold-stamp-pods", "gatehold-stamp-gated-jobs")


@pytest.fixture(scope="package")
def mill_plane() -> Iterator[ControlPlane]:
    """Gatehold installed as below 1.36, with prices, nobody running yet."""
    with ControlPlane.start(nodes=2) as cluster:
        install(cluster)
        for kind in ("mutatingadmissionpolicybinding", "mutatingadmissionpolicy"):
            cluster.kubectl("delete", kind, *NAMES, "--ignore-not-found", check=False)  # no such kind below 1.36
        put_prices(cluster)
        yield cluster


@pytest.fixture(scope="package")
def mill_port(mill_plane: ControlPlane) -> int:
    """Where the webhook listens."""
    return mill_plane.reserve_port()


@pytest.fixture(scope="package")
def mill_operator(mill_plane: ControlPlane, mill_port: int) -> Iterator[OperatorProcess]:
    """The operator with its webhook, installed."""
    process = with_webhook(mill_plane, "gatehold-mill", mill_port, **PATIENT)
    process.start()
    wait_enforced(mill_plane)
    said = certs_init(mill_plane, url(mill_port), "--pods")
    assert "MutatingWebhookConfiguration gatehold-pods: installed" in said
    yield process
    assert "Traceback" not in process.log(100_000), process.log(400)


def url(port: int) -> str:
    """The second door."""
    return f"https://127.0.0.1:{port}/pods"


@pytest.fixture
def mill(mill_plane: ControlPlane, mill_operator: OperatorProcess) -> Iterator[Depot]:
    """A namespace of the test's own, behind a Gate once `mill.gate()` says so."""
    stage = new_stage(mill_plane, mill_operator)
    made = Depot(stage.cluster, stage.namespace, stage.operator)
    yield made
    made.clear()
