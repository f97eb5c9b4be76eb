"""How a Rollout ended, as an exit code and a sentence; no code while there is something to wait for. Pure."""

from __future__ import annotations

from gatehold.cli.exits import Exit
from gatehold.cli.rollout.view import RolloutView
from gatehold.cli.text import plain
from gatehold.domain.reasons import ConditionType
from gatehold.domain.rollout.reasons import RolloutReason
from gatehold.domain.rollout.record import Outcome, RolloutPhase, Target

_CODES = {
    Outcome.DENIED: Exit.NO,
    Outcome.EXPIRED: Exit.EXPIRED,
    Outcome.WITHDRAWN: Exit.WITHDRAWN,
    Outcome.SUPERSEDED: Exit.SUPERSEDED,
    Outcome.FAILED: Exit.FAILED,
}


def outcome(view: RolloutView, target: Target) -> Exit | None:
    """The exit code for whoever waits for that target. Only the operator's record passes, never a hope."""
    if view.rollout.deleting:
        return Exit.GONE
    if view.rollout.target != target:
        return Exit.SUPERSEDED
    if not view.is_current or view.is_asked_again or view.record.run is not None:
        return None
    if view.rejected is not None:
        return _rejected(view)
    if view.record.phase is RolloutPhase.HEALTHY:
        promoted = view.record.promoted
        return Exit.OK if promoted is not None and promoted.template == target.template else None
    return Exit.FAILED if view.record.phase is RolloutPhase.DEGRADED else None


def _rejected(view: RolloutView) -> Exit:
    """What the rejection says; `lastRun` may be gone, the rejection stays."""
    last = view.record.last_run
    if view.rejected is not None and view.rejected.reason == RolloutReason.VALIDITY_PASSED:
        return Exit.LAPSED
    return _CODES.get(last.outcome, Exit.FAILED) if last is not None else Exit.FAILED


def sentence(view: RolloutView, code: Exit) -> str:
    """The end in words, safe for a console."""
    what, record = f"Rollout {plain(view.rollout.name)}", view.record
    match code:
        case Exit.OK:
            return f"{what} is Healthy: {_ready(view)}"
        case Exit.GONE:
            return f"{what} is gone: it was deleted, or another one stands under its name"
        case Exit.SUPERSEDED if view.rejected is None:
            return f"{what}: template or steps were changed meanwhile; what was watched is not what comes now"
        case Exit.TIMEOUT:
            phase = f"still {record.phase}" if view.is_looked_at else "held, the operator has not looked at it yet"
            waits = f", waits for {record.waiting_for}" if record.waiting_for else ""
            return f"{what} is {plain(phase + waits)}: --timeout is over, nothing was changed"
        case _:
            return _turned_down(view, what)


def _turned_down(view: RolloutView, what: str) -> str:
    record = view.record
    if view.rejected is None:
        return f"{what} is {record.phase}: {_ready(view)}"
    how = record.last_run.outcome if record.last_run is not None else Outcome.FAILED
    back = record.condition(ConditionType.ROLLED_BACK)
    after = f"; {back.message}" if back is not None and back.message else ""
    return f"{what} was not promoted: {how} " + plain(f"({view.rejected.reason}: {view.rejected.message}{after})")


def _ready(view: RolloutView) -> str:
    found = view.record.condition(ConditionType.READY)
    return plain(found.message) if found is not None else ""
