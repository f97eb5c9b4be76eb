"""docs/how-to/drain-nodes.md, followed by the letter on nodes of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from controlplane import Cluster
from playground import OperatorProcess, bind_people
from tests.e2e.drains.yard import Yard, is_cordoned
from tests.e2e.rollouts.pages import Block, Reader, blocks

PAGE = "drain-nodes.md"
POOL = "gpu"
ASKS, DECIDES, WATCHES, GIVES_BACK = "Ask", "Decide", "Watch", "Give the nodes back"


@pytest.fixture
def gpu(gatehold: Cluster, operator: OperatorProcess) -> Iterator[Yard]:
    """Two nodes with a service on them, and namespace ops, as the page has them; nothing of it is left afterwards."""
    for namespace in ("ops", POOL):
        bind_people(gatehold, namespace)
    yard = Yard(gatehold, POOL, operator)
    for name in ("1", "2"):
        yard.node(name)
    yard.service("train", 4)
    yield yard
    for name in ("1", "2"):
        yard.forget_node(name)
    gatehold.kubectl("delete", "gate/gpu", "--ignore-not-found")
    gatehold.kubectl("-n", POOL, "delete", "deploy", "--all")
    gatehold.kubectl("delete", "clusterrolebinding/dana-drains", "--ignore-not-found")


def test_the_page_is_followed_from_the_gate_to_the_uncordon(gpu: Yard, tmp_path: Path) -> None:
    ops = Yard(gpu.cluster, "ops", gpu.operator)
    reader, said = Reader(gpu.cluster, tmp_path), dict[str, str]()
    for block in blocks(PAGE):
        said[_key(block)] = said.get(_key(block), "") + reader.follow(block)
        if _key(block) == f"{ASKS} dana":
            (request,) = ops.all("apr")
            ops.until_prepared(request["metadata"]["name"])
    assert "asked about 2 nodes" in said["Ask dana"]
    assert "4 to evict" in said["Decide alice"]
    assert "Deployment gpu/train: 4 pods" in said["Decide alice"]
    assert "is Released" in said["Watch dana"]
    assert "Drained" in said["Watch dana"]
    assert "ended the maintenance of request ops/gpu-1-" in said["Give the nodes back dana"]
    assert not any(is_cordoned(gpu.node_of(name)) for name in ("1", "2"))
    for name in ("1", "2"):
        gpu.until_free(name)


def _key(block: Block) -> str:
    """The last commands of a person in a section."""
    return f"{block.section} {block.person or block.file}"
