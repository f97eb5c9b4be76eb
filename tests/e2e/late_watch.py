"""The operator hard of hearing: the real `gatehold run`, whose watch of some kinds is late.

    OperatorProcess(cluster, launch=Launch("tests.e2e.late_watch", {FOLDER: str(folder)}))

While the file PLURAL.late stands in the folder, events of that kind wait; they are delivered, in order, once it is gone.
While proofs.late stands there, whoever reads the wall's objects waits. Everything else goes on as ever, and product code is
as shipped: only these two doors are replaced. With the variables of tests.faults.operator it also dies as ordered.
"""

import asyncio
import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from gatehold.controllers.probe import Get, ProbeAccount
from gatehold.kube.resources import Resource
from gatehold.runtime.routing import Event, Router
from tests.faults import operator as faults

FOLDER: Final = "LATE_WATCH_FOLDER"
WALL: Final = (
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
)
PROOFS: Final = "proofs"
_LOOK_AGAIN = 0.02


@contextlib.contextmanager
def late(folder: Path, *plurals: str) -> Iterator[None]:
    """A test's side of it: these kinds are late meanwhile."""
    files = [folder / f"{plural}.late" for plural in plurals]
    for file in files:
        file.touch()
    try:
        yield
    finally:
        for file in files:
            file.unlink()


def install(folder: Path) -> None:
    """Replace the door."""
    deliver = Router.event
    waiting: dict[str, list[tuple[Router, Resource, Event]]] = {}
    tasks: set[asyncio.Task[None]] = set()

    async def in_the_end(plural: str) -> None:
        while (folder / f"{plural}.late").exists():  # noqa: ASYNC110 - another process says so
            await asyncio.sleep(_LOOK_AGAIN)
        for router, resource, event in waiting.pop(plural):
            deliver(router, resource, event)

    def event(self: Router, resource: Resource, event: Event) -> None:
        plural = resource.plural
        if plural in waiting:
            waiting[plural].append((self, resource, event))
        elif (folder / f"{plural}.late").exists():
            waiting[plural] = [(self, resource, event)]
            tasks.add(asyncio.get_running_loop().create_task(in_the_end(plural)))
        else:
            deliver(self, resource, event)

    Router.event = event  # type: ignore[method-assign]
    read = ProbeAccount._read

    async def reads(self: ProbeAccount, names: Iterable[str], get: Get) -> list[dict[str, Any]]:
        while (folder / f"{PROOFS}.late").exists():  # noqa: ASYNC110 - another process says so
            await asyncio.sleep(_LOOK_AGAIN)
        return await read(self, names, get)

    ProbeAccount._read = reads  # type: ignore[method-assign]


def main() -> None:
    """Run it."""
    from gatehold.cli.main import main as run

    install(Path(os.environ[FOLDER]))
    if faults.FOLDER in os.environ:
        orders = faults.Folder(Path(os.environ[faults.FOLDER]))
        faults.install(faults.Fault(orders, os.environ["POD_NAME"]))
    run()


if __name__ == "__main__":
    main()
