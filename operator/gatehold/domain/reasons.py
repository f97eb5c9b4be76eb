"""Every condition type and every reason, with its consequence in one line. docs/reference/conditions.md is made from it.

A reason is a closed CamelCase word that a script may match; the message beside it is free text for people.
"""

from enum import StrEnum


class ConditionType(StrEnum):
    """The facts that a request states about itself."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    HELD = "Held"
    APPROVED = "Approved"
    DENIED = "Denied"
    EXPIRED = "Expired"
    OVERRIDDEN = "Overridden"
    ROLLED_BACK = "RolledBack"


class Reason(StrEnum):
    """Why a condition, a decision or an uncounted verdict is what it is."""

    meaning: str

    def __new__(cls, value: str, meaning: str = "") -> "Reason":
        """Attach the one-line consequence to the word."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member

    # held, may still pass
    AWAITING_APPROVAL = "AwaitingApproval", "Reviewers are asked; the effect is held until the quorum is met."
    POLICY_NOT_FOUND = "PolicyNotFound", "The policy does not exist: held, nobody can approve; expires by the default time."
    POLICY_NOT_READY = "PolicyNotReady", "The policy contradicts itself: held until it is mended; see its own status."
    WALL_NOT_PROVEN = "WallNotProven", "The admission policies are not proven in force: nothing is prepared or released."
    # passed
    QUORUM_MET = "QuorumMet", "Every entry of the quorum is met by people: the effect goes."
    OVERRIDE = "Override", "A holder of verb override let it pass without the quorum."
    POLICY_TIER = "PolicyTier", "An automatic tier of the policy decided; no person was asked."
    EFFECT_RUNNING = "EffectRunning", "Approved; the effect is being carried out and can still be denied."
    EFFECT_COMPLETE = "EffectComplete", "The effect is complete and verified."
    # ended
    DENIED_BY_REVIEWER = "DeniedByReviewer", "A reviewer said no: closed, whatever was done is undone."
    WITHDRAWN_BY_REQUESTER = "WithdrawnByRequester", "The requester took it back: closed, whatever was done is undone."
    DEADLINE_PASSED = "DeadlinePassed", "Not enough people said yes in time: closed."
    VALIDITY_PASSED = "ValidityPassed", "Approved, but not begun within its validity: closed, ask again."
    SUBJECT_NOT_FOUND = "SubjectNotFound", "The subject does not exist: nothing to ask about."
    SUBJECT_NOT_HELD = "SubjectNotHeld", "The subject is not held (label or suspend is missing): it would not wait."
    SUBJECT_CHANGED = "SubjectChanged", "The subject is not what was asked about (uid or digest differ): ask again."
    SUBJECT_DELETED = "SubjectDeleted", "The subject was deleted: nothing is left to let go."
    SUBJECT_TAKEN = "SubjectTaken", "Another live request owns the subject: this one touches nothing."
    SUBJECT_RUNNING = "SubjectRunning", "The subject runs already, by another hand: there is nothing left to hold."
    SUBJECT_OVERRIDDEN = "SubjectOverridden", "A holder of verb override let the subject go by hand; recorded, not put back."
    POLICY_MISMATCH = "PolicyMismatch", "The gate of the subject names another policy: ask under that one."
    EFFECT_NOT_ALLOWED = "EffectNotAllowed", "The policy does not list this effect: ask under another policy."
    EFFECT_NOT_SUPPORTED = "EffectNotSupported", "This version of the operator cannot carry out that effect."
    TIMEOUT_OUT_OF_BOUNDS = "TimeoutOutOfBounds", "spec.timeoutSeconds is beyond the policy's maximum: ask with less."
    TOO_MANY_PENDING = "TooManyPending", "Too many requests wait: a user's request fails, a Gate's waits unasked."
    REQUESTER_UNKNOWN = "RequesterUnknown", "The policy refuses requests of robots whose person is not known."
    INVALID_REQUEST = "InvalidRequest", "The operator cannot read the request: held for good, nothing was done."
    APPROVAL_UNPROVEN = "ApprovalUnproven", "An approval came while the wall was not proven: it releases nothing, ask again."
    EFFECT_FAILED = "EffectFailed", "The effect was begun and failed: the undo runs where one is named."
    EFFECT_TIMED_OUT = "EffectTimedOut", "The effect ran beyond its time: stopped, the undo runs where one is named."
    OUTCOME_UNKNOWN = "OutcomeUnknown", "The subject vanished before its outcome was seen: no undo is started."
    # rolled back
    NOTHING_TO_UNDO = "NothingToUndo", "Nothing had been done, so nothing had to be undone."
    UNDOING = "Undoing", "What was done is being undone."
    UNDO_COMPLETED = "UndoCompleted", "The subject is stopped and the undo Job completed."
    UNDO_FAILED = "UndoFailed", "The undo Job failed: look at it, the state is not restored."
    UNDO_UNAVAILABLE = "UndoUnavailable", "The undo Job is gone or is not what was approved: it was not run."
    NO_UNDO_NAMED = "NoUndoNamed", "The subject is stopped; the request names no undo, so what it did stays."
    # why a verdict does not count
    LATE = "Late", "No running replica saw the approval before the deadline."
    UNPROVEN = "Unproven", "The wall was not proven when the approval was first seen; the person may give it again."
    INELIGIBLE = "Ineligible", "The person may not decide this request; the operator checks again what admission checked."
