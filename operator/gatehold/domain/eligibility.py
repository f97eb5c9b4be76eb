"""May this verdict count? The operator checks again what admission checked. Called by gatehold.domain.ledger only."""

from datetime import datetime

from gatehold.domain.model import Request, Verdict, Word
from gatehold.domain.plan import Observed
from gatehold.domain.reasons import Reason
from gatehold.domain.status import Status


def uncounted_because(verdict: Verdict, observed: Observed, seen_at: datetime) -> Reason | None:
    """Why a verdict does not count, or None. A deny always counts, and so does the requester's own withdrawal."""
    if verdict.word is Word.DENY:
        return None
    if verdict.word is Word.WITHDRAW:
        return None if verdict.username == observed.request.requester.username else Reason.INELIGIBLE
    if verdict.id in observed.unproven:
        return Reason.UNPROVEN
    if not is_eligible(verdict, observed.request, observed.status):
        return Reason.INELIGIBLE
    if observed.status.deadline is None or seen_at >= observed.status.deadline:
        return Reason.LATE
    return None


def is_eligible(verdict: Verdict, request: Request, status: Status) -> bool:
    """Whether that person may say that word about what is shown: four eyes, role, digest and option."""
    if verdict.username.startswith("system:") or verdict.digest != status.request_digest or not status.request_digest:
        return False
    if verdict.username in request.authors or not _names_an_option(verdict, request):
        return False
    if verdict.word is Word.OVERRIDE:
        return True
    if verdict.username == request.requester.username or verdict.username in request.on_behalf_of:
        return False
    return any(verdict.role in entry.accepted for entry in status.quorum)


def _names_an_option(verdict: Verdict, request: Request) -> bool:
    """With options a yes names one of them, without options none."""
    return verdict.option in ([option.name for option in request.options] or [""])
