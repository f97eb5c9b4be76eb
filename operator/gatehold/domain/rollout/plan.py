"""What `decide_rollout` answers: the record as it should be, then writes in order, then when to look again."""

from dataclasses import dataclass
from datetime import datetime

from gatehold.domain.plan import Proof
from gatehold.domain.rollout.record import Record
from gatehold.domain.rollout.writes import (
    Ask,
    ClearAuthors,
    DeleteChild,
    DropFinalizer,
    DropRevision,
    KeepTemplate,
    PutChild,
    SetChildFree,
    SetFinalizer,
    Write,
)


@dataclass(frozen=True, slots=True)
class RolloutPlan:
    """What to do. `record` is written first (where it differs), and nothing else if that fails.

    `proof` BEFORE_STATUS: prove the wall, then write the record, then the rest (that proof serves them all);
    BEFORE_WRITES: the record may be written meanwhile, the writes wait for the proof.
    """

    record: Record
    writes: tuple[Write, ...] = ()
    recheck_at: datetime | None = None
    proof: Proof = Proof.NONE


__all__ = [
    "Ask",
    "ClearAuthors",
    "DeleteChild",
    "DropFinalizer",
    "DropRevision",
    "KeepTemplate",
    "Proof",
    "PutChild",
    "RolloutPlan",
    "SetChildFree",
    "SetFinalizer",
    "Write",
]
