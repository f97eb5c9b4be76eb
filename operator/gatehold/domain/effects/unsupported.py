"""An effect that this version cannot carry out, as a newer operator may have left it: nothing passes, nothing is claimed."""

from datetime import datetime

from gatehold.domain.effects.base import Ending, Inert, Step, Undo
from gatehold.domain.model import Request
from gatehold.domain.phases import Phase
from gatehold.domain.plan import Finding, Observed
from gatehold.domain.reasons import Reason
from gatehold.domain.status import By, Status


class Unsupported(Inert):
    """The rules of every effect without rules. Holding is the resting state, so there is no yes."""

    def supports(self, request: Request) -> bool:
        """Nothing."""
        return False

    def check(self, observed: Observed) -> Finding | None:
        """It must not be asked."""
        effect = observed.request.effect.type
        return Finding(Reason.EFFECT_NOT_SUPPORTED, f"this operator cannot carry out effect {effect} on that subject")

    def verify(self, observed: Observed, status: Status) -> Ending | None:
        """It must not wait either: a yes could not be carried out."""
        finding = self.check(observed)
        return Ending(Phase.FAILED, By.OPERATOR, finding) if finding is not None else None

    def plan(self, observed: Observed, status: Status, now: datetime) -> Step:
        """The end."""
        return Step(status.effect, ending=self.verify(observed, status))

    def undo(self, observed: Observed, status: Status, now: datetime) -> Undo:
        """What another version had begun, this one cannot put back, and says so."""
        if status.effect is None or status.effect.started_at is None:
            return Undo(status.effect, Finding(Reason.NOTHING_TO_UNDO, "the operator had done nothing"), restored=True)
        text = f"this operator cannot undo effect {status.effect.type}; restore by hand"
        return Undo(status.effect, Finding(Reason.UNDO_UNAVAILABLE, text), restored=False)
