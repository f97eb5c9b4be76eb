"""Kopf, run as a watch and nothing more; `operator` starts it when the caches are full, and ends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import kopf

from gatehold.kube.client import Cluster
from gatehold.runtime import handlers
from gatehold.runtime.forgetful import Forgetful
from gatehold.runtime.routing import Router
from gatehold.runtime.tasks import on_signals

_ENDS_SECONDS = 1.0  # at most; its watches need some turns of the loop to close
_ENDS_LATE_SECONDS = 6.0  # the same once it was told to end, on a busy machine: the Lease is free by then, nobody waits
_WAITER = "pause-waiter for "


class KopfWatch:
    """One run of kopf in this process."""

    def __init__(self, router: Router, cluster: Cluster) -> None:
        """Every event goes to the router; kopf is the same account as the cluster."""
        self._router = router
        self._cluster = cluster
        self._stop = asyncio.Event()
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Let kopf watch; it ends by our flag, or with the error that ended it.

        Kopf's own way of running its tasks is not used: when one of its watches fails, that waits for tasks that nobody
        ends, ten seconds long, and then kills the process, Lease in hand; until then it would lead on what it knew last.
        """
        handlers.router.set(self._router)
        handlers.cluster.set(self._cluster)
        settings = kopf.OperatorSettings()
        handlers.configure(settings)
        tasks = await kopf.spawn_tasks(
            registry=handlers.registry_of(self._router.watched_kinds),
            settings=settings,
            memories=Forgetful(),
            clusterwide=True,
            standalone=True,
            stop_flag=self._stop,
            ready_flag=self.ready,
        )
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await _end(set(tasks), _ENDS_LATE_SECONDS if self._stop.is_set() else _ENDS_SECONDS)

    def stop(self) -> None:
        """Tell kopf to end."""
        self._stop.set()

    async def give_signals_back(self, stop: Callable[[], None]) -> None:
        """Kopf takes SIGTERM over when it starts, and would then end without draining: take it back."""
        await self.ready.wait()
        on_signals(stop)
        await asyncio.Event().wait()


async def _end(tasks: set[asyncio.Task[None]], seconds: float) -> None:
    """Cancel kopf's tasks, then what it may leave: a watch that is cut off in the wrong moment forgets its waiter.

    Kopf's runner looks for such leavings, too. Of another operator in the same loop (tests have that) nothing is lost:
    its watch begins anew where it was.
    """
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=seconds)
    left = {task for task in asyncio.all_tasks() if task.get_name().startswith(_WAITER)}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=seconds)
