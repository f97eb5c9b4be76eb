"""Every condition type and every reason, with its consequence in one line. docs/reference/conditions.md is made from it.

A reason is a closed CamelCase word that a script may match; the message beside it is free text for people.
"""

from enum import StrEnum
from typing import Self


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


class ToldWord(StrEnum):
    """Words with their consequence in one line."""

    meaning: str

    def __new__(cls, value: str, meaning: str = "") -> Self:
        """Attach the one-line consequence to the word."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.meaning = meaning
        return member


class Reason(ToldWord):
    """Why a condition, a decision or an uncounted verdict is what it is."""

    # held, may still pass
    AWAITING_APPROVAL = "AwaitingApproval", "Reviewers are asked; the effect is held until the quorum is met."
    POLICY_NOT_FOUND = "PolicyNotFound", "The policy does not exist: held, nobody can approve; expires by the default time."
    POLICY_NOT_READY = "PolicyNotReady", "The policy contradicts itself: held until it is mended; see its own status."
    WALL_NOT_PROVEN = "WallNotProven", "The admission policies are not proven in force: nothing is prepared or released."
    GATE_LEFT_OUT = (
        "GateLeftOut",
        "This installation leaves out the type of Gates that its effect belongs to: held, and nothing is read.",
    )
    WRITE_REFUSED = (
        "WriteRefused",
        "Another admission policy or webhook, or RBAC, refuses the operator's write: it tries on.",
    )
    PRICE_TABLE_BROKEN = (
        "PriceTableBroken",
        "The price table is missing or broken: what is not approved yet is neither priced, nor asked about, nor let go.",
    )
    ROLLOUT_STOPPED = (
        "RolloutStopped",
        "spec.paused of an Argo Rollout is true: its approval waits until that is taken back, or lapses.",
    )
    NOT_APPROVED = (
        "NotApproved",
        "People did not approve that many pods of this template: the rest stays inert until it is asked about again.",
    )
    # passed
    QUORUM_MET = "QuorumMet", "Every entry of the quorum is met by people: the effect goes."
    OVERRIDE = "Override", "A holder of verb override let it pass without the quorum."
    POLICY_TIER = "PolicyTier", "An automatic tier of the policy decided; no person was asked."
    EFFECT_RUNNING = "EffectRunning", "Approved; the effect is being carried out and can still be denied."
    TWO_BUDGETS = (
        "TwoBudgets",
        "Two PodDisruptionBudgets cover one pod, so the API server never evicts it: mend them; the drain tries on.",
    )
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
    GATE_NOT_FOUND = (
        "GateNotFound",
        "The Gate that a node names is absent, unreadable or of another type: mend it, ask again.",
    )
    PODS_IN_THE_WAY = (
        "PodsInTheWay",
        "A drain would lose pods or data that the request does not give up: set the field that the message names.",
    )
    EFFECT_NOT_ALLOWED = (
        "EffectNotAllowed",
        "The policy does not list this effect, or only the operator may ask for it: ask otherwise.",
    )
    EFFECT_NOT_SUPPORTED = "EffectNotSupported", "This version of the operator cannot carry out that effect."
    TIMEOUT_OUT_OF_BOUNDS = "TimeoutOutOfBounds", "spec.timeoutSeconds is beyond the policy's maximum: ask with less."
    TOO_MANY_PENDING = "TooManyPending", "Too many requests wait: a user's request fails, a Gate's waits unasked."
    REQUESTER_UNKNOWN = "RequesterUnknown", "The policy refuses requests of robots whose person is not known."
    INVALID_REQUEST = "InvalidRequest", "The operator cannot read the request: held for good, nothing was done."
    APPROVAL_UNPROVEN = "ApprovalUnproven", "An approval came while the wall was not proven: it releases nothing, ask again."
    EFFECT_FAILED = (
        "EffectFailed",
        "The effect was begun and failed, or the canary did while it was held: what was done is undone.",
    )
    EFFECT_TIMED_OUT = "EffectTimedOut", "The effect ran beyond its time: stopped, the undo runs where one is named."
    OUTCOME_UNKNOWN = "OutcomeUnknown", "The subject vanished before its outcome was seen: no undo is started."
    RUN_REFUSED = (
        "RunRefused",
        "Another question of the same canary got no yes: the canary is undone, whatever is said here.",
    )
    # rolled back
    NOTHING_TO_UNDO = "NothingToUndo", "Nothing had been done, so nothing had to be undone."
    UNDOING = "Undoing", "What was done is being undone."
    UNDO_STUCK = (
        "UndoStuck",
        "The Rollout does not get back to its former state by itself: it tries on, somebody has to look.",
    )
    PODS_REMAIN = "PodsRemain", "Pods of a stopped Job do not go: the undo waits for them, somebody has to look."
    UNDO_COMPLETED = "UndoCompleted", "The undo Job completed, or Rollout or nodes are back at their former state: verified."
    UNDO_FAILED = "UndoFailed", "The undo Job failed or ran too long, or Rollout or node did not come back: not restored."
    UNDO_UNAVAILABLE = "UndoUnavailable", "The undo Job, or the Rollout's former template, is gone or another: not restored."
    NO_UNDO_NAMED = "NoUndoNamed", "The request names no undo, or nothing ran before a Rollout's first template: it stays."
    # why a verdict does not count
    LATE = "Late", "No running replica saw the approval before the deadline."
    UNPROVEN = "Unproven", "The wall was not proven when the approval was first seen; the person may give it again."
    INELIGIBLE = "Ineligible", "The person may not decide this request; the operator checks again what admission checked."


UNDER_WAY = frozenset({Reason.UNDOING, Reason.UNDO_STUCK, Reason.PODS_REMAIN, Reason.WRITE_REFUSED, Reason.GATE_LEFT_OUT})
"""The reasons of RolledBack while the way back goes on; every other one is its end."""


class PolicyReason(ToldWord):
    """Why a condition of an ApprovalPolicy is what it is. Those of `Enforced` are gatehold.admission.proof's."""

    # Ready
    USABLE = "Usable", "Requests under it can be decided, if people hold its roles: gatehold doctor says who does."
    CONTRADICTORY = (
        "Contradictory",
        "Its quorum, or that of a tier, can be met by nobody: requests are held until it is mended.",
    )
    UNREADABLE = "Unreadable", "This operator cannot read it: requests are held. Its CRD may be newer than the operator."
    # AutoApproveGranted
    GRANTED = "Granted", "The operator holds verb auto-approve wherever a tier decides alone."
    NOT_GRANTED = "NotGranted", "The operator lacks verb auto-approve somewhere: people are asked there instead."
    # Consistent
    EVERY_RULE_APPLIES = "EveryRuleApplies", "Nothing odd was found."
    BACKUP_NEVER_ASKED = "BackupNeverAsked", "A backup stands in no escalation: it is never let in."
    ESCALATION_TOO_LATE = (
        "EscalationTooLate",
        "An escalation comes at or after the deadline: never, or only for those who ask for longer.",
    )
    ESCALATION_REPEATED = "EscalationRepeated", "An escalation lets in nobody new."
    RETENTION_TOO_SHORT = "RetentionTooShort", "Records go so soon that who waits for the outcome may miss it."
    EXTRA_REVIEWER_DOES_NOT_FIT = (
        "ExtraReviewerDoesNotFit",
        "One reviewer more is too many: requests of robots are held for good.",
    )
    TIER_NEVER_MATCHES = "TierNeverMatches", "No request can meet what the tier asks for: it never applies."
    TIER_NEVER_DECIDES = "TierNeverDecides", "Where the automatic tier matches, another does too: people are always asked."
    TIERS_CLASH = (
        "TiersClash",
        "Tiers that can match together add up to a quorum that does not fit: such requests are held for good.",
    )
