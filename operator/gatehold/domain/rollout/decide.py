"""The decision about a Rollout: from what is seen to what is to be done. Total, deterministic, idempotent, never raises.

Each stage answers with a Course (this moment is decided) or with Over (go on with this record at the same instant).
Whatever allows a write is in the record, and the record is written first; so a crash between any two writes leads to
the same end.
"""

from dataclasses import replace
from datetime import datetime

from gatehold.domain.plan import Proof
from gatehold.domain.reasons import ConditionType
from gatehold.domain.rollout import refusals
from gatehold.domain.rollout.carrying import carried
from gatehold.domain.rollout.children import foreign, noticed
from gatehold.domain.rollout.conditions import told
from gatehold.domain.rollout.course import AGAIN, Course, Note, Over, due_at
from gatehold.domain.rollout.figures import next_beat, with_figures, with_weight
from gatehold.domain.rollout.leaving import leave
from gatehold.domain.rollout.model import Sight
from gatehold.domain.rollout.plan import RolloutPlan
from gatehold.domain.rollout.promotion import is_to_begin, promote
from gatehold.domain.rollout.reasons import RolloutReason
from gatehold.domain.rollout.record import Record, RolloutPhase, Stage, Track
from gatehold.domain.rollout.rest import rest
from gatehold.domain.rollout.undoing import undo
from gatehold.domain.rollout.walk import walk
from gatehold.domain.rollout.writes import PutChild, SetFinalizer, Write
from gatehold.domain.schedule import earliest

MOST_TURNS = 16  # from the end of one run through the beginning of the next: more than any chain of stages takes


def decide_rollout(sight: Sight, now: datetime) -> RolloutPlan:
    """What to do about a Rollout, now (aware, UTC, the API server's time)."""
    if sight.rollout.deleting:
        return leave(sight, now)
    if not sight.rollout.has_finalizer:
        return RolloutPlan(sight.record, (SetFinalizer(),))
    record = replace(noticed(sight), observed_generation=sight.rollout.generation)
    stranger = foreign(sight)
    if stranger is not None:
        text = f"Deployment {stranger.name} belongs to somebody else: nothing is touched; delete or rename it"
        phase = sight.record.phase or RolloutPhase.PENDING
        note = Note(phase, RolloutReason.CHILD_NOT_OURS, text, held=True, stalled=True)
        return _planned(sight, Course(record, note, recheck_at=now + AGAIN), now)
    return _planned(sight, _course(sight, record, now), now)


def _course(sight: Sight, record: Record, now: datetime) -> Course:
    course: Course | Over = Over(record)
    for _ in range(MOST_TURNS):
        if isinstance(course, Over):
            course = _turn(sight, course.record, now)
    nowhere = Note(RolloutPhase.HELD, RolloutReason.UNDOING, "going in circles; nothing is touched", stalled=True)
    return course if isinstance(course, Course) else Course(record, nowhere)


def _turn(sight: Sight, record: Record, now: datetime) -> Course | Over:
    run = record.run
    if run is None:
        return rest(sight, record, now)
    if run.stage is Stage.CANARY:
        return walk(sight, record, run, now)
    if run.stage is Stage.PROMOTING:
        return promote(sight, record, run, now)
    return undo(sight, record, run, now)


def _planned(sight: Sight, course: Course, now: datetime) -> RolloutPlan:
    """From a course to a plan: guarded writes, the record as it will be said, when to look again."""
    done = carried(sight, course)
    note, writes = course.note, (*done.writes, *course.writes)
    if done.lost:
        text = f"the revision with template {done.lost[:19]} is gone: that child is left as it is"
        note = replace(note, reason=RolloutReason.TEMPLATE_LOST, message=text, stalled=True)
    trouble = refusals.sentence(sight, writes, sight.record.condition(ConditionType.STALLED))
    if trouble:
        note = replace(note, reason=RolloutReason.WRITE_REFUSED, message=trouble, stalled=True)
    writes = refusals.left(sight, writes)
    record = told(with_weight(done.record), note, len(sight.rollout.steps), now)
    record = with_figures(sight, record, now)
    recheck = earliest((course.recheck_at, _later(due_at(record, sight.rollout), now), next_beat(record, now)))
    return RolloutPlan(record, writes, recheck, _proof(sight, record, writes))


def _later(due: datetime | None, now: datetime) -> datetime | None:
    return due if due is not None and due > now else None


def _proof(sight: Sight, record: Record, writes: tuple[Write, ...]) -> Proof:
    """A yes is used by the record that says so; a promotion begins with its first write. Undo needs no proof."""
    run = record.run
    if run is None or run.stage is Stage.UNDOING:
        return Proof.NONE
    before = {q.name for q in sight.record.run.questions if q.passed} if sight.record.run is not None else set()
    if any(question.passed and question.name not in before for question in run.questions):
        return Proof.BEFORE_STATUS
    stable = any(isinstance(write, PutChild) and write.track is Track.STABLE for write in writes)
    if run.stage is Stage.PROMOTING and stable and is_to_begin(sight, sight.record, run):
        return Proof.BEFORE_WRITES
    return Proof.NONE
