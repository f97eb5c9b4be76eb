"""docs/how-to/hold-kubectl-drain.md, followed by the letter: kubectl drain waits meanwhile, as it does for its reader."""

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane import ControlPlane, wait_until
from playground import OperatorProcess, bind_people
from tests.e2e.drains.yard import is_cordoned
from tests.e2e.held_drains.hall import Drain, Hall
from tests.e2e.rollouts.pages import Block, Reader, blocks
from tests.e2e.stage import PATIENCE

PAGE = "hold-kubectl-drain.md"
INIT = "gatehold certs init"
APPROVED, DENIED = "A drain that is approved", "A drain that is denied"


@pytest.fixture
def gpu(hall_plane: ControlPlane, hall_operator: OperatorProcess) -> Iterator[Hall]:
    """Two nodes with a service on each, and namespace ops, as the page has them."""
    for namespace in ("ops", "gpu"):
        bind_people(hall_plane, namespace)
    hall = Hall(hall_plane, "gpu", hall_operator)
    for name in ("1", "2"):
        hall.node(name)
        hall.service(f"train-{name}", 3, node=name)
    yield hall
    hall.end_drains()
    for name in ("1", "2"):
        hall.forget_node(name)
    hall_plane.kubectl("delete", "gate/gpu", "--ignore-not-found")
    hall_plane.kubectl("-n", "gpu", "delete", "deploy", "--all")


def test_the_page_is_followed_while_kubectl_waits(gpu: Hall, tmp_path: Path) -> None:
    ops, reader = Hall(gpu.cluster, "ops", gpu.operator), Reader(gpu.cluster, tmp_path)
    drains: dict[str, Drain] = {}
    for block in (at_home(gpu, block) for block in blocks(PAGE)):
        if block.person.endswith(", meanwhile"):
            words = block.text.split()
            assert words[:2] == ["kubectl", "drain"]
            drains[block.section] = gpu.kubectl_drain(*words[2:], user=block.person.removesuffix(", meanwhile"))
            ops.asked(count=len(drains))
            drains[block.section].until_says("is pending (0 of 2)")
        else:
            said = reader.follow(block)
            if block.text.startswith(INIT):
                assert "the webhook answers" in said
        if block.person == "bob":  # what the page says happens next
            assert drains[APPROVED].ends() == 0, drains[APPROVED].said
            assert "node/gpu-1 drained" in drains[APPROVED].said
            ops.until_phase(ops.questions()[0]["metadata"]["name"], "Released")
    assert drains[DENIED].ends() == 1
    assert "refuses the drain of gpu-2" in drains[DENIED].said
    assert "not during the sale" in drains[DENIED].said
    wait_until(lambda: not is_cordoned(gpu.node_of("2")), "gpu-2 is uncordoned", PATIENCE)
    assert len(gpu.pods_on("2")) == 3
    assert is_cordoned(gpu.node_of("1"))


def at_home(gpu: Hall, block: Block) -> Block:
    """The same where the webhook is reached by an address, since no Service leads anywhere here."""
    if not block.text.startswith(INIT):
        return block
    shown = gpu.cluster.kubectl("get", "validatingwebhookconfiguration", "gatehold-evictions", "-o", "json").stdout
    url = json.loads(shown)["webhooks"][0]["clientConfig"]["url"]
    return dataclasses.replace(block, text=re.sub(f"^{INIT}", f"{INIT} --url {url}", block.text))
