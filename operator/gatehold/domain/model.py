"""The values that the core decides about: request, policy, verdicts. Frozen; parsed at the edge by gatehold.api."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class EffectType(StrEnum):
    """What happens to the subject once the request is approved."""

    NONE = "None"
    PROMOTE = "Promote"
    DRAIN = "Drain"
    RELEASE = "Release"


class Word(StrEnum):
    """What a person can say on a request."""

    APPROVE = "approve"
    DENY = "deny"
    WITHDRAW = "withdraw"
    OVERRIDE = "override"


class GateType(StrEnum):
    """What a Gate holds; an installation may leave each of them out."""

    ARGO_ROLLOUTS = "ArgoRollouts"
    DRAINS = "Drains"
    PODS = "Pods"
    ROLLOUTS = "Rollouts"


class DrainMode(StrEnum):
    """What a Gate of type Drains does with the evictions of who was not let pass."""

    HOLD = "Hold"  # they wait for an approval
    DENY = "Deny"  # they are refused: ask for a drain


class UnknownRequester(StrEnum):
    """What a policy does when four eyes cannot be proven by name."""

    REQUIRE_EXTRA_REVIEWER = "RequireExtraReviewer"
    ALLOW = "Allow"
    REFUSE = "Refuse"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked about. `namespace` is empty for cluster-scoped subjects, `uid` and `digest` where not given."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str = ""
    digest: str = ""

    @property
    def key(self) -> tuple[str, str, str, str]:
        """The address by which one owner per subject is found."""
        return (self.api_version, self.kind, self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asked, as the API server stamped or checked it."""

    username: str
    uid: str = ""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UndoRef:
    """The second held Job that runs when the first has to be undone."""

    name: str
    uid: str = ""


@dataclass(frozen=True, slots=True)
class NodeRef:
    """A node that is to be drained, by name; `uid` where one certain node of that name is meant."""

    name: str
    uid: str = ""


@dataclass(frozen=True, slots=True)
class DrainSpec:
    """Which nodes to drain, named or by labels, and how. None and False: not given."""

    nodes: tuple[NodeRef, ...] = ()
    match_labels: tuple[tuple[str, str], ...] = ()
    parallel_nodes: int = 1
    parallel_pods: int = 16  # evictions of one node at the same time
    grace_period_seconds: int | None = None
    delete_empty_dir_data: bool = False
    evict_unmanaged_pods: bool = False


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect that is held. `timeout_seconds` is None where the request leaves it to the operator."""

    type: EffectType = EffectType.NONE
    undo: UndoRef | None = None
    timeout_seconds: int | None = None
    drain: DrainSpec | None = None  # with type Drain, and with no other


@dataclass(frozen=True, slots=True)
class Option:
    """A variant that a reviewer may pick; `amount` is its declared cost, if any."""

    name: str
    summary: str = ""
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Declared:
    """What the requester says about risk and cost. It can only make a policy stricter."""

    risk: int | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """One question: the identity of the object and its immutable spec."""

    namespace: str
    name: str
    uid: str
    generation: int
    created: datetime
    policy: str
    subject: Subject | None
    effect: Effect
    requester: Requester
    options: tuple[Option, ...] = ()
    declared: Declared = Declared()
    timeout_seconds: int | None = None
    on_behalf_of: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    summary: str = ""
    trace_id: str = ""
    gate: str = ""  # label gatehold.dev/gate: the operator asked, for this Gate
    noted: bool = False  # the bookkeeping annotation is there
    done: bool = False
    deleting: bool = False

    @property
    def address(self) -> str:
        """As people write it, and as the marks of an effect name it."""
        return f"{self.namespace}/{self.name}"

    @property
    def has_effect(self) -> bool:
        """Whether something is left to do after Approved."""
        return self.effect.type is not EffectType.NONE


@dataclass(frozen=True, slots=True)
class Verdict:
    """One person's immutable word, as admission let it in. `id` is its number in the ledger."""

    id: int
    word: Word
    digest: str
    role: str
    username: str
    option: str
    comment: str


@dataclass(frozen=True, slots=True)
class RecordedVerdict:
    """A verdict in the ledger: when it was seen first, and whether it counts."""

    verdict: Verdict
    observed_at: datetime
    counted: bool = True
    reason: str = ""


@dataclass(frozen=True, slots=True)
class QuorumEntry:
    """`count` different people who hold one of `accepted` have to approve; escalation may add `backups` to it."""

    role: str
    count: int = 1
    backups: tuple[str, ...] = ()
    accepted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EscalationRule:
    """From `after_seconds` after the preparation on, `roles` (backups) are accepted too."""

    after_seconds: int
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tier:
    """A rule that adds to the quorum, or lets a request pass alone. None and () mean: not looked at."""

    name: str
    effects: tuple[EffectType, ...] = ()
    namespaces: tuple[str, ...] = ()
    max_price: Decimal | None = None
    at_least_risk: int | None = None
    at_least_cost: Decimal | None = None
    quorum: tuple[QuorumEntry, ...] = ()
    auto_approve: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """Who decides, how long it may take, what may go by itself."""

    name: str
    uid: str
    generation: int
    digest: str
    quorum: tuple[QuorumEntry, ...]
    effects: tuple[EffectType, ...] = (EffectType.NONE,)
    timeout_default: int | None = None
    timeout_max: int | None = None
    validity_seconds: int | None = None
    retention_seconds: int | None = None
    escalation: tuple[EscalationRule, ...] = ()
    max_pending: int | None = None
    on_unknown_requester: UnknownRequester = UnknownRequester.REQUIRE_EXTRA_REVIEWER
    tiers: tuple[Tier, ...] = ()


@dataclass(frozen=True, slots=True)
class DrainGate:
    """A Gate of type Drains. `namespace` is where it is asked, empty: as the operator is configured."""

    name: str
    policy: str
    mode: DrainMode = DrainMode.DENY
    namespace: str = ""
    cooldown_seconds: int = 300
