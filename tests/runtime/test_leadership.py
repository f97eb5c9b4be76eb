"""The Lease on a real API server: one at a time, quick to give away, quick to be inherited, never held in doubt.

Time is a clock that the test moves: on a slow machine no Lease runs out by itself.
"""

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
from gatehold.kube.resources import LEASES, Resource
from gatehold.runtime.leadership import Elector, LeadershipLost, Terms
from tests.runtime.support import Ticks, eventually

LEASE, RENEW = 10.0, 7.0


def terms(namespace: str, identity: str, **changes: Any) -> Terms:
    """The pauses between two looks are real ones, so they are short."""
    short = Terms(namespace, "lease", identity, lease_seconds=LEASE, renew_seconds=RENEW, retry_seconds=0.3)
    return replace(short, **changes)


@pytest.fixture
def ticks() -> Ticks:
    """The clock of all electors of a test: they run on one machine."""
    return Ticks()


@asynccontextmanager
async def running(elector: Elector) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(elector.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def leads(elector: Elector) -> None:
    await asyncio.wait_for(elector.leading.wait(), 60)


async def take(elector: Elector) -> None:
    """Have it take the Lease and renew nothing: of what is cut off in the middle nobody knows when it lands."""
    await elector._stand_by()
    assert elector.is_leader()


async def holder(cluster: Cluster, namespace: str) -> dict[str, Any]:
    spec: dict[str, Any] = (await cluster.get(LEASES, namespace, "lease"))["spec"]
    return spec


async def touch(cluster: Cluster, namespace: str) -> None:
    """Write to the Lease without taking it."""
    await cluster.merge_patch(LEASES, namespace, "lease", {"metadata": {"labels": {"a": "b"}}})


async def test_the_first_leads_and_renews_and_the_second_stands_by(
    cluster: Cluster, clock: ServerClock, namespace: str, ticks: Ticks
) -> None:
    first = Elector(cluster, clock, terms(namespace, "first"), ticks)
    second = Elector(cluster, clock, terms(namespace, "second"), ticks)
    async with running(first):
        await leads(first)
        began = await holder(cluster, namespace)
        async with running(second):
            # Three of the lease's own lengths: a standby that counted from its first look only would have taken it.
            for _ in range(10):
                ticks.now += 3.0
                await eventually(lambda: first._renewed == ticks.now == second._seen_at)
                assert first.is_leader()
                assert not second.is_leader()
        spec = await holder(cluster, namespace)
        assert str(spec["renewTime"]) > str(began["renewTime"])
        assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("first", 0)
        assert spec["acquireTime"] == began["acquireTime"]


async def test_a_released_lease_is_taken_at_the_next_look(
    cluster: Cluster, clock: ServerClock, namespace: str, ticks: Ticks
) -> None:
    first = Elector(cluster, clock, terms(namespace, "first"), ticks)
    second = Elector(cluster, clock, terms(namespace, "second"), ticks)
    leading = asyncio.create_task(first.run())
    await leads(first)
    async with running(second):
        await eventually(lambda: second._seen_version)
        leading.cancel()
        await asyncio.gather(leading, return_exceptions=True)
        await first.release()
        assert not first.is_leader()
        await leads(second)  # time stands still: a Lease that nobody released would last for ever
        assert (await holder(cluster, namespace))["leaseTransitions"] == 1


async def test_a_renewal_that_was_cut_off_and_landed_all_the_same_does_not_keep_the_lease(
    cluster: Cluster, clock: ServerClock, namespace: str, ticks: Ticks
) -> None:
    """What is held then is an old version of it: a standby would have to wait for the whole Lease."""
    landed, really = asyncio.Event(), cluster.replace

    async def cut_off(resource: Resource, namespace: str | None, body: dict[str, Any]) -> dict[str, Any]:
        await really(resource, namespace, body)
        landed.set()
        await asyncio.Event().wait()
        return {}

    elector = Elector(cluster, clock, terms(namespace, "first"), ticks)
    cluster.replace = cut_off  # type: ignore[method-assign]
    async with running(elector):
        await asyncio.wait_for(landed.wait(), 60)
    cluster.replace = really  # type: ignore[method-assign]
    assert elector.is_leader()
    await elector.release()
    assert (await holder(cluster, namespace))["holderIdentity"] == ""


async def test_what_somebody_else_holds_is_not_released(
    cluster: Cluster, clock: ServerClock, namespace: str, ticks: Ticks
) -> None:
    elector = Elector(cluster, clock, terms(namespace, "first"), ticks)
    await take(elector)
    await cluster.merge_patch(LEASES, namespace, "lease", {"spec": {"holderIdentity": "thief"}})
    await elector.release()
    assert (await holder(cluster, namespace))["holderIdentity"] == "thief"


async def test_a_standby_looks_more_often_than_the_leader_renews(
    cluster: Cluster, clock: ServerClock, namespace: str, ticks: Ticks
) -> None:
    """What is decided during a handover waits for the standby's next look, and a crash's gap grows by it."""
    slow = {"lease_seconds": 60.0, "renew_seconds": 45.0, "retry_seconds": 12.0}
    first, second = (Elector(cluster, clock, terms(namespace, name, **slow), ticks) for name in ("first", "second"))
    await take(first)
    assert 0.0 < await second._stand_by() < 12.0 / 2
    assert not second.is_leader()
    await first.release()
    await take(second)


async def test_a_dead_leader_is_replaced_after_the_lease_and_not_before(
    cluster: Cluster, clock: ServerClock, namespace: str, ticks: Ticks
) -> None:
    first = Elector(cluster, clock, terms(namespace, "first"), ticks)
    second = Elector(cluster, clock, terms(namespace, "second"), ticks)
    await take(first)
    await second._stand_by()
    ticks.now += LEASE - 0.0625
    assert await second._stand_by() == 0.0625  # it wakes up just when the Lease runs out
    assert not second.is_leader()
    ticks.now += 0.0625
    async with running(second):
        await leads(second)
        assert not first.is_leader()


async def test_a_foreign_hand_on_the_lease_ends_the_leader(
    cluster: Cluster, clock: ServerClock, namespace: str, ticks: Ticks
) -> None:
    elector = Elector(cluster, clock, terms(namespace, "first"), ticks)
    async with running(elector) as task:
        await leads(elector)
        await cluster.merge_patch(LEASES, namespace, "lease", {"spec": {"holderIdentity": "thief"}})
        with pytest.raises(LeadershipLost, match="somebody else"):
            await asyncio.wait_for(task, 60)
        assert not elector.is_leader()
        await elector.release()
        assert (await holder(cluster, namespace))["holderIdentity"] == "thief"


async def test_somebody_touching_the_lease_without_taking_it_is_no_loss(
    cluster: Cluster, clock: ServerClock, namespace: str, ticks: Ticks
) -> None:
    elector = Elector(cluster, clock, terms(namespace, "first"), ticks)
    async with running(elector) as task:
        await leads(elector)
        await touch(cluster, namespace)
        ticks.now += 3.0
        await eventually(lambda: elector._renewed == ticks.now)
        assert elector.is_leader()
        assert not task.done()


async def test_a_renewal_that_meets_a_changed_lease_is_tried_again_at_once(
    cluster: Cluster, clock: ServerClock, namespace: str, ticks: Ticks
) -> None:
    """To wait for the next turn would be too late: what a short partition held back does this to the Lease."""
    begun, renewed, really = list[int](), asyncio.Event(), cluster.replace

    async def touched(resource: Resource, namespace: str | None, body: dict[str, Any]) -> dict[str, Any]:
        begun.append(1)
        if len(begun) == 1:
            await touch(cluster, str(namespace))
        answer = await really(resource, namespace, body)
        renewed.set()
        return answer

    cluster.replace = touched  # type: ignore[method-assign]
    next_turn = {"lease_seconds": 9000.0, "renew_seconds": 6000.0, "retry_seconds": 3600.0}
    elector = Elector(cluster, clock, terms(namespace, "first", **next_turn), ticks)
    async with running(elector):
        await asyncio.wait_for(renewed.wait(), 60)
        assert len(begun) == 2
        assert elector.is_leader()


async def test_a_frozen_api_server_ends_leadership_in_time_though_no_call_comes_back(
    namespace: str, plane: ControlPlane, clock: ServerClock, ticks: Ticks
) -> None:
    async with await Cluster.connect(kubeconfig=str(plane.admin_kubeconfig)) as own:
        elector = Elector(own, clock, terms(namespace, "first"), ticks)
        async with running(elector) as task:
            await leads(elector)
            plane.freeze("kube-apiserver")
            try:
                ticks.now = elector._renewed + RENEW - 0.5
                assert elector.is_leader()
                ticks.now += 0.5
                assert not elector.is_leader()  # at this moment, whatever is under way
                with pytest.raises(LeadershipLost, match="not renewed"):
                    await asyncio.wait_for(task, 60)
            finally:
                plane.thaw("kube-apiserver")


async def test_the_answer_to_taking_it_was_lost(cluster: Cluster, clock: ServerClock, namespace: str, ticks: Ticks) -> None:
    """A create that landed though its answer did not: the process knows its own name again and does not wait it out."""
    ghost = Elector(cluster, clock, terms(namespace, "first"), ticks)
    await take(ghost)
    again = Elector(cluster, clock, terms(namespace, "first"), ticks)
    async with running(again):
        await leads(again)  # time stands still: the Lease has not run out


async def test_a_renewal_that_comes_late_leaves_a_moment_without_the_lease_and_no_more(
    cluster: Cluster, clock: ServerClock, namespace: str, ticks: Ticks
) -> None:
    """It counts from when it began. What comes in that moment must not be lost: see `test_workers`."""
    sent, comes, really = asyncio.Event(), asyncio.Event(), cluster.replace

    async def late(resource: Resource, namespace: str | None, body: dict[str, Any]) -> dict[str, Any]:
        answer = await really(resource, namespace, body)
        sent.set()
        await comes.wait()
        return answer

    elector = Elector(cluster, clock, terms(namespace, "first"), ticks)
    await take(elector)
    cluster.replace = late  # type: ignore[method-assign]
    ticks.now += RENEW - 0.5
    async with running(elector):
        await asyncio.wait_for(sent.wait(), 60)
        ticks.now += 0.5
        assert not elector.is_leader()
        comes.set()
        await eventually(elector.is_leader)
