"""What a Rollout is about, as values: its spec, its children, its Gate, its questions. Gathered in one moment as a Sight.

Digests are computed by gatehold.api (RFC 8785, SHA-256); the core compares them and never looks into a template.
"""

from dataclasses import dataclass
from datetime import datetime

from gatehold.domain.phases import Phase
from gatehold.domain.rollout.record import Record, Target, Track, Wanted
from gatehold.domain.rollout.writes import Write


@dataclass(frozen=True, slots=True)
class SetWeight:
    """A step that brings the canary to a share, in percent (0 to 100); done once its pods are available."""

    weight: int


@dataclass(frozen=True, slots=True)
class Pause:
    """A step that waits, counted from the end of the step before it."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Link:
    """A page that a reviewer may open."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Approval:
    """A step that asks people by a policy of the author's choice. It adds a question and never replaces the Gate's."""

    policy: str
    timeout_seconds: int | None = None
    links: tuple[Link, ...] = ()


Step = SetWeight | Pause | Approval


@dataclass(frozen=True, slots=True)
class Rollout:
    """A Rollout as it is stored: the identity of the object, its spec, and the annotations that mean something.

    `template` and `strategy` are digests of those parts of the spec. None: the spec leaves it to the operator.
    """

    namespace: str
    name: str
    uid: str
    generation: int
    template: str
    strategy: str
    replicas: int = 1
    steps: tuple[Step, ...] = ()
    min_ready_seconds: int = 0
    progress_deadline_seconds: int | None = None
    revision_history_limit: int | None = None
    restarted_at: str = ""
    retry: str = ""  # annotation gatehold.dev/retry
    authors: tuple[str, ...] = ()  # annotation gatehold.dev/authors
    has_finalizer: bool = False  # gatehold.dev/rollout
    deleting: bool = False
    orphaning: bool = False  # finalizer `orphan` is there: deleted with --cascade=orphan

    @property
    def target(self) -> Target:
        """What the spec asks for: a template, and the steps on the way to it."""
        return Target(self.template, self.strategy)

    @property
    def patience(self) -> int:
        """How many seconds new pods have to become available."""
        return 600 if self.progress_deadline_seconds is None else self.progress_deadline_seconds

    @property
    def history(self) -> int:
        """How many templates that nobody runs are kept."""
        return 10 if self.revision_history_limit is None else self.revision_history_limit


@dataclass(frozen=True, slots=True)
class Answer:
    """What this very process was answered to its last write of a child. A new process knows none, and writes again."""

    write: int  # the number that PutChild bore
    generation: int  # metadata.generation in the answer


@dataclass(frozen=True, slots=True)
class Child:
    """A Deployment with the name of a child, as it is now, whoever made it.

    `owner` is the uid of its controlling owner ("" for none); `template` its annotation gatehold.dev/template-digest;
    `total`, `updated`, `ready` and `available` are its status, 0 where absent. What is known of its pods follows, None
    or empty where they were not read: `images` are sorted `container=imageID` of the template's own containers of the
    ready pods, `held` is how many pods bear the scheduling gate gatehold.dev/approval.
    """

    name: str
    uid: str
    resource_version: str
    generation: int
    owner: str = ""
    template: str = ""
    replicas: int = 0  # spec.replicas
    observed_generation: int = 0
    total: int = 0
    updated: int = 0
    ready: int = 0
    available: int = 0
    overridden: str = ""  # annotation gatehold.dev/override, with who did it where that is known
    ours_on_it: bool = True  # metadata label or annotations of ours are there (they are taken off when it is orphaned)
    deleting: bool = False
    answer: Answer | None = None
    images: tuple[str, ...] | None = None
    restarts: int = 0
    trouble: str = ""  # why its pods do not become ready, in words: ImagePullBackOff, CrashLoopBackOff, Unschedulable ...
    held: int = 0


@dataclass(frozen=True, slots=True)
class GateFacts:
    """The Gate of type Rollouts that the namespace names."""

    name: str
    policy: str
    max_weight: int = 20  # percent; rollouts.maxWeightBeforeApproval


@dataclass(frozen=True, slots=True)
class UnknownGate:
    """The namespace names a Gate that is absent, of another type or unreadable; or the namespace itself is not read."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class QuestionFacts:
    """A request of this Rollout (label gatehold.dev/rollout) as the cache knows it.

    `digest` is its spec.subject.digest; `reason` and `message` are those of its decision once it has one.
    """

    name: str
    uid: str
    policy: str
    digest: str
    phase: Phase = Phase.UNSET
    deadline: datetime | None = None
    valid_until: datetime | None = None
    reason: str = ""
    message: str = ""
    done: bool = False


@dataclass(frozen=True, slots=True)
class Revision:
    """A ControllerRevision of this Rollout: one template that is kept. `number` is its field `revision`."""

    name: str
    template: str
    number: int
    uid: str
    resource_version: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The API server's no to a planned write, other than a conflict; `message` is its answer, fit for a status."""

    write: Write
    message: str


@dataclass(frozen=True, slots=True)
class Sight:
    """Everything that `decide_rollout` may look at."""

    rollout: Rollout
    record: Record
    stable: Child | None = None
    canary: Child | None = None
    gate: GateFacts | UnknownGate | None = None  # None: the namespace names none
    questions: tuple[QuestionFacts, ...] = ()
    revisions: tuple[Revision, ...] = ()
    digest: str = ""  # subject digest of the spec with `canary.images`; "" where those were not read
    bare_digest: str = ""  # subject digest of the spec with no image ids: nothing runs yet
    crowded: frozenset[str] = frozenset()  # policies under which too many requests wait already
    wall_proven: bool = False
    refusal: Refusal | None = None  # of a write that was tried a moment ago

    def child(self, track: Track) -> Child | None:
        """The child of that track."""
        return self.stable if track is Track.STABLE else self.canary

    def question(self, name: str) -> QuestionFacts | None:
        """The request of that name, or None where the cache has none."""
        return next((q for q in self.questions if q.name == name), None)


__all__ = [
    "Answer",
    "Approval",
    "Child",
    "GateFacts",
    "Link",
    "Pause",
    "QuestionFacts",
    "Refusal",
    "Revision",
    "Rollout",
    "SetWeight",
    "Sight",
    "Step",
    "Target",
    "Track",
    "UnknownGate",
    "Wanted",
]
