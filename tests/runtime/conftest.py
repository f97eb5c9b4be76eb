"""A real API server for the whole session, a namespace for each test, and operators that run beside the test."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from controlplane import API_ONLY, ControlPlane
from gatehold.domain.installation import PROBE
from gatehold.kube.client import Cluster
from gatehold.kube.clock import ServerClock
from gatehold.kube.resources import NAMESPACES, POLICIES, REQUESTS
from gatehold.runtime.operator import Operator, run
from gatehold.runtime.parts import GATE, ROLLOUT, Controllers, Key, Periodic, Runtime
from gatehold.settings import Settings
from playground import install_kinds
from tests.runtime.support import Recording, Replica, Running, request_body, summarise


@pytest.fixture(scope="package")
def plane() -> Iterator[ControlPlane]:
    """The API server without controllers: nothing here needs a pod."""
    with ControlPlane.start(components=API_ONLY, nodes=0) as plane:
        install_kinds(plane)
        yield plane


@pytest.fixture
async def cluster(plane: ControlPlane) -> AsyncIterator[Cluster]:
    """The admin's connection; a busy machine may take its time to answer."""
    async with await Cluster.connect(kubeconfig=str(plane.admin_kubeconfig), timeout=30.0) as cluster:
        yield cluster


@pytest.fixture
async def clock(cluster: Cluster) -> AsyncIterator[ServerClock]:
    """The server's clock, known from the start."""
    clock = ServerClock()
    cluster._transport.listeners = (*cluster._transport.listeners, clock)
    while not clock.known():  # what a busy machine answers late says nothing
        await cluster.who_am_i()
    keeping = asyncio.create_task(clock.keep(cluster))
    yield clock
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


@pytest.fixture
async def namespace(cluster: Cluster) -> str:
    """A namespace of this test's own; never removed, since nothing here finishes removals."""
    name = f"t-{secrets.token_hex(4)}"
    await cluster.create(NAMESPACES, None, {"metadata": {"name": name}})
    return name


LONG_LEASE: dict[str, Any] = {"lease_seconds": 60.0, "lease_renew_seconds": 45.0}
"""A machine that stands still for some seconds is no reason to lose it, unless a test is about that."""
Start = Callable[..., Awaitable[Running]]
StartReplica = Callable[..., Replica]


@pytest.fixture
def replica(plane: ControlPlane, namespace: str) -> Iterator[StartReplica]:
    """Start operators in threads of their own; they are ended with the test."""
    replicas: list[Replica] = []

    def begin(**changes: Any) -> Replica:
        values: dict[str, Any] = {"kubeconfig": str(plane.admin_kubeconfig), "namespace": namespace, "http_port": -1}
        replicas.append(Replica(Settings(**(values | LONG_LEASE | changes))))
        return replicas[-1]

    yield begin
    for one in replicas:
        one.ask_to_end()
    for one in replicas:
        one.thread.join(60)
        assert not one.thread.is_alive()


@pytest.fixture
async def start(plane: ControlPlane, cluster: Cluster, namespace: str) -> Start:
    """Start operators: `async with await start(...) as running`. The probe's request is there, for the heartbeat."""
    await cluster.create(REQUESTS, namespace, request_body(PROBE, namespace))

    async def begin(
        periodics: tuple[Periodic, ...] = (),
        on_wall_change: Callable[[], None] = lambda: None,
        act: Callable[[Key], Awaitable[datetime | None]] | None = None,
        **changes: Any,
    ) -> Running:
        values: dict[str, Any] = {"kubeconfig": str(plane.admin_kubeconfig), "namespace": namespace, "http_port": 0}
        values |= {"http_address": "127.0.0.1", "heartbeat_seconds": 0.5} | LONG_LEASE
        settings = Settings(**(values | changes))
        requests, policies = Recording(act=act, namespace=namespace), Recording(POLICIES.kind)
        made: asyncio.Future[tuple[Operator, Runtime]] = asyncio.get_running_loop().create_future()
        runtimes: list[Runtime] = []

        def build(runtime: Runtime) -> Controllers:
            runtimes.append(runtime)
            return Controllers([requests, policies, Recording(ROLLOUT), Recording(GATE)], periodics, on_wall_change)

        stop = asyncio.Event()
        task = asyncio.create_task(
            run(settings, build, summarise, stop=stop, started=lambda operator: made.set_result((operator, runtimes[0])))
        )
        operator, runtime = await made
        return Running(operator, runtime, requests, policies, task, stop)

    return begin
