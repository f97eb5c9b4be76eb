"""How many pods each child gets for a share in percent. Integers only, one place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shares:
    """Wanted pods of both children."""

    canary: int
    stable: int


def shares(replicas: int, weight: int) -> Shares:
    """Up to 50 % stable stays whole and the canary comes on top; above, the canary is whole and stable shrinks.

    So capacity never falls below `replicas`, and the canary's share never exceeds `weight` except by its one pod.
    """
    if not weight or not replicas:
        return Shares(0, replicas)
    if weight <= 50:
        return Shares(max(1, replicas * weight // (100 - weight)), replicas)
    return Shares(replicas, -(-replicas * (100 - weight) // weight))


def percent(canary: int, stable: int) -> int:
    """The share that whole pods give, rounded down."""
    return canary * 100 // (canary + stable) if canary else 0
