"""Measuring: decisions one after the other and all at once, seen on a watch of the Jobs by a third party (us)."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from bench.stage import NAMESPACE, Hands, approve
from gatehold.kube.errors import ApiError
from gatehold.kube.resources import JOBS


@dataclass(frozen=True, slots=True)
class Spread:
    """Seconds: the middle, the slow end, and the last."""

    p50: float
    p99: float
    last: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        """Of at least one value."""
        ordered = sorted(values)
        return cls(ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], ordered[-1])


class Seen:
    """When each Job was seen running."""

    def __init__(self) -> None:
        """Nothing seen yet."""
        self.at: dict[str, float] = {}
        self._news = asyncio.Condition()

    async def note(self, name: str) -> None:
        """A Job runs now."""
        async with self._news:
            self.at.setdefault(name, time.perf_counter())
            self._news.notify_all()

    async def wait(self, names: set[str], seconds: float) -> None:
        """Wait until all of these run."""
        async with asyncio.timeout(seconds), self._news:
            await self._news.wait_for(lambda: names <= self.at.keys())


@contextlib.asynccontextmanager
async def watching(who: Hands) -> AsyncIterator[Seen]:
    """Watch the Jobs of the benchmark."""
    seen = Seen()
    version = [page.resource_version async for page in who.admin.list_pages(JOBS, NAMESPACE)][-1]

    async def look() -> None:
        nonlocal version
        while True:  # a watch of a busy client ends now and then: go on where it ended
            with contextlib.suppress(ApiError):
                async for event in who.admin.watch(JOBS, version, "gatehold.dev/hold", seconds=3600):
                    job = event["object"]
                    version = job["metadata"]["resourceVersion"]
                    if event["type"] == "MODIFIED" and not job["spec"].get("suspend"):
                        await seen.note(job["metadata"]["name"])

    task = asyncio.create_task(look())
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def one_by_one(who: Hands, seen: Seen, names: list[str]) -> list[float]:
    """Decision acknowledged -> Job seen running, one decision at a time. Seconds."""
    found: list[float] = []
    for name in names:
        await approve(who, name)
        said = time.perf_counter()
        await seen.wait({name}, 30)
        found.append(max(0.0, seen.at[name] - said))
    return found


async def all_at_once(who: Hands, seen: Seen, names: list[str]) -> float:
    """From the first decision sent to the last Job seen running. Seconds."""
    began = time.perf_counter()
    await asyncio.gather(*(who.patiently(approve, who, name) for name in names))
    await seen.wait(set(names), 300)
    return max(seen.at[name] for name in names) - began
