"""The way back of effect Promote on a Rollout of Argo: it is aborted, and its own controller brings stable back.

An abort is Argo's own: what Git holds stays the rejected revision, and the Rollout is Degraded until another template comes
or a person retries it. Who retries is asked anew, so that ends the undo as well.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from gatehold.domain.argo.course import asked_of, begun_anew, digest_of, name_of, reference, rollout_of
from gatehold.domain.argo.model import AbortArgo, ArgoRollout
from gatehold.domain.effects.base import MOST_TEXT, Undo, concluded
from gatehold.domain.model import EffectType
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Finding, Observed
from gatehold.domain.reasons import Reason
from gatehold.domain.status import EffectState, EffectStatus, Status

LOOK = timedelta(seconds=5)
STUCK = timedelta(minutes=10)
"""So long after its abort stable may take to serve before somebody has to look: Argo's own progress deadline."""


def undo(observed: Observed, status: Status, now: datetime) -> Undo:
    """Abort it where it is still this request's business, and wait until stable serves."""
    rollout, effect, sight = rollout_of(observed), status.effect, observed.facts.argo
    if sight is None or sight.unread:
        text = f"nothing is known of the Rollout: {sight.unread if sight is not None else 'it was not read'}"
        return Undo(effect, Finding(Reason.UNDO_STUCK, text[:MOST_TEXT]), stalled=True, recheck_at=now + STUCK)
    why = _left_alone(observed, status, rollout)
    if rollout is None or why:
        return concluded(effect, Reason.NOTHING_TO_UNDO, why, now)
    effect = effect or EffectStatus(EffectType.PROMOTE, EffectState.WAITING, object=reference(observed, rollout))
    begun = effect.state is not EffectState.WAITING
    if rollout.aborted:
        return _aborted(effect, rollout, now)
    # who died between the abort and its record finds it under way again: to abort it now would be a second no
    retried = effect.state is EffectState.UNDOING and begun_anew(rollout, asked_of(status))
    if effect.stopped_at is not None or retried:
        text = f"Rollout {rollout.name} was aborted, and somebody retried it since: its next pause is asked about anew"
        return concluded(effect, Reason.UNDO_COMPLETED, text, now)
    if rollout.promoted and begun:
        text = f"Rollout {rollout.name} was promoted before that was seen; to go back, give it the former template"
        return concluded(effect, Reason.UNDO_FAILED, text, now, restored=False)
    if rollout.asks != digest_of(observed.request) and not begun:
        text = f"Rollout {rollout.name} went on by another hand before this was over"
        return concluded(effect, Reason.SUBJECT_OVERRIDDEN, text, now, restored=False)
    finding = Finding(Reason.UNDOING, f"Rollout {rollout.name} is being aborted")
    return Undo(replace(effect, state=EffectState.UNDOING), finding, writes=(AbortArgo(rollout),), recheck_at=now + LOOK)


def _left_alone(observed: Observed, status: Status, rollout: ArgoRollout | None) -> str:
    """Why nothing has to be put back, or nothing."""
    asked, sight, name = asked_of(status), observed.facts.argo, name_of(observed.request)
    if rollout is None or rollout.deleting:
        return f"Rollout {name} is gone"
    if status.phase is Phase.SUPERSEDED:
        return f"Rollout {name} is left as it is: what was asked about is over"
    if sight is None or not sight.label:
        return f"Rollout {name} is behind no gate any more, so it is left as it is"
    if asked is not None and rollout.pod_hash != asked.pod_hash:
        return f"Rollout {name} is at revision {rollout.pod_hash} by now, which is asked about by itself"
    if asked is None and rollout.asks != digest_of(observed.request):
        return f"Rollout {name} does not stand at that pause any more"
    return ""


def _aborted(effect: EffectStatus, rollout: ArgoRollout, now: datetime) -> Undo:
    """It is: done once stable has all pods and all traffic."""
    since = effect.stopped_at or now
    effect = replace(effect, state=EffectState.UNDOING, stopped_at=since)
    if rollout.serves_stable:
        text = (
            f"Rollout {rollout.name} is aborted and runs {rollout.stable_hash} again; Git still holds the rejected revision"
            f" {rollout.pod_hash}: put the former template there, or retry and be asked anew"
        )
        return concluded(effect, Reason.UNDO_COMPLETED, text, now)
    if rollout.stopped:
        text = f"Rollout {rollout.name} is aborted, and its spec.paused keeps its pods as they are: set it to false"
        return Undo(effect, Finding(Reason.UNDO_STUCK, text), stalled=True, recheck_at=now + STUCK)
    if now >= since + STUCK:
        text = f"Rollout {rollout.name} is aborted, and its revision {rollout.stable_hash} does not serve yet"
        return Undo(effect, Finding(Reason.UNDO_STUCK, text), stalled=True, recheck_at=now + STUCK)
    finding = Finding(Reason.UNDOING, f"Rollout {rollout.name} is aborted; waits until {rollout.stable_hash} serves again")
    return Undo(effect, finding, recheck_at=since + STUCK)
