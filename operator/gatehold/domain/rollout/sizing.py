"""What the children should be while a run walks its steps."""

from dataclasses import dataclass, replace

from gatehold.domain.rollout.children import capacity, is_empty, is_ready
from gatehold.domain.rollout.course import wanted
from gatehold.domain.rollout.model import Sight
from gatehold.domain.rollout.record import Record, Run, Track, Wanted
from gatehold.domain.rollout.shares import shares


@dataclass(frozen=True, slots=True)
class Size:
    """Both children at a weight, and whether the canary is there: all of its pods, and nothing else."""

    stable: Wanted | None
    canary: Wanted | None
    ready: bool
    waits_for_old: bool = False

    @property
    def bare(self) -> bool:
        """Whether no canary runs at this weight."""
        return self.canary is None or not self.canary.replicas


def at_weight(sight: Sight, record: Record, run: Run, weight: int) -> Size:
    """The sizes at that weight. Above 50 %, stable shrinks once the canary is there; it grows at once."""
    if run.first:
        return Size(leftover(sight, record), None, ready=True)
    share = shares(capacity(sight, record), weight)
    stable = wanted(sight.rollout, run.former, share.stable)
    canary = wanted(sight.rollout, run.target.template, share.canary) if share.canary else at_zero(record)
    other = record.canary is not None and canary is not None and record.canary.wanted.template != canary.template
    if other and not is_empty(sight, record):
        return Size(_whole(sight, record, stable), at_zero(record), ready=False, waits_for_old=True)
    ready = is_ready(sight, record, Track.CANARY, canary) if canary is not None and share.canary else is_empty(sight, record)
    return Size(stable if ready else _whole(sight, record, stable), canary, ready)


def _whole(sight: Sight, record: Record, stable: Wanted) -> Wanted:
    """Stable as large as it is, where it would shrink."""
    now = record.stable.wanted.replicas if record.stable is not None else 0
    now = max(now, sight.stable.replicas if sight.stable is not None else 0)
    return replace(stable, replicas=max(stable.replicas, min(now, sight.rollout.replicas)))


def at_zero(record: Record) -> Wanted | None:
    """The canary without pods; None where there never was one."""
    return replace(record.canary.wanted, replicas=0) if record.canary is not None else None


def leftover(sight: Sight, record: Record) -> Wanted | None:
    """Stable as a first deployment left it that was never verified: at full size, or stopped where that was denied."""
    if record.stable is None or sight.stable is None:
        return None
    known = record.stable.wanted
    return wanted(sight.rollout, known.template, sight.rollout.replicas if known.replicas else 0)
