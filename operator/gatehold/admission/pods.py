"""Where every pod runs: a list and a watch of our own, which keep of each pod its uid and node and nothing else.

Used in the webhook's loop only. What is not known is looked up once, live, beside the answer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Any, Final, NamedTuple

from gatehold.kube.client import SILENCE_SECONDS, Cluster
from gatehold.kube.errors import Absent, ApiError, Gone
from gatehold.kube.resources import PODS

log = logging.getLogger(__name__)
WATCH_SECONDS: Final = 280
BROKEN_SECONDS: Final = 10.0
"""How long a watch may be down before what it told counts for nothing."""
KEEP_SECONDS: Final = 10.0
"""How long a live look counts: longer than kubectl waits between two tries."""
_PAGE: Final = 200
_LOOKS: Final = 64
_PAUSE: Final = 0.5
_BREATH: Final = 0.02

Key = tuple[str, str]


class Pod(NamedTuple):
    """One pod: its uid, and its node, empty where it has none yet. Without a uid: there is surely none of that name."""

    uid: str
    node: str


ABSENT: Final = Pod("", "")


class PodIndex:
    """namespace, name -> Pod."""

    def __init__(self, cluster: Cluster, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Know nothing before `run`."""
        self._cluster = cluster
        self._monotonic = monotonic
        self._pods: dict[Key, Pod] = {}
        self._listed = False
        self._heard = 0.0
        self._broken: float | None = None
        self._looked: dict[Key, tuple[Pod, float]] = {}
        self._looking: dict[Key, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        """Return how many pods are known."""
        return len(self._pods)

    def warm(self) -> bool:
        """Tell whether all pods are known, and news of them come."""
        now = self._monotonic()
        told = now - self._heard < SILENCE_SECONDS and (self._broken is None or now - self._broken < BROKEN_SECONDS)
        return self._listed and told

    def find(self, namespace: str, name: str, uid: str = "") -> Pod | None:
        """What is known of the pod (of that uid, if one is given); None begins a live look, so that the next try knows."""
        key = namespace, name
        known = self._pods.get(key)
        if known is not None and uid in ("", known.uid):
            return known
        found, at = self._looked.get(key, (None, 0.0))
        if found is not None and self._monotonic() - at < KEEP_SECONDS:
            return found
        self._look(key)
        return None

    async def run(self) -> None:
        """List and watch, for ever."""
        version = ""
        while True:
            try:
                if not version:
                    version = await self._list()
                before, version = version, await self._watch(version)
                self._broken = None if version else self._broken or self._monotonic()
                await asyncio.sleep(_BREATH if version != before else _PAUSE)
            except Gone:
                version = ""
                await asyncio.sleep(_PAUSE)
            except (ApiError, TimeoutError) as error:
                self._broken = self._broken or self._monotonic()
                log.info("the watch of pods is down: %s", str(error) or "it fell silent")
                # A watch that was silent is begun from a list; one that could not be opened goes on where it was.
                version = "" if isinstance(error, TimeoutError) else version
                await asyncio.sleep(_PAUSE)

    async def close(self) -> None:
        """End the looks that are under way."""
        looks = tuple(self._looking.values())
        for task in looks:
            task.cancel()
        await asyncio.gather(*looks, return_exceptions=True)

    # ---- list and watch

    async def _list(self) -> str:
        found: dict[Key, Pod] = {}
        version = ""
        async for page in self._cluster.list_pages(PODS, limit=_PAGE):
            version = page.resource_version
            for body in page.items:
                key, pod = _read(body)
                found[key] = pod
        self._pods, self._listed, self._broken, self._heard = found, True, None, self._monotonic()
        log.info("listed %d pods", len(found))
        return version

    async def _watch(self, version: str) -> str:
        """Take events in until the watch ends; answers the version to go on from, "" where only a list helps."""
        watch = self._cluster.watch(PODS, version, seconds=WATCH_SECONDS, bookmarks=True)
        async with aclosing(watch) as events:
            async for event in events:
                if event["type"] == "ERROR":
                    log.info("the watch of pods ended: %s", event["object"].get("message"))
                    return ""
                self._heard, self._broken = self._monotonic(), None
                self._take(event)
                version = str(event["object"]["metadata"]["resourceVersion"])
        return version

    def _take(self, event: Mapping[str, Any]) -> None:
        if event["type"] == "BOOKMARK":
            return
        key, pod = _read(event["object"])
        if event["type"] != "DELETED":
            self._pods[key] = pod
        elif (known := self._pods.get(key)) is not None and known.uid == pod.uid:
            del self._pods[key]
        self._looked.pop(key, None)

    # ---- live looks

    def _look(self, key: Key) -> None:
        if key in self._looking or len(self._looking) >= _LOOKS or not self._listed:
            return
        task = asyncio.create_task(self._look_once(key), name="pod-look")
        self._looking[key] = task
        task.add_done_callback(lambda _: self._looking.pop(key, None))

    async def _look_once(self, key: Key) -> None:
        self._forget()
        try:
            _, pod = _read(await self._cluster.get(PODS, *key))
        except Absent:
            pod = ABSENT
        except ApiError as error:
            log.info("a pod could not be looked up: %s", error)
            return
        self._looked[key] = pod, self._monotonic()

    def _forget(self) -> None:
        oldest = self._monotonic() - KEEP_SECONDS
        self._looked = {key: found for key, found in self._looked.items() if found[1] > oldest}


def _read(body: Mapping[str, Any]) -> tuple[Key, Pod]:
    meta, spec = body["metadata"], body.get("spec") or {}
    key = str(meta["namespace"]), str(meta["name"])
    return key, Pod(str(meta["uid"]), str(spec.get("nodeName") or ""))
