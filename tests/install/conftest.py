"""A control plane that writes down who asks for what, with Gatehold installed on it by Helm."""

from collections.abc import Iterator
from typing import Final

import pytest

from controlplane import ControlPlane, wait_until
from tests.e2e.operators import site, until_acting
from tests.e2e.stage import PATIENCE
from tests.install import chart, seat
from tests.install.world import World

CHECKED: Final = "NodeRestriction,OwnerReferencesPermissionEnforcement"
"""The second is not on by default; clusters that have it ask owners' finalizers of whoever makes children."""


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Installed with every gate and the webhook; the leader acts, the other replica is hot."""
    arguments = [f"--enable-admission-plugins={CHECKED}"]
    with ControlPlane.start(nodes=2, audit=True, apiserver_args=arguments) as plane:
        notes = chart.install(plane, "--set", f"webhook.enabled=true,{chart.PATIENT}")
        chart.wait_for_the_wall(plane)
        first, second = seat.take_seats(plane)
        first.start()
        until_acting(first)
        second.start()
        wait_until(lambda: site(second, "/healthz")[0] == 200, "the standby lives", PATIENCE)
        made = World(plane, (first, second), notes)
        yield made
        for replica in made.replicas:
            assert "Traceback" not in replica.log(100_000), replica.log(400)
