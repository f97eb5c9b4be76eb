"""Kopf, run as a watch and nothing more; `operator` starts it when the caches are full, and ends it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import kopf

from gatehold.kube.client import Cluster
from gatehold.runtime import handlers
from gatehold.runtime.forgetful import Forgetful
from gatehold.runtime.routing import Router
from gatehold.runtime.tasks import on_signals
from gatehold.runtime.watchdog import WATCHER

log = logging.getLogger(__name__)
_ENDS_SECONDS = 1.0  # at most, when it failed: the Lease is still ours
_ENDS_LATE_SECONDS = 6.0  # the same once it was told to end, on a busy machine: the Lease is free by then, nobody waits
_AGAIN_SECONDS = 0.5
_WAITER = "pause-waiter for "


class KopfWatch:
    """One run of kopf in this process."""

    def __init__(self, router: Router, cluster: Cluster) -> None:
        """Every event goes to the router; kopf is the same account as the cluster."""
        self._router = router
        self._cluster = cluster
        self._stop = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
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
        self._tasks = set(
            await kopf.spawn_tasks(
                registry=handlers.registry_of(self._router.watched_kinds),
                settings=settings,
                memories=Forgetful(),
                clusterwide=True,
                standalone=True,
                stop_flag=self._stop,
                ready_flag=self.ready,
            )
        )
        try:
            done, _ = await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            await self.end(_ENDS_LATE_SECONDS if self._stop.is_set() else _ENDS_SECONDS)

    def stop(self) -> None:
        """Tell kopf to end."""
        self._stop.set()

    async def give_signals_back(self, stop: Callable[[], None]) -> None:
        """Kopf takes SIGTERM over when it starts, and would then end without draining: take it back."""
        await self.ready.wait()
        on_signals(stop)
        await asyncio.Event().wait()

    async def end(self, seconds: float = _ENDS_LATE_SECONDS) -> None:
        """End what is left of kopf, for that long at most; it may be called again.

        A watch can overhear its cancellation, while it ends its waiter or once its waiter has gone: kopf takes it for
        something else then, and goes on for ever. It is told until it has gone, and no waiter ends before the watches.
        """
        for task in self._tasks:
            task.cancel()
        try:
            async with asyncio.timeout(seconds):
                while left := {task for task in self._tasks if not task.done()} | _named(WATCHER):
                    for task in _named(WATCHER) or left:
                        task.cancel()
                    await asyncio.wait(left, timeout=_AGAIN_SECONDS)
                for waiter in (waiters := _named(_WAITER)):
                    waiter.cancel()
                await asyncio.gather(*waiters, return_exceptions=True)
        except TimeoutError:
            log.warning("kopf has not ended in %.0f s: %s", seconds, ", ".join(sorted(task.get_name() for task in left)))


def _named(beginning: str) -> set[asyncio.Task[None]]:
    """What kopf runs under such names; those of another operator in the same loop (tests have that) as well."""
    return {task for task in asyncio.all_tasks() if task.get_name().startswith(beginning)}
