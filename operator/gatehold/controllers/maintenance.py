"""Maintenance: from an approved drain until its node is uncordoned, held by a Lease of the node. A periodic, and a look.

While it lasts no other drain begins there. It ends by what the node shows: uncordoned, gone, or another of the same name,
once the request that took the Lease is not at work any more. What is ended is looked at live: a cache may lag behind.
"""

import contextlib
import logging
from typing import Any

from gatehold.api import maintenance as wire
from gatehold.api.common import ParseError
from gatehold.api.maintenance import Maintenance
from gatehold.api.node import RELEASED_BY, REQUEST
from gatehold.kube.errors import Absent, Conflict, Forbidden
from gatehold.kube.resources import LEASES, NODES
from gatehold.runtime.parts import Runtime

log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0
Body = dict[str, Any]


class MaintenanceKeeper:
    """Ends maintenance that is over."""

    def __init__(self, runtime: Runtime) -> None:
        """Use the runtime's account, and its cache of requests."""
        self._runtime = runtime
        self._refused = False

    async def sweep(self) -> None:
        """Look at every Lease of a node; asks the API server for the node only where the cache says that it is over."""
        try:
            leases = await self._runtime.cluster.list_all(LEASES, self._runtime.settings.namespace, wire.SELECTOR)
        except Forbidden as error:
            self._say_refused(error)
            return
        for lease in leases:
            held = _held(lease)
            if held is not None and self._seems_over(held):
                with contextlib.suppress(Absent, Conflict):  # somebody was faster; the next look tells
                    await self._end(held)

    async def look(self, node: str) -> None:
        """Look at the Lease of one node, whose change was just seen. Raises Conflict where somebody was faster."""
        namespace = self._runtime.settings.namespace
        try:
            lease = await self._runtime.cluster.get(LEASES, namespace, wire.name_of(node))
        except (Absent, Forbidden):
            return
        held = _held(lease)
        if held is not None and self._seems_over(held):
            await self._end(held)

    def _seems_over(self, held: Maintenance) -> bool:
        body = self._runtime.nodes.get("", held.facts.node)
        return held.facts.holder not in self._runtime.requests and _is_over(held, body)

    async def _end(self, held: Maintenance) -> None:
        """Take our annotations off the node, then the Lease away: a death in between leaves the Lease to the next look."""
        node = await self._live(held.facts.node)
        if not _is_over(held, node) or not self._runtime.is_leader():
            return
        if node is not None and _bears(node, held):
            await take_off(self._runtime, node)
        await self._drop(held)
        log.info("maintenance of node %s is over", held.facts.node)

    async def _live(self, name: str) -> Body | None:
        try:
            body = await self._runtime.cluster.get(NODES, None, name)
        except Absent:
            return None
        self._runtime.answered(NODES, body)
        return body

    async def _drop(self, held: Maintenance) -> None:
        """That very version: whoever takes the Lease meanwhile keeps it."""
        namespace, only = self._runtime.settings.namespace, {"uid": held.uid, "resource_version": held.resource_version}
        with contextlib.suppress(Absent):
            await self._runtime.cluster.delete(LEASES, namespace, held.name, **only)

    def _say_refused(self, error: Forbidden) -> None:
        if not self._refused:
            self._refused = True
            log.warning("no maintenance is ended, and no node drained: %s", error)


async def take_off(runtime: Runtime, node: Body) -> None:
    """Take the marks of a request off that version of a node."""
    meta = node["metadata"]
    marks = {RELEASED_BY: None, REQUEST: None}
    patch = {"metadata": {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"], "annotations": marks}}
    runtime.answered(NODES, await runtime.cluster.merge_patch(NODES, None, meta["name"], patch))


def _held(lease: Body) -> Maintenance | None:
    """What a Lease says; None where it is none of ours, whatever it is called."""
    try:
        return wire.read(lease)
    except ParseError as error:
        log.warning("Lease %s is left alone: %s", lease["metadata"]["name"], error)
        return None


def _is_over(held: Maintenance, node: Body | None) -> bool:
    """Asked where the holder is not at work any more: a node without its mark was never cordoned for it, or is not now."""
    if node is None or not _bears(node, held):
        return True
    return not (node.get("spec") or {}).get("unschedulable")


def _bears(node: Body, held: Maintenance) -> bool:
    """Whether the node still bears the mark of the request that held it."""
    same = str(node["metadata"]["uid"]) == held.facts.node_uid
    return same and (node["metadata"].get("annotations") or {}).get(RELEASED_BY) == held.facts.holder
