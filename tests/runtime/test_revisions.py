"""Which templates are kept: one list for all, and one of its own for whoever cannot wait for that."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from gatehold.api import revision
from gatehold.api.rollout import ROLLOUT_LABEL, parse
from gatehold.controllers.rollouts.revisions import Revisions
from gatehold.domain.rollout.model import Rollout
from gatehold.kube.client import Page
from gatehold.kube.resources import Resource

TEMPLATE = {"spec": {"containers": [{"name": "app", "image": "example.org/app:1"}]}}


def rollout(name: str) -> dict[str, Any]:
    meta = {"name": name, "namespace": "shop", "uid": f"uid-{name}", "resourceVersion": "7", "generation": 1}
    return {"metadata": meta, "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": TEMPLATE}}


def kept(name: str) -> dict[str, Any]:
    made = revision.render(rollout(name), TEMPLATE, 1)
    return {**made, "metadata": {**made["metadata"], "uid": f"kept-{name}", "resourceVersion": "8"}}


class Cluster:
    """Two Rollouts with a template each, and what was listed."""

    def __init__(self) -> None:
        self.listed: list[str] = []

    async def list_all(self, resource: Resource, namespace: str, selector: str) -> list[dict[str, Any]]:
        self.listed.append(selector)
        return [kept(selector.partition("=")[2])]

    async def list_pages(self, resource: Resource, *, label_selector: str) -> AsyncIterator[Page]:
        self.listed.append(label_selector)
        for name in ("web", "api"):
            yield Page([kept(name)], "9")


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def revisions(cluster: Cluster) -> Revisions:
    return Revisions(SimpleNamespace(cluster=cluster))  # type: ignore[arg-type]


def parsed(name: str) -> Rollout:
    return parse(rollout(name))


async def test_one_list_is_enough_for_all(revisions: Revisions, cluster: Cluster) -> None:
    for name in ("web", "api", "web"):
        assert [found.uid for found in await revisions.of(parsed(name))] == [f"kept-{name}"]
    assert [found.uid for found in await revisions.of(parsed("web"), pressing=True)] == ["kept-web"]
    assert cluster.listed == [ROLLOUT_LABEL]


async def test_what_people_wait_for_is_read_by_itself_once(revisions: Revisions, cluster: Cluster) -> None:
    for pressing in (True, True, False):
        assert [found.uid for found in await revisions.of(parsed("web"), pressing=pressing)] == ["kept-web"]
    assert cluster.listed == [f"{ROLLOUT_LABEL}=web"]
    assert [found.uid for found in await revisions.of(parsed("api"))] == ["kept-api"]
    assert cluster.listed[1:] == [ROLLOUT_LABEL]


async def test_what_was_read_by_itself_and_is_gone_is_forgotten(revisions: Revisions, cluster: Cluster) -> None:
    await revisions.of(parsed("web"), pressing=True)
    revisions.forget("uid-web")
    await revisions.of(parsed("web"), pressing=True)
    assert cluster.listed == [f"{ROLLOUT_LABEL}=web"] * 2
