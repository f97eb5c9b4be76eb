"""The cycle of a node: its mode label says what its Gate says, and its maintenance ends when it is uncordoned.

A gated node is in mode Deny unless its label says Hold, and only this sets it, while the webhook is proven to answer.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from gatehold.api import gate
from gatehold.api.common import ParseError
from gatehold.api.node import GATED_LABEL, MODE_LABEL, RELEASED_BY
from gatehold.controllers.apply import demand_leader
from gatehold.controllers.maintenance import MaintenanceKeeper, take_off
from gatehold.domain.model import DrainMode
from gatehold.kube.errors import Absent
from gatehold.kube.resources import NODES
from gatehold.runtime.parts import GATE, NODE, Key, Runtime

Body = dict[str, Any]


class NodeController:
    """Writes the mode of gated nodes, and ends their maintenance."""

    kind = NODE

    def __init__(self, runtime: Runtime, maintenance: MaintenanceKeeper, proven: Callable[[], bool | None]) -> None:
        """`proven`: whether the webhook is known to answer, without which no node comes into mode Hold; None: not known."""
        self._runtime = runtime
        self._maintenance = maintenance
        self._proven = proven
        self._cordoned = set[str]()  # uids of nodes that were when this process looked last

    async def reconcile(self, key: Key) -> datetime | None:
        """Look once."""
        body = self._runtime.nodes.by_uid(key.uid)
        if body is None:
            self._cordoned.discard(key.uid)
            await self._maintenance.look(key.name)
            return None
        await self._end_maintenance(body)
        await self._set_mode(self._runtime.nodes.by_uid(key.uid) or body)
        return None

    def turned(self) -> None:
        """Ask for a cycle of every gated node, and of the Gates: the webhook is proven now, or not any more."""
        for item in self._runtime.gates:
            self._runtime.enqueue(Key(GATE, "", item.name, item.uid), False)
            for node in self._runtime.nodes.grouped(item.name):
                self._runtime.enqueue(Key(NODE, "", node.name, node.uid), False)

    async def _end_maintenance(self, body: Body) -> None:
        """Uncordoned since, or while it bears the mark of a request that is over: somebody ends the maintenance."""
        uid = str(body["metadata"]["uid"])
        if _is_cordoned(body):
            self._cordoned.add(uid)
            return
        if uid not in self._cordoned and not self._bears_an_old_mark(body):
            return
        await self._maintenance.look(body["metadata"]["name"])
        self._cordoned.discard(uid)
        left = self._runtime.nodes.by_uid(uid)
        if left is not None and not _is_cordoned(left) and self._bears_an_old_mark(left):
            await take_off(self._runtime, left)  # its Lease went before

    def _bears_an_old_mark(self, body: Body) -> bool:
        holder = (body["metadata"].get("annotations") or {}).get(RELEASED_BY, "")
        return bool(holder) and holder not in self._runtime.requests

    async def _set_mode(self, body: Body) -> None:
        meta = body["metadata"]
        labels = meta.get("labels") or {}
        holds = self._holds(labels.get(GATED_LABEL, ""))
        wanted = str(DrainMode.HOLD) if holds else None
        if GATED_LABEL not in labels or labels.get(MODE_LABEL) == wanted or holds is None:
            return
        demand_leader(self._runtime)
        change = {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"], "labels": {MODE_LABEL: wanted}}
        try:
            answer = await self._runtime.cluster.merge_patch(NODES, None, meta["name"], {"metadata": change})
        except Absent:
            return
        self._runtime.answered(NODES, answer)

    def _holds(self, name: str) -> bool | None:
        """Whether the Gate of that name lets evictions be held; any doubt of it is mode Deny.

        None where that rests on the webhook, and nobody knows of it yet: a process that begins, or has stood still, would
        refuse those whose drains wait, until it has asked.
        """
        body = self._runtime.gates.get("", name)
        try:
            holds = body is not None and gate.parse_drains(body).mode is DrainMode.HOLD
        except ParseError:
            holds = False
        return self._proven() if holds else False


def _is_cordoned(body: Body) -> bool:
    return bool((body.get("spec") or {}).get("unschedulable"))
