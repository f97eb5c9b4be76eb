"""The two Deployments against what is remembered of them: whose they are, what was answered, who changed them, readiness."""

from dataclasses import replace

from gatehold.domain.rollout.model import Child, Rollout, Sight
from gatehold.domain.rollout.record import Override, Record, Stage, Track, TrackRecord, Wanted


def is_ours(child: Child, rollout: Rollout, known: TrackRecord | None) -> bool:
    """Whether a Deployment with a child's name is this Rollout's. One that lost its owner is known by its uid."""
    return child.owner == rollout.uid or (known is not None and bool(known.uid) and child.uid == known.uid)


def foreign(sight: Sight) -> Child | None:
    """A Deployment with a child's name that somebody else made."""
    for track in Track:
        child = sight.child(track)
        if child is not None and not is_ours(child, sight.rollout, sight.record.track(track)):
            return child
    return None


def noticed(sight: Sight) -> Record:
    """The record with what the children tell: answers to our writes, hands of others, break-glass."""
    stable = _noticed(sight, Track.STABLE, sight.record.stable)
    canary = _noticed(sight, Track.CANARY, sight.record.canary)
    if sight.canary is None and canary is not None and not canary.wanted.replicas:
        canary = None  # what was at rest and is gone needs no replacing
    run = sight.record.run
    if sight.stable is None and sight.record.promoted is None and (run is None or run.stage is Stage.CANARY):
        stable = None  # a first deployment that was never verified, and that somebody took away
    return replace(sight.record, stable=stable, canary=canary)


def _noticed(sight: Sight, track: Track, known: TrackRecord | None) -> TrackRecord | None:
    child, rollout = sight.child(track), sight.rollout
    if child is not None and not is_ours(child, rollout, known):
        return known
    if known is None:
        return None if child is None else TrackRecord(Wanted(child.template, child.replicas), uid=child.uid)
    if child is None:
        gone = replace(known, uid="", override=None, pods=0, ready=0)
        return gone if known.generation is None else _put_back(gone)
    known = _overridden(known, child, rollout)
    if known.generation is None:
        if child.answer is None or child.answer.write != known.write:
            return replace(known, uid=child.uid)
        known = replace(known, generation=child.answer.generation, uid=child.uid)
    if child.overridden or child.deleting:
        return known
    lost = child.owner != rollout.uid and not rollout.deleting
    changed = known.generation is not None and child.generation > known.generation
    return _put_back(known) if lost or changed or child.uid != known.uid else known


def _put_back(known: TrackRecord) -> TrackRecord:
    """Somebody else changed it: it is written again, which is told."""
    return replace(known, write=known.write + 1, generation=None, put_back=known.put_back + 1)


def _overridden(known: TrackRecord, child: Child, rollout: Rollout) -> TrackRecord:
    """Remember under which spec the glass was broken, until our own write takes the word off."""
    if not child.overridden:
        return replace(known, override=None)
    if known.override is not None and known.override.message == child.overridden:
        return known
    return replace(known, override=Override(rollout.target, rollout.retry, child.overridden))


def as_it_is(sight: Sight, record: Record) -> Record:
    """The record of a first deployment, with the stable that is really there: its first write may not have landed."""
    known = record.stable
    if known is None or sight.stable is None:
        return replace(record, stable=None)
    if known.wanted.template == sight.stable.template:
        return record
    here = replace(known.wanted, template=sight.stable.template)
    return replace(record, stable=replace(known, wanted=here, write=known.write + 1, generation=None))


def is_left_alone(sight: Sight, record: Record, track: Track) -> bool:
    """Whether a child stays as break-glass left it.

    That ends by a retry. A new spec ends it for a canary; for stable only the promotion of that spec does, since what
    was mended in an emergency must not be taken back before.
    """
    known = record.track(track)
    if known is None or known.override is None or known.override.retry != sight.rollout.retry:
        return False
    if known.override.target == sight.rollout.target:
        return True
    return track is Track.STABLE and (record.run is None or record.run.stage is not Stage.PROMOTING)


def capacity(sight: Sight, record: Record) -> int:
    """How many pods have to serve, and shares are taken of: the replicas, or what break-glass left of them on stable."""
    replicas = sight.rollout.replicas
    if sight.stable is None or not is_left_alone(sight, record, Track.STABLE):
        return replicas
    return min(replicas, sight.stable.replicas)


def overridden(sight: Sight, record: Record) -> TrackRecord | None:
    """The child that break-glass changed under this very spec: nothing is promoted onto it."""
    for track in Track:
        known = record.track(track)
        if known is None or known.override is None or known.override.retry != sight.rollout.retry:
            continue
        if known.override.target == sight.rollout.target:
            return known
    return None


def is_settled(sight: Sight, record: Record, track: Track) -> bool:
    """Whether our last write of the child is answered, and what is seen is that answer."""
    child, known = sight.child(track), record.track(track)
    return child is not None and known is not None and child.generation == known.generation and not child.deleting


def is_ready(sight: Sight, record: Record, track: Track, want: Wanted) -> bool:
    """Whether a child is what is wanted, with every pod new and available, as its controller has seen it."""
    child, known = sight.child(track), record.track(track)
    if child is None or known is None:
        return not want.replicas and track is Track.CANARY
    if known.wanted != want or not is_settled(sight, record, track) or child.observed_generation < child.generation:
        return False
    return child.total == child.updated == child.available == want.replicas


def is_empty(sight: Sight, record: Record) -> bool:
    """Whether the canary has no pods, and none on their way."""
    child, known = sight.canary, record.canary
    if child is None or known is None:
        return child is None
    seen = child.observed_generation >= child.generation and not child.replicas and not child.total
    return seen and not known.wanted.replicas and is_settled(sight, record, Track.CANARY)
