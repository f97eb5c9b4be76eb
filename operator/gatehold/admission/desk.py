"""Answers one eviction: puts together what is known, has the core judge it, and says whom to ask for. In the webhook's loop.

`Memory` is the rest of the process as seen from this thread: values that never change, or single reads of a dict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from gatehold.admission.live import Nodes, Rights
from gatehold.admission.pods import ABSENT, PodIndex
from gatehold.admission.reviews import Review
from gatehold.domain.eviction_sight import Answer, Eviction, GateSight, HeldDrain, NodeSight, PodSight, Sight
from gatehold.domain.evictions import judge
from gatehold.domain.model import Requester
from gatehold.kube.clock import Clock, ClockUnknown


class Memory(Protocol):
    """What the process knows of nodes, Gates and requests; may raise anything, and the eviction is held."""

    def trouble(self) -> str:
        """Why nothing that it knows counts now; empty where all is well."""

    def node(self, name: str) -> NodeSight | None:
        """The node of that name as last seen."""

    def seen(self, body: Mapping[str, Any]) -> NodeSight:
        """A node that was read just now."""

    def gate(self, name: str) -> GateSight | None:
        """The Gate of that name, None where there is none of type Drains that can be read."""

    def requests(self, node_uid: str, username: str) -> tuple[HeldDrain, ...]:
        """The requests about that person's drain of that very node."""

    def unasked(self, node_uid: str, username: str) -> str:
        """Why people could not be asked about it; empty where they were, or nobody has tried."""

    def waiting(self, gate: str) -> int:
        """How many requests of that Gate wait for people."""


@dataclass(frozen=True, slots=True)
class Question:
    """Somebody drains a node and nobody was asked: what a request is made of."""

    node: str
    node_uid: str
    gate: str
    by: Requester


class Desk:
    """Judges evictions."""

    def __init__(
        self, memory: Memory, pods: PodIndex, live: tuple[Rights, Nodes], clock: Clock, ask: Callable[[Question], None]
    ) -> None:
        """`ask` must return at once."""
        self._memory = memory
        self._pods = pods
        self._rights, self._nodes = live
        self._clock = clock
        self._ask = ask

    async def answer(self, review: Review) -> Answer:
        """The answer. May raise anything: the server holds the eviction then."""
        eviction = review.eviction
        sight = await self._completed(self._sight(eviction))
        answer = judge(sight, self._now())
        if answer.ask and not eviction.dry_run and sight.node is not None:
            self._ask(Question(sight.node.name, sight.node.uid, sight.node.gate, eviction.by))
        return answer

    def trouble(self) -> str:
        """Why every eviction is held now; empty where each is judged by what is known."""
        return self._memory.trouble() or ("" if self._pods.warm() else "not all pods are known yet")

    def _sight(self, eviction: Eviction) -> Sight:
        """What stands in memory.

        Without the time that is nothing: for ten seconds no answer of the API server was read here. It stood still, or this
        process did, and what has changed since is not known.
        """
        trouble = self.trouble() or ("" if self._now() is not None else "the time is not known")
        pod = None if trouble else self._pods.find(eviction.namespace, eviction.pod, eviction.uid)
        if pod is None:
            return Sight(eviction, trouble)
        node = self._memory.node(pod.node) if pod.node else None
        sight = Sight(eviction, pod=PodSight(pod.node, absent=pod is ABSENT), node=node)
        return self._of_gate(sight)

    def _of_gate(self, sight: Sight) -> Sight:
        node = sight.node
        if node is None or not node.gate:
            return sight
        whose = node.uid, sight.eviction.by.username
        return replace(
            sight,
            gate=self._memory.gate(node.gate),
            requests=self._memory.requests(*whose),
            waiting=self._memory.waiting(node.gate),
            unasked=self._memory.unasked(*whose),
        )

    async def _completed(self, sight: Sight) -> Sight:
        """What has to be asked for: rights where the mode is Deny, and the node where it is said not to be cordoned."""
        if sight.holds and sight.node is not None and not sight.node.cordoned:
            body = await self._nodes.read(sight.node.name)
            if body is None:
                return sight
            sight = self._of_gate(replace(sight, node=replace(self._memory.seen(body), live=True), gate=None))
        if sight.denies:
            return replace(sight, may_drain=await self._rights.may_drain(sight.eviction.by))
        return sight

    def _now(self) -> datetime | None:
        try:
            return self._clock.now()
        except ClockUnknown:
            return None
