"""The proof that the wall stands: its texts are those we ship, and the API server refuses two forgeries of the probe.

Controllers call `WallProof.prove` before they prepare or release, the watch on the wall's objects calls `wall_changed`.
A proof speaks for the API server that answered, at the time when it started: an API server takes up a changed policy up to
a second late, so the text alone proves nothing, and a forgery refused just after a change may have met the old text.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from gatehold.admission.texts import Body, compare, shipped

SETTLE_SECONDS: Final = 2.0
"""After a change of the wall only a proof that started this much later counts: API servers reload policies every second."""

LIFE_SECONDS: Final = 60.0
"""How long a proof stands by itself."""

ATTEMPT_SECONDS: Final = 10.0
"""How long one proof may take; what is not clear by then is not proven."""

# valid by the schema in whatever state the probe's request is, so that nothing but the wall can refuse them
_FORGED_LINE: Final = "approve||nobody|somebody-else||forged by the probe; must be refused"
FORGED_VERDICT: Final[Body] = {"metadata": {"annotations": {"verdict.gatehold.dev/0": _FORGED_LINE}}}
FORGED_STATUS: Final[Body] = {"status": {"approvals": "99/99"}}


Head = tuple[str, str, int]
"""What tells an object of the wall from every other and from itself before a change: kind/name, uid, generation."""


class Answer(Protocol):
    """What the API server said to a try."""

    @property
    def status(self) -> int:
        """The HTTP code; 0 where no answer came."""

    @property
    def message(self) -> str:
        """The server's own sentence, or why there is none."""


class WallAccess(Protocol):
    """What the proof needs of an API server. One object speaks to one server."""

    async def wall_objects(self) -> Sequence[Body]:
        """Read the policies and bindings (validating, mutating where served) that we ship, each with its kind.

        Only those that carry label `texts.PART_OF`, which the watch goes by. Live, never from a cache. May raise anything;
        that proves nothing.
        """

    async def try_as_probe(self, body: Body, subresource: str = "") -> Answer:
        """Dry-run a merge patch of the probe's request, or of its subresource, as the probe's account and no other."""


class Reason(StrEnum):
    """Why the wall is proven, or not."""

    PROVEN = "Proven"  # prepare and release
    TEXT_DIFFERS = "TextDiffers"  # an object is missing or not as shipped: hold
    FORGERY_ACCEPTED = "ForgeryAccepted"  # the wall is open: hold, and trust no verdict of this time
    PROBE_UNREACHABLE = "ProbeUnreachable"  # no clear answer: hold
    PROBE_MISSING = "ProbeMissing"  # the probe's request or rights are not there: hold


@dataclass(frozen=True, slots=True)
class Proof:
    """The outcome of one proof. `identity` names the objects that were compared."""

    proven: bool
    reason: Reason
    message: str
    identity: tuple[Head, ...]
    started_monotonic: float


@dataclass(frozen=True, slots=True)
class _Running:
    started: float
    task: "asyncio.Task[Proof]"


class WallProof:
    """Proves the wall on one API server, one proof at a time, and remembers since when that holds."""

    def __init__(
        self, access: WallAccess, expected: Sequence[Body] | None = None, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Expect the shipped texts unless told otherwise. Nothing is proven yet."""
        self._access = access
        self._expected = tuple(shipped() if expected is None else expected)
        self._monotonic = monotonic
        self._changed = float("-inf")
        self._running: _Running | None = None
        self._identity: tuple[Head, ...] = ()  # of the last proof that got to see the objects
        self._compared: frozenset[tuple[object, object]] = frozenset()  # uid and version of what was as shipped
        self.last: Proof | None = None

    def proven(self, now: float) -> bool:
        """Whether the wall counts as proven at this monotonic time: a good proof, young enough, no change since."""
        last = self.last
        return (
            last is not None
            and last.proven
            and last.started_monotonic >= self._changed + SETTLE_SECONDS
            and now - last.started_monotonic <= LIFE_SECONDS
        )

    def wall_changed(self, at: float) -> None:
        """Note that an object of the wall was changed, added or removed: nothing is proven until a later proof."""
        self._changed = max(self._changed, at)

    async def prove(self, max_age: float = 0.0) -> Proof:
        """Return a proof that started at most `max_age` seconds before this call, or later; callers share it.

        Never raises for a wall or an API server that is down. Whether the wall counts as proven also depends on how long ago
        it was changed: ask `proven`.
        """
        oldest = self._monotonic() - max_age
        while True:
            last, running = self.last, self._running
            if last is not None and last.started_monotonic >= oldest and last.started_monotonic > self._changed:
                return last
            if running is None:
                running = self._start()
            result = await asyncio.shield(running.task)  # a caller who gives up must not end the proof of the others
            if running.started >= oldest:
                return result

    def _start(self) -> _Running:
        started = self._monotonic()
        running = _Running(started, asyncio.create_task(self._once(started), name="wall-proof"))
        self._running = running
        return running

    async def _once(self, started: float) -> Proof:
        try:
            proof = await self._attempt(started)
        finally:
            self._running = None
        if self._identity and proof.identity and self._identity != proof.identity:
            self.wall_changed(started)  # the watch may be late, or have missed it
        self._identity, self.last = proof.identity or self._identity, proof
        return proof

    async def _attempt(self, started: float) -> Proof:
        identity: tuple[Head, ...] = ()
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                # at the same time: the proof is in the way of a release
                live, *answers = await asyncio.gather(
                    self._access.wall_objects(),
                    self._access.try_as_probe(FORGED_VERDICT),
                    self._access.try_as_probe(FORGED_STATUS, "status"),
                )
                identity = _identity(live)
                reason, message = self._judge(live, answers)
        except Exception as error:  # noqa: BLE001 (whatever went wrong, nothing is proven; the message says what)
            reason, message = Reason.PROBE_UNREACHABLE, f"{type(error).__name__}: {error}"
        return Proof(reason is Reason.PROVEN, reason, message, identity, started)

    def _judge(self, live: Sequence[Body], answers: Sequence[Answer]) -> tuple[Reason, str]:
        """The texts must be ours, and both forgeries refused, each by the policy that is there for it."""
        if not self._as_shipped(live):
            differences = compare(self._expected, live)
            return Reason.TEXT_DIFFERS, "; ".join(map(str, differences[:5]))[:1024]
        for answer, policy in zip(answers, ("gatehold-requests", "gatehold-status"), strict=True):
            reason = judge(answer, policy)
            if reason is not Reason.PROVEN:
                return reason, f"{policy}: {answer.status or 'no answer'} {answer.message}"[:1024]
        return Reason.PROVEN, "the texts are as shipped, and both forgeries were refused"

    def _as_shipped(self, live: Sequence[Body]) -> bool:
        """Whether the texts are ours. Objects at versions that were compared before are not compared again."""
        versions = frozenset((b["metadata"].get("uid"), b["metadata"].get("resourceVersion")) for b in live)
        known = bool(live) and versions == self._compared and (None, None) not in versions
        if not known and not compare(self._expected, live):
            self._compared, known = versions, True
        return known


def judge(answer: Answer, policy: str) -> Reason:
    """What the answer to a forgery proves about that policy. Anything but its own refusal proves nothing."""
    if 200 <= answer.status < 300:
        return Reason.FORGERY_ACCEPTED
    refusal = f"ValidatingAdmissionPolicy '{policy}' with binding '{policy}' denied request"
    if answer.status in (403, 422) and refusal in answer.message:
        return Reason.PROVEN
    if answer.status in (403, 404):  # refused by RBAC, or nothing there to forge: the policy was not asked
        return Reason.PROBE_MISSING
    return Reason.PROBE_UNREACHABLE


def head_of(body: Body) -> Head:
    """The head of one policy or binding, as read or as watched."""
    meta = body["metadata"]
    return f"{body.get('kind')}/{meta['name']}", str(meta.get("uid", "")), int(meta.get("generation", 0))


def _identity(live: Sequence[Body]) -> tuple[Head, ...]:
    return tuple(sorted(head_of(body) for body in live))
