"""What the gate of pods looks at, and what it wants done. Gathered by gatehold.controllers.provision in one moment.

A *group* is the pods of one owner with one pod digest. The *owner* is the top-most controller: a Deployment, not its
ReplicaSet; a CronJob, not its Jobs; for a pod without a controller the pod itself.
"""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from gatehold.domain.phases import Phase
from gatehold.domain.pricing.pod import PodShape
from gatehold.domain.pricing.price import Duration, Estimate, Threshold
from gatehold.domain.pricing.table import PriceTable


class OnDenied(StrEnum):
    """What becomes of what was not approved."""

    KEEP = "Keep"  # it stays inert
    SCALE_BACK = "ScaleBack"  # its owner goes back to the size that was approved last
    SUSPEND = "Suspend"  # its Job or CronJob is suspended
    DELETE = "Delete"  # what never ran is deleted


@dataclass(frozen=True, slots=True)
class PodGate:
    """A Gate of type Pods. `floor` is what an hour of a pod costs at least that requests no CPU or no memory."""

    name: str
    policy: str
    threshold: Threshold = field(default_factory=Threshold)
    floor: Decimal | None = None
    on_denied: OnDenied = OnDenied.KEEP


@dataclass(frozen=True, slots=True)
class OwnerRef:
    """A controlling owner as a pod or Job names it."""

    api_version: str
    kind: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class PodSeen:
    """A pod of a gated namespace. `gated`: our gate is on it. `live`: it has not ended; on its way out still counts."""

    namespace: str
    name: str
    uid: str
    resource_version: str
    gate: str
    digest: str
    shape: PodShape
    gated: bool
    live: bool
    created: datetime
    owner: OwnerRef | None = None
    deleting: bool = False
    released_by: str = ""
    images: tuple[str, ...] = ()
    has_node: bool = False


@dataclass(frozen=True, slots=True)
class JobSeen:
    """A Job of a gated namespace: its pods come only once it is resumed. `digest` and `shape` are of its template.

    `hold`: label gatehold.dev/hold, so another request resumes it, and only its pods wait for this gate.
    """

    namespace: str
    name: str
    uid: str
    resource_version: str
    gate: str
    digest: str
    shape: PodShape
    suspended: bool
    created: datetime
    size: int = 1
    owner: OwnerRef | None = None
    hold: str = ""
    released_by: str = ""
    active_deadline_seconds: int | None = None
    finished: bool = False
    deleting: bool = False
    started: bool = False
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OptionSeen:
    """A variant that the owner offers by its annotation: so many pods."""

    name: str
    pods: int
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """The top-most controller as it is now. `replicas` is what it wants, `size` with what a rolling update adds.

    `known` False: of a kind that this operator does not read, or gone, or of another uid than the pods name; then its
    size is the number of its pods. `digest`, `shape` and `images` are of its template now. `why` says what of it cannot
    be read.
    """

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str
    resource_version: str = ""
    known: bool = True
    gone: bool = False
    deleting: bool = False
    replicas: int = 1
    surge: int = 0
    digest: str = ""
    shape: PodShape = field(default_factory=PodShape)
    images: tuple[str, ...] = ()
    options: tuple[OptionSeen, ...] = ()
    duration: Duration = field(default_factory=Duration)
    stated: str = ""  # how long it says that it runs; binds nobody
    retry: str = ""
    authors: tuple[str, ...] = ()
    suspended: bool | None = None
    why: str = ""

    @property
    def size(self) -> int:
        """How many of its pods live at the same time."""
        return self.replicas + self.surge


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of this Gate about this owner, as far as it matters here.

    `asked` is the size that it is about, `covered` how many pods its yes covers: 0 without one. `heard`: somebody spoke.
    `odd`: it is about pods that were not as their owner's template said.
    """

    name: str
    uid: str
    digest: str
    phase: Phase
    asked: int
    covered: int = 0
    heard: bool = False
    retry: str = ""
    odd: bool = False


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything about one top owner in one namespace. `gate` is None, and `why` says so, where nobody can be asked.

    `table` is None where it is broken or missing, and `table_flaw` says how. `strays` are live pods that were let go by one
    of these requests and belong to somebody else by now: whoever may label a pod can take it out of its ReplicaSet.
    """

    namespace: str
    owner: Owner
    gate: PodGate | None
    why: str = ""
    pods: tuple[PodSeen, ...] = ()
    jobs: tuple[JobSeen, ...] = ()
    asked: tuple[Asked, ...] = ()
    strays: tuple[PodSeen, ...] = ()
    table: PriceTable | None = None
    table_flaw: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What people are to be asked about one group: so many pods of that digest, at that price."""

    name: str
    gate: PodGate
    owner: Owner
    digest: str
    size: int
    estimate: Estimate
    covered: int = 0
    covered_hourly: Decimal | None = None
    odd: bool = False
    images: tuple[str, ...] = ()
    options: tuple[tuple[OptionSeen, Estimate], ...] = ()
    retry: str = ""


@dataclass(frozen=True, slots=True)
class LetGo:
    """Take our gate off these pods and resume these Jobs; each write bears `released_by`: a request's uid, or gate/NAME."""

    released_by: str
    pods: tuple[PodSeen, ...] = ()
    jobs: tuple[JobSeen, ...] = ()


@dataclass(frozen=True, slots=True)
class ScaleOwner:
    """Scale an owner down, never up."""

    owner: Owner
    to: int


@dataclass(frozen=True, slots=True)
class SuspendOwner:
    """Suspend a CronJob or Job."""

    owner: Owner


@dataclass(frozen=True, slots=True)
class DeleteOwner:
    """Delete an owner of which nothing ever ran."""

    owner: Owner
