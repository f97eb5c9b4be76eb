"""What the runtime and the controllers promise each other; controllers import this module and nothing else of `runtime`.

A controller is told a key and does the whole cycle (gather, decide, apply) for it. Two cycles of one key never overlap.
It may raise any error of `kube` freely; see `workers` for what the runtime makes of each.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from gatehold.kube.client import Cluster
from gatehold.kube.clock import ServerClock
from gatehold.kube.resources import Resource
from gatehold.runtime.cache import Store
from gatehold.runtime.objects import Objects
from gatehold.settings import Settings
from gatehold.telemetry.events import Recorder
from gatehold.telemetry.metrics import Metrics
from gatehold.telemetry.notices import Notices


class Key(NamedTuple):
    """One object to work on; the uid keeps apart two objects that had the same name."""

    kind: str
    namespace: str
    name: str
    uid: str


REQUEST = "ApprovalRequest"
POLICY = "ApprovalPolicy"
ROLLOUT = "Rollout"
GATE = "Gate"
NODE = "Node"
ARGO_ROLLOUT = "ArgoRollout"
PODS_OWNER = "PodsOwner"
"""What controls pods of a gated namespace directly: a ReplicaSet or a Job, or a pod that nothing controls."""


class Controller(Protocol):
    """One kind's cycle."""

    kind: str
    """`Key.kind` of the keys that come here."""

    async def reconcile(self, key: Key) -> datetime | None:
        """Do the cycle once; answer the server time at which time alone can change the result, or None."""


@dataclass(frozen=True, slots=True)
class Periodic:
    """Something to do again and again; an exception is logged and counted, and the next turn comes."""

    name: str
    every_seconds: float
    run: Callable[[], Awaitable[None]]
    leader_only: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """Something that runs as long as the process, from before anything is listed; where it ends, the process does.

    /readyz names each that says when it is `ready`.
    """

    name: str
    run: Callable[[], Awaitable[None]]
    ready: Callable[[], bool] | None = None


async def _nothing() -> None:
    """Stand in for a hook that is not used."""


@dataclass(frozen=True, slots=True)
class Controllers:
    """What `build_controllers` gives back."""

    controllers: Sequence[Controller]
    periodics: Sequence[Periodic] = ()
    on_wall_change: Callable[[], None] = field(default=lambda: None)
    """Called (in the loop, must return at once) when an object of the wall was added, changed or removed."""
    on_verdict: Callable[[], None] = field(default=lambda: None)
    """Called (in the loop, must return at once) when a verdict was seen that was not seen before, before its cycle."""
    on_leading: Callable[[], Awaitable[None]] = _nothing
    """Awaited once after this process became the leader and before its first reconcile, e.g. to prove the wall."""
    on_end: Callable[[], Awaitable[None]] = _nothing
    """Awaited last of all: close what the controllers opened themselves."""
    parts: Sequence[Part] = ()


@dataclass(frozen=True, slots=True)
class Runtime:
    """What controllers may use; one per process."""

    settings: Settings
    cluster: Cluster
    clock: ServerClock
    requests: Store
    """Every request that is not done, on every replica."""
    policies: Objects
    jobs: Objects
    """Held Jobs (label gatehold.dev/hold), whatever their state."""
    rollouts: Objects
    gates: Objects
    deployments: Objects
    """Children of Rollouts (label gatehold.dev/rollout)."""
    namespaces: Objects
    """Namespaces on which a Gate is named (label gatehold.dev/rollouts); the item's `note` is its name."""
    pods: Objects
    """Pods of gated namespaces (label gatehold.dev/pods), cut down; see `runtime.pods` for their note and group."""
    gated_jobs: Objects
    """Jobs of gated namespaces (the same label)."""
    pod_namespaces: Objects
    """Namespaces whose pods are gated (label gatehold.dev/pods); the item's `note` is the Gate's name."""
    argo_rollouts: Objects
    """Rollouts of Argo, anywhere; the item's `note` is where each stands, see `runtime.argo`."""
    argo_namespaces: Objects
    """Namespaces whose Argo Rollouts are gated (label gatehold.dev/argo-rollouts); the item's `note` is the Gate's name."""
    nodes: Objects
    """Every node, cut down to labels, annotations, `unschedulable` and taints; grouped by the Gate that its label names."""
    wall: Objects
    """Policies and bindings of admission that carry app.kubernetes.io/part-of=gatehold."""
    metrics: Metrics
    events: Recorder
    notices: Notices
    enqueue: Callable[[Key, bool], None]
    """Ask for a cycle of that key soon; True where somebody waits for it (it goes before all others)."""
    answered: Callable[[Resource, Mapping[str, Any]], None]
    """Take the answer to a write of ours, or to a live look, into its cache and wake whom it concerns.

    The own cycle of a request or a Rollout is not asked for.
    """
    is_leader: Callable[[], bool]
    """Whether this process may act at this very moment."""
    catch_up: Callable[[], Awaitable[bool]]
    """List every request that is not done into the cache, whatever the watch has delivered; whether the list was whole."""
    knows: Callable[[], bool] = lambda: True
    """Whether the caches are filled, and what changes comes; may be asked from any thread."""


BuildControllers = Callable[[Runtime], Controllers]
