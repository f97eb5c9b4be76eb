"""What the process knows, as the webhook's thread may read it: values that never change, found by single reads of dicts.

The caches themselves belong to the loop. Requests about held drains are kept here as well, parsed once for each change.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from gatehold.api import gate as gate_wire
from gatehold.api import node as node_wire
from gatehold.api.approval_request import GATE_LABEL, parse
from gatehold.api.common import ParseError
from gatehold.api.request_status import parse_status
from gatehold.domain.eviction_sight import GateSight, HeldDrain, NodeSight
from gatehold.domain.model import DrainMode, EffectType, Request, Word
from gatehold.domain.phases import Phase
from gatehold.domain.reasons import ConditionType
from gatehold.domain.status import Status
from gatehold.kube.resources import NODES
from gatehold.runtime.objects import Item, Objects
from gatehold.runtime.packing import unpack
from gatehold.runtime.parts import Runtime

Body = Mapping[str, Any]
Whose = tuple[str, str]
_HOW = {
    Phase.DENIED: "was denied",
    Phase.EXPIRED: "expired: not enough people said yes in time",
    Phase.LAPSED: "lapsed: it was not used in time",
    Phase.WITHDRAWN: "was withdrawn",
    Phase.FAILED: "failed",
    Phase.SUPERSEDED: "ended, since the node was uncordoned",
}
_MOST_KNOWN = 10_000
_MOST_UNASKED = 100


class Board:
    """`admission.desk.Memory` over the runtime's caches. The loop writes, the webhook's thread reads."""

    def __init__(self, runtime: Runtime) -> None:
        """Hear of every request from now on."""
        self._runtime = runtime
        self._namespace = runtime.settings.drain_namespace or runtime.settings.namespace
        self._drains: dict[str, HeldDrain] = {}
        self._theirs: dict[Whose, tuple[HeldDrain, ...]] = {}
        self._waiting: Counter[str] = Counter()
        self._unasked: dict[Whose, str] = {}
        self._nodes: dict[str, tuple[Item, NodeSight]] = {}
        self._gates: dict[str, tuple[Item, GateSight | None]] = {}
        runtime.requests.listen(self.changed, self.gone)

    # ---- written by the loop

    def changed(self, body: Body) -> None:
        """Take in a request, if it is about a held drain."""
        if ((body.get("spec") or {}).get("subject") or {}).get("kind") != NODES.kind:
            return
        drain = held_drain(body)
        if drain is None:
            self.gone(str(body["metadata"]["uid"]))
            return
        old = self._drains.get(drain.uid)
        rest = tuple(other for other in self._theirs.get(_whose(drain), ()) if other.uid != drain.uid)
        # In one write: between two the webhook's thread would see no request at all. Person, node and Gate never change.
        self._theirs[_whose(drain)] = (*rest, drain)
        self._drains[drain.uid] = drain
        self._waiting[drain.gate] += drain.open - (old.open if old is not None else 0)

    def gone(self, uid: str) -> None:
        """Forget a request."""
        drain = self._drains.pop(uid, None)
        if drain is not None:
            self._waiting[drain.gate] -= drain.open
            rest = tuple(other for other in self._theirs[_whose(drain)] if other.uid != uid)
            if rest:
                self._theirs[_whose(drain)] = rest
            else:
                del self._theirs[_whose(drain)]

    def tried(self, node_uid: str, username: str, why: str) -> None:
        """Note that people were asked, or why they could not be."""
        self._unasked.pop((node_uid, username), None)
        if why:
            self._unasked = dict(list(self._unasked.items())[-_MOST_UNASKED:]) | {(node_uid, username): why}

    # ---- read by the webhook's thread

    def trouble(self) -> str:
        """Why nothing counts now."""
        return "" if self._runtime.knows() else "the operator does not know the cluster yet"

    def node(self, name: str) -> NodeSight | None:
        """The node as last seen."""
        item = _item(self._runtime.nodes, name)
        if item is None:
            return None
        known = self._nodes.get(name)
        if known is None or known[0] is not item:
            if len(self._nodes) > _MOST_KNOWN:
                self._nodes.clear()
            known = self._nodes[name] = item, self.seen(unpack(item.packed))
        return known[1]

    def seen(self, body: Body) -> NodeSight:
        """A node out of its body. Raises ParseError."""
        meta = body["metadata"]
        return NodeSight(
            name=str(meta["name"]),
            uid=str(meta["uid"]),
            gate=node_wire.gate_of(body) or "",
            hold=node_wire.mode_of(body) is DrainMode.HOLD,
            cordoned=(body.get("spec") or {}).get("unschedulable") is True,
        )

    def gate(self, name: str) -> GateSight | None:
        """The Gate as last seen."""
        item = _item(self._runtime.gates, name)
        if item is None:
            return None
        known = self._gates.get(name)
        if known is None or known[0] is not item:
            known = self._gates[name] = item, self._gate(unpack(item.packed))
        return known[1]

    def requests(self, node_uid: str, username: str) -> tuple[HeldDrain, ...]:
        """Those about that person's drain of that very node."""
        return self._theirs.get((node_uid, username), ())

    def unasked(self, node_uid: str, username: str) -> str:
        """Why people could not be asked about that person's drain of that node."""
        return self._unasked.get((node_uid, username), "")

    def waiting(self, gate: str) -> int:
        """How many of that Gate wait for people."""
        return self._waiting.get(gate, 0)

    def _gate(self, body: Body) -> GateSight | None:
        try:
            found = gate_wire.parse_drains(body)
        except ParseError:
            return None
        return GateSight(found.name, found.mode is DrainMode.HOLD, found.namespace or self._namespace, found.policy)


def held_drain(body: Body) -> HeldDrain | None:
    """A request about a held drain as a value, None for any other. One that cannot be read is open, and opens nothing."""
    meta, spec = body["metadata"], body.get("spec") or {}
    gate, subject = (meta.get("labels") or {}).get(GATE_LABEL), spec.get("subject") or {}
    ours = gate and subject.get("kind") == NODES.kind and (spec.get("effect") or {}).get("type") == EffectType.RELEASE
    if not ours:
        return None
    username = str((spec.get("requester") or {}).get("username") or "")
    address = str(meta.get("namespace") or ""), str(meta["name"]), str(meta["uid"])
    bare = HeldDrain(*address, str(gate), str(subject.get("uid") or ""), username)
    try:
        return _read(bare, parse(body), parse_status(body))
    except ParseError as error:
        return HeldDrain(*address, bare.gate, bare.node_uid, username, said=f"it cannot be read: {error}")


def _read(bare: HeldDrain, request: Request, status: Status) -> HeldDrain:
    refused = status.phase in _HOW
    return HeldDrain(
        bare.namespace,
        bare.name,
        bare.uid,
        bare.gate,
        bare.node_uid,
        request.requester.username,
        phase=status.phase,
        approvals=status.approvals if status.request_digest else "",
        deadline=status.deadline,
        valid_until=status.valid_until,
        cooldown_until=status.effect.cooldown_until if status.effect is not None else None,
        said=_refusal(status) if refused else _wait(status),
    )


def _refusal(status: Status) -> str:
    """How it ended, by whom, and why."""
    how = _HOW[status.phase]
    word = {Phase.DENIED: Word.DENY, Phase.WITHDRAWN: Word.WITHDRAW}.get(status.phase)
    spoken = next((v.verdict for v in reversed(status.verdicts) if v.verdict.word is word), None)
    if spoken is not None:
        return f"{how} by {spoken.username}" + (f": {spoken.comment}" if spoken.comment else "")
    said = status.decision.message if status.decision is not None else ""
    return f"{how}: {said}" if said and status.phase is Phase.FAILED else how


def _wait(status: Status) -> str:
    held = status.condition(ConditionType.HELD)
    return held.message if held is not None and held.status == "True" else ""


def _whose(drain: HeldDrain) -> Whose:
    return drain.node_uid, drain.username


def _item(objects: Objects, name: str) -> Item | None:
    """By two single reads; None also where it went between them."""
    try:
        return objects.named("", name)
    except KeyError:
        return None
