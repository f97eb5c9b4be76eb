"""How much is measured: what a full run does, a quick one, and the least that shows that it runs."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Sizes:
    """Counts of one round, and how many rounds."""

    rounds: int = 3
    singles: int = 150
    """Decisions one after the other, a round."""
    lone: int = 12
    """Decisions with more than a second between them, a round."""
    burst: int = 1000
    """Decisions at once."""
    expiring: int = 1000
    """Requests with the same deadline."""
    held: int = 2000
    """Held Jobs at a restart."""
    promotions: int = 60
    """Held Rollouts whose question is answered one after the other, a round."""
    rollouts: int = 2000
    """Other held Rollouts, where there are any."""
    rollouts_expiring: int = 200
    """Held Rollouts whose questions have the same deadline."""
    drained: int = 100
    """Pods of a node that is drained."""
    blocked: float = 10.0
    """Seconds for which a budget keeps them there."""
    evicted_among: int = 5000
    """Pods that the webhook knows."""
    evictions: int = 1000
    """Evictions that it is asked about, a round."""
    owners: int = 100
    """Owners whose pods wait for one wave of decisions."""
    pods_each: int = 20
    """Pods of each."""
    created: int = 400
    """Pods created one after the other in each of two namespaces, a round."""
    settle: float = 1.5
    """Seconds of rest before a figure of memory is read."""


FULL: Final = Sizes()
QUICK: Final = Sizes(
    rounds=2,
    singles=80,
    lone=6,
    burst=300,
    expiring=300,
    held=500,
    promotions=30,
    rollouts=500,
    rollouts_expiring=100,
    owners=50,
    created=150,
)
TINY: Final = Sizes(
    1,
    singles=3,
    lone=1,
    burst=5,
    expiring=5,
    held=5,
    promotions=3,
    rollouts=5,
    rollouts_expiring=5,
    drained=5,
    blocked=0.5,
    evicted_among=120,
    evictions=40,
    owners=3,
    pods_each=4,
    created=10,
    settle=0.2,
)
