"""Conditions of a Rollout, derived from the rest: the contract with kubectl wait, Flux and Argo CD (kstatus)."""

from dataclasses import replace
from datetime import datetime

from gatehold.domain.reasons import ConditionType
from gatehold.domain.rollout.course import Note
from gatehold.domain.rollout.reasons import RolloutReason
from gatehold.domain.rollout.record import Record, RolloutPhase, Run, Stage
from gatehold.domain.status import Condition

Facts = dict[ConditionType, tuple[bool, str, str]]


def told(record: Record, note: Note, steps: int, now: datetime) -> Record:
    """The record with phase, columns and conditions."""
    conditions = _stated(record, _facts(record, note), now)
    step = _step(record.run, steps)
    return replace(
        record, phase=note.phase, step=step, waiting_for=note.waiting_for, until=note.until, conditions=conditions
    )


def unreadable(known: tuple[Condition, ...], why: str, generation: int, now: datetime) -> tuple[Condition, ...]:
    """What is said of a Rollout that cannot be read, of which these are known: it is held, whatever else is stated stays."""
    said = (RolloutReason.UNREADABLE, f"nothing is touched: this operator cannot read it: {why}")
    facts: Facts = {
        ConditionType.READY: (False, *said),
        ConditionType.RECONCILING: (False, *said),
        ConditionType.STALLED: (True, *said),
        ConditionType.HELD: (True, *said),
    }
    return _stated(Record(observed_generation=generation, conditions=known), facts, now)


def _step(run: Run | None, steps: int) -> str:
    return f"{min(run.step + 1, steps)}/{steps}" if run is not None and steps and not run.first else ""


def _facts(record: Record, note: Note) -> Facts:
    said = (note.reason, note.message)
    ready = note.phase is RolloutPhase.HEALTHY and not note.stalled
    facts: Facts = {
        ConditionType.READY: (ready, *said),
        ConditionType.RECONCILING: (not ready and not note.stalled, *said),
        ConditionType.STALLED: (note.stalled, *said),
        ConditionType.HELD: (note.held, *said),
    }
    broken = [known.override for known in (record.stable, record.canary) if known is not None and known.override is not None]
    if broken:
        facts[ConditionType.OVERRIDDEN] = (True, RolloutReason.SUBJECT_OVERRIDDEN, broken[0].message)
    return facts | _rolled_back(record)


def _rolled_back(record: Record) -> Facts:
    """Stated from the undo of a run until the next one begins."""
    run, last = record.run, record.last_run
    if run is not None and run.stage is Stage.UNDOING:
        why = run.ending.message if run.ending is not None else ""
        return {ConditionType.ROLLED_BACK: (False, RolloutReason.UNDOING, f"being undone: {why}")}
    if run is None and last is not None and last.rolled_back is not None:
        return {ConditionType.ROLLED_BACK: (last.rolled_back, last.rolled_back_reason, last.rolled_back_message)}
    return {}


def _stated(record: Record, facts: Facts, now: datetime) -> tuple[Condition, ...]:
    known = {condition.type: condition for condition in record.conditions}
    stated = []
    for kind in ConditionType:
        if kind not in facts:
            continue
        is_true, reason, message = facts[kind]
        value, old = "True" if is_true else "False", known.get(kind)
        since = old.since if old is not None and old.status == value else now.replace(microsecond=0)
        stated.append(Condition(kind, value, reason, message[:1024], since, record.observed_generation))
    return tuple(stated)
