"""Every kind that is watched: where it is kept, how it is listed, and what happens when one of it changes.

A new kind is its cache in `Caches`, one function of `waking` that says whom a change of it wakes, and a row of KINDS.
`routing` goes by this table for every event and every list, `handlers` registers it with kopf.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from gatehold.api.approval_request import NOT_DONE
from gatehold.api.job import HOLD_LABEL
from gatehold.api.rollout import GATED_LABEL, ROLLOUT_LABEL
from gatehold.domain.model import GateType
from gatehold.domain.stamping import PODS_LABEL
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
from gatehold.runtime import argo, waking
from gatehold.runtime.parts import GATE, POLICY, REQUEST, ROLLOUT
from gatehold.runtime.waking import Desk

_OURS = "app.kubernetes.io/part-of=gatehold"
_FEW_SECONDS = 60.0


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
    gate: GateType | None = None
    """The type of Gate that it is watched for; where an installation leaves that out, it is not."""
    plain: bool = False
    """Watched without kopf, whose listing is dear, and only as far as we may: without the right to, none are known."""


KINDS: tuple[Kind, ...] = (
    Kind(POLICIES, "policies", waking.policy_wakes, key=POLICY, every_seconds=_FEW_SECONDS),
    Kind(VAP, "wall", waking.wall_wakes, _OURS, every_seconds=_FEW_SECONDS),
    Kind(VAP_BINDINGS, "wall", waking.wall_wakes, _OURS, every_seconds=_FEW_SECONDS),
    Kind(MAP, "wall", waking.wall_wakes, _OURS, every_seconds=_FEW_SECONDS, optional=True),
    Kind(MAP_BINDINGS, "wall", waking.wall_wakes, _OURS, every_seconds=_FEW_SECONDS, optional=True),
    Kind(GATES, "gates", waking.gate_wakes, key=GATE, every_seconds=_FEW_SECONDS, optional=True),
    Kind(
        NAMESPACES,
        "namespaces",
        waking.namespace_wakes,
        GATED_LABEL,
        note_only=True,
        every_seconds=_FEW_SECONDS,
        gate=GateType.ROLLOUTS,
    ),
    Kind(
        POD_NAMESPACES,
        "pod_namespaces",
        waking.pod_namespace_wakes,
        PODS_LABEL,
        note_only=True,
        gate=GateType.PODS,
        plain=True,
    ),
    Kind(
        ARGO_NAMESPACES,
        "argo_namespaces",
        waking.argo_space_wakes,
        argo.LABEL,
        note_only=True,
        gate=GateType.ARGO_ROLLOUTS,
        plain=True,
    ),
    Kind(
        ARGO_ROLLOUTS,
        "argo_rollouts",
        waking.argo_wakes,
        note_only=True,
        optional=True,
        gate=GateType.ARGO_ROLLOUTS,
        plain=True,
    ),
    Kind(NODES, "nodes", waking.node_wakes, note_only=True, gone=waking.node_gone, gate=GateType.DRAINS, plain=True),
    Kind(DEPLOYMENTS, "deployments", waking.deployment_wakes, ROLLOUT_LABEL, gate=GateType.ROLLOUTS),
    Kind(ROLLOUTS, "rollouts", waking.rollout_wakes, key=ROLLOUT, optional=True, gate=GateType.ROLLOUTS),
    Kind(JOBS, "jobs", waking.job_wakes, HOLD_LABEL),
    Kind(GATED_JOBS, "gated_jobs", waking.gated_job_wakes, PODS_LABEL, note_only=True, gate=GateType.PODS, plain=True),
    Kind(PODS, "pods", waking.pod_wakes, PODS_LABEL, note_only=True, gate=GateType.PODS, plain=True),
    Kind(REQUESTS, "requests", waking.request_wakes, NOT_DONE, key=REQUEST, gone=waking.request_gone),
)
"""In the order in which they must be known: a request is decided by all the others.

What every decision goes by, and there is little of it, is listed every few seconds: a change that its watch lost is not
missed for long. Namespaces are watched only while a Gate is named on them: what leaves is not gated any more. Of Jobs and
namespaces there are two parts, for two labels; kopf can watch one of each.
"""


def kinds_for(gates: Collection[str]) -> tuple[Kind, ...]:
    """The rows that an installation with these types of Gates watches; of the others nothing is ever known."""
    return tuple(kind for kind in KINDS if kind.gate is None or kind.gate in gates)
