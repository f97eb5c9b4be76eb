"""Whether the wall stands, now and when a verdict was given. Controllers ask; a periodic keeps it fresh.

`prove` is the whole proof: every text, and both forgeries. `confirm` is the short look that each yes waits for: the guards
of the verdicts are the very objects of the last proof, so they stood in between, however late any watch is. After a gap the
wall counts as standing again only once everything that was written before the proof has been taken in by a list.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from gatehold.admission.proof import Proof, Reason, WallProof
from gatehold.controllers.standing import ALWAYS, Standing, Trust
from gatehold.controllers.wall_access import GUARDS, OPEN, Identity, WallAccess, fingerprint
from gatehold.kube.errors import ApiError
from gatehold.telemetry.metrics import Metrics

log = logging.getLogger(__name__)

FRESH = 1.0  # seconds for which a proof may stand for a release
ROUTINE = 20.0  # seconds between proofs when nothing happens; the contract says at least once a minute
SAID_AFTER = 10.0  # seconds without an answer after which a request says what it waits for; most outages are shorter


class Wall:
    """The state of the wall over time, by this process's monotonic clock."""

    def __init__(
        self, proof: WallProof, access: WallAccess, metrics: Metrics, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Nothing is proven before the first proof."""
        self._monotonic = monotonic
        self._proof = proof
        self._access = access
        self._metrics = metrics
        self._standing = Standing()
        self._turn = asyncio.Lock()
        self._noting = asyncio.Lock()
        self._compared = False  # with what an earlier life had proven
        self._stored: str | None = None  # what this process has written down
        self._unsettled = False
        self._watched: Identity = frozenset()
        self._guards: Identity = frozenset()
        self._good = ALWAYS  # when the last good proof began
        self._looking: tuple[float, asyncio.Task[bool]] | None = None
        self._asked = ALWAYS
        self._asking: set[asyncio.Task[bool]] = set()
        self._unclear_since: float | None = None
        self._said = ("", False)
        self.last: Proof | None = None
        self.on_turn: Callable[[], None] = lambda: None
        metrics.follow("gatehold_wall_enforced", self.proven)

    # ---- answers

    def proven(self) -> bool:
        """Whether the wall is proven in force at this moment."""
        return self._standing.stands and self._proof.proven(self._monotonic())

    def unknown(self) -> bool:
        """Whether nothing is known: no proof came through, and no gap was seen either. The next proof tells which."""
        return not self._standing.fell and not self.proven()

    def fell(self) -> bool:
        """Whether the wall is known not to stand, or not to have stood until just now."""
        return self._standing.fell

    def unknown_for(self) -> float:
        """Seconds since when that is so."""
        since = self._unclear_since
        return self._monotonic() - since if since is not None and self.unknown() else 0.0

    def trust(self, seen: float, *, recorded: bool = False) -> Trust:
        """What is known of a verdict that this process saw first at that monotonic time."""
        return self._standing.trust(seen, recorded=recorded)

    # ---- evidence

    def changed(self, identity: Identity) -> None:
        """Hear from the watch what the wall consists of; only what is enforced counts, a status does not."""
        if identity == self._watched:
            return
        self._watched = identity
        if self.last is None:
            return  # before the first proof there is nothing that could have been lost
        if not self.proven() or not identity.issuperset(self.last.identity):
            self._ask()  # a watch that is late may only tell what a proof has found already: no reason for a second gap

    async def prove(self, max_age: float = FRESH) -> bool:
        """Prove it, or use a proof that began at most `max_age` seconds ago. Never raises for a wall that is down."""
        result = await self._proof.prove(min(max_age, self._monotonic() - self._asked))
        if result is not self.last:
            self._metrics.count("gatehold_wall_proofs_total", result=result.reason)
        self.last = result
        try:
            if self._proof.proven(self._monotonic()):
                await self._stands(result)
            elif result.reason is not Reason.PROBE_UNREACHABLE:
                self._falls(result)
            await self._note(result)
        except ApiError as error:
            log.warning("what is known of the wall could not be completed: %s", error)
        self._say()
        return self.proven() and result.started_monotonic >= self._asked

    async def confirm(self, seen: float) -> Trust:
        """What is known of a verdict once a look at its guards has begun after it was seen; OPEN where no answer came."""
        while (trust := self.trust(seen)) is Trust.OPEN and self._standing.stands:
            began, task = self._looking or self._look()
            answered = await asyncio.shield(task)  # a caller who gives up must not end the look of the others
            if not answered and began >= seen:
                return Trust.OPEN
        return trust

    def look_soon(self) -> None:
        """Begin to look now, since somebody will ask: a verdict has just been seen. A proof that is due is a look, too."""
        recent = self._monotonic() - self._good < FRESH
        if self._standing.stands and self._looking is None and recent:
            self._look()

    async def keep(self) -> None:
        """One turn of the routine: prove again when the last proof grows old, at once while there is none."""
        await self.prove(ROUTINE if self.proven() else 0.0)

    def _ask(self) -> None:
        """Nothing that began before this moment is a proof any more; begin a new one at once."""
        self._asked = self._monotonic()
        task = asyncio.create_task(self.prove(0.0), name="wall-asked")
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    # ---- what evidence means

    async def _stands(self, result: Proof) -> None:
        """A good proof. After a gap, or in a life that found another wall than the last one left, that is not all."""
        async with self._turn:  # several callers share one proof, and one look
            if not self._compared:
                if await self._access.recall() == fingerprint(result):
                    self._standing.begin(ALWAYS)
                else:  # also where there is none: whoever took it away took it for a reason, and perhaps a moment ago
                    self._change()
                self._compared = True
            if not self._still_good(result) or not (self._standing.stands or await self._access.catch_up()):
                return
            if not self._still_good(result):
                return  # something else was learned meanwhile
            if not self._standing.stands:
                self._standing.begin(self._monotonic())
            self._good = result.started_monotonic
            self._guards = frozenset(head for head in result.identity if head[0] in GUARDS)
            self._standing.unchanged_at(result.started_monotonic)

    def _still_good(self, result: Proof) -> bool:
        current = self._proof.last is result and result.started_monotonic >= self._asked
        return current and self._proof.proven(self._monotonic())

    def _falls(self, result: Proof) -> None:
        """A proof that failed. Where the objects are what they were, looks at them since the last good one meant nothing."""
        if self._standing.stands and result.reason in (Reason.FORGERY_ACCEPTED, Reason.PROBE_MISSING):
            self._standing.doubt(self._good, self._monotonic())
        self._compared = True  # whatever the last life knew, nothing that is not recorded yet may count
        self._fall()

    def _change(self) -> None:
        self._proof.wall_changed(self._monotonic())
        self._fall()

    def _fall(self) -> None:
        self._standing.fall()
        self._unsettled = True

    def _look(self) -> tuple[float, "asyncio.Task[bool]"]:
        began = self._monotonic()
        self._looking = began, asyncio.create_task(self._look_once(began), name="wall-look")
        return self._looking

    async def _look_once(self, began: float) -> bool:
        """Read the guards; answers whether an answer came."""
        falls = self._standing.falls
        try:
            guards = await self._access.guards()
        except ApiError as error:
            log.info("the guards of the verdicts could not be read: %s", error)
            self._ask()
            return False
        finally:
            self._looking = None
        if falls == self._standing.falls and self._standing.stands:
            if guards == self._guards:
                self._standing.unchanged_at(began)
            else:
                self._change()
                self._say()
        return True

    # ---- memory and voice

    async def _note(self, result: Proof) -> None:
        """Write down what the next life has to know; that the wall stands again only once nothing of the gap is open."""
        async with self._noting:  # several callers share one proof, and one note of it
            if self._unsettled and self._standing.stands and await self._access.settled(self.trust):
                self._unsettled = False
            if self._standing.fell or (self._standing.stands and self._unsettled):
                wanted = OPEN
            elif self.proven():
                wanted = fingerprint(result)
            else:
                return
            if wanted != self._stored and await self._access.remember(wanted):
                self._stored = wanted

    def _say(self) -> None:
        """Tell the log and whoever waits, when the answer turns, or its reason."""
        now = self.proven()
        self._unclear_since = (self._unclear_since or self._monotonic()) if self.unknown() else None
        failed = self.last if self.last is not None and not self.last.proven else None
        reason = "Proven" if now else str(failed.reason) if failed else "Changed"
        said = (reason, self.unknown_for() >= SAID_AFTER)
        if said == self._said:
            return
        self._said = said
        if now:
            log.info("the wall is proven")
        else:
            log.warning("the wall is not proven: %s", failed.message if failed else "it changed")
        self.on_turn()
