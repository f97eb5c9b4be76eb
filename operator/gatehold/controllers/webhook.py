"""The webhook for evictions, put together: its server in a thread of its own, its certificate, its proof, its questions.

The same server marks pods of gated namespaces as they are created (`admission.stamper`).

The thread has its own connections, clock and index of pods; it shares with the process's loop what `held_board` gives out.
"""

import asyncio
import logging
import ssl
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from gatehold.admission import tls
from gatehold.admission.certificates import Pair
from gatehold.admission.desk import Desk, Question
from gatehold.admission.eviction_proof import CONFIGURATION, EvictionProof
from gatehold.admission.live import Nodes, Rights
from gatehold.admission.own_loop import OwnLoop
from gatehold.admission.pods import PodIndex
from gatehold.admission.proof import Answer as Tried
from gatehold.admission.stamper import Namespaces, Stamper
from gatehold.admission.webhook import ReviewServer
from gatehold.controllers.certificates import EVERY_SECONDS, RENEW_SECONDS, Certificates
from gatehold.controllers.evictions import Evictions
from gatehold.controllers.held_board import Board
from gatehold.controllers.held_drains import HeldDrains
from gatehold.controllers.probe import ProbeAccount
from gatehold.domain.eviction_sight import Answer
from gatehold.domain.stamping import StampWord
from gatehold.kube.client import Cluster
from gatehold.kube.clock import ServerClock
from gatehold.kube.errors import Absent
from gatehold.kube.resources import NAMESPACES, WEBHOOKS
from gatehold.runtime.parts import Part, Periodic, Runtime

log = logging.getLogger(__name__)
PROOF_SECONDS = 5.0  # how often the routine looks; it proves every 30 s, and when something has changed
_CALL_SECONDS = 3.0
_TURN_SECONDS = 0.001
"""A loop that is busy gives the webhook's thread its turn after that long; five times that is usual."""


def make(runtime: Runtime, probe: ProbeAccount) -> Evictions:
    """Make the parts of a webhook."""
    webhook = Webhook(runtime)
    certificates = Certificates(runtime, webhook.use)
    proof = EvictionProof(Access(runtime, probe), webhook.ready)
    runtime.metrics.follow("gatehold_webhook_proven", proof.proven)
    return Evictions(
        proof,
        (Part("webhook", webhook.run, webhook.ready),),
        (
            Periodic("webhook-certificate", EVERY_SECONDS, certificates.read, leader_only=False),
            Periodic("webhook-renewal", RENEW_SECONDS, certificates.renew),
            Periodic("webhook-proof", PROOF_SECONDS, proof.keep, leader_only=False),
        ),
    )


class Access:
    """`admission.eviction_proof.EvictionAccess` on a real API server."""

    def __init__(self, runtime: Runtime, probe: ProbeAccount) -> None:
        """Read as the operator, try as the probe."""
        self._cluster = runtime.cluster
        self._probe = probe

    async def configuration(self) -> Mapping[str, Any] | None:
        """Read it whole."""
        try:
            return await self._cluster.get(WEBHOOKS, None, CONFIGURATION)
        except Absent:
            return None

    async def version(self) -> str:
        """Read its metadata."""
        try:
            body = await self._cluster.get_metadata(WEBHOOKS, None, CONFIGURATION)
        except Absent:
            return ""
        return str(body["metadata"].get("resourceVersion") or "")

    async def try_eviction(self) -> Tried:
        """Ask for the reserved pod."""
        return await self._probe.try_eviction()


class Webhook:
    """The server's thread, seen from the process's loop."""

    def __init__(self, runtime: Runtime) -> None:
        """Nothing runs, and no certificate is known."""
        self._runtime = runtime
        self._board = Board(runtime)
        self._asks = HeldDrains(runtime, self._board.tried)
        self._thread = OwnLoop("gatehold-webhook", self._serve)
        self._pair: Pair | None = None
        self._context: ssl.SSLContext | None = None
        self._certified = asyncio.Event()  # of the thread's loop: made anew there
        self._here: asyncio.AbstractEventLoop | None = None
        self._ready: Callable[[], bool] = lambda: False
        self.port = 0

    def ready(self) -> bool:
        """Whether reviews are taken and judged by what is known: caches warm, a certificate there."""
        return self._ready()

    def use(self, pair: Pair) -> None:
        """Serve with this pair from the next handshake on. Raises CertificateError, and then nothing has changed.

        It is loaded in the thread, between two handshakes: a context that is changed under one takes the process with it.
        """
        tls.new_context(pair)  # tried here, so that it is our caller who hears of a bad one
        self._pair = pair
        self._thread.call(self._certify)

    async def run(self) -> None:
        """Run until this task is cancelled."""
        self._here = asyncio.get_running_loop()
        sys.setswitchinterval(_TURN_SECONDS)
        try:
            await self._thread.run()
        finally:
            await self._asks.close()

    # ---- in the thread

    async def _serve(self, stop: asyncio.Event) -> None:
        clock = ServerClock()
        async with self._runtime.cluster.sibling(timeout=_CALL_SECONDS, listeners=(clock,)) as cluster:
            pods = PodIndex(cluster)
            desk = Desk(self._board, pods, (Rights(cluster), Nodes(cluster)), clock, self._ask)
            server = ReviewServer(desk.answer, self._told, self._stamper(cluster))
            self._certified = asyncio.Event()
            self._ready = lambda: server.listens and not desk.trouble()
            work = [asyncio.create_task(part) for part in (clock.keep(cluster), pods.run(), self._listen(server))]
            try:
                await _first(asyncio.create_task(stop.wait()), work)
            finally:
                self._ready = lambda: False
                await server.stop()
                await pods.close()
                for task in work:
                    task.cancel()
                await asyncio.gather(*work, return_exceptions=True)

    async def _listen(self, server: ReviewServer) -> None:
        """Listen as soon as there is a certificate, whatever is known by then: without an answer nobody waits patiently."""
        if self._pair is None:
            await self._certified.wait()
        assert self._pair is not None  # noqa: S101 - set before the event is
        self._context = tls.new_context(self._pair)
        settings = self._runtime.settings
        await server.start(settings.webhook_address, settings.webhook_port, self._context)
        self.port = server.port
        log.info("the webhook for evictions listens on port %d", server.port)
        await asyncio.Event().wait()

    def _certify(self) -> None:
        """Take the pair up, here where the handshakes are."""
        self._certified.set()
        if self._context is not None and self._pair is not None:
            tls.load(self._context, self._pair)

    def _ask(self, question: Question) -> None:
        if self._here is not None:
            self._here.call_soon_threadsafe(self._asks.wanted, question)

    def _stamper(self, cluster: Cluster) -> Stamper:
        """What stamps pods, at the second door of the same server."""

        def told(word: StampWord) -> None:
            self._runtime.metrics.count("gatehold_stamps_total", answer=str(word))

        return Stamper(Namespaces(lambda name: cluster.get_metadata(NAMESPACES, None, name)), told)

    def _told(self, answer: Answer, seconds: float) -> None:
        self._runtime.metrics.count("gatehold_evictions_total", answer=str(answer.word))
        self._runtime.metrics.observe("gatehold_eviction_seconds", seconds)


async def _first(stop: Awaitable[Any], work: list[asyncio.Task[None]]) -> None:
    """Wait for the end; raise what ended by itself before."""
    waiting = asyncio.ensure_future(stop)
    try:
        done, _ = await asyncio.wait([waiting, *work], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        waiting.cancel()
