"""The operator's memory of a request: what its status says, as values. Read and rendered by gatehold.api."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from gatehold.domain.model import EffectType, QuorumEntry, RecordedVerdict
from gatehold.domain.phases import Phase
from gatehold.domain.reasons import ConditionType


class By(StrEnum):
    """Through whom a decision came about."""

    PEOPLE = "People"
    POLICY = "Policy"
    OVERRIDE = "Override"
    TIME = "Time"
    REQUESTER = "Requester"
    OPERATOR = "Operator"


class NodeState(StrEnum):
    """How far the drain of one node has come."""

    WAITING = "Waiting"  # not touched; its cordon may be under way
    CORDONED = "Cordoned"  # by this request, and nothing was evicted yet
    DRAINING = "Draining"  # pods are being evicted
    DRAINED = "Drained"  # cordoned and empty: verified. It stays so until somebody uncordons it
    FAILED = "Failed"  # it went, or cannot be put back
    UNCORDONED = "Uncordoned"  # put back as it was, and verified


class EffectState(StrEnum):
    """How far an effect, or its undo, has come."""

    WAITING = "Waiting"  # recorded, its first write may be under way
    RUNNING = "Running"  # begun
    DONE = "Done"  # complete and verified
    FAILED = "Failed"  # ended badly
    UNDOING = "Undoing"  # being put back
    UNDONE = "Undone"  # put back and verified


@dataclass(frozen=True, slots=True)
class PolicySnapshot:
    """The policy as it was when the request was prepared; later edits do not move a running request."""

    name: str
    uid: str
    generation: int
    digest: str
    validity_seconds: int
    retention_seconds: int


@dataclass(frozen=True, slots=True)
class ResolvedJob:
    """A Job as the operator read it before anybody was asked."""

    name: str
    uid: str
    digest: str
    images: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    service_account: str = ""


@dataclass(frozen=True, slots=True)
class Price:
    """The operator's own price, never the declared one. Amounts are decimal."""

    amount: Decimal
    currency: str = ""
    period: str = ""
    hourly_low: Decimal | None = None
    hourly_high: Decimal | None = None
    low: Decimal | None = None  # of the whole time, as is `high`
    high: Decimal | None = None
    hours: Decimal | None = None
    hours_from: str = ""  # where that time is from
    parts: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()  # what has no price: then `amount` is what the rest costs, and no tier goes by it
    source: str = ""
    date: str = ""


@dataclass(frozen=True, slots=True)
class ResolvedNode:
    """A node of a drain as the operator read it. `gate` is the Gate that it names, `cordoned` what it was by then."""

    name: str
    uid: str
    gate: str = ""
    cordoned: bool = False


@dataclass(frozen=True, slots=True)
class ResolvedDrain:
    """What a drain would do: pods to evict and to skip, and what is hit, in lines; at most 64 of each."""

    pods: int = 0
    skipped: int = 0
    owners: tuple[str, ...] = ()
    budgets: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResolvedOption:
    """A variant that a reviewer may pick: so many pods, and what an hour of them costs at most."""

    name: str
    pods: int
    hourly_high: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ResolvedProvision:
    """What people are asked to pay for: so many pods of that digest, and what is approved of their owner already.

    `on_denied` is what the Gate says becomes of them otherwise. `differences`: how they differ from their owner's template.
    """

    digest: str
    pods: int
    images: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    on_denied: str = ""
    approved_pods: int = 0
    options: tuple[ResolvedOption, ...] = ()


@dataclass(frozen=True, slots=True)
class ResolvedArgo:
    """The pause of an Argo Rollout that people are asked about. `step_index` is None for blue-green."""

    pod_hash: str
    stable_hash: str
    paused_at: datetime
    step_index: int | None = None
    steps: int = 0
    weight: int = 0
    images: tuple[str, ...] = ()
    stable_images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the operator read itself; part of the digest. `image_ids` are those that a canary runs, as container=imageID."""

    job: ResolvedJob | None = None
    undo: ResolvedJob | None = None
    price: Price | None = None
    image_ids: tuple[str, ...] = ()
    nodes: tuple[ResolvedNode, ...] = ()
    drain: ResolvedDrain | None = None
    provision: ResolvedProvision | None = None
    argo: ResolvedArgo | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """How it ended, and through whom."""

    outcome: Phase
    by: By
    at: datetime
    option: str = ""
    tier: str = ""
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """The object that an effect touches, as it was before its first write."""

    api_version: str
    kind: str
    name: str
    uid: str
    resource_version: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """Pods of a Job, by state, as last written; of a drain those still to go (`active`) and those gone (`succeeded`)."""

    at: datetime
    active: int = 0
    succeeded: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class UndoStatus:
    """How far the undo Job has come."""

    state: EffectState
    object: ObjectRef
    started_at: datetime | None = None
    stopped_at: datetime | None = None  # its Job was first seen stopped, ended or gone: since then its pods are waited for
    finished_at: datetime | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class NodeDrain:
    """One node of a drain. Its prior state (`was_unschedulable`, `taints`) is fixed once it is not Waiting any more.

    `taints` are written as key=value:Effect. `pods` is how many had to go in the beginning, None while that was not read.
    """

    name: str
    uid: str
    state: NodeState = NodeState.WAITING
    was_unschedulable: bool = False
    taints: tuple[str, ...] = ()
    pods: int | None = None
    pods_left: int | None = None
    blocked_by: str = ""
    blocked_since: datetime | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class EffectStatus:
    """What the operator did so far; the prior state stands here before the first write."""

    type: EffectType
    state: EffectState
    object: ObjectRef | None = None
    prior_suspend: bool | None = None
    started_at: datetime | None = None
    stopped_at: datetime | None = None  # the undo first saw the subject stopped, ended or gone: its pods are waited for
    finished_at: datetime | None = None
    progress: Progress | None = None
    message: str = ""
    undo: UndoStatus | None = None
    nodes: tuple[NodeDrain, ...] = ()
    cooldown_until: datetime | None = None  # until then a refused drain may not be asked for again by the same person


@dataclass(frozen=True, slots=True)
class EscalationStep:
    """A planned widening of the quorum, with its absolute instant; `opened_at` once it happened."""

    after_seconds: int
    at: datetime
    roles: tuple[str, ...]
    opened_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """A fact with its reason. `since` is the last flip of the status."""

    type: ConditionType
    status: str  # True, False or Unknown
    reason: str
    message: str
    since: datetime
    observed_generation: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """The whole status of a request. The default is the request nobody has looked at."""

    observed_generation: int = -1
    phase: Phase = Phase.UNSET
    request_digest: str = ""
    policy: PolicySnapshot | None = None
    quorum: tuple[QuorumEntry, ...] = ()
    resolved: Resolved | None = None
    approvals: str = ""
    prepared_at: datetime | None = None
    deadline: datetime | None = None
    valid_until: datetime | None = None
    verdicts: tuple[RecordedVerdict, ...] = ()
    decision: Decision | None = None
    effect: EffectStatus | None = None
    escalations: tuple[EscalationStep, ...] = ()
    conditions: tuple[Condition, ...] = ()

    def condition(self, kind: ConditionType) -> Condition | None:
        """The condition of that type, or None where it was never stated."""
        return next((c for c in self.conditions if c.type is kind), None)
