"""Every reason of a Rollout's conditions and of the end of its runs, with its consequence in one line."""

from gatehold.domain.reasons import ToldWord


class RolloutReason(ToldWord):
    """Why a Rollout stands where it stands. Words that requests use too mean the same."""

    # at rest
    AS_WANTED = "AsWanted", "Stable runs what the spec says, and all of its pods are available."
    IMAGES_DIFFER = "ImagesDiffer", "Stable's pods run other image ids than those that were promoted: a tag was moved."
    PODS_NOT_READY = "PodsNotReady", "Pods are on their way; past progressDeadlineSeconds it is stalled."
    REQUEST_CLOSING = "RequestClosing", "The requests of the run before take note of its end; the next run begins then."
    # a run
    CANARY_PROGRESSING = "CanaryProgressing", "The canary is brought to its next share."
    OLD_CANARY_GOING = "OldCanaryGoing", "Pods of the canary before this one have to go first."
    PAUSED = "Paused", "A pause step runs."
    PROMOTING = "Promoting", "Stable takes the new template; it is verified before the canary goes."
    AWAITING_APPROVAL = "AwaitingApproval", "A request is open: reviewers are asked, nothing moves on until they answer."
    # held
    GATE_NOT_FOUND = "GateNotFound", "The namespace names a Gate that cannot be read: nothing moves on until it can."
    TOO_MANY_PENDING = "TooManyPending", "Too many requests wait under that policy: the question waits unasked."
    WALL_NOT_PROVEN = "WallNotProven", "The admission policies are not proven in force: nothing is passed or promoted."
    PODS_HELD = "PodsHeld", "Pods wait for Gatehold's own gate: the progress deadline stands meanwhile."
    WRITE_REFUSED = "WriteRefused", "The API server refuses the operator's write: it tries on."
    UNREADABLE = "Unreadable", "This operator cannot read the Rollout or its status: nothing is touched until it can."
    CHILD_NOT_OURS = "ChildNotOurs", "A Deployment with a child's name belongs to somebody else: nothing is touched."
    TEMPLATE_LOST = "TemplateLost", "The revision with the template that is needed is gone: that child is left as it is."
    SUBJECT_OVERRIDDEN = "SubjectOverridden", "A holder of verb override changed a child by hand; it is not put back."
    # how a run ended
    PROMOTED = "Promoted", "Stable runs the target, verified."
    DENIED_BY_REVIEWER = "DeniedByReviewer", "A reviewer said no: undone, and rejected."
    DEADLINE_PASSED = "DeadlinePassed", "Not enough people said yes in time: undone, and rejected."
    VALIDITY_PASSED = "ValidityPassed", "Approved, but not used within its validity: undone, and rejected."
    WITHDRAWN_BY_REQUESTER = "WithdrawnByRequester", "The request was withdrawn: undone, and rejected."
    REQUEST_FAILED = "RequestFailed", "The question could not be asked, or its answer cannot be used: undone, rejected."
    TOO_MANY_QUESTIONS = "TooManyQuestions", "The question was asked anew too often, as its subject never stood still."
    PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded", "Pods were not available in time: undone, and rejected."
    IMAGE_CHANGED = "ImageChanged", "Stable's pods came up with image ids that nobody approved: undone, and rejected."
    SUBJECT_CHANGED = "SubjectChanged", "The spec changed while the canary was under way: undone, the new one is taken up."
    # rolled back
    UNDOING = "Undoing", "What the run did is being undone."
    RESTORED = "Restored", "Stable runs its former template at full size, the canary is gone: read back."
    NOTHING_TO_UNDO = "NothingToUndo", "The run had not changed anything."
    NOTHING_TO_RESTORE = "NothingToRestore", "Nothing ran before: stable stays as it is."
    NOT_RESTORED = "NotRestored", "The former state did not come back in time: somebody has to look; it is tried on."
