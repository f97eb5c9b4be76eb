"""A write on a subject that the API server refuses: said when it begins, kept while it lasts. Called by `decide`.

The writer of the status cannot tell a new try from the old trouble; so what is said stays, word by word, until another
write is due or this one has landed. That is one write when it begins, and none of its own when it ends.
"""

from gatehold.domain.argo.model import AbortArgo, ResumeArgo
from gatehold.domain.nodes import CloseNode, CordonNode, DropLease, EvictPods, TakeLease, UncordonNode
from gatehold.domain.plan import (
    CloseJob,
    DropFinalizer,
    Finding,
    Refusal,
    ReleaseJob,
    SuspendJob,
    Write,
)
from gatehold.domain.reasons import Reason
from gatehold.domain.status import Condition


def opening(write: Write) -> str:
    """What is refused, in words: one text for each write on each Job or node."""
    return f"the API server refuses to {_verb(write)}"


def _verb(write: Write) -> str:
    match write:
        case ReleaseJob():
            return f"start undo Job {write.job.name}" if write.undo else f"release Job {write.job.name}"
        case SuspendJob():
            return f"stop Job {write.job.name}"
        case CloseJob():
            return f"close Job {write.job.name}"
        case DropFinalizer():
            return f"take finalizer gatehold.dev/outcome off Job {write.job.name}"
        case TakeLease() | CordonNode() | EvictPods() | CloseNode() | UncordonNode() | DropLease():
            return _verb_of_nodes(write)
        case ResumeArgo():
            return f"let Rollout {write.rollout.name} go on"
        case AbortArgo():
            return f"abort Rollout {write.rollout.name}"
        case _:  # NoteRequest and MarkDone: the request itself
            return "mark the request"


def _verb_of_nodes(write: TakeLease | CordonNode | EvictPods | CloseNode | UncordonNode | DropLease) -> str:
    match write:
        case TakeLease():
            return f"take the Lease of node {write.node.name}"
        case CordonNode():
            return f"cordon node {write.node.name}"
        case EvictPods():  # which pods these are changes while it is refused; the API server's own words name one
            return "evict pods"
        case CloseNode():
            return f"close node {write.node.name}"
        case UncordonNode():
            return f"uncordon node {write.node.name}" if write.uncordon else f"take our marks off node {write.node.name}"
        case _:  # DropLease
            return f"let the Lease of node {write.lease.node} go"


def sentence(refusal: Refusal) -> str:
    """The whole of it, with the API server's own words."""
    return f"{opening(refusal.write)}: {refusal.message}; it is tried again and again, every 30 s in the end"


def finding(planned: tuple[Write, ...], refusal: Refusal | None, known: Condition | None) -> Finding | None:
    """What to say of the planned writes: that one was refused just now, or still is as far as the condition knows."""
    begins = tuple(f"{opening(write)}:" for write in planned)
    if known is not None and known.reason == Reason.WRITE_REFUSED and known.message.startswith(begins):
        return Finding(Reason.WRITE_REFUSED, known.message)
    if refusal is not None and _concerns(refusal, planned):
        return Finding(Reason.WRITE_REFUSED, sentence(refusal))
    return None


def left(planned: tuple[Write, ...], refusal: Refusal | None) -> tuple[Write, ...]:
    """What is still to be written now: nothing, where it was refused just now. The next try comes with a back-off."""
    return () if refusal is not None and _concerns(refusal, planned) else planned


def _concerns(refusal: Refusal, planned: tuple[Write, ...]) -> bool:
    return any(opening(write) == opening(refusal.write) for write in planned)
