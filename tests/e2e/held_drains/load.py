"""Evictions without a pause, as dry runs, while a test does something to the webhook."""

import threading
from collections import Counter
from typing import Self

from controlplane import wait_until
from tests.e2e.held_drains.hall import Hall
from tests.e2e.stage import connection
from tests.wall.api import Api, Call


class Load:
    """Several people at it at once; what they were answered, by code."""

    def __init__(self, hall: Hall, pod: str, people: int = 4) -> None:
        """Each has a connection of its own."""
        self.codes: Counter[int] = Counter()
        self.odd: list[str] = []
        self._call = Call(
            hall.path("pods", pod) + "/eviction",
            {
                "apiVersion": "policy/v1",
                "kind": "Eviction",
                "metadata": {"name": pod, "namespace": hall.namespace},
                "deleteOptions": {"dryRun": ["All"]},
            },
            "post",
        )
        self._over = threading.Event()
        kubeconfig = hall.cluster.user("olga", "ops")
        apis = [connection.__wrapped__(kubeconfig) for _ in range(people)]
        self._threads = [threading.Thread(target=self._run, args=(api,)) for api in apis]

    def __enter__(self) -> Self:
        """Begin."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, each after its last answer."""
        self._over.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def more(self, count: int) -> None:
        """Wait until so many more were answered, however long that takes on this machine."""
        wanted = self._answered() + count
        wait_until(lambda: self._answered() >= wanted, f"{count} more evictions are answered", 90)

    def _answered(self) -> int:
        return sum(tuple(self.codes.values()))

    def _run(self, api: Api) -> None:
        while not self._over.is_set():
            answer = api.send(self._call)
            self.codes[answer.code] += 1
            if answer.code != 429 or "holds the drain" not in answer.message:
                self.odd.append(f"{answer.code} {answer.message}")
