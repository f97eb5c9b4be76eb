"""Whether the wall stands, now and at the moment when a verdict was first seen. Controllers ask; a periodic keeps it fresh.

Removing a policy opens the wall no sooner than 0.3 s later (measured), while the watch tells of the removal at once: so a
forged verdict is always first seen after the gap has begun here. A gap that only a proof notices begins at the last good
one.
"""

import asyncio
import hashlib
import logging
import math
import time
from collections.abc import Callable
from typing import Protocol

from gatehold.admission.proof import Proof, Reason, WallProof
from gatehold.kube.clock import ClockUnknown, ServerClock
from gatehold.kube.errors import ApiError
from gatehold.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

FRESH = 1.0  # seconds for which a proof may stand for a release
ROUTINE = 20.0  # seconds between proofs when nothing happens; the contract says at least once a minute
Identity = frozenset[tuple[str, str, str, int]]  # kind, name, uid, generation of each object of the wall
_ALWAYS = float("-inf")


class WallMemory(Protocol):
    """Where the fingerprint of the last proven wall outlives the process."""

    async def recall(self) -> str:
        """Read it; empty where there is none. Raises ApiError."""
        ...

    async def remember(self, fingerprint: str) -> bool:
        """Write it, if this process may; answers whether it did. Raises ApiError."""
        ...


def fingerprint(proof: Proof) -> str:
    """A short text that is equal exactly for the same objects at the same generations."""
    return hashlib.sha256(repr(proof.identity).encode()).hexdigest()[:32]


class Wall:
    """The state of the wall over time, in the API server's seconds."""

    def __init__(self, proof: WallProof, memory: WallMemory, clock: ServerClock, metrics: Metrics) -> None:
        """Nothing is proven before the first proof."""
        self._proof = proof
        self._memory = memory
        self._remembered: str | None = None  # None: not looked up yet
        self._turn = asyncio.Lock()
        self._clock = clock
        self._metrics = metrics
        self._gaps: list[tuple[float, float]] = []  # closed ones: from, to
        self._open_since: float | None = None
        self._identity: Identity = frozenset()
        self._last_good = _ALWAYS
        self._said = ""
        self.last: Proof | None = None
        self.on_turn: Callable[[], None] = lambda: None

    def proven(self) -> bool:
        """Whether the wall is proven in force at this moment."""
        known = self._remembered is not None and self._open_since is None
        return known and self._proof.proven(time.monotonic())

    def unknown(self) -> bool:
        """Whether nothing is known: no proof came through, and no gap was seen either. The next proof tells which.

        Equal uids and generations before and after mean that nothing was changed in between, so an API server that was
        away for a while costs nobody their approval.
        """
        return self._open_since is None and not self.proven()

    def unproven_at(self, instant: float, *, recorded: bool = False) -> bool:
        """Whether a verdict first seen at that instant (server time) was seen while the wall was not proven.

        `recorded`: it stands in a status as counted already. Status is kept by RBAC, also while the wall is open; so a
        gap from before this process says nothing about it, and an upgrade of the wall costs nobody their approval.
        """
        gaps = [*self._gaps, *([(self._open_since, math.inf)] if self._open_since is not None else [])]
        return any(start <= instant <= end for start, end in gaps if not (recorded and start == _ALWAYS))

    def changed(self, identity: Identity) -> None:
        """Note what the wall consists of now, as the watch tells it; only what is enforced counts, a status does not."""
        if identity == self._identity:
            return
        self._identity = identity
        if self.last is not None:  # before the first proof there is nothing that could have been lost
            self._proof.wall_changed(time.monotonic())
            self._open(self._now())

    async def prove(self, max_age: float = FRESH) -> bool:
        """Prove it, or use a proof that began at most `max_age` seconds ago. Never raises for a wall that is down."""
        result = await self._proof.prove(max_age)
        # a proof that was used before says nothing about the time since it began
        began = self._now() - (time.monotonic() - result.started_monotonic)
        if result is not self.last:
            self._metrics.count("gatehold_wall_proofs_total", result=result.reason)
        self.last = result
        if self._proof.proven(time.monotonic()):
            await self._compare_with_memory(fingerprint(result))
            self._close(began)
        elif result.reason is not Reason.PROBE_UNREACHABLE:
            self._open(self._last_good)
        self._say()
        return self.proven()

    async def _compare_with_memory(self, now: str) -> None:
        """A wall that is another one than the last life of the operator knew was changed while nobody looked.

        Then whatever was said before this proof was said in a gap. An API server that does not answer leaves it open.
        """
        async with self._turn:  # several callers share one proof, and one look
            try:
                if self._remembered is None:
                    before = await self._memory.recall()
                    if before != now:  # also where there is none: whoever took it away took it for a reason
                        self._open(_ALWAYS)
                    self._remembered = before
                if self._remembered != now and await self._memory.remember(now):
                    self._remembered = now
            except ApiError as error:
                log.warning("the wall's fingerprint could not be compared: %s", error)

    async def keep(self) -> None:
        """One turn of the routine: prove again when the last proof grows old, at once while there is none."""
        await self.prove(ROUTINE if self.proven() else 0.0)

    def _now(self) -> float:
        try:
            return self._clock.timestamp()
        except ClockUnknown:
            return self._last_good

    def _open(self, since: float) -> None:
        if self._open_since is None:
            self._open_since = since
            self._say()

    def _close(self, began: float) -> None:
        self._last_good = max(began, self._last_good)
        if self._open_since is not None:
            self._gaps = [*self._gaps[-99:], (self._open_since, self._now())]
            self._open_since = None

    def _say(self) -> None:
        """Tell the metric, the log and whoever waits, when the answer turns, or its reason."""
        now = self.proven()
        self._metrics.set("gatehold_wall_enforced", int(now))
        reason = "Proven" if now else str(self.last.reason) if self.last and not self.last.proven else "Changed"
        if reason == self._said:
            return
        self._said = reason
        if now:
            log.info("the wall is proven")
        else:
            log.warning(
                "the wall is not proven: %s", self.last.message if self.last and not self.last.proven else "it changed"
            )
        self.on_turn()
