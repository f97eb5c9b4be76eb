"""An older installation, whose API server does not know Rollouts and Gates: requests are served all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from controlplane import API_ONLY, ControlPlane, wait_until
from gatehold.domain.installation import PROBE
from gatehold.kube.client import Cluster
from gatehold.kube.resources import REQUESTS, ROLLOUTS
from gatehold.settings import Settings
from playground import install_kinds
from playground.install import CRDS
from tests.runtime.conftest import LONG_LEASE
from tests.runtime.support import Replica, eventually, request_body

LATER = ("rollouts", "gates")


@pytest.fixture(scope="module")
def older() -> Iterator[ControlPlane]:
    """An API server with the first kinds only."""
    with ControlPlane.start(components=API_ONLY, nodes=0) as plane:
        for file in sorted(CRDS.glob("*.yaml")):
            if file.stem not in LATER:
                plane.kubectl("apply", "--server-side", "-f", str(file))
        served = ("get", "--raw", "/apis/gatehold.dev/v1alpha1/approvalrequests")
        wait_until(lambda: plane.kubectl(*served, check=False).returncode == 0, "requests are served", 60)
        yield plane


async def test_kinds_that_are_not_served_yet_hold_nothing_up_and_are_taken_up_later(older: ControlPlane) -> None:
    settings = Settings(kubeconfig=str(older.admin_kubeconfig), namespace="default", http_port=-1, **LONG_LEASE)
    async with await Cluster.connect(kubeconfig=str(older.admin_kubeconfig), timeout=30.0) as cluster:
        await cluster.create(REQUESTS, "default", request_body(PROBE, "default"))
        await cluster.create(REQUESTS, "default", request_body("before", "default"))
        replica = await asyncio.to_thread(Replica, settings)
        try:
            await eventually(lambda: "before" in replica.requests.names())
            await asyncio.to_thread(install_kinds, older)
            spec = {"containers": [{"name": "c", "image": "example.org/web:1"}]}
            pods = {"metadata": {"labels": {"app": "web"}}, "spec": spec}
            body = {"metadata": {"name": "web"}, "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": pods}}
            await cluster.create(ROLLOUTS, "default", body)
            await eventually(lambda: replica.runtime.rollouts.get("default", "web"), 120)
            assert replica.error is None
        finally:
            replica.ask_to_end()
            await asyncio.to_thread(replica.thread.join, 60)
