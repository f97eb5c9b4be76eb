"""Whom a change wakes, kind by kind: one function for each row of `kinds`, and those by which the router asks for more.

Each gets what has changed as its cache holds it now, and asks for the cycles of whatever reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from gatehold.kube.resources import ARGO_ROLLOUTS, JOBS, NODES, ROLLOUTS, Resource
from gatehold.runtime import argo, nodes, pods, rollouts
from gatehold.runtime.caches import Caches, argo_waiting
from gatehold.runtime.objects import Item
from gatehold.runtime.parts import GATE, PODS_OWNER, REQUEST, Key
from gatehold.runtime.record import Record


class Desk(Protocol):
    """What the functions below may use: the router."""

    caches: Caches
    acting: bool
    on_wall_change: Callable[[], None]

    def enqueue(self, key: Key, urgent: bool = False) -> None:
        """Ask for a cycle, if this process acts."""


def request_wakes(desk: Desk, record: Record) -> None:
    """The Rollout that it asks about, ours or Argo's, or the owner of the pods."""
    if record.summary.pods_of:
        desk.enqueue(_owner_key(record), record.summary.urgent)
        return
    wake_subject(desk, record, urgent=record.summary.urgent)


def request_gone(desk: Desk, record: Record) -> None:
    """Whoever waited for the same subject, and may own it now."""
    request_wakes(desk, record)
    for subject in record.summary.subjects:
        for other in desk.caches.requests.by_subject(subject):
            desk.enqueue(key_of(other))


def policy_wakes(desk: Desk, item: Item) -> None:
    """Its requests that people cannot answer yet, the Gates that name it, and the pods behind them."""
    if desk.acting:
        for record in desk.caches.requests.unprepared_of_policy(item.name):
            desk.enqueue(key_of(record))
        for gate in desk.caches.gates.grouped(item.name):
            desk.enqueue(Key(GATE, "", gate.name, gate.uid))
            for namespace in desk.caches.pod_namespaces.grouped(gate.name):
                wake_pods(desk, namespace.name)
            for namespace in desk.caches.argo_namespaces.grouped(gate.name):
                argo_space_wakes(desk, namespace)


def job_wakes(desk: Desk, item: Item) -> None:
    """The requests that act on it."""
    _wake_requests(desk, JOBS, item)


def wall_wakes(desk: Desk, _: Item) -> None:
    """Whoever proves the wall."""
    desk.on_wall_change()


def rollout_wakes(desk: Desk, item: Item) -> None:
    """The requests that ask about it: they say how it goes on."""
    _wake_requests(desk, ROLLOUTS, item)


def deployment_wakes(desk: Desk, item: Item) -> None:
    """The Rollout that it carries the name of."""
    _wake_rollout(desk, item.namespace, item.note)


def gate_wakes(desk: Desk, item: Item) -> None:
    """The Rollouts and the pods of the namespaces that name it, and the nodes."""
    for namespace in desk.caches.namespaces.grouped(item.name):
        namespace_wakes(desk, namespace)
    for namespace in desk.caches.pod_namespaces.grouped(item.name):
        wake_pods(desk, namespace.name)
    for namespace in desk.caches.argo_namespaces.grouped(item.name):
        argo_space_wakes(desk, namespace)
    for node in desk.caches.nodes.grouped(item.name):
        desk.enqueue(nodes.node_key(node))


def node_wakes(desk: Desk, item: Item) -> None:
    """The requests that act on it, and its own cycle where there is anything to say of it."""
    _wake_requests(desk, NODES, item)
    if item.note:
        desk.enqueue(nodes.node_key(item))


def node_gone(desk: Desk, item: Item) -> None:
    """The same: what was kept for it goes."""
    _wake_requests(desk, NODES, item)
    desk.enqueue(nodes.node_key(item))


def namespace_wakes(desk: Desk, item: Item) -> None:
    """Its Rollouts."""
    for rollout in desk.caches.rollouts.grouped(item.name):
        desk.enqueue(rollouts.rollout_key(rollout))


def pod_wakes(desk: Desk, item: Item) -> None:
    """What controls it, and the owner by whose request it was let go, where that is another."""
    desk.enqueue(pods.owner_key(item))
    record = desk.caches.requests.get(pods.released_by(item))
    if record is not None and record.summary.pods_of:
        desk.enqueue(_owner_key(record))


def gated_job_wakes(desk: Desk, item: Item) -> None:
    """What controls it, or itself where nothing does."""
    desk.enqueue(pods.owner_key(item))


def pod_namespace_wakes(desk: Desk, item: Item) -> None:
    """Whatever controls pods there."""
    wake_pods(desk, item.name)


def argo_wakes(desk: Desk, item: Item) -> None:
    """The requests that ask about it, and its own cycle where it waits for somebody behind a Gate."""
    _wake_requests(desk, ARGO_ROLLOUTS, item)
    if argo.is_paused(item) and desk.caches.argo_namespaces.named("", item.namespace) is not None:
        desk.enqueue(argo.argo_key(item))


def argo_space_wakes(desk: Desk, item: Item) -> None:
    """Its Argo Rollouts that wait, and what is asked about them: it may have come from another Gate."""
    for rollout in desk.caches.argo_rollouts.grouped(item.name):
        argo_wakes(desk, rollout)


# ---- what else the router asks for


def key_of(record: Record) -> Key:
    """The key of a request."""
    return Key(REQUEST, record.namespace, record.name, record.uid)


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
        desk.enqueue(argo.argo_key(rollout))


def wake_subject(desk: Desk, record: Record, *, urgent: bool) -> None:
    """Ask for a cycle of the Rollout that a request is about, if it is about one."""
    for api_version, kind, namespace, name in record.summary.subjects:
        if kind == ROLLOUTS.kind and api_version == ROLLOUTS.api_version:
            _wake_rollout(desk, namespace, name, urgent=urgent)
        elif kind == ARGO_ROLLOUTS.kind and api_version.startswith(f"{ARGO_ROLLOUTS.group}/"):
            _wake_argo(desk, namespace, name)


def _wake_rollout(desk: Desk, namespace: str, name: str, *, urgent: bool = False) -> None:
    """Ask for a cycle of the Rollout of that name, where there is one; before all others where it is at something."""
    item = desk.caches.rollouts.named(namespace, name) if desk.acting else None
    if item is not None:
        desk.enqueue(rollouts.rollout_key(item), urgent or rollouts.at_work(item))


def _wake_argo(desk: Desk, namespace: str, name: str) -> None:
    """Ask for a cycle of the Argo Rollout of that name, where it waits: what was asked may be over, and be asked anew."""
    item = desk.caches.argo_rollouts.named(namespace, name) if desk.acting else None
    if item is not None and argo.is_paused(item):
        desk.enqueue(argo.argo_key(item))


def _owner_key(record: Record) -> Key:
    _, _, _, name = record.summary.subjects[0]
    return Key(PODS_OWNER, record.namespace, name, record.summary.pods_of)


def _wake_requests(desk: Desk, resource: Resource, item: Item) -> None:
    for record in desk.caches.requests.by_subject((resource.api_version, resource.kind, item.namespace, item.name)):
        desk.enqueue(key_of(record), record.summary.urgent)
