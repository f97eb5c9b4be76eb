"""A forgery that the caller tries: another's verdict on the probe's request, as a dry run, so that nothing is stored.

The operator's probe tries the same with an account that may do nothing else; the caller may be anybody, an admin too, and
must be refused all the same, by the wall and by nothing else.
"""

from __future__ import annotations

from gatehold.admission.proof import Reason, judge
from gatehold.api.approval_request import VERDICT_PREFIX
from gatehold.cli.doctor.findings import Finding, Level
from gatehold.cli.refusals import sentence
from gatehold.cli.session import Session
from gatehold.domain.installation import NAMESPACE, PROBE
from gatehold.kube.errors import Absent, ApiError, Unavailable
from gatehold.kube.resources import REQUESTS

_PART = "Forgery"
_POLICY = "gatehold-requests"
_LINE = "approve||nobody|somebody-else||forged by gatehold doctor; must be refused"
_FORGED = {"metadata": {"annotations": {f"{VERDICT_PREFIX}999": _LINE}}}
_REFUSED = (
    f"the wall refused a verdict in another's name that you tried on {NAMESPACE}/{PROBE} (dry run): it holds against you, "
    "now, on the API server that answered; it says nothing of other API servers, of status or of Jobs (see Wall and Probe)"
)
_WALL = "kubectl get validatingadmissionpolicies,validatingadmissionpolicybindings -l app.kubernetes.io/part-of=gatehold"


async def forgery(session: Session) -> list[Finding]:
    """Try it once."""
    try:
        await session.cluster.merge_patch(REQUESTS, NAMESPACE, PROBE, _FORGED, dry_run=True)
    except Unavailable:
        raise
    except ApiError as error:
        return [_refused(error)]
    text = "the API server takes a verdict in another's name from you (dry run): the wall is open"
    return [Finding(_PART, Level.PROBLEM, text, _WALL)]


def _refused(answer: ApiError) -> Finding:
    """By the wall, or by something else before the wall was asked."""
    if judge(answer, _POLICY) is Reason.PROVEN:
        return Finding(_PART, Level.OK, _REFUSED)
    if isinstance(answer, Absent):
        text = f"not tried: there is no request {NAMESPACE}/{PROBE}, the operator makes it when it starts"
        return Finding(_PART, Level.NOTICE, text, f"kubectl get pods -n {NAMESPACE}")
    text = f"not tried, since something else than the wall refused you first: {sentence(answer)}"
    return Finding(_PART, Level.NOTICE, text, f"gatehold doctor (as somebody who may patch requests in {NAMESPACE})")
