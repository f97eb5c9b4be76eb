"""Everything that one replica keeps, a cache for each kind, and the notes by which an item is found unopened.

What is kept of the kinds that are many, and what the longer notes say, stands in `pods`, `argo`, `nodes` and `rollouts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from gatehold.api.rollout import GATED_LABEL, ROLLOUT_LABEL
from gatehold.domain.stamping import PODS_LABEL
from gatehold.runtime import argo, nodes, pods, rollouts
from gatehold.runtime.cache import Store
from gatehold.runtime.objects import Item, Objects
from gatehold.runtime.record import Summarise

Body = Mapping[str, Any]


class Caches:
    """Everything one replica knows."""

    def __init__(self, summarise: Summarise) -> None:
        """Start empty."""
        self.requests = Store(summarise)
        self.policies = Objects()
        self.jobs = Objects()
        self.wall = Objects(note=_kind)
        self.rollouts = Objects(note=rollouts.note_of, group=lambda item: item.namespace)
        self.gates = Objects(note=_policy, group=lambda item: item.note)
        self.deployments = Objects(note=_labelled(ROLLOUT_LABEL))
        self.namespaces = Objects(note=_labelled(GATED_LABEL), group=lambda item: item.note)
        self.pods = Objects(note=pods.pod_note, group=pods.group_of, trim=pods.trimmed, tag=pods.released_by)
        self.gated_jobs = Objects(note=pods.job_note, group=pods.group_of, trim=pods.trimmed)
        self.pod_namespaces = Objects(note=_labelled(PODS_LABEL), group=lambda item: item.note)
        self.argo_rollouts = Objects(note=argo.note_of, group=lambda item: item.namespace, trim=argo.trimmed)
        self.argo_namespaces = Objects(note=_labelled(argo.LABEL), group=lambda item: item.note)
        self.nodes = Objects(note=nodes.note_of, group=nodes.gate_of, trim=nodes.trimmed)


def argo_waiting(caches: Caches) -> Iterator[Item]:
    """Every Argo Rollout that stands at a pause behind a Gate."""
    for namespace in caches.argo_namespaces:
        yield from (item for item in caches.argo_rollouts.grouped(namespace.name) if argo.is_paused(item))


# ---- notes: what is known of an item without unpacking it


def _kind(body: Body) -> str:
    return str(body.get("kind") or "")


def _policy(body: Body) -> str:
    return str(((body.get("spec") or {}).get("policyRef") or {}).get("name") or "")


def _labelled(label: str) -> Callable[[Body], str]:
    """The note that is the value of a label."""

    def note(body: Body) -> str:
        return str((body["metadata"].get("labels") or {}).get(label) or "")

    return note
