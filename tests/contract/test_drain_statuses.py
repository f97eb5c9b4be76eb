"""Every status of a drain on a real API server: it is taken, nothing of it is pruned, and it reads back as written."""

import json
from typing import Any

import pytest

from controlplane import Cluster
from gatehold.api.request_status import parse_status, render_status
from playground import install_kinds
from tests.contract.drain_lives import LIVES
from tests.contract.test_drains_refused import drain, held
from tests.wall.api import Api, Call, path

Body = dict[str, Any]
GROUP = "gatehold.dev/v1alpha1"


@pytest.fixture(scope="module")
def api(bare_cluster: Cluster) -> Api:
    """The kinds, and nothing else of ours."""
    install_kinds(bare_cluster)
    return Api.of(bare_cluster.admin_kubeconfig)


@pytest.mark.parametrize("life", LIVES, ids=list(LIVES))
def test_a_drain_that_is(life: str, api: Api) -> None:
    live, phase = LIVES[life]
    lived = live().world
    body = held() if life.startswith("held") else drain()
    body["metadata"]["name"] = life.replace(",", "").replace(" ", "-")
    body["spec"]["policyRef"]["name"] = lived.request.policy
    place = path(GROUP, "approvalrequests", "default", body["metadata"]["name"])
    stored = api.must(Call(path(GROUP, "approvalrequests", "default"), body, "post"))

    assert lived.status.phase == phase
    assert lived.request.done or life.startswith("held")
    for status in lived.history:
        wire = json.loads(json.dumps(render_status(status)))
        stored = api.must(Call(f"{place}/status", stored | {"status": wire}, "put"))

        assert stored["status"] == wire
        assert parse_status(stored) == status
    api.must(Call(place, how="delete"))
