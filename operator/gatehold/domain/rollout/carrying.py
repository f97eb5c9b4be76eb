"""From what each child should be to guarded writes, in an order that never takes capacity away."""

from dataclasses import dataclass, replace

from gatehold.domain.rollout.children import capacity, is_left_alone
from gatehold.domain.rollout.course import Course
from gatehold.domain.rollout.model import Child, Sight
from gatehold.domain.rollout.record import Record, Track, TrackRecord, Wanted
from gatehold.domain.rollout.writes import KeepTemplate, PutChild, Write


@dataclass(frozen=True, slots=True)
class Carried:
    """The record with what is wanted now, the writes for it, and the template that is nowhere to be found."""

    record: Record
    writes: tuple[Write, ...] = ()
    lost: str = ""


def carried(sight: Sight, course: Course) -> Carried:
    """Write the children. Stable grows first, then the canary; the canary shrinks first, then stable."""
    done = Carried(course.record)
    wants = _sized(sight, course)
    for track in sorted(wants, key=lambda t: _turn(sight, t, wants[t])):
        done = _put(sight, done, track, wants[track], owned=course.owned)
    return done


def _turn(sight: Sight, track: Track, want: Wanted) -> tuple[bool, bool]:
    """Growing before shrinking; whoever carries most comes first in the one, last in the other."""
    shrinks = want.replicas < _size(sight.child(track))
    return (shrinks, (track is Track.CANARY) is not shrinks)


def _size(child: Child | None) -> int:
    return child.replicas if child is not None else 0


def _sized(sight: Sight, course: Course) -> dict[Track, Wanted]:
    """What is wanted, less what would take away pods that are needed."""
    wants: dict[Track, Wanted] = {}
    stable, canary = course.stable, course.canary
    held_back = False
    if canary is not None:
        size = _shrunk(sight, course, sight.canary, canary.replicas, _able(sight.stable))
        held_back = size > canary.replicas
        wants[Track.CANARY] = replace(canary, replicas=size)
    if stable is not None:
        other = min(_able(sight.canary), wants[Track.CANARY].replicas if canary is not None else _size(sight.canary))
        size = _shrunk(sight, course, sight.stable, stable.replicas, other)
        if held_back:
            size = max(size, min(_size(sight.stable), capacity(sight, course.record)))
        wants[Track.STABLE] = replace(stable, replicas=size)
    return wants


def _able(child: Child | None) -> int:
    """The pods that serve and will go on to."""
    return min(child.available, child.replicas) if child is not None else 0


def _shrunk(sight: Sight, course: Course, child: Child | None, target: int, other: int) -> int:
    """How far a child may shrink towards `target`, where the other child's `other` pods serve.

    A ReplicaSet takes its unready pods away first, so only what is below its available ones is a loss.
    """
    if child is None or course.unguarded:
        return target
    needed = min(child.available, max(0, capacity(sight, course.record) - other))
    if target >= needed:
        return target
    return needed if course.gradual else max(needed, child.replicas)


def _put(sight: Sight, done: Carried, track: Track, want: Wanted, *, owned: bool) -> Carried:
    """One child: write it where it is not what is wanted, or where that is not known for sure."""
    child, known = sight.child(track), done.record.track(track)
    if child is None and track is Track.CANARY and not want.replicas:
        return replace(done, record=replace(done.record, canary=None))  # whatever was planned of it never came to be
    if child is not None and (child.deleting or (child.overridden and is_left_alone(sight, done.record, track))):
        return done
    if known is None:
        known = TrackRecord(want)
    elif known.wanted != want or _differs(child, known):
        known = replace(known, wanted=want, generation=None, write=known.write + 1)
    elif known.generation is not None:
        return done
    kept = {revision.template for revision in sight.revisions}
    if want.template not in kept and want.template != sight.rollout.template:
        return replace(done, lost=want.template)
    writes = done.writes
    if want.template not in kept and not any(isinstance(write, KeepTemplate) for write in writes):
        number = max((revision.number for revision in sight.revisions), default=0) + 1
        writes = (*writes, KeepTemplate(want.template, number))
    uid, version = (child.uid, child.resource_version) if child is not None else ("", "")
    writes = (*writes, PutChild(track, want, known.write, uid, version, owned))
    record = replace(done.record, stable=known) if track is Track.STABLE else replace(done.record, canary=known)
    return replace(done, record=record, writes=writes)


def _differs(child: Child | None, known: TrackRecord) -> bool:
    """Whether a child that was left as break-glass made it is taken over again."""
    return child is not None and known.generation is not None and child.generation > known.generation
