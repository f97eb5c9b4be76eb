"""What one pod takes of a node, counted as the scheduler counts it.

Source of the rules: https://kubernetes.io/docs/concepts/resource-management/effective-pod-requests-limits/ (init
containers, sidecars), KEP-753 (sidecars), KEP-2837 (pod-level resources), and the documentation of pod overhead.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

CPU: Final = "cpu"
MEMORY: Final = "memory"
EPHEMERAL: Final = "ephemeral-storage"
HUGE_PAGES: Final = "hugepages-"

Amounts = Mapping[str, Decimal]
"""How much of each resource, by its name: cores, bytes, pieces."""


@dataclass(frozen=True, slots=True)
class ContainerShape:
    """What one container requests; `sidecar`: an init container that goes on running (restartPolicy Always)."""

    name: str
    requests: Amounts
    sidecar: bool = False


@dataclass(frozen=True, slots=True)
class PodShape:
    """The part of a pod that its price depends on. Requests are filled up from limits, as the API server does.

    `requests` and `limits` are those of the pod as a whole. `products` are the accelerators that it may get: none where its
    node selection leaves that open. `volumes` are the bytes of volumes that are made for it and go with it, `claims` the
    devices that it claims. `flaws` say what of it cannot be counted; then its price is unknown.
    """

    containers: tuple[ContainerShape, ...] = ()
    init: tuple[ContainerShape, ...] = ()
    overhead: Amounts | None = None
    requests: Amounts | None = None
    limits: Amounts | None = None
    products: tuple[str, ...] = ()
    volumes: Decimal = Decimal(0)
    claims: tuple[str, ...] = ()
    flaws: tuple[str, ...] = ()


def needs(shape: PodShape) -> dict[str, Decimal]:
    """What the scheduler looks for on a node before it places such a pod."""
    total = _sum(container.requests for container in shape.containers)
    running: dict[str, Decimal] = {}
    peak: dict[str, Decimal] = {}
    for container in shape.init:
        at_once = _sum((running, container.requests))
        peak = _most(peak, at_once)
        if container.sidecar:
            running = at_once
    total = _most(_sum((total, running)), peak)
    return _sum((_whole_pod(shape, total), shape.overhead or {}))


def _whole_pod(shape: PodShape, total: Amounts) -> dict[str, Decimal]:
    """Where the pod as a whole says what it takes, that counts; its limit does where nobody says anything, not even zero."""
    return {**_whole(shape.limits), **total, **_whole(shape.requests)}


def _whole(given: Amounts | None) -> dict[str, Decimal]:
    """What a pod can say of itself as a whole: the scheduler heeds nothing else there."""
    return {name: amount for name, amount in (given or {}).items() if name in (CPU, MEMORY) or name.startswith(HUGE_PAGES)}


def _sum(parts: Iterable[Amounts]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for part in parts:
        for name, amount in part.items():
            found[name] = found.get(name, Decimal(0)) + amount
    return found


def _most(one: Amounts, other: Amounts) -> dict[str, Decimal]:
    return {name: max(one.get(name, Decimal(0)), other.get(name, Decimal(0))) for name in {**one, **other}}
