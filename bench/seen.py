"""When things happened, seen on a watch by a third party (us): neither the operator nor the bare loop tells its own time."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from gatehold.api.approval_request import VERDICT_PREFIX
from gatehold.kube.client import Cluster
from gatehold.kube.errors import ApiError, Gone
from gatehold.kube.resources import Resource

Body = dict[str, Any]


class Seen:
    """When something was first seen of each name; `perf_counter` seconds."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self.at: dict[str, float] = {}
        self._lost = False
        self._news = asyncio.Condition()

    async def note(self, name: str) -> None:
        """It is so now."""
        async with self._news:
            if name not in self.at:
                self.at[name] = time.perf_counter()
                self._news.notify_all()

    async def lose(self) -> None:
        """The watch has lost its place, so nobody knows when what came meanwhile happened: who waits is told at once."""
        async with self._news:
            self._lost = True
            self._news.notify_all()

    async def wait(self, names: Iterable[str], seconds: float) -> float:
        """Wait until it was seen of all of these; when the last was."""
        wanted = set(names)
        async with asyncio.timeout(seconds), self._news:
            await self._until(lambda: wanted <= self.at.keys())
        return max(self.at[name] for name in wanted)

    async def first(self, names: Iterable[str], seconds: float) -> float:
        """Wait until it was seen of one of these; when the first was."""
        wanted = set(names)
        async with asyncio.timeout(seconds), self._news:
            await self._until(lambda: bool(wanted & self.at.keys()))
        return min(self.at[name] for name in wanted & self.at.keys())

    async def _until(self, holds: Callable[[], bool]) -> None:
        await self._news.wait_for(lambda: self._lost or holds())
        if not holds():
            raise TimeoutError("the watch of the third party has lost its place; measure again")


@contextlib.asynccontextmanager
async def watching(
    cluster: Cluster, resource: Resource, namespace: str, tell: Callable[[str, Body], str], selector: str = ""
) -> AsyncIterator[Seen]:
    """Watch from now on; `tell` answers under which name an event (its type and body) is noted, empty for not at all."""
    seen = Seen()
    version = [page.resource_version async for page in cluster.list_pages(resource, namespace, selector)][-1]

    async def look() -> None:
        nonlocal version
        while True:  # a watch of a busy client ends now and then: go on where it ended
            try:
                async for event in cluster.watch(resource, version, selector, namespace=namespace, seconds=3600):
                    version = event["object"]["metadata"]["resourceVersion"]
                    name = tell(event["type"], event["object"])
                    if name:
                        await seen.note(name)
            except Gone:
                return await seen.lose()
            except ApiError:
                continue

    task = asyncio.create_task(look())
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def running(kind: str, job: Body) -> str:
    """The name of a Job that was let go."""
    return job["metadata"]["name"] if kind == "MODIFIED" and not job["spec"].get("suspend") else ""


def decided(kind: str, request: Body) -> str:
    """The name of a request that carries a person's word."""
    notes = request["metadata"].get("annotations") or {}
    return request["metadata"]["name"] if any(key.startswith(VERDICT_PREFIX) for key in notes) else ""
