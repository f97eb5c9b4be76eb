"""How many pods of a Rollout serve at every moment, seen by a watch of its own: every event, none of them polled away."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import urllib3

from controlplane import wait_until
from tests.e2e.rollouts.shop import Shop
from tests.e2e.stage import PATIENCE
from tests.wall.api import Api, Call

Body = dict[str, Any]
_SECONDS: Final = 120


class Capacity:
    """What was seen of one Rollout's pods since the beginning."""

    def __init__(self, shop: Shop, name: str, selector: str = "") -> None:
        """Begin with what is there now."""
        self._api, self._path = shop.api(), shop.path("pods")
        self._query = {"labelSelector": selector or f"gatehold.dev/rollout={name}"}
        found = self._api.must(Call(self._path, how="get"), **self._query)
        self._serving = {pod["metadata"]["uid"]: _track(pod) for pod in found["items"] if _serves(pod)}
        self._version = str(found["metadata"]["resourceVersion"])
        self.least = len(self._serving)
        """The fewest pods that served at any moment."""
        self.most_canaries = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop looking."""
        self._over.set()
        self._thread.join(10)

    def until_seen(self, count: int) -> None:
        """Wait until that many serve, as the watch tells it."""
        wait_until(lambda: len(self._serving) == count, f"{count} pods serve", PATIENCE)

    def _watch(self) -> None:
        while not self._over.is_set():
            for event in _events(self._api, self._path, {**self._query, "resourceVersion": self._version}):
                self._take(event["type"], event["object"])
                if self._over.is_set():
                    return

    def _take(self, kind: str, pod: Body) -> None:
        if kind == "BOOKMARK":
            return
        self._version = str(pod["metadata"]["resourceVersion"])
        if kind == "DELETED" or not _serves(pod):
            self._serving.pop(pod["metadata"]["uid"], None)
        else:
            self._serving[pod["metadata"]["uid"]] = _track(pod)
        self.least = min(self.least, len(self._serving))
        self.most_canaries = max(self.most_canaries, sum(track == "canary" for track in self._serving.values()))


@contextmanager
def watched(shop: Shop, name: str = "web", selector: str = "") -> Iterator[Capacity]:
    """Look at the pods of a Rollout meanwhile, or at those that a selector names."""
    capacity = Capacity(shop, name, selector)
    try:
        yield capacity
    finally:
        capacity.end()


def _events(api: Api, path: str, query: dict[str, str]) -> Iterator[Body]:
    fields = {**query, "watch": "true", "timeoutSeconds": "2"}
    answer = api._pool.request("GET", f"{api.server}{path}", fields=fields, headers=api._headers, preload_content=False)
    rest = b""
    try:
        for chunk in answer.stream(65_536):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (json.loads(line) for line in lines if line)
    except urllib3.exceptions.HTTPError:
        return
    finally:
        answer.release_conn()


def _serves(pod: Body) -> bool:
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", []))
    return ready and "deletionTimestamp" not in pod["metadata"]


def _track(pod: Body) -> str:
    return str(pod["metadata"]["labels"].get("gatehold.dev/track", ""))
