"""What the webhook knows when it is asked about an eviction, and what it can answer: what `evictions` judges. Pure."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gatehold.domain.model import Requester
from gatehold.domain.phases import Phase


class Word(StrEnum):
    """What an answer comes to; the label of the metric."""

    ALLOWED = "allowed"
    ASKED = "asked"  # nobody has been asked yet, somebody is now
    HELD = "held"  # people have not decided
    REFUSED = "refused"  # people have said no, or nobody yes
    GUARDED = "guarded"  # mode Deny: ask first
    GONE = "gone"
    UNSURE = "unsure"  # something is not known: held until it is
    PROBE = "probe"
    MALFORMED = "malformed"  # no review that could be answered otherwise


@dataclass(frozen=True, slots=True)
class Eviction:
    """Who wants which pod to go. `uid` is the precondition that the eviction itself carries, if any."""

    namespace: str
    pod: str
    by: Requester
    uid: str = ""
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class PodSight:
    """What is known of the pod: where it is, or that it is surely not there."""

    node: str = ""
    absent: bool = False


@dataclass(frozen=True, slots=True)
class NodeSight:
    """What is known of the node; `gate` is empty where it carries no label, `hold` says that its label means mode Hold.

    `live`: read after the eviction came. A drain cordons and evicts within milliseconds, and a watch may be later than that.
    """

    name: str
    uid: str
    gate: str = ""
    hold: bool = False
    cordoned: bool = False
    live: bool = False


@dataclass(frozen=True, slots=True)
class GateSight:
    """The Gate that the node names: where and by which policy its questions are asked."""

    name: str
    hold: bool
    namespace: str
    policy: str


@dataclass(frozen=True, slots=True)
class HeldDrain:
    """One request about a held drain that is not done."""

    namespace: str
    name: str
    uid: str
    gate: str
    node_uid: str
    username: str
    phase: Phase = Phase.UNSET
    approvals: str = ""
    deadline: datetime | None = None
    valid_until: datetime | None = None
    cooldown_until: datetime | None = None
    said: str = ""
    """How it was refused, by whom and why; before people are asked: what that waits for."""

    @property
    def address(self) -> str:
        """As people write it."""
        return f"{self.namespace}/{self.name}"

    @property
    def open(self) -> bool:
        """Whether it waits for people."""
        return self.phase in (Phase.UNSET, Phase.PENDING)

    def live(self, now: datetime) -> bool:
        """Whether it speaks for its person and node now: open, approved, or refused and not yet forgotten."""
        return self.open or self.phase is Phase.APPROVED or self.refuses(now)

    def refuses(self, now: datetime) -> bool:
        """Whether it ended with a no that still stands. How long that is, is not known while it is being undone."""
        if self.phase is Phase.SUPERSEDED and self.cooldown_until is None:
            return False
        ended = not self.open and self.phase not in (Phase.APPROVED, Phase.RELEASED)
        return ended and (self.cooldown_until is None or now < self.cooldown_until)

    def lets_pass(self, node_uid: str, username: str, now: datetime) -> bool:
        """Whether this is the approval by which that person may empty that very node, in time."""
        theirs = bool(node_uid and username) and (self.node_uid, self.username) == (node_uid, username)
        in_time = self.valid_until is not None and now < self.valid_until
        return theirs and in_time and self.phase is Phase.APPROVED


@dataclass(frozen=True, slots=True)
class Sight:
    """All that the webhook knows when it answers; None is "not known"."""

    eviction: Eviction
    trouble: str = ""
    """Why nothing can be told at all: a cold cache, an error."""
    pod: PodSight | None = None
    node: NodeSight | None = None
    gate: GateSight | None = None
    may_drain: bool | None = None
    """Whether the account holds verb drain on nodes; asked for mode Deny only."""
    requests: tuple[HeldDrain, ...] = ()
    """Those about that node, or of that person there."""
    waiting: int = 0
    """How many requests of the Gate wait for people."""
    unasked: str = ""
    """Why people could not be asked when it was tried."""

    @property
    def holds(self) -> bool:
        """Whether the node is in mode Hold: by its label, and by its Gate."""
        node, gate = self.node, self.gate
        return node is not None and gate is not None and gate.name == node.gate and node.hold and gate.hold

    @property
    def denies(self) -> bool:
        """Whether it is in mode Deny, so that the rights of the account count."""
        return self.node is not None and bool(self.node.gate) and self.gate is not None and not self.holds


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server is told. `ask`: a request about this node has to be opened for this person."""

    allowed: bool
    code: int
    message: str
    word: Word
    ask: bool = False
