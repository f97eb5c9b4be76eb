"""The operator, or the bare loop, with a stopwatch on each stage of a decision: `profile` starts it in their place.

    BENCH_SPANS=FILE python -m bench.spans run                 as `gatehold run`
    BENCH_SPANS=FILE python -m bench.spans ARGUMENTS...        as `python -m bench.bare ARGUMENTS...`

Each line of FILE is one stage: what, about which object, from when to when. `perf_counter` is one clock for all processes
of one machine, so stages of different processes can be put side by side.
"""

import asyncio
import functools
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import gatehold.controllers.approval_request as cycle
import gatehold.controllers.rollouts.controller as rollout_cycle
from gatehold.controllers.composition import run_operator
from gatehold.controllers.gather import Gather
from gatehold.controllers.rollouts.gather import Gather as RolloutGather
from gatehold.controllers.wall import Wall
from gatehold.kube.transport import Transport
from gatehold.runtime.cache import Store
from gatehold.runtime.routing import Router
from gatehold.settings import Settings

_OUT = Path(os.environ.get("BENCH_SPANS", os.devnull)).open("a", buffering=1, encoding="utf-8")  # noqa: SIM115 - for life


def note(stage: str, about: str, began: float, ended: float) -> None:
    """One line."""
    _OUT.write(json.dumps([stage, about, began, ended]) + "\n")


def timed(stage: str, about: Callable[..., str], call: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """The same call with a stopwatch."""

    @functools.wraps(call)
    async def timing(*args: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return await call(*args, **options)
        finally:
            note(stage, about(*args), began, time.perf_counter())

    return timing


def timed_now(stage: str, about: Callable[..., str], call: Callable[..., Any]) -> Callable[..., Any]:
    """The same for a call that does not wait."""

    @functools.wraps(call)
    def timing(*args: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return call(*args, **options)
        finally:
            note(stage, about(*args), began, time.perf_counter())

    return timing


def _written(_: Transport, call: Any) -> str:
    return f"{call.method} {call.path.partition('?')[0]}"


def install() -> None:
    """Put the stopwatches in; mypy is told that methods are replaced on purpose."""
    Transport.send = timed("call", _written, Transport.send)  # type: ignore[method-assign, assignment]
    Router.event = timed_now("event", lambda _, __, event: _name(event["object"]), Router.event)  # type: ignore[method-assign]
    Store.upsert = timed_now("cache", lambda _, body, __: _name(body), Store.upsert)  # type: ignore[method-assign]
    Gather.observe = timed("gather", lambda _, body, __: _name(body), Gather.observe)  # type: ignore[method-assign, assignment]
    Gather.confirm = timed("confirm", lambda *_: "", Gather.confirm)  # type: ignore[method-assign, assignment]
    Wall.prove = timed("prove", lambda *_: "", Wall.prove)  # type: ignore[method-assign, assignment]
    cycle.decide = timed_now("decide", lambda observed, _: str(observed.request.name), cycle.decide)  # type: ignore[attr-defined]
    begin = cycle.RequestController.reconcile
    cycle.RequestController.reconcile = timed("cycle", lambda _, key: key.name, begin)  # type: ignore[method-assign, assignment]
    RolloutGather.observe = timed("gather", lambda _, body, *__: _name(body), RolloutGather.observe)  # type: ignore[method-assign, assignment]
    deciding = timed_now("decide", lambda sight, _: str(sight.rollout.name), rollout_cycle.decide_rollout)  # type: ignore[attr-defined]
    rollout_cycle.decide_rollout = deciding  # type: ignore[attr-defined]
    begin_rollout = rollout_cycle.RolloutController.reconcile
    rollout_cycle.RolloutController.reconcile = timed("cycle", lambda _, key: key.name, begin_rollout)  # type: ignore[method-assign, assignment]


def _name(body: Any) -> str:
    return str(body["metadata"]["name"])


def main(argv: list[str]) -> None:
    """Run the one or the other."""
    install()
    if argv == ["run"]:
        sys.exit(asyncio.run(run_operator(Settings.from_environ(os.environ))))
    from bench import bare

    asyncio.run(bare.main(*argv))


if __name__ == "__main__":
    main(sys.argv[1:])
