"""Effect None: the requester acts on the status. There is nothing to carry out and nothing to undo."""

from datetime import datetime

from gatehold.domain.effects.base import Ending, Inert, Step, Undo
from gatehold.domain.model import Request
from gatehold.domain.plan import Finding, Observed
from gatehold.domain.reasons import Reason
from gatehold.domain.status import Status


class NoEffect(Inert):
    """The rules of effect None."""

    def supports(self, request: Request) -> bool:
        """Any subject, whatever its kind."""
        return True

    def check(self, observed: Observed) -> Finding | None:
        """Nothing is read, so nothing can be wrong."""
        return None

    def verify(self, observed: Observed, status: Status) -> Ending | None:
        """The operator does not watch the subject of such a request."""
        return None

    def plan(self, observed: Observed, status: Status, now: datetime) -> Step:
        """Approved is the end."""
        return Step(status.effect)

    def undo(self, observed: Observed, status: Status, now: datetime) -> Undo:
        """Nothing was done."""
        return Undo(status.effect, Finding(Reason.NOTHING_TO_UNDO, "the operator had done nothing"), restored=True)
