"""The operator as one process: what is made, in which order it starts, and how it ends; `__main__` and tests call `run`.

connect -> fill the caches -> watch (a bridge at once, kopf when it has listed) -> run for the Lease -> act while leading
told to end: stop taking work, finish what is under way, give the Lease away, stop the watch
a lost Lease, a dead watch, any part that ends by itself: the process ends, and its next life starts from a list
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from asyncio import sslproto
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from gatehold.kube.client import Cluster
from gatehold.kube.clock import ServerClock
from gatehold.kube.resources import REQUESTS, Resource
from gatehold.runtime.caches import Caches
from gatehold.runtime.deadlines import Deadlines
from gatehold.runtime.feeding import Feeding
from gatehold.runtime.gauges import refresh
from gatehold.runtime.leadership import Elector, Terms
from gatehold.runtime.parts import BuildControllers, Periodic, Runtime
from gatehold.runtime.queue import WorkQueue
from gatehold.runtime.record import Summarise
from gatehold.runtime.routing import Event, Router
from gatehold.runtime.site import Site
from gatehold.runtime.tasks import PartEnded, cancel, guarded, on_signals, raise_first, wait_for
from gatehold.runtime.watchdog import HANG_SECONDS, Heartbeat, LoopGuard, Watchers, heartbeat_of
from gatehold.runtime.workers import Workers
from gatehold.settings import Settings
from gatehold.telemetry.events import Recorder
from gatehold.telemetry.metrics import Metrics
from gatehold.telemetry.notices import Notices

log = logging.getLogger(__name__)
_TLS_BYTES = 64 * 2**10


async def run(
    settings: Settings,
    build: BuildControllers,
    summarise: Summarise,
    *,
    stop: asyncio.Event | None = None,
    started: Callable[[Operator], None] | None = None,
) -> None:
    """Run until `stop` is set or SIGTERM or SIGINT comes; raises what ended it otherwise.

    `started` is called in the loop when everything is made and nothing is listed yet; tests take the operator from there.
    """
    _small_tls_buffers()
    metrics, clock = Metrics(), ServerClock()
    cluster = await Cluster.connect(
        kubeconfig=settings.kubeconfig,
        context=settings.context,
        timeout=settings.request_timeout_seconds,
        pool=settings.workers + 16,
        listeners=(clock, metrics),
    )
    # The Lease must not wait behind other calls, and a call must end before the next renewal is due.
    lease_cluster = cluster.sibling(timeout=settings.lease_retry_seconds * 0.8)
    operator = Operator(settings, cluster, lease_cluster, clock, metrics, summarise)
    try:
        operator.build(build)
        if started is not None:
            started(operator)
        await operator.run(stop or asyncio.Event())
    finally:
        await lease_cluster.close()
        await cluster.close()


def _small_tls_buffers() -> None:
    """Let asyncio keep, and take for each read, 64 KiB a TLS connection: its 256 are 7 MB, and the heap grew by them."""
    sslproto.SSLProtocol.max_size = _TLS_BYTES


class Operator:
    """All parts of one process."""

    def __init__(
        self,
        settings: Settings,
        cluster: Cluster,
        lease_cluster: Cluster,
        clock: ServerClock,
        metrics: Metrics,
        summarise: Summarise,
    ) -> None:
        """Make the parts; nothing runs yet."""
        self.settings = settings
        self.cluster = cluster
        self.clock = clock
        self.metrics = metrics
        self.identity = settings.process_identity()
        self.acting = asyncio.Event()
        self.queue = WorkQueue()
        self.deadlines = Deadlines(clock, lambda key: self.router.enqueue(key, urgent=True))
        self.router = Router(Caches(summarise), self.queue, clock, settings.namespace, settings.gates)
        self.workers = Workers(self.queue, self.deadlines, metrics, self.may_act)
        self.recorder = Recorder(cluster, clock, metrics, self.identity, idle=self.queue.drained)
        self.notices = Notices(settings.notice_url, metrics, insecure_loopback=settings.notice_insecure_loopback)
        self.elector = Elector(lease_cluster, clock, _terms(settings, self.identity))
        metrics.follow("gatehold_leader", lambda: self.acting.is_set() and self.elector.is_leader())
        beat = heartbeat_of(cluster, settings.namespace, self.may_act)
        self.heartbeat = Heartbeat(
            beat, every=settings.heartbeat_seconds, limit=settings.watchdog_seconds, look=Watchers().look
        )
        self.router.on_heartbeat = self.heartbeat.seen
        self.feeding = Feeding(cluster, self.router, metrics, settings.resync_seconds)
        self.site = Site({"synced": self.feeding.synced.is_set, "watching": self.heartbeat.fresh}, self._render)

    def may_act(self) -> bool:
        """Tell whether this process may act at this very moment."""
        return self.router.acting and self.elector.is_leader()

    def build(self, build: BuildControllers) -> None:
        """Have the controllers made."""
        caches = self.router.caches
        runtime = Runtime(
            settings=self.settings,
            cluster=self.cluster,
            clock=self.clock,
            requests=caches.requests,
            policies=caches.policies,
            jobs=caches.jobs,
            rollouts=caches.rollouts,
            gates=caches.gates,
            deployments=caches.deployments,
            namespaces=caches.namespaces,
            pods=caches.pods,
            gated_jobs=caches.gated_jobs,
            pod_namespaces=caches.pod_namespaces,
            argo_rollouts=caches.argo_rollouts,
            argo_namespaces=caches.argo_namespaces,
            nodes=caches.nodes,
            wall=caches.wall,
            metrics=self.metrics,
            events=self.recorder,
            notices=self.notices,
            enqueue=self.router.enqueue,
            answered=self.router.answered,
            is_leader=self.may_act,
            catch_up=self.feeding.resyncs[REQUESTS].catch_up,
            knows=lambda: self.feeding.synced.is_set() and self.heartbeat.fresh(),
        )
        self.built = build(runtime)
        self.workers.controllers = {controller.kind: controller for controller in self.built.controllers}
        self.router.on_wall_change = self.built.on_wall_change
        self.router.on_verdict = self.built.on_verdict
        self.site.require({part.name: part.ready for part in self.built.parts if part.ready is not None})

    async def run(self, stop: asyncio.Event) -> None:
        """Run until told to end, or until a part ends."""
        guard = LoopGuard(min(self.settings.watchdog_seconds, HANG_SECONDS))
        guard.start()
        on_signals(stop.set)
        tasks: set[asyncio.Task[None]] = set()
        try:
            if self.settings.http_port >= 0:
                await self.site.start(self.settings.http_address, self.settings.http_port)
            tasks = {asyncio.create_task(part, name=name) for name, part in self._parts(stop)}
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if not stop.is_set():
                raise_first(done)
        finally:
            await self._end(tasks)
            guard.stop()

    # ---- the parts

    def _parts(self, stop: asyncio.Event) -> list[tuple[str, Coroutine[Any, Any, None]]]:
        """Everything that runs, made before kopf starts: kopf cancels whatever is younger than itself when it ends."""
        parts: list[tuple[str, Coroutine[Any, Any, None]]] = [
            ("clock", self.clock.keep(self.cluster)),
            ("events", self.recorder.run()),
            ("notices", self.notices.run()),
            ("leadership", self._after_sync(self.elector.run)),
            ("take-over", self._take_over()),
            ("heartbeat", self._after_sync(self.heartbeat.run)),
            ("signals", self.feeding.kopf.give_signals_back(stop.set)),
            ("stop", wait_for(stop)),
        ]
        # A quarter of the workers is enough for what nobody waits for; the others are there when a decision comes.
        parts += [
            (f"worker-{number}", self.workers.run(urgent_only=number % 4 != 0)) for number in range(self.settings.workers)
        ]
        parts += self.feeding.parts()
        parts += [(periodic.name, self._repeat(periodic)) for periodic in self.built.periodics]
        parts += [(part.name, _awaited(part.run)) for part in self.built.parts]
        parts.append(("kopf", self._after_sync(self.feeding.kopf.run)))
        return parts

    async def _after_sync(self, part: Callable[[], Awaitable[None]]) -> None:
        await self.feeding.synced.wait()
        await part()

    async def _take_over(self) -> None:
        await self.elector.leading.wait()
        await self.built.on_leading()
        self.acting.set()
        count = await self.router.take_over()
        log.info("acting, %d requests are not done", count)
        await asyncio.Event().wait()

    async def _repeat(self, periodic: Periodic) -> None:
        await (self.acting if periodic.leader_only else self.feeding.synced).wait()
        while True:
            if not periodic.leader_only or self.may_act():
                await guarded(periodic.name, periodic.run, self.metrics)
            await asyncio.sleep(periodic.every_seconds)

    def _render(self) -> bytes:
        refresh(self.metrics, self.router.caches, self.clock, len(self.queue))
        return self.metrics.render()

    # ---- the end

    async def _end(self, tasks: set[asyncio.Task[None]]) -> None:
        """Finish what is under way, give the Lease away, then stop everything else."""
        # Whoever has lost the Lease finishes nothing: the next leader may begin any moment.
        drain = self.settings.drain_seconds if self.may_act() else 0.0
        self.router.stand_down()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(drain):
                await self.queue.drained()
        await cancel({task for task in tasks if task.get_name().startswith("worker-")})
        await cancel({task for task in tasks if task.get_name() == "leadership"})
        await asyncio.gather(self.recorder.flush(0.5), self.notices.flush(0.5), self.elector.release())
        await self.site.stop()
        self.feeding.kopf.stop()
        await cancel(tasks)
        await self.feeding.kopf.end()
        await self.built.on_end()


async def _awaited(run: Callable[[], Awaitable[None]]) -> None:
    await run()


def _terms(settings: Settings, identity: str) -> Terms:
    return Terms(
        namespace=settings.namespace,
        name=settings.lease_name,
        identity=identity,
        lease_seconds=settings.lease_seconds,
        renew_seconds=settings.lease_renew_seconds,
        retry_seconds=settings.lease_retry_seconds,
    )


__all__ = ["REQUESTS", "Event", "Operator", "PartEnded", "Resource", "run"]
