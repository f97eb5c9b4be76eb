"""How the probe reads the objects of the wall: each by name, live, and the long rest only where something was changed."""

from copy import deepcopy
from types import SimpleNamespace
from typing import Any

import pytest

from gatehold.admission.texts import PART_OF
from gatehold.controllers.probe import ProbeAccount
from gatehold.kube.errors import Absent
from gatehold.kube.resources import Resource

NAMES = ("ValidatingAdmissionPolicy/gatehold-requests", "ValidatingAdmissionPolicyBinding/gatehold-requests")


def text(name: str, version: int = 1) -> dict[str, Any]:
    kind, name = name.split("/")
    label, value = PART_OF.split("=")
    labels = {label: value}
    meta = {"name": name, "uid": f"{kind}-1", "resourceVersion": str(version), "generation": version, "labels": labels}
    return {"kind": kind, "metadata": meta, "spec": {"version": version}}


class Server:
    """The objects by kind, and how often they were read."""

    def __init__(self) -> None:
        self.live = {name.split("/")[0]: text(name) for name in NAMES}
        self.heads = self.wholes = 0

    async def get(self, resource: Resource, _: str | None, __: str) -> dict[str, Any]:
        self.wholes += 1
        return self._of(resource.kind)

    async def get_metadata(self, resource: Resource, _: str | None, __: str) -> dict[str, Any]:
        self.heads += 1
        return {"kind": resource.kind, "metadata": self._of(resource.kind)["metadata"]}

    def _of(self, kind: str) -> dict[str, Any]:
        if kind not in self.live:
            raise Absent("gone", status=404)
        return deepcopy(self.live[kind])


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def probe(server: Server) -> ProbeAccount:
    runtime = SimpleNamespace(cluster=server, settings=SimpleNamespace(namespace="gatehold-system"))
    return ProbeAccount(runtime, [text(name) for name in NAMES])  # type: ignore[arg-type]


async def test_what_did_not_change_is_read_by_its_metadata_alone(server: Server, probe: ProbeAccount) -> None:
    first = await probe.wall_objects()
    assert await probe.wall_objects() == first == [text(name) for name in NAMES]
    assert (server.heads, server.wholes) == (4, 2)


@pytest.mark.parametrize("change", [{"resourceVersion": "2"}, {"uid": "another"}], ids=["edited", "made anew"])
async def test_what_changed_is_read_whole(server: Server, probe: ProbeAccount, change: dict[str, str]) -> None:
    await probe.wall_objects()
    server.live["ValidatingAdmissionPolicy"]["metadata"] |= change
    server.live["ValidatingAdmissionPolicy"]["spec"] = {"version": 2}
    policy, _ = await probe.wall_objects()
    assert policy["spec"] == {"version": 2}
    assert server.wholes == 3


async def test_what_is_gone_is_not_remembered_as_there(server: Server, probe: ProbeAccount) -> None:
    await probe.wall_objects()
    del server.live["ValidatingAdmissionPolicy"]
    assert await probe.wall_objects() == [text(NAMES[1])]


async def test_what_lost_its_label_is_none_of_ours(server: Server, probe: ProbeAccount) -> None:
    await probe.wall_objects()
    server.live["ValidatingAdmissionPolicy"]["metadata"] |= {"labels": {}, "resourceVersion": "2"}
    assert await probe.wall_objects() == [text(NAMES[1])]
