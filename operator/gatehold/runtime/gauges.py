"""Figures that are read off the caches when somebody asks for /metrics; only `operator` calls it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from gatehold.kube.clock import ClockUnknown, ServerClock
from gatehold.runtime.kinds import Caches, phase_of
from gatehold.runtime.pods import is_held
from gatehold.telemetry.metrics import Metrics


def refresh(metrics: Metrics, caches: Caches, clock: ServerClock, queued: int) -> None:
    """Set every gauge that describes a state rather than an occurrence."""
    requests, rollouts = caches.requests, Counter(phase_of(item) or "New" for item in caches.rollouts)
    metrics.replace("gatehold_rollouts", {phase: float(count) for phase, count in rollouts.items()})
    metrics.replace("gatehold_requests", {phase or "New": float(count) for phase, count in requests.phases().items()})
    metrics.replace("gatehold_pending", {policy: float(count) for policy, count in requests.policies_with_pending().items()})
    metrics.set("gatehold_pods_held", sum(is_held(item) for cache in (caches.pods, caches.gated_jobs) for item in cache))
    metrics.queue_depth.set(queued)
    oldest = requests.oldest_pending()
    if oldest is None:
        metrics.set("gatehold_oldest_pending_seconds", 0)
        return
    try:
        age = clock.timestamp() - datetime.fromisoformat(oldest).timestamp()
    except (ClockUnknown, ValueError):
        return
    metrics.set("gatehold_oldest_pending_seconds", max(0.0, age))
