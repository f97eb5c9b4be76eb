"""Figures that are read off the caches when somebody asks for /metrics; only `operator` calls it."""

from __future__ import annotations

import contextlib
from collections import Counter
from datetime import datetime

from gatehold.kube.clock import ClockUnknown, ServerClock
from gatehold.runtime.cache import Store
from gatehold.runtime.caches import Caches, argo_waiting
from gatehold.runtime.pods import is_held
from gatehold.runtime.rollouts import phase_of
from gatehold.telemetry.metrics import Metrics


def refresh(metrics: Metrics, caches: Caches, clock: ServerClock, queued: int) -> None:
    """Set every gauge that describes a state rather than an occurrence."""
    requests, rollouts = caches.requests, Counter(phase_of(item) or "New" for item in caches.rollouts)
    metrics.replace("gatehold_rollouts", {phase: float(count) for phase, count in rollouts.items()})
    metrics.replace("gatehold_requests", {phase or "New": float(count) for phase, count in requests.phases().items()})
    metrics.replace("gatehold_pending", {policy: float(count) for policy, count in requests.policies_with_pending().items()})
    metrics.set("gatehold_pods_held", sum(is_held(item) for cache in (caches.pods, caches.gated_jobs) for item in cache))
    metrics.set("gatehold_argo_rollouts_paused", sum(1 for _ in argo_waiting(caches)))
    metrics.queue_depth.set(queued)
    try:
        _ages(metrics, requests, clock.timestamp())
    except ClockUnknown:
        return


def _ages(metrics: Metrics, requests: Store, now: float) -> None:
    """How long people have let a request wait, and how long one has waited beyond its time."""
    oldest, due = requests.oldest_pending(), requests.overdue_since(now)
    metrics.set("gatehold_overdue_seconds", 0.0 if due is None else now - due)
    with contextlib.suppress(ValueError):
        age = 0.0 if oldest is None else now - datetime.fromisoformat(oldest).timestamp()
        metrics.set("gatehold_oldest_pending_seconds", max(0.0, age))
