"""Conditions, both ways; every kind has the same."""

from typing import Any

from gatehold.api.common import stamp, time
from gatehold.domain.reasons import ConditionType
from gatehold.domain.status import Condition

Json = dict[str, Any]


def parse_condition(wire: Json) -> Condition:
    """One condition. Raises KeyError, TypeError or ValueError where it is none."""
    return Condition(
        ConditionType(wire["type"]),
        wire["status"],
        wire["reason"],
        wire.get("message", ""),
        time(wire["lastTransitionTime"]),
        wire.get("observedGeneration", 0),
    )


def render_condition(condition: Condition) -> Json:
    """The same for the wire."""
    return {
        "type": str(condition.type),
        "status": condition.status,
        "reason": str(condition.reason),
        "message": condition.message,
        "lastTransitionTime": stamp(condition.since),
        "observedGeneration": condition.observed_generation,
    }
