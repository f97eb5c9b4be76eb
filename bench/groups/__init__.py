"""What is measured, a module for each group of rows. `MEASUREMENTS` is the order in which it happens."""

from typing import Final

from bench.groups import decisions, drains, expiry, life, provision, replicas, restart, rollouts, webhook, weight
from bench.rows import Measurement

MEASUREMENTS: Final = (
    Measurement(("writes",), life.writes, once=True),
    Measurement(("start",), weight.start),
    Measurement(("memory", "memory-peak"), weight.memory),
    Measurement(("release-p50", "release-p99"), decisions.one_by_one),
    Measurement(("lone-p50",), decisions.lone),
    Measurement(("burst",), decisions.at_once),
    Measurement(("expiry",), expiry.same_second),
    Measurement(("restart-held", "restart-start"), restart.with_many_held),
    Measurement(("canary-writes",), rollouts.writes, once=True),
    Measurement(("promotion-p50", "promotion-p99"), rollouts.alone, once=True),
    Measurement(("rollouts-expiry",), rollouts.same_second, once=True),
    Measurement(
        ("held-p50", "held-p99", "rollouts-restart", "rollouts-restart-start", "rollouts-memory"),
        rollouts.among_many,
        once=True,
    ),
    Measurement(("drain", "drain-writes"), drains.against_kubectl, once=True),
    Measurement(("drain-blocked", "drain-blocked-writes"), drains.behind_a_budget, once=True),
    Measurement(("webhook-p50", "webhook-p99", "webhook-burst"), webhook.latency, once=True),
    Measurement(("provision",), provision.in_one_wave, once=True),
    Measurement(("pod-created-p50", "pod-created-p99"), provision.creation, once=True),
    Measurement(("leader-killed", "handover"), replicas.next_decision),
)
"""Memory before anything else has fed the operator; replicas last, since they leave another one leading."""
