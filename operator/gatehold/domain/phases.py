"""The phases of a request and the moves between them, as data. The API server enforces the same table (crds/)."""

from enum import StrEnum


class Phase(StrEnum):
    """Where a request stands. A summary for columns; conditions are the contract."""

    UNSET = ""  # nobody has looked at it yet: held
    PENDING = "Pending"  # people are asked, or the operator waits for something before it can ask
    APPROVED = "Approved"  # enough said yes; with effect None this is the end
    RELEASED = "Released"  # the effect is complete and verified
    DENIED = "Denied"  # a person said no
    EXPIRED = "Expired"  # not enough said yes in time
    LAPSED = "Lapsed"  # approved, not begun within its validity
    SUPERSEDED = "Superseded"  # the subject changed or went
    WITHDRAWN = "Withdrawn"  # the requester took it back
    FAILED = "Failed"  # it could not be carried out, or should not have been asked


MOVES: dict[Phase, frozenset[Phase]] = {
    Phase.UNSET: frozenset({Phase.PENDING, Phase.FAILED, Phase.SUPERSEDED}),
    Phase.PENDING: frozenset({Phase.APPROVED, Phase.DENIED, Phase.EXPIRED, Phase.WITHDRAWN, Phase.SUPERSEDED, Phase.FAILED}),
    Phase.APPROVED: frozenset({Phase.RELEASED, Phase.FAILED, Phase.LAPSED, Phase.DENIED, Phase.WITHDRAWN, Phase.SUPERSEDED}),
    Phase.RELEASED: frozenset(),
    Phase.DENIED: frozenset(),
    Phase.EXPIRED: frozenset(),
    Phase.LAPSED: frozenset(),
    Phase.SUPERSEDED: frozenset(),
    Phase.WITHDRAWN: frozenset(),
    Phase.FAILED: frozenset(),
}


def may_move(before: Phase, after: Phase, *, has_effect: bool) -> bool:
    """Whether a status may go from one phase to another. Staying is always allowed; Approved without effect is the end."""
    if before is after:
        return True
    if before is Phase.APPROVED and not has_effect:
        return False
    return after in MOVES[before]


def is_over(phase: Phase, *, has_effect: bool) -> bool:
    """Whether the question is closed for good: no verdict can change it any more."""
    return not MOVES[phase] or (phase is Phase.APPROVED and not has_effect)


def is_refused(phase: Phase) -> bool:
    """Whether the request ended without passing: whatever was done has to be undone."""
    return not MOVES[phase] and phase is not Phase.RELEASED
