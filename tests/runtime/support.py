"""What the tests of the runtime share: bodies, a small `summarise`, a controller that writes down what it was asked."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from gatehold.kube.clock import ServerClock
from gatehold.kube.resources import REQUESTS, Resource
from gatehold.runtime.caches import Caches
from gatehold.runtime.operator import Operator, run
from gatehold.runtime.parts import GATE, POLICY, REQUEST, ROLLOUT, Controllers, Key, Runtime
from gatehold.runtime.queue import WorkQueue
from gatehold.runtime.record import Subject, Summary
from gatehold.runtime.routing import Router
from gatehold.settings import Settings


class World:
    """A router that acts, and what it asked for since somebody looked last."""

    def __init__(self, summarise: Callable[[Mapping[str, Any]], Summary]) -> None:
        self.queue = WorkQueue()
        self.caches = Caches(summarise)
        self.router = Router(self.caches, self.queue, ServerClock(), "gatehold-system")
        self.router.acting = True

    def see(self, resource: Resource, body: dict[str, Any], kind: str = "MODIFIED") -> None:
        self.router.event(resource, {"type": kind, "object": body})

    async def asked(self) -> list[str]:
        """Kind/name of each."""
        return sorted([f"{key.kind}/{key.name}" async for key, _ in self.taken()])

    async def taken(self) -> AsyncIterator[tuple[Key, bool]]:
        """What was asked for, and whether that is urgent."""
        while len(self.queue):
            urgent = bool(self.queue._urgent)
            key = await self.queue.get()
            self.queue.done(key)
            yield key, urgent


class Ticks:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def eventually(check: Callable[[], Any | Awaitable[Any]], seconds: float = 60.0) -> Any:
    """Wait until `check` holds, and return what it returned."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        value = check()
        if inspect.isawaitable(value):
            value = await value
        if value:
            return value
        assert loop.time() < deadline, f"not within {seconds} s: {check}"
        await asyncio.sleep(0.01)


def policy_body(name: str) -> dict[str, Any]:
    """A policy as an admin creates it."""
    return {"metadata": {"name": name}, "spec": {"quorum": [{"role": "sre"}]}}


def request_body(name: str, namespace: str, *, policy: str = "p", subject: str = "") -> dict[str, Any]:
    """A request as a user creates it."""
    return {
        "apiVersion": REQUESTS.api_version,
        "kind": REQUESTS.kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "policyRef": {"name": policy},
            "summary": "may this go on?",
            "requester": {"username": "ann"},
            "subject": {
                "apiVersion": "batch/v1",
                "kind": "Job",
                "namespace": namespace,
                "name": subject or name,
                "uid": "11111111-2222-3333-4444-555555555555",
            },
        },
    }


def summarise(body: Mapping[str, Any]) -> Summary:
    """The lead's function in small."""
    meta, spec, status = body["metadata"], body["spec"], body.get("status") or {}
    subject = spec.get("subject") or {}
    subjects: tuple[Subject, ...] = ()
    if subject:
        subjects = ((subject["apiVersion"], subject["kind"], subject.get("namespace", ""), subject["name"]),)
    phase = status.get("phase", "")
    deadline = status.get("deadline")
    return Summary(
        created=meta.get("creationTimestamp", ""),
        phase=phase,
        policy=spec["policyRef"]["name"],
        author=(spec.get("requester") or {}).get("username", ""),
        subjects=subjects,
        effect=False,
        prepared=bool(status.get("requestDigest")),
        waiting=phase in {"", "Pending"},
        urgent=phase not in {"", "Pending"},
        due_at=datetime.fromisoformat(deadline).timestamp() if deadline else None,
    )


@dataclass
class Recording:
    """A controller that writes down what it was asked, and does what a test wants."""

    kind: str = REQUEST
    keys: list[Key] = field(default_factory=list)
    namespace: str = ""
    act: Callable[[Key], Awaitable[datetime | None]] | None = None

    async def reconcile(self, key: Key) -> datetime | None:
        self.keys.append(key)
        return await self.act(key) if self.act else None

    def names(self) -> list[str]:
        """Only of the test's own namespace: an operator sees what other tests left behind."""
        return [key.name for key in self.keys if key.namespace in {"", self.namespace} or not self.namespace]


@dataclass
class Running:
    """One operator that runs in this test's loop."""

    operator: Operator
    runtime: Runtime
    requests: Recording
    policies: Recording
    task: asyncio.Task[None]
    stop: asyncio.Event

    async def end(self) -> None:
        self.stop.set()
        await self.task

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """In the test itself and not in a fixture: kopf, ending, waits for and cancels every younger task of its loop."""
        self.stop.set()
        await asyncio.gather(self.task, return_exceptions=True)


@dataclass
class Replica:
    """One operator in a thread and a loop of its own: two of them in one loop would be ended by each other's kopf."""

    settings: Settings
    error: BaseException | None = None
    made: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.requests = Recording(namespace=self.settings.namespace)
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        assert self.made.wait(60)

    def ask_to_end(self) -> None:
        with contextlib.suppress(RuntimeError):  # its loop is closed
            self.loop.call_soon_threadsafe(self.stop.set)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except Exception as error:  # noqa: BLE001 - whatever ended it is what the test asks about
            self.error = error

    async def _main(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.stop = asyncio.Event()

        def build(runtime: Runtime) -> Controllers:
            self.runtime = runtime
            return Controllers([self.requests, *(Recording(kind) for kind in (POLICY, ROLLOUT, GATE))])

        def started(operator: Operator) -> None:
            self.operator = operator
            self.made.set()

        await run(self.settings, build, summarise, stop=self.stop, started=started)
