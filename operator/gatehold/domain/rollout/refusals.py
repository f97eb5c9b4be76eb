"""A write that the API server refuses: said when it begins, kept while it lasts, tried again with a back-off."""

from gatehold.domain.rollout.model import Sight
from gatehold.domain.rollout.reasons import RolloutReason
from gatehold.domain.rollout.writes import (
    Ask,
    ClearAuthors,
    DropRevision,
    KeepTemplate,
    PutChild,
    Write,
)
from gatehold.domain.status import Condition


def opening(write: Write) -> str:
    """What is refused, in words: one text for each kind of write."""
    return f"the API server refuses to {_verb(write)}"


def _verb(write: Write) -> str:
    match write:
        case PutChild():
            return f"write the {write.track} Deployment"
        case Ask():
            return f"create request {write.question.name}"
        case KeepTemplate():
            return "keep the template as a ControllerRevision"
        case DropRevision():
            return f"delete ControllerRevision {write.name}"
        case ClearAuthors():
            return "empty annotation gatehold.dev/authors"
        case _:  # its finalizers, and what is done once it is deleted: that is not said in its status
            return "let the Rollout go"


def sentence(sight: Sight, planned: tuple[Write, ...], known: Condition | None) -> str:
    """What to say of the planned writes: that one was refused just now, or still is as far as the condition knows."""
    openings = [opening(write) for write in planned]
    lasts = known is not None and known.reason == RolloutReason.WRITE_REFUSED
    if known is not None and lasts and any(known.message.startswith(f"{text}:") for text in openings):
        return known.message
    if sight.refusal is not None and opening(sight.refusal.write) in openings:
        return f"{opening(sight.refusal.write)}: {sight.refusal.message}; it is tried again and again"[:1024]
    return ""


def left(sight: Sight, planned: tuple[Write, ...]) -> tuple[Write, ...]:
    """What is still to be written now: nothing, where one was refused just now."""
    refused = sight.refusal is not None and opening(sight.refusal.write) in {opening(write) for write in planned}
    return () if refused else planned
