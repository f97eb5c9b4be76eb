"""Asking about a held drain: the webhook has seen somebody empty a node, and people have to be asked. On every replica.

The name is the same whoever asks, so twice is once. What is asked is read live; what changed meanwhile asks nothing.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from gatehold.admission.desk import Question
from gatehold.api import budgets, drain_pods, held_drain
from gatehold.api import gate as gate_wire
from gatehold.api import node as node_wire
from gatehold.api.approval_request import GATE_LABEL, NOT_DONE
from gatehold.api.common import ParseError
from gatehold.controllers import held_board
from gatehold.controllers.asking import Asking, noted
from gatehold.domain.effects.drain_evidence import evidence
from gatehold.domain.eviction_sight import HeldDrain
from gatehold.domain.evictions import MOST_OPEN
from gatehold.domain.model import DrainGate, DrainMode
from gatehold.domain.nodes import GateOfNode
from gatehold.kube.clock import ClockUnknown
from gatehold.kube.errors import Absent, AlreadyExists, ApiError
from gatehold.kube.resources import BUDGETS, NODES, PODS, REQUESTS
from gatehold.runtime.parts import Runtime
from gatehold.telemetry import logs

log = logging.getLogger(__name__)
Body = dict[str, Any]
_Value = TypeVar("_Value")
MOST_NAMES = 10_000
_MOST_ASKING = 64
_MOST_KNOWN = 1_000
_PAUSE_SECONDS = 3.0
"""Between two tries for the same person and node: kubectl comes every five seconds, for each pod by itself."""


class HeldDrains:
    """Opens requests; lives in the process's own loop."""

    def __init__(self, runtime: Runtime, tried: Callable[[str, str, str], None] = lambda *_: None) -> None:
        """Use the runtime's account; `tried` hears, by node and person, that they were asked about, or why not."""
        self._runtime = runtime
        self._requests = Asking(runtime)
        self._tried = tried
        self._asking: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._tried_at: dict[tuple[str, str], float] = {}
        self._numbers: dict[tuple[str, str], int] = {}  # the last name that was taken
        self._turn = asyncio.Lock()

    def wanted(self, question: Question) -> None:
        """Ask, unless that is under way or was tried just now; returns at once."""
        key, now = (question.node_uid, question.by.username), time.monotonic()
        just_now = now - self._tried_at.get(key, -_PAUSE_SECONDS) < _PAUSE_SECONDS
        if just_now or key in self._asking or len(self._asking) >= _MOST_ASKING:
            return
        task = asyncio.create_task(self._guarded(question), name="held-drain")
        self._asking[key] = task
        task.add_done_callback(lambda _: self._asking.pop(key, None))

    async def close(self) -> None:
        """Stop asking."""
        asking = tuple(self._asking.values())
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    async def ask(self, question: Question) -> Body | None:
        """The request about it: the one that is there, or a new one; None where nothing is asked."""
        gate = self._gate(question)
        if gate is None:
            return None
        namespace = gate.namespace or self._runtime.settings.drain_namespace or self._runtime.settings.namespace
        async with self._turn:  # one after the other: each counts those before it
            known = await self._known(namespace, gate.name)
            mine = next((body for body, drain in known if self._speaks(drain, question)), None)
            if mine is not None:
                return self._taken(mine)
            if sum(drain.open for _, drain in known) >= MOST_OPEN:
                log.info("%d questions of gate %s are open, so this drain is not asked about yet", MOST_OPEN, gate.name)
                return None
            held = await self._held(gate, question)
            return await self._create(held, namespace) if held is not None else None

    async def _guarded(self, question: Question) -> None:
        why = "an error, which the log of the operator tells"
        with logs.about(kind=NODES.kind, name=question.node, uid=question.node_uid):
            try:
                await self.ask(question)
                why = ""
            except (ApiError, ParseError, ClockUnknown) as error:
                log.warning("a held drain could not be asked about; the next try of its person asks again: %s", error)
                why = str(error)
            except Exception:
                log.exception("a held drain could not be asked about")
        key = question.node_uid, question.by.username
        _remember(self._tried_at, key, time.monotonic())
        self._tried(*key, why)

    # ---- what is read

    def _gate(self, question: Question) -> DrainGate | None:
        body = self._runtime.gates.get("", question.gate)
        gate = gate_wire.parse_drains(body) if body is not None else None
        return gate if gate is not None and gate.mode is DrainMode.HOLD else None

    async def _known(self, namespace: str, gate: str) -> list[tuple[Body, HeldDrain]]:
        """The requests of that Gate that are not done, live: nothing may be asked twice."""
        found = await self._runtime.cluster.list_all(REQUESTS, namespace, f"{GATE_LABEL}={gate},{NOT_DONE}")
        return [(body, drain) for body in found if (drain := held_board.held_drain(body)) is not None]

    async def _held(self, gate: DrainGate, question: Question) -> held_drain.Held | None:
        """What is shown, if the node is still that one, cordoned, and behind that Gate."""
        cluster = self._runtime.cluster
        try:
            body = await cluster.get(NODES, None, question.node)
        except Absent:
            return None
        same = body["metadata"]["uid"] == question.node_uid and node_wire.gate_of(body) == gate.name
        cordoned = (body.get("spec") or {}).get("unschedulable") is True
        if not (same and cordoned and node_wire.mode_of(body) is DrainMode.HOLD):
            return None
        limits = [budgets.parse(found) for found in await cluster.list_all(BUDGETS)]
        pages = cluster.list_pages(PODS, field_selector=f"spec.nodeName={question.node}")
        pods = drain_pods.facts([pod async for page in pages for pod in page.items], limits)
        node = node_wire.facts(body, GateOfNode(gate.name, gate), pods)
        return held_drain.Held(gate, node, question.by, evidence((node,), [budget.facts for budget in limits]))

    def _speaks(self, drain: HeldDrain, question: Question) -> bool:
        """Whether that request speaks for this person and node now, so that no other is opened."""
        theirs = (drain.node_uid, drain.username) == (question.node_uid, question.by.username)
        return theirs and drain.live(self._runtime.clock.now())

    # ---- what is written

    async def _create(self, held: held_drain.Held, namespace: str) -> Body | None:
        """Take the first name that is free. One that is taken by the same question in force is that question."""
        key = held.node.uid, held.evictor.username
        for number in range(self._numbers.get(key, 0), MOST_NAMES):
            wanted = noted(held_drain.request(held, namespace, number))
            try:
                answer = await self._runtime.cluster.create(REQUESTS, namespace, wanted)
            except AlreadyExists:
                there = await self._there(namespace, wanted["metadata"]["name"])
                if there is None or not self._is_same(there, held):
                    _remember(self._numbers, key, number)
                    continue
                return self._taken(there)
            log.info(
                "asked about the drain of %s by %s: %s", held.node.name, held.evictor.username, answer["metadata"]["name"]
            )
            return self._taken(answer)
        log.error("no name is left for a request about node %s", held.node.name)
        return None

    async def _there(self, namespace: str, name: str) -> Body | None:
        try:
            return await self._runtime.cluster.get(REQUESTS, namespace, name)
        except Absent:
            return None

    def _is_same(self, body: Mapping[str, Any], held: held_drain.Held) -> bool:
        """Whether a request of that name is ours (nobody else sets that label), about this, and in force."""
        drain = held_board.held_drain(body)
        done = (body["metadata"].get("labels") or {}).get("gatehold.dev/done") == "true"
        question = Question(held.node.name, held.node.uid, held.gate.name, held.evictor)
        return drain is not None and not done and drain.gate == held.gate.name and self._speaks(drain, question)

    def _taken(self, body: Body) -> Body:
        """Know it at once, and have its own cycle prepare it."""
        self._requests.taken(body)
        return body


def _remember(known: dict[tuple[str, str], _Value], key: tuple[str, str], value: _Value) -> None:
    """Keep what only saves time, and not for ever."""
    if len(known) >= _MOST_KNOWN:
        known.clear()
    known[key] = value
