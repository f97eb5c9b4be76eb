"""The Lease on a real API server: one at a time, quick to give away, quick to be inherited, never held in doubt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from controlplane import ControlPlane
from gatehold.kube.client import Cluster
from gatehold.kube.clock import ServerClock
from gatehold.kube.resources import LEASES
from gatehold.runtime.leadership import Elector, LeadershipLost, Terms
from tests.runtime.support import eventually


def terms(namespace: str, identity: str, **changes: Any) -> Terms:
    short = Terms(namespace, "lease", identity, lease_seconds=2.0, renew_seconds=1.4, retry_seconds=0.3)
    return replace(short, **changes)


@asynccontextmanager
async def running(elector: Elector) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(elector.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def holder(cluster: Cluster, namespace: str) -> dict[str, Any]:
    spec: dict[str, Any] = (await cluster.get(LEASES, namespace, "lease"))["spec"]
    return spec


async def test_the_first_leads_and_renews_and_the_second_stands_by(
    cluster: Cluster, clock: ServerClock, namespace: str
) -> None:
    first = Elector(cluster, clock, terms(namespace, "first"))
    second = Elector(cluster, clock, terms(namespace, "second"))
    async with running(first):
        await asyncio.wait_for(first.leading.wait(), 5)
        began = await holder(cluster, namespace)
        async with running(second) as standing_by:

            async def renewed_twice() -> bool:
                return str((await holder(cluster, namespace))["renewTime"]) > str(began["renewTime"])

            await eventually(renewed_twice)
            # Three of the lease's own lengths: a standby that counted from its first look only would have taken it.
            await asyncio.wait({standing_by}, timeout=6.0)
            assert first.is_leader()
            assert not second.is_leader()
            spec = await holder(cluster, namespace)
            assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("first", 0)
            assert spec["acquireTime"] == began["acquireTime"]


async def test_a_released_lease_is_taken_at_the_next_look(cluster: Cluster, clock: ServerClock, namespace: str) -> None:
    first = Elector(cluster, clock, terms(namespace, "first", lease_seconds=10.0, renew_seconds=7.0))
    second = Elector(cluster, clock, terms(namespace, "second", lease_seconds=10.0, renew_seconds=7.0))
    leading = asyncio.create_task(first.run())
    await asyncio.wait_for(first.leading.wait(), 5)
    async with running(second):
        await eventually(lambda: second._seen_version)
        leading.cancel()
        await asyncio.gather(leading, return_exceptions=True)
        await first.release()
        assert not first.is_leader()
        await asyncio.wait_for(second.leading.wait(), 5)  # a Lease that nobody released would last 10 s
        assert (await holder(cluster, namespace))["leaseTransitions"] == 1


async def test_a_standby_looks_more_often_than_the_leader_renews(
    cluster: Cluster, clock: ServerClock, namespace: str
) -> None:
    """What is decided during a handover waits for the standby's next look, and a crash's gap grows by it."""
    slow = {"lease_seconds": 60.0, "renew_seconds": 45.0, "retry_seconds": 12.0}
    first, second = (Elector(cluster, clock, terms(namespace, name, **slow)) for name in ("first", "second"))
    leading = asyncio.create_task(first.run())
    await asyncio.wait_for(first.leading.wait(), 5)
    async with running(second):
        await eventually(lambda: second._seen_version)  # its first look: the next is one interval away
        leading.cancel()
        await asyncio.gather(leading, return_exceptions=True)
        await first.release()
        await asyncio.wait_for(second.leading.wait(), 12.0 / 2)


async def test_a_dead_leader_is_replaced_after_the_lease_and_not_before(
    cluster: Cluster, clock: ServerClock, namespace: str
) -> None:
    loop = asyncio.get_running_loop()
    first = Elector(cluster, clock, terms(namespace, "first"))
    second = Elector(cluster, clock, terms(namespace, "second"))
    async with running(first):
        await asyncio.wait_for(first.leading.wait(), 5)
    died = loop.time()
    async with running(second):
        await asyncio.wait_for(second.leading.wait(), 10)
        assert not first.is_leader()
        assert 1.4 < loop.time() - died < 2.0 + 0.3 + 1.0


async def test_a_foreign_hand_on_the_lease_ends_the_leader(cluster: Cluster, clock: ServerClock, namespace: str) -> None:
    elector = Elector(cluster, clock, terms(namespace, "first"))
    async with running(elector) as task:
        await asyncio.wait_for(elector.leading.wait(), 5)
        await cluster.merge_patch(LEASES, namespace, "lease", {"spec": {"holderIdentity": "thief"}})
        with pytest.raises(LeadershipLost, match="somebody else"):
            await asyncio.wait_for(task, 5)
        assert not elector.is_leader()
        await elector.release()
        assert (await holder(cluster, namespace))["holderIdentity"] == "thief"


async def test_somebody_touching_the_lease_without_taking_it_is_no_loss(
    cluster: Cluster, clock: ServerClock, namespace: str
) -> None:
    elector = Elector(cluster, clock, terms(namespace, "first"))
    async with running(elector) as task:
        await asyncio.wait_for(elector.leading.wait(), 5)
        await cluster.merge_patch(LEASES, namespace, "lease", {"metadata": {"labels": {"a": "b"}}})
        await asyncio.wait({task}, timeout=3.0)
        assert elector.is_leader()


async def test_a_renewal_that_meets_a_changed_lease_is_tried_again_at_once(
    cluster: Cluster, clock: ServerClock, namespace: str
) -> None:
    """To wait for the next turn would be too late here: what a short partition held back does this to the Lease."""
    slow = {"lease_seconds": 9.0, "renew_seconds": 3.0, "retry_seconds": 2.0}
    elector = Elector(cluster, clock, terms(namespace, "first", **slow))
    async with running(elector) as task:
        await asyncio.wait_for(elector.leading.wait(), 5)
        await cluster.merge_patch(LEASES, namespace, "lease", {"metadata": {"labels": {"a": "b"}}})
        await asyncio.wait({task}, timeout=4.5)
        assert elector.is_leader()


async def test_a_frozen_api_server_ends_leadership_in_time_though_no_call_comes_back(
    namespace: str, plane: ControlPlane, clock: ServerClock
) -> None:
    async with await Cluster.connect(kubeconfig=str(plane.admin_kubeconfig), timeout=0.25) as own:
        elector = Elector(own, clock, terms(namespace, "first"))
        loop = asyncio.get_running_loop()
        async with running(elector) as task:
            await asyncio.wait_for(elector.leading.wait(), 5)
            plane.freeze("kube-apiserver")
            frozen = loop.time()
            try:
                with pytest.raises(LeadershipLost, match="not renewed"):
                    await asyncio.wait_for(task, 5)
                assert loop.time() - frozen < 1.4 + 0.6
                assert not elector.is_leader()
            finally:
                plane.thaw("kube-apiserver")


async def test_the_answer_to_taking_it_was_lost(cluster: Cluster, clock: ServerClock, namespace: str) -> None:
    """A create that landed though its answer did not: the process knows its own name again and does not wait it out."""
    ghost = Elector(cluster, clock, terms(namespace, "first"))
    async with running(ghost):
        await asyncio.wait_for(ghost.leading.wait(), 5)
    again = Elector(cluster, clock, terms(namespace, "first"))
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with running(again):
        await asyncio.wait_for(again.leading.wait(), 5)
        assert loop.time() - began < 1.9  # the Lease would last 2 s
