"""The writes that a plan may hold. Each is guarded; each is applied in order, and none after one that failed."""

from dataclasses import dataclass

from gatehold.domain.rollout.record import Question, Track, Wanted


@dataclass(frozen=True, slots=True)
class SetFinalizer:
    """Put finalizer gatehold.dev/rollout on the Rollout, guarded by its resourceVersion."""


@dataclass(frozen=True, slots=True)
class DropFinalizer:
    """Take finalizer gatehold.dev/rollout off a deleted Rollout."""


@dataclass(frozen=True, slots=True)
class ClearAuthors:
    """Empty annotation gatehold.dev/authors, guarded by the resourceVersion that was read: what they changed is promoted."""


@dataclass(frozen=True, slots=True)
class KeepTemplate:
    """Keep spec.template as a ControllerRevision (`template` is its digest). AlreadyExists is success."""

    template: str
    number: int


@dataclass(frozen=True, slots=True)
class DropRevision:
    """Delete a ControllerRevision, by uid."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class PutChild:
    """Write a child whole: POST where `uid` is empty, else PUT guarded by uid and resourceVersion.

    The template of digest `wanted.template` is spec.template's or a revision's. What the API server answers becomes
    `Answer(write, generation)` of that child in the next Sight. Foreign annotations of the Deployment are kept (their
    loss alone would bump its generation), our override annotation is taken off, our ownerReference is put back; where
    `owned` is False, because the Rollout is going and the children stay, it is taken off.
    """

    track: Track
    wanted: Wanted
    write: int
    uid: str = ""
    resource_version: str = ""
    owned: bool = True


@dataclass(frozen=True, slots=True)
class DeleteChild:
    """Delete a child by uid (background propagation), while the Rollout is orphaning."""

    track: Track
    uid: str


@dataclass(frozen=True, slots=True)
class SetChildFree:
    """Make a child an ordinary Deployment: our metadata label, annotations and ownerReference come off.

    Guarded by uid and resourceVersion.
    """

    track: Track
    uid: str
    resource_version: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Create the ApprovalRequest of a recorded question. AlreadyExists is success (it was ours before a crash).

    `timeout_seconds` and `links` are those of the step that asks, if one does.
    """

    question: Question
    timeout_seconds: int | None = None
    links: tuple[tuple[str, str], ...] = ()  # title, url


Write = (
    SetFinalizer | DropFinalizer | ClearAuthors | KeepTemplate | DropRevision | PutChild | DeleteChild | SetChildFree | Ask
)
