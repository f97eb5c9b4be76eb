"""Every kind that is watched: where it is kept, how it is listed, and what happens when one of it changes.

A new kind is its cache in `Caches`, one function that says whom a change of it wakes, and a row of KINDS. `routing` goes by
this table for every event and every list, `handlers` registers it with kopf.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from gatehold.kube.resources import (
    ARGO_NAMESPACES,
    ARGO_ROLLOUTS,
    DEPLOYMENTS,
    GATED_JOBS,
    GATES,
    JOBS,
    MAP,
    MAP_BINDINGS,
    NAMESPACES,
    NODES,
    POD_NAMESPACES,
    PODS,
    POLICIES,
    REQUESTS,
    ROLLOUTS,
    VAP,
    VAP_BINDINGS,
    Resource,
)
from gatehold.runtime import argo, pods
from gatehold.runtime.cache import Record, Store, Summarise
from gatehold.runtime.nodes import gate_of, note_of, trimmed
from gatehold.runtime.objects import Item, Objects
from gatehold.runtime.parts import ARGO_ROLLOUT, GATE, NODE, PODS_OWNER, POLICY, REQUEST, ROLLOUT, Key

Body = Mapping[str, Any]

NOT_DONE = "gatehold.dev/done!=true"
HELD = "gatehold.dev/hold"
OURS = "app.kubernetes.io/part-of=gatehold"
OF_ROLLOUT = "gatehold.dev/rollout"
GATED = "gatehold.dev/rollouts"
_AT_WORK = frozenset({"Promoting", "RollingBack"})
_FEW_SECONDS = 60.0


class Caches:
    """Everything one replica knows."""

    def __init__(self, summarise: Summarise) -> None:
        """Start empty."""
        self.requests = Store(summarise)
        self.policies = Objects()
        self.jobs = Objects()
        self.wall = Objects(note=_kind)
        self.rollouts = Objects(note=_progress, group=lambda item: item.namespace)
        self.gates = Objects(note=_policy, group=lambda item: item.note)
        self.deployments = Objects(note=_labelled(OF_ROLLOUT))
        self.namespaces = Objects(note=_labelled(GATED), group=lambda item: item.note)
        self.pods = Objects(note=pods.pod_note, group=pods.group_of, trim=pods.trimmed, tag=pods.released_by)
        self.gated_jobs = Objects(note=pods.job_note, group=pods.group_of, trim=pods.trimmed)
        self.pod_namespaces = Objects(note=_labelled(pods.LABEL), group=lambda item: item.note)
        self.argo_rollouts = Objects(note=argo.note_of, group=lambda item: item.namespace, trim=argo.trimmed)
        self.argo_namespaces = Objects(note=_labelled(argo.LABEL), group=lambda item: item.note)
        self.nodes = Objects(note=note_of, group=gate_of, trim=trimmed)


class Desk(Protocol):
    """What the functions below may use: the router."""

    caches: Caches
    acting: bool
    on_wall_change: Callable[[], None]

    def enqueue(self, key: Key, urgent: bool = False) -> None:
        """Ask for a cycle, if this process acts."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table."""

    resource: Resource
    cache: str
    """Attribute of `Caches`."""
    wakes: Callable[[Desk, Any], None]
    """Whom a change of it wakes beside itself; gets its Item, or Record, and the old one where the note has changed."""
    selector: str = ""
    key: str = ""
    """`Key.kind` of its own cycle; empty where it has none."""
    note_only: bool = False
    """Nobody is woken unless the note has changed."""
    gone: Callable[[Desk, Any], None] | None = None
    """Whom its end wakes, where that is more."""
    every_seconds: float = math.inf
    """List it again that often, whatever the settings say."""
    optional: bool = False
    """The API server may not serve it; then there are none."""
    gate: str = ""
    """The type of Gate that it is watched for; where an installation leaves that out, it is not."""
    plain: bool = False
    """Watched without kopf, whose listing is dear, and only as far as we may: without the right to, none are known."""


# ---- whom a change wakes


def _request_wakes(desk: Desk, record: Record) -> None:
    """The Rollout that it asks about, ours or Argo's, or the owner of the pods."""
    if record.summary.pods_of:
        desk.enqueue(_owner_key(record), record.summary.urgent)
        return
    wake_subject(desk, record, urgent=record.summary.urgent)


def _request_gone(desk: Desk, record: Record) -> None:
    """Whoever waited for the same subject, and may own it now."""
    _request_wakes(desk, record)
    for subject in record.summary.subjects:
        for other in desk.caches.requests.by_subject(subject):
            desk.enqueue(key_of(other))


def _policy_wakes(desk: Desk, item: Item) -> None:
    """Its requests that people cannot answer yet, the Gates that name it, and the pods behind them."""
    if desk.acting:
        for record in desk.caches.requests.unprepared_of_policy(item.name):
            desk.enqueue(key_of(record))
        for gate in desk.caches.gates.grouped(item.name):
            desk.enqueue(Key(GATE, "", gate.name, gate.uid))
            for namespace in desk.caches.pod_namespaces.grouped(gate.name):
                wake_pods(desk, namespace.name)
            for namespace in desk.caches.argo_namespaces.grouped(gate.name):
                _argo_space_wakes(desk, namespace)


def _job_wakes(desk: Desk, item: Item) -> None:
    """The requests that act on it."""
    _wake_requests(desk, JOBS, item)


def _wall_wakes(desk: Desk, _: Item) -> None:
    """Whoever proves the wall."""
    desk.on_wall_change()


def _rollout_wakes(desk: Desk, item: Item) -> None:
    """The requests that ask about it: they say how it goes on."""
    _wake_requests(desk, ROLLOUTS, item)


def _deployment_wakes(desk: Desk, item: Item) -> None:
    """The Rollout that it carries the name of."""
    _wake_rollout(desk, item.namespace, item.note)


def _gate_wakes(desk: Desk, item: Item) -> None:
    """The Rollouts and the pods of the namespaces that name it, and the nodes."""
    for namespace in desk.caches.namespaces.grouped(item.name):
        _namespace_wakes(desk, namespace)
    for namespace in desk.caches.pod_namespaces.grouped(item.name):
        wake_pods(desk, namespace.name)
    for namespace in desk.caches.argo_namespaces.grouped(item.name):
        _argo_space_wakes(desk, namespace)
    for node in desk.caches.nodes.grouped(item.name):
        desk.enqueue(node_key(node))


def _node_wakes(desk: Desk, item: Item) -> None:
    """The requests that act on it, and its own cycle where there is anything to say of it."""
    _wake_requests(desk, NODES, item)
    if item.note:
        desk.enqueue(node_key(item))


def _node_gone(desk: Desk, item: Item) -> None:
    """The same: what was kept for it goes."""
    _wake_requests(desk, NODES, item)
    desk.enqueue(node_key(item))


def _namespace_wakes(desk: Desk, item: Item) -> None:
    """Its Rollouts."""
    for rollout in desk.caches.rollouts.grouped(item.name):
        desk.enqueue(rollout_key(rollout))


def _pod_wakes(desk: Desk, item: Item) -> None:
    """What controls it, and the owner by whose request it was let go, where that is another."""
    desk.enqueue(pods.owner_key(item))
    record = desk.caches.requests.get(pods.released_by(item))
    if record is not None and record.summary.pods_of:
        desk.enqueue(_owner_key(record))


def _gated_job_wakes(desk: Desk, item: Item) -> None:
    """What controls it, or itself where nothing does."""
    desk.enqueue(pods.owner_key(item))


def _pod_namespace_wakes(desk: Desk, item: Item) -> None:
    """Whatever controls pods there."""
    wake_pods(desk, item.name)


def _argo_wakes(desk: Desk, item: Item) -> None:
    """The requests that ask about it, and its own cycle where it waits for somebody behind a Gate."""
    _wake_requests(desk, ARGO_ROLLOUTS, item)
    if argo.is_paused(item) and desk.caches.argo_namespaces.named("", item.namespace) is not None:
        desk.enqueue(argo_key(item))


def _argo_space_wakes(desk: Desk, item: Item) -> None:
    """Its Argo Rollouts that wait, and what is asked about them: it may have come from another Gate."""
    for rollout in desk.caches.argo_rollouts.grouped(item.name):
        _argo_wakes(desk, rollout)


KINDS: tuple[Kind, ...] = (
    Kind(POLICIES, "policies", _policy_wakes, key=POLICY, every_seconds=_FEW_SECONDS),
    Kind(VAP, "wall", _wall_wakes, OURS, every_seconds=_FEW_SECONDS),
    Kind(VAP_BINDINGS, "wall", _wall_wakes, OURS, every_seconds=_FEW_SECONDS),
    Kind(MAP, "wall", _wall_wakes, OURS, every_seconds=_FEW_SECONDS, optional=True),
    Kind(MAP_BINDINGS, "wall", _wall_wakes, OURS, every_seconds=_FEW_SECONDS, optional=True),
    Kind(GATES, "gates", _gate_wakes, key=GATE, every_seconds=_FEW_SECONDS, optional=True),
    Kind(NAMESPACES, "namespaces", _namespace_wakes, GATED, note_only=True, every_seconds=_FEW_SECONDS, gate="Rollouts"),
    Kind(POD_NAMESPACES, "pod_namespaces", _pod_namespace_wakes, pods.LABEL, note_only=True, gate="Pods", plain=True),
    Kind(
        ARGO_NAMESPACES,
        "argo_namespaces",
        _argo_space_wakes,
        argo.LABEL,
        note_only=True,
        gate="ArgoRollouts",
        plain=True,
    ),
    Kind(ARGO_ROLLOUTS, "argo_rollouts", _argo_wakes, note_only=True, optional=True, gate="ArgoRollouts", plain=True),
    Kind(NODES, "nodes", _node_wakes, note_only=True, gone=_node_gone, gate="Drains", plain=True),
    Kind(DEPLOYMENTS, "deployments", _deployment_wakes, OF_ROLLOUT, gate="Rollouts"),
    Kind(ROLLOUTS, "rollouts", _rollout_wakes, key=ROLLOUT, optional=True, gate="Rollouts"),
    Kind(JOBS, "jobs", _job_wakes, HELD),
    Kind(GATED_JOBS, "gated_jobs", _gated_job_wakes, pods.LABEL, note_only=True, gate="Pods", plain=True),
    Kind(PODS, "pods", _pod_wakes, pods.LABEL, note_only=True, gate="Pods", plain=True),
    Kind(REQUESTS, "requests", _request_wakes, NOT_DONE, key=REQUEST, gone=_request_gone),
)
"""In the order in which they must be known: a request is decided by all the others.

What every decision goes by, and there is little of it, is listed every few seconds: a change that its watch lost is not
missed for long. Namespaces are watched only while a Gate is named on them: what leaves is not gated any more. Of Jobs and
namespaces there are two parts, for two labels; kopf can watch one of each.
"""


def kinds_for(gates: Collection[str]) -> tuple[Kind, ...]:
    """The rows that an installation with these types of Gates watches; of the others nothing is ever known."""
    return tuple(kind for kind in KINDS if not kind.gate or kind.gate in gates)


# ---- what else the router and the table share


def key_of(record: Record) -> Key:
    """The key of a request."""
    return Key(REQUEST, record.namespace, record.name, record.uid)


def rollout_key(item: Item) -> Key:
    """The key of a Rollout."""
    return Key(ROLLOUT, item.namespace, item.name, item.uid)


def node_key(item: Item) -> Key:
    """The key of a node."""
    return Key(NODE, "", item.name, item.uid)


def argo_key(item: Item) -> Key:
    """The key of a Rollout of Argo."""
    return Key(ARGO_ROLLOUT, item.namespace, item.name, item.uid)


def wake_pods(desk: Desk, namespace: str = "") -> None:
    """Ask for a cycle of whatever has pods or Jobs in a namespace, or anywhere, while this process acts."""
    if not desk.acting:
        return
    prefix = pods.group(namespace, "") if namespace else ""
    for _, item in pods.one_each((desk.caches.gated_jobs, desk.caches.pods), prefix):
        desk.enqueue(pods.owner_key(item))


def wake_argo(desk: Desk) -> None:
    """Ask for a cycle of every Argo Rollout that waits behind a Gate, while this process acts."""
    for rollout in argo_waiting(desk.caches):
        desk.enqueue(argo_key(rollout))


def argo_waiting(caches: Caches) -> Iterator[Item]:
    """Every Argo Rollout that stands at a pause behind a Gate."""
    for namespace in caches.argo_namespaces:
        yield from (item for item in caches.argo_rollouts.grouped(namespace.name) if argo.is_paused(item))


def wake_subject(desk: Desk, record: Record, *, urgent: bool) -> None:
    """Ask for a cycle of the Rollout that a request is about, if it is about one."""
    for api_version, kind, namespace, name in record.summary.subjects:
        if kind == ROLLOUTS.kind and api_version == ROLLOUTS.api_version:
            _wake_rollout(desk, namespace, name, urgent=urgent)
        elif kind == ARGO_ROLLOUTS.kind and api_version.startswith(f"{ARGO_ROLLOUTS.group}/"):
            _wake_argo(desk, namespace, name)


def at_work(item: Item) -> bool:
    """Tell whether a Rollout is at something that somebody waits for."""
    return phase_of(item) in _AT_WORK


def is_due(item: Item, now: float | None) -> bool:
    """Tell whether a Rollout is at something, or waits for an instant that has come."""
    until = item.note.partition(" ")[2]
    try:
        return at_work(item) or bool(until and now is not None and datetime.fromisoformat(until).timestamp() <= now)
    except ValueError:
        return False


def phase_of(item: Item) -> str:
    """The phase of a Rollout, "" where nobody has looked yet."""
    return item.note.partition(" ")[0]


def _wake_rollout(desk: Desk, namespace: str, name: str, *, urgent: bool = False) -> None:
    """Ask for a cycle of the Rollout of that name, where there is one; before all others where it is at something."""
    item = desk.caches.rollouts.named(namespace, name) if desk.acting else None
    if item is not None:
        desk.enqueue(rollout_key(item), urgent or at_work(item))


def _wake_argo(desk: Desk, namespace: str, name: str) -> None:
    """Ask for a cycle of the Argo Rollout of that name, where it waits: what was asked may be over, and be asked anew."""
    item = desk.caches.argo_rollouts.named(namespace, name) if desk.acting else None
    if item is not None and argo.is_paused(item):
        desk.enqueue(argo_key(item))


def _owner_key(record: Record) -> Key:
    _, _, _, name = record.summary.subjects[0]
    return Key(PODS_OWNER, record.namespace, name, record.summary.pods_of)


def _wake_requests(desk: Desk, resource: Resource, item: Item) -> None:
    for record in desk.caches.requests.by_subject((resource.api_version, resource.kind, item.namespace, item.name)):
        desk.enqueue(key_of(record), record.summary.urgent)


# ---- notes: what is known of an item without unpacking it


def _kind(body: Body) -> str:
    return str(body.get("kind") or "")


def _progress(body: Body) -> str:
    status = body.get("status") or {}
    return f"{status.get('phase') or ''} {status.get('until') or ''}"


def _policy(body: Body) -> str:
    return str(((body.get("spec") or {}).get("policyRef") or {}).get("name") or "")


def _labelled(label: str) -> Callable[[Body], str]:
    """The note that is the value of a label."""

    def note(body: Body) -> str:
        return str((body["metadata"].get("labels") or {}).get(label) or "")

    return note
