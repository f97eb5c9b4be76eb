"""Every metric, in one table from which the reference is generated; the shell counts through `Metrics`.

Labels are closed sets or bounded by the policies that exist; never a name, a user or a message.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from enum import Enum
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from gatehold.domain.model import EffectType
from gatehold.domain.phases import Phase


class Type(Enum):
    """The three types that are used."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Metric(NamedTuple):
    """One row of the reference."""

    name: str
    type: Type
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()
    begins: tuple[tuple[str, ...], ...] = ()
    """Label values that are told as 0 from the start: Prometheus sees an increase only of what was there before."""


_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_HUMAN_SECONDS = (1.0, 10.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0, 259_200.0, 604_800.0)

TABLE: tuple[Metric, ...] = (
    Metric(
        "gatehold_requests", Type.GAUGE, ("phase",), "Requests that are not done, by phase; New is one nobody looked at."
    ),
    Metric("gatehold_pending", Type.GAUGE, ("policy",), "Requests that wait for a decision, by policy."),
    Metric("gatehold_oldest_pending_seconds", Type.GAUGE, (), "Age of the request that has waited longest; 0 without one."),
    Metric(
        "gatehold_overdue_seconds",
        Type.GAUGE,
        (),
        "How long ago the deadline was over of a request that still waits; 0 where there is none: alert on a minute.",
    ),
    Metric("gatehold_decisions_total", Type.COUNTER, ("outcome", "by"), "Decisions, by outcome and by whose hand."),
    Metric("gatehold_decision_seconds", Type.HISTOGRAM, (), "Seconds from prepared to decided.", _HUMAN_SECONDS),
    Metric("gatehold_verdicts_total", Type.COUNTER, ("verdict", "counted"), "Verdicts recorded, and whether they count."),
    Metric(
        "gatehold_effects_total",
        Type.COUNTER,
        ("type", "result"),
        "Effects that came to an end, by type and result.",
        begins=tuple((str(effect), str(Phase.FAILED)) for effect in EffectType if effect is not EffectType.NONE),
    ),
    Metric("gatehold_overrides_total", Type.COUNTER, (), "Break-glass overrides recorded."),
    Metric("gatehold_pods_held", Type.GAUGE, (), "Pods and Jobs that wait at a Gate of type Pods."),
    Metric(
        "gatehold_provision_released_total", Type.COUNTER, ("by",), "Pods and Jobs let go, by what: gate (cheap) or request."
    ),
    Metric("gatehold_price_table_valid", Type.GAUGE, (), "1 while the price table can be used: alert on 0 with gated pods."),
    Metric(
        "gatehold_argo_rollouts_paused", Type.GAUGE, (), "Argo Rollouts behind a Gate that stand at a pause of any kind."
    ),
    Metric("gatehold_rollouts", Type.GAUGE, ("phase",), "Rollouts, by phase; New is one nobody looked at."),
    Metric("gatehold_rollout_runs_total", Type.COUNTER, ("outcome",), "Runs of Rollouts that came to an end, by outcome."),
    Metric("gatehold_rollout_put_back_total", Type.COUNTER, (), "Changes of a child by somebody else that were put right."),
    Metric("gatehold_wall_enforced", Type.GAUGE, (), "1 while the wall is proven, 0 otherwise: alert on 0."),
    Metric("gatehold_wall_proofs_total", Type.COUNTER, ("result",), "Proofs of the wall, by result."),
    Metric("gatehold_evictions_total", Type.COUNTER, ("answer",), "Evictions that the webhook judged, by its answer."),
    Metric("gatehold_stamps_total", Type.COUNTER, ("answer",), "Pods and Jobs that the webhook marked at their creation."),
    Metric("gatehold_eviction_seconds", Type.HISTOGRAM, (), "Seconds in which the webhook answered.", _SECONDS),
    Metric("gatehold_webhook_proven", Type.GAUGE, (), "1 while it is proven that evictions are looked at, 0 otherwise."),
    Metric(
        "gatehold_webhook_certificate_expiry_seconds",
        Type.GAUGE,
        (),
        "Seconds until the webhook's certificate expires, 0 without one: alert on less than a week where it is on.",
    ),
    Metric("gatehold_leader", Type.GAUGE, (), "1 in the replica that acts."),
    Metric(
        "gatehold_uptime_seconds",
        Type.GAUGE,
        (),
        "Seconds since this process began: what a young one has counted may be no increase for Prometheus yet.",
    ),
    Metric("gatehold_synced", Type.GAUGE, (), "1 once this replica holds everything that is not done."),
    Metric("gatehold_reconcile_seconds", Type.HISTOGRAM, ("kind",), "Seconds of one cycle, by kind.", _SECONDS),
    Metric("gatehold_reconcile_errors_total", Type.COUNTER, ("kind", "reason"), "Cycles that failed, by kind and error."),
    Metric("gatehold_queue_depth", Type.GAUGE, (), "Keys that wait for a worker."),
    Metric("gatehold_notices_total", Type.COUNTER, ("result",), "Notices, by result: sent, refused, failed, dropped."),
    Metric("gatehold_events_total", Type.COUNTER, ("result",), "Events, by result: written, known, failed, dropped."),
    Metric("gatehold_writes_total", Type.COUNTER, ("resource",), "Writes that the API server accepted, by resource."),
    Metric(
        "gatehold_resync_found_total", Type.COUNTER, ("resource",), "What only the resync found: the watch had missed it."
    ),
    Metric("gatehold_periodic_errors_total", Type.COUNTER, ("name",), "Periodic work that failed, by name."),
)


class Metrics:
    """All metrics of one process, in a registry of its own; a `kube.transport.Listener`."""

    def __init__(self) -> None:
        """Register the whole table."""
        self.registry = CollectorRegistry()
        self._gauges: dict[str, Gauge] = {}
        self._counters: dict[str, Counter] = {}
        self._histograms: dict[str, Histogram] = {}
        for metric in TABLE:
            self._make(metric)
        self.synced.set(0)
        began = time.monotonic()
        self.follow("gatehold_uptime_seconds", lambda: time.monotonic() - began)

    @property
    def synced(self) -> Gauge:
        """gatehold_synced."""
        return self._gauges["gatehold_synced"]

    @property
    def queue_depth(self) -> Gauge:
        """gatehold_queue_depth."""
        return self._gauges["gatehold_queue_depth"]

    def count(self, name: str, amount: float = 1, /, **labels: str) -> None:
        """Add to a counter of the table."""
        found = self._counters[name]
        (found.labels(**labels) if labels else found).inc(amount)

    def observe(self, name: str, seconds: float, /, **labels: str) -> None:
        """Put a value into a histogram of the table."""
        found = self._histograms[name]
        (found.labels(**labels) if labels else found).observe(seconds)

    def set(self, name: str, value: float) -> None:
        """Set a gauge of the table that has no labels."""
        self._gauges[name].set(value)

    def follow(self, name: str, value: Callable[[], float]) -> None:
        """Let a gauge of the table ask whenever it is read: it cannot go on saying what was true once."""
        self._gauges[name].set_function(value)

    def replace(self, name: str, values: Mapping[str, float]) -> None:
        """Set a gauge with one label to exactly these values: what is not named any more disappears."""
        gauge = self._gauges[name]
        gauge.clear()
        for label, value in values.items():
            gauge.labels(label).set(value)

    def on_answer(self, date: str, received: float, took: float = 0.0) -> None:
        """Part of the listener protocol; answers are not counted."""

    def on_write(self, resource: str) -> None:
        """Count a write that the API server accepted."""
        self.count("gatehold_writes_total", resource=resource)

    def render(self) -> bytes:
        """Render the text format for /metrics."""
        return generate_latest(self.registry)

    def _make(self, metric: Metric) -> None:
        if metric.type is Type.HISTOGRAM:
            self._histograms[metric.name] = Histogram(
                metric.name, metric.help, metric.labels, buckets=metric.buckets, registry=self.registry
            )
        elif metric.type is Type.COUNTER:
            counter = Counter(metric.name, metric.help, metric.labels, registry=self.registry)
            for values in metric.begins:
                counter.labels(*values)
            self._counters[metric.name] = counter
        else:
            self._gauges[metric.name] = Gauge(metric.name, metric.help, metric.labels, registry=self.registry)
