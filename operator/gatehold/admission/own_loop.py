"""A coroutine in a thread and an event loop of its own, so that no other work of the process is in its way."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Final

log = logging.getLogger(__name__)
_END_SECONDS: Final = 10.0

Main = Callable[[asyncio.Event], Awaitable[None]]


class OwnLoop:
    """Runs `main(stop)` in a thread; `main` ends when the event is set."""

    def __init__(self, name: str, main: Main) -> None:
        """Nothing runs yet."""
        self._name = name
        self._main = main
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    async def run(self) -> None:
        """Run until this task is cancelled, then end the thread; raises what ended it otherwise."""
        here = asyncio.get_running_loop()
        ended: asyncio.Future[None] = here.create_future()
        begun = threading.Event()
        thread = threading.Thread(target=self._thread, args=(here, ended, begun), name=self._name, daemon=True)
        thread.start()
        try:
            await asyncio.shield(ended)
        finally:
            await asyncio.to_thread(begun.wait, _END_SECONDS)
            if self._stop is not None:
                self.call(self._stop.set)
            await asyncio.to_thread(thread.join, _END_SECONDS)
            if thread.is_alive():
                log.error("the thread %s does not end", self._name)

    def call(self, work: Callable[..., Any], *args: object) -> None:
        """Have it done in that loop, from any thread; after its end nothing is done."""
        loop = self._loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(work, *args)
            except RuntimeError:  # closed
                log.debug("%s has ended", self._name)

    def _thread(self, here: asyncio.AbstractEventLoop, ended: asyncio.Future[None], begun: threading.Event) -> None:
        error: BaseException | None = None
        try:
            asyncio.run(self._begin(begun))
        except BaseException as raised:  # noqa: BLE001 - it is raised again where `run` waits
            error = raised
        finally:
            begun.set()
            self._loop = None
        try:
            here.call_soon_threadsafe(_settle, ended, error)
        except RuntimeError:
            log.debug("nobody waits for %s any more", self._name)

    async def _begin(self, begun: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        begun.set()
        await self._main(self._stop)


def _settle(ended: asyncio.Future[None], error: BaseException | None) -> None:
    if ended.done():
        return
    if error is None:
        ended.set_result(None)
    else:
        ended.set_exception(error)
        ended.exception()  # whoever gave up waiting is not told that nobody looked
