"""What is shown of the children: followed at once where something else is said too, else every few seconds."""

from dataclasses import replace
from datetime import datetime, timedelta

from gatehold.domain.rollout.model import Child, Sight
from gatehold.domain.rollout.record import Record, Stage, TrackRecord, Weight
from gatehold.domain.rollout.shares import percent

BEAT = timedelta(seconds=10)


def with_weight(record: Record) -> Record:
    """The record with the share in force and the one that whole pods give."""
    canary = record.canary.wanted.replicas if record.canary is not None else 0
    stable = record.stable.wanted.replicas if record.stable is not None else 0
    run = record.run
    asked = run.weight if run is not None and run.stage is not Stage.UNDOING else 0
    return replace(record, weight=Weight(asked, percent(canary, stable)))


def with_figures(sight: Sight, record: Record, now: datetime) -> Record:
    """The record with what is seen of the pods now, or with what was shown before, so that a status is not flooded."""
    fresh = replace(record, stable=_figures(sight.stable, record.stable), canary=_figures(sight.canary, record.canary))
    if fresh == record:
        return record
    before = sight.record
    is_quiet = replace(record, conditions=before.conditions) == before
    if is_quiet and next_beat(record, now) is not None and not (_is_calm(sight.stable) and _is_calm(sight.canary)):
        return record
    return replace(fresh, figures_at=now)


def next_beat(record: Record, now: datetime) -> datetime | None:
    """When figures may be written for their own sake again, or None where that is now."""
    due = record.figures_at + BEAT if record.figures_at is not None else now
    return due if due > now else None


def _is_calm(child: Child | None) -> bool:
    return child is None or child.available == child.total == child.replicas


def _figures(child: Child | None, known: TrackRecord | None) -> TrackRecord | None:
    if known is None or child is None:
        return known
    images = known.images if child.images is None else child.images
    return replace(known, images=images, pods=child.total, ready=child.available)
