"""Small things about tasks and signals that `operator` needs: how a process is told to end, and how its parts do."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class PartEnded(Exception):  # noqa: N818 - a state, named as one
    """A part that runs for ever has ended without an error."""


def on_signals(stop: Callable[[], None]) -> None:
    """Only the main thread may; tests run operators in others and use their own `stop`."""
    if threading.current_thread() is threading.main_thread():
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)


async def wait_for(event: asyncio.Event) -> None:
    """Wait, as a part that ends."""
    await event.wait()


def raise_first(done: set[asyncio.Task[None]]) -> None:
    """Raise what ended a part; PartEnded where nothing did."""
    for task in done:
        error = task.exception() if not task.cancelled() else None
        if error is not None:
            log.critical("%s ended the process: %s", task.get_name(), error)
            raise error
    msg = f"{', '.join(task.get_name() for task in done)} ended by itself"
    raise PartEnded(msg)


async def cancel(tasks: set[asyncio.Task[None]]) -> None:
    """End them, whatever they are at."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
