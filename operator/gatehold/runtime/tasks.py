"""Small things about tasks and signals: how a process is told to end, how its parts do, and what does not end them."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from gatehold.kube.clock import ClockUnknown
from gatehold.kube.errors import ApiError
from gatehold.telemetry.metrics import Metrics

log = logging.getLogger(__name__)
_AGAIN_SECONDS = 8.0  # longer than a call that is under way may take to end; kopf kills the process after thirty


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
    """End them, whatever they are at. One that is still there after a while is told again: it may not have heard it.

    A library that turns what ended a call into an error of its own can do so with a cancellation that came just then.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        ended, left = await asyncio.wait(left, timeout=_AGAIN_SECONDS)
        await asyncio.gather(*ended, return_exceptions=True)
        if left:
            log.warning("told again to end: %s", ", ".join(sorted(task.get_name() for task in left)))


async def guarded(name: str, work: Callable[[], Awaitable[Any]], metrics: Metrics) -> bool:
    """Do something that comes again and again: an exception is logged and counted, and the next turn comes.

    Answers whether it was done.
    """
    try:
        await work()
    except (ApiError, ClockUnknown) as error:  # an API server that is away: no bug of ours, and no trace of one
        metrics.count("gatehold_periodic_errors_total", name=name)
        log.warning("%s failed, it comes again: %s", name, error)
    except Exception:
        metrics.count("gatehold_periodic_errors_total", name=name)
        log.exception("%s failed, it comes again", name)
    else:
        return True
    return False
