"""Stamps pods and Jobs of gated namespaces as they are created: the second door of the webhook, POST /pods.

It keeps nothing but what a Namespace said a moment ago. Whatever is in doubt is refused with a sentence: what gets in
unmarked here would only be refused by the wall, in words that help less.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from gatehold.admission.creations import CreationReview, parse, patch, place, render_patch
from gatehold.admission.recent import Recent
from gatehold.admission.reviews import ReviewError, refusal, uid_of
from gatehold.domain.stamping import NOTHING, Place, StampWord, stamp
from gatehold.kube.errors import Absent, ApiError

log = logging.getLogger(__name__)
STAMP_PATH: Final = "/pods"
MOST_STAMPED_BYTES: Final = 8 * 2**20
"""More than any object that an API server takes (3 MiB), written as JSON."""
KEEP_SECONDS: Final = 1.0
_MOST: Final = 1_000

Reader = Callable[[str], Any]
"""Reads a Namespace by its name: a coroutine."""


class Namespaces:
    """Namespaces as the API server has them; an answer counts for a second, and one look serves all who wait for it."""

    def __init__(self, read: Reader, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Know none."""
        self._read = read
        self._recent: Recent[str, Place] = Recent(KEEP_SECONDS, _MOST, monotonic)

    async def place(self, name: str) -> Place | None:
        """Whose Gate holds what is created there; None where no Gate does. Raises ApiError, TimeoutError."""
        return await self._recent.get(name, lambda: self._ask(name))

    async def _ask(self, name: str) -> Place | None:
        """None is not kept: a namespace that has just been gated is never taken for one that is not."""
        body: Mapping[str, Any] = await self._read(name)
        return place(body)


Told = Callable[[StampWord], None]


class Stamper:
    """Answers the bodies that come through that door."""

    def __init__(self, namespaces: Namespaces, told: Told = lambda _word: None) -> None:
        """`told` hears of each answer."""
        self._namespaces = namespaces
        self._told = told

    async def answer(self, body: object, late: float) -> bytes:
        """The answer for the wire, before that instant of the loop's clock; never raises."""
        uid = uid_of(body)
        try:
            review = parse(body)
            async with asyncio.timeout_at(late):
                found = await self._namespaces.place(review.creation.namespace)
        except ReviewError as error:
            return self._refused(uid, 400, f"gatehold stamps pods and Jobs only: {error}", StampWord.MALFORMED)
        except Absent:
            return self._refused(uid, 404, "the namespace is not there any more", StampWord.UNSURE)
        except (TimeoutError, ApiError) as error:
            log.info("a namespace could not be read, so nothing is created there: %s", str(error) or "no answer in time")
            return self._refused(uid, 429, _unsure("it cannot read the namespace now"), StampWord.UNSURE)
        except Exception:
            log.exception("a creation could not be judged, so it is refused")
            return self._refused(uid, 429, _unsure("an error, which the log of the operator tells"), StampWord.UNSURE)
        return self._stamped(review, found)

    def _stamped(self, review: CreationReview, found: Place | None) -> bytes:
        if found is None:
            why = _unsure(f"namespace {review.creation.namespace} is being put behind a gate or taken from it")
            return self._refused(review.uid, 429, why, StampWord.UNSURE)
        wanted = stamp(review.creation, found)
        self._told(wanted.word)
        return render_patch(review.uid, [] if wanted == NOTHING else patch(review, wanted, found.gate))

    def refuse(self, uid: str, why: str) -> bytes:
        """A no to what is no question at all."""
        return self._refused(uid, 400, f"gatehold stamps pods and Jobs only: {why}", StampWord.MALFORMED)

    def _refused(self, uid: str, code: int, why: str, word: StampWord) -> bytes:
        self._told(word)
        return refusal(uid, code, why)


def _unsure(why: str) -> str:
    return f"gatehold cannot mark this for its gate, so it is not created, try again: {why}"
