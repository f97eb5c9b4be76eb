"""A Rollout's memory: what its status says, as values. Read and rendered by gatehold.api, field by field."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gatehold.domain.reasons import ConditionType
from gatehold.domain.status import Condition


class Track(StrEnum):
    """The two children."""

    STABLE = "stable"
    CANARY = "canary"


class RolloutPhase(StrEnum):
    """Where a Rollout stands. A summary for columns; conditions are the contract."""

    UNSET = ""  # nobody has looked at it yet
    PENDING = "Pending"  # nothing runs yet
    PROGRESSING = "Progressing"  # pods are on their way
    PAUSED = "Paused"  # a pause step runs
    HELD = "Held"  # a question is open, or the Gate is unknown
    PROMOTING = "Promoting"  # stable takes the new template
    ROLLING_BACK = "RollingBack"  # a run is being undone
    HEALTHY = "Healthy"  # stable runs what the spec says
    DEGRADED = "Degraded"  # the spec was rejected, or pods do not come up


class Stage(StrEnum):
    """How far a run has come."""

    CANARY = "Canary"  # walking the steps
    PROMOTING = "Promoting"  # stable is written, or about to be
    UNDOING = "Undoing"  # the former state is being restored


class Outcome(StrEnum):
    """How a run ended."""

    PROMOTED = "Promoted"
    DENIED = "Denied"
    EXPIRED = "Expired"  # not enough said yes in time, or the yes was not used in time
    WITHDRAWN = "Withdrawn"
    SUPERSEDED = "Superseded"  # the spec changed
    FAILED = "Failed"  # pods did not come up, or the question could not be asked


@dataclass(frozen=True, slots=True)
class Target:
    """What a run leads to: template digest and strategy digest."""

    template: str
    strategy: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """All that the operator wants of a child; a write of it says exactly this. `template` is a digest."""

    template: str
    replicas: int
    min_ready_seconds: int = 0
    history: int = 10
    restarted_at: str = ""


@dataclass(frozen=True, slots=True)
class Override:
    """A child was changed by break-glass while the spec was `target` and gatehold.dev/retry was `retry`."""

    target: Target
    retry: str
    message: str


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """A child as last wanted, and as last seen.

    `write` numbers our writes; `generation` is what the last of them was answered with, None until that is known.
    `put_back` counts how often somebody else's change was seen (each is a Warning Event). The rest are figures: they
    follow the Deployment, at most every few seconds.
    """

    wanted: Wanted
    write: int = 1
    generation: int | None = None
    uid: str = ""
    put_back: int = 0
    override: Override | None = None
    images: tuple[str, ...] = ()
    pods: int = 0
    ready: int = 0  # available pods


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked in this run, and whether the yes was used. Recorded before the request is made."""

    policy: str
    name: str  # of the ApprovalRequest
    digest: str
    attempt: int
    gate: str  # value of its label gatehold.dev/gate
    images: tuple[str, ...] = ()
    uid: str = ""  # once it was seen
    passed: bool = False
    passed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a run is being undone. `reject`: its target will not be tried again by itself."""

    outcome: Outcome
    reason: str
    message: str
    reject: bool = True


@dataclass(frozen=True, slots=True)
class Run:
    """A target on its way.

    `step` is the index of the step that is being taken (the number of steps: all were); `weight` is in force.
    `former` is stable's template before the promotion ("" where nothing ran), `images` what stable has to come up with.
    `first_attempt` is the number of the first question that this run could ask.
    """

    target: Target
    stage: Stage = Stage.CANARY
    first: bool = False  # a first deployment: no canary, asked before anything runs
    started_at: datetime | None = None
    step: int = 0
    step_at: datetime | None = None  # since when this step is being taken
    weight: int = 0
    first_attempt: int = 1
    questions: tuple[Question, ...] = ()
    former: str = ""
    images: tuple[str, ...] = ()
    written: bool = False  # stable's new template is being written, or was: the promotion has begun
    ending: Ending | None = None


@dataclass(frozen=True, slots=True)
class RequestRef:
    """A request of a run that is over."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class LastRun:
    """How the last run ended. `rolled_back` is None where it was promoted."""

    target: Target
    outcome: Outcome
    reason: str
    message: str
    at: datetime
    requests: tuple[RequestRef, ...] = ()
    rolled_back: bool | None = None
    rolled_back_reason: str = ""
    rolled_back_message: str = ""
    started_at: datetime | None = None  # as in its Run; unknown of what ended before this was kept


@dataclass(frozen=True, slots=True)
class Rejected:
    """A target that is not tried again until it changes or somebody asks for it."""

    target: Target
    reason: str
    message: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Weight:
    """The canary's share in percent: the one in force, and the one that whole pods give."""

    asked: int = 0
    real: int = 0


@dataclass(frozen=True, slots=True)
class Clock:
    """Since when pods are late. It stands from `stopped_at` on, while Gatehold itself holds them."""

    since: datetime
    stopped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """The whole status of a Rollout. The default is the Rollout nobody has looked at.

    `promoted` is the target that stable was last verified with; None until the first deployment is.
    """

    observed_generation: int = -1
    phase: RolloutPhase = RolloutPhase.UNSET
    stable: TrackRecord | None = None
    canary: TrackRecord | None = None
    run: Run | None = None
    last_run: LastRun | None = None
    promoted: Target | None = None
    promoted_images: tuple[str, ...] = ()
    rejected: Rejected | None = None
    retried: str = ""
    attempts: int = 0  # questions asked so far, in all runs: makes their names different
    clock: Clock | None = None
    weight: Weight = Weight()
    step: str = ""  # "2/5"
    waiting_for: str = ""  # column Waiting-For: a request's name, or a word
    until: datetime | None = None
    figures_at: datetime | None = None
    conditions: tuple[Condition, ...] = ()

    def condition(self, kind: ConditionType) -> Condition | None:
        """The condition of that type, or None where it was never stated."""
        return next((c for c in self.conditions if c.type is kind), None)

    def track(self, track: Track) -> TrackRecord | None:
        """What is remembered of that child."""
        return self.stable if track is Track.STABLE else self.canary
