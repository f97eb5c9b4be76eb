"""What goes into a decision (Observed) and what comes out (Plan)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from gatehold.domain.argo.model import AbortArgo, ArgoSight, ResumeArgo
from gatehold.domain.model import GateType, Policy, Request, Verdict
from gatehold.domain.nodes import (
    CloseNode,
    CordonNode,
    DrainFacts,
    DropLease,
    EvictPods,
    NodeFacts,
    TakeLease,
    UncordonNode,
)
from gatehold.domain.provision.model import DeleteOwner, LetGo, ScaleOwner, Sight, SuspendOwner
from gatehold.domain.reasons import Reason
from gatehold.domain.rollout.record import Ending as RunEnding
from gatehold.domain.rollout.record import LastRun, Question
from gatehold.domain.status import Resolved, Status


@dataclass(frozen=True, slots=True)
class Rules:
    """The operator's own bounds, for what a policy leaves open. Seconds and counts."""

    timeout_seconds: int = 86_400
    validity_seconds: int = 3_600
    retention_seconds: int = 30 * 86_400
    effect_timeout_seconds: int = 86_400
    undo_timeout_seconds: int = 86_400
    max_pending_per_policy: int = 1_000
    max_pending_per_author: int = 100
    progress_seconds: int = 10
    robot_users: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class JobFacts:
    """A Job as it is now. `released_by`, `closed_by` and `overridden` are its annotations."""

    name: str
    uid: str
    resource_version: str
    digest: str
    hold: str
    suspended: bool
    released_by: str = ""
    closed_by: str = ""
    overridden: str = ""
    has_finalizer: bool = False
    deleting: bool = False
    complete: bool = False
    failed: bool = False
    failure: str = ""
    active: int = 0
    succeeded: int = 0
    failures: int = 0

    @property
    def finished(self) -> bool:
        """Whether the Job controller has given its last word."""
        return self.complete or self.failed


@dataclass(frozen=True, slots=True)
class PodFacts:
    """A pod that has not ended: where it is, and how long it may take to end once it is told to."""

    name: str
    node: str = ""
    grace_seconds: int = 30


Pods = tuple[PodFacts, ...] | None
"""The pods of a Job that have not ended, by name; None: not read."""


@dataclass(frozen=True, slots=True)
class RolloutFacts:
    """A Rollout as it is now, as far as it concerns one request; see `gatehold.domain.effects.promote.facts`.

    `digest` is the subject as the operator reads it, computed only before anybody is asked. `question` is what the run that
    is under way (`busy`) knows of this request, `ending` why that run is being undone, and `stuck` what keeps its undo from
    getting on. `over` is how the run that knew this request ended. `unread` is why its status cannot be read, if so.
    `beginning`: a promotion whose first write on stable is not answered yet.
    """

    name: str
    uid: str
    deleting: bool = False
    unread: str = ""
    digest: str = ""
    busy: bool = False
    beginning: bool = False
    question: Question | None = None
    ending: RunEnding | None = None
    stuck: str = ""
    over: LastRun | None = None

    @property
    def knows_it(self) -> bool:
        """Whether the record names this request at all."""
        return self.question is not None or self.over is not None

    @property
    def passed(self) -> bool:
        """Whether the yes was used: recorded as passed, which is the first write of the effect."""
        return self.question is not None and self.question.passed


@dataclass(frozen=True, slots=True)
class Facts:
    """What an effect acts on, as it is now. Absent is None; the pods are read only while an undo waits for them to go."""

    job: JobFacts | None = None
    undo: JobFacts | None = None
    pods: Pods = None
    undo_pods: Pods = None
    rollout: RolloutFacts | None = None
    drain: DrainFacts | None = None
    node: NodeFacts | None = None  # the subject of a held drain
    provision: Sight | None = None  # everything of the owner whose pods are held
    argo: ArgoSight | None = None  # the Argo Rollout that waits at a pause, and its Gate


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything that `decide` may look at. Gathered by gatehold.controllers, in one moment."""

    request: Request
    status: Status
    verdicts: tuple[Verdict, ...] = ()  # admitted annotations, well-formed, by number
    first_seen: Mapping[int, datetime] = field(default_factory=dict)  # absent: now
    unproven: frozenset[int] = frozenset()  # first seen while the wall was not proven
    unread: bool = False  # a yes is left aside for so long, because nothing is known of the wall, that it has to be said
    wall_proven: bool = False
    refusal: "Refusal | None" = None  # of a write that was tried a moment ago
    left_out: GateType | None = None  # the type of Gates that its effect belongs to, where this installation does without
    policy: Policy | None = None
    policy_flaw: str = ""  # why the policy cannot be used, in words
    auto_approve_granted: bool = False
    facts: Facts = Facts()
    resolved: Resolved | None = None  # what the operator reads now, while not prepared
    request_digest: str = ""  # of uid, spec, resolved and policy, while not prepared
    owner: str = ""  # another live request that owns the subject
    pending_in_policy: int = 0  # others
    pending_of_author: int = 0  # others, same namespace
    rules: Rules = Rules()


class Proof(Enum):
    """When a fresh proof of the wall is needed."""

    NONE = "none"
    BEFORE_STATUS = "before the status is written"  # Approved is a release by itself: effect None, a held drain
    BEFORE_WRITES = "before the target is written"  # in parallel with the status write


@dataclass(frozen=True, slots=True)
class NoteRequest:
    """Write the bookkeeping annotation, so that no apply ever owns the reviewers' annotation map."""


@dataclass(frozen=True, slots=True)
class MarkDone:
    """Set label gatehold.dev/done: the last write of all."""


@dataclass(frozen=True, slots=True)
class ReleaseJob:
    """Let a held Job run: one guarded write with released-by and the outcome finalizer. `undo`: it is the undo Job."""

    job: JobFacts
    undo: bool = False


@dataclass(frozen=True, slots=True)
class SuspendJob:
    """Stop a Job that this request had released."""

    job: JobFacts


@dataclass(frozen=True, slots=True)
class CloseJob:
    """Mark a Job that was never released, so that a release still under way fails instead of landing."""

    job: JobFacts


@dataclass(frozen=True, slots=True)
class DropFinalizer:
    """The outcome stands in the status: the Job may go."""

    job: JobFacts


Write = (
    NoteRequest
    | MarkDone
    | ReleaseJob
    | SuspendJob
    | CloseJob
    | DropFinalizer
    | TakeLease
    | CordonNode
    | EvictPods
    | CloseNode
    | UncordonNode
    | DropLease
    | LetGo
    | ScaleOwner
    | SuspendOwner
    | DeleteOwner
    | ResumeArgo
    | AbortArgo
)
PROVEN_WRITES = (ReleaseJob, TakeLease, CordonNode, LetGo, ResumeArgo)
"""What lets a subject go: the wall is proven again beside the status write, before any of them."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The API server's no to a planned write; `message` is its answer, fit for a status."""

    write: Write
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do: the status as it should be, then `writes` in order, then look again at `recheck_at`."""

    status: Status
    writes: tuple[Write, ...] = ()
    proof: Proof = Proof.NONE
    recheck_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a check speaks: a closed reason, and a sentence for people."""

    reason: Reason
    message: str
