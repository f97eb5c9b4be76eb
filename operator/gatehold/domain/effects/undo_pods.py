"""What becomes of pods that nobody approved: the word of their Gate, carried out and verified."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from gatehold.domain.effects.base import Undo, concluded
from gatehold.domain.plan import Finding, Write
from gatehold.domain.provision.groups import covered
from gatehold.domain.provision.model import DeleteOwner, OnDenied, ScaleOwner, Sight, SuspendOwner
from gatehold.domain.reasons import Reason
from gatehold.domain.status import EffectState, EffectStatus

SCALED = frozenset({"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout"})
SUSPENDED = frozenset({"Job", "CronJob"})
DELETED = frozenset({"Deployment", "StatefulSet", "Job", "CronJob", "Pod"})
_AGAIN = timedelta(seconds=2)

Way = Callable[[Sight, EffectStatus, datetime], Undo]


def undo(sight: Sight, effect: EffectStatus, on_denied: str, now: datetime) -> Undo:
    """The next step of it."""
    return _WAYS.get(on_denied, _keep)(sight, effect, now)


def _keep(sight: Sight, effect: EffectStatus, now: datetime) -> Undo:
    return _nothing(effect, "what waits stays inert, and what runs goes on", now)


def _scale_back(sight: Sight, effect: EffectStatus, now: datetime) -> Undo:
    """Back to the size that was approved last; what runs by now is not taken away."""
    owner, yes = sight.owner, covered(sight.asked)
    running = sum(pod.live and not pod.gated for pod in sight.pods)
    to = max(running, (yes.covered if yes is not None else 0) - owner.surge, 0)
    if not owner.known or owner.kind not in SCALED:
        return _nothing(effect, f"{_called(sight)} cannot be scaled back; its pods stay inert", now)
    if owner.gone or owner.replicas <= to:
        return _done(effect, f"{_called(sight)} wants {owner.replicas} pods, as was approved before", now)
    return _doing(effect, f"scaling {_called(sight)} back to {to}", ScaleOwner(owner, to), now)


def _suspend(sight: Sight, effect: EffectStatus, now: datetime) -> Undo:
    owner = sight.owner
    if not owner.known or owner.kind not in SUSPENDED:
        return _nothing(effect, f"{_called(sight)} cannot be suspended; its pods stay inert", now)
    if owner.gone or owner.suspended:
        return _done(effect, f"{_called(sight)} is suspended", now)
    if owner.kind == "Job" and any(pod.live and not pod.gated for pod in sight.pods):
        return _nothing(effect, f"{_called(sight)} runs, and to suspend it would end that; what waits stays inert", now)
    return _doing(effect, f"suspending {_called(sight)}", SuspendOwner(owner), now)


def _delete(sight: Sight, effect: EffectStatus, now: datetime) -> Undo:
    """Only what never ran: an owner of which one pod was ever let go stays."""
    owner = sight.owner
    if owner.gone or owner.deleting:
        return _done(effect, f"{_called(sight)} was deleted", now)
    ran = any(not pod.gated for pod in sight.pods) or any(job.started for job in sight.jobs)
    if ran or covered(sight.asked) is not None:
        return _nothing(effect, f"{_called(sight)} has run, so it is not deleted; what waits stays inert", now)
    if not owner.known or owner.kind not in DELETED:
        return _nothing(effect, f"{_called(sight)} is not of a kind that is deleted; its pods stay inert", now)
    return _doing(effect, f"deleting {_called(sight)}, of which nothing ever ran", DeleteOwner(owner), now)


_WAYS: dict[str, Way] = {
    OnDenied.KEEP: _keep,
    OnDenied.SCALE_BACK: _scale_back,
    OnDenied.SUSPEND: _suspend,
    OnDenied.DELETE: _delete,
}


def _called(sight: Sight) -> str:
    return f"{sight.owner.kind} {sight.owner.name}"


def _doing(effect: EffectStatus, text: str, write: Write, now: datetime) -> Undo:
    return Undo(
        replace(effect, state=EffectState.UNDOING), Finding(Reason.UNDOING, text), writes=(write,), recheck_at=now + _AGAIN
    )


def _done(effect: EffectStatus, text: str, now: datetime) -> Undo:
    """It stands as it should: by our hand, or by another's that was quicker."""
    ours = effect.state is EffectState.UNDOING
    return concluded(effect, Reason.UNDO_COMPLETED if ours else Reason.NOTHING_TO_UNDO, text, now)


def _nothing(effect: EffectStatus, text: str, now: datetime) -> Undo:
    return concluded(effect, Reason.NOTHING_TO_UNDO, text, now)
