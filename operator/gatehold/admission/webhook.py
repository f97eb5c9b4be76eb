"""The HTTPS server of the webhook: reads reviews, has them answered, and denies whatever is none. It runs in any loop.

There are two doors: POST /evict judges evictions, POST /pods stamps what is created (`stamper`). Nothing else, no size, no
error and no silence of ours ever lets an eviction pass, or a pod unmarked.
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from gatehold.admission.reviews import Review, ReviewError, parse, render, uid_of
from gatehold.admission.stamper import MOST_STAMPED_BYTES, STAMP_PATH, Stamper
from gatehold.domain.eviction_sight import Answer, Word
from gatehold.domain.evictions import unsure

log = logging.getLogger(__name__)
PATH: Final = "/evict"
MOST_BYTES: Final = 64 * 2**10
BODY_SECONDS: Final = 4.0
ANSWER_SECONDS: Final = 4.5
"""Both from the head of a request on, and less than the API server waits (5 s): a late answer of ours is a clear no, which
kubectl takes for "try again", its own is an error that ends it. So is ours without a body, for it has no uid to answer: the
body may take nearly all of the time.
"""
_GOODBYE_SECONDS: Final = 2.0
_PARTING_SECONDS: Final = 1.5
"""How long it goes on when it is told to end: a Service leads here for a moment longer, and who waits to send is late."""
_LAST_SECONDS: Final = 0.3
_NO_BODY: Final = (ValueError, RecursionError, TimeoutError, ConnectionError, web.HTTPException)

Answers = Callable[[Review], Awaitable[Answer]]
Told = Callable[[Answer, float], None]


class ReviewServer:
    """One listener; `answers` judges evictions, `told` hears of each answer and how long it took."""

    def __init__(
        self, answers: Answers, told: Told = lambda _answer, _seconds: None, stamper: Stamper | None = None
    ) -> None:
        """Nothing listens yet. Without a stamper the second door is shut."""
        self._answers = answers
        self._told = told
        self._stamper = stamper
        self._runner: web.ServerRunner | None = None
        self._ending = False
        self.port = 0

    async def start(self, address: str, port: int, context: ssl.SSLContext) -> None:
        """Listen; port 0 takes a free one, which then stands in `port`."""
        server = web.Server(self._handle, access_log=None)
        self._runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=_GOODBYE_SECONDS)
        await self._runner.setup()
        await web.TCPSite(self._runner, address, port, ssl_context=context).start()
        self.port = self._runner.addresses[0][1]

    @property
    def listens(self) -> bool:
        """Tell whether reviews are taken."""
        return self._runner is not None

    async def stop(self) -> None:
        """Answer what comes for a moment longer, tell each to go elsewhere, take no new connection, close.

        A connection that is refused, or closed in the moment in which a question is on its way, would be a failed call.
        """
        runner, self._runner = self._runner, None
        if runner is not None:
            self._ending = True
            await asyncio.sleep(_PARTING_SECONDS)
            await asyncio.gather(*(site.stop() for site in runner.sites))
            await asyncio.sleep(_LAST_SECONDS)
            await runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.Response:
        late = _late()
        if self._stamper is not None and (request.method, request.path) == ("POST", STAMP_PATH):
            response = await _stamped(request, self._stamper, late)
        else:
            began = time.perf_counter()
            uid, answer = await self._answered(request, late)
            self._told(answer, time.perf_counter() - began)
            response = _response(render(uid, answer), 200 if uid else answer.code)
        if self._ending:
            response.force_close()
        return response

    async def _answered(self, request: web.BaseRequest, late: float) -> tuple[str, Answer]:
        """The uid of the question, and the answer. Where there is no uid it can be no yes."""
        try:
            body = await _body(request, MOST_BYTES)
        except _NO_BODY as error:
            return "", malformed(str(error) or "the body did not come")
        uid = uid_of(body)
        if (request.method, request.path) != ("POST", PATH):
            return uid, malformed(f"they are POSTed to {PATH}")
        try:
            review = parse(body)
        except ReviewError as error:
            return uid, malformed(str(error))
        try:
            async with asyncio.timeout_at(late):
                return review.uid, await self._answers(review)
        except TimeoutError:
            return review.uid, unsure("the answer took too long")
        except Exception:
            log.exception("an eviction could not be judged, so it is held")
            return review.uid, unsure("an error, which the log of the operator tells")


def malformed(why: str) -> Answer:
    """Denied: this was no question that is answered here."""
    return Answer(False, 400, f"gatehold answers reviews of evictions only: {why}", Word.MALFORMED)


def _late() -> float:
    """When an answer to what begins now is one too late, by the loop's clock."""
    return asyncio.get_running_loop().time() + ANSWER_SECONDS


async def _stamped(request: web.BaseRequest, stamper: Stamper, late: float) -> web.Response:
    """Through the second door. Where the body is none there is no uid, so it can be no yes."""
    try:
        body = await _body(request, MOST_STAMPED_BYTES)
    except _NO_BODY as error:
        return _response(stamper.refuse("", str(error) or "the body did not come"), 400)
    return _response(await stamper.answer(body, late), 200)


def _response(body: bytes, status: int) -> web.Response:
    return web.Response(body=body, status=status, content_type="application/json")


async def _body(request: web.BaseRequest, most: int) -> object:
    """The JSON of the body; ValueError where there is none, or too much of it."""
    raw = bytearray()
    async with asyncio.timeout(BODY_SECONDS):
        async for chunk in request.content.iter_any():
            raw += chunk
            if len(raw) > most:
                raise ValueError(f"the body is longer than {most} bytes")
    try:
        return json.loads(raw)
    except ValueError:
        raise ValueError("the body is not JSON") from None
