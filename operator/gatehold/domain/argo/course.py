"""Where an Argo Rollout has gone since people were asked about its pause. For the effect and its undo."""

from gatehold.domain.argo.model import ArgoRollout
from gatehold.domain.model import Request
from gatehold.domain.plan import Finding, Observed
from gatehold.domain.reasons import Reason
from gatehold.domain.status import ObjectRef, ResolvedArgo, Status

GROUP = "argoproj.io"


def is_of_argo(request: Request) -> bool:
    """Whether its subject is of a kind of Argo's, whatever the version."""
    return request.subject is not None and request.subject.api_version.partition("/")[0] == GROUP


def name_of(request: Request) -> str:
    """The name of the Rollout that it is about."""
    return request.subject.name if request.subject is not None else ""


def digest_of(request: Request) -> str:
    """The digest of the pause that it asks about."""
    return request.subject.digest if request.subject is not None else ""


def rollout_of(observed: Observed) -> ArgoRollout | None:
    """The very Rollout that the request is about, None where it is gone, or nothing is known of it."""
    sight, subject = observed.facts.argo, observed.request.subject
    if sight is None or sight.rollout is None or subject is None or sight.rollout.uid != subject.uid:
        return None
    return sight.rollout


def asked_of(status: Status) -> ResolvedArgo | None:
    """The pause that people were asked about, None where nobody was."""
    return status.resolved.argo if status.resolved is not None else None


def has_passed(rollout: ArgoRollout, asked: ResolvedArgo) -> bool:
    """Whether that revision went on from that pause."""
    if rollout.pod_hash != asked.pod_hash or rollout.aborted:
        return False
    if rollout.promoted:
        return True
    if asked.step_index is None or rollout.step is None:
        return rollout.switched
    return rollout.step > asked.step_index


def begun_anew(rollout: ArgoRollout, asked: ResolvedArgo | None) -> bool:
    """Whether it walks its steps once more since that pause: an abort and a retry lie in between."""
    if asked is None:
        return False
    if rollout.step is not None and asked.step_index is not None and rollout.step != asked.step_index:
        return rollout.step < asked.step_index
    return rollout.paused_at is not None and rollout.paused_at > asked.paused_at


def lost(rollout: ArgoRollout, asked: ResolvedArgo, digest: str) -> Finding | None:
    """Why that pause will not be passed any more, once it was let go: by another revision, an abort, or another pause."""
    if rollout.pod_hash != asked.pod_hash:
        text = f"Rollout {rollout.name} has gone on to revision {rollout.pod_hash} before it was seen to go on"
        return Finding(Reason.SUBJECT_CHANGED, text)
    if rollout.aborted:
        return aborted(rollout)
    if rollout.asks and rollout.asks != digest and not has_passed(rollout, asked):
        text = f"Rollout {rollout.name} stands at another pause, which is asked about anew"
        return Finding(Reason.SUBJECT_CHANGED, text)
    return None


def moved(rollout: ArgoRollout, asked: ResolvedArgo | None) -> Finding:
    """Why it does not stand at the pause that is still asked about."""
    if rollout.aborted:
        return aborted(rollout)
    same = asked is not None and rollout.pod_hash == asked.pod_hash
    if same and asked is not None and (rollout.resuming or has_passed(rollout, asked)):
        text = f"a holder of verb override let Rollout {rollout.name} go on by hand"
        return Finding(Reason.SUBJECT_OVERRIDDEN, text)
    text = f"Rollout {rollout.name} stands at another pause by now or at none, or its template or strategy was changed"
    return Finding(Reason.SUBJECT_CHANGED, text)


def aborted(rollout: ArgoRollout) -> Finding:
    """It was aborted, by a person or by an analysis."""
    return Finding(Reason.SUBJECT_CHANGED, f"Rollout {rollout.name} was aborted, not by this request")


def reference(observed: Observed, rollout: ArgoRollout) -> ObjectRef:
    """Which Rollout it is, and which version of it, for the record."""
    subject = observed.request.subject
    version = subject.api_version if subject is not None else ""
    return ObjectRef(version, "Rollout", rollout.name, rollout.uid, rollout.resource_version)
